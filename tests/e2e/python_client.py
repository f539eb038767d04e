"""What the tests with the official Python client share. The module is Debian's python3-kubernetes."""

import functools
import json
import sys

from harness import E2eTest, Hub

try:
    from kubernetes import client, config
    from kubernetes.client.rest import ApiException
except ImportError:
    print("skipped: the Python module kubernetes is missing (Debian: python3-kubernetes; scripts/test installs it)")
    sys.exit(77)

GROUP = "test.wheelhouse.example"


def connect(at):
    """A client of a Hub or a Spoke; `at.api` waits until a spoke serves its cluster."""
    return at.api and config.new_client_from_config(config_file=at.kubeconfig)


def config_map(name, labels=None, **data):
    return client.V1ConfigMap(metadata=client.V1ObjectMeta(name=name, labels=labels), data=data)


def names(answer):
    return [item.metadata.name for item in answer.items]


def widget(name, **spec):
    return {"apiVersion": f"{GROUP}/v1", "kind": "Widget", "metadata": {"name": name}, "spec": spec}


def widgets_definition():
    """A namespaced kind with a default, a status and a scale subresource."""
    spec = client.V1JSONSchemaProps(type="object", properties={
        "size": client.V1JSONSchemaProps(type="integer", default=3, maximum=100),
        "color": client.V1JSONSchemaProps(type="string")})
    status = client.V1JSONSchemaProps(type="object", x_kubernetes_preserve_unknown_fields=True)
    schema = client.V1JSONSchemaProps(type="object", properties={"spec": spec, "status": status})
    version = client.V1CustomResourceDefinitionVersion(
        name="v1", served=True, storage=True,
        subresources=client.V1CustomResourceSubresources(status={}, scale=client.V1CustomResourceSubresourceScale(
            spec_replicas_path=".spec.size", status_replicas_path=".status.size")),
        schema=client.V1CustomResourceValidation(open_apiv3_schema=schema))
    return client.V1CustomResourceDefinition(
        metadata=client.V1ObjectMeta(name=f"widgets.{GROUP}"),
        spec=client.V1CustomResourceDefinitionSpec(
            group=GROUP, scope="Namespaced", versions=[version],
            names=client.V1CustomResourceDefinitionNames(plural="widgets", kind="Widget", short_names=["wdg"])))


def on_both(test):
    """Runs a test with a client of the hub, then of the cluster, each in a new namespace."""

    @functools.wraps(test)
    def run(self):
        for where, api in self.clients.items():
            ns = test.__name__.removeprefix("test_").replace("_", "-")
            with self.subTest(where):
                metadata = client.V1ObjectMeta(name=ns)
                client.CoreV1Api(api).create_namespace(client.V1Namespace(metadata=metadata))
                test(self, api, ns)

    return run


class PythonClientTest(E2eTest):
    """A hub, a spoke, and a client of the hub and of the spoke's embedded cluster."""

    @classmethod
    def prepare(cls):
        cls.hub = Hub(cls.world)
        [cls.spoke] = cls.world.joined_spokes(cls.hub, "c1")
        cls.clients = {"hub": connect(cls.hub), "cluster": connect(cls.spoke)}

    def assert_status(self, code, reason, call, *arguments, **options):
        """The call fails with this code and a Status of this reason as its body. Returns the Status."""
        with self.assertRaises(ApiException) as caught:
            call(*arguments, **options)
        error = caught.exception
        self.assertEqual(error.status, code, error.body)
        status = json.loads(error.body)
        self.assertEqual((status["kind"], status["apiVersion"], status["status"]), ("Status", "v1", "Failure"))
        self.assertEqual((status["code"], status["reason"]), (code, reason), status)
        return status
