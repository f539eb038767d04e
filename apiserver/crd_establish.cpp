#include <algorithm>
#include <set>

#include "apiserver/crd.hpp"

namespace wh {

namespace {

document& conditions_of(document& crd) {
  auto& list = crd["status"]["conditions"];
  if (!list.is_array()) list = document::array();
  return list;
}

void complete_names(document& crd) {
  auto& names = crd["spec"]["names"];
  if (names.is_object()) {
    auto kind = std::string(string_at(names, {"kind"}));
    if (string_at(names, {"listKind"}).empty()) names["listKind"] = kind + "List";
    std::transform(kind.begin(), kind.end(), kind.begin(),
                   [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
    if (string_at(names, {"singular"}).empty()) names["singular"] = kind;
  }
}

struct used_names {
  std::set<std::string> resources;  ///< plural, singular, short
  std::set<std::string> kinds;      ///< of lists, too
};

/// Names that other kinds of the group have.
used_names names_in_use(const kind_registry& kinds, const document& crd) {
  const auto group = string_at(crd, {"spec", "group"}), own = string_at(crd, {"spec", "names", "plural"});
  used_names out;
  for (const auto& k : kinds.all()) {
    if (k->group != group || k->plural == own) continue;
    out.resources.insert(k->short_names.begin(), k->short_names.end());
    out.resources.insert({k->plural, k->singular});
    out.kinds.insert({k->kind, k->list_kind});
  }
  return out;
}

/// Takes the names that nobody else has; what is in use leaves the name as it was accepted before. The reason is that of
/// the last conflict, as in Kubernetes.
class name_settlement {
 public:
  name_settlement(document& accepted, const document& asked) : accepted_(accepted), asked_(asked) {}

  void take(const char* field, const std::set<std::string>& used, const char* reason) {
    const auto name = string_at(asked_, {field});
    if (name != string_at(accepted_, {field}) && used.contains(std::string(name)))
      return conflict(reason, in_use(name));
    accepted_[field] = name;
  }
  void take_short_names(const std::set<std::string>& used) {
    const auto wanted = texts_at(asked_, {"shortNames"}), had = texts_at(accepted_, {"shortNames"});
    std::string why;
    for (const auto& name : wanted)
      if (std::find(had.begin(), had.end(), name) == had.end() && used.contains(name))
        why += (why.empty() ? "" : ", ") + in_use(name);
    if (!why.empty()) return conflict("ShortNamesConflict", why);
    copy("shortNames");
  }
  void copy(const char* field) {
    if (const auto it = asked_.find(field); it != asked_.end()) accepted_[field] = *it;
    else accepted_.erase(field);
  }
  condition outcome() const { return outcome_; }

 private:
  static std::string in_use(std::string_view name) { return go_quote(name) + " is already in use"; }
  void conflict(const char* reason, std::string why) {
    outcome_.status = "False";
    outcome_.reason = reason;
    outcome_.message = std::move(why);
  }

  document& accepted_;
  const document& asked_;
  condition outcome_{"NamesAccepted", "True", "NoConflicts", "no conflicts found", {}};
};

condition accept_names(document& crd, const document* old, const used_names& used) {
  const auto* before = old ? find_path(*old, {"status", "acceptedNames"}) : nullptr;
  document accepted = before && before->is_object() ? *before : document::object();
  name_settlement names(accepted, crd["spec"]["names"]);
  names.take("plural", used.resources, "PluralConflict");
  names.take("singular", used.resources, "SingularConflict");
  names.take_short_names(used.resources);
  names.take("kind", used.kinds, "KindConflict");
  names.take("listKind", used.kinds, "ListKindConflict");
  names.copy("categories");
  crd["status"]["acceptedNames"] = std::move(accepted);
  return names.outcome();
}

/// A definition that was established once stays so.
condition established_condition(bool names_accepted) {
  if (names_accepted)
    return {"Established", "True", "InitialNamesAccepted", "the initial names have been accepted", {}};
  return {"Established", "False", "NotAccepted", "not all names are accepted", {}};
}

}  // namespace

std::vector<field_error> establish_crd(document& crd, const document* old, const kind_registry& kinds, instant now) {
  complete_names(crd);
  if (!find_path(crd, {"spec", "conversion", "strategy"})) crd["spec"]["conversion"] = {{"strategy", "None"}};
  if (auto errors = validate_crd(crd); !errors.empty()) return errors;
  auto served = kinds_of_crd(crd);
  if (!served) return {{field_error_type::invalid, "spec", "", served.err().message}};
  auto& status = crd["status"];
  if (!status.is_object()) status = document::object();
  document stored =
      old ? (find_path(*old, {"status", "storedVersions"}) ? *find_path(*old, {"status", "storedVersions"})
                                                           : document::array())
          : document::array();
  for (const auto& k : *served)
    if (k.storage && std::find(stored.begin(), stored.end(), document(k.version)) == stored.end())
      stored.push_back(k.version);
  status["storedVersions"] = std::move(stored);
  const auto accepted = accept_names(crd, old, names_in_use(kinds, crd));
  set_condition(conditions_of(crd), accepted, now);
  if (condition_status(crd, "Established") != "True")
    set_condition(conditions_of(crd), established_condition(accepted.status == "True"), now);
  return {};
}

void begin_crd_deletion(document& crd, instant now) {
  add_finalizer(crd, crd_cleanup_finalizer);
  set_condition(conditions_of(crd),
                {"Terminating",
                 "True",
                 "InstanceDeletionPending",
                 "CustomResourceDefinition marked for deletion; CustomResource deletion will begin soon",
                 {}},
                now);
}

}  // namespace wh
