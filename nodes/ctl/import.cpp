#include "nodes/ctl/import.hpp"

#include <algorithm>
#include <array>
#include <ostream>

#include "nodes/ctl/import_run.hpp"

namespace wh::ctl {
namespace {

struct action_words {
  import_action action;
  const char* will;
  const char* done;
};
constexpr std::array<action_words, 6> words = {{{import_action::create, "create", "created"},
                                                {import_action::same, "same", "same"},
                                                {import_action::differs, "differs", "differs"},
                                                {import_action::overwrite, "overwrite", "overwritten"},
                                                {import_action::leave_out, "leave out", "left out"},
                                                {import_action::fail, "cannot", "failed"}}};

std::string word_for(import_action action, bool apply) {
  for (const auto& w : words)
    if (w.action == action) return apply ? w.done : w.will;
  return "";
}

std::size_t count(const import_report& report, import_action action) {
  return static_cast<std::size_t>(
      std::count_if(report.rows.begin(), report.rows.end(), [&](const auto& row) { return row.action == action; }));
}

/// What there is to do now.
std::vector<std::string> next_steps(const import_report& report, const import_options& options) {
  std::vector<std::string> steps;
  if (report.rows.empty() && report.failures.empty()) steps.push_back("There is nothing to take over.");
  if (count(report, import_action::leave_out) > 0)
    steps.push_back(
        "Works that are left out must be made here by their owners, or taken with --with-owned: OCM's agents remove what a new "
        "hub does not prescribe an hour after they moved.");
  if (count(report, import_action::differs) > 0)
    steps.push_back("What differs is left as it is here; --overwrite makes it as it is at the source.");
  if (!options.apply && count(report, import_action::fail) > 0)
    steps.push_back("What cannot be taken is told again, and passed over, by --apply.");
  if (report.rows.empty()) return steps;
  if (!options.apply) {
    steps.push_back("This was a dry run: nothing was changed. Add --apply to do it.");
    return steps;
  }
  if (report.failed())
    steps.push_back("Run the same command again when the causes are removed: what is here already is kept.");
  steps.push_back(
      "The clusters still belong to the source. Move each with a new bootstrap kubeconfig for OCM's agents, or with a "
      "wheelhouse-spoke (whctl get token), and let it in: whctl accept NAME. docs/migrate.md goes through it.");
  return steps;
}

document summary_of(const import_report& report, bool apply) {
  document summary = document::object();
  for (const auto& row : report.rows) {
    auto& n = summary[row.kind][word_for(row.action, apply)];
    n = n.is_null() ? 1 : n.get<int>() + 1;
  }
  return summary;
}

void print_for_programs(console& c, const import_report& report, const import_options& options,
                        const std::string& source) {
  document items = document::array();
  for (const auto& row : report.rows) {
    document item = {{"kind", row.kind}, {"name", row.name}, {"action", word_for(row.action, options.apply)}};
    if (!row.ns.empty()) item["namespace"] = row.ns;
    if (!row.reason.empty()) item["reason"] = row.reason;
    items.push_back(std::move(item));
  }
  c.out << print_document({{"kind", "ImportReport"},
                           {"source", source},
                           {"dryRun", !options.apply},
                           {"items", std::move(items)},
                           {"summary", summary_of(report, options.apply)},
                           {"notes", report.notes},
                           {"failures", report.failures},
                           {"next", next_steps(report, options)}},
                          c.format);
}

/// `ManagedCluster: 3 created, 1 same`, kind by kind in the order of the run.
void print_summary(console& c, const import_report& report, bool apply) {
  const auto summary = summary_of(report, apply);
  std::vector<std::string> kinds;
  for (const auto& row : report.rows)
    if (std::find(kinds.begin(), kinds.end(), row.kind) == kinds.end()) kinds.push_back(row.kind);
  for (const auto& kind : kinds) {
    c.out << kind << ":";
    const char* between = " ";
    for (const auto& w : words) {
      const auto* n = find_path(summary, {kind, apply ? w.done : w.will});
      if (!n) continue;
      c.out << between << n->get<int>() << " " << (apply ? w.done : w.will);
      between = ", ";
    }
    c.out << "\n";
  }
}

}  // namespace

bool import_report::failed() const { return !failures.empty() || count(*this, import_action::fail) > 0; }

void print_import(console& c, const import_report& report, const import_options& options, const std::string& source) {
  for (const auto& failure : report.failures) c.err << "whctl: " << printable(failure) << "\n";
  if (c.format != output_format::table) return print_for_programs(c, report, options, source);
  text_table table({"KIND", "NAMESPACE", "NAME", options.apply ? "DONE" : "WOULD", "WHY"});
  for (const auto& row : report.rows)
    table.row({row.kind, row.ns.empty() ? "-" : row.ns, row.name, word_for(row.action, options.apply), row.reason});
  if (!table.empty()) c.out << table.render(c.colour) << "\n";
  print_summary(c, report, options.apply);
  for (const auto& note : report.notes) c.out << "Note: " << note << ".\n";
  for (const auto& step : next_steps(report, options)) c.out << step << "\n";
}

int import_hub(console& c, hub_client& source, const import_options& options) {
  const auto& from = source.access();
  const auto& to = c.hub.access();
  if (from.server == to.server && from.path_prefix == to.path_prefix)
    return report(c, fail(errc::invalid, "--from-kubeconfig leads to this hub itself, " + to.server.text() +
                                             "; the hub to import into is that of --kubeconfig"));
  import_report found;
  importer(c, source, options, found).run();
  print_import(c, found, options, from.server.text() + from.path_prefix);
  return found.failed() ? exit_failure : exit_ok;
}

}  // namespace wh::ctl
