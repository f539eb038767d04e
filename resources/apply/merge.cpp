#include <map>

#include "resources/apply/place.hpp"

namespace wh::apply {

namespace {

using shape = place::shape;

result<document> merge_values(const document& live, const document& config, const place& at);

result<document> merge_members(const document& live, const document& config, const place& at) {
  document out = live;
  for (const auto& [name, value] : config.items()) {
    const auto had = live.find(name);
    if (had == live.end()) {
      out[name] = value;
      continue;
    }
    auto merged = merge_values(*had, value, at.member(name));
    if (!merged) return merged;
    out[name] = std::move(*merged);
  }
  return out;
}

/// The items of a list under the elements that name them.
struct named_items {
  std::vector<std::optional<path_element>> elements;  ///< per item; none for one that cannot be named
  std::map<path_element, const document*> items;      ///< null where several share a name
};

named_items live_items(const document& list, const place& at) {
  named_items out;
  for (const auto& item : list) {
    auto e = at.element_of(item);
    if (!e) {
      out.elements.emplace_back();
      continue;
    }
    if (const auto [it, is_new] = out.items.try_emplace(*e, &item); !is_new) it->second = nullptr;
    out.elements.emplace_back(std::move(*e));
  }
  return out;
}

result<named_items> config_items(const document& list, const place& at) {
  named_items out;
  for (const auto& item : list) {
    auto e = at.element_of(item);
    if (!e) return e.err();
    if (!out.items.try_emplace(*e, &item).second) return fail(errc::invalid, "duplicate entries for key " + e->text());
    out.elements.emplace_back(std::move(*e));
  }
  return out;
}

/// Lays one list over another. Both are walked at once: items that only the object has keep their place between the
/// others, items that both have come in the configuration's order.
class list_merger {
 public:
  list_merger(const document& live_list, const place& item_place, named_items live, named_items config)
      : list_(live_list), at_(item_place), live_(std::move(live)), config_(std::move(config)) {
    for (const auto& e : config_.elements)
      if (live_.items.contains(*e)) shared_.push_back(&*e);
  }

  result<document> run() {
    while (l_ < live_.elements.size() || c_ < config_.elements.size())
      if (auto ok = step(); !ok) return ok.err();
    return std::move(out_);
  }

 private:
  bool live_left() const { return l_ < live_.elements.size(); }
  bool config_left() const { return c_ < config_.elements.size(); }

  result<void> step() {
    if (live_left()) {
      const auto& e = live_.elements[l_];
      if (!e || !config_.items.contains(*e)) {
        out_.push_back(list_[l_++]);
        return {};
      }
      if (config_left() && *e == *config_.elements[c_]) {
        ++l_;
        return take_config();
      }
      // Its turn comes when the configuration gets to it, or has come already.
      const bool more_shared = next_ < shared_.size();
      if (!more_shared || !(*shared_[next_] == *e)) {
        ++l_;
        if (more_shared || !config_left()) return {};
      }
    }
    return config_left() ? take_config() : result<void>();
  }

  result<void> take_config() {
    const auto& e = *config_.elements[c_++];
    const auto had = live_.items.find(e);
    if (had != live_.items.end()) ++next_;
    const auto& wanted = *config_.items.at(e);
    if (had == live_.items.end() || !had->second) {
      out_.push_back(wanted);
      return {};
    }
    auto merged = merge_values(*had->second, wanted, at_);
    if (!merged) return merged.err();
    out_.push_back(std::move(*merged));
    return {};
  }

  const document& list_;
  place at_;
  named_items live_, config_;
  std::vector<const path_element*> shared_;  ///< what both have, in the configuration's order
  std::size_t l_ = 0, c_ = 0, next_ = 0;
  document out_ = document::array();
};

result<document> merge_lists(const document& live, const document& config, const place& at) {
  auto wanted = config_items(config, at);
  if (!wanted) return wanted.err();
  return list_merger(live, at.item(), live_items(live, at), std::move(*wanted)).run();
}

result<document> merge_values(const document& live, const document& config, const place& at) {
  const auto was = at.shape_of(live), is = at.shape_of(config);
  // Null claims a map or list without saying anything about what is in it.
  if (config.is_null() && was != shape::leaf && !live.empty()) return live;
  if (was != is || is == shape::leaf) return config;
  return is == shape::map ? merge_members(live, config, at) : merge_lists(live, config, at);
}

}  // namespace

result<document> merge(const document& live, const document& config, const place& at) {
  if (!live.is_object()) return config;
  return merge_members(live, config, at);
}

}  // namespace wh::apply
