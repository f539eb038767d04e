#include <fmt/format.h>

#include <algorithm>

#include "sim/scenario/internal/fields.hpp"

namespace wh::internal {
namespace {

using namespace scenario_limits;

void read_length(fields& f, duration& out) { f.read("for", read_duration, phase_length_min, phase_length_max, out); }
void read_downtime(fields& f, duration& out) { f.read("downtime", read_duration, duration::zero(), downtime_max, out); }
void read_works(fields& f, int& out) { f.read("works", read_whole<int>, 1, works_max, out); }
void read_payload(fields& f, std::int64_t& out) { f.read("bytes", read_bytes, std::int64_t{0}, work_bytes_max, out); }

void read(fields& f, join_phase& out) {
  f.read("rate", read_number, 0.0, join_rate_max, out.rate);
  f.read("at_once", read_whole<int>, 1, at_once_max, out.at_once);
}
void read(fields& f, steady_phase& out) {
  read_length(f, out.length);
  f.read("probes", read_number, 0.0, probes_max, out.probes);
}
void read(fields& f, fan_out_phase& out) {
  read_works(f, out.works);
  read_payload(f, out.bytes);
}
void read(fields& f, update_phase& out) { read_payload(f, out.bytes); }
void read(fields& f, burst_phase& out) {
  f.read("clusters", read_whole<int>, 1, clusters_max, out.clusters);
  read_works(f, out.works);
  read_payload(f, out.bytes);
}
void read(fields& f, churn_phase& out) {
  f.read("share", read_share, 1.0, out.share);
  read_length(f, out.length);
}
void read(fields& f, storm_phase& out) { read_downtime(f, out.downtime); }
void read(fields& f, restart_phase& out) {
  if (const auto at = f.find("signal")) {
    if (*at->value == "kill") {
      out.signal = stop_signal::kill;
    } else if (*at->value == "term") {
      out.signal = stop_signal::term;
    } else {
      f.log().add(*at, fmt::format("must be kill or term, not {}", shown(*at->value)));
    }
  }
  read_downtime(f, out.downtime);
}
void read(fields& f, pause_phase& out) { read_length(f, out.length); }
void read(fields& f, evict_phase& out) { f.read("share", read_share, 1.0, out.share); }

template <class Phase>
phase_spec read_as(fields& f) {
  Phase out;
  read(f, out);
  return {out};
}

/// In the order of phase_kind.
constexpr std::array<phase_spec (*)(fields&), phase_names.size()> readers = {
    read_as<join_phase>,  read_as<steady_phase>, read_as<fan_out_phase>, read_as<update_phase>, read_as<burst_phase>,
    read_as<churn_phase>, read_as<storm_phase>,  read_as<restart_phase>, read_as<pause_phase>,  read_as<evict_phase>};

std::optional<phase_spec> read_kind(mistakes& log, const place& at, const std::string& kind, const document& settings) {
  const auto it = std::find(phase_names.begin(), phase_names.end(), kind);
  if (it == phase_names.end()) {
    const auto hint = suggestion(kind, {phase_names.begin(), phase_names.end()});
    log.add(at, fmt::format("unknown phase {}{} (phases are {})", shown(kind), hint, fmt::join(phase_names, ", ")));
    return std::nullopt;
  }
  static const document defaults = document::object();
  auto here = log.member(at, kind, settings);
  if (settings.is_null()) here.value = &defaults;
  fields f(log, here);
  auto out = readers[static_cast<std::size_t>(it - phase_names.begin())](f);
  f.finish();
  return out;
}

/// `update`, `update:` or `update: {bytes: 2Ki}`.
std::optional<phase_spec> read_phase(mistakes& log, const place& at) {
  const auto& value = *at.value;
  static const document no_settings;
  if (const auto* kind = value.get_ptr<const std::string*>()) return read_kind(log, at, *kind, no_settings);
  if (!value.is_object() || value.empty()) {
    log.add(at, fmt::format("must be a phase and its settings, such as `steady: {{for: 30s}}`, not {}", shown(value)));
    return std::nullopt;
  }
  if (value.size() > 1) {
    log.add(at,
            fmt::format("holds {} entries where one phase belongs: indent a phase's settings below it, or give each "
                        "phase a dash of its own",
                        value.size()));
    return std::nullopt;
  }
  return read_kind(log, at, value.begin().key(), value.begin().value());
}

/// Goes through the phases in their order and says which of them cannot work there.
class order_check {
 public:
  explicit order_check(mistakes& log) : log_(log) {}

  /// A phase that could not be read may have been anything.
  void skip() { too_early_ = fanned_out_ = true; }

  void next(const place& at, const phase_spec& phase) {
    const auto kind = phase.kind();
    if (kind == phase_kind::join) {
      if (!joined_.empty()) log_.add(at, fmt::format("the fleet has joined already, at {}", joined_));
      if (joined_.empty()) joined_ = at.path;
      return;
    }
    if (joined_.empty() && !too_early_) {
      log_.add(at, fmt::format("there are no clusters before they join: move {} behind a join phase", to_string(kind)));
      too_early_ = true;
    }
    if (!emptied_.empty()) log_.add(at, fmt::format("no cluster is left after {}, which evicts all of them", emptied_));
    if (kind == phase_kind::update && !fanned_out_)
      log_.add(at, "there are no works to update: put a fan_out before it");
    if (kind == phase_kind::fan_out) fanned_out_ = true;
    if (const auto* evict = std::get_if<evict_phase>(&phase.what); evict && evict->share >= 1) emptied_ = at.path;
  }

 private:
  mistakes& log_;
  std::string joined_, emptied_;
  bool too_early_ = false, fanned_out_ = false;
};

}  // namespace

void read_phases(mistakes& log, const place& at, std::vector<phase_spec>& out) {
  if (!is_list(log, at, 1, phases_max)) return;
  order_check order(log);
  for (std::size_t i = 0; i < at.value->size(); ++i) {
    const auto here = log.entry(at, i);
    auto phase = read_phase(log, here);
    if (!phase) {
      order.skip();
      continue;
    }
    order.next(here, *phase);
    out.push_back(std::move(*phase));
  }
}

}  // namespace wh::internal
