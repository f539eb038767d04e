#include "nodes/common/logging.hpp"

#include <spdlog/formatter.h>
#include <spdlog/sinks/basic_file_sink.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <nlohmann/json.hpp>

#include "base/time.hpp"

namespace wh {
namespace {

std::string timestamp(spdlog::log_clock::time_point t) {
  return to_rfc3339_micro(std::chrono::time_point_cast<duration>(t));
}

std::string level_name(spdlog::level::level_enum level) {
  const auto name = spdlog::level::to_string_view(level);
  return {name.data(), name.size()};
}

std::string_view view(spdlog::string_view_t text) { return {text.data(), text.size()}; }

/// Messages quote what peers sent; a line break or escape sequence in it must not forge a line of the log.
std::string printable(std::string_view text) {
  static constexpr char digits[] = "0123456789abcdef";
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte >= 0x20 && byte != 0x7f) out += c;
    else if (c == '\n') out += "\\n";
    else if (c == '\t') out += ' ';
    else out += {'\\', 'x', digits[byte >> 4], digits[byte & 15]};
  }
  return out;
}

void append(spdlog::memory_buf_t& dest, const std::string& text) {
  dest.append(text.data(), text.data() + text.size());
}

/// `2026-01-02T03:04:05.000000Z warning hub/link: message`
class text_formatter : public spdlog::formatter {
 public:
  void format(const spdlog::details::log_msg& msg, spdlog::memory_buf_t& dest) override {
    append(dest, timestamp(msg.time) + " " + level_name(msg.level) + " " + std::string(view(msg.logger_name)) + ": " +
                     printable(view(msg.payload)) + "\n");
  }
  std::unique_ptr<spdlog::formatter> clone() const override { return std::make_unique<text_formatter>(); }
};

/// One JSON object a line: ts, level, component, msg.
class json_formatter : public spdlog::formatter {
 public:
  void format(const spdlog::details::log_msg& msg, spdlog::memory_buf_t& dest) override {
    nlohmann::ordered_json line;
    line["ts"] = timestamp(msg.time);
    line["level"] = level_name(msg.level);
    line["component"] = view(msg.logger_name);
    line["msg"] = view(msg.payload);
    // Bytes of a peer that are no UTF-8 are replaced: the line stays valid JSON whatever was logged.
    append(dest, line.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n");
  }
  std::unique_ptr<spdlog::formatter> clone() const override { return std::make_unique<json_formatter>(); }
};

std::unique_ptr<spdlog::formatter> make_formatter(const std::string& format) {
  if (format == "json") return std::make_unique<json_formatter>();
  return std::make_unique<text_formatter>();
}

result<spdlog::level::level_enum> parse_level(const std::string& name) {
  if (name == "warn") return spdlog::level::warn;
  if (name == "error") return spdlog::level::err;
  const auto level = spdlog::level::from_str(name);
  if (level == spdlog::level::off && name != "off")
    return fail(errc::invalid, "log level \"" + name + "\" is none of trace, debug, info, warn, error, off");
  return level;
}

result<spdlog::sink_ptr> open_sink(const std::string& file) {
  if (file.empty()) return spdlog::sink_ptr(std::make_shared<spdlog::sinks::stderr_sink_mt>());
  try {
    return spdlog::sink_ptr(std::make_shared<spdlog::sinks::basic_file_sink_mt>(file));
  } catch (const spdlog::spdlog_ex& e) {
    return fail(errc::io, e.what());
  }
}

}  // namespace

void add_log_options(command& program, log_options& options) {
  program.add({.name = "log-level",
               .value = "LEVEL",
               .help = "How much to log",
               .group = "Logging",
               .choices = {"trace", "debug", "info", "warn", "error", "off"}},
              options.level);
  program.add({.name = "log-format",
               .value = "FORMAT",
               .help = "Lines for people, or JSON objects",
               .group = "Logging",
               .choices = {"text", "json"}},
              options.format);
}

result<void> setup_logging(const log_options& options, const std::string& component) {
  const auto level = parse_level(options.level);
  if (!level) return level.err();
  auto sink = open_sink(options.file);
  if (!sink) return sink.err();
  auto logger = std::make_shared<spdlog::logger>(component, std::move(*sink));
  logger->set_formatter(make_formatter(options.format));
  logger->set_level(*level);
  logger->flush_on(spdlog::level::warn);
  spdlog::set_default_logger(std::move(logger));
  return {};
}

std::shared_ptr<spdlog::logger> component_logger(const std::string& component) {
  if (auto known = spdlog::get(component)) return known;
  // clone() shares the sink, and with it the formatter.
  auto logger = spdlog::default_logger()->clone(component);
  try {
    spdlog::register_logger(logger);
  } catch (const spdlog::spdlog_ex&) {
    return spdlog::get(component);  // another thread was faster
  }
  return logger;
}

std::string format_log_line(const std::string& format, const std::string& component, const std::string& level,
                            const std::string& message) {
  const auto known = parse_level(level);
  const spdlog::details::log_msg msg(component, known ? *known : spdlog::level::info, message);
  spdlog::memory_buf_t buffer;
  make_formatter(format)->format(msg, buffer);
  return {buffer.data(), buffer.size()};
}

}  // namespace wh
