#pragma once
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "apiserver/access/policy_rule.hpp"
#include "base/random.hpp"
#include "base/result.hpp"
#include "base/time.hpp"
#include "messages/batch.hpp"
#include "persistence/store.hpp"
#include "resources/kinds.hpp"

namespace wh {

/// Who asks, as authentication found it.
struct user_info {
  std::string name;
  std::vector<std::string> groups = {};
  std::string uid = {};                                        ///< of a ServiceAccount; empty for people
  std::map<std::string, std::vector<std::string>> extra = {};  ///< whatever else is known, by key
  friend bool operator==(const user_info&, const user_info&) = default;
};

/// One request after HTTP: no sockets, so the simulator can make one.
struct api_request {
  std::string method;  ///< GET, POST, PUT, PATCH, DELETE
  std::string target;  ///< path and query as sent
  std::string accept;
  std::string content_type;
  std::string body;
  std::string user_agent;
  user_info user;                    ///< of the client's certificate; empty name: it showed none
  std::string bearer_token = {};     ///< of the Authorization header; counts where no certificate speaks
  std::optional<user_info> as = {};  ///< the Impersonate headers, as sent
  std::string source = {};           ///< the client's address, for the audit log
  std::string audit_id = {};         ///< the Audit-ID header: the name that the client gives this request in the log
  std::string distrusted = {};       ///< why the client's certificate is not taken: the request gets 401 and this
  bool demands_identity = false;     ///< strangers get 401, except for /healthz, /livez, /readyz and /version
  /// Whether its new objects say who owns their fields. False for parts of ours that make many: their objects stay light
  /// until somebody applies to them.
  bool owns_what_it_creates = true;
};

struct api_response {
  int status = 200;
  std::map<std::string, std::string> headers;
  shared_bytes body;
};

/// Where the answer goes: respond() once, or start_stream() and then events until closed. May be called from any thread.
class api_reply {
 public:
  virtual ~api_reply() = default;
  virtual void respond(api_response response) = 0;
  virtual void start_stream(int status, std::map<std::string, std::string> headers) = 0;
  virtual void write(shared_bytes chunk) = 0;
  virtual void finish() = 0;
  /// Bytes not yet taken by the client; a watch beyond its limit is ended, not buffered.
  virtual std::size_t unsent() const = 0;
  virtual bool alive() const = 0;
  virtual void on_done(std::function<void()> f) = 0;
};

/// A write that passed decoding, defaulting, validation and authorization and waits for its owner or the store.
struct write_proposal {
  enum class verb_kind { create, update, remove };
  verb_kind verb = verb_kind::create;
  kind_ptr kind;
  std::string subresource;  ///< "", status, approval, …
  object_key key;
  record old;         ///< body null on create
  shared_bytes body;  ///< proposed new version; null: the object goes
  user_info user;
  batch proposed;  ///< preconditions and the put or erase as the server would submit them
};

/// What became of it.
struct write_outcome {
  revision rev;
  shared_bytes body;  ///< as stored (an owner may have completed it); null: the object is gone
};

/// Decides about writes: the store itself for kinds without behaviour, the owner actor for the others.
class write_gate {
 public:
  using completion = std::function<void(result<write_outcome>)>;
  virtual ~write_gate() = default;
  /// `done` runs once, on any thread. errc::conflict lets the server recompute a patch on the newer object.
  virtual void submit(write_proposal proposal, completion done) = 0;
};

/// The gate of a server whose kinds have no owners.
std::unique_ptr<write_gate> make_store_gate(store& s);

/// Answers "may this user do that"; implementations: RBAC objects, or everything for tests.
struct access_question {
  user_info user;
  std::string verb;  ///< get, list, watch, create, update, patch, delete, deletecollection, or a virtual verb
  std::string group;
  std::string resource;
  std::string subresource;
  std::string ns;
  std::string name;
  std::string non_resource_path;  ///< set instead of the above for /healthz and the like
};
class authorizer {
 public:
  virtual ~authorizer() = default;
  virtual bool allows(const access_question& q) const = 0;
  /// Which binding allows it, for people; empty when none does or none is needed.
  virtual std::string reason(const access_question&) const { return {}; }
  /// Everything that a user is granted in a namespace ("": cluster-wide alone).
  virtual std::vector<policy_rule> rules_held(const user_info&, const std::string&) const { return {}; }
  /// The rules of a ClusterRole, or of a Role in `ns`; nullopt: there is none of this name.
  virtual std::optional<std::vector<policy_rule>> rules_of_role(bool /*cluster_role*/, const std::string& /*ns*/,
                                                                const std::string& /*name*/) const {
    return std::nullopt;
  }
};
/// RBAC over the store's roles and bindings, kept current by the feed. `system:masters` may do everything.
class rbac_authorizer : public authorizer, public feed_listener {};
std::unique_ptr<rbac_authorizer> make_rbac_authorizer(store& s);

/// Whom a bearer token speaks for.
struct token_identity {
  user_info user;
  std::vector<std::string> audiences;  ///< of the token, as far as they were asked for
};

/// Knows bearer tokens. Thread-safe.
class token_authenticator {
 public:
  using completion = std::function<void(result<token_identity>)>;
  virtual ~token_authenticator() = default;
  /// Checks a token for one of `audiences` (empty: this server). `done` runs once, at once or on another thread;
  /// errc::unauthorized says for people why not, without any part of the token.
  virtual void authenticate(const std::string& token, const std::vector<std::string>& audiences, completion done) = 0;
};

/// What a TokenRequest asks for.
struct token_order {
  std::string ns, name, uid;           ///< the ServiceAccount
  std::vector<std::string> audiences;  ///< empty: this server
  duration life = std::chrono::hours(1);
  std::string bound_kind = {}, bound_name = {}, bound_uid = {};  ///< the object that it lives with; empty: none
  bool endless = false;                                          ///< of a token Secret: as long as the Secret lives
};

/// Signs tokens of ServiceAccounts. Thread-safe.
class token_issuer {
 public:
  virtual ~token_issuer() = default;
  struct issued {
    std::string token;
    instant expires;
    std::vector<std::string> audiences;
  };
  virtual result<issued> issue(const token_order& order) = 0;
  /// The documents that let others check these tokens: OpenID discovery and the key set.
  virtual result<document> discovery() = 0;
  virtual result<document> key_set() = 0;
  /// Certificate of the server, for token Secrets; may be empty.
  virtual std::string ca_pem() const = 0;
};

class audit_trail;

/// Everything a server needs; all references must outlive it.
struct api_options {
  store* data = nullptr;
  kind_registry* kinds = nullptr;
  write_gate* gate = nullptr;
  authorizer* access = nullptr;
  token_authenticator* tokens = nullptr;  ///< null: no bearer tokens
  token_issuer* issuer = nullptr;         ///< null: no tokens of ServiceAccounts
  audit_trail* audit = nullptr;           ///< null: no audit log
  std::function<instant()> now;
  std::uint64_t seed = 0;                 ///< for uids and generated names
  std::size_t watch_ring_events = 65536;  ///< events kept for watches that begin a little behind
  /// And no more than these bytes of bodies. The log has the rest; a watch that is live takes from neither.
  std::size_t watch_ring_bytes = std::size_t{1} << 20;
  std::size_t watch_unsent_max = 4 * 1024 * 1024;
  std::size_t manifest_limit_bytes = 500 * 1024;  ///< ManifestWork: sum of manifests (`--manifestLimit`)
  bool default_cluster_set = true;                ///< ManagedClusters that name no set join `default`
  std::function<std::string()> metrics;           ///< body of /metrics
  std::function<result<void>()> ready;            ///< for /readyz; an error's message is shown
  /// GET on further paths of the node's own (`/operate/v1/backup`): authorized like every non-resource URL.
  std::map<std::string, std::function<void(std::shared_ptr<api_reply>)>> extensions;
  std::string server_version = "v1.33.0+wheelhouse";
  /// Runs a function after a delay, on any thread; absent: watches have no timeout and no periodic bookmarks.
  std::function<void(duration, std::function<void()>)> after;
};

/// The Kubernetes-style request core: discovery, verbs, watches, tables, Status errors. Thread-safe; holds no thread.
class api_server {
 public:
  virtual ~api_server() = default;
  virtual void handle(api_request request, std::shared_ptr<api_reply> reply) = 0;
  /// Ends every watch (clients reconnect); new requests get 503.
  virtual void drain() = 0;
  /// Requests by verb, resource and code since start, for /metrics.
  struct request_count {
    std::string verb, resource;
    int code = 0;
    std::uint64_t count = 0;
    std::uint64_t micros = 0;
  };
  virtual std::vector<request_count> counts() const = 0;
};
std::unique_ptr<api_server> make_api_server(const api_options& options);

/// A v1 Status document for an error, as Kubernetes' clients read it.
document status_document(const error& e, const object_key* about = nullptr);
int http_status_of(errc code);

}  // namespace wh
