#include "bench/api/answer_reader.hpp"

#include <algorithm>
#include <charconv>
#include <utility>

namespace wh::bench {
namespace {

template <class Number>
bool parse_number(std::string_view text, Number& out, int base = 10) {
  return std::from_chars(text.data(), text.data() + text.size(), out, base).ec == std::errc();
}

/// The value of a header line; empty if it is not there.
std::string_view value_of(std::string_view head, std::string_view name) {
  const auto at = head.find(name);
  if (at == std::string_view::npos) return {};
  const auto begin = at + name.size();
  return head.substr(begin, head.find('\r', begin) - begin);
}

}  // namespace

result<void> answer_reader::append(std::string_view bytes, answer_sink& to) {
  while (!bytes.empty()) {
    switch (part_) {
      case part::head:
        if (auto ok = take_head(bytes, to); !ok) return ok;
        break;
      case part::chunk_size:
        if (auto ok = take_chunk_size(bytes); !ok) return ok;
        break;
      case part::sized:
      case part::chunk: take_body(bytes, to); break;
      case part::chunk_end:
      case part::last_end: take_line_end(bytes, to); break;
    }
  }
  return {};
}

result<void> answer_reader::take_head(std::string_view& bytes, answer_sink& to) {
  if (!std::exchange(head_begun_, true)) head_.clear();
  // The end may lie across two pieces.
  const auto from = head_.size() < 3 ? 0 : head_.size() - 3;
  const auto before = head_.size();
  head_ += bytes;
  const auto end = head_.find("\r\n\r\n", from);
  if (end == std::string::npos) {
    bytes = {};
    return {};
  }
  bytes.remove_prefix(end + 4 - before);
  head_.resize(end + 2);
  head_begun_ = false;
  return read_framing(to);
}

result<void> answer_reader::read_framing(answer_sink& to) {
  for (char& c : head_)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  if (head_.size() < 12 || !head_.starts_with("http/1.") || !parse_number(head_.substr(9, 3), status_))
    return fail(errc::invalid, "no HTTP answer: " + head_.substr(0, 40));
  if (value_of(head_, "\r\ntransfer-encoding: ") == "chunked") {
    part_ = part::chunk_size;
    to.on_head();
    return {};
  }
  left_ = 0;
  const auto length = value_of(head_, "\r\ncontent-length: ");
  if (length.empty() || !parse_number(length, left_))
    return fail(errc::invalid, "an answer of unknown length: " + head_);
  part_ = part::sized;
  to.on_head();
  if (left_ == 0) end(to);
  return {};
}

void answer_reader::take_body(std::string_view& bytes, answer_sink& to) {
  const auto n = std::min<std::uint64_t>(left_, bytes.size());
  left_ -= n;
  to.on_body(bytes.substr(0, n));
  bytes.remove_prefix(n);
  if (left_ > 0) return;
  if (part_ == part::sized) return end(to);
  part_ = part::chunk_end;
  left_ = 2;
}

result<void> answer_reader::take_chunk_size(std::string_view& bytes) {
  const auto end = bytes.find('\n');
  line_ += bytes.substr(0, end);
  if (end == std::string_view::npos) {
    bytes = {};
    return {};
  }
  bytes.remove_prefix(end + 1);
  if (!parse_number(line_, left_, 16)) return fail(errc::invalid, "no chunk size: " + line_);
  line_.clear();
  // The last chunk has no bytes. Its line end is the answer's: nobody asked for trailers.
  part_ = left_ == 0 ? part::last_end : part::chunk;
  if (left_ == 0) left_ = 2;
  return {};
}

void answer_reader::take_line_end(std::string_view& bytes, answer_sink& to) {
  const auto n = std::min<std::uint64_t>(left_, bytes.size());
  left_ -= n;
  bytes.remove_prefix(n);
  if (left_ > 0) return;
  if (part_ == part::last_end) return end(to);
  part_ = part::chunk_size;
}

void answer_reader::end(answer_sink& to) {
  part_ = part::head;
  to.on_answer_end();
}

}  // namespace wh::bench
