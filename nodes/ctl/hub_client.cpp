#include "nodes/ctl/hub_client.hpp"

#include <cctype>
#include <iterator>

#include "nodes/common/version.hpp"

namespace wh::ctl {
namespace {

constexpr std::size_t page_size = 500;

std::string joined(std::string base, std::string_view name) {
  if (!name.empty()) base += "/" + percent_encode(name);
  return base;
}

std::string hint_for(const error& e) {
  if (e.code == errc::unauthorized) return "; does this kubeconfig belong to this server?";
  return "; is the hub running, and is this its address?";
}

}  // namespace

std::string percent_encode(std::string_view text) {
  static constexpr char digits[] = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (std::isalnum(byte) || c == '-' || c == '.' || c == '_' || c == '~') out += c;
    else out += {'%', digits[byte >> 4], digits[byte & 15]};
  }
  return out;
}

std::map<std::string, std::string> hub_client::headers() const {
  std::map<std::string, std::string> all = {{"accept", "application/json"},
                                            {"user-agent", "whctl/" + std::string(software_version())}};
  if (!access_.token.empty()) all["authorization"] = "Bearer " + access_.token;
  return all;
}

error hub_client::unreachable(const error& why) const {
  return fail(why.code, "cannot reach the server " + access_.server.text() + " (from " + access_.origin +
                            "): " + why.message + hint_for(why));
}

result<document> hub_client::call(const std::string& method, const std::string& path, const std::string& content_type,
                                  const std::string& body) {
  auto headers = this->headers();
  if (!content_type.empty()) headers["content-type"] = content_type;
  const auto answer = http_.request(method, access_.path_prefix + path, headers, body, timeout_);
  if (!answer) return unreachable(answer.err());
  const std::string_view text = answer->body ? std::string_view(*answer->body) : std::string_view();
  if (answer->status < 200 || answer->status > 299) return error_of_answer(answer->status, text);
  auto parsed = parse_json(text, {.bytes_max = std::size_t{256} << 20});
  if (!parsed)
    return fail(errc::corrupt, "the answer of " + access_.server.text() + " is no JSON: " + parsed.err().message);
  return parsed;
}

result<void> hub_client::download(const std::string& path, const std::function<bool(std::string_view)>& on_data,
                                  duration timeout) {
  const auto answer = http_.stream("GET", access_.path_prefix + path, headers(), "", on_data, timeout);
  if (!answer) return unreachable(answer.err());
  if (answer->status >= 200 && answer->status <= 299) return {};
  return error_of_answer(answer->status, answer->body ? std::string_view(*answer->body) : std::string_view());
}

result<document> hub_client::get(const std::string& path) { return call("GET", path, "", ""); }

result<std::optional<document>> hub_client::find(const std::string& path) {
  auto found = get(path);
  if (found) return std::optional<document>(std::move(*found));
  if (found.err().code == errc::not_found) return std::optional<document>();
  return found.err();
}

result<void> hub_client::pages(const std::string& path, const std::string& query, std::size_t page,
                               const std::function<bool(std::vector<document>)>& on_page) {
  std::string token;
  do {
    auto target = path + "?limit=" + std::to_string(page);
    if (!query.empty()) target += "&" + query;
    if (!token.empty()) target += "&continue=" + percent_encode(token);
    auto part = get(target);
    if (!part) return part.err();
    std::vector<document> items;
    if (auto it = part->find("items"); it != part->end() && it->is_array())
      for (auto& item : *it) items.push_back(std::move(item));
    token = std::string(string_at(*part, {"metadata", "continue"}));
    if (!on_page(std::move(items))) return {};
  } while (!token.empty());
  return {};
}

result<std::vector<document>> hub_client::list(const std::string& path, const std::string& query) {
  std::vector<document> all;
  const auto done = pages(path, query, page_size, [&](std::vector<document> items) {
    std::move(items.begin(), items.end(), std::back_inserter(all));
    return true;
  });
  if (!done) return done.err();
  return all;
}

result<document> hub_client::create(const std::string& path, const document& object) {
  return call("POST", path, "application/json", object.dump());
}

result<document> hub_client::replace(const std::string& path, const document& object) {
  return call("PUT", path, "application/json", object.dump());
}

result<document> hub_client::merge_patch(const std::string& path, const document& patch) {
  return call("PATCH", path, "application/merge-patch+json", patch.dump());
}

result<document> hub_client::remove(const std::string& path) { return call("DELETE", path, "", ""); }

std::string clusters_path(std::string_view name) {
  return joined("/apis/cluster.open-cluster-management.io/v1/managedclusters", name);
}

std::string works_path(std::string_view cluster, std::string_view name) {
  std::string base = "/apis/work.open-cluster-management.io/v1";
  if (!cluster.empty()) base += "/namespaces/" + percent_encode(cluster);
  return joined(base + "/manifestworks", name);
}

std::string csr_path(std::string_view name, std::string_view subresource) {
  auto path = joined("/apis/certificates.k8s.io/v1/certificatesigningrequests", name);
  return joined(std::move(path), subresource);
}

}  // namespace wh::ctl
