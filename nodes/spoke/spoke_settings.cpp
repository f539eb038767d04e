#include "nodes/spoke/spoke_settings.hpp"

#include <fmt/format.h>

#include "actors/hub/gatekeeper.hpp"
#include "nodes/common/files.hpp"
#include "resources/document.hpp"

namespace wh {
namespace {

result<spoke_settings> read_settings(const std::string& file) {
  auto text = read_file(file);
  if (!text) return text.err();
  auto doc = parse_json(*text);
  if (!doc) return fail(errc::corrupt, fmt::format("{}: {}", file, doc.err().message));
  const auto field = [&](const char* name) { return std::string(string_at(*doc, {name})); };
  return spoke_settings{field("clusterName"),
                        field("hub"),
                        field("caPin"),
                        field("token"),
                        {field("hubProxy"), field("hubProxyCredentialsFile"), field("hubProxyCA")},
                        field("hubName")};
}

result<void> write_settings(const std::string& file, const spoke_settings& s) {
  document doc = {{"clusterName", s.cluster_name},
                  {"hub", s.hub},
                  {"hubName", s.hub_name},
                  {"caPin", s.ca_pin},
                  {"token", s.token}};
  if (!s.proxy.url.empty()) doc["hubProxy"] = s.proxy.url;
  if (!s.proxy.credentials_file.empty()) doc["hubProxyCredentialsFile"] = s.proxy.credentials_file;
  if (!s.proxy.ca_file.empty()) doc["hubProxyCA"] = s.proxy.ca_file;
  return write_file_atomically(file, doc.dump(2) + "\n", 0600);
}

result<void> check(const spoke_settings& s) {
  const auto missing = [](const char* flag) {
    return fail(errc::invalid,
                fmt::format("{} is required on the first start (whctl get token prints the whole command)", flag));
  };
  if (s.cluster_name.empty()) return missing("--cluster-name");
  if (s.hub.empty()) return missing("--hub");
  if (s.token.empty()) return missing("--token");
  if (s.ca_pin.empty()) return missing("--ca-pin");
  if (auto problem = cluster_name_problem(s.cluster_name); !problem.empty()) return fail(errc::invalid, "--" + problem);
  const auto hubs = parse_host_ports({s.hub});
  if (!hubs) return fail(errc::invalid, "--hub: " + hubs.err().message);
  for (const auto& at : *hubs)
    if (at.port == 0) return fail(errc::invalid, "--hub: " + at.text() + " has no port that can be dialled");
  const bool hex = s.ca_pin.size() == 7 + 64 && s.ca_pin.starts_with("sha256:") &&
                   s.ca_pin.find_first_not_of("0123456789abcdef", 7) == std::string::npos;
  if (!hex) return fail(errc::invalid, "--ca-pin must be sha256: and 64 hexadecimal digits");
  return {};
}

/// `none` gives up what an earlier start kept.
void take_proxy(proxy_settings& kept, const proxy_settings& given) {
  const auto take = [](std::string& was, const std::string& is) {
    if (!is.empty()) was = is == "none" ? "" : is;
  };
  take(kept.url, given.url);
  take(kept.credentials_file, given.credentials_file);
  take(kept.ca_file, given.ca_file);
  // What belongs to a proxy goes with it.
  if (kept.url.empty()) kept = {};
}

std::string first_host(const std::string& hubs) {
  const auto all = parse_host_ports({hubs});
  return all && !all->empty() ? all->front().host : std::string();
}

}  // namespace

result<spoke_settings> settle_settings(const std::string& data_dir, const spoke_settings& flags) {
  if (auto ok = make_folder(data_dir, 0700); !ok) return ok.err();
  const std::string file = data_dir + "/spoke.json";
  spoke_settings settings;
  if (auto kept = read_settings(file); kept) settings = *kept;
  else if (kept.err().code != errc::not_found) return kept.err();
  if (!settings.cluster_name.empty() && !flags.cluster_name.empty() && flags.cluster_name != settings.cluster_name)
    return fail(errc::invalid, fmt::format("--cluster-name: {} belongs to cluster {}, not {}: use another --data-dir",
                                           data_dir, settings.cluster_name, flags.cluster_name));
  const spoke_settings before = settings;
  const auto take = [](std::string& kept, const std::string& given) {
    if (!given.empty()) kept = given;
  };
  // A file of an earlier release has no name; and another CA is another hub.
  if (settings.hub_name.empty()) settings.hub_name = first_host(settings.hub);
  if (!flags.ca_pin.empty() && flags.ca_pin != settings.ca_pin) settings.hub_name.clear();
  take(settings.cluster_name, flags.cluster_name);
  take(settings.hub, flags.hub);
  take(settings.ca_pin, flags.ca_pin);
  take(settings.token, flags.token);
  take_proxy(settings.proxy, flags.proxy);
  if (auto ok = check(settings); !ok) return ok.err();
  if (settings.hub_name.empty()) settings.hub_name = first_host(settings.hub);
  if (settings != before)
    if (auto ok = write_settings(file, settings); !ok) return ok.err();
  return settings;
}

}  // namespace wh
