#include "nodes/ctl/settings.hpp"

namespace wh::ctl {
namespace {

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

}  // namespace

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

}  // namespace wh::ctl
