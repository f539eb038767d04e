#include "apiserver/access/denial.hpp"

#include <fmt/format.h>

namespace wh {

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
