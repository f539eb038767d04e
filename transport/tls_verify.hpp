#pragma once
#include <string>

#include "transport/openssl.hpp"
#include "transport/tls.hpp"

namespace wh {

/// What checking a peer's chain found: whether it is believed and, if not, why in words for the operator.
struct verify_outcome {
  bool ok = false;
  std::string why;
  std::string pinned_ca_pem;  ///< the CA that the pin matched
};

/// Checks the chain that a server presented: trusted CAs and/or the pin, purpose, host.
verify_outcome verify_server(X509_STORE_CTX* store, const tls_context& context);

/// Checks the chain that a client presented: trusted CAs, purpose, and a subject with one reading.
verify_outcome verify_client(X509_STORE_CTX* store);

}  // namespace wh
