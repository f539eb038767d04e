#include "nodes/ctl/commands.hpp"

#include <unistd.h>

#include <cstdlib>
#include <iostream>
#include <thread>

#include "nodes/ctl/settings.hpp"

namespace wh::ctl {

namespace {

std::string ask_person(const ctl_streams& streams, const std::string& question) {
  *streams.around.err << question << std::flush;
  std::string answer;
  std::getline(*streams.in, answer);
  return answer;
}

}  // namespace

output_format format_of(const std::string& name) {
  if (name == "json") return output_format::json;
  return name == "yaml" ? output_format::yaml : output_format::table;
}

int complain(const ctl_streams& streams, const std::string& what, int exit_code) {
  *streams.around.err << "whctl: " << what << "\n";
  return exit_code;
}

int with_hub(const settings& s, const ctl_streams& streams, const std::function<int(console&)>& run) {
  const auto path = find_kubeconfig(s.kubeconfig, streams.around.variable);
  if (!path) return complain(streams, path.err().message, exit_failure);
  auto access = read_kubeconfig(*path, {.run_plugins = true});
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
  if (streams.interactive) c.ask = [&](const std::string& question) { return ask_person(streams, question); };
  return run(c);
}

int report(const console& c, const error& e) {
  c.err << "whctl: " << printable(e.message, true) << "\n";
  return exit_failure;
}

int report(const console& c, const std::vector<outcome>& outcomes) {
  std::vector<document> fields;
  int code = exit_ok;
  for (const auto& o : outcomes) {
    fields.push_back(o.fields);
    if (!o.ok) code = exit_failure;
    if (!o.ok) c.err << "whctl: " << printable(o.text) << "\n";
    else if (c.format == output_format::table) c.out << printable(o.text) << "\n";
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
          .interactive = ::isatty(STDIN_FILENO) == 1 && ::isatty(STDERR_FILENO) == 1,
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
  add_membership(whctl, s, streams);
  add_create(whctl, s, streams);
  add_delete(whctl, s, streams);
  add_import(whctl, s, streams);
  add_upkeep(whctl, s, streams);
  return run_command(whctl, argc, argv, streams.around);
}

}  // namespace wh::ctl
