// Bearer tokens and key sets: strangers send them. The first byte says which; what is read must survive its use.
#include <cstdint>

#include "apiserver/tokens/bootstrap_tokens.hpp"
#include "apiserver/tokens/jwt.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  if (data[0] == 'k') {
    const auto doc = wh::parse_json(text);
    if (doc)
      if (const auto key = wh::read_jwk(*doc)) (void)(*key)->verify("text", "signature");
    return 0;
  }
  (void)wh::bootstrap_tokens::has_form(text);
  const auto token = wh::parse_jwt(text);
  if (!token) return 0;
  static const auto key = *wh::open_ec_token_key(
      std::string("\x60\xfe\xd4\xba\x25\x5a\x9d\x31\xc9\x61\xeb\x74\xc6\x35\x6d\x68\xc0\x49\xb8\x92\x3b\x61\xfa\x6c\xe6"
                  "\x69\x62\x2e\x60\xf2\x9f\xb6",
                  32),
      std::string("\x79\x03\xfe\x10\x08\xb8\xbc\x99\xa4\x1a\xe9\xe9\x56\x28\xbc\x64\xf2\xf1\xb2\x0c\x2d\x7e\x9f\x51\x77"
                  "\xa3\xc2\x94\xd4\x46\x22\x99",
                  32));
  (void)wh::is_signed_by(*token, *key);
  (void)wh::audiences_of(token->claims);
  (void)wh::check_dates(token->claims, wh::instant{}, std::chrono::seconds(10), true);
  return 0;
}
