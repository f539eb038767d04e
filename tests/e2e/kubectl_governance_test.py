"""Policies, applications and the proxy's kinds with kubectl: columns, defaults, explanations, complaints, status, versions."""

import json

from harness import main
from kubectl_user import KubectlTest, manifest, on_both

POLICIES = "policy.open-cluster-management.io"
APPS = "apps.open-cluster-management.io"
ACCOUNTS = "authentication.open-cluster-management.io"

LIMITS = {"apiVersion": "v1", "kind": "LimitRange", "metadata": {"name": "mem"}, "spec": {"limits": None}}


def configuration(**spec):
    return {"apiVersion": f"{POLICIES}/v1", "kind": "ConfigurationPolicy", "metadata": {"name": "limits"},
            "spec": {"object-templates": [{"complianceType": "musthave", "objectDefinition": LIMITS}], **spec}}


def policy(name, template, **spec):
    return manifest("Policy", name, f"{POLICIES}/v1",
                    spec={"disabled": False, "policy-templates": [{"objectDefinition": template}], **spec})


class Governance(KubectlTest):
    def set_status(self, at, group_version, plural, name, namespace, status):
        """kubectl before 1.24 knows no --subresource."""
        path = f"/apis/{group_version}/namespaces/{namespace}/{plural}/{name}/status"
        return at.api.merge(path, {"status": status, "spec": {"ignored": True}})

    @on_both
    def test_a_policy_is_kept_as_it_came(self, k):
        template = configuration(severity="low")
        k("create", "-f", "-", stdin=policy("limits", template, remediationAction="inform"))
        made = json.loads(k("get", "plc", "limits", "-o", "json"))
        self.assertEqual(made["spec"], {"disabled": False, "remediationAction": "inform",
                                        "policy-templates": [{"objectDefinition": template}]})
        self.set_status(k.at, f"{POLICIES}/v1", "policies", "limits", k.namespace, {"compliant": "NonCompliant"})
        self.assertRegex(k("get", "plc", "-o", "wide"),
                         r"(?m)^NAME +REMEDIATION ACTION +COMPLIANCE STATE +AGE *\nlimits +inform +NonCompliant +\d")
        after = json.loads(k("get", "plc", "limits", "-o", "json"))
        self.assertEqual((after["spec"], after["metadata"]["generation"]), (made["spec"], 1))

    @on_both
    def test_policies_are_explained_and_checked(self, k):
        self.assertIn("comes back into the status", " ".join(k("explain", "plc").split()))
        self.assertIn("made anew", k("explain", "configurationpolicies.spec.object-templates.recreateOption"))
        wrong = k("create", "-f", "-", stdin=policy("wrong", configuration(), remediationAction="Never"), fails=True)
        self.assertIn('spec.remediationAction: Unsupported value: "Never": supported values: "Inform", "inform"', wrong)
        silent = k("create", "-f", "-", stdin=policy("silent", configuration()), fails=True)
        self.assertIn("spec.policy-templates[0] does not", silent)
        unknown = k("create", "-f", "-", stdin=policy("x", configuration(), remedationAction="inform"), fails=True)
        self.assertRegex(unknown, r'unknown field "(spec\.)?remedationAction"')
        both = {**configuration(remediationAction="inform"), "metadata": {"name": "both"}}
        both["spec"]["object-templates-raw"] = "[]"
        self.assertIn("must validate one and only one schema", k("create", "-f", "-", stdin=json.dumps(both), fails=True))

    @on_both
    def test_what_is_not_said_has_defaults(self, k):
        spec = {"complianceType": "musthave", "upgradeApproval": "None", "remediationAction": "inform",
                "subscription": {"name": "quay", "channel": "stable"}}
        k("apply", "-f", "-", stdin=manifest("OperatorPolicy", "quay", f"{POLICIES}/v1beta1", spec=spec))
        made = json.loads(k("get", "operatorpolicies", "quay", "-o", "json"))["spec"]
        self.assertEqual(made["removalBehavior"], {"operatorGroups": "DeleteIfUnused", "subscriptions": "Delete",
                                                   "clusterServiceVersions": "Delete", "customResourceDefinitions": "Keep"})
        self.assertEqual({**made, **spec}, made)

    @on_both
    def test_a_subscription_carries_any_override(self, k):
        override = {"path": "spec.template", "value": {"any": [1, None, {"deep": "x"}]}}
        spec = {"channel": "channels/git", "placement": {"local": True}, "timewindow": {"windowtype": "active"},
                "packageOverrides": [{"packageName": "nginx", "packageOverrides": [override]}]}
        k("apply", "-f", "-", stdin=manifest("Subscription", "web", f"{APPS}/v1", spec=spec))
        self.assertEqual(json.loads(k("get", "appsub", "web", "-o", "json"))["spec"], spec)
        status = {"phase": "Subscribed", "lastUpdateTime": "2020-01-01T00:00:00Z"}
        self.set_status(k.at, f"{APPS}/v1", "subscriptions", "web", k.namespace, status)
        self.assertRegex(k("get", "appsub"), r"(?m)^web +Subscribed +\d+\w* +\d+\w* +true +active")

    def test_a_managed_service_account_has_two_versions(self):
        old, new = (f"managedserviceaccounts.{version}.{ACCOUNTS}" for version in ("v1alpha1", "v1beta1"))
        k = lambda *arguments, **options: self.world.kubectl(*arguments, at=self.hub, **options).stdout
        account = json.loads(manifest("ManagedServiceAccount", "ci", f"{ACCOUNTS}/v1alpha1", spec={"rotation": {}}))
        account["metadata"]["namespace"] = "default"
        k("create", "-f", "-", stdin=json.dumps(account))
        for resource, version in ((old, "v1alpha1"), (new, "v1beta1"), ("managedserviceaccounts", "v1beta1")):
            shown = json.loads(k("get", resource, "ci", "-n", "default", "-o", "json"))
            self.assertEqual(shown["apiVersion"], f"{ACCOUNTS}/{version}")
            self.assertEqual(shown["spec"], {"rotation": {"enabled": True, "validity": "8640h0m0s"}})


if __name__ == "__main__":
    main()
