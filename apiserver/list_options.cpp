#include "apiserver/list_options.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "base/encoding.hpp"

namespace wh {

namespace {

/// Field selector paths beyond metadata.name and metadata.namespace, as Kubernetes' own kinds support them.
struct selectable {
  std::string_view resource;
  std::initializer_list<std::string_view> paths;
};
const selectable selectable_fields[] = {
    {"events",
     {"involvedObject.kind", "involvedObject.namespace", "involvedObject.name", "involvedObject.uid",
      "involvedObject.apiVersion", "involvedObject.resourceVersion", "involvedObject.fieldPath", "reason",
      "reportingComponent", "type"}},
    {"events.events.k8s.io",
     {"regarding.kind", "regarding.namespace", "regarding.name", "regarding.uid", "reason", "reportingController",
      "type"}},
    {"secrets", {"type"}},
    {"namespaces", {"status.phase"}},
    {"pods",
     {"spec.nodeName", "spec.restartPolicy", "spec.schedulerName", "spec.serviceAccountName", "spec.hostNetwork",
      "status.phase", "status.podIP", "status.nominatedNodeName"}},
    {"nodes", {"spec.unschedulable"}},
    {"services", {"spec.clusterIP", "spec.type"}},
    {"replicationcontrollers", {"status.replicas"}},
    {"replicasets.apps", {"status.replicas"}},
    {"jobs.batch", {"status.successful"}},
    {"certificatesigningrequests.certificates.k8s.io", {"spec.signerName"}},
};

bool is_selectable(std::string_view resource, std::string_view path) {
  if (path == "metadata.name" || path == "metadata.namespace") return true;
  for (const auto& row : selectable_fields)
    if (row.resource == resource) return std::find(row.paths.begin(), row.paths.end(), path) != row.paths.end();
  return false;
}

/// Turns equalities on name and namespace into the range, where they save reading and parsing.
void narrow(list_options& o, std::string& bound, const field_requirement& r) {
  if (!bound.empty() && bound != r.value) o.nothing = true;
  if (r.value.empty()) o.nothing = true;
  bound = r.value;
}

answer<void> read_selectors(const api_call& call, list_options& o) {
  auto labels = parse_label_selector(call.target.param("labelSelector"));
  if (!labels) return bad_request(labels.err().message);
  o.labels = std::move(*labels);
  auto fields = parse_field_selector(call.target.param("fieldSelector"));
  if (!fields) return bad_request(fields.err().message);
  bool namespaced = call.kind.asked->namespaced;
  for (auto& r : fields->requirements) {
    if (!is_selectable(call.resource(), r.path)) return bad_request("field label not supported: " + r.path);
    if (r.path == "metadata.name" && r.equal) narrow(o, o.range.name, r);
    else if (r.path == "metadata.namespace" && r.equal && namespaced) narrow(o, o.range.ns, r);
    else o.fields.requirements.push_back(std::move(r));
  }
  return {};
}

answer<std::uint64_t> number_param(const api_call& call, std::string_view name) {
  auto text = call.target.param(name);
  std::uint64_t v = 0;
  if (text.empty()) return v;
  auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), v);
  if (ec != std::errc{} || end != text.data() + text.size())
    return bad_request(fmt::format("{}: Invalid value: {}: must be a number", name, go_quote(text)));
  return v;
}

api_error invalid_options(std::string_view field, std::string_view why, bool forbidden = true) {
  kind_info options;
  options.group = "meta.k8s.io";
  options.kind = "ListOptions";
  return invalid_object(options, "",
                        {{forbidden ? field_error_type::forbidden : field_error_type::invalid, std::string(field), "",
                          std::string(why)}});
}

answer<void> read_version(const api_call& call, list_options& o) {
  if (auto text = call.target.param("resourceVersion"); !text.empty()) {
    auto v = number_param(call, "resourceVersion");
    if (!v)
      return bad_request(
          fmt::format("resourceVersion: Invalid value: {}: strconv.ParseUint: parsing {}: invalid syntax",
                      go_quote(text), go_quote(text)));
    o.rev = revision(*v);
  }
  auto match = call.target.param("resourceVersionMatch");
  if (match.empty()) return {};
  if (match == "Exact") o.match = list_options::match_kind::exact;
  else if (match == "NotOlderThan") o.match = list_options::match_kind::not_older_than;
  else return invalid_options("resourceVersionMatch", "supported values: \"Exact\", \"NotOlderThan\", \"\"", false);
  if (o.watch) {
    if (!o.initial_events_set)
      return invalid_options("resourceVersionMatch",
                             "resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided");
    if (o.match != list_options::match_kind::not_older_than)
      return invalid_options("resourceVersionMatch",
                             "sendInitialEvents requires setting resourceVersionMatch to NotOlderThan");
    return {};
  }
  if (!o.rev)
    return invalid_options("resourceVersionMatch",
                           "resourceVersionMatch is forbidden unless resourceVersion is provided");
  if (!o.continue_token.empty())
    return invalid_options("resourceVersionMatch", "resourceVersionMatch is forbidden when continue is provided");
  if (o.match == list_options::match_kind::exact && o.rev->get() == 0)
    return invalid_options("resourceVersionMatch",
                           "resourceVersionMatch \"exact\" is forbidden for resourceVersion \"0\"");
  return {};
}

answer<void> read_watch(const api_call& call, list_options& o) {
  auto watch = bool_param(call.target, "watch");
  if (!watch) return watch.err();
  o.watch = *watch;
  auto bookmarks = bool_param(call.target, "allowWatchBookmarks");
  if (!bookmarks) return bookmarks.err();
  o.bookmarks = *bookmarks;
  auto initial = bool_param(call.target, "sendInitialEvents");
  if (!initial) return initial.err();
  o.initial_events = *initial;
  o.initial_events_set = call.target.has("sendInitialEvents");
  auto timeout = number_param(call, "timeoutSeconds");
  if (!timeout) return timeout.err();
  o.timeout_seconds = static_cast<std::int64_t>(std::min<std::uint64_t>(*timeout, 86400));
  if (o.initial_events_set && !o.watch)
    return invalid_options("sendInitialEvents", "sendInitialEvents is forbidden for list");
  if (o.initial_events_set && call.target.param("resourceVersionMatch").empty())
    return invalid_options("resourceVersionMatch",
                           "sendInitialEvents requires setting resourceVersionMatch to NotOlderThan");
  return {};
}

}  // namespace

answer<list_options> parse_list_options(const api_call& call) {
  list_options o;
  o.range = {call.kind.stored->group_resource(), call.path.ns, call.path.name};
  if (auto ok = read_selectors(call, o); !ok) return ok.err();
  if (auto ok = read_watch(call, o); !ok) return ok.err();
  auto limit = number_param(call, "limit");
  if (!limit) return limit.err();
  o.limit = static_cast<std::size_t>(*limit);
  o.continue_token = call.target.param("continue");
  if (auto ok = read_version(call, o); !ok) return ok.err();
  return o;
}

std::string to_text(const continue_token& token) {
  document d = {{"v", "wheelhouse/v1"}, {"rv", token.rev.get()}, {"ns", token.ns}, {"name", token.name}};
  return to_base64(dump_document(d));
}

answer<continue_token> parse_continue(const std::string& text) {
  constexpr const char* bad = "continue key is not valid";
  auto bytes = from_base64(text);
  auto doc = bytes ? parse_json(*bytes) : result<document>(fail(errc::malformed, bad));
  if (!doc || string_at(*doc, {"v"}) != "wheelhouse/v1" || !doc->contains("rv") || !(*doc)["rv"].is_number_unsigned())
    return bad_request(bad);
  return continue_token{revision((*doc)["rv"].get<std::uint64_t>()), std::string(string_at(*doc, {"ns"})),
                        std::string(string_at(*doc, {"name"}))};
}

}  // namespace wh
