// What one question to RBAC costs, with a thousand and with twenty thousand bindings of others around.
#include <chrono>
#include <cstdio>

#include "apiserver/access/default_roles.hpp"
#include "apiserver/api.hpp"

namespace {

using clock_type = std::chrono::steady_clock;

void put(wh::store& s, const std::string& resource, const std::string& ns, const std::string& name, wh::document doc) {
  doc["metadata"]["name"] = name;
  wh::batch b;
  b.puts.push_back({{resource + ".rbac.authorization.k8s.io", ns, name}, wh::encode_body(doc), {}});
  s.submit(std::move(b), [](const wh::result<wh::commit>&) {});
}

wh::document binding(const std::string& role, const std::string& kind, const std::string& subject) {
  return {{"roleRef", {{"kind", "ClusterRole"}, {"name", role}}},
          {"subjects", wh::document::array({{{"kind", kind}, {"name", subject}}})}};
}

double nanoseconds_per_question(const wh::authorizer& access, const wh::access_question& q) {
  constexpr int rounds = 200000;
  int yes = 0;
  const auto start = clock_type::now();
  for (int i = 0; i < rounds; ++i) yes += access.allows(q) ? 1 : 0;
  const std::chrono::duration<double, std::nano> took = clock_type::now() - start;
  if (yes != 0 && yes != rounds) std::printf("inconsistent\n");
  return took.count() / rounds;
}

void measure(int bindings) {
  auto s = wh::make_memory_store("bench");
  for (const auto& doc : wh::default_access(true))
    put(*s, wh::kind_of(doc) == "ClusterRole" ? "clusterroles" : "clusterrolebindings", "",
        std::string(wh::name_of(doc)), doc);
  for (int i = 0; i < bindings; ++i) {
    const auto n = std::to_string(i);
    put(*s, "rolebindings", "ns" + n, "b",
        binding("system:aggregate-to-edit", "User", "user" + std::to_string(i % 500)));
  }
  put(*s, "clusterrolebindings", "", "jane", binding("system:aggregate-to-view", "Group", "dev"));
  const auto access = wh::make_rbac_authorizer(*s);
  const std::vector<std::string> groups = {"dev", "ops", "system:authenticated"};
  const wh::access_question yes{{"jane", groups}, "list", "networking.k8s.io", "networkpolicies", "", "ns7", "", ""};
  const wh::access_question no{{"user7", groups}, "delete", "x.io", "things", "", "ns7", "x", ""};
  std::printf("%6d bindings: allowed %5.0f ns, refused %5.0f ns a question\n", bindings,
              nanoseconds_per_question(*access, yes), nanoseconds_per_question(*access, no));
}

}  // namespace

int main() {
  for (int bindings : {0, 1000, 20000}) measure(bindings);
}
