#include "nodes/ctl/deny.hpp"
#include "nodes/ctl/revoke.hpp"
#include "nodes/ctl/settings.hpp"

namespace wh::ctl {
namespace {

void add_accept(command& whctl, settings& s, const ctl_streams& streams) {
  auto& accept = whctl.subcommand("accept", "Let clusters in: approve their certificate requests and accept them");
  accept.arguments("NAME...", s.accept.names, 1, arguments_max);
  accept.add(
      {.name = "wait", .value = "DURATION", .help = "Wait this long for the clusters to be joined and available"},
      s.accept.wait);
  accept.add({.name = "csr",
              .value = "NAME",
              .help = "Approve these certificate requests only; needed when several agents ask"},
             s.accept.csrs);
  accept.footer(
      "Approves what bootstrap tokens and ServiceAccounts asked for, if it is exactly the cluster's identity; what it leaves "
      "alone, it names. Accepting again changes nothing, so scripts may repeat it.");
  accept.action([&] { return with_hub(s, streams, [&](console& c) { return accept_clusters(c, s.accept); }); });
}

void add_deny(command& whctl, settings& s, const ctl_streams& streams) {
  auto& deny = whctl.subcommand("deny", "Keep clusters out: their sessions end, their certificates are not renewed");
  deny.arguments("NAME...", s.arguments, 1, arguments_max);
  deny.footer(
      "While works are left the cluster may still report and remove them, nothing else; delete them to clean it up. What the "
      "works put there stays until then. whctl accept lets the cluster in again.");
  deny.action([&] { return with_hub(s, streams, [&](console& c) { return deny_clusters(c, s.arguments); }); });
}

void add_detach(command& whctl, settings& s, const ctl_streams& streams) {
  auto& detach = whctl.subcommand("detach", "Remove clusters from the hub, with what their works put on them");
  detach.arguments("NAME...", s.detach.names, 1, arguments_max);
  detach.add(
      {.name = "wait", .value = "DURATION", .help = "How long to wait for the clusters to be gone; 0s: not at all"},
      s.detach.wait);
  detach.add(
      {.name = "force",
       .help = "For clusters that never answer: forget works and add-ons without waiting for the spoke. What they put "
               "on the cluster stays there"},
      s.detach.force);
  detach.add({.name = "yes", .help = "With --force: do not ask"}, s.detach.yes);
  detach.footer("Exits with 1 if a cluster is still there when the wait ends; its deletion goes on.");
  detach.action([&] { return with_hub(s, streams, [&](console& c) { return detach_clusters(c, s.detach); }); });
}

int run_revoke_token(settings& s, const ctl_streams& streams) {
  if (s.revoke.tokens.empty() != s.revoke.all_expired)
    return complain(streams, "revoke token: give either ids of tokens or --all-expired", exit_usage);
  return with_hub(s, streams, [&](console& c) { return revoke_tokens(c, s.revoke); });
}

void add_revoke(command& whctl, settings& s, const ctl_streams& streams) {
  auto& revoke = whctl.subcommand("revoke", "Take back bootstrap tokens and certificates");
  auto& token = revoke.subcommand("token", "Delete bootstrap tokens, so that nobody joins with them any more");
  token.arguments("ID|TOKEN...", s.revoke.tokens, 0, arguments_max);
  token.add({.name = "all-expired", .help = "All that have expired or are used up"}, s.revoke.all_expired);
  token.footer("Clusters that have joined with a token stay. whctl get tokens lists the ids.");
  token.action([&] { return run_revoke_token(s, streams); });
  auto& certificate =
      revoke.subcommand("certificate", "Take back the certificate of clusters whose key may be known to others");
  certificate.arguments("CLUSTER...", s.arguments, 1, arguments_max);
  certificate.footer(
      "The cluster's session ends. It keeps what it has, and must join again with a new token and a new key (whctl get token, "
      "whctl accept).");
  certificate.action(
      [&] { return with_hub(s, streams, [&](console& c) { return revoke_certificates(c, s.arguments); }); });
}

}  // namespace

void add_membership(command& whctl, settings& s, const ctl_streams& streams) {
  add_accept(whctl, s, streams);
  add_deny(whctl, s, streams);
  add_detach(whctl, s, streams);
  add_revoke(whctl, s, streams);
}

}  // namespace wh::ctl
