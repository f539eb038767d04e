#include "nodes/ctl/commands.hpp"

#include <catch2/catch.hpp>
#include <sstream>

using namespace wh;
using namespace wh::ctl;
using Catch::Matchers::Contains;

namespace {

struct run {
  int code = -1;
  std::string out;
  std::string err;
};

run whctl(std::vector<const char*> arguments) {
  std::istringstream in;
  std::ostringstream out;
  std::ostringstream err;
  arguments.insert(arguments.begin(), "whctl");
  const ctl_streams streams{
      .in = &in,
      .around = {
          .variable = [](const std::string&) { return std::optional<std::string>(); }, .out = &out, .err = &err}};
  const int code = run_whctl(static_cast<int>(arguments.size()), arguments.data(), streams);
  return {.code = code, .out = out.str(), .err = err.str()};
}

}  // namespace

TEST_CASE("every command explains itself", "[ctl]") {
  const auto path = GENERATE(values<std::vector<const char*>>({{},
                                                               {"get"},
                                                               {"get", "token"},
                                                               {"get", "clusters"},
                                                               {"get", "works"},
                                                               {"get", "tokens"},
                                                               {"accept"},
                                                               {"deny"},
                                                               {"detach"},
                                                               {"import"},
                                                               {"revoke"},
                                                               {"revoke", "token"},
                                                               {"revoke", "certificate"},
                                                               {"create"},
                                                               {"create", "work"},
                                                               {"delete"},
                                                               {"delete", "work"},
                                                               {"version"}}));
  auto arguments = path;
  arguments.push_back("--help");
  const auto help = whctl(arguments);
  CHECK(help.code == 0);
  CHECK_THAT(help.out, Contains("Usage: whctl") && Contains("--kubeconfig FILE") && Contains("WHCTL_KUBECONFIG"));
}

TEST_CASE("wrong usage exits 2 and says what is missing", "[ctl]") {
  struct sample {
    std::vector<const char*> arguments;
    std::string message;
  };
  const auto s = GENERATE(values<sample>({
      {{"frobnicate"}, "unknown command \"frobnicate\""},
      {{"accept"}, "NAME... is missing"},
      {{"create", "work", "web", "--clusters", "c1"}, "-f FILE is required"},
      {{"create", "work", "web", "-f", "x.yaml"}, "--clusters NAMES is required"},
      {{"create", "work", "-f", "x.yaml", "--clusters", "c1"}, "NAME [FILE...] is missing"},
      {{"create", "work", "web", "-f", "x", "--clusters", "c", "--update-strategy", "Guess"}, "must be one of Update,"},
      {{"delete", "work", "web"}, "give either --clusters NAMES or --all-clusters"},
      {{"delete", "work", "web", "--clusters", "c1", "--all-clusters"}, "give either"},
      {{"get", "clusters", "-o", "xml"}, "--output: must be one of table,json,yaml"},
      {{"import"}, "--from-kubeconfig FILE is required"},
      {{"import", "--from-kubeconfig", "k", "--only", "addons"}, "--only: must be one of clusters,"},
      {{"deny"}, "NAME... is missing"},
      {{"detach", "--force"}, "NAME... is missing"},
      {{"revoke", "token"}, "give either ids of tokens or --all-expired"},
      {{"revoke", "token", "abcdef", "--all-expired"}, "give either"},
      {{"revoke", "certificate"}, "CLUSTER... is missing"},
      {{"get", "token", "--ttl", "0s"}, "--ttl: must be more than 0s"},
  }));
  const auto result = whctl(s.arguments);
  CHECK(result.code == 2);
  CHECK_THAT(result.err, Contains(s.message));
}

TEST_CASE("without a kubeconfig whctl says how to get one", "[ctl]") {
  const auto result = whctl({"get", "clusters"});
  CHECK(result.code == 1);
  CHECK_THAT(result.err, Contains("no kubeconfig") && Contains("admin.kubeconfig"));
  const auto absent = whctl({"--kubeconfig", "/nowhere/k", "get", "works"});
  CHECK(absent.code == 1);
  CHECK_THAT(absent.err, Contains("/nowhere/k"));
}

TEST_CASE("the client's version needs no hub", "[ctl]") {
  const auto result = whctl({"version", "--client"});
  CHECK(result.code == 0);
  CHECK_THAT(result.out, Contains("Client: "));
  CHECK_THAT(whctl({"version", "--client", "-o", "json"}).out, Contains("\"client\": "));
}
