#include "nodes/ctl/settings.hpp"

namespace wh::ctl {
namespace {

int run_delete_work(settings& s, const ctl_streams& streams) {
  s.removal.name = s.arguments.front();
  if (s.removal.clusters.empty() != s.removal.all_clusters)
    return complain(streams, "delete work: give either --clusters NAMES or --all-clusters", exit_usage);
  return with_hub(s, streams, [&](console& c) { return delete_work(c, s.removal); });
}

}  // namespace

void add_delete(command& whctl, settings& s, const ctl_streams& streams) {
  auto& remove = whctl.subcommand("delete", "Delete works");
  auto& work = remove.subcommand("work", "Delete a work; its objects go as its delete policy says");
  work.arguments("NAME", s.arguments, 1, 1);
  work.add({.name = "clusters", .value = "NAMES", .help = "The clusters to delete it from: a,b,c"}, s.removal.clusters);
  work.add({.name = "all-clusters", .help = "Delete it wherever it is"}, s.removal.all_clusters);
  work.add({.name = "wait", .help = "Return when the clusters have removed the objects"}, s.removal.wait);
  work.add({.name = "timeout", .value = "DURATION", .help = "How long --wait waits"}, s.removal.timeout);
  work.action([&] { return run_delete_work(s, streams); });
}

}  // namespace wh::ctl
