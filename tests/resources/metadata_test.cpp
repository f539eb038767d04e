#include <catch2/catch.hpp>

#include "resources/kinds.hpp"

using namespace wh;

namespace {

kind_info kind(const char* name, bool namespaced, const char* group = "") {
  kind_info out;
  out.group = group;
  out.kind = name;
  out.namespaced = namespaced;
  return out;
}

std::vector<std::string> fields(const kind_info& k, const char* metadata) {
  std::vector<std::string> out;
  for (const auto& e : validate_metadata(k, {{"metadata", document::parse(metadata)}})) out.push_back(e.field);
  return out;
}

using texts = std::vector<std::string>;

}  // namespace

TEST_CASE("names follow their kind's rule", "[metadata]") {
  const auto map = kind("ConfigMap", true);
  CHECK(fields(map, R"({"name":"a.b-c","namespace":"n"})").empty());
  CHECK(fields(map, R"({"name":"A","namespace":"n"})") == texts{"metadata.name"});
  CHECK(fields(map, R"({"namespace":"n"})") == texts{"metadata.name"});
  CHECK(fields(map, R"({"generateName":"x-","namespace":"n"})").empty());
  CHECK(fields(map, R"({"generateName":"X-","namespace":"n"})") == texts{"metadata.generateName"});
  CHECK(fields(kind("Namespace", false), R"({"name":"a.b"})") == texts{"metadata.name"});
  CHECK(fields(kind("Service", true), R"({"name":"1a","namespace":"n"})") == texts{"metadata.name"});
  const auto role = kind("ClusterRole", false, "rbac.authorization.k8s.io");
  CHECK(fields(role, R"({"name":"open-cluster-management:managedcluster:c1"})").empty());
  CHECK(fields(role, R"({"name":"a/b"})") == texts{"metadata.name"});
  CHECK(fields(map, ("{\"namespace\":\"n\",\"name\":\"" + std::string(253, 'a') + "\"}").c_str()).empty());
  CHECK(fields(map, ("{\"namespace\":\"n\",\"name\":\"" + std::string(254, 'a') + "\"}").c_str()) ==
        texts{"metadata.name"});
}

TEST_CASE("the namespace must fit the scope", "[metadata]") {
  CHECK(fields(kind("ConfigMap", true), R"({"name":"a"})") == texts{"metadata.namespace"});
  CHECK(fields(kind("ConfigMap", true), R"({"name":"a","namespace":"a.b"})") == texts{"metadata.namespace"});
  CHECK(fields(kind("Node", false), R"({"name":"a","namespace":"n"})") == texts{"metadata.namespace"});
}

TEST_CASE("labels, annotations and finalizers have their syntax", "[metadata]") {
  const auto node = kind("Node", false);
  CHECK(
      fields(
          node,
          R"({"name":"a","labels":{"example.com/x":"y","z":""},"annotations":{"A.b/c":"any text"},"finalizers":["example.com/f"]})")
          .empty());
  CHECK(fields(node, R"({"name":"a","labels":{"-x":"y"}})") == texts{"metadata.labels"});
  CHECK(fields(node, R"({"name":"a","labels":{"x":"a b"}})") == texts{"metadata.labels"});
  CHECK(fields(node, R"({"name":"a","annotations":{"a/b/c":""}})") == texts{"metadata.annotations"});
  CHECK(fields(node, R"({"name":"a","finalizers":["a b"]})") == texts{"metadata.finalizers[0]"});
  const auto fat = "{\"name\":\"a\",\"annotations\":{\"k\":\"" + std::string(256 * 1024, 'x') + "\"}}";
  CHECK(fields(node, fat.c_str()) == texts{"metadata.annotations"});
}

TEST_CASE("owner references are complete and have one controller", "[metadata]") {
  const auto node = kind("Node", false);
  CHECK(fields(
            node,
            R"({"name":"a","ownerReferences":[{"apiVersion":"v1","kind":"X","name":"x","uid":"1","controller":true}]})")
            .empty());
  CHECK(fields(node, R"({"name":"a","ownerReferences":[{"apiVersion":"v1","kind":"X","name":"x"}]})") ==
        texts{"metadata.ownerReferences[0].uid"});
  CHECK(fields(node,
               R"({"name":"a","ownerReferences":[{"apiVersion":"v1","kind":"X","name":"x","uid":"1","controller":true},
                                                       {"apiVersion":"v1","kind":"X","name":"y","uid":"2","controller":true}]})") ==
        texts{"metadata.ownerReferences"});
}
