#pragma once
#include <cstdint>
#include <functional>
#include <iosfwd>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "base/time.hpp"
#include "transport/net.hpp"

/// Command line options that can equally be set by environment variables and a YAML file. One option has one name:
/// `data-dir` of wheelhouse-hub is `--data-dir DIR`, `WHEELHOUSE_HUB_DATA_DIR=DIR` and `data-dir: DIR` in `--config FILE`.
/// A flag beats the variable, the variable beats the file, the file beats the default.
namespace wh {

/// How one option is named and explained.
struct option_info {
  std::string name;               ///< long name without dashes
  std::string value = {};         ///< stands for the value in --help: `DIR`; empty for switches
  std::string help = {};          ///< one sentence; the default is added by --help
  std::string group = "Options";  ///< heading in --help
  char letter = 0;                ///< `n` also allows -n
  bool required = false;
  bool secret = false;                    ///< the value is never shown, not even in errors
  std::vector<std::string> choices = {};  ///< the only values allowed, if not empty
};

/// One option: its explanation, and what takes its value.
struct option_spec {
  option_info info;
  bool is_switch = false;
  bool is_list = false;
  std::string default_text = {};
  /// Takes all values given by the strongest source; the error says what is wrong with them, not where they came from.
  std::function<result<void>(const std::vector<std::string>&)> set = {};
};

/// A program, or one of its commands: options, arguments, and what it does.
class command {
 public:
  command(std::string name, std::string summary) : name_(std::move(name)), summary_(std::move(summary)) {}

  // The target's value when the option is added is the default; it must outlive the parsing.
  void add(option_info info, std::string& target);
  void add(option_info info, bool& target);
  void add(option_info info, std::uint64_t& target);
  void add(option_info info, duration& target);
  void add(option_info info, std::optional<duration>& target);
  void add(option_info info, host_port& target);
  void add(option_info info, std::optional<host_port>& target);
  /// Repeatable; each value may also be a comma-separated list.
  void add(option_info info, std::vector<std::string>& target);

  /// Arguments that are not flags, between `min` and `max` of them.
  void arguments(std::string placeholder, std::vector<std::string>& target, std::size_t min, std::size_t max);

  /// A command below this one, as `token` in `whctl get token`.
  command& subcommand(std::string name, std::string summary);

  /// Of the options of the commands above, this one takes these, --config and --version; without the call, all.
  void inherits(std::vector<std::string> names) { inherited_ = std::move(names); }
  /// An option of a command above that is required there can be left out here.
  void may_lack(std::string name) { optional_here_.push_back(std::move(name)); }
  bool requires_option(const option_spec& spec) const;
  /// Whether an option of a command above is one of this command's.
  bool takes(const option_spec& spec) const;

  /// What the command does; its return value is the exit code. A command without action needs a subcommand.
  void action(std::function<int()> run) { run_ = std::move(run); }
  /// Shown below the options in --help.
  void footer(std::string text) { footer_ = std::move(text); }

  const std::string& name() const { return name_; }
  const std::string& summary() const { return summary_; }
  const std::string& footer() const { return footer_; }
  const std::vector<option_spec>& options() const { return options_; }
  const std::vector<std::unique_ptr<command>>& subcommands() const { return subcommands_; }
  const std::function<int()>& run() const { return run_; }

  struct positional {
    std::string placeholder;
    std::vector<std::string>* target = nullptr;
    std::size_t min = 0;
    std::size_t max = 0;
  };
  const std::optional<positional>& positionals() const { return positionals_; }

 private:
  void add_one(option_info info, std::string default_text, std::function<result<void>(const std::string&)> set);

  std::string name_;
  std::string summary_;
  std::string footer_;
  std::vector<option_spec> options_;
  std::vector<std::unique_ptr<command>> subcommands_;
  std::optional<positional> positionals_;
  std::optional<std::vector<std::string>> inherited_;
  std::vector<std::string> optional_here_;
  std::function<int()> run_;
};

/// Where parsing reads and writes, besides argv.
struct parse_surroundings {
  std::function<std::optional<std::string>(const std::string&)> variable;  ///< environment variable by name
  std::ostream* out = nullptr;                                             ///< --help and --version
  std::ostream* err = nullptr;                                             ///< what is wrong with the input
};
/// The process's own environment, stdout and stderr.
parse_surroundings process_surroundings();

inline constexpr int exit_usage = 2;

/// Parses and applies options. nullopt: go on (a command's action is then run by run_command). A number: stop with that
/// exit code, as after --help (0) or a mistake (exit_usage; one line on stderr says which).
/// `--help`, `--version` and `--config FILE` are added by this function.
std::optional<int> parse_options(command& program, int argc, const char* const* argv,
                                 const parse_surroundings& around = process_surroundings());

/// parse_options() followed by the chosen command's action.
int run_command(command& program, int argc, const char* const* argv,
                const parse_surroundings& around = process_surroundings());

// --- the parts, for tests --------------------------------------------------------------------------------------------

/// `WHEELHOUSE_HUB_DATA_DIR` of program wheelhouse-hub and option data-dir.
std::string variable_name(std::string_view program, std::string_view option);

/// One key of a configuration file.
struct file_setting {
  std::vector<std::string> values;
  std::string where;  ///< `hub.yaml:3`
};
/// Reads `key: value` and `key: [a, b]`. Errors name file and line: nested or null values, a key twice, a key that is not
/// in `known`.
result<std::map<std::string, file_setting>> read_option_file(const std::string& path,
                                                             const std::vector<std::string>& known);

/// The text of --help for the last command of a path such as {whctl, get, token}.
std::string help_text(const std::vector<const command*>& path);

}  // namespace wh
