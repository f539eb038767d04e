#include "nodes/ctl/clusters.hpp"

#include <ostream>

namespace wh::ctl {
namespace {

std::string or_dash(std::string_view text) { return text.empty() ? "-" : std::string(text); }

std::string selector_query(const std::string& selector) {
  return selector.empty() ? std::string() : "labelSelector=" + percent_encode(selector);
}

std::string manifest_count(const document& work) {
  const auto* manifests = find_path(work, {"spec", "workload", "manifests"});
  return std::to_string(manifests && manifests->is_array() ? manifests->size() : 0);
}

/// Prints items in the asked format; `nothing` is said, to people only, when there are none.
int print_items(console& c, std::vector<document> items, const text_table& table, const std::string& nothing) {
  if (c.format != output_format::table) c.out << print_document(list_document(std::move(items)), c.format);
  else if (table.empty()) c.err << nothing << "\n";
  else c.out << table.render(c.colour);
  return exit_ok;
}

}  // namespace

text_table clusters_table(const std::vector<document>& clusters, bool show_labels, instant now) {
  std::vector<std::string> headers = {"NAME", "HUB ACCEPTED", "JOINED", "AVAILABLE", "VERSION", "AGE"};
  if (show_labels) headers.emplace_back("LABELS");
  text_table table(std::move(headers));
  for (const auto& cluster : clusters) {
    std::vector<std::string> cells = {std::string(name_of(cluster)),
                                      bool_at(cluster, {"spec", "hubAcceptsClient"}, false) ? "True" : "False",
                                      condition_cell(cluster, "ManagedClusterJoined"),
                                      condition_cell(cluster, "ManagedClusterConditionAvailable"),
                                      or_dash(string_at(cluster, {"status", "version", "kubernetes"})),
                                      age_of(cluster, now)};
    if (show_labels) cells.push_back(labels_text(cluster));
    table.row(std::move(cells));
  }
  return table;
}

text_table works_table(const std::vector<document>& works, instant now) {
  text_table table({"CLUSTER", "NAME", "APPLIED", "AVAILABLE", "MANIFESTS", "AGE"});
  for (const auto& work : works)
    table.row({std::string(namespace_of(work)), std::string(name_of(work)),
               is_deleting(work) ? "Deleting" : condition_cell(work, "Applied"), condition_cell(work, "Available"),
               manifest_count(work), age_of(work, now)});
  return table;
}

int get_clusters(console& c, const get_options& options) {
  auto clusters = c.hub.list(clusters_path(), selector_query(options.selector));
  if (!clusters) return report(c, clusters.err());
  const auto table = clusters_table(*clusters, options.show_labels, c.now());
  return print_items(c, std::move(*clusters), table,
                     options.selector.empty() ? "No clusters yet: whctl get token prints the command that joins one."
                                              : "No clusters match " + options.selector + ".");
}

int get_works(console& c, const get_options& options) {
  auto works = c.hub.list(works_path(options.cluster), selector_query(options.selector));
  if (!works) return report(c, works.err());
  const auto table = works_table(*works, c.now());
  return print_items(c, std::move(*works), table,
                     "No works found" + (options.cluster.empty() ? "." : " for cluster " + options.cluster + "."));
}

}  // namespace wh::ctl
