#include "nodes/common/authorities.hpp"

#include <cstdlib>

#include "nodes/common/files.hpp"

namespace wh {
namespace {

constexpr std::size_t authorities_bytes_max = std::size_t{16} << 20;

}  // namespace

std::vector<std::string> system_authorities() {
  if (const char* file = std::getenv("SSL_CERT_FILE"); file && *file) return {file};  // NOLINT(concurrency-mt-unsafe)
  return {"/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/ca-bundle.pem",
          "/etc/ssl/cert.pem"};
}

result<std::string> read_authorities(const std::string& file) {
  if (!file.empty()) return read_file(file, authorities_bytes_max);
  auto text = result<std::string>(fail(errc::not_found, "no authorities of the system"));
  for (const auto& candidate : system_authorities()) {
    text = read_file(candidate, authorities_bytes_max);
    if (text || text.err().code != errc::not_found) break;
  }
  return text;
}

}  // namespace wh
