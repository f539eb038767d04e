"""Attacks on identity: certificates that no hub would sign, and requests for certificates that none should.

The numbers A1.. are those of docs/attacks.md.
"""

import base64
import time

from attack_tools import BOOTSTRAP, AttackTest, Caller
from forge import ALL, LABEL, USER, csr_object, groups_of, read
from harness import CLUSTERS, CSRS, eventually, main, works
from link_client import FORBIDDEN, JOIN_PENDING, JOIN_REQUEST, LinkClient


class Certificates(AttackTest):
    @classmethod
    def prepare(cls):
        cls.start_hub()
        cls.cert, cls.key = cls.join_over_link("c1")

    def forged(self, name=f"{USER}c1:a1", groups=None, key=None, ca=None, **what):
        key = key or self.forge.key()
        return self.forge.certificate(key, name, groups_of("c1") if groups is None else groups, ca or self.ca, **what), key

    def test_a01_a02_self_signed_and_of_another_ca_of_the_same_name(self):
        cert, key = self.forge.own_ca(f"/O={ALL}/O={USER}c1/CN={USER}c1:a1")
        self.assert_handshake_refused(read(cert), key, "c1:a1")
        other = self.forge.own_ca("/CN=wheelhouse-hub-ca")
        self.assert_handshake_refused(*self.forged(ca=other), "it claims to be CN=system:open-cluster-management:c1:a1")

    def test_a03_to_a06_of_the_wrong_time_use_or_strength(self):
        self.assert_handshake_refused(*self.forged(end="20210101000000Z"), "has expired on 2021")
        self.assert_handshake_refused(*self.forged(start="20390101000000Z"), "not yet valid before 2039")
        self.assert_handshake_refused(*self.forged(usage="serverAuth"), "certificate")
        self.assert_handshake_refused(*self.forged(key=self.forge.key(rsa_bits=1024)), "too")

    def test_a07_a_client_certificate_signs_no_other(self):
        cert, key = self.forge.file("crt", self.cert), self.key
        leaf, leaf_key = self.forged(f"{USER}c2:a1", groups_of("c2"), ca=(cert, key))
        self.assert_handshake_refused(leaf + self.cert, leaf_key, "c2:a1")

    def test_a08_not_even_one_that_says_it_is_an_authority(self):
        middle, key = self.forged(extensions="ca_leaf")
        leaf, leaf_key = self.forged(f"{USER}c2:a1", groups_of("c2"), ca=(self.forge.file("crt", middle), key))
        self.assert_handshake_refused(leaf + middle, leaf_key, "c2:a1")

    def test_a09_to_a16_signed_by_the_hubs_ca_but_no_spokes(self):
        """What no approval gives; the link takes whole segments and exactly two organisations."""
        for name, groups in ((f"{USER}c1:a1", [f"{USER}c1"]), (f"{USER}c1:a1", [ALL]), (f"{USER}c1:a1", [f"{USER}c1", f"{USER}c2", ALL]),
                             (f"{USER}c1:a1", [f"{USER}c10", ALL]), (f"{USER}c1:x:a1", groups_of("c1")), (f"{USER}c1:", groups_of("c1")),
                             (f"{USER}c1:a1", [f"{USER}c1", ALL, "system:masters"]), (f"{USER}managed-clusters:a1", [ALL, ALL]),
                             ("wheelhouse-admin", ["system:masters"])):
            with self.subTest(name=name, groups=groups):
                self.setUp()
                with LinkClient(self.hub, *self.forged(name, groups)) as link:
                    code, message = link.refusal()
                self.assertEqual(code, FORBIDDEN, message)
                self.assert_audited(name, 403, "/link/", "is not a spoke's")

    def test_a17_the_admins_own_certificate_opens_no_link(self):
        admin = read(self.hub.kubeconfig)
        pem, key = (base64.b64decode(admin.split(part + ": ")[1].split()[0].strip('"')).decode()
                    for part in ("client-certificate-data", "client-key-data"))
        with LinkClient(self.hub, pem, self.forge.file("key", key)) as link:
            link.hello("c1", "a1")
            self.assertEqual(link.refusal()[0], FORBIDDEN)
        self.assert_audited("wheelhouse-admin", 403, "/link/", "is not a spoke's")

    def test_a18_a_spokes_certificate_is_no_admins(self):
        spoke = Caller(self.hub, self.cert, self.key)
        user = f"{USER}c1:a1"
        for path in ("/api/v1/secrets", "/api/v1/namespaces/kube-system/secrets", "/operate/v1/backup", "/metrics"):
            self.assert_refused_call(spoke, user, "GET", path)

    def test_a19_a_cluster_that_nobody_registered_has_no_rights(self):
        cert, key = self.forged(f"{USER}ghost:a1", groups_of("ghost"))
        with LinkClient(self.hub, cert, key) as link:
            link.hello("ghost", "a1")
            code, message = link.refusal()
        self.assertIn("ghost", message)
        self.assert_audited(f"{USER}ghost:a1", {2: 404, 5: 403}[code], "/link/ghost")
        self.assertIsNone(self.hub.api.find(f"{CLUSTERS}/ghost"))
        self.assert_refused_call(Caller(self.hub, cert, key), f"{USER}ghost:a1", "GET", works("ghost"))


class Requests(AttackTest):
    """Certificate requests, by a bootstrap identity and by the agents of two accepted clusters."""

    @classmethod
    def prepare(cls):
        cls.start_hub()
        cls.agent1 = Caller(cls.hub, *cls.join_over_rest("c1"))
        cls.agent10 = Caller(cls.hub, *cls.join_over_rest("c10"))
        cls.number = 0

    def ask(self, who, label, name, organisations, *extensions, key=None, **spec):
        """Makes a request; its name."""
        type(self).number += 1
        pem = self.forge.csr(key or self.forge.key(), name, organisations, *extensions)
        csr = csr_object(f"ask-{self.number}", pem, label, **spec)
        who.create(CSRS, csr)
        return csr["metadata"]["name"]

    def state(self, name):
        csr = self.hub.api.get(f"{CSRS}/{name}")
        return {c["type"]: c for c in csr.get("status", {}).get("conditions", [])}, csr.get("status", {}).get("certificate")

    def settle(self):
        """Returns when the hub has decided about everything that was asked before: a request of its own is signed."""
        name = self.ask(self.agent1, "c1", f"{USER}c1:a1", groups_of("c1"))
        self.certificate_of(name)

    CASES = (  # label, CN, O: by the agent of c1 and by the bootstrap identity
        ("c2", f"{USER}c2:a1", groups_of("c2")), ("c1", f"{USER}c2:a1", groups_of("c2")), ("c2", f"{USER}c1:a1", groups_of("c1")),
        ("c1", f"{USER}c10:a1", groups_of("c1")), ("c1", f"{USER}c1:a1", groups_of("c10")), ("c1", f"{USER}c1:a1:x", groups_of("c1")),
        ("c1", f"{USER}c1:", groups_of("c1")), ("c1", f"{USER}c1", groups_of("c1")), ("c1", f"{USER}\u04411:a1", [f"{USER}\u04411", ALL]),
        ("c1", f"{USER}C1:a1", groups_of("c1")), ("c1", f"{USER.upper()}c1:a1", groups_of("c1")), ("c1", f"{USER}c1:a1", [ALL]),
        ("c1", f"{USER}c1:a1", ["system:masters"]), ("c1", f"{USER}c1:a1", groups_of("c1") + ["system:masters"]),
        ("c1", f"{USER}c1:a1", groups_of("c1") + [f"{USER}c10"]), ("c1", f"{USER}c1:a1", []), ("c1", "wheelhouse-admin", ["system:masters"]),
        (None, f"{USER}c1:a1", groups_of("c1")), ("c10", f"{USER}c1:a1", groups_of("c1")), ("c1", "a1", groups_of("c1")),
        ("c1", f"{USER}c1:a1 ", groups_of("c1")), ("c1", f"{USER}c1:\u200ba1", groups_of("c1")),
        ("c1", f"{USER}cluster:c10:addon:x:agent:a", [f"{USER}cluster:c10:addon:x", f"{USER}addon:x"]))

    def test_a20_to_a41_requests_that_nobody_approves_by_itself(self):
        asked = [(self.ask(who, label, name, groups), name, groups)
                 for who in (self.agent1, self.bootstrap) for label, name, groups in self.CASES]
        self.settle()
        for csr, name, groups in asked:
            conditions, certificate = self.state(csr)
            self.assertNotIn("Approved", conditions, (csr, name, groups))
            self.assertIsNone(certificate, (csr, name, groups))
            self.assert_audited(f"{USER}c1:a1" if asked.index((csr, name, groups)) < len(self.CASES) else BOOTSTRAP, 201, CSRS, verb="create")

    def test_a42_not_even_an_administrator_gets_these_signed(self):
        """Approved by mistake: the signer looks again, and says why it does not sign."""
        hopeless = [case for case in self.CASES if any(g.startswith((USER, "system:masters")) for g in case[2]) or case[1].startswith(USER)]
        for label, name, groups in hopeless:
            csr = self.ask(self.bootstrap, label, name, groups)
            document = self.hub.api.get(f"{CSRS}/{csr}")
            document.setdefault("status", {})["conditions"] = [{"type": "Approved", "status": "True", "reason": "Mistake", "message": ""}]
            self.hub.api.replace(f"{CSRS}/{csr}/approval", document)
            if label is not None and name == f"{USER}{label}:a1" and sorted(groups) == sorted(groups_of(label)):
                continue  # a right request: it was the person's to judge
            failed = eventually(f"{csr} ({name} {groups}) fails", lambda c=csr: self.state(c)[0].get("Failed"))
            self.assertEqual(failed["reason"], "SignerValidationFailure")
            self.assertIsNone(self.state(csr)[1])

    def test_a43_renewal_by_another_agent_or_cluster(self):
        asked = [self.ask(self.agent10, "c1", f"{USER}c1:a1", groups_of("c1")), self.ask(self.agent1, "c1", f"{USER}c1:a2", groups_of("c1")),
                 self.ask(self.agent10, "c10", f"{USER}c10:a10", groups_of("c10"))]
        self.settle()
        for csr in asked:
            self.assertEqual(self.state(csr), ({}, None))

    def test_a44_the_requester_is_whom_the_hub_saw(self):
        csr = self.ask(self.agent10, "c1", f"{USER}c1:a1", groups_of("c1"), username=f"{USER}c1:a1", groups=groups_of("c1"),
                       uid="x", extra={"a": ["b"]})
        self.settle()
        spec = self.hub.api.get(f"{CSRS}/{csr}")["spec"]
        self.assertEqual((spec["username"], sorted(spec["groups"])[0]), (f"{USER}c10:a1", "system:authenticated"))
        self.assertEqual(self.state(csr), ({}, None))

    def test_a45_what_else_a_request_asks_for_is_not_in_the_certificate(self):
        csr = self.ask(self.agent1, "c1", f"{USER}c1:a1", groups_of("c1"), "basicConstraints=critical,CA:TRUE",
                       "subjectAltName=DNS:hub.example,IP:127.0.0.1", "keyUsage=keyCertSign,cRLSign", "extendedKeyUsage=serverAuth,codeSigning",
                       usages=("digital signature", "cert sign", "server auth", "client auth"), expirationSeconds=2147483647)
        text = self.forge.text(self.certificate_of(csr))
        for part in ("CA:TRUE", "Alternative", "Certificate Sign", "CRL Sign", "TLS Web Server", "Code Signing"):
            self.assertNotIn(part, text)
        end = time.strptime(text.split("Not After : ")[1].split("\n")[0], "%b %d %H:%M:%S %Y GMT")
        self.assertLess(time.mktime(end) - time.time(), 366 * 86400, "longer than --certificate-life")

    def test_a46_weak_keys_and_digests(self):
        weak = [self.ask(self.agent1, "c1", f"{USER}c1:a1", groups_of("c1"), key=self.forge.key(rsa_bits=1024))]
        type(self).number += 1
        name = f"ask-{self.number}"
        self.agent1.create(CSRS, csr_object(name, self.forge.csr(self.forge.key(), f"{USER}c1:a1", groups_of("c1"), digest="sha1"), "c1"))
        weak.append(name)
        self.settle()
        for csr in weak:
            self.assertIsNone(self.state(csr)[1])

    def test_a47_a_copied_request_gives_what_is_useless_without_its_key(self):
        key = self.forge.key()
        victim = self.ask(self.agent10, "c10", f"{USER}c10:a1", groups_of("c10"), key=key)
        self.certificate_of(victim)
        copied = self.hub.api.get(f"{CSRS}/{victim}")["spec"]["request"]
        self.agent1.create(CSRS, csr_object("copied", base64.b64decode(copied).decode(), "c10"))
        self.settle()
        self.assertEqual(self.state("copied"), ({}, None))

    def test_a48_nobody_approves_signs_or_deletes_by_himself(self):
        csr = self.ask(self.agent1, "c1", f"{USER}c1:a9", groups_of("c1"))
        document = self.hub.api.get(f"{CSRS}/{csr}")
        approved = {**document, "status": {"conditions": [{"type": "Approved", "status": "True", "reason": "Me", "message": ""}]}}
        signed = {**document, "status": {"certificate": base64.b64encode(read(self.ca[0]).encode()).decode()}}
        for who, user in ((self.agent1, f"{USER}c1:a1"), (self.bootstrap, BOOTSTRAP)):
            self.assert_refused_call(who, user, "PUT", f"{CSRS}/{csr}/approval", approved)
            self.assert_refused_call(who, user, "PUT", f"{CSRS}/{csr}/status", signed)
            self.assert_refused_call(who, user, "PUT", f"{CSRS}/{csr}", document)
            self.assert_refused_call(who, user, "DELETE", f"{CSRS}/{csr}")
            self.assert_refused_call(who, user, "DELETE", CSRS)
        self.assertEqual(self.state(csr), ({}, None))

    def test_a49_a_copied_name_is_not_approved_with_the_one_it_copies(self):
        """Who may see requests sees the agent's name in them, and can ask for the very same with a key of its own."""
        with LinkClient(self.hub) as honest:
            honest.hello("c5", "agent")
            honest.send(JOIN_REQUEST, self.bootstrap_token("c5"), self.forge.csr(self.forge.key(), f"{USER}c5:agent", groups_of("c5")), {}, {})
            honest.until(JOIN_PENDING)
            copy = self.ask(self.bootstrap, "c5", f"{USER}c5:agent", groups_of("c5"))
            done = self.world.whctl("accept", "c5", hub=self.hub, check=False)
            self.assertNotEqual(done.returncode, 0)
            self.assertIn(copy, done.stdout + done.stderr)
        self.assertEqual(self.state(copy), ({}, None))
        self.assertFalse(self.hub.api.get(f"{CLUSTERS}/c5")["spec"]["hubAcceptsClient"])

    def test_a50_a_request_under_the_name_that_the_next_one_will_have(self):
        """The hub's names for requests follow from keys; a request of another key in that place is put aside."""
        key = self.forge.key()
        name = f"c6-{self.forge.digest(key)[:10]}"
        self.bootstrap.create(CSRS, csr_object(name, self.forge.csr(self.forge.key(), f"{USER}c6:agent", groups_of("c6")), "c6"))
        with LinkClient(self.hub) as honest:
            honest.hello("c6", "agent")
            mine = self.forge.csr(key, f"{USER}c6:agent", groups_of("c6"))
            honest.send(JOIN_REQUEST, self.bootstrap_token("c6"), mine, {}, {})
            honest.until(JOIN_PENDING)
        csr = self.hub.api.get(f"{CSRS}/{name}")
        self.assertEqual(base64.b64decode(csr["spec"]["request"]).decode(), mine)
        self.assertTrue(csr["spec"]["username"].startswith("system:bootstrap:"))
        self.assertEqual(csr["metadata"]["labels"][LABEL], "c6")


if __name__ == "__main__":
    main()
