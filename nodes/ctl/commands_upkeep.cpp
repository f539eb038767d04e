#include "nodes/ctl/settings.hpp"

#include <ostream>

#include "nodes/common/version.hpp"

namespace wh::ctl {
namespace {

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

void add_upkeep(command& whctl, settings& s, const ctl_streams& streams) {
  add_backup(whctl, s, streams);
  add_version(whctl, s, streams);
}

}  // namespace wh::ctl
