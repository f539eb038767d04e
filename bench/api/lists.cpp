// Lists of many ManagedClusters: in one answer and in pages, as objects and as a table, plain and compressed.
#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "bench/api/parts.hpp"

namespace wh::bench {
namespace {

constexpr const char* table_type = "application/json;as=Table;v=v1;g=meta.k8s.io";
constexpr std::size_t page_objects = 500;
constexpr auto answer_limit = std::chrono::minutes(2);

struct shape {
  std::string what;
  std::string accept;
  bool pages = false;
  bool gzip = false;
};

/// What one list took.
struct list_figures {
  double ms = 0;       ///< all pages
  double page_ms = 0;  ///< the slowest page
  double bytes = 0;    ///< of the bodies, as sent
  bool compressed = false;
};

/// One connection that reads lists.
class lister final : public line_user {
 public:
  lister(client_loop& loop, const endpoint& to) : loop_(loop), line_(loop, to, *this, 0) {}

  result<void> begin() {
    line_.dial();
    return wait([this] { return open_; });
  }

  /// Fetches one answer; its body stays in body().
  result<void> fetch(const std::string& target) {
    body_.clear();
    answered_ = false;
    line_.send("GET", target);
    if (auto ok = wait([this] { return answered_; }); !ok) return ok;
    if (line_.status() != 200) return fail(errc::unavailable, fmt::format("{}: {}", line_.status(), body_));
    return {};
  }

  const std::string& body() const { return body_; }
  bool compressed() const { return line_.head().find("content-encoding: gzip") != std::string::npos; }
  void on_open(line&) override { open_ = true; }
  void on_body(line&, std::string_view piece) override { body_ += piece; }
  void on_answer(line&) override { answered_ = true; }
  void on_end(line&, const error& why) override { broken_ = why; }

 private:
  result<void> wait(const std::function<bool()>& done) {
    if (!loop_.run([&] { return broken_ || done(); }, answer_limit)) return fail(errc::timeout, "no answer in time");
    return broken_ ? result<void>(*broken_) : result<void>();
  }

  client_loop& loop_;
  bool open_ = false, answered_ = false;
  std::optional<error> broken_;
  std::string body_;
  line line_;
};

endpoint with(endpoint to, const shape& s) {
  to.headers += "accept: " + s.accept + "\r\n";
  if (s.gzip) to.headers += "accept-encoding: gzip\r\n";
  return to;
}

/// The targets of all pages. Their tokens name a revision, and nothing is written meanwhile: they serve every run.
result<std::vector<std::string>> page_targets(client_loop& loop, const endpoint& hub) {
  const auto to = with(hub, {"", "application/json", true, false});
  lister reader(loop, to);
  if (auto ok = reader.begin(); !ok) return ok.err();
  const auto base = fmt::format("{}?limit={}", clusters_path, page_objects);
  std::vector<std::string> all = {base};
  while (true) {
    if (auto ok = reader.fetch(all.back()); !ok) return ok.err();
    constexpr std::string_view mark = "\"continue\":\"";
    const auto at = reader.body().find(mark);
    if (at == std::string::npos) return all;
    const auto begin = at + mark.size();
    all.push_back(base + "&continue=" + reader.body().substr(begin, reader.body().find('"', begin) - begin));
  }
}

result<list_figures> list_once(lister& reader, const std::vector<std::string>& targets, const shape& s) {
  list_figures f;
  for (const auto& target : targets) {
    const auto begin = clock::now();
    if (auto ok = reader.fetch(target); !ok) return ok.err();
    const double ms = ms_between(begin, clock::now());
    f.ms += ms;
    f.page_ms = std::max(f.page_ms, ms);
    f.bytes += static_cast<double>(reader.body().size());
    if (!s.gzip && reader.compressed()) return fail(errc::invalid, "compressed, which nobody asked for");
    f.compressed = reader.compressed();
  }
  return f;
}

bool wanted(const settings& s, const shape& each) {
  return std::any_of(s.shapes.begin(), s.shapes.end(), [&](const auto& name) { return each.what.starts_with(name); });
}

result<row> measure_shape(client_loop& loop, const endpoint& hub, const std::vector<std::string>& pages, const shape& s,
                          std::uint64_t repeats) {
  const auto to = with(hub, s);
  const auto targets = s.pages ? pages : std::vector<std::string>{clusters_path};
  lister reader(loop, to);
  if (auto ok = reader.begin(); !ok) return ok.err();
  std::vector<double> ms, page_ms;
  double bytes = 0;
  bool compressed = false;
  for (std::uint64_t i = 0; i < repeats; ++i) {
    const auto f = list_once(reader, targets, s);
    if (!f) return f.err();
    ms.push_back(f->ms);
    page_ms.push_back(f->page_ms);
    bytes = f->bytes;
    compressed = f->compressed;
  }
  const double whole = median(ms);
  return row{{"what", s.what},
             {"gzip", compressed ? "yes"
                      : s.gzip   ? "too small"
                                 : "no"},
             {"answers", targets.size()},
             {"ms", whole},
             {"slowest answer ms", median(page_ms)},
             {"MB", bytes / 1e6},
             {"MB/s", bytes / 1e3 / whole}};
}

}  // namespace

result<void> measure_lists(const settings& s, report& out) {
  out.say("lists: starting the hub");
  const auto hub = bench_hub::start(s.folder + "/lists-hub", s.hub_program);
  if (!hub) return hub.err();
  client_loop loop;
  out.say(fmt::format("lists: creating {} clusters", s.clusters));
  if (auto ok = create_clusters(loop, (*hub)->at(), s.clusters); !ok) return ok;
  const auto pages = page_targets(loop, (*hub)->at());
  if (!pages) return pages.err();
  std::vector<row> rows;
  for (const bool gzip : {false, true})
    for (const shape& each :
         {shape{"objects, one answer", "application/json", false, gzip},
          shape{"objects, pages of 500", "application/json", true, gzip},
          shape{"table, one answer", table_type, false, gzip}, shape{"table, pages of 500", table_type, true, gzip}}) {
      if (!wanted(s, each)) continue;
      auto found = measure_shape(loop, (*hub)->at(), *pages, each, s.repeats);
      if (!found) return fail(found.err().code, each.what + ": " + found.err().message);
      out.say(fmt::format("lists: {}{}: {:.1f} ms", each.what, gzip ? " with gzip" : "", (*found)["ms"].get<double>()));
      rows.push_back(std::move(*found));
    }
  out.add_table("lists", fmt::format("lists of {} ManagedClusters, medians of {}", s.clusters, s.repeats), rows);
  return {};
}

}  // namespace wh::bench
