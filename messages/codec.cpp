#include "messages/codec.hpp"

#ifndef MSGPACK_NO_BOOST
#define MSGPACK_NO_BOOST
#endif
#include <msgpack.hpp>

#include <tuple>
#include <type_traits>
#include <utility>

#include "messages/internal/wire_values.hpp"

namespace wh {
namespace {

using internal::held_works_max;
using internal::msgpack_cursor;
using internal::read;

// --- the table -------------------------------------------------------------------------------------------------------

template <class Owner, class Member>
struct field {
  const char* name;
  Member Owner::*member;
};
template <class Owner, class Member>
field(const char*, Member Owner::*) -> field<Owner, Member>;

/// What of a struct is on the wire, in order; a frame's layout has its tag and name, too. New fields go to the end, none
/// is ever removed or moved, and no tag is used twice: a frame that goes leaves a hole.
template <class T>
struct layout;

template <>
struct layout<held_work> {
  static constexpr auto fields =
      std::tuple{field{"name", &held_work::name}, field{"uid", &held_work::uid}, field{"gen", &held_work::gen},
                 field{"deleting", &held_work::deleting}, field{"history", &held_work::history}};
};

// Either direction: 1 to 9.
template <>
struct layout<credit> {
  static constexpr std::uint8_t tag = 1;
  static constexpr auto name = "credit";
  static constexpr auto fields = std::tuple{field{"bytes", &credit::bytes}};
};
template <>
struct layout<ping> {
  static constexpr std::uint8_t tag = 2;
  static constexpr auto name = "ping";
  static constexpr auto fields = std::tuple{field{"token", &ping::token}};
};
template <>
struct layout<pong> {
  static constexpr std::uint8_t tag = 3;
  static constexpr auto name = "pong";
  static constexpr auto fields = std::tuple{field{"token", &pong::token}};
};

// Spoke to hub: 10 to 39.
template <>
struct layout<hello> {
  static constexpr std::uint8_t tag = 10;
  static constexpr auto name = "hello";
  static constexpr auto fields = std::tuple{field{"protocol", &hello::protocol},
                                            field{"software", &hello::software},
                                            field{"cluster", &hello::cluster},
                                            field{"agent", &hello::agent},
                                            field{"hub_incarnation", &hello::hub_incarnation},
                                            field{"level", &hello::level},
                                            field{"instance", &hello::instance}};
};
template <>
struct layout<join_request> {
  static constexpr std::uint8_t tag = 11;
  static constexpr auto name = "join_request";
  static constexpr auto fields = std::tuple{
      field{"token", &join_request::token}, field{"csr_pem", &join_request::csr_pem},
      field{"annotations", &join_request::annotations}, field{"client_configs", &join_request::client_configs}};
};
template <>
struct layout<sync_request> {
  static constexpr std::uint8_t tag = 12;
  static constexpr auto name = "sync_request";
  static constexpr auto fields = std::tuple{field{"works", &sync_request::works}};
};
template <>
struct layout<heartbeat> {
  static constexpr std::uint8_t tag = 13;
  static constexpr auto name = "heartbeat";
  static constexpr auto fields = std::tuple{field{"sent", &heartbeat::sent}};
};
template <>
struct layout<cluster_report> {
  static constexpr std::uint8_t tag = 14;
  static constexpr auto name = "cluster_report";
  static constexpr auto fields = std::tuple{field{"seq", &cluster_report::seq},
                                            field{"available", &cluster_report::available},
                                            field{"available_reason", &cluster_report::available_reason},
                                            field{"available_message", &cluster_report::available_message},
                                            field{"kubernetes_version", &cluster_report::kubernetes_version},
                                            field{"capacity", &cluster_report::capacity},
                                            field{"allocatable", &cluster_report::allocatable},
                                            field{"claims", &cluster_report::claims},
                                            field{"claims_dropped", &cluster_report::claims_dropped},
                                            field{"namespaces", &cluster_report::namespaces}};
};
template <>
struct layout<work_report> {
  static constexpr std::uint8_t tag = 15;
  static constexpr auto name = "work_report";
  static constexpr auto fields =
      std::tuple{field{"name", &work_report::name}, field{"uid", &work_report::uid}, field{"seq", &work_report::seq},
                 field{"observed", &work_report::observed}, field{"status", &work_report::status}};
};
template <>
struct layout<work_finished> {
  static constexpr std::uint8_t tag = 16;
  static constexpr auto name = "work_finished";
  static constexpr auto fields = std::tuple{field{"name", &work_finished::name}, field{"uid", &work_finished::uid}};
};
template <>
struct layout<renew_request> {
  static constexpr std::uint8_t tag = 17;
  static constexpr auto name = "renew_request";
  static constexpr auto fields = std::tuple{field{"csr_pem", &renew_request::csr_pem}};
};
template <>
struct layout<leaving> {
  static constexpr std::uint8_t tag = 18;
  static constexpr auto name = "leaving";
  static constexpr auto fields = std::tuple{field{"keep_workloads", &leaving::keep_workloads}};
};

// Hub to spoke: 40 to 69.
template <>
struct layout<welcome> {
  static constexpr std::uint8_t tag = 40;
  static constexpr auto name = "welcome";
  static constexpr auto fields =
      std::tuple{field{"protocol", &welcome::protocol}, field{"hub_incarnation", &welcome::hub_incarnation},
                 field{"hub_now", &welcome::hub_now},   field{"accepted", &welcome::accepted},
                 field{"lease", &welcome::lease},       field{"level", &welcome::level},
                 field{"cleanup", &welcome::cleanup}};
};
template <>
struct layout<refused> {
  static constexpr std::uint8_t tag = 41;
  static constexpr auto name = "refused";
  static constexpr auto fields =
      std::tuple{field{"code", &refused::code}, field{"message", &refused::message},
                 field{"retry_after", &refused::retry_after}, field{"final", &refused::final}};
};
template <>
struct layout<join_pending> {
  static constexpr std::uint8_t tag = 42;
  static constexpr auto name = "join_pending";
  static constexpr auto fields = std::tuple{field{"message", &join_pending::message}};
};
template <>
struct layout<join_certificate> {
  static constexpr std::uint8_t tag = 43;
  static constexpr auto name = "join_certificate";
  static constexpr auto fields =
      std::tuple{field{"cert_pem", &join_certificate::cert_pem}, field{"ca_pem", &join_certificate::ca_pem}};
};
template <>
struct layout<work_desired> {
  static constexpr std::uint8_t tag = 44;
  static constexpr auto name = "work_desired";
  static constexpr auto fields =
      std::tuple{field{"name", &work_desired::name}, field{"uid", &work_desired::uid}, field{"gen", &work_desired::gen},
                 field{"deleting", &work_desired::deleting}, field{"body", &work_desired::body}};
};
template <>
struct layout<work_unknown> {
  static constexpr std::uint8_t tag = 45;
  static constexpr auto name = "work_unknown";
  static constexpr auto fields = std::tuple{field{"name", &work_unknown::name}, field{"uid", &work_unknown::uid}};
};
template <>
struct layout<sync_done> {
  static constexpr std::uint8_t tag = 46;
  static constexpr auto name = "sync_done";
  static constexpr auto fields = std::tuple{field{"at", &sync_done::at}};
};
template <>
struct layout<report_ack> {
  static constexpr std::uint8_t tag = 47;
  static constexpr auto name = "report_ack";
  static constexpr auto fields =
      std::tuple{field{"work", &report_ack::work}, field{"uid", &report_ack::uid}, field{"seq", &report_ack::seq}};
};
template <>
struct layout<renewal_refused> {
  static constexpr std::uint8_t tag = 48;
  static constexpr auto name = "renewal_refused";
  static constexpr auto fields = std::tuple{field{"message", &renewal_refused::message}};
};
template <>
struct layout<managed_namespaces> {
  static constexpr std::uint8_t tag = 49;
  static constexpr auto name = "managed_namespaces";
  static constexpr auto fields = std::tuple{field{"hub_hash", &managed_namespaces::hub_hash},
                                            field{"namespaces", &managed_namespaces::namespaces}};
};

/// Visits the alternatives of a variant type, without a value, until `f` answers true.
template <class Variant, class F, std::size_t I = 0>
constexpr bool any_alternative(F f) {
  if constexpr (I == std::variant_size_v<Variant>) return false;
  else return f(std::type_identity<std::variant_alternative_t<I, Variant>>{}) || any_alternative<Variant, F, I + 1>(f);
}

template <class Variant>
constexpr bool tags_differ() {
  return !any_alternative<Variant>([]<class A>(std::type_identity<A>) {
    int uses = 0;
    any_alternative<Variant>([&]<class B>(std::type_identity<B>) {
      uses += layout<A>::tag == layout<B>::tag;
      return false;
    });
    return uses != 1;
  });
}
static_assert(tags_differ<frame_to_hub>() && tags_differ<frame_to_spoke>(), "a tag is used twice");

// --- writing ---------------------------------------------------------------------------------------------------------

struct string_sink {
  std::string& out;
  void write(const char* bytes, std::size_t n) { out.append(bytes, n); }
};
using packer = msgpack::packer<string_sink>;

void pack_text(packer& p, const std::string& v) {
  p.pack_str(static_cast<std::uint32_t>(v.size()));
  p.pack_str_body(v.data(), static_cast<std::uint32_t>(v.size()));
}

void write(packer& p, bool v) { v ? p.pack_true() : p.pack_false(); }
void write(packer& p, std::uint32_t v) { p.pack_uint32(v); }
void write(packer& p, std::uint64_t v) { p.pack_uint64(v); }
void write(packer& p, errc v) { p.pack_uint16(static_cast<std::uint16_t>(v)); }
void write(packer& p, duration v) { p.pack_int64(v.count()); }
void write(packer& p, instant v) { write(p, v.time_since_epoch()); }
void write(packer& p, const std::string& v) { pack_text(p, v); }
void write(packer& p, generation v) { p.pack_int64(v.get()); }
void write(packer& p, revision v) { p.pack_uint64(v.get()); }
void write(packer& p, const shared_bytes& v) {
  if (!v) return void(p.pack_nil());
  p.pack_bin(static_cast<std::uint32_t>(v->size()));
  p.pack_bin_body(v->data(), static_cast<std::uint32_t>(v->size()));
}
void write(packer& p, const std::map<std::string, std::string>& v) {
  p.pack_map(static_cast<std::uint32_t>(v.size()));
  for (const auto& [key, value] : v) {
    pack_text(p, key);
    pack_text(p, value);
  }
}

template <class T>
void write_fields(packer& p, const T& v) {
  std::apply([&](const auto&... f) { (write(p, v.*f.member), ...); }, layout<T>::fields);
}

template <class T>
constexpr std::uint32_t field_count() {
  return static_cast<std::uint32_t>(std::tuple_size_v<std::remove_cvref_t<decltype(layout<T>::fields)>>);
}

void write(packer& p, const std::vector<held_work>& v) {
  p.pack_array(static_cast<std::uint32_t>(v.size()));
  for (const auto& work : v) {
    p.pack_array(field_count<held_work>());
    write_fields(p, work);
  }
}

template <class Variant>
void append_frame(std::string& out, const Variant& frame) {
  string_sink sink{out};
  packer p(sink);
  std::visit(
      [&]<class T>(const T& body) {
        p.pack_array(1 + field_count<T>());
        p.pack_uint8(layout<T>::tag);
        write_fields(p, body);
      },
      frame);
}

// --- reading ---------------------------------------------------------------------------------------------------------

void read(msgpack_cursor& c, std::vector<held_work>& v);

/// Reads the first `count` elements into the fields; what a newer peer sends beyond them is passed over.
template <class T>
void read_fields(msgpack_cursor& c, std::size_t count, T& v, const char*& at) {
  std::size_t index = 0;
  const auto read_one = [&](const auto& f) {
    if (index++ >= count || c.failed()) return;
    at = f.name;
    read(c, v.*f.member);
  };
  std::apply([&](const auto&... f) { (read_one(f), ...); }, layout<T>::fields);
  if (count > index && !c.failed()) at = "(unknown)";
  for (; index < count && !c.failed(); ++index) c.skip();
}

void read(msgpack_cursor& c, std::vector<held_work>& v) {
  auto count = c.array_header();
  if (count > held_works_max) return c.fail("has more than " + std::to_string(held_works_max) + " elements");
  const char* at = "";
  for (; count > 0 && !c.failed(); --count) {
    const auto fields = c.array_header();
    read_fields(c, fields, v.emplace_back(), at);
  }
}

/// The words for a tag that this direction does not have: the other direction's name for it, where it is one.
template <class Variant>
std::string describe_unknown_tag(std::uint64_t tag) {
  constexpr bool to_hub = std::is_same_v<Variant, frame_to_hub>;
  using opposite = std::conditional_t<to_hub, frame_to_spoke, frame_to_hub>;
  const char* name = nullptr;
  any_alternative<opposite>([&]<class T>(std::type_identity<T>) {
    if (layout<T>::tag == tag) name = layout<T>::name;
    return name != nullptr;
  });
  const auto what = "frame tag " + std::to_string(tag);
  return name ? what + " (" + name + ") is not for the " + (to_hub ? "hub" : "spoke") : what + " is unknown";
}

template <class T>
result<void> read_body(msgpack_cursor& c, std::size_t count, T& body) {
  const char* at = "";
  // Our own level is the default of what we send; a peer that names none has none.
  if constexpr (requires { body.level; }) body.level = 0;
  read_fields(c, count, body, at);
  if (!c.failed() && !c.at_end())
    return fail(errc::malformed, std::string(layout<T>::name) + ": bytes follow the frame");
  if (!c.failed()) return {};
  return fail(c.broken() ? errc::malformed : errc::invalid,
              std::string(layout<T>::name) + "." + at + " " + c.problem());
}

template <class Variant>
result<Variant> decode_frame(std::string_view bytes) {
  if (bytes.size() > frame_bytes_max)
    return fail(errc::too_large, "a frame of " + std::to_string(bytes.size()) + " bytes is over the limit of " +
                                     std::to_string(frame_bytes_max));
  msgpack_cursor c(bytes);
  const auto elements = c.array_header();
  if (elements == 0) c.fail("is empty");
  const auto tag = c.unsigned_integer();
  if (c.failed())
    return fail(errc::malformed, "a frame is an array that starts with its tag, but this one " + c.problem());
  Variant frame;
  result<void> outcome;
  const bool known = any_alternative<Variant>([&]<class T>(std::type_identity<T>) {
    if (layout<T>::tag != tag) return false;
    outcome = read_body(c, elements - 1, frame.template emplace<T>());
    return true;
  });
  if (!known) return fail(errc::unsupported, describe_unknown_tag<Variant>(tag));
  if (!outcome) return outcome.err();
  return frame;
}

template <class Variant>
std::string_view name_of_frame(const Variant& frame) {
  return std::visit([]<class T>(const T&) -> std::string_view { return layout<T>::name; }, frame);
}

}  // namespace

void append_encoded(std::string& out, const frame_to_hub& frame) { append_frame(out, frame); }
void append_encoded(std::string& out, const frame_to_spoke& frame) { append_frame(out, frame); }

std::string encode(const frame_to_hub& frame) {
  std::string out;
  append_frame(out, frame);
  return out;
}
std::string encode(const frame_to_spoke& frame) {
  std::string out;
  append_frame(out, frame);
  return out;
}

result<frame_to_hub> decode_to_hub(std::string_view bytes) { return decode_frame<frame_to_hub>(bytes); }
result<frame_to_spoke> decode_to_spoke(std::string_view bytes) { return decode_frame<frame_to_spoke>(bytes); }

std::string_view frame_name(const frame_to_hub& frame) { return name_of_frame(frame); }
std::string_view frame_name(const frame_to_spoke& frame) { return name_of_frame(frame); }

}  // namespace wh
