#pragma once
#include <string>
#include <vector>

#include "base/result.hpp"

namespace wh {

/// Files with the authorities that the system trusts, of which the first that exists counts: $SSL_CERT_FILE, or where
/// distributions keep them.
std::vector<std::string> system_authorities();

/// The text of `file` (PEM, several certificates), or, where that is empty, of the first of system_authorities() that
/// exists. The error names the file.
result<std::string> read_authorities(const std::string& file);

}  // namespace wh
