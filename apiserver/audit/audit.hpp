#pragma once
#include <cstdint>
#include <memory>
#include <string>

#include "apiserver/api.hpp"

namespace wh {

/// How much of a request is written down. Values are those of audit.k8s.io/v1, each with everything before it.
enum class audit_level { none, metadata, request, request_response };

/// What a policy says of one request.
struct audit_decision {
  audit_level level = audit_level::none;
  bool tells_start = true;     ///< stage ResponseStarted, of streams
  bool tells_end = true;       ///< stage ResponseComplete
  bool managed_fields = true;  ///< whether bodies keep metadata.managedFields
};

/// What a policy's rules look at. References live for the call only.
struct audit_subject {
  const user_info& user;
  std::string_view verb;
  std::string_view group, resource, subresource, ns, name;
  std::string_view path;  ///< of the request, without query
  bool of_resource = true;
};

/// One finished request, or the beginning of a watch, as it goes to the log. Plain data: it is written by another thread.
struct audit_record {
  audit_level level = audit_level::metadata;
  std::string stage = "ResponseComplete";  ///< or ResponseStarted, of watches and downloads
  std::string id;                          ///< shared by the stages of one request
  std::string uri, verb;
  user_info user;
  std::optional<user_info> impersonated;
  std::string source, agent;
  std::string group, version, resource, subresource, ns, name;  ///< objectRef; resource empty: none
  int code = 0;
  std::string granted_by;                    ///< which binding allowed it; empty: none was needed, or it was refused
  std::string reason, message;               ///< of a failure
  document request_object, response_object;  ///< null: not recorded
  instant received, at;
};

/// Where a server tells of its requests. Thread-safe; must not block.
class audit_trail {
 public:
  virtual ~audit_trail() = default;
  virtual audit_decision decide(const audit_subject& s) const = 0;
  /// True if refusals (401, 403) are recorded whatever the rules say of the request.
  virtual bool records_denials() const = 0;
  virtual void record(audit_record r) = 0;
};

/// A record as a line of JSON in the shape of audit.k8s.io/v1 Event, without line end.
std::string audit_line(const audit_record& r);

/// True if a document holds a Secret or a token at any depth: such bodies are never written down.
bool tells_secrets(const document& doc);

}  // namespace wh
