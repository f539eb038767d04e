#pragma once
#include <functional>
#include <map>
#include <string>

#include "resources/schema_node.hpp"

namespace wh::internal {

/// Turns schema documents into nodes. One compiler is kept for all built-in kinds, so that what they share (`$ref`) is
/// compiled once; users' CRDs get one each, without definitions.
class schema_compiler {
 public:
  using node = schema::node;
  /// The text of a definition, or null when there is none of that name.
  using find_definition = std::function<const document*(const std::string& name)>;

  struct options {
    find_definition definitions;  ///< empty: `$ref` is an error
    bool drop_null = false;       ///< see schema::node::drop_null
  };

  explicit schema_compiler(options how) : options_(std::move(how)) {}

  result<node::ptr> compile(const document& doc);

 private:
  node::ptr node_of(const document& doc, int depth);
  node::ptr definition(const std::string& name, int depth);
  void read_type(node& out, const document& doc);
  void read_extensions(node& out, const document& doc);
  void read_bounds(node& out, const document& doc);
  void read_text_rules(node& out, const document& doc);
  std::shared_ptr<const pattern> pattern_of(const std::string& expression);
  void read_members(node& out, const document& doc, int depth);
  void read_wire(node& out, const document& doc, int depth);
  void read_inlined(node& out, const document& doc, int depth);
  void read_combinations(node& out, const document& doc, int depth);
  void complain(std::string why);

  options options_;
  std::map<std::string, node::ptr, std::less<>> ready_;
  std::map<std::string, node::ptr, std::less<>> plain_;  ///< nodes that are a type and nothing else, by it
  std::map<std::string, std::shared_ptr<const pattern>, std::less<>> patterns_;  ///< by their text
  std::size_t pattern_size_ = 0;                                                 ///< of all of them
  std::vector<std::string> path_;
  std::optional<error> error_;
};

/// ObjectMeta as every object carries it.
const schema::node::ptr& object_meta_node();

/// Gives a resource's root (or an embedded resource) its apiVersion, kind and metadata.
schema::node::ptr as_resource(const schema::node& object);

/// Sorts what must be sorted and derives what can be derived; call it on a node before publishing it.
void finish(schema::node& node);

/// schema's way to be built from parts that only the library has.
struct schema_access {
  static std::shared_ptr<const schema> make(schema::node::ptr root, std::function<document()> openapi,
                                            schema::wording words = schema::wording::openapi);
};

}  // namespace wh::internal
