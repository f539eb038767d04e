#include "resources/protobuf.hpp"

#include <algorithm>
#include <cstring>

#include "base/encoding.hpp"
#include "resources/internal/protobuf_reader.hpp"
#include "resources/schema_node.hpp"

namespace wh {
namespace {

using node = schema::node;
using reader = internal::protobuf_reader;
using value_type = node::value_type;
using wire_type = node::wire_type;

constexpr std::string_view magic{"k8s\0", 4};
constexpr int depth_max = 64;

/// Thrown inside this file only, caught in decode_protobuf.
struct malformed {
  std::string path;
  std::string why;
};

std::string_view bytes_of(const reader::field& field, const std::string& path) {
  if (field.type != reader::wire::bytes) throw malformed{path, "has the wrong wire type"};
  return field.bytes;
}

std::string text_of(const reader::field& field, const std::string& path) {
  const auto bytes = bytes_of(field, path);
  if (!is_utf8(bytes)) throw malformed{path, "is not UTF-8"};
  return std::string(bytes);
}

std::uint64_t number_of(const reader::field& field, const std::string& path) {
  if (field.type != reader::wire::varint) throw malformed{path, "has the wrong wire type"};
  return field.value;
}

/// Calls `visit` for every field of a message.
template <class Visit>
void each_field(std::string_view message, const std::string& path, Visit visit) {
  reader in(message);
  while (const auto field = in.next()) visit(*field);
  if (in.broken()) throw malformed{path, "is cut short or no protobuf"};
}

/// The numbers in a message that has nothing else, by field number 1..3 (index 0 unused).
struct small_message {
  std::int64_t numbers[4] = {};
  std::string text;
};

small_message read_small(std::string_view message, const std::string& path) {
  small_message out;
  each_field(message, path, [&](const reader::field& field) {
    if (field.number > 3) return;
    if (field.type == reader::wire::varint) out.numbers[field.number] = static_cast<std::int64_t>(field.value);
    if (field.type == reader::wire::bytes) out.text = text_of(field, path);
  });
  return out;
}

document time_value(std::string_view message, bool micro, const std::string& path) {
  if (message.empty()) return nullptr;
  const auto read = read_small(message, path);
  constexpr std::int64_t first_second = -62135596800, last_second = 253402300799;  // years 1 to 9999
  if (read.numbers[1] < first_second || read.numbers[1] > last_second) throw malformed{path, "is no time"};
  const instant t{std::chrono::seconds(read.numbers[1]) + std::chrono::microseconds(read.numbers[2] / 1000)};
  return micro ? to_rfc3339_micro(t) : to_rfc3339(t);
}

document raw_value(std::string_view message, const std::string& path) {
  std::string_view raw;
  each_field(message, path, [&](const reader::field& field) {
    if (field.number == 1) raw = bytes_of(field, path);
  });
  if (raw.empty()) return nullptr;
  auto parsed = parse_json(raw);
  if (!parsed) throw malformed{path, parsed.err().message};
  return std::move(*parsed);
}

bool is_zero(const document& value) {
  return value.is_null() || value == "" || (value.is_number() && value == 0) ||
         (value.is_boolean() && !value.get<bool>());
}

double as_double(std::uint64_t bits) {
  double out = 0;
  static_assert(sizeof out == sizeof bits);
  std::memcpy(&out, &bits, sizeof out);
  return out;
}

class decoder {
 public:
  void message(const node& type, std::string_view bytes, document& into, const std::string& path, int depth) {
    if (depth > depth_max) throw malformed{path, "is nested too deeply"};
    if (!into.is_object()) into = document::object();
    each_field(bytes, path, [&](const reader::field& field) {
      for (auto [it, end] = fields(type, field.number); it != end; ++it) {
        if (it->inlined) {
          message(*it->inlined, bytes_of(field, path), into, path, depth + 1);
        } else {
          const auto& property = type.properties[it->index];
          member(property, field, into, path.empty() ? property.name : path + "." + property.name, depth);
        }
      }
    });
  }

 private:
  using wire_iterator = std::vector<node::wire_field>::const_iterator;

  static std::pair<wire_iterator, wire_iterator> fields(const node& type, std::uint32_t number) {
    struct by_number {
      bool operator()(const node::wire_field& f, std::uint32_t n) const { return f.number < n; }
      bool operator()(std::uint32_t n, const node::wire_field& f) const { return n < f.number; }
    };
    return std::equal_range(type.wire_fields.begin(), type.wire_fields.end(), number, by_number());
  }

  void member(const node::property& property, const reader::field& field, document& into, const std::string& path,
              int depth) {
    const auto& type = *property.schema;
    if (type.type == value_type::array && type.wire != wire_type::items) {
      auto& list = into[property.name];
      if (!list.is_array()) list = document::array();
      return append(type, field, list, path, depth);
    }
    if (type.type == value_type::object && type.additional && type.wire == wire_type::plain) {
      return entry(*type.additional, bytes_of(field, path), into[property.name], path, depth);
    }
    if (is_message(type)) {
      // A message that comes in pieces is merged, as protobuf has it.
      return message(type, bytes_of(field, path), into[property.name], path, depth + 1);
    }
    auto value = single(type, field, path, depth);
    if (value.is_null() || (property.zero_is_absent && is_zero(value))) return;
    into[property.name] = std::move(value);
  }

  static bool is_message(const node& type) { return type.type == value_type::object && type.wire == wire_type::plain; }

  void append(const node& type, const reader::field& field, document& list, const std::string& path, int depth) {
    const auto& item = *type.items;
    const auto at = path + "[" + std::to_string(list.size()) + "]";
    const bool scalar =
        item.type == value_type::integer || item.type == value_type::number || item.type == value_type::boolean;
    if (scalar && field.type == reader::wire::bytes) {
      reader packed(field.bytes);
      while (!packed.at_end()) {
        const auto value = item.type == value_type::number ? packed.fixed(8) : packed.varint();
        if (!value) throw malformed{at, "is cut short"};
        list.push_back(number(item, *value));
      }
      return;
    }
    if (is_message(item) && !item.additional) {
      document entry;
      message(item, field.type == reader::wire::bytes ? field.bytes : bytes_of(field, at), entry, at, depth + 1);
      list.push_back(std::move(entry));
      return;
    }
    list.push_back(single(item, field, at, depth));
  }

  /// One `{key = 1, value = 2}` of a map.
  void entry(const node& type, std::string_view bytes, document& map, const std::string& path, int depth) {
    if (depth > depth_max) throw malformed{path, "is nested too deeply"};
    if (!map.is_object()) map = document::object();
    std::string key;
    document value;
    each_field(bytes, path, [&](const reader::field& field) {
      if (field.number == 1) key = text_of(field, path);
      if (field.number != 2) return;
      if (is_message(type)) {
        message(type, bytes_of(field, path), value, path, depth + 1);
      } else {
        value = single(type, field, path, depth);
      }
    });
    if (value.is_null()) value = empty_value(type);
    map[key] = std::move(value);
  }

  static document empty_value(const node& type) {
    switch (type.type) {
      case value_type::object: return document::object();
      case value_type::array: return document::array();
      case value_type::integer:
      case value_type::number: return 0;
      case value_type::boolean: return false;
      default: return "";
    }
  }

  static document number(const node& type, std::uint64_t value) {
    if (type.type == value_type::boolean) return value != 0;
    if (type.type == value_type::number) return as_double(value);
    if (type.format == "int32") return static_cast<std::int32_t>(value);
    return static_cast<std::int64_t>(value);
  }

  document single(const node& type, const reader::field& field, const std::string& path, int depth) {
    switch (type.wire) {
      case wire_type::time: return time_value(bytes_of(field, path), false, path);
      case wire_type::micro_time: return time_value(bytes_of(field, path), true, path);
      case wire_type::quantity: return read_small(bytes_of(field, path), path).text;
      case wire_type::raw: return raw_value(bytes_of(field, path), path);
      case wire_type::int_or_string: {
        auto read = read_small(bytes_of(field, path), path);
        return read.numbers[1] == 1 ? document(std::move(read.text))
                                    : document(static_cast<std::int32_t>(read.numbers[2]));
      }
      case wire_type::items: return items(type, bytes_of(field, path), path, depth);
      case wire_type::plain: break;
    }
    switch (type.type) {
      case value_type::string: return type.format == "byte" ? to_base64(bytes_of(field, path)) : text_of(field, path);
      case value_type::integer:
      case value_type::boolean: return number(type, number_of(field, path));
      case value_type::number:
        if (field.type != reader::wire::fixed64) throw malformed{path, "has the wrong wire type"};
        return number(type, field.value);
      default: throw malformed{path, "cannot be sent as protobuf"};
    }
  }

  document items(const node& type, std::string_view bytes, const std::string& path, int depth) {
    auto out = document::array();
    each_field(bytes, path, [&](const reader::field& field) {
      if (field.number == 1) append(type, field, out, path, depth + 1);
    });
    return out;
  }
};

/// runtime.Unknown.
struct envelope {
  std::string api_version, kind, encoding, content_type;
  std::string_view raw;
};

envelope open_envelope(std::string_view body) {
  envelope out;
  each_field(body.substr(magic.size()), "body", [&](const reader::field& field) {
    switch (field.number) {
      case 1:
        each_field(bytes_of(field, "typeMeta"), "typeMeta", [&](const reader::field& meta) {
          if (meta.number == 1) out.api_version = text_of(meta, "apiVersion");
          if (meta.number == 2) out.kind = text_of(meta, "kind");
        });
        break;
      case 2: out.raw = bytes_of(field, "raw"); break;
      case 3: out.encoding = text_of(field, "contentEncoding"); break;
      case 4: out.content_type = text_of(field, "contentType"); break;
      default: break;
    }
  });
  return out;
}

kind_ptr kind_in(const envelope& e, const kind_registry& kinds) {
  const auto gv = split_api_version(e.api_version);
  if (auto kind = kinds.find_kind(gv.group, gv.version, e.kind)) return kind;
  return find_request_kind(gv.group, gv.version, e.kind);
}

}  // namespace

bool is_kubernetes_protobuf(std::string_view body) { return body.starts_with(magic); }

result<document> decode_protobuf(std::string_view body, const kind_registry& kinds) {
  if (!is_kubernetes_protobuf(body))
    return fail(errc::malformed, "the body does not start as Kubernetes' protobuf does");
  try {
    const auto e = open_envelope(body);
    if (!e.encoding.empty())
      return fail(errc::unsupported, "protobuf content encoding \"" + e.encoding + "\" is not supported");
    if (e.content_type == "application/json") return parse_json(e.raw);
    const auto kind = kind_in(e, kinds);
    if (!kind)
      return fail(errc::malformed, "no kind \"" + e.kind + "\" is registered for version \"" + e.api_version + "\"");
    if (kind->protobuf.empty()) return fail(errc::unsupported, e.kind + " is not served as protobuf; send JSON");
    document out;
    decoder().message(kind->structure->root(), e.raw, out, "", 0);
    out["apiVersion"] = e.api_version;
    out["kind"] = e.kind;
    return out;
  } catch (const malformed& m) {
    return fail(errc::malformed, "protobuf: " + (m.path.empty() ? "the message" : m.path) + " " + m.why);
  }
}

}  // namespace wh
