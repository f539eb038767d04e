#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/time.hpp"
#include "sim/report/results.hpp"

namespace wh::sim_report {

// Numbers as people read them: three digits that matter, a unit that fits.

std::string show(double value, quantity q);
/// `-` if there is none.
std::string show(const std::optional<double>& value, quantity q);
std::string show(duration latency);
/// `12,345`
std::string show_count(std::uint64_t count);
/// As short as an axis needs it: whole minutes and hours, no word for cores.
std::string show_tick(double value, quantity q);
/// `scale` applied, in the field's unit.
std::string show(const headline_field& field, double value);
std::string show(const figure& f);

/// Round values for an axis from 0 to at least `highest`, about `wanted` of them. The last is the axis's end.
std::vector<double> round_ticks(double highest, quantity q, int wanted);
/// Powers of ten around both values, for a logarithmic axis; both must be positive.
std::vector<double> decade_ticks(double lowest, double highest);

}  // namespace wh::sim_report
