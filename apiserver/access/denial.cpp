#include "apiserver/access/denial.hpp"

#include <fmt/format.h>

#include "apiserver/core.hpp"
#include "apiserver/list_options.hpp"

namespace wh {

access_question question_of(const api_call& call) {
  access_question q;
  q.user = call.request.user;
  q.verb = call.verb;
  if (call.path.resource.empty()) {
    q.non_resource_path = call.target.path;
    return q;
  }
  q.group = call.path.group;
  q.resource = call.path.resource;
  q.subresource = call.path.subresource;
  q.ns = call.path.ns;
  q.name = call.path.name;
  // A namespace is in itself, so that a Role in it can grant reading it.
  if (q.group.empty() && q.resource == "namespaces") q.ns = q.name;
  // A list of one name is a matter of that name: resourceNames apply.
  if (q.name.empty() && (q.verb == "list" || q.verb == "watch" || q.verb == "deletecollection"))
    if (auto fields = parse_field_selector(call.target.param("fieldSelector"))) q.name = fields->name();
  return q;
}

api_error denial(const access_question& q) {
  if (!q.non_resource_path.empty())
    return forbidden_error(
        "", "", fmt::format("User {} cannot {} path {}", go_quote(q.user.name), q.verb, go_quote(q.non_resource_path)));
  auto resource = q.subresource.empty() ? q.resource : q.resource + "/" + q.subresource;
  auto where = q.ns.empty() ? std::string("at the cluster scope") : fmt::format("in the namespace {}", go_quote(q.ns));
  auto qualified = q.group.empty() ? q.resource : q.resource + "." + q.group;
  return forbidden_error(qualified, q.name,
                         fmt::format("User {} cannot {} resource {} in API group {} {}", go_quote(q.user.name), q.verb,
                                     go_quote(resource), go_quote(q.group), where));
}

}  // namespace wh
