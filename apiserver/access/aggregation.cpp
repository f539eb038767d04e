#include "apiserver/access/aggregation.hpp"

#include <algorithm>
#include <set>

namespace wh {

namespace {

constexpr const char* cluster_roles = "clusterroles.rbac.authorization.k8s.io";

bool selects(const std::vector<label_selector>& selectors, const document& labels) {
  return std::any_of(selectors.begin(), selectors.end(), [&](const auto& s) { return s.matches(labels); });
}

std::vector<label_selector> selectors_of(const document& role) {
  std::vector<label_selector> out;
  if (const auto* list = find_path(role, {"aggregationRule", "clusterRoleSelectors"}); list && list->is_array())
    for (const auto& s : *list)
      if (auto selector = read_label_selector(s)) out.push_back(std::move(*selector));
  return out;
}

const document& member_or(const document& doc, const char* key, const document& fallback) {
  auto it = doc.find(key);
  return it == doc.end() || it->is_null() ? fallback : *it;
}

std::optional<label_requirement> read_expression(const document& e) {
  label_requirement out;
  out.key = string_at(e, {"key"});
  auto op = string_at(e, {"operator"});
  if (op == "In") out.how = label_requirement::op::in;
  else if (op == "NotIn") out.how = label_requirement::op::not_in;
  else if (op == "Exists") out.how = label_requirement::op::exists;
  else if (op == "DoesNotExist") out.how = label_requirement::op::does_not_exist;
  else return std::nullopt;
  if (const auto* values = find_path(e, {"values"}); values && values->is_array())
    for (const auto& v : *values)
      if (v.is_string()) out.values.push_back(v.get<std::string>());
  return out;
}

}  // namespace

std::optional<label_selector> read_label_selector(const document& selector) {
  label_selector out;
  if (const auto* labels = find_path(selector, {"matchLabels"}); labels && labels->is_object())
    for (const auto& [key, value] : labels->items())
      out.requirements.push_back(
          {key, label_requirement::op::in, {value.is_string() ? value.get<std::string>() : std::string()}});
  if (const auto* list = find_path(selector, {"matchExpressions"}); list && list->is_array())
    for (const auto& e : *list) {
      auto requirement = read_expression(e);
      if (!requirement) return std::nullopt;
      out.requirements.push_back(std::move(*requirement));
    }
  return out;
}

role_aggregator::~role_aggregator() { stop(); }

void role_aggregator::load() {
  {
    std::lock_guard lock(mutex_);
    stopped_ = false;
  }
  data_.subscribe(this);
  auto page = data_.list({cluster_roles, "", ""});
  if (!page) return;
  std::set<std::string> due;
  {
    std::lock_guard lock(mutex_);
    for (const auto& r : page->records)
      for (auto& name : apply(r.key, r.body, r.rev)) due.insert(std::move(name));
  }
  for (const auto& name : due) settle(name);
}

void role_aggregator::stop() {
  {
    std::lock_guard lock(mutex_);
    if (stopped_) return;
    stopped_ = true;
  }
  data_.unsubscribe(this);
}

void role_aggregator::on_committed(const std::vector<change>& changes) {
  std::set<std::string> due;
  for (const auto& c : changes) {
    if (c.key.resource != cluster_roles) continue;
    std::lock_guard lock(mutex_);
    if (stopped_) return;
    for (auto& name : apply(c.key, c.body, c.rev)) due.insert(std::move(name));
  }
  for (const auto& name : due) settle(name);
}

std::vector<std::string> role_aggregator::apply(const object_key& key, const shared_bytes& body, revision rev) {
  auto doc = body ? decode_body(*body) : result<document>(document::object());
  if (!doc) return {};
  known_role next;
  next.labels["metadata"]["labels"] = document::object();
  if (const auto* labels = find_path(*doc, {"metadata", "labels"})) next.labels["metadata"]["labels"] = *labels;
  next.rules = member_or(*doc, "rules", document::array());
  next.selectors = selectors_of(*doc);
  next.aggregates = find_path(*doc, {"aggregationRule"}) != nullptr;
  next.rev = rev;
  auto& known = roles_[key.name];
  if (known.rev > rev) return {};  // the list that load() read is older than what the feed told
  std::vector<std::string> due;
  for (const auto& [name, role] : roles_)
    if (role.aggregates && name != key.name &&
        ((!known.labels.is_null() && selects(role.selectors, known.labels)) || selects(role.selectors, next.labels)))
      due.push_back(name);
  if (next.aggregates) due.push_back(key.name);
  if (body) known = std::move(next);
  else roles_.erase(key.name);
  return due;
}

document role_aggregator::gather(const known_role& role, const std::string& name) const {
  document rules = document::array();
  for (const auto& [other, r] : roles_) {
    if (other == name || !selects(role.selectors, r.labels)) continue;
    for (const auto& rule : r.rules)
      if (std::find(rules.begin(), rules.end(), rule) == rules.end()) rules.push_back(rule);
  }
  return rules;
}

void role_aggregator::settle(const std::string& name) {
  document wanted;
  {
    std::lock_guard lock(mutex_);
    auto found = roles_.find(name);
    if (stopped_ || found == roles_.end() || !found->second.aggregates) return;
    wanted = gather(found->second, name);
    if (wanted == found->second.rules) return;
  }
  auto stored = data_.get({cluster_roles, "", name});
  if (!stored || !*stored) return;
  auto doc = decode_body(*(*stored)->body);
  if (!doc || !doc->contains("aggregationRule")) return;
  (*doc)["rules"] = std::move(wanted);
  batch b;
  b.preconditions.push_back(at_revision{(*stored)->key, (*stored)->rev});
  b.puts.push_back({(*stored)->key, encode_body(*doc), {}});
  // A conflict means that the role has changed: that change brings us back here.
  data_.submit(std::move(b), [](const result<commit>&) {});
}

}  // namespace wh
