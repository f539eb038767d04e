#include "actors/shared/objects.hpp"

#include <stdexcept>

#include "base/encoding.hpp"

namespace wh {

document new_object(const context& ctx, std::string_view api_version, std::string_view kind, std::string_view ns,
                    std::string_view name) {
  document meta = {
      {"name", name}, {"uid", random_uuid(ctx.random)}, {"creationTimestamp", to_rfc3339(ctx.now)}, {"generation", 1}};
  if (!ns.empty()) meta["namespace"] = ns;
  return {{"apiVersion", api_version}, {"kind", kind}, {"metadata", std::move(meta)}};
}

std::string uid_from(std::string_view text, const context& ctx) {
  auto hex = ctx.crypto.sha256_hex(text);
  hex.resize(32);
  hex[12] = '4';
  hex[16] = '8';
  for (std::size_t at : {8U, 13U, 18U, 23U}) hex.insert(at, "-");
  return hex;
}

document decode_stored(const object_key& key, const shared_bytes& body) {
  auto doc = decode_body(*body);
  if (!doc) throw std::runtime_error("stored object " + to_string(key) + " does not parse: " + doc.err().message);
  return std::move(*doc);
}

std::optional<draft> draft::open(const object_key& key, const context& ctx) {
  auto found = ctx.data.read(key);
  if (!found) return std::nullopt;
  draft d;
  d.key_ = key;
  d.doc_ = decode_stored(key, found->body);
  d.before_ = d.doc_;
  d.rev_ = found->rev;
  d.in_flight_ = found->in_flight;
  return d;
}

bool draft::released() const {
  const document* finalizers = find_path(doc_, {"metadata", "finalizers"});
  return is_deleting(doc_) && (!finalizers || finalizers->empty());
}

bool draft::save(outbox& out) const {
  if (released()) {
    out.remove(key_);
    return true;
  }
  if (doc_ == before_) return false;
  out.store(key_, encode_body(doc_));
  return true;
}

std::string secret_value(const document& secret, const std::string& key) {
  auto decoded = from_base64(string_at(secret, {"data", key}));
  return decoded ? *decoded : std::string();
}

}  // namespace wh
