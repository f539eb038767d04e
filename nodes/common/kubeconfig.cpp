#include "nodes/common/kubeconfig.hpp"

#include "base/encoding.hpp"
#include "nodes/common/files.hpp"
#include "resources/document.hpp"

namespace wh {

std::string kubeconfig_text(const kubeconfig_contents& contents) {
  const document cluster = {{"server", "https://" + contents.server.text()},
                            {"certificate-authority-data", to_base64(contents.ca_pem)}};
  const document user = {{"client-certificate-data", to_base64(contents.identity.cert_pem)},
                         {"client-key-data", to_base64(contents.identity.key_pem)}};
  const document context = {{"cluster", contents.name}, {"user", contents.name}};
  // Brace initialisation would take {{"name", …}} lists for objects, hence the explicit arrays.
  const document whole = {
      {"apiVersion", "v1"},
      {"kind", "Config"},
      {"current-context", contents.name},
      {"clusters", document::array({document{{"name", contents.name}, {"cluster", cluster}}})},
      {"users", document::array({document{{"name", contents.name}, {"user", user}}})},
      {"contexts", document::array({document{{"name", contents.name}, {"context", context}}})},
  };
  return to_yaml(whole);
}

result<void> write_kubeconfig(const std::string& path, const kubeconfig_contents& contents) {
  return write_file_atomically(path, kubeconfig_text(contents), 0600);
}

}  // namespace wh
