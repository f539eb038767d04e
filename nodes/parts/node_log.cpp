#include "nodes/parts/node_log.hpp"

#include <spdlog/spdlog.h>

#include "nodes/common/logging.hpp"

namespace wh {
namespace {

spdlog::level::level_enum level_of(note_level level) {
  switch (level) {
    case note_level::debug: return spdlog::level::debug;
    case note_level::info: return spdlog::level::info;
    case note_level::warning: return spdlog::level::warn;
    case note_level::error: return spdlog::level::err;
  }
  return spdlog::level::info;
}

void log_line(const std::string& component, spdlog::level::level_enum level, const std::string& text) {
  component_logger(component)->log(level, "{}", text);
}

}  // namespace

void log_note(const address& who, const note& n) {
  log_line("actors", level_of(n.level), to_string(who) + ": " + n.text);
}
void log_info(const std::string& component, const std::string& text) { log_line(component, spdlog::level::info, text); }
void log_warning(const std::string& component, const std::string& text) {
  log_line(component, spdlog::level::warn, text);
}
void log_error(const std::string& component, const std::string& text) { log_line(component, spdlog::level::err, text); }

}  // namespace wh
