"""Who may do what, with the real kubectl against the real hub: roles, tokens, impersonation, users, the audit log."""

import base64
import json
import os
import re

from harness import E2eTest, Hub, config_map, eventually, main, objects


class Access(E2eTest):
    @classmethod
    def prepare(cls):
        cls.hub = Hub(cls.world)

    def kubectl(self, *arguments, **options):
        return self.world.kubectl(*arguments, at=self.hub, **options)

    def says(self, *arguments, **options):
        return self.kubectl(*arguments, **options).stdout.strip()

    def with_token(self, token, *arguments, check=True):
        """kubectl as whoever the token speaks for: a kubeconfig without certificate, as a pod would have."""
        address = self.hub.addresses["api"]
        ca = self.world.write("ca.pem", self.hub.ca_pem())
        return self.world.run(["kubectl", "--kubeconfig", "/dev/null", "--server", f"https://{address}",
                               "--certificate-authority", ca, "--token", token, *arguments], check=check)

    def audit(self):
        with open(os.path.join(self.hub.folder, "audit", "audit.log"), encoding="utf-8") as file:
            return [json.loads(line) for line in file]

    def test_1_default_roles_are_there(self):
        names = self.says("get", "clusterroles", "-o", "name")
        for role in ("cluster-admin", "admin", "edit", "view", "system:basic-user", "system:discovery",
                     "system:public-info-viewer", "system:aggregate-to-view"):
            self.assertIn(f"clusterrole.rbac.authorization.k8s.io/{role}\n", names + "\n")
        admin = self.says("get", "clusterrole", "admin", "-o", "yaml")
        self.assertIn("manifestworks", admin)
        self.assertIn("secrets", admin)
        self.assertEqual(self.says("get", "sa", "default", "-o", "name"), "serviceaccount/default")
        self.kubectl("create", "namespace", "team")
        eventually("a new namespace gets its ServiceAccount",
                   lambda: self.kubectl("get", "sa", "default", "-n", "team", check=False).returncode == 0)
        self.kubectl("delete", "sa", "default", "-n", "team")
        eventually("and again",
                   lambda: self.kubectl("get", "sa", "default", "-n", "team", check=False).returncode == 0)

    def test_1_programs_that_extend_the_server_learn_whom_it_believes(self):
        k = self.kubectl
        k("create", "serviceaccount", "extension", "-n", "default")
        k("create", "rolebinding", "extension", "-n", "kube-system", "--role=extension-apiserver-authentication-reader",
          "--serviceaccount=default:extension")
        read = ("get", "configmap", "extension-apiserver-authentication", "-n", "kube-system",
                "--as=system:serviceaccount:default:extension", "-o", "jsonpath={.data.client-ca-file}")
        self.assertEqual(self.says(*read), self.hub.ca_pem().strip())

    def test_2_can_i_and_whoami(self):
        self.assertEqual(self.says("auth", "can-i", "delete", "managedclusters"), "yes")
        listed = self.says("auth", "can-i", "--list")
        self.assertRegex(listed, r"\*\.\* +\[\] +\[\] +\[\*\]")
        who = self.kubectl("auth", "whoami", "-o", "json", check=False)
        if who.returncode == 0:
            self.assertEqual(json.loads(who.stdout)["status"]["userInfo"]["username"], "wheelhouse-admin")
        self.kubectl("create", "rolebinding", "v", "-n", "team", "--clusterrole=view", "--user=jane")
        self.assertEqual(self.says("auth", "can-i", "get", "configmaps", "-n", "team", "--as=jane"), "yes")
        no = self.kubectl("auth", "can-i", "get", "secrets", "-n", "team", "--as=jane", check=False)
        self.assertEqual((no.stdout.strip(), no.returncode), ("no", 1))
        self.assertRegex(self.says("auth", "can-i", "--list", "-n", "team", "--as=jane"),
                         r"manifestworks.work.open-cluster-management.io +\[\] +\[\] +\[get list watch\]")

    def test_3_acting_as_another(self):
        refused = self.kubectl("get", "secrets", "-n", "team", "--as=jane", check=False)
        self.assert_refused(refused, 'User "jane" cannot list resource "secrets" in API group "" in the namespace "team"')
        self.assertEqual(self.says("create", "configmap", "c", "-n", "team", "--as=joe", "--as-group=system:masters",
                                   "-o", "name"), "configmap/c")
        self.kubectl("create", "clusterrolebinding", "jane-edits", "--clusterrole=edit", "--user=jane")
        who = self.kubectl("auth", "whoami", "-o", "json", "--as=x", "--as-group=a, b", "--as-group=c", "--as-uid=u",
                           check=False)
        if who.returncode == 0:
            info = json.loads(who.stdout)["status"]["userInfo"]
            self.assertEqual((info["groups"], info["uid"]), (["a, b", "c", "system:authenticated"], "u"))
        nested = self.world.run(["kubectl", "--kubeconfig", self.make_user("jane"), "get", "configmaps", "--as=joe"],
                                check=False)
        self.assert_refused(nested, 'User "jane" cannot impersonate resource "users" in API group "" at the cluster scope')

    def make_user(self, name, *flags):
        file = self.world.path(f"{name}.kubeconfig")
        if not os.path.exists(file):
            self.world.whctl("create", "user", name, "--file", file, *flags, hub=self.hub)
        return file

    def test_4_nobody_grants_what_he_does_not_hold(self):
        self.kubectl("create", "clusterrole", "grants", "--verb=create,get", "--resource=roles,rolebindings,clusterroles")
        self.kubectl("create", "clusterrolebinding", "grants", "--clusterrole=grants", "--user=mallory")
        refused = self.kubectl("create", "role", "r", "-n", "team", "--verb=get,list", "--resource=secrets", "--as=mallory",
                               check=False)
        self.assert_refused(refused, 'user "mallory" (groups=["system:authenticated"]) is attempting to grant RBAC '
                            'permissions not currently held:\n{APIGroups:[""], Resources:["secrets"], Verbs:["get" "list"]}')
        refused = self.kubectl("create", "rolebinding", "b", "-n", "team", "--clusterrole=admin", "--user=mallory",
                               "--as=mallory", check=False)
        self.assert_refused(refused, "is attempting to grant RBAC permissions not currently held")
        self.kubectl("create", "role", "r", "-n", "team", "--verb=get", "--resource=roles", "--as=mallory")

    def token(self, *arguments, at=None):
        given = self.world.token_request(*arguments, at=at or self.hub)
        self.assertEqual(given.returncode, 0, given.stderr)
        return given.stdout.strip()

    def test_5_tokens_of_service_accounts(self):
        self.kubectl("create", "serviceaccount", "robot", "-n", "team")
        token = self.token("robot", "team", 600)
        refused = self.with_token(token, "get", "configmaps", "-n", "team", check=False)
        self.assert_refused(refused, 'User "system:serviceaccount:team:robot" cannot list resource "configmaps"')
        self.kubectl("create", "rolebinding", "robot", "-n", "team", "--clusterrole=view", "--serviceaccount=team:robot")
        self.assertIn("configmap/c", self.with_token(token, "get", "configmaps", "-n", "team", "-o", "name").stdout)
        who = self.with_token(token, "auth", "whoami", "-o", "json", check=False)
        if who.returncode == 0:
            info = json.loads(who.stdout)["status"]["userInfo"]
            self.assertEqual(info["groups"],
                             ["system:serviceaccounts", "system:serviceaccounts:team", "system:authenticated"])
        wrong = self.with_token(token[:-4] + "AAAA", "get", "configmaps", "-n", "team", check=False)
        self.assert_refused(wrong, "You must be logged in to the server")
        brief = self.world.token_request("robot", "team", 60, at=self.hub)
        self.assert_refused(brief, "may not specify a duration less than 10 minutes")
        # The keys are the hub's for good.
        self.hub.process.terminate()
        self.hub.start()
        self.assertIn("configmap/c", self.with_token(token, "get", "configmaps", "-n", "team", "-o", "name").stdout)
        secret = {"apiVersion": "v1", "kind": "Secret", "type": "kubernetes.io/service-account-token",
                  "metadata": {"name": "lasting", "annotations": {"kubernetes.io/service-account.name": "robot"}}}
        self.kubectl("create", "-n", "team", "-f", "-", stdin=json.dumps(secret))
        lasting = base64.b64decode(self.says("get", "secret", "lasting", "-n", "team", "-o", "jsonpath={.data.token}"))
        self.assertIn("configmap/c", self.with_token(lasting.decode(), "get", "cm", "-n", "team", "-o", "name").stdout)
        self.kubectl("delete", "serviceaccount", "robot", "-n", "team")
        eventually("its token Secret goes with it",
                   lambda: self.kubectl("get", "secret", "lasting", "-n", "team", check=False).returncode != 0)
        self.kubectl("create", "serviceaccount", "robot", "-n", "team")
        gone = self.with_token(token, "get", "configmaps", "-n", "team", check=False)
        self.assert_refused(gone, "You must be logged in to the server")

    def test_6_users(self):
        file = self.world.path("ann.kubeconfig")
        self.world.whctl("create", "user", "ann", "--group", "readers", "--group", "team", "--duration", "1h", "--file",
                         file, hub=self.hub)
        self.assertEqual(os.stat(file).st_mode & 0o777, 0o600)
        self.kubectl("create", "clusterrolebinding", "readers", "--clusterrole=view", "--group=readers")
        self.assertIn("configmap/c", self.world.run(["kubectl", "--kubeconfig", file, "get", "configmaps", "-n", "team",
                                                     "-o", "name"]).stdout)
        refused = self.world.run(["kubectl", "--kubeconfig", file, "delete", "configmap", "c", "-n", "team"], check=False)
        self.assert_refused(refused, 'User "ann" cannot delete resource "configmaps" in API group "" in the namespace "team"')
        self.assertEqual(self.says("get", "csr", "-o", "name"), "")
        again = self.world.whctl("create", "user", "ann", "--file", file, hub=self.hub, check=False)
        self.assert_refused(again, "exists; --force replaces it")
        masters = self.world.whctl("create", "user", "eve", "--group", "system:masters", hub=self.hub, check=False)
        self.assert_refused(masters, "group system:masters cannot be signed for")
        self.assertIn("client-key-data", self.world.whctl("create", "user", "bob", hub=self.hub).stdout)

    def test_6b_a_request_of_the_users_own(self):
        key, request = self.world.path("own.key"), self.world.path("own.csr")
        self.world.run(["openssl", "req", "-new", "-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out", request, "-subj",
                        "/O=readers/CN=carol"])
        with open(request, "rb") as file:
            text = base64.b64encode(file.read()).decode()
        document = {"apiVersion": "certificates.k8s.io/v1", "kind": "CertificateSigningRequest",
                    "metadata": {"name": "carol"},
                    "spec": {"request": text, "signerName": "kubernetes.io/kube-apiserver-client",
                             "usages": ["client auth"], "expirationSeconds": 3600}}
        self.kubectl("create", "-f", "-", stdin=json.dumps(document))
        self.kubectl("certificate", "approve", "carol")
        pem = eventually("the certificate is there",
                         lambda: self.says("get", "csr", "carol", "-o", "jsonpath={.status.certificate}"))
        certificate = self.world.write("own.crt", base64.b64decode(pem).decode())
        ca = self.world.write("ca.pem", self.hub.ca_pem())
        as_carol = ["kubectl", "--kubeconfig", "/dev/null", "--server", f"https://{self.hub.addresses['api']}",
                    "--certificate-authority", ca, "--client-certificate", certificate, "--client-key", key]
        self.assertIn("configmap/c", self.world.run(as_carol + ["get", "cm", "-n", "team", "-o", "name"]).stdout)
        refused = self.world.run(as_carol + ["delete", "cm", "c", "-n", "team"], check=False)
        self.assert_refused(refused, 'User "carol" cannot delete resource "configmaps"')
        self.kubectl("delete", "csr", "carol")

    def test_7_the_audit_log(self):
        events = self.audit()
        created = [e for e in events if e["verb"] == "create" and e.get("objectRef", {}).get("resource") == "configmaps"]
        self.assertEqual(created[0]["user"]["username"], "wheelhouse-admin")
        self.assertEqual(created[0]["impersonatedUser"]["username"], "joe")
        self.assertEqual(created[0]["sourceIPs"], ["127.0.0.1"])
        self.assertTrue(any(e["responseStatus"]["code"] == 403 and e["verb"] == "delete" and
                            e["user"]["username"] == "ann" for e in events))
        self.assertTrue(any(e["responseStatus"]["code"] == 401 for e in events))
        self.assertFalse([e for e in events if e["requestURI"].startswith(("/readyz", "/api?", "/apis?", "/openapi"))])
        whole = json.dumps(events)
        self.assertIsNone(re.search(r"eyJ[A-Za-z0-9_-]{20,}\.", whole), "a token is in the audit log")
        self.assertEqual(os.stat(os.path.join(self.hub.folder, "audit", "audit.log")).st_mode & 0o777, 0o600)
        self.assertIn("wheelhouse_audit_events_total", self.says("get", "--raw", "/metrics"))

    def test_8_the_issuer_publishes_its_keys(self):
        about = json.loads(self.says("get", "--raw", "/.well-known/openid-configuration"))
        self.assertEqual(about["jwks_uri"], about["issuer"] + "/openid/v1/jwks")
        keys = json.loads(self.says("get", "--raw", "/openid/v1/jwks"))["keys"]
        self.assertEqual([k["alg"] for k in keys], ["ES256"])

    def test_8b_a_spokes_cluster_knows_tokens_too(self):
        spoke, = self.world.joined_spokes(self.hub, "c1")
        in_cluster = lambda *arguments: self.world.kubectl(*arguments, at=spoke).stdout.strip()
        eventually("the namespace has its ServiceAccount",
                   lambda: self.world.kubectl("get", "sa", "default", at=spoke, check=False).returncode == 0)
        token = self.token("default", at=spoke)
        in_cluster("create", "clusterrolebinding", "v", "--clusterrole=view", "--serviceaccount=default:default")
        with open(spoke.kubeconfig, encoding="utf-8") as file:
            text = file.read()
        value = lambda key: re.search(rf'{key}: *"?([^\s"]+)"?', text).group(1)
        ca = self.world.write("spoke-ca.pem", base64.b64decode(value("certificate-authority-data")).decode())
        as_default = ["kubectl", "--kubeconfig", "/dev/null", "--server", value("server"), "--certificate-authority", ca,
                      "--token", token]
        self.assertIn("No resources", self.world.run(as_default + ["get", "pods"]).stderr)
        refused = self.world.run(as_default + ["get", "secrets"], check=False)
        self.assert_refused(refused, 'User "system:serviceaccount:default:default" cannot list resource "secrets"')
        # A token of one server is nothing to another.
        self.assert_refused(self.with_token(token, "get", "configmaps", check=False), "You must be logged in")

    def test_9_changes_to_default_roles_stay(self):
        self.kubectl("annotate", "clusterrole", "system:basic-user", "--overwrite",
                     "rbac.authorization.kubernetes.io/autoupdate=false")
        self.kubectl("patch", "clusterrole", "system:basic-user", "--type=merge", "-p", '{"rules":[]}')
        self.kubectl("patch", "clusterrole", "system:discovery", "--type=merge", "-p", '{"rules":[]}')
        self.hub.process.terminate()
        self.hub.start()
        self.assertEqual(self.says("get", "clusterrole", "system:basic-user", "-o", "jsonpath={.rules}"), "[]")
        self.assertIn("/apis", self.says("get", "clusterrole", "system:discovery", "-o", "jsonpath={.rules}"))


class AuditPolicy(E2eTest):
    """A policy of the operator's own, and a log elsewhere."""

    @classmethod
    def prepare(cls):
        policy = cls.world.write("policy.yaml", """
apiVersion: audit.k8s.io/v1
kind: Policy
rules:
- {level: None, users: [wheelhouse-admin], verbs: [list]}
- {level: RequestResponse, resources: [{group: "", resources: [configmaps, secrets]}]}
- {level: Metadata, verbs: [watch]}
""")
        cls.log = cls.world.path("elsewhere.log")
        cls.hub = Hub(cls.world, "hub", "--audit-log", cls.log, "--audit-policy", policy, "--audit-max-size", "1",
                      "--audit-max-files", "1")

    def events(self):
        with open(self.log, encoding="utf-8") as file:
            return [json.loads(line) for line in file]

    def test_1_bodies_where_the_policy_wants_them(self):
        path = objects("default", "configmaps")
        self.hub.api.create(path, config_map("a", "visible"))
        self.hub.api.create(objects("default", "secrets"),
                            {"metadata": {"name": "s"}, "stringData": {"password": "do-not-write-this"}})
        self.hub.api.get(path)
        events = eventually("the events are written", lambda: self.events()[1:] and self.events())
        self.assertEqual([e["verb"] for e in events], ["create", "create"])
        self.assertEqual(events[0]["requestObject"]["data"], {"value": "visible"})
        self.assertEqual(events[0]["responseObject"]["metadata"]["name"], "a")
        self.assertNotIn("requestObject", events[1])
        with open(self.log, encoding="utf-8") as file:
            text = file.read()
        self.assertNotIn("do-not-write-this", text)
        self.assertNotIn(base64.b64encode(b"do-not-write-this").decode(), text)

    def test_2_a_watch_begins_and_ends(self):
        self.hub.api.raw("GET", "/api/v1/namespaces?watch=1&timeoutSeconds=1")
        watch = eventually("both stages are written",
                           lambda: (found := [e for e in self.events() if e["verb"] == "watch"])[1:] and found)
        self.assertEqual([e["stage"] for e in watch], ["ResponseStarted", "ResponseComplete"])
        self.assertEqual(watch[0]["auditID"], watch[1]["auditID"])

    def test_3_the_log_is_put_aside(self):
        for i in range(40):
            self.hub.api.create(objects("default", "configmaps"), config_map(f"big{i}", "x" * 40000))

        def aside():
            return [n for n in os.listdir(self.world.folder) if n.startswith("elsewhere-") and n.endswith(".log")]

        eventually("one is put aside, and no more", lambda: len(aside()) == 1)
        self.assertLess(os.path.getsize(os.path.join(self.world.folder, aside()[0])), (1 << 20) + 1)


if __name__ == "__main__":
    main()
