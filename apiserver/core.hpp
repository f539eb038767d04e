#pragma once
#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <tuple>
#include <vector>

#include "apiserver/access/aggregation.hpp"
#include "apiserver/api.hpp"
#include "apiserver/crd.hpp"
#include "apiserver/discovery.hpp"
#include "apiserver/openapi.hpp"
#include "apiserver/path.hpp"
#include "apiserver/render.hpp"
#include "apiserver/status.hpp"
#include "apiserver/watch.hpp"

namespace wh {

/// Counts answered requests by verb, resource and code.
class request_counters {
 public:
  void count(const std::string& verb, const std::string& resource, int code, duration took);
  std::vector<api_server::request_count> all() const;

 private:
  mutable std::mutex mutex_;
  std::map<std::tuple<std::string, std::string, int>, std::pair<std::uint64_t, std::uint64_t>> counts_;
};

/// What all requests of one server share. Requests under way keep it alive.
struct server_core {
  explicit server_core(const api_options& o);
  void stop();

  std::string new_uid();
  std::string new_suffix();
  instant now() const { return options.now(); }

  const api_options options;
  std::shared_ptr<watch_hub> watches;
  std::shared_ptr<crd_keeper> crds;
  std::shared_ptr<role_aggregator> aggregator;
  discovery_cache discovery;
  openapi_cache openapi;
  request_counters counters;
  std::atomic<bool> draining{false};

 private:
  std::mutex rng_mutex_;
  rng rng_;
};

/// One request on its way through the server. Handlers pass it on by shared pointer; the last one answers.
struct api_call {
  std::shared_ptr<server_core> core;
  api_request request;
  std::shared_ptr<api_reply> reply;
  request_target target;
  resource_path path;
  served_kind kind;  ///< null for paths that name no resource
  output_form form;
  std::string verb;        ///< as RBAC names it
  std::string counted_as;  ///< the group resource, for the counters
  instant started;
  std::vector<std::string> warnings;
  std::vector<std::string> duplicate_fields;  ///< keys that the body has twice, by path
  std::string audit_id;                       ///< of this request in the audit log; empty: there is no log
  std::optional<user_info> impersonator;      ///< who really asks, when he acts as another

  const std::string& resource() const { return counted_as; }
  object_key key() const { return {kind.stored->group_resource(), path.ns, path.name}; }

  /// Answers with a JSON (or, when asked for, YAML) text.
  void respond(int code, std::string json);
  void respond(int code, const document& doc) { respond(code, dump_document(doc)); }
  void respond_text(int code, std::string text, std::string content_type);
  /// Answers with an object, or at its scale with its Scale, in the form that was asked for.
  void respond_object(int code, std::string_view body, revision rev);
  void respond(const api_error& e);
  void start_stream();

 private:
  void count(int code);
};

using call_ptr = std::shared_ptr<api_call>;

}  // namespace wh
