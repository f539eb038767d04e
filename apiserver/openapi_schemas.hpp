#pragma once
#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "resources/kinds.hpp"

namespace wh {

/// `io.open-cluster-management.work.v1.ManifestWork`: the group's labels backwards, as Kubernetes names definitions;
/// its own kinds are named by their packages, `io.k8s.api.core.v1.Pod`.
std::string definition_name(const kind_info& kind);
document schema_reference(const std::string& name);
document gvk_of(const kind_info& k, const std::string& kind);

/// The definitions of one OpenAPI document: those of its kinds, and whatever these refer to, each once. Each is written
/// as soon as it is made: all of them as documents would take ten times the memory of their texts.
class schema_texts {
 public:
  using writer = std::function<std::string(const document& v3)>;

  /// `served`: kinds that may be referred to.
  schema_texts(const std::vector<kind_ptr>& served, writer write);

  /// Adds the kind, its list, and its Scale where it has one.
  void add_kind(const kind_info& kind);
  /// Adds a kind that is asked with and never listed.
  void add_body(const kind_info& kind);
  bool empty() const { return texts_.empty(); }
  /// Adds what is referred to, too. By name.
  std::map<std::string, std::string> take();

 private:
  void add(const std::string& name, const document& v3);
  void add_referred(const std::string& name);

  std::map<std::string, kind_ptr> served_;
  writer write_;
  std::map<std::string, std::string> texts_;
  std::set<std::string> referred_;  ///< by what was added; some of it is there already
};

}  // namespace wh
