#include <filesystem>

#include "nodes/common/files.hpp"
#include "sim/report/json_cursor.hpp"
#include "sim/report/results_file.hpp"

namespace wh::sim_report {
namespace {

constexpr std::size_t list_max = 100'000;  ///< settings, figures or problems of one list
constexpr std::size_t names_max = 1'000;   ///< columns of samples

std::vector<std::string> read_texts(const json_cursor& at, std::string_view name) {
  std::vector<std::string> texts;
  if (const auto list = at.find(name))
    for (const auto& item : list->items(list_max)) texts.push_back(item.text());
  return texts;
}

/// One of two words.
template <class Enum>
Enum read_word(const json_cursor& at, std::string_view first, Enum first_value, std::string_view second,
               Enum second_value) {
  const auto word = at.text();
  if (word != first && word != second)
    at.complain("must be " + std::string(first) + " or " + std::string(second) + ", not \"" + word + "\"");
  return word == first ? first_value : second_value;
}

machine_info read_machine(const json_cursor& at) {
  return {.cpu_model = at.text_or_empty("cpu_model"),
          .cores = at.member("cores").count(),
          .memory_bytes = at.member("memory_bytes").count(),
          .kernel = at.text_or_empty("kernel"),
          .fd_limit = at.member("fd_limit").count()};
}

instant read_instant(const json_cursor& at) {
  const auto time = parse_rfc3339(at.text());
  if (!time) at.complain(time.err().message);
  return time ? *time : instant();
}

double read_seconds(const json_cursor& at) {
  const auto seconds = at.number();
  if (!(seconds >= 0)) at.complain("must not be negative");
  return seconds;
}

run_info read_info(const json_cursor& at) {
  run_info info;
  info.started_at = read_instant(at.member("started_at"));
  info.duration_s = read_seconds(at.member("duration_s"));
  info.scenario = at.member("scenario").text();
  info.seed = at.member("seed").count();
  info.clusters = at.member("clusters").count();
  info.transport = read_word(at.member("transport"), "tcp", link_transport::tcp, "memory", link_transport::memory);
  info.hub = read_word(at.member("hub"), "started", hub_origin::started, "attached", hub_origin::attached);
  info.software_version = at.text_or_empty("software_version");
  info.git_commit = at.text_or_empty("git_commit");
  info.fsync_mode = at.text_or_empty("fsync_mode");
  if (const auto configuration = at.find("configuration"))
    for (const auto& item : configuration->items(list_max))
      info.configuration.push_back({item.member("name").text(), item.member("value").text()});
  if (const auto machine = at.find("machine")) info.machine = read_machine(*machine);
  return info;
}

headline read_headline(const json_cursor& at) {
  headline head;
  for (const auto& field : headline_fields())
    if (const auto value = at.find(field.name)) head.*field.member = value->number();
  return head;
}

goals read_goals(const json_cursor& at) {
  goals wanted;
  for (const auto& [name, item] : at.members()) {
    const auto least = item.find("at_least");
    const auto most = item.find("at_most");
    if (least.has_value() == most.has_value()) item.complain("must have one of at_least and at_most");
    if (least) wanted[name] = {least->number(), direction::at_least};
    if (most) wanted[name] = {most->number(), direction::at_most};
  }
  return wanted;
}

duration read_microseconds(const json_cursor& at) {
  const auto us = at.count();
  if (us > static_cast<std::uint64_t>(latency_histogram::latency_max.count()))
    at.complain("is longer than any latency");
  return duration(at.fine() ? static_cast<std::int64_t>(us) : 0);
}

latency_histogram read_latencies(const json_cursor& at) {
  std::vector<latency_histogram::bucket> buckets;
  for (const auto& item : at.member("buckets").items(list_max)) {
    const auto pair = item.items(2);
    if (pair.size() != 2) item.complain("must be a bucket's number and its count");
    if (pair.size() == 2) buckets.push_back({pair[0].count(), pair[1].count()});
  }
  const auto min = read_microseconds(at.member("min_us"));
  const auto max = read_microseconds(at.member("max_us"));
  const auto sum = at.member("sum_us").number();
  const auto count = at.member("count").count();
  if (!at.fine()) return {};
  auto made = latency_histogram::restore(buckets, min, max, sum);
  if (!made) {
    at.complain_inside(made.err().message);
    return {};
  }
  if (made->count() != count) at.member("count").complain("is not the sum of the buckets");
  return *std::move(made);
}

phase_result read_phase(const json_cursor& at) {
  phase_result phase;
  phase.name = at.member("name").text();
  phase.about = at.text_or_empty("about");
  phase.unit = at.text_or_empty("unit");
  phase.begins_s = read_seconds(at.member("begins_s"));
  phase.ends_s = read_seconds(at.member("ends_s"));
  if (phase.ends_s < phase.begins_s) at.member("ends_s").complain("is before begins_s");
  phase.wanted = at.member("wanted").count();
  phase.done = at.member("done").count();
  phase.failed = at.member("failed").count();
  if (const auto client = at.find("client")) phase.client = read_latencies(*client);
  if (const auto hub = at.find("hub")) phase.hub = read_latencies(*hub);
  if (const auto figures = at.find("figures"))
    for (const auto& item : figures->items(list_max)) {
      const auto value = item.find("value");
      phase.figures.push_back({item.member("name").text(), value ? std::optional(value->number()) : std::nullopt,
                               item.text_or_empty("unit")});
    }
  phase.problems = read_texts(at, "problems");
  phase.skipped = at.text_or_empty("skipped");
  return phase;
}

/// What each number of a row is; null: a column that this version does not know.
std::vector<sample::value sample::*> read_columns(const json_cursor& at) {
  std::vector<sample::value sample::*> members;
  const auto names = at.items(names_max);
  if (names.empty() || names.front().text() != "at_s") at.complain("must begin with at_s");
  for (std::size_t i = 1; i < names.size(); ++i) {
    const auto name = names[i].text();
    members.push_back(nullptr);
    for (const auto& column : sample_columns())
      if (name == column.name) members.back() = column.member;
  }
  return members;
}

std::vector<sample> read_samples(const json_cursor& at) {
  std::vector<sample> samples;
  const auto members = read_columns(at.member("columns"));
  for (const auto& item : at.member("rows").items(samples_max)) {
    const auto cells = item.items(names_max + 1);
    if (cells.size() != members.size() + 1) item.complain("must have as many items as there are columns");
    if (!item.fine()) return {};
    sample s{.at_s = read_seconds(cells[0])};
    if (!samples.empty() && s.at_s < samples.back().at_s) cells[0].complain("is before the row above");
    for (std::size_t i = 0; i < members.size(); ++i)
      if (members[i]) s.*members[i] = cells[i + 1].number_or_null();
    samples.push_back(s);
  }
  return samples;
}

}  // namespace

result<run_results> from_document(const document& doc) {
  std::optional<error> trouble;
  const json_cursor root(doc, trouble);
  const auto schema = root.member("schema");
  if (const auto name = schema.text(); name != results_schema)
    schema.complain("this version reads " + std::string(results_schema) + ", not \"" + name + "\"");
  if (trouble) return *trouble;
  run_results run;
  run.info = read_info(root.member("run"));
  run.head = read_headline(root.member("headline"));
  if (const auto wanted = root.find("goals")) run.goals = read_goals(*wanted);
  for (const auto& item : root.member("phases").items(phases_max)) run.phases.push_back(read_phase(item));
  if (const auto samples = root.find("samples")) run.samples = read_samples(*samples);
  run.problems = read_texts(root, "problems");
  if (trouble) return *trouble;
  return run;
}

result<run_results> parse_results(std::string_view text) {
  const auto doc = parse_json(text, {.depth_max = 16, .bytes_max = results_bytes_max});
  if (!doc) return doc.err();
  return from_document(*doc);
}

result<run_results> read_results(const std::string& path) {
  std::error_code ignored;
  const bool folder = std::filesystem::is_directory(path, ignored);
  const auto file = folder ? (std::filesystem::path(path) / results_file_name).string() : path;
  const auto text = read_file(file, results_bytes_max);
  if (!text) return text.err();
  auto run = parse_results(*text);
  if (!run) return fail(run.err().code, file + ": " + run.err().message);
  return run;
}

}  // namespace wh::sim_report
