#pragma once
#include <map>
#include <mutex>
#include <string>

#include "resources/kinds.hpp"

namespace wh {

/// OpenAPI documents made from the kinds' schemas, rebuilt when the registry changes.
class openapi_cache {
 public:
  explicit openapi_cache(const kind_registry& kinds, std::string version)
      : kinds_(kinds), server_version_(std::move(version)) {}

  /// The index of `/openapi/v3`.
  std::string index();
  /// The document of `api/v1` or `apis/<group>/<version>`; empty when it is not served.
  std::string group_version(const std::string& path);
  /// `/openapi/v2`: every definition; of the paths, which kinds can be patched, and with what parameters.
  std::string v2_json();
  /// The same as gnostic's protobuf, in which old kubectl asks for it.
  std::string v2_protobuf();

 private:
  std::string cached(const std::string& key);
  std::string build(const std::string& path) const;
  std::string build_v2_json() const;
  std::string build_v2_protobuf() const;
  /// Everything of v2 but the definitions.
  document v2_head() const;
  std::map<std::string, std::string> v2_definitions(std::string (*write)(const document&)) const;

  const kind_registry& kinds_;
  std::string server_version_;
  std::mutex mutex_;
  std::uint64_t version_ = 0;
  std::map<std::string, std::string> texts_;
};

}  // namespace wh
