#include "nodes/ctl/settings.hpp"

namespace wh::ctl {
namespace {

int run_import(settings& s, const ctl_streams& streams) {
  if (s.takeover.from.empty()) return complain(streams, "import: --from-kubeconfig FILE is required", exit_usage);
  // The hub first: a plug-in of the source may ask a person, who should not answer in vain.
  return with_hub(s, streams, [&](console& c) {
    auto access = read_kubeconfig(s.takeover.from, {.context = s.takeover.context, .run_plugins = true});
    if (!access) return report(c, access.err());
    const auto http = make_http_client(access->server, access->tls);
    hub_client source(*http, std::move(*access), s.request_timeout);
    return import_hub(c, source, s.takeover);
  });
}

}  // namespace

void add_import(command& whctl, settings& s, const ctl_streams& streams) {
  auto& over = whctl.subcommand(
      "import",
      "Take over clusters, sets, bindings, placements and works of another OCM hub; a dry run without --apply");
  over.add({.name = "from-kubeconfig", .value = "FILE", .help = "How to reach the other hub's API"}, s.takeover.from);
  over.add({.name = "context", .value = "NAME", .help = "Which context of it; default: its current one"},
           s.takeover.context);
  over.add({.name = "apply", .help = "Create what is not here; without it, only say what would be done"},
           s.takeover.apply);
  over.add({.name = "overwrite", .help = "Also change what is here and differs"}, s.takeover.overwrite);
  over.add({.name = "with-owned", .help = "Also take works that a ManifestWorkReplicaSet or an add-on made"},
           s.takeover.with_owned);
  over.add({.name = "only", .value = "PARTS", .help = "Only these: a,b,c", .choices = importable_parts()},
           s.takeover.only);
  over.add({.name = "clusters", .value = "NAMES", .help = "Only these clusters and their works: a,b,c"},
           s.takeover.clusters);
  over.footer(
      "Nothing is written to the other hub. What is here already is kept, so the command may be repeated. Exits with 1 if "
      "something cannot be taken or read. The clusters themselves move afterwards: see docs/migrate.md.");
  over.action([&] { return run_import(s, streams); });
}  // namespace wh::ctl

}  // namespace wh::ctl
