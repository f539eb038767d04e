#include "apiserver/watch_event.hpp"

#include "resources/table.hpp"

namespace wh {

namespace {

shared_bytes line(std::string_view type, std::string_view object) {
  std::string out;
  out.reserve(object.size() + type.size() + 24);
  out += R"({"type":")";
  out += type;
  out += R"(","object":)";
  out += object;
  out += "}\n";
  return share(std::move(out));
}

const document* parsed(std::optional<document>& slot, const shared_bytes& body) {
  if (!body) return nullptr;
  if (!slot) {
    auto doc = decode_body(*body);
    slot = doc ? std::move(*doc) : document();
  }
  return &*slot;
}

}  // namespace

bool selected(const watch_spec& spec, const document& object) {
  return spec.labels.matches(object) && spec.fields.matches(object);
}

shared_bytes initial_event(const watch_spec& spec, std::string_view body, revision rev, instant now) {
  return line("ADDED", shaped_json(spec.form, spec.kind, body, rev, now));
}

shared_bytes error_event(const document& status) { return line("ERROR", dump_document(status)); }

shared_bytes bookmark_event(const watch_spec& spec, revision rev, bool initial_end) {
  document metadata = {{"resourceVersion", std::to_string(rev.get())}};
  if (initial_end) metadata["annotations"] = {{"k8s.io/initial-events-end", "true"}};
  if (spec.form.shape == output_form::shape_kind::table) {
    // A table's own metadata has no annotations: the mark sits on the object of its only row.
    std::string head =
        table_head(spec.form, *spec.kind.asked, R"({"resourceVersion":")" + std::to_string(rev.get()) + R"("})");
    if (!initial_end) return line("BOOKMARK", head + "]}");
    document object = {{"kind", "PartialObjectMetadata"}, {"apiVersion", "meta.k8s.io/" + spec.form.meta_version}};
    object["metadata"] = std::move(metadata);
    document cells = document::array();
    cells.get_ref<document::array_t&>().resize(table_columns(*spec.kind.asked).size());
    return line("BOOKMARK", head + document({{"cells", cells}, {"object", object}}).dump() + "]}");
  }
  bool partial = spec.form.shape == output_form::shape_kind::partial;
  document object = {
      {"kind", partial ? "PartialObjectMetadata" : spec.kind.asked->kind},
      {"apiVersion", partial ? "meta.k8s.io/" + spec.form.meta_version : spec.kind.asked->api_version()}};
  object["metadata"] = std::move(metadata);
  return line("BOOKMARK", object.dump());
}

const document* change_view::current() { return parsed(current_, change_.body); }
const document* change_view::previous() { return parsed(previous_, change_.previous); }

shared_bytes change_view::line_for(const watch_spec& spec) {
  if (!spec.range.contains(change_.key)) return nullptr;
  bool all = spec.selects_all();
  bool is_in = change_.body && (all || selected(spec, *current()));
  bool was_in = change_.previous && (all || selected(spec, *previous()));
  if (!is_in && !was_in) return nullptr;
  const char* type = !was_in ? "ADDED" : is_in ? "MODIFIED" : "DELETED";
  auto& text = lines_[std::string(type) + spec.kind.asked->version + '/' + spec.form.cache_key()];
  if (!text) {
    // What left is shown as it last was in sight, at the revision of its leaving.
    const auto& body = is_in ? change_.body : change_.previous;
    text = line(type, shaped_json(spec.form, spec.kind, *body, change_.rev, now_));
  }
  return text;
}

}  // namespace wh
