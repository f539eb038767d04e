#include "nodes/common/credential_plugin.hpp"

#include <sys/stat.h>

#include <catch2/catch.hpp>

#include "base/encoding.hpp"
#include "nodes/common/child_output.hpp"
#include "nodes/common/files.hpp"
#include "nodes/common/kubeconfig.hpp"
#include "tests/nodes/common/temporary_folder.hpp"

using namespace wh;
using namespace std::chrono_literals;
using Catch::Matchers::Contains;

namespace {

const std::string version = "client.authentication.k8s.io/v1";

std::string credential(const document& status) {
  return document{{"kind", "ExecCredential"}, {"apiVersion", version}, {"status", status}}.dump();
}

/// A plug-in that is this shell script.
document plugin(const std::string& script) {
  return {{"apiVersion", version}, {"command", "sh"}, {"args", {"-c", script}}, {"interactiveMode", "Never"}};
}

plugin_run how(duration timeout = 10s) {
  return {.kubeconfig = "k.yaml", .cluster = {{"server", "https://h"}}, .timeout = timeout};
}

std::string complaint(const document& exec, duration timeout = 10s) {
  const auto given = run_credential_plugin(exec, how(timeout));
  REQUIRE_FALSE(given);
  CHECK_THAT(given.err().message, Contains("k.yaml: the credential plug-in"));
  return given.err().message;
}

}  // namespace

TEST_CASE("a plug-in's token is taken, and it is told what it may know", "[kubeconfig]") {
  auto exec = plugin("printf '{\"kind\":\"ExecCredential\",\"apiVersion\":\"'" + version +
                     "'\",\"status\":{\"token\":\"%s-%s\"}}' \"$PART\" "
                     "\"$(printf %s \"$KUBERNETES_EXEC_INFO\" | grep -c '\"server\":\"https://h\"')\"");
  exec["env"] = document::array({{{"name", "PART"}, {"value", "secret"}}});
  const auto plain = run_credential_plugin(exec, how());
  REQUIRE(plain);
  CHECK(plain->token == "secret-0");
  exec["provideClusterInfo"] = true;
  const auto told = run_credential_plugin(exec, how());
  REQUIRE(told);
  CHECK(told->token == "secret-1");
}

TEST_CASE("a plug-in that does not work is named, with why", "[kubeconfig]") {
  CHECK_THAT(complaint(plugin("exit 3")), Contains("ended with exit code 3"));
  CHECK_THAT(complaint(plugin("kill -9 $$")), Contains("ended by signal 9"));
  CHECK_THAT(complaint(plugin("echo hello")), Contains("printed no JSON"));
  CHECK_THAT(complaint(plugin("echo '{}'")), Contains("did not print an ExecCredential"));
  CHECK_THAT(complaint(plugin("exec sleep 30"), 100ms), Contains("did not end in time"));
  CHECK_THAT(complaint(plugin("exec >&-; exec sleep 30"), 100ms), Contains("did not end in time"));
  CHECK_THAT(complaint(plugin("yes")), Contains("printed more than"));
  auto absent = plugin("");
  absent["command"] = "no-such-plug-in";
  absent["installHint"] = "get it at example.org";
  CHECK_THAT(complaint(absent), Contains("cannot be run") && Contains("get it at example.org"));
  auto old = plugin("");
  old["apiVersion"] = "client.authentication.k8s.io/v1alpha1";
  CHECK_THAT(complaint(old), Contains("v1 and v1beta1 are supported"));
  CHECK_THAT(complaint({{"apiVersion", version}}), Contains("exec.command is missing"));
}

TEST_CASE("an ExecCredential gives a token, a certificate with its key, or both", "[kubeconfig]") {
  CHECK(read_exec_credential(credential({{"token", "t"}}), version)->token == "t");
  const auto both = read_exec_credential(
      credential({{"clientCertificateData", "C"}, {"clientKeyData", "K"}, {"token", "t"}}), version);
  REQUIRE(both);
  CHECK(both->cert_pem == "C");
  CHECK(both->key_pem == "K");
  CHECK_FALSE(read_exec_credential(credential({{"clientCertificateData", "C"}}), version));
  CHECK_FALSE(read_exec_credential(credential(document::object()), version));
  CHECK_FALSE(read_exec_credential(credential({{"token", 7}}), version));
  CHECK_FALSE(read_exec_credential("[]", version));
  CHECK_FALSE(read_exec_credential("null", version));
  CHECK_FALSE(read_exec_credential(credential({{"token", "t"}}), "client.authentication.k8s.io/v1beta1"));
}

TEST_CASE("a kubeconfig's plug-in is beside it, and runs only where that is allowed", "[kubeconfig]") {
  const test::temporary_folder folder;
  REQUIRE(make_folder(folder.file("bin"), 0700));
  REQUIRE(write_file_atomically(folder.file("bin/login"),
                                "#!/bin/sh\necho '" + credential({{"token", "from-plug-in"}}) + "'\n", 0700));
  const auto text =
      "current-context: c\ncontexts: [{name: c, context: {cluster: k, user: u}}]\n"
      "clusters: [{name: k, cluster: {server: 'https://h', certificate-authority-data: " +
      to_base64("CA") + "}}]\nusers: [{name: u, user: {exec: {apiVersion: " + version +
      ", command: ./bin/login, interactiveMode: Never}}}]\n";
  const auto access = parse_kubeconfig(text, folder.file("config"), {.run_plugins = true});
  REQUIRE(access);
  CHECK(access->token == "from-plug-in");
  CHECK_FALSE(parse_kubeconfig(text, folder.file("config")));
}
