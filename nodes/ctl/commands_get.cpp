#include "nodes/ctl/settings.hpp"

namespace wh::ctl {

void add_get(command& whctl, settings& s, const ctl_streams& streams) {
  auto& get = whctl.subcommand("get", "Show clusters, works and tokens, or make a join token");
  auto& token = get.subcommand("token", "Make a bootstrap token and print the command that joins a cluster with it");
  token.add({.name = "ttl", .value = "DURATION", .help = "How long the token is valid"}, s.token.ttl);
  token.add({.name = "uses", .value = "N", .help = "How many clusters may join with it; 0: any number"}, s.token_uses);
  token.add({.name = "cluster-name", .value = "NAME", .help = "Fills the cluster's name into the printed command"},
            s.token.cluster_name);
  token.action([&] {
    if (s.token_uses > 0) s.token.uses = s.token_uses;
    if (s.token.ttl <= duration::zero()) return complain(streams, "--ttl: must be more than 0s", exit_usage);
    return with_hub(s, streams, [&](console& c) { return get_token(c, s.token); });
  });
  auto& tokens = get.subcommand("tokens", "List the bootstrap tokens, without their secrets");
  tokens.footer("whctl revoke token ID takes one back.");
  tokens.action([&] { return with_hub(s, streams, [](console& c) { return get_tokens(c); }); });
  const option_info selector{
      .name = "selector", .value = "SELECTOR", .help = "Only those with these labels: a=b,c in (d,e)", .letter = 'l'};
  auto& clusters = get.subcommand("clusters", "List the managed clusters");
  clusters.add(selector, s.get.selector);
  clusters.add({.name = "show-labels", .help = "Add a column with the labels"}, s.get.show_labels);
  clusters.action([&] { return with_hub(s, streams, [&](console& c) { return get_clusters(c, s.get); }); });
  auto& works = get.subcommand("works", "List the works of all clusters, or of one");
  works.add({.name = "namespace", .value = "CLUSTER", .help = "Only this cluster's", .letter = 'n'}, s.get.cluster);
  works.add(selector, s.get.selector);
  works.action([&] { return with_hub(s, streams, [&](console& c) { return get_works(c, s.get); }); });
}

}  // namespace wh::ctl
