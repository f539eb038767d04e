#pragma once
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sim/scenario/internal/line_finder.hpp"
#include "sim/scenario/scenario.hpp"

namespace wh::internal {

/// A value of a scenario file, and how to tell people where it is.
struct place {
  const document* value = nullptr;
  std::string path = {};  ///< fleet.regions[1].share; empty for the whole file
  std::size_t line = 0;   ///< 0: not known
};

/// Collects what is wrong with a file, so that its author learns of everything at once.
class mistakes {
 public:
  mistakes(std::string_view file, line_map lines) : file_(file), lines_(std::move(lines)) {}

  void add(const place& at, std::string what);
  bool empty() const { return found_.empty(); }
  /// All of them, by line; only if there are any.
  error as_error() const;

  place root(const document& doc) const { return {.value = &doc}; }
  place member(const place& of, const std::string& key, const document& value) const;
  place entry(const place& of, std::size_t index) const;

 private:
  struct mistake {
    std::size_t line;
    std::string text;
  };
  std::size_t line_of(const document& value, const place& parent) const;

  std::string file_;
  line_map lines_;
  std::vector<mistake> found_;
};

/// `; did you mean fan_out?` for the known word nearest to what was typed, or nothing if none is near.
std::string suggestion(std::string_view typed, const std::vector<std::string_view>& known);

/// A value as a mistake quotes it, short and on one line.
std::string shown(const document& value);

// Each reads one value into `out`, or says what is wrong with it and leaves `out` alone.
bool is_mapping(mistakes& log, const place& at);
bool is_list(mistakes& log, const place& at, std::size_t min, std::size_t max);
void read_text(mistakes& log, const place& at, std::size_t max, std::string& out);
/// A DNS label, and the rule in words.
bool is_label_name(std::string_view text, std::size_t max);
std::string label_name_rule(std::size_t max);
/// A DNS label: what may be a cluster's name, a region or a file's name.
void read_label_name(mistakes& log, const place& at, std::size_t max, std::string& out);
template <class Int>
void read_whole(mistakes& log, const place& at, Int min, Int max, Int& out);
void read_number(mistakes& log, const place& at, double min, double max, double& out);
/// `0.05` or `5%`.
void read_share(mistakes& log, const place& at, double max, double& out);
void read_duration(mistakes& log, const place& at, duration min, duration max, duration& out);
/// One duration, or {min, max}.
void read_range(mistakes& log, const place& at, duration max, duration_range& out);
/// `16`, `500m`, `64Gi`: in thousandths, or in whole bytes.
void read_cpu(mistakes& log, const place& at, std::int64_t& milli);
void read_bytes(mistakes& log, const place& at, std::int64_t min, std::int64_t max, std::int64_t& bytes);

/// The members of a mapping. What nobody has asked for when finish() is called is not known, and a mistake.
class fields {
 public:
  /// Anything but a mapping is a mistake; it then reads like an empty one.
  fields(mistakes& log, const place& at);

  std::optional<place> find(std::string_view name);
  /// As find(); absence is a mistake.
  std::optional<place> require(std::string_view name);
  /// Calls reader(log, place of the member, args...) if there is such a member.
  template <class Reader, class... Args>
  void read(std::string_view name, Reader reader, Args&&... args) {
    if (const auto at = find(name)) reader(log_, *at, std::forward<Args>(args)...);
  }
  void finish();

  const place& where() const { return at_; }
  mistakes& log() { return log_; }

 private:
  mistakes& log_;
  place at_;
  bool is_mapping_;
  std::vector<std::string_view> known_;
};

/// The parts of a scenario.
void read_fleet(mistakes& log, const place& at, fleet_spec& out);
void read_phases(mistakes& log, const place& at, std::vector<phase_spec>& out);

}  // namespace wh::internal
