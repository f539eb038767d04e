"""Kinds of add-ons, replica sets of works and the operator with kubectl: fields, columns, complaints, and two versions."""

import json

from harness import E2eTest, Hub, main
from kubectl_user import Kubectl, manifest

GROUP = "addon.open-cluster-management.io"
ALPHA, BETA = f"{GROUP}/v1alpha1", f"{GROUP}/v1beta1"
TYPES_ALPHA = f"clustermanagementaddons.v1alpha1.{GROUP}"
ADDONS_ALPHA = f"managedclusteraddons.v1alpha1.{GROUP}"
INSTALL_NAMESPACE = f"{GROUP}/v1alpha1-install-namespace"
WORKS = "work.open-cluster-management.io/v1alpha1"
OPERATOR = "operator.open-cluster-management.io/v1"


class Addons(E2eTest):
    @classmethod
    def prepare(cls):
        cls.hub = Hub(cls.world)
        cls.world.kubectl("create", "namespace", "c1", at=cls.hub)

    def setUp(self):
        self.k = Kubectl(self, self.hub, "c1")

    def shown(self, resource, name, path):
        return json.loads(self.k("get", resource, name, "-o", f"jsonpath={path}"))

    def test_what_is_made_in_one_version_is_there_in_the_other(self):
        k = self.k
        listed = k("get", "--raw", f"/apis/{GROUP}")
        self.assertEqual(json.loads(listed)["preferredVersion"]["version"], "v1beta1")
        configs = [{"group": GROUP, "resource": "addontemplates", "defaultConfig": {"name": "t"}},
                   {"group": GROUP, "resource": "addondeploymentconfigs"}]
        old = manifest("ClusterManagementAddOn", "hello", ALPHA,
                       spec={"addOnMeta": {"displayName": "Hello"}, "supportedConfigs": configs})
        self.assertIn("created", k("apply", "-f", "-", stdin=old))
        self.assertEqual(self.shown("cma", "hello", "{.spec.defaultConfigs}"),
                         [{"group": GROUP, "resource": "addontemplates", "name": "t"},
                          {"group": GROUP, "resource": "addondeploymentconfigs", "name": "__reserved_no_default__"}])
        self.assertRegex(k("get", "cma"), r"(?m)^NAME +DISPLAY NAME *\nhello +Hello *$")
        self.assertRegex(k("get", TYPES_ALPHA), r"(?m)^NAME +DISPLAY NAME +CRD NAME *$")
        k("patch", "cma", "hello", "--type=merge", "-p", '{"spec":{"addOnMeta":{"displayName":"New"}}}')
        self.assertEqual(self.shown(TYPES_ALPHA, "hello", "{.spec.supportedConfigs}"), configs)
        told = k("apply", "--server-side", "--field-manager=x", "-f", "-", stdin=old, fails=True)
        self.assertRegex(told, rf'conflict with "kubectl-patch" using {BETA}.*: \.spec\.addOnMeta\.displayName')
        self.assertIn("deleted", k("delete", TYPES_ALPHA, "hello"))

    def test_an_addon_and_its_status(self):
        k = self.k
        k("create", "-f", "-", stdin=manifest("ManagedClusterAddOn", "hello", BETA, spec={}))
        namespace = self.shown(ADDONS_ALPHA, "hello", "{.spec}")["installNamespace"]
        self.assertEqual(namespace, "open-cluster-management-agent-addon")
        k("patch", ADDONS_ALPHA, "hello", "--type=merge", "-p", '{"spec":{"installNamespace":"other"}}')
        self.assertEqual(self.shown("mca", "hello", "{.metadata.annotations}")[INSTALL_NAMESPACE], "other")
        wrong = k("annotate", "mca", "hello", "--overwrite", f"{INSTALL_NAMESPACE}=No_Name", fails=True)
        self.assertIn('spec.installNamespace: Invalid value: "No_Name"', wrong)
        path = f"/apis/{BETA}/namespaces/c1/managedclusteraddons/hello/status"
        addon = json.loads(k("get", "mca", "hello", "-o", "json"))
        addon["status"] = {"registrations": [{"type": "kubeClient", "kubeClient": {"driver": "token"}}]}
        k("replace", "--raw", path, "-f", "-", stdin=json.dumps(addon))
        self.assertEqual(self.shown(ADDONS_ALPHA, "hello", "{.status}"),
                         {"kubeClientDriver": "token",
                          "registrations": [{"signerName": "kubernetes.io/kube-apiserver-client"}]})

    def test_the_other_kinds_are_completed_checked_and_explained(self):
        k = self.k
        template = {"workload": {"manifests": []}}
        works = manifest("ManifestWorkReplicaSet", "w", WORKS,
                         spec={"placementRefs": [{"name": "p"}], "manifestWorkTemplate": template})
        self.assertIn("created", k("apply", "-f", "-", stdin=works))
        self.assertEqual(k("get", "mwrs", "w", "-o", "jsonpath={.spec.cascadeDeletionPolicy} "
                                                     "{.spec.placementRefs[0].rolloutStrategy.type}"), "Background All")
        self.assertRegex(k("get", "mwrs"), r"(?m)^NAME +PLACEMENT +FOUND +MANIFESTWORKS +APPLIED *$")
        k("create", "-f", "-", stdin=manifest("ClusterManager", "hub", OPERATOR, spec={}))
        self.assertEqual(k("get", "clustermanager", "hub", "-o", "jsonpath={.spec.workConfiguration.workDriver}"), "kube")
        k("create", "-f", "-", stdin=manifest("AddOnTemplate", "t", ALPHA, spec={"addonName": "a", "agentSpec": template}))
        for kind, version, spec, complaint in (
                ("ClusterManager", OPERATOR, {"deployOption": {"mode": "Singleton"}}, "spec.deployOption.mode"),
                ("Klusterlet", OPERATOR, {"namespace": "kube-system"}, "spec.namespace"),
                ("AddOnDeploymentConfig", BETA, {"customizedVariables": [{"name": "1"}]}, "customizedVariables[0].name"),
                ("AddOnTemplate", ALPHA, {"addonName": "a"}, "agentSpec"),
                ("ClusterManagementAddOn", BETA, {"installStrategy": {"type": "Auto"}}, '"Manual", "Placements"')):
            with self.subTest(kind):
                text = manifest(kind, "wrong", version, spec=spec)
                self.assertIn(complaint, k("create", "-f", "-", stdin=text, fails=True))
        for field in ("cma.spec.defaultConfigs", "klusterlets.spec.namespace", "mwrs.spec.placementRefs"):
            told = k("explain", field)
            self.assertRegex(told, r"(?s)DESCRIPTION:\s+\w")
            self.assertNotIn("<empty>", told)


if __name__ == "__main__":
    main()
