// What a proxy answers, and the URL that names it. The first byte says which. However the answer is cut into pieces, the
// verdict on the whole must not change once it has been given.
#include <cstdint>
#include <cstdlib>

#include "transport/proxy.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  if (data[0] == 'u') {
    const auto proxy = wh::parse_proxy_url(text);
    if (proxy && (!proxy->credentials.empty() && !wh::check_proxy_credentials(proxy->credentials))) std::abort();
    if (proxy && !wh::parse_proxy_url(proxy->text())) std::abort();
    return 0;
  }
  const auto whole = wh::read_connect_answer(text);
  if (whole.is == wh::connect_answer::state::opened && !text.starts_with("HTTP/1.")) std::abort();
  for (std::size_t n = 0; n < text.size() && n < 64; ++n) (void)wh::read_connect_answer(text.substr(0, n));
  return 0;
}
