#pragma once
#include <optional>
#include <string>
#include <vector>

#include "nodes/ctl/console.hpp"

namespace wh::ctl {

struct create_user_options {
  std::string name = {};
  std::vector<std::string> groups = {};
  std::optional<duration> life = {};  ///< of the certificate; none: as long as the hub signs for
  std::string file = {};              ///< where the kubeconfig goes; empty: it is printed
  bool force = false;                 ///< replace the file if it exists
  duration timeout = std::chrono::seconds(30);
};

/// `whctl create user`: a key that never leaves this machine, a request for its certificate, its approval, and a kubeconfig
/// of both. Whoever runs it must be allowed to create and approve CertificateSigningRequests.
int create_user(console& c, const create_user_options& options);

/// The request as it is created; its name is the server's choice.
document user_request(const std::string& csr_pem, const create_user_options& options);

}  // namespace wh::ctl
