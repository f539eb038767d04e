"""The official Python client: typed calls and custom objects."""

import base64
import datetime

from harness import eventually, main
from python_client import (GROUP, ApiException, PythonClientTest, client, config_map, names, on_both, widget,
                           widgets_definition)


def deployment(name, replicas=1):
    labels = {"app": name}
    pod = client.V1PodTemplateSpec(metadata=client.V1ObjectMeta(labels=labels), spec=client.V1PodSpec(
        containers=[client.V1Container(name="main", image="nginx:1",
                                       ports=[client.V1ContainerPort(container_port=80)])]))
    return client.V1Deployment(metadata=client.V1ObjectMeta(name=name, labels=labels), spec=client.V1DeploymentSpec(
        replicas=replicas, selector=client.V1LabelSelector(match_labels=labels), template=pod))


class PythonClient(PythonClientTest):
    @on_both
    def test_core_objects_in_all_verbs(self, api, ns):
        core = client.CoreV1Api(api)
        made = core.create_namespaced_config_map(ns, config_map("a", {"x": "1"}, k="v"))
        self.assertEqual((made.metadata.namespace, made.data), (ns, {"k": "v"}))
        self.assertTrue(made.metadata.uid and made.metadata.creation_timestamp.tzinfo)
        self.assertEqual(core.read_namespaced_config_map("a", ns), made)
        self.assertEqual(core.patch_namespaced_config_map("a", ns, {"data": {"p": "1"}}).data, {"k": "v", "p": "1"})
        step = [{"op": "replace", "path": "/data/p", "value": "2"}]
        self.assertEqual(core.patch_namespaced_config_map("a", ns, step).data["p"], "2")
        now = core.read_namespaced_config_map("a", ns)
        now.data = {"only": "this"}
        self.assertEqual(core.replace_namespaced_config_map("a", ns, now).data, {"only": "this"})
        rehearsed = core.create_namespaced_config_map(ns, config_map("dry"), dry_run="All")
        self.assertEqual(rehearsed.metadata.name, "dry")
        self.assertEqual(names(core.list_namespaced_config_map(ns)), ["a"])
        self.assertEqual(core.delete_namespaced_config_map("a", ns).status, "Success")
        secret = client.V1Secret(metadata=client.V1ObjectMeta(generate_name="s-"), string_data={"a": "b"})
        secret = core.create_namespaced_secret(ns, secret)
        self.assertRegex(secret.metadata.name, "^s-[a-z0-9]{5}$")
        self.assertEqual((secret.data, secret.type), ({"a": "Yg=="}, "Opaque"))
        account = client.V1ServiceAccount(metadata=client.V1ObjectMeta(name="robot"))
        self.assertEqual(core.create_namespaced_service_account(ns, account).metadata.name, "robot")

    @on_both
    def test_lists_by_selector_and_in_chunks(self, api, ns):
        core = client.CoreV1Api(api)
        for i in range(7):
            core.create_namespaced_config_map(ns, config_map(f"m{i}", {"odd": str(i % 2), "tier": "front"}))
        self.assertEqual(names(core.list_namespaced_config_map(ns, label_selector="odd=1")), ["m1", "m3", "m5"])
        chosen = core.list_namespaced_config_map(ns, label_selector="tier in (front,back),odd!=1",
                                                 field_selector="metadata.name!=m2")
        self.assertEqual(names(chosen), ["m0", "m4", "m6"])
        seen, token, versions = [], None, set()
        while token != "":
            page = core.list_namespaced_config_map(ns, limit=2, **({"_continue": token} if token else {}))
            self.assertLessEqual(len(page.items), 2)
            seen += names(page)
            versions.add(page.metadata.resource_version)
            token = page.metadata._continue or ""
            if len(seen) == 2:  # comes after the first page, in its order, but not in its revision
                core.create_namespaced_config_map(ns, config_map("m2-later"))
        self.assertEqual(seen, [f"m{i}" for i in range(7)])
        self.assertEqual(len(versions), 1)
        deleted = core.delete_collection_namespaced_config_map(ns, label_selector="odd=1")
        self.assertEqual(deleted.kind, "ConfigMapList")
        self.assertEqual(names(core.list_namespaced_config_map(ns)), ["m0", "m2", "m2-later", "m4", "m6"])
        core.delete_collection_namespaced_config_map(ns)
        self.assertEqual(names(core.list_namespaced_config_map(ns)), [])
        self.assertIn(ns, names(core.list_namespace(field_selector=f"metadata.name={ns}")))

    @on_both
    def test_error_bodies_become_exceptions(self, api, ns):
        core = client.CoreV1Api(api)
        core.create_namespaced_config_map(ns, config_map("a"))
        create, read = core.create_namespaced_config_map, core.read_namespaced_config_map
        stale = read("a", ns)
        core.patch_namespaced_config_map("a", ns, {"data": {"k": "v"}})
        status = self.assert_status(404, "NotFound", read, "none", ns)
        self.assertEqual(status["message"], 'configmaps "none" not found')
        self.assertEqual(status["details"], {"name": "none", "kind": "configmaps"})
        self.assert_status(409, "AlreadyExists", create, ns, config_map("a"))
        self.assert_status(409, "Conflict", core.replace_namespaced_config_map, "a", ns, stale)
        status = self.assert_status(422, "Invalid", create, ns, config_map("Not_A_Name"))
        self.assertEqual(status["details"]["causes"][0]["field"], "metadata.name")
        self.assert_status(404, "NotFound", create, "no-such-namespace", config_map("b"))
        self.assert_status(400, "BadRequest", core.list_namespaced_config_map, ns, label_selector="!!")
        self.assert_status(400, "BadRequest", core.list_namespaced_config_map, ns, _continue="nonsense")
        other = client.V1Preconditions(uid="another")
        self.assert_status(409, "Conflict", core.delete_namespaced_config_map, "a", ns,
                           body=client.V1DeleteOptions(preconditions=other))
        with self.assertRaises(ApiException) as nothing_there:
            client.CustomObjectsApi(api).list_cluster_custom_object("no.such.group", "v1", "things")
        self.assertEqual(nothing_there.exception.status, 404)

    @on_both
    def test_leases_change_hands_by_resource_version(self, api, ns):
        leases = client.CoordinationV1Api(api)
        moment = datetime.datetime(2026, 1, 2, 3, 4, 5, 678901, datetime.timezone.utc)
        spec = client.V1LeaseSpec(holder_identity="me", lease_duration_seconds=5, renew_time=moment)
        mine = client.V1Lease(metadata=client.V1ObjectMeta(name="leader"), spec=spec)
        mine = leases.create_namespaced_lease(ns, mine)
        self.assertEqual(mine.spec.renew_time, moment)
        theirs = leases.read_namespaced_lease("leader", ns)
        theirs.spec.holder_identity, theirs.spec.lease_transitions = "they", 1
        self.assertEqual(leases.replace_namespaced_lease("leader", ns, theirs).spec.holder_identity, "they")
        self.assert_status(409, "Conflict", leases.replace_namespaced_lease, "leader", ns, mine)

    @on_both
    def test_rbac_objects_and_reviews(self, api, ns):
        rbac, group = client.RbacAuthorizationV1Api(api), "rbac.authorization.k8s.io"
        rule = client.V1PolicyRule(api_groups=[""], resources=["configmaps"], verbs=["get"])
        rbac.create_namespaced_role(ns, client.V1Role(metadata=client.V1ObjectMeta(name="reader"), rules=[rule]))
        binding = client.V1RoleBinding(
            metadata=client.V1ObjectMeta(name="reader"),
            role_ref=client.V1RoleRef(api_group=group, kind="Role", name="reader"),
            subjects=[client.V1Subject(kind="User", name="jane", api_group=group)])
        rbac.create_namespaced_role_binding(ns, binding)
        self.assertEqual(names(rbac.list_namespaced_role(ns)), ["reader"])

        def may(verb, at=ns, client_api=api):
            wanted = client.V1ResourceAttributes(verb=verb, resource="configmaps", namespace=at)
            review = client.V1SubjectAccessReview(
                spec=client.V1SubjectAccessReviewSpec(user="jane", resource_attributes=wanted))
            return client.AuthorizationV1Api(client_api).create_subject_access_review(review).status.allowed

        eventually("the binding holds", lambda: may("get"))
        self.assertFalse(may("delete"))
        self.assertFalse(may("get", at="default"))

    def test_a_certificate_request_is_approved_and_signed(self):
        key, csr = self.world.path("csr.key"), self.world.path("csr.pem")
        self.world.run(["openssl", "req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
                        "-subj", "/CN=jane/O=shop", "-keyout", key, "-out", csr])
        with open(csr, "rb") as file:
            request = base64.b64encode(file.read()).decode()
        certificates = client.CertificatesV1Api(self.clients["hub"])
        made = certificates.create_certificate_signing_request(client.V1CertificateSigningRequest(
            metadata=client.V1ObjectMeta(name="jane"), spec=client.V1CertificateSigningRequestSpec(
                request=request, signer_name="kubernetes.io/kube-apiserver-client", usages=["client auth"])))
        made.status.conditions = [client.V1CertificateSigningRequestCondition(
            type="Approved", status="True", reason="Test", message="approved by a test")]
        approved = certificates.replace_certificate_signing_request_approval("jane", made)
        self.assertEqual(approved.status.conditions[0].type, "Approved")
        kept = certificates.patch_certificate_signing_request("jane", {"spec": {"usages": ["server auth"]}})
        self.assertEqual(kept.spec.usages, ["client auth"])
        read = certificates.read_certificate_signing_request_status

        def signed():
            return base64.b64decode(read("jane").status.certificate or "").startswith(b"-----BEGIN CERTIFICATE")

        eventually("the hub signs", signed)

    def scale(self, apps):
        scale = apps.read_namespaced_deployment_scale("web", "default")
        self.assertEqual((scale.kind, scale.spec.replicas, scale.status.selector), ("Scale", 1, "app=web"))
        scale.spec.replicas = 2
        self.assertEqual(apps.replace_namespaced_deployment_scale("web", "default", scale).spec.replicas, 2)
        self.assert_status(409, "Conflict", apps.replace_namespaced_deployment_scale, "web", "default", scale)
        wanted = {"spec": {"replicas": 3}}
        self.assertEqual(apps.patch_namespaced_deployment_scale("web", "default", wanted).spec.replicas, 3)
        self.assertEqual(apps.read_namespaced_deployment("web", "default").spec.replicas, 3)

    def test_deployments_in_the_cluster(self):
        api = self.clients["cluster"]
        apps = client.AppsV1Api(api)
        made = apps.create_namespaced_deployment("default", deployment("web"))
        self.assertEqual((made.metadata.generation, made.spec.strategy.type), (1, "RollingUpdate"))
        main_2 = {"spec": {"template": {"spec": {"containers": [{"name": "main", "image": "nginx:2"}]}}}}
        changed = apps.patch_namespaced_deployment("web", "default", main_2).spec.template.spec.containers[0]
        self.assertEqual((changed.image, changed.ports[0].container_port), ("nginx:2", 80))
        status = apps.patch_namespaced_deployment_status("web", "default", {
            "spec": {"replicas": 9}, "status": {"replicas": 1, "observedGeneration": 2}})
        self.assertEqual((status.status.replicas, status.spec.replicas, status.metadata.generation), (1, 1, 2))
        self.scale(apps)
        self.assertEqual(names(apps.list_deployment_for_all_namespaces(label_selector="app=web")), ["web"])
        options = client.V1DeleteOptions(propagation_policy="Background")
        self.assertEqual(apps.delete_namespaced_deployment("web", "default", body=options).status, "Success")

    @on_both
    def test_custom_objects(self, api, ns):
        definitions, custom = client.ApiextensionsV1Api(api), client.CustomObjectsApi(api)
        definitions.create_custom_resource_definition(widgets_definition())
        conditions = definitions.read_custom_resource_definition_status(f"widgets.{GROUP}").status.conditions
        self.assertIn(("Established", "True"), [(c.type, c.status) for c in conditions])
        at = (GROUP, "v1", ns, "widgets")
        made = custom.create_namespaced_custom_object(*at, widget("w", color="red", unknown="dropped"))
        self.assertEqual(made["spec"], {"size": 3, "color": "red"})
        made["status"] = {"seen": True}
        made["spec"]["size"] = 9
        told = custom.replace_namespaced_custom_object_status(*at, "w", made)
        self.assertEqual((told["status"], told["spec"]["size"]), ({"seen": True}, 3))
        changed = custom.patch_namespaced_custom_object(*at, "w", {"spec": {"size": 5}, "status": {"seen": False}})
        self.assertEqual((changed["spec"]["size"], changed["status"]["seen"]), (5, True))
        self.assertEqual(changed["metadata"]["generation"], 2)
        self.assert_status(422, "Invalid", custom.patch_namespaced_custom_object, *at, "w", {"spec": {"size": 101}})
        scaled = custom.patch_namespaced_custom_object_scale(*at, "w", {"spec": {"replicas": 6}})
        self.assertEqual((scaled["kind"], scaled["spec"]), ("Scale", {"replicas": 6}))
        self.assertEqual(custom.get_namespaced_custom_object_scale(*at, "w")["spec"]["replicas"], 6)
        listed = custom.list_cluster_custom_object(GROUP, "v1", "widgets", limit=1)
        self.assertEqual([i["metadata"]["name"] for i in listed["items"]], ["w"])
        definitions.delete_custom_resource_definition(f"widgets.{GROUP}")

        def gone():
            try:
                return not custom.list_cluster_custom_object(GROUP, "v1", "widgets")
            except ApiException as e:
                return e.status == 404

        eventually("the kind goes with its definition", gone)

    def test_discovery_and_version(self):
        for api in self.clients.values():
            self.assertIn("wheelhouse", client.VersionApi(api).get_code().git_version)
            self.assertEqual(client.CoreApi(api).get_api_versions().versions, ["v1"])
            groups = {g.name: g.preferred_version.version for g in client.ApisApi(api).get_api_versions().groups}
            self.assertEqual(groups["coordination.k8s.io"], "v1")
            listed = {r.name: r for r in client.CoreV1Api(api).get_api_resources().resources}
            self.assertIn("deletecollection", listed["configmaps"].verbs)
            self.assertIn("namespaces/status", listed)


if __name__ == "__main__":
    main()
