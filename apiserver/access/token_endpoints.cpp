#include "apiserver/access/token_endpoints.hpp"

#include <fmt/format.h>

#include "apiserver/body.hpp"
#include "apiserver/reviews.hpp"
#include "base/encoding.hpp"

namespace wh {

namespace {

constexpr std::int64_t life_seconds_min = 600;
constexpr std::int64_t life_seconds_max = std::int64_t{1} << 32;
constexpr const char* account_annotation = "kubernetes.io/service-account.name";

std::vector<std::string> strings_at(const document& doc, std::initializer_list<std::string_view> path) {
  std::vector<std::string> out;
  if (const auto* list = find_path(doc, path); list && list->is_array())
    for (const auto& v : *list)
      if (v.is_string()) out.push_back(v.get<std::string>());
  return out;
}

/// The uid of an object that exists; what to answer if it does not.
answer<std::string> uid_at(const api_call& call, const object_key& key) {
  auto found = call.core->options.data->get(key);
  if (!found) return to_api_error(found.err(), key);
  auto doc = *found ? decode_record(**found) : result<document>(document());
  if (!*found || !doc || is_deleting(*doc)) return object_not_found(key.resource, key.name);
  return std::string(uid_of(*doc));
}

answer<duration> life_of(const document& request, const std::string& account) {
  const auto seconds = int_at(request, {"spec", "expirationSeconds"}, 3600);
  const char* why = seconds < life_seconds_min   ? "may not specify a duration less than 10 minutes"
                    : seconds > life_seconds_max ? "may not specify a duration larger than 2^32 seconds"
                                                 : nullptr;
  if (!why) return duration(std::chrono::seconds(seconds));
  kind_info kind;
  kind.group = "authentication.k8s.io";
  kind.kind = "TokenRequest";
  return invalid_object(kind, account,
                        {{field_error_type::invalid, "spec.expirationSeconds", std::to_string(seconds), why}});
}

/// The object that the token is to live with, into the order.
answer<void> bind_to(const api_call& call, const document& request, token_order& order) {
  const auto* ref = find_path(request, {"spec", "boundObjectRef"});
  if (!ref || ref->is_null()) return {};
  const auto kind = string_at(*ref, {"kind"});
  const bool pod = kind == "Pod" && call.core->options.kinds->find_resource("pods");
  if (string_at(*ref, {"apiVersion"}) != "v1" || (kind != "Secret" && !pod))
    return bad_request(fmt::format("cannot bind token for serviceaccount {} to object type {} {}", go_quote(order.name),
                                   string_at(*ref, {"apiVersion"}), kind));
  order.bound_kind = pod ? "pod" : "secret";
  order.bound_name = string_at(*ref, {"name"});
  auto uid = uid_at(call, {order.bound_kind + "s", order.ns, order.bound_name});
  if (!uid) return uid.err();
  if (const auto asked = string_at(*ref, {"uid"}); !asked.empty() && asked != *uid)
    return object_conflict(order.bound_kind + "s", order.bound_name,
                           fmt::format("the UID in the bound object reference ({}) does not match the UID in record. "
                                       "The object might have been deleted and then recreated",
                                       asked));
  order.bound_uid = *uid;
  return {};
}

answer<token_order> order_of(const api_call& call, const document& request) {
  token_order order{call.path.ns, call.path.name, {}, strings_at(request, {"spec", "audiences"})};
  auto uid = uid_at(call, call.key());
  if (!uid) return uid.err();
  order.uid = *uid;
  auto life = life_of(request, order.name);
  if (!life) return life.err();
  order.life = *life;
  if (auto ok = bind_to(call, request, order); !ok) return ok.err();
  return order;
}

}  // namespace

void handle_token_request(const call_ptr& call) {
  auto doc = read_plain_object(*call);
  if (!doc) return call->respond(doc.err());
  kind_info kind;
  kind.group = "authentication.k8s.io";
  kind.version = "v1";
  kind.kind = "TokenRequest";
  if (auto ok = check_kind(kind, *doc); !ok) return call->respond(ok.err());
  if (const auto name = string_at(*doc, {"metadata", "name"}); !name.empty() && name != call->path.name)
    return call->respond(bad_request("metadata.name of the TokenRequest must be the ServiceAccount's"));
  auto order = order_of(*call, *doc);
  if (!order) return call->respond(order.err());
  auto made = call->core->options.issuer->issue(*order);
  if (!made) return call->respond(to_api_error(made.err(), call->key()));
  (*doc)["metadata"] = {
      {"name", call->path.name}, {"namespace", call->path.ns}, {"creationTimestamp", to_rfc3339(call->core->now())}};
  (*doc)["spec"]["audiences"] = made->audiences;
  (*doc)["spec"]["expirationSeconds"] =
      std::chrono::duration_cast<std::chrono::seconds>(made->expires - call->core->now()).count();
  (*doc)["status"] = {{"token", made->token}, {"expirationTimestamp", to_rfc3339(made->expires)}};
  call->form = {};
  call->respond(201, *doc);
}

void answer_token_review(const call_ptr& call, document doc) {
  const std::string token(string_at(doc, {"spec", "token"}));
  if (token.empty()) return call->respond(bad_request("token is required for TokenReview in authentication"));
  if (!call->core->options.tokens) return call->respond(unavailable("this server knows no tokens"));
  auto shared = std::make_shared<document>(std::move(doc));
  call->core->options.tokens->authenticate(
      token, strings_at(*shared, {"spec", "audiences"}), [call, shared](result<token_identity> who) {
        (*shared)["spec"].erase("token");  // whoever keeps the answer shall not keep the token
        if (!who) {
          (*shared)["status"] = {{"authenticated", false}, {"user", document::object()}, {"error", who.err().message}};
        } else {
          (*shared)["status"] = {{"authenticated", true}, {"user", user_document(who->user)}};
          if (!who->audiences.empty()) (*shared)["status"]["audiences"] = who->audiences;
        }
        call->respond(201, *shared);
      });
}

bool serve_issuer_documents(const call_ptr& call) {
  auto* issuer = call->core->options.issuer;
  const auto& path = call->target.path;
  const bool keys = path == "/openid/v1/jwks";
  if (!issuer || (!keys && path != "/.well-known/openid-configuration")) return false;
  auto doc = keys ? issuer->key_set() : issuer->discovery();
  if (!doc) call->respond(to_api_error(doc.err(), {}));
  else call->respond_text(200, dump_document(*doc), keys ? "application/jwk-set+json" : "application/json");
  return true;
}

answer<void> fill_token_secret(admission& a) {
  if (!a.creates() || string_at(a.object, {"type"}) != "kubernetes.io/service-account-token") return {};
  auto* issuer = a.call.core->options.issuer;
  if (!issuer) return {};
  const std::string account(annotation_of(a.object, account_annotation));
  const auto field = fmt::format("metadata.annotations[{}]", account_annotation);
  if (account.empty()) {
    a.errors.push_back({field_error_type::required, field, "", ""});
    return {};
  }
  auto uid = uid_at(a.call, {"serviceaccounts", a.call.path.ns, account});
  if (!uid) {
    a.errors.push_back({field_error_type::invalid, field, go_quote(account), "there is no such ServiceAccount"});
    return {};
  }
  token_order order{a.call.path.ns, account, *uid, {}};
  order.bound_kind = "secret";
  order.bound_name = name_of(a.object);
  order.bound_uid = uid_of(a.object);
  order.endless = true;
  auto made = issuer->issue(order);
  if (!made) return to_api_error(made.err(), a.key());
  a.object["metadata"]["annotations"]["kubernetes.io/service-account.uid"] = *uid;
  // The garbage collector takes the Secret when its ServiceAccount goes.
  a.object["metadata"]["ownerReferences"].push_back(
      {{"apiVersion", "v1"}, {"kind", "ServiceAccount"}, {"name", account}, {"uid", *uid}});
  a.object["data"]["token"] = to_base64(made->token);
  a.object["data"]["namespace"] = to_base64(a.call.path.ns);
  if (const auto ca = issuer->ca_pem(); !ca.empty()) a.object["data"]["ca.crt"] = to_base64(ca);
  return {};
}

}  // namespace wh
