"""The Python client's dynamic client: discovery cache, patches of each type, subresources, server-side apply."""

import json

from harness import eventually, main, manifest_work
from python_client import GROUP, PythonClientTest, client, connect, names, on_both, widget, widgets_definition

from kubernetes import dynamic
from kubernetes.dynamic.exceptions import ConflictError, DynamicApiError, NotFoundError, ResourceNotFoundError


class DynamicClient(PythonClientTest):
    @on_both
    def test_a_discovery_cache_and_what_it_does_not_know(self, api, ns):
        cache = self.world.path(f"discovery-{api.configuration.host[-5:]}.json")
        maps = dynamic.DynamicClient(api, cache_file=cache).resources.get(api_version="v1", kind="ConfigMap")
        self.assertEqual((maps.name, maps.namespaced, maps.short_names), ("configmaps", True, ["cm"]))
        maps.create(namespace=ns, body={"apiVersion": "v1", "kind": "ConfigMap", "data": {"k": "v"},
                                        "metadata": {"name": "d", "labels": {"x": "1"}}})
        for kind in ("strategic-merge-patch", "merge-patch"):
            how = {"name": "d", "namespace": ns, "content_type": f"application/{kind}+json"}
            self.assertEqual(maps.patch(body={"data": {"k": kind}}, **how).data.k, kind)
        self.assertEqual([i.metadata.name for i in maps.get(namespace=ns, label_selector="x=1").items], ["d"])
        whole = maps.get(name="d", namespace=ns)
        whole.data.k = "whole"
        self.assertEqual(maps.replace(body=whole, namespace=ns).data.k, "whole")

        # A kind that the cache does not know yet is found once it is there.
        cached = dynamic.DynamicClient(api, cache_file=cache)
        with self.assertRaises(ResourceNotFoundError):
            cached.resources.get(api_version=f"{GROUP}/v1", kind="Widget")
        definitions = client.ApiextensionsV1Api(api)
        definitions.create_custom_resource_definition(widgets_definition())
        widgets = cached.resources.get(api_version=f"{GROUP}/v1", kind="Widget")
        widgets.create(body=widget("w"), namespace=ns)
        told = widgets.status.patch(body={"metadata": {"name": "w"}, "status": {"seen": 1}}, namespace=ns,
                                    content_type="application/merge-patch+json")
        self.assertEqual((told.status.seen, told.spec.size), (1, 3))
        widgets.delete(name="w", namespace=ns)
        with self.assertRaises(NotFoundError):
            widgets.get(name="w", namespace=ns)
        definitions.delete_custom_resource_definition(f"widgets.{GROUP}")

    @on_both
    def test_server_side_apply_when_it_is_served(self, api, ns):
        maps = dynamic.DynamicClient(api).resources.get(api_version="v1", kind="ConfigMap")

        def apply(manager, force=None, **data):
            # As text: this version of the client cannot send an apply patch that is a dictionary.
            body = json.dumps({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}, "data": data})
            return maps.client.request("patch", maps.path(name="a", namespace=ns), body=body, field_manager=manager,
                                       force_conflicts=force, content_type="application/apply-patch+yaml")

        try:
            self.assertEqual(apply("one", k="1", j="1").to_dict()["data"], {"k": "1", "j": "1"})
        except DynamicApiError as e:
            if e.status != 415:
                raise
            self.skipTest("server-side apply is not served")
        with self.assertRaises(ConflictError):
            apply("two", k="2")
        self.assertEqual(apply("two", force=True, k="2").to_dict()["data"], {"k": "2", "j": "1"})
        self.assertEqual(apply("one").to_dict()["data"], {"k": "2"})
        managers = {m.manager for m in maps.get(name="a", namespace=ns).metadata.managedFields}
        self.assertEqual(managers, {"one", "two"})

    def test_works(self):
        works = dynamic.DynamicClient(connect(self.hub)).resources.get(
            api_version="work.open-cluster-management.io/v1", kind="ManifestWork")
        content = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "sent", "namespace": "default"}}
        works.create(body=manifest_work("w", [content]), namespace="c1")
        in_cluster = client.CoreV1Api(self.clients["cluster"])
        eventually("the work arrives", lambda: "sent" in names(in_cluster.list_namespaced_config_map("default")))

        def applied():
            told = works.get(name="w", namespace="c1").to_dict().get("status", {})
            return [c for c in told.get("conditions", []) if (c["type"], c["status"]) == ("Applied", "True")]

        eventually("the hub knows", applied)
        works.delete(name="w", namespace="c1")
        eventually("it goes", lambda: "sent" not in names(in_cluster.list_namespaced_config_map("default")))


if __name__ == "__main__":
    main()
