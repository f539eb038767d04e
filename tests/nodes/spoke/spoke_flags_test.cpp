#include "nodes/spoke/spoke_flags.hpp"

#include <catch2/catch.hpp>

#include "../common/temporary_folder.hpp"
#include "nodes/common/files.hpp"

using namespace wh;
using Catch::Matchers::Contains;

namespace {

std::string complaint(const spoke_flags& flags) {
  spoke_options options;
  const auto read = read_flags(flags, options);
  return read ? "" : read.err().message;
}

}  // namespace

TEST_CASE("URLs, annotations and gates of the command line become options", "[flags]") {
  spoke_flags flags;
  flags.cluster_urls = {"https://c1.example:6443", "https://[::1]:6443"};
  flags.annotations = {"agent.open-cluster-management.io/region=eu=1"};
  flags.gates = {"ClusterProperty=true", "ClusterClaim=false"};
  flags.custom_claims_max = 7;
  spoke_options options;
  REQUIRE(read_flags(flags, options));
  CHECK(options.flags.client_configs.size() == 2);
  CHECK(options.flags.client_configs.at("https://c1.example:6443").empty());
  CHECK(options.flags.annotations ==
        std::map<std::string, std::string>{{"agent.open-cluster-management.io/region", "eu=1"}});
  CHECK(options.gates.cluster_property);
  CHECK_FALSE(options.gates.cluster_claim);
  CHECK(options.claims.custom_max == 7);
}

TEST_CASE("what is wrong with a flag is said with its name", "[flags]") {
  spoke_flags flags;
  flags.cluster_urls = {"http://plain"};
  CHECK_THAT(complaint(flags), Contains("--cluster-url http://plain"));
  flags = {};
  flags.cluster_ca_file = "/nowhere";
  CHECK_THAT(complaint(flags), Contains("no --cluster-url"));
  flags.cluster_urls = {"https://c1"};
  CHECK_THAT(complaint(flags), Contains("--cluster-ca") && Contains("/nowhere"));
  for (const auto* wrong : {"region=eu", "agent.open-cluster-management.io/=x", "agent.open-cluster-management.io/k"}) {
    flags = {};
    flags.annotations = {wrong};
    CHECK_THAT(complaint(flags), Contains("--cluster-annotation") && Contains("agent.open-cluster-management.io/"));
  }
  flags = {};
  flags.gates = {"Nonsense=true"};
  CHECK_THAT(complaint(flags), Contains("Nonsense is unknown"));
  flags.gates = {"ClusterProperty"};
  CHECK_THAT(complaint(flags), Contains("true or false"));
  flags = {};
  flags.custom_claims_max = 100000;
  CHECK_THAT(complaint(flags), Contains("--max-custom-cluster-claims"));
}

TEST_CASE("the authority of the URLs is read from its file, which must be one", "[flags]") {
  const test::temporary_folder folder;
  const auto file = folder.file("ca.pem");
  REQUIRE(write_file_atomically(file, "no certificate", 0600));
  spoke_flags flags;
  flags.cluster_urls = {"https://c1"};
  flags.cluster_ca_file = file;
  CHECK_THAT(complaint(flags), Contains("no certificate in PEM"));
  const std::string pem = "-----BEGIN CERTIFICATE-----\nMA==\n-----END CERTIFICATE-----\n";
  REQUIRE(write_file_atomically(file, pem, 0600));
  spoke_options options;
  REQUIRE(read_flags(flags, options));
  CHECK(options.flags.client_configs.at("https://c1") == pem);
}

TEST_CASE("at most ten suffixes of reserved claims", "[flags]") {
  spoke_options options;
  options.data_dir = "somewhere";
  options.claims.reserved_suffixes.assign(10, ".x");
  CHECK(validate(options));
  options.claims.reserved_suffixes.emplace_back(".y");
  CHECK_FALSE(validate(options));
}
