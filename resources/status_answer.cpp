#include "resources/status_answer.hpp"

#include "resources/document.hpp"

namespace wh {
namespace {

errc code_of(int http_status, std::string_view reason) {
  if (reason == "AlreadyExists") return errc::already_exists;
  switch (http_status) {
    case 401: return errc::unauthorized;
    case 403: return errc::forbidden;
    case 404: return errc::not_found;
    case 409: return errc::conflict;
    case 410: return errc::gone;
    case 413: return errc::too_large;
    case 405:
    case 415: return errc::unsupported;
    case 429: return errc::busy;
    case 503: return errc::unavailable;
    case 504: return errc::timeout;
    default: return http_status >= 500 ? errc::internal : errc::invalid;
  }
}

}  // namespace

error error_of_answer(int http_status, std::string_view body) {
  const auto status = parse_json(body);
  const auto message = status ? string_at(*status, {"message"}) : std::string_view();
  const auto reason = status ? string_at(*status, {"reason"}) : std::string_view();
  if (!message.empty()) return fail(code_of(http_status, reason), std::string(message));
  return fail(code_of(http_status, reason), "the server answered HTTP " + std::to_string(http_status) +
                                                (body.empty() ? "" : ": " + std::string(body.substr(0, 200))));
}

}  // namespace wh
