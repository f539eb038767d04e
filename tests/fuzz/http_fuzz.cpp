// The request and response readers on any bytes: however they are cut into pieces, the requests seen are the same,
// memory stays within the limits, and nothing is read beyond the end.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/assert.hpp"
#include "transport/http_request_reader.hpp"
#include "transport/http_response_reader.hpp"

namespace {

constexpr std::size_t header_max = 2048;
constexpr std::size_t body_max = 4096;
using outcome = wh::http_request_reader::outcome;

/// Every request in the bytes, then how reading ended.
std::vector<std::string> read_requests(std::string_view bytes, std::size_t step) {
  std::vector<std::string> seen;
  wh::http_request_reader reader(header_max, body_max);
  for (std::size_t at = 0; at < bytes.size(); at += step) {
    reader.append(bytes.substr(at, step));
    outcome got = reader.advance();
    for (; got == outcome::complete; got = reader.advance()) {
      const auto request = reader.take();
      WH_ASSERT(request.body.size() <= body_max);
      seen.push_back(request.method + " " + request.target + " " + request.body);
    }
    if (got == outcome::refused) {
      WH_ASSERT(reader.refusal().status >= 400 && reader.refusal().status < 600);
      seen.emplace_back("refused");
      break;
    }
  }
  return seen;
}

void read_response(std::string_view bytes, std::size_t step) {
  wh::http_response_reader reader(false);
  for (std::size_t at = 0; at < bytes.size() && !reader.complete(); at += step)
    if (!reader.append(bytes.substr(at, step))) return;
  static_cast<void>(reader.end_of_input().ok());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0 || size > 16384) return 0;
  const std::size_t step = data[0] % 64 + 1;
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  const auto whole = read_requests(bytes, bytes.size() + 1);
  const auto pieces = read_requests(bytes, step);
  // A refusal may come at another piece, but never may other requests be seen before it.
  const std::size_t common = std::min(whole.size(), pieces.size());
  for (std::size_t i = 0; i < common; ++i)
    WH_ASSERT(whole[i] == pieces[i] || whole[i] == "refused" || pieces[i] == "refused");
  read_response(bytes, step);
  return 0;
}
