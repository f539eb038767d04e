#include "nodes/spoke/spoke_settings.hpp"

#include <fmt/format.h>

#include "actors/hub/gatekeeper.hpp"
#include "nodes/common/files.hpp"
#include "resources/document.hpp"

namespace wh {
namespace {

std::map<std::string, std::string> texts_of(const document& doc, const char* name) {
  std::map<std::string, std::string> texts;
  const document* found = find_path(doc, {name});
  if (!found || !found->is_object()) return texts;
  for (const auto& [key, value] : found->items())
    if (value.is_string()) texts[key] = value.get<std::string>();
  return texts;
}

std::string file_of(const std::string& data_dir) { return data_dir + "/spoke.json"; }

result<spoke_settings> read_settings(const std::string& file) {
  auto text = read_file(file);
  if (!text) return text.err();
  auto doc = parse_json(*text);
  if (!doc) return fail(errc::corrupt, fmt::format("{}: {}", file, doc.err().message));
  const auto field = [&](const char* name) { return std::string(string_at(*doc, {name})); };
  return spoke_settings{.cluster_name = field("clusterName"),
                        .hub = field("hub"),
                        .ca_pin = field("caPin"),
                        .token = field("token"),
                        .proxy = {field("hubProxy"), field("hubProxyCredentialsFile"), field("hubProxyCA")},
                        .hub_name = field("hubName"),
                        .annotations = texts_of(*doc, "annotations"),
                        .client_configs = texts_of(*doc, "clientConfigs")};
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
  if (!s.annotations.empty()) doc["annotations"] = s.annotations;
  if (!s.client_configs.empty()) doc["clientConfigs"] = s.client_configs;
  return write_file_atomically(file, doc.dump(2) + "\n", 0600);
}

result<void> check(const spoke_settings& s, bool has_left) {
  const auto missing = [](const char* flag) {
    return fail(errc::invalid,
                fmt::format("{} is required on the first start (whctl get token prints the whole command)", flag));
  };
  if (s.cluster_name.empty()) return missing("--cluster-name");
  if (s.hub.empty()) return missing("--hub");
  if (s.token.empty() && has_left)
    return fail(
        errc::invalid,
        fmt::format("cluster {0} has left its hub: to join again, start with --token (on the hub: whctl get token "
                    "--cluster-name {0})",
                    s.cluster_name));
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
  const std::string file = file_of(data_dir);
  spoke_settings settings;
  if (auto kept = read_settings(file); kept) settings = *kept;
  else if (kept.err().code != errc::not_found) return kept.err();
  if (!settings.cluster_name.empty() && !flags.cluster_name.empty() && flags.cluster_name != settings.cluster_name)
    return fail(errc::invalid, fmt::format("--cluster-name: {} belongs to cluster {}, not {}: use another --data-dir",
                                           data_dir, settings.cluster_name, flags.cluster_name));
  const spoke_settings before = settings;
  const auto take = [](auto& kept, const auto& given) {
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
  take(settings.annotations, flags.annotations);
  take(settings.client_configs, flags.client_configs);
  const bool has_left = !before.cluster_name.empty() && before.token.empty();
  if (auto ok = check(settings, has_left); !ok) return ok.err();
  if (settings.hub_name.empty()) settings.hub_name = first_host(settings.hub);
  if (settings != before)
    if (auto ok = write_settings(file, settings); !ok) return ok.err();
  return settings;
}

result<spoke_settings> kept_settings(const std::string& data_dir) {
  auto kept = read_settings(file_of(data_dir));
  if (!kept && kept.err().code == errc::not_found)
    return fail(errc::not_found, fmt::format("{} is no data folder of a spoke: there is no spoke.json", data_dir));
  return kept;
}

result<void> erase_token(const std::string& data_dir) {
  auto kept = kept_settings(data_dir);
  if (!kept) return kept.err();
  kept->token.clear();
  return write_settings(file_of(data_dir), *kept);
}

}  // namespace wh
