#pragma once
#include <memory>
#include <string>

#include "base/result.hpp"
#include "nodes/common/options.hpp"

namespace spdlog {
class logger;
}

namespace wh {

/// What a node logs, and how.
struct log_options {
  std::string level = "info";   ///< trace, debug, info, warn, error, off
  std::string format = "text";  ///< text: for people; json: one object a line
  std::string file = {};        ///< where lines are added; empty: stderr. For programs that hold a node; no flag
};

/// Adds --log-level and --log-format.
void add_log_options(command& program, log_options& options);

/// Makes spdlog's default logger follow the options; its lines carry `component`. Called once, before any thread starts.
result<void> setup_logging(const log_options& options, const std::string& component);

/// A logger for one part of the node (`link`, `api`, `store`): same sink, level and format, its own component name.
/// Asking again for a name gives the same logger.
std::shared_ptr<spdlog::logger> component_logger(const std::string& component);

/// One line as the sink would write it, without colour: for tests.
std::string format_log_line(const std::string& format, const std::string& component, const std::string& level,
                            const std::string& message);

}  // namespace wh
