#pragma once
#include <optional>
#include <string>
#include <vector>

#include "apiserver/audit/audit.hpp"

namespace wh {

/// Which requests are recorded, and how much of them: the rules of an audit.k8s.io/v1 Policy. The first rule that matches
/// decides; a request that none matches is not recorded.
class audit_policy {
 public:
  /// Reads a Policy (YAML or JSON). Unknown fields, levels and stages are errors that name the place: a rule that is not
  /// understood would leave out what somebody relies on. One field is our own: `denials: None` switches off that refusals
  /// are recorded whatever the rules say.
  static result<audit_policy> parse(std::string_view text);
  /// Writes, reads of Secrets and refusals, but no leases, events, health checks and questions about oneself.
  static audit_policy standard();

  audit_decision decide(const audit_subject& s) const;
  bool records_denials() const { return denials_; }

 private:
  struct resources {
    std::string group;
    std::vector<std::string> names;    ///< pods, pods/log, pods/*, */scale, *; empty: all of the group
    std::vector<std::string> objects;  ///< resourceNames; empty: any
  };
  struct rule {
    audit_level level = audit_level::none;
    std::vector<std::string> omitted_stages;
    std::optional<bool> omit_managed_fields;  ///< absent: as the policy says
    std::vector<std::string> users, groups, verbs, namespaces, urls;
    std::vector<resources> about;
  };
  result<void> take(const std::string& key, const document& value);
  static result<rule> read_rule(const document& doc, const std::string& where);
  static result<void> read_field(const std::string& key, const document& value, const std::string& field, rule& out);
  static result<resources> read_resources(const document& doc, const std::string& where);
  static bool matches(const rule& r, const audit_subject& s);
  static bool matches(const resources& r, const audit_subject& s);

  std::vector<rule> rules_;
  std::vector<std::string> omitted_stages_;
  bool omit_managed_fields_ = false;
  bool denials_ = true;
};

}  // namespace wh
