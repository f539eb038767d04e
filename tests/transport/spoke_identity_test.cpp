#include "transport/spoke_identity.hpp"

#include <catch2/catch.hpp>

using namespace wh;

TEST_CASE("a spoke's identity is read from whole segments", "[transport][identity]") {
  const spoke_identity c1{"c1", "a1"};
  const std::string group = "system:open-cluster-management:c1",
                    all = "system:open-cluster-management:managed-clusters";
  CHECK(identity_of({group + ":a1", {group, all}}).value() == c1);
  CHECK(identity_of({group + ":a1", {all, group}}).value() == c1);
  CHECK(identity_of(subject_of(c1)).value() == c1);
  const auto refused_subject = [](const std::string& cn, std::vector<std::string> groups) {
    const auto got = identity_of({cn, std::move(groups)});
    return !got.ok() && got.err().code == errc::forbidden;
  };
  CHECK(refused_subject(group, {group, all}));
  CHECK(refused_subject(group + ":", {group, all}));
  CHECK(refused_subject(group + ":a1:x", {group, all}));
  CHECK(refused_subject(group + "x:a1", {group, all}));
  CHECK(refused_subject("system:open-cluster-managementx:c1:a1", {group, all}));
  CHECK(refused_subject("system:open-cluster-management::a1", {"system:open-cluster-management:", all}));
  CHECK(refused_subject(group + ":a1", {group}));
  CHECK(refused_subject(group + ":a1", {group, group}));
  CHECK(refused_subject(group + ":a1", {group, all, "system:masters"}));
  CHECK(refused_subject(group + ":a1", {"system:open-cluster-management:c2", all}));
  CHECK(refused_subject("system:open-cluster-management:managed-clusters:a1", {all, all}));
  CHECK(refused_subject("admin", {"system:masters"}));
}

TEST_CASE("a subject with any character changed is another identity or none", "[transport][identity]") {
  const spoke_identity c1{"c1", "a1"};
  const auto sound = subject_of(c1);
  const auto check = [&](const subject& damaged) {
    const auto got = identity_of(damaged);
    if (!got) return;
    CHECK(subject_of(*got).common_name == damaged.common_name);
    CHECK(subject_of(*got).organizations[0] == damaged.organizations[0]);
    // Who wants to be another cluster has to be in its group, too.
    if (damaged.organizations == sound.organizations) CHECK(got->cluster == c1.cluster);
  };
  for (int value = 0; value < 256; ++value) {
    for (std::size_t at = 0; at < sound.common_name.size(); ++at) {
      auto damaged = sound;
      damaged.common_name[at] = static_cast<char>(value);
      check(damaged);
    }
    for (std::size_t at = 0; at < sound.organizations[0].size(); ++at) {
      auto damaged = sound;
      damaged.organizations[0][at] = static_cast<char>(value);
      check(damaged);
    }
  }
}
