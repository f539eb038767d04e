#pragma once
#include <algorithm>
#include <cstdint>
#include <string_view>

#include "resources/document.hpp"

namespace wh::test {

/// A fuzz input of JSON documents, one a line: people can read and write its corpus.
class json_lines {
 public:
  json_lines(const std::uint8_t* data, std::size_t size) : rest_(reinterpret_cast<const char*>(data), size) {}
  /// The next line's document; an error when it is none, as behind the last line.
  result<document> next() {
    const auto line = rest_.substr(0, rest_.find('\n'));
    rest_.remove_prefix(std::min(rest_.size(), line.size() + 1));
    return parse_json(line);
  }

 private:
  std::string_view rest_;
};

}  // namespace wh::test
