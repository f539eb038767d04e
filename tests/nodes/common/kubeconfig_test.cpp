#include "nodes/common/kubeconfig.hpp"

#include <sys/stat.h>

#include <catch2/catch.hpp>
#include <map>
#include <optional>

#include "base/encoding.hpp"
#include "nodes/common/files.hpp"
#include "tests/nodes/common/temporary_folder.hpp"

using namespace wh;
using Catch::Matchers::Contains;

namespace {

kubeconfig_contents sample() {
  return {.name = "hub",
          .server = {.host = "127.0.0.1", .port = 6443},
          .ca_pem = "CA PEM\n",
          .identity = {.key_pem = "KEY PEM\n", .cert_pem = "CERT PEM\n"}};
}

/// A kubeconfig with these lines in the cluster's and the user's entry.
std::string config_with(const std::string& cluster, const std::string& user) {
  return "current-context: c\ncontexts: [{name: c, context: {cluster: k, user: u, namespace: n1}}]\n"
         "clusters:\n- name: k\n  cluster: {" +
         cluster + "}\nusers:\n- name: u\n  user: {" + user + "}\n";
}

const std::string good_cluster = "server: 'https://h:1', certificate-authority-data: " + to_base64("CA");

std::string message_of(const std::string& text) {
  const auto access = parse_kubeconfig(text, "k.yaml", {.authorities = {}});
  REQUIRE_FALSE(access);
  return access.err().message;
}

}  // namespace

TEST_CASE("a written kubeconfig reads back and is its owner's alone", "[kubeconfig]") {
  const test::temporary_folder folder;
  const auto path = folder.file("admin.kubeconfig");
  REQUIRE(write_kubeconfig(path, sample()));
  struct stat info = {};
  REQUIRE(::stat(path.c_str(), &info) == 0);
  CHECK((info.st_mode & 07777U) == 0600);
  const auto access = read_kubeconfig(path);
  REQUIRE(access);
  CHECK(access->server == sample().server);
  CHECK(access->tls.trusted_ca_pem == "CA PEM\n");
  CHECK(access->tls.identity.cert_pem == "CERT PEM\n");
  CHECK(access->tls.identity.key_pem == "KEY PEM\n");
  CHECK(access->tls.verify_host == "127.0.0.1");
  CHECK(access->token.empty());
  CHECK(access->origin == path);
}

TEST_CASE("certificates, keys and tokens may be files beside the kubeconfig", "[kubeconfig]") {
  const test::temporary_folder folder;
  REQUIRE(make_folder(folder.file("tls"), 0700));
  for (const auto* name : {"ca.crt", "tls.crt", "tls.key", "token"})
    REQUIRE(write_file_atomically(folder.file(std::string("tls/") + name), std::string(name) + "\n", 0600));
  const auto path = folder.file("config");
  REQUIRE(write_file_atomically(
      path,
      config_with("server: 'https://example.org/k8s/c1/', certificate-authority: tls/ca.crt, "
                  "tls-server-name: kubernetes",
                  "client-certificate: tls/tls.crt, client-key: tls/tls.key, tokenFile: tls/token"),
      0600));
  const auto access = read_kubeconfig(path);
  REQUIRE(access);
  CHECK(access->server == host_port{.host = "example.org", .port = 443});
  CHECK(access->path_prefix == "/k8s/c1");
  CHECK(access->tls.verify_host == "kubernetes");
  CHECK(access->tls.trusted_ca_pem == "ca.crt\n");
  CHECK(access->tls.identity.key_pem == "tls.key\n");
  CHECK(access->token == "token");
  CHECK(access->ns == "n1");
}

TEST_CASE("what a kubeconfig lacks is named together with the way out", "[kubeconfig]") {
  CHECK_THAT(message_of("a: 1"), Contains("k.yaml: no current-context"));
  CHECK_THAT(message_of("current-context: x"), Contains("contexts has no entry \"x\""));
  CHECK_THAT(message_of(config_with("server: 'https://h:1', proxy-url: 'http://p:3128'", "")),
             Contains("proxy-url is not supported"));
  CHECK_THAT(message_of(config_with(good_cluster, "auth-provider: {name: gcp}")), Contains("plug-in (auth-provider)"));
  CHECK_THAT(message_of(config_with(good_cluster, "username: x, password: y")), Contains("passwords"));
  CHECK_THAT(message_of(config_with(good_cluster, "as: root")), Contains("acting as somebody else (as)"));
  CHECK_THAT(message_of("[1, 2]"), Contains("k.yaml is no kubeconfig"));
  CHECK_THAT(message_of("a: [1"), Contains("k.yaml: "));
  CHECK_THAT(message_of(config_with("server: 'http://h:1'", "")), Contains("must be an https:// URL"));
  CHECK_THAT(message_of(config_with("server: 'https://h:1'", "")), Contains("no certificate-authority"));
  CHECK_THAT(message_of(config_with("server: 'https://h:1', insecure-skip-tls-verify: true", "")),
             Contains("insecure-skip-tls-verify is not supported"));
  CHECK_THAT(message_of(config_with(good_cluster, "exec: {command: x}")), Contains("plug-in (exec)"));
  CHECK_THAT(message_of(config_with(good_cluster, "client-key-data: " + to_base64("K"))), Contains("given together"));
  CHECK_THAT(message_of(config_with(good_cluster, "client-certificate: /nowhere/x")), Contains("/nowhere/x"));
  CHECK_THAT(message_of(config_with("server: 'https://h:1', certificate-authority-data: '%%'", "")),
             Contains("not base64"));
}

TEST_CASE("server URLs give host, port and path", "[kubeconfig]") {
  CHECK(parse_server_url("https://h:8443")->at == host_port{.host = "h", .port = 8443});
  CHECK(parse_server_url("https://h")->at.port == 443);
  CHECK(parse_server_url("https://[::1]:7")->at.port == 7);
  CHECK(parse_server_url("https://[::1]")->at.port == 443);
  CHECK(parse_server_url("https://h:1/a/b//")->path == "/a/b");
  CHECK_FALSE(parse_server_url("h:1"));
  CHECK_FALSE(parse_server_url("https://"));
  CHECK_FALSE(parse_server_url("https://h:99999"));
}

TEST_CASE("the kubeconfig comes from the flag, KUBECONFIG or the home folder, in this order", "[kubeconfig]") {
  const test::temporary_folder folder;
  std::map<std::string, std::string> environment = {{"HOME", folder.path()}};
  const auto variable = [&](const std::string& name) -> std::optional<std::string> {
    const auto it = environment.find(name);
    return it == environment.end() ? std::nullopt : std::optional(it->second);
  };
  CHECK_THAT(find_kubeconfig("", variable).err().message, Contains("admin.kubeconfig"));
  REQUIRE(make_folder(folder.file(".kube"), 0700));
  REQUIRE(write_file_atomically(folder.file(".kube/config"), "", 0600));
  CHECK(*find_kubeconfig("", variable) == folder.file(".kube/config"));
  REQUIRE(write_file_atomically(folder.file("second"), "", 0600));
  environment["KUBECONFIG"] = folder.file("first") + "::" + folder.file("second");
  CHECK(*find_kubeconfig("", variable) == folder.file("second"));
  environment["KUBECONFIG"] = folder.file("first");
  CHECK_THAT(find_kubeconfig("", variable).err().message, Contains("KUBECONFIG names no readable file"));
  CHECK(*find_kubeconfig("given", variable) == "given");
}

TEST_CASE("another context than the current one can be chosen", "[kubeconfig]") {
  const auto text =
      "contexts:\n- name: a\n  context: {cluster: k, user: u}\n- name: b\n  context: {cluster: k2, user: u}\n"
      "clusters:\n- name: k\n  cluster: {" +
      good_cluster +
      "}\n- name: k2\n  cluster: {server: 'https://other', "
      "certificate-authority-data: " +
      to_base64("CA") + "}\nusers:\n- name: u\n  user: {token: t}\n";
  const auto access = parse_kubeconfig(text, "k.yaml", {.context = "b"});
  REQUIRE(access);
  CHECK(access->server.host == "other");
  const auto absent = parse_kubeconfig(text, "k.yaml", {.context = "c"});
  REQUIRE_FALSE(absent);
  CHECK_THAT(absent.err().message, Contains("contexts has no entry \"c\"; there are: a, b"));
}

TEST_CASE("a server whose entry names no authority is checked against the system's", "[kubeconfig]") {
  const test::temporary_folder folder;
  REQUIRE(write_file_atomically(folder.file("roots.pem"), "ROOTS\n", 0600));
  const auto access = parse_kubeconfig(config_with("server: 'https://h'", "token: t"), "k.yaml",
                                       {.authorities = {folder.file("none"), folder.file("roots.pem")}});
  REQUIRE(access);
  CHECK(access->tls.trusted_ca_pem == "ROOTS\n");
}

TEST_CASE("a token file is newer than the token beside it", "[kubeconfig]") {
  const test::temporary_folder folder;
  REQUIRE(write_file_atomically(folder.file("token"), "new\n", 0600));
  const auto access =
      parse_kubeconfig(config_with(good_cluster, "token: old, tokenFile: token"), folder.file("k.yaml"));
  REQUIRE(access);
  CHECK(access->token == "new");
}
