// Serves the kinds of a hub or a cluster from a memory store over HTTPS and writes an administrator's kubeconfig: for
// trying clients against the API alone. Namespaces that are deleted stay Terminating, since no actors run here.
#include <CLI/CLI.hpp>
#include <chrono>
#include <condition_variable>
#include <fstream>
#include <iostream>
#include <mutex>
#include <random>

#include "apiserver/https_front.hpp"
#include "apiserver/local_reply.hpp"
#include "base/encoding.hpp"

using namespace wh;

namespace {

instant clock_now() { return std::chrono::time_point_cast<duration>(std::chrono::system_clock::now()); }

template <class T>
T must(result<T> r, const char* what) {
  if (r) return std::move(*r);
  std::cerr << what << ": " << r.err().message << "\n";
  std::exit(1);
}

struct authority {
  key_and_cert ca;
  instant from = clock_now() - std::chrono::hours(1);
  instant until = clock_now() + std::chrono::hours(24 * 30);

  authority() {
    ca.key_pem = must(generate_key(), "key");
    ca.cert_pem = must(make_ca_certificate(ca.key_pem, "try-ca", from, until), "CA");
  }
  key_and_cert leaf(const std::string& name, std::vector<std::string> groups, bool server) {
    leaf_profile p;
    p.subj = {name, std::move(groups)};
    p.server_auth = server;
    p.client_auth = !server;
    if (server) p.dns_names = {"localhost"}, p.ip_addresses = {"127.0.0.1"};
    p.not_before = from;
    p.not_after = until;
    auto key = must(generate_key(), "key");
    return {key, must(issue_for_key(ca, key, p), "certificate")};
  }
};

std::string kubeconfig(const std::string& server, const std::string& ca, const key_and_cert& user) {
  return "apiVersion: v1\nkind: Config\nclusters:\n- name: try\n  cluster:\n    server: " + server +
         "\n    certificate-authority-data: " + to_base64(ca) +
         "\nusers:\n- name: user\n  user:\n    client-certificate-data: " + to_base64(user.cert_pem) +
         "\n    client-key-data: " + to_base64(user.key_pem) +
         "\ncontexts:\n- name: try\n  context: {cluster: try, user: user}\ncurrent-context: try\n";
}

void write_file(const std::string& path, const std::string& text) {
  std::ofstream out(path);
  out << text;
  if (!out.flush()) std::cerr << "cannot write " << path << "\n", std::exit(1);
}

/// The namespaces that every cluster has, made as a client would make them.
void make_namespace(api_server& api, const std::string& name) {
  api_request r;
  r.method = "POST";
  r.target = "/api/v1/namespaces";
  r.body = document({{"metadata", {{"name", name}}}}).dump();
  r.user = {"system:apiserver", {"system:masters"}};
  api.handle(std::move(r), std::make_shared<local_reply>([](const api_response&) {}));
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Kubernetes-style API on a memory store");
  std::string set = "hub";
  std::string config_path = "kubeconfig";
  std::string user_path;
  std::string user_name = "user";
  std::uint16_t port = 0;
  app.add_option("--kinds", set, "hub or cluster")->check(CLI::IsMember({"hub", "cluster"}));
  app.add_option("--kubeconfig", config_path, "where the administrator's kubeconfig goes");
  app.add_option("--user-kubeconfig", user_path, "where the kubeconfig of a user without rights goes");
  app.add_option("--user", user_name, "name of that user");
  app.add_option("--port", port, "0: any");
  CLI11_PARSE(app, argc, argv);

  auto data = make_memory_store("try");
  kind_registry kinds;
  add_builtin_kinds(kinds, set == "hub" ? kind_set::hub : kind_set::cluster);
  auto gate = make_store_gate(*data);
  auto access = make_rbac_authorizer(*data);
  event_loop loop(1);
  api_options o;
  o.data = data.get();
  o.kinds = &kinds;
  o.gate = gate.get();
  o.access = access.get();
  o.now = clock_now;
  o.seed = std::random_device{}();
  o.after = [&loop](duration d, std::function<void()> f) { loop.after(d, std::move(f)); };
  auto api = make_api_server(o);
  for (const char* ns : {"default", "kube-system", "kube-public"}) make_namespace(*api, ns);

  authority ca;
  tls_config tls;
  tls.identity = ca.leaf("try-server", {}, true);
  tls.chain_pem = ca.ca.cert_pem;
  tls.trusted_ca_pem = ca.ca.cert_pem;
  auto server = must(serve_api(loop, {"127.0.0.1", port}, tls, {}, *api), "listen");
  auto url = "https://" + server->local().text();
  write_file(config_path, kubeconfig(url, ca.ca.cert_pem, ca.leaf("admin", {"system:masters"}, false)));
  if (!user_path.empty()) write_file(user_path, kubeconfig(url, ca.ca.cert_pem, ca.leaf(user_name, {"users"}, false)));
  std::cout << url << std::endl;

  std::mutex mutex;
  std::condition_variable ended;
  bool over = false;
  loop.on_terminate([&](int) {
    std::lock_guard lock(mutex);
    over = true;
    ended.notify_all();
  });
  std::unique_lock lock(mutex);
  ended.wait(lock, [&] { return over; });
  lock.unlock();
  api->drain();
  server->drain(std::chrono::seconds(2));
  loop.stop();
}
