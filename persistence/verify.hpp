#pragma once
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "messages/batch.hpp"

namespace wh {

class key_ring;

struct verify_options {
  std::string dir;                       ///< a store's folder; no process may have it open
  std::string file;                      ///< or a data file by itself, such as a backup's
  std::shared_ptr<const key_ring> keys;  ///< null: sealed bodies are counted, not opened
  std::size_t problems_max = 100;        ///< further ones are counted only
  /// Called with every current object, in key order, when its record is sound (its body is null when it is sealed
  /// and there are no keys). May add problems.
  std::function<void(const record&, const std::function<void(std::string)>& problem)> examine;
};

/// What a store says of itself, and what is wrong with it.
struct verify_report {
  std::uint64_t format = 0;
  std::string incarnation;
  revision current;
  revision compacted;
  std::uint64_t file_bytes = 0;
  std::uint64_t pages = 0;  ///< reachable from the newest state
  std::uint64_t free_pages = 0;
  std::uint64_t objects = 0;
  std::uint64_t versions = 0;                        ///< superseded ones and removals included
  std::uint64_t body_bytes = 0;                      ///< of all versions, as stored
  std::map<std::string, std::uint64_t> resources;    ///< current objects by resource
  std::map<std::string, std::uint64_t> sealed_with;  ///< versions by key id, see key_ring
  std::uint64_t problems_total = 0;
  std::vector<std::string> problems;  ///< sentences that name what and where; empty: the store is sound
};

/// Reads a whole store and changes nothing: the data file's pages (every one reached once or free, in order, in bounds),
/// then every version and record (checksum, order, one for the other), the state's revisions and counts, and whether
/// every namespaced object has its namespace. The error says why it could not even begin: no store there, in use by a
/// process, unreadable.
result<verify_report> verify_store(const verify_options& options);

}  // namespace wh
