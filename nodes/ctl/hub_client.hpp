#pragma once
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "nodes/common/kubeconfig.hpp"
#include "resources/document.hpp"
#include "resources/status_answer.hpp"
#include "transport/http.hpp"

namespace wh::ctl {

/// Undoes nothing, escapes everything but unreserved characters: for one segment or one value of a URL.
std::string percent_encode(std::string_view text);

/// A Kubernetes-style API as whctl uses it: documents in, documents out. A Status answer becomes an error with its code
/// and message; a connection failure names the address and the kubeconfig that led there.
class hub_client {
 public:
  hub_client(http_client& http, api_access access, duration timeout)
      : http_(http), access_(std::move(access)), timeout_(timeout) {}

  result<document> get(const std::string& path);
  /// Like get(), with "does not exist" as a value.
  result<std::optional<document>> find(const std::string& path);
  /// All items of a collection, page by page; `query` without leading `?`.
  result<std::vector<document>> list(const std::string& path, const std::string& query = {});
  /// The same, as each page comes; `on_page` says whether to go on. A list that is too old to go on ends with errc::gone.
  result<void> pages(const std::string& path, const std::string& query, std::size_t page,
                     const std::function<bool(std::vector<document>)>& on_page);
  result<document> create(const std::string& path, const document& object);
  result<document> replace(const std::string& path, const document& object);
  result<document> merge_patch(const std::string& path, const document& patch);
  result<document> remove(const std::string& path);

  /// A streamed answer, piece by piece until `on_data` says false; `timeout` limits silence.
  result<void> download(const std::string& path, const std::function<bool(std::string_view)>& on_data,
                        duration timeout);

  const api_access& access() const { return access_; }

 private:
  result<document> call(const std::string& method, const std::string& path, const std::string& content_type,
                        const std::string& body);
  std::map<std::string, std::string> headers() const;
  error unreachable(const error& why) const;

  http_client& http_;
  api_access access_;
  duration timeout_;
};

// --- paths ------------------------------------------------------------------------------------------------------------
std::string clusters_path(std::string_view name = {});
/// Without cluster: the works of all of them.
std::string works_path(std::string_view cluster, std::string_view name = {});
std::string csr_path(std::string_view name = {}, std::string_view subresource = {});

}  // namespace wh::ctl
