#include "nodes/ctl/commands.hpp"

#include <unistd.h>

#include <cstdlib>
#include <iostream>
#include <thread>

#include "nodes/common/version.hpp"
#include "nodes/ctl/accept.hpp"
#include "nodes/ctl/backup.hpp"
#include "nodes/ctl/clusters.hpp"
#include "nodes/ctl/join_token.hpp"
#include "nodes/ctl/user.hpp"
#include "nodes/ctl/work.hpp"

namespace wh::ctl {
namespace {

constexpr std::size_t arguments_max = 10000;

/// Everything that flags can set, with its defaults.
struct settings {
  std::string kubeconfig;
  std::string format = "table";
  duration request_timeout = std::chrono::seconds(30);
  token_options token;
  std::uint64_t token_uses = 0;
  accept_options accept;
  get_options get;
  work_options work;
  delete_work_options removal;
  backup_options backup;
  create_user_options user;
  bool client_only = false;
  std::vector<std::string> arguments;
};

output_format format_of(const std::string& name) {
  if (name == "json") return output_format::json;
  return name == "yaml" ? output_format::yaml : output_format::table;
}

int complain(const ctl_streams& streams, const std::string& what, int exit_code) {
  *streams.around.err << "whctl: " << what << "\n";
  return exit_code;
}

/// Finds the hub and hands a console to the command.
int with_hub(const settings& s, const ctl_streams& streams, const std::function<int(console&)>& run) {
  const auto path = find_kubeconfig(s.kubeconfig, streams.around.variable);
  if (!path) return complain(streams, path.err().message, exit_failure);
  auto access = read_kubeconfig(*path);
  if (!access) return complain(streams, access.err().message, exit_failure);
  const auto http = make_http_client(access->server, access->tls);
  hub_client hub(*http, std::move(*access), s.request_timeout);
  console c{.hub = hub,
            .out = *streams.around.out,
            .err = *streams.around.err,
            .format = format_of(s.format),
            .colour = streams.colour,
            .progress = streams.progress,
            .now = [] { return std::chrono::time_point_cast<duration>(std::chrono::system_clock::now()); },
            .sleep = [](duration d) { std::this_thread::sleep_for(d); }};
  return run(c);
}

int print_version(const settings& s, const ctl_streams& streams) {
  auto& out = *streams.around.out;
  document versions = {{"client", std::string(software_version())}};
  const bool people = format_of(s.format) == output_format::table;
  if (people) out << "Client: " << software_version() << std::endl;
  int code = exit_ok;
  if (!s.client_only) {
    code = with_hub(s, streams, [&](console& c) {
      const auto server = c.hub.get("/version");
      if (!server) return report(c, server.err());
      versions["server"] = *server;
      if (people)
        out << "Server: " << string_at(*server, {"gitVersion"}) << " (" << c.hub.access().server.text() << ")\n";
      return exit_ok;
    });
  }
  if (!people) out << print_document(versions, format_of(s.format));
  return code;
}

void add_get(command& whctl, settings& s, const ctl_streams& streams) {
  auto& get = whctl.subcommand("get", "Show clusters and works, or make a join token");
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

void add_accept(command& whctl, settings& s, const ctl_streams& streams) {
  auto& accept = whctl.subcommand("accept", "Let clusters in: approve their certificate requests and accept them");
  accept.arguments("NAME...", s.accept.names, 1, arguments_max);
  accept.add(
      {.name = "wait", .value = "DURATION", .help = "Wait this long for the clusters to be joined and available"},
      s.accept.wait);
  accept.add({.name = "csr", .value = "NAME", .help = "Approve this certificate request only; needed when several ask"},
             s.accept.csrs);
  accept.footer("Accepting again changes nothing, so scripts may repeat it.");
  accept.action([&] { return with_hub(s, streams, [&](console& c) { return accept_clusters(c, s.accept); }); });
}

int run_create_work(settings& s, const ctl_streams& streams) {
  s.work.name = s.arguments.front();
  // `-f a.yaml b.yaml`, as a shell expands `-f *.yaml`, leaves the second file among the arguments.
  s.work.files.insert(s.work.files.end(), s.arguments.begin() + 1, s.arguments.end());
  if (s.work.files.empty()) return complain(streams, "create work: -f FILE is required", exit_usage);
  if (s.work.clusters.empty()) return complain(streams, "create work: --clusters NAMES is required", exit_usage);
  return with_hub(s, streams, [&](console& c) { return create_work(c, s.work, *streams.in); });
}

void add_create_user(command& create, settings& s, const ctl_streams& streams) {
  auto& user = create.subcommand("user", "Make a kubeconfig for a person: key, certificate request, approval");
  user.arguments("NAME", s.arguments, 1, 1);
  user.add({.name = "group", .value = "GROUP", .help = "A group of the user's; may be given several times"},
           s.user.groups);
  user.add({.name = "duration", .value = "DURATION", .help = "Life of the certificate; default: the hub's longest"},
           s.user.life);
  user.add({.name = "file", .value = "FILE", .help = "Where the kubeconfig goes; default: standard output"},
           s.user.file);
  user.add({.name = "force", .help = "Replace the file if it exists"}, s.user.force);
  user.add({.name = "timeout", .value = "DURATION", .help = "How long to wait for the certificate"}, s.user.timeout);
  user.footer(
      "The user may do what roles grant to the name and the groups: kubectl create clusterrolebinding NAME --clusterrole=view "
      "--user=NAME");
  user.action([&] {
    s.user.name = s.arguments.front();
    return with_hub(s, streams, [&](console& c) { return create_user(c, s.user); });
  });
}

void add_create(command& whctl, settings& s, const ctl_streams& streams) {
  auto& create = whctl.subcommand("create", "Create works and users");
  add_create_user(create, s, streams);
  auto& work = create.subcommand("work", "Send the objects of YAML files to clusters, as one ManifestWork in each");
  work.arguments("NAME [FILE...]", s.arguments, 1, arguments_max);
  work.add({.name = "filename",
            .value = "FILE",
            .help = "Objects to send: a file, a folder, or - for standard input",
            .letter = 'f'},
           s.work.files);
  work.add({.name = "clusters", .value = "NAMES", .help = "The clusters to send to: a,b,c"}, s.work.clusters);
  work.add({.name = "update", .help = "Change the work where it exists already"}, s.work.update);
  work.add({.name = "overwrite", .help = "The same as --update"}, s.work.update);
  work.add({.name = "update-strategy",
            .value = "TYPE",
            .help = "How objects that exist on a cluster are treated",
            .choices = {"Update", "CreateOnly", "ServerSideApply", "ReadOnly"}},
           s.work.update_strategy);
  work.add({.name = "delete-policy",
            .value = "POLICY",
            .help = "What becomes of the objects when the work is deleted",
            .choices = {"Foreground", "Orphan"}},
           s.work.delete_policy);
  work.add({.name = "wait", .value = "DURATION", .help = "Wait this long for the work to be applied and available"},
           s.work.wait);
  work.action([&] { return run_create_work(s, streams); });
}

int run_delete_work(settings& s, const ctl_streams& streams) {
  s.removal.name = s.arguments.front();
  if (s.removal.clusters.empty() != s.removal.all_clusters)
    return complain(streams, "delete work: give either --clusters NAMES or --all-clusters", exit_usage);
  return with_hub(s, streams, [&](console& c) { return delete_work(c, s.removal); });
}

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

void add_backup(command& whctl, settings& s, const ctl_streams& streams) {
  auto& backup = whctl.subcommand("backup", "Fetch a backup of the running hub into a new file");
  backup.arguments("FILE", s.arguments, 1, 1);
  backup.add({.name = "force", .help = "Replace the file if it exists"}, s.backup.force);
  backup.add({.name = "timeout",
              .value = "DURATION",
              .help = "How long the hub may be silent; it copies its store before it sends"},
             s.backup.timeout);
  backup.footer("wheelhouse-hub verify --backup FILE checks one, wheelhouse-hub restore FILE makes a hub from it.");
  backup.action([&] {
    s.backup.file = s.arguments.front();
    return with_hub(s, streams, [&](console& c) { return make_backup(c, s.backup); });
  });
}

void add_version(command& whctl, settings& s, const ctl_streams& streams) {
  auto& version = whctl.subcommand("version", "Print the versions of this program and of the hub");
  version.add({.name = "client", .help = "This program's only; asks no hub"}, s.client_only);
  version.action([&] { return print_version(s, streams); });
}

}  // namespace

int report(const console& c, const error& e) {
  c.err << "whctl: " << e.message << "\n";
  return exit_failure;
}

int report(const console& c, const std::vector<outcome>& outcomes) {
  std::vector<document> fields;
  int code = exit_ok;
  for (const auto& o : outcomes) {
    fields.push_back(o.fields);
    if (!o.ok) code = exit_failure;
    if (!o.ok) c.err << "whctl: " << o.text << "\n";
    else if (c.format == output_format::table) c.out << o.text << "\n";
  }
  if (c.format != output_format::table) c.out << print_document(list_document(std::move(fields)), c.format);
  return code;
}

ctl_streams process_streams() {
  const char* no_colour = std::getenv("NO_COLOR");
  const char* term = std::getenv("TERM");
  const bool dumb = term && std::string_view(term) == "dumb";
  const bool wanted = (!no_colour || !*no_colour) && !dumb;
  return {.in = &std::cin,
          .colour = wanted && ::isatty(STDOUT_FILENO) == 1,
          .progress = !dumb && ::isatty(STDERR_FILENO) == 1,
          .around = process_surroundings()};
}

int run_whctl(int argc, const char* const* argv, const ctl_streams& streams) {
  settings s;
  command whctl("whctl", "Controls a Wheelhouse hub: joins clusters and sends them work.");
  whctl.add({.name = "kubeconfig",
             .value = "FILE",
             .help = "Which hub, and as whom (else KUBECONFIG, else ~/.kube/config)",
             .group = "General"},
            s.kubeconfig);
  whctl.add({.name = "output",
             .value = "FORMAT",
             .help = "How to print results",
             .group = "General",
             .letter = 'o',
             .choices = {"table", "json", "yaml"}},
            s.format);
  whctl.add({.name = "request-timeout",
             .value = "DURATION",
             .help = "How long to wait for one answer of the hub",
             .group = "General"},
            s.request_timeout);
  add_get(whctl, s, streams);
  add_accept(whctl, s, streams);
  add_create(whctl, s, streams);
  add_delete(whctl, s, streams);
  add_backup(whctl, s, streams);
  add_version(whctl, s, streams);
  return run_command(whctl, argc, argv, streams.around);
}

}  // namespace wh::ctl
