#include "base/result.hpp"

namespace wh {

std::string_view to_string(errc code) {
  switch (code) {
    case errc::invalid: return "invalid";
    case errc::not_found: return "not_found";
    case errc::already_exists: return "already_exists";
    case errc::conflict: return "conflict";
    case errc::forbidden: return "forbidden";
    case errc::unauthorized: return "unauthorized";
    case errc::gone: return "gone";
    case errc::too_large: return "too_large";
    case errc::unsupported: return "unsupported";
    case errc::unavailable: return "unavailable";
    case errc::read_only: return "read_only";
    case errc::busy: return "busy";
    case errc::io: return "io";
    case errc::corrupt: return "corrupt";
    case errc::timeout: return "timeout";
    case errc::internal: return "internal";
    case errc::discarded: return "discarded";
    case errc::malformed: return "malformed";
  }
  return "unknown";  // a newer peer's code
}

}  // namespace wh
