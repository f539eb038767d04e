#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "resources/document.hpp"

namespace wh::internal {

/// A parsed JSON path of the subset that CRDs' printer columns use: members, quoted members, indexes, `[*]`, `.*`
/// and filters `[?(@.type=="Ready")]`.
class json_path {
 public:
  static result<json_path> parse(std::string_view text);

  /// Every match, in document order; no copies.
  std::vector<const document*> match(const document& object) const;

 private:
  friend class json_path_parser;

  struct step {
    enum class what { member, index, all, filter } how = what::member;
    std::string name;                ///< member
    std::int64_t index = 0;          ///< index; negative counts from the end
    std::vector<std::string> where;  ///< filter: the path below @
    std::string compare;             ///< filter: ==, !=, <, <=, >, >= or empty for "is there"
    document value;                  ///< filter
  };
  static bool holds(const step& filter, const document& entry);
  static void take(const step& s, const document& from, std::vector<const document*>& out);

  std::vector<step> steps_;
};

}  // namespace wh::internal
