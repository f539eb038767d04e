#include "resources/internal/default_rules.hpp"

#include "base/assert.hpp"

namespace wh::internal {
namespace {

bool is_type(const document& object, std::string_view type) { return string_at(object, {"type"}) == type; }

void set_absent(document& object, const char* field, document value) {
  if (!object.contains(field)) object[field] = std::move(value);
}

/// Images that may change under their name are pulled each time.
void image_pull_policy(document& container) {
  const auto image = string_at(container, {"image"});
  const bool digest = image.find('@') != std::string_view::npos;
  const auto tag_at = image.rfind(':');
  const auto slash_at = image.rfind('/');
  const bool tagged = tag_at != std::string_view::npos && (slash_at == std::string_view::npos || tag_at > slash_at);
  const bool floating = !digest && (!tagged || image.substr(tag_at + 1) == "latest");
  set_absent(container, "imagePullPolicy", floating ? "Always" : "IfNotPresent");
}

void requests_from_limits(document& resources) {
  const auto limits = resources.find("limits");
  if (limits == resources.end() || !limits->is_object()) return;
  const auto wanted = *limits;
  auto& requests = resources["requests"];
  if (!requests.is_object()) requests = document::object();
  for (const auto& [name, quantity] : wanted.items()) set_absent(requests, name.c_str(), quantity);
}

void deployment_strategy(document& strategy) {
  if (!is_type(strategy, "RollingUpdate")) return;
  set_absent(strategy, "rollingUpdate", document::object());
  if (!strategy["rollingUpdate"].is_object()) return;
  set_absent(strategy["rollingUpdate"], "maxUnavailable", "25%");
  set_absent(strategy["rollingUpdate"], "maxSurge", "25%");
}

void daemon_set_strategy(document& strategy) {
  if (!is_type(strategy, "RollingUpdate")) return;
  set_absent(strategy, "rollingUpdate", document::object());
  if (!strategy["rollingUpdate"].is_object()) return;
  set_absent(strategy["rollingUpdate"], "maxUnavailable", 1);
  set_absent(strategy["rollingUpdate"], "maxSurge", 0);
}

void stateful_set_strategy(document& strategy) {
  if (!is_type(strategy, "RollingUpdate")) return;
  set_absent(strategy, "rollingUpdate", document::object());
  if (strategy["rollingUpdate"].is_object()) set_absent(strategy["rollingUpdate"], "partition", 0);
}

void target_port(document& port) {
  const auto it = port.find("port");
  if (it != port.end()) set_absent(port, "targetPort", document(*it));
}

void external_traffic_policy(document& spec) {
  if (is_type(spec, "NodePort") || is_type(spec, "LoadBalancer")) set_absent(spec, "externalTrafficPolicy", "Cluster");
  if (is_type(spec, "LoadBalancer")) set_absent(spec, "allocateLoadBalancerNodePorts", true);
  if (!is_type(spec, "ExternalName")) set_absent(spec, "internalTrafficPolicy", "Cluster");
}

void subject_group(document& subject) {
  const auto kind = string_at(subject, {"kind"});
  if (kind == "User" || kind == "Group") set_absent(subject, "apiGroup", "rbac.authorization.k8s.io");
}

/// A Job without completions runs as many as it runs at once.
void job_counts(document& spec) {
  if (!spec.contains("completions") && !spec.contains("parallelism")) spec["completions"] = 1;
  set_absent(spec, "parallelism", 1);
}

void network_policy_types(document& spec) {
  if (spec.contains("policyTypes")) return;
  spec["policyTypes"] = document::array({"Ingress"});
  if (spec.contains("egress")) spec["policyTypes"].push_back("Egress");
}

/// What a host-network pod listens on is what its host shows.
void host_network_ports(document& spec) {
  if (!bool_at(spec, {"hostNetwork"}, false)) return;
  for (const char* list : {"containers", "initContainers"}) {
    const auto containers = spec.find(list);
    if (containers == spec.end() || !containers->is_array()) continue;
    for (auto& container : *containers) {
      if (!container.is_object() || !container.contains("ports") || !container["ports"].is_array()) continue;
      for (auto& port : container["ports"]) {
        if (port.is_object() && port.contains("containerPort"))
          set_absent(port, "hostPort", document(port["containerPort"]));
      }
    }
  }
}

struct named_rule {
  std::string_view name;
  void (*apply)(document&);
};

constexpr named_rule rules[] = {
    {"image-pull-policy", image_pull_policy},
    {"requests-from-limits", requests_from_limits},
    {"deployment-strategy", deployment_strategy},
    {"daemon-set-strategy", daemon_set_strategy},
    {"stateful-set-strategy", stateful_set_strategy},
    {"target-port", target_port},
    {"external-traffic-policy", external_traffic_policy},
    {"subject-group", subject_group},
    {"job-counts", job_counts},
    {"network-policy-types", network_policy_types},
    {"host-network-ports", host_network_ports},
};

}  // namespace

void apply_default_rule(std::string_view rule, document& object) {
  for (const auto& known : rules) {
    if (known.name == rule) return known.apply(object);
  }
  WH_ASSERT(!"unknown default rule");
}

}  // namespace wh::internal
