#include "nodes/common/logging.hpp"

#include <spdlog/spdlog.h>

#include <catch2/catch.hpp>

#include "base/time.hpp"
#include "resources/document.hpp"

using namespace wh;

TEST_CASE("a JSON log line is one valid object with time, level, component and message", "[logging]") {
  const auto line = format_log_line("json", "hub/link", "warn", "peer said \"hi\"\nand left");
  REQUIRE(line.ends_with('\n'));
  CHECK(line.find('\n') == line.size() - 1);
  const auto parsed = parse_json(line);
  REQUIRE(parsed);
  CHECK(parsed->at("level") == "warning");
  CHECK(parsed->at("component") == "hub/link");
  CHECK(parsed->at("msg") == "peer said \"hi\"\nand left");
  CHECK(parse_rfc3339(parsed->at("ts").get<std::string>()).ok());
}

TEST_CASE("a JSON log line stays valid when a message carries bytes that are no text", "[logging]") {
  const auto parsed = parse_json(format_log_line("json", "hub", "info", "name \xff\xfe\x01"));
  REQUIRE(parsed);
  CHECK(parsed->at("msg").get<std::string>().starts_with("name "));
}

TEST_CASE("a text log line cannot be forged by what it quotes", "[logging]") {
  const auto line = format_log_line("text", "spoke", "error", "bad\n2026-01-01 info hub: all is well\x1b[2J");
  CHECK(line.find('\n') == line.size() - 1);
  CHECK(line.find('\x1b') == std::string::npos);
  CHECK(line.find(" error spoke: bad\\n2026") != std::string::npos);
}

TEST_CASE("an unknown log level is refused", "[logging]") {
  const auto done = setup_logging({.level = "loud"}, "hub");
  REQUIRE_FALSE(done);
  CHECK(done.err().message.find("loud") != std::string::npos);
}

TEST_CASE("component loggers share the level and are made once", "[logging]") {
  REQUIRE(setup_logging({.level = "error", .format = "json"}, "node"));
  const auto link = component_logger("link-under-test");
  CHECK(link == component_logger("link-under-test"));
  CHECK(link->level() == spdlog::level::err);
  CHECK(link->name() == "link-under-test");
}
