#pragma once
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "base/time.hpp"
#include "messages/batch.hpp"

namespace wh {

/// A Kubernetes object (or any part of one) as users wrote it. Keys are ordered, so equal documents print equally.
using document = nlohmann::json;

/// Bounds on untrusted text.
struct parse_limits {
  std::size_t depth_max = 128;
  std::size_t bytes_max = 3 * 1024 * 1024;
  std::size_t yaml_nodes_max = 1'000'000;  ///< after alias expansion
};

/// Strict JSON: errors name line and column; refuses duplicate keys, invalid UTF-8, NaN, numbers out of range, too deep.
result<document> parse_json(std::string_view text, const parse_limits& limits = {});
/// The same, but of a key that comes twice the last value counts, and its path (`spec.ports[0].name`) goes to
/// `duplicates`.
result<document> parse_json_with_duplicates(std::string_view text, std::vector<std::string>& duplicates,
                                            const parse_limits& limits = {});

/// YAML 1.2 core schema as Kubernetes tools read it (`yes` stays a string, quoted numbers stay strings); multi-document.
/// Empty documents are skipped. Errors name line and column. JSON is accepted, being YAML.
result<std::vector<document>> parse_yaml(std::string_view text, const parse_limits& limits = {});
std::string to_yaml(const document& doc);

/// The stored form of an object: JSON whose first member is `metadata`, without resourceVersion, so that render() can put
/// the revision in without parsing.
shared_bytes encode_body(const document& doc);
/// The object of a stored body, metadata.resourceVersion set from the revision (none when 0).
result<document> decode_body(std::string_view body, revision rev = {});
result<document> decode_record(const record& r);
/// The JSON text that clients get: the body with metadata.resourceVersion spliced in.
std::string render(std::string_view body, revision rev);
inline std::string render(const record& r) { return render(*r.body, r.rev); }

// --- metadata, by reference, absent = empty --------------------------------------------------------------------------
std::string_view api_version(const document& doc);
std::string_view kind_of(const document& doc);
std::string_view name_of(const document& doc);
std::string_view namespace_of(const document& doc);
std::string_view uid_of(const document& doc);
generation generation_of(const document& doc);
bool is_deleting(const document& doc);  ///< metadata.deletionTimestamp is set
std::string_view label_of(const document& doc, std::string_view key);
std::string_view annotation_of(const document& doc, std::string_view key);
bool has_finalizer(const document& doc, std::string_view finalizer);
void add_finalizer(document& doc, std::string_view finalizer);
void remove_finalizer(document& doc, std::string_view finalizer);

/// Value at a path of object members (`{"spec","leaseDurationSeconds"}`), or null.
const document* find_path(const document& doc, std::initializer_list<std::string_view> path);
std::string_view string_at(const document& doc, std::initializer_list<std::string_view> path);
std::int64_t int_at(const document& doc, std::initializer_list<std::string_view> path, std::int64_t fallback);
bool bool_at(const document& doc, std::initializer_list<std::string_view> path, bool fallback);
/// The strings of a list; others in it are skipped.
std::vector<std::string> texts_at(const document& doc, std::initializer_list<std::string_view> path);

/// `group` and `version` of an apiVersion.
struct group_version {
  std::string group;
  std::string version;
};
group_version split_api_version(std::string_view api_version);

// --- conditions ------------------------------------------------------------------------------------------------------
struct condition {
  std::string type;
  std::string status;  ///< True, False or Unknown
  std::string reason;
  std::string message;
  std::optional<generation> observed = {};
  friend bool operator==(const condition&, const condition&) = default;
};
/// Sets a condition in a list keyed by type; lastTransitionTime moves only when the status does (as
/// meta.SetStatusCondition). True if anything changed.
bool set_condition(document& conditions, const condition& c, instant now);
const document* find_condition(const document& conditions, std::string_view type);
/// Status of a condition in `doc.status.conditions`, or "".
std::string_view condition_status(const document& doc, std::string_view type);
bool remove_condition(document& conditions, std::string_view type);

}  // namespace wh
