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

document labels_of(const document& role) {
  document out;
  const auto* labels = find_path(role, {"metadata", "labels"});
  out["metadata"]["labels"] = labels ? *labels : document::object();
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
  std::vector<std::string> due;
  {
    std::lock_guard lock(mutex_);
    due = read_all();
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
  static const document none;
  const auto& rule = member_or(*doc, "aggregationRule", none);
  auto known = gatherings_.find(key.name);
  const bool changes_selectors = known == gatherings_.end() ? !rule.is_null() : known->second.rule != rule;
  if (changes_selectors) return read_all();
  auto due = apply_part(key.name, *doc, body != nullptr, rev);
  if (known != gatherings_.end()) {
    known->second.rules = member_or(*doc, "rules", document::array());
    due.push_back(key.name);
  }
  return due;
}

std::vector<std::string> role_aggregator::apply_part(const std::string& name, const document& doc, bool exists,
                                                     revision rev) {
  const auto labels = labels_of(doc);
  auto had = parts_.find(name);
  const bool selected = exists && is_selected(labels);
  if (had == parts_.end() && !selected) return {};
  if (had != parts_.end() && had->second.rev > rev) return {};  // a list has told something newer already
  std::vector<std::string> due;
  for (const auto& [other, g] : gatherings_)
    if (other != name && ((had != parts_.end() && selects(g.selectors, had->second.labels)) ||
                          (selected && selects(g.selectors, labels))))
      due.push_back(other);
  if (selected) parts_[name] = {labels, member_or(doc, "rules", document::array()), rev};
  else parts_.erase(had);
  return due;
}

std::vector<std::string> role_aggregator::read_all() {
  auto page = data_.list({cluster_roles, "", ""});
  if (!page) return {};
  gatherings_.clear();
  parts_.clear();
  std::vector<std::string> due;
  for (const auto& r : page->records) {
    auto doc = decode_body(*r.body);
    if (!doc || !doc->contains("aggregationRule")) continue;
    gatherings_[r.key.name] = {selectors_of(*doc), (*doc)["aggregationRule"],
                               member_or(*doc, "rules", document::array())};
    due.push_back(r.key.name);
  }
  for (const auto& r : page->records)
    if (auto doc = decode_body(*r.body)) apply_part(r.key.name, *doc, true, r.rev);
  return due;
}

bool role_aggregator::is_selected(const document& labels) const {
  return std::any_of(gatherings_.begin(), gatherings_.end(),
                     [&](const auto& g) { return selects(g.second.selectors, labels); });
}

document role_aggregator::gather(const gathering& role, const std::string& name) const {
  document rules = document::array();
  for (const auto& [other, p] : parts_) {
    if (other == name || !selects(role.selectors, p.labels)) continue;
    for (const auto& rule : p.rules)
      if (std::find(rules.begin(), rules.end(), rule) == rules.end()) rules.push_back(rule);
  }
  return rules;
}

void role_aggregator::settle(const std::string& name) {
  document wanted;
  {
    std::lock_guard lock(mutex_);
    auto found = gatherings_.find(name);
    if (stopped_ || found == gatherings_.end()) return;
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
