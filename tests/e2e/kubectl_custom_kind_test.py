"""The life of a custom kind with kubectl: definition, discovery, columns, defaults, pruning, status, versions, end."""

import json

from harness import eventually, main
from kubectl_user import TIMEOUT, KubectlTest, manifest, on_both

DEFINITION = """
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: widgets.test.wheelhouse.example}
spec:
  group: test.wheelhouse.example
  scope: Namespaced
  names: {plural: widgets, singular: widget, kind: Widget, shortNames: [wdg], categories: [all]}
  versions:
  - name: v1
    served: true
    storage: true
    subresources:
      status: {}
      scale: {specReplicasPath: .spec.size, statusReplicasPath: .status.count, labelSelectorPath: .status.selector}
    additionalPrinterColumns:
    - {name: Size, type: integer, jsonPath: .spec.size}
    - {name: Color, type: string, jsonPath: .spec.color, priority: 1}
    schema:
      openAPIV3Schema:
        type: object
        description: Something with a size.
        properties:
          spec:
            type: object
            required: [size]
            x-kubernetes-validations: [{rule: "self.size < 100"}]
            properties:
              size: {type: integer, minimum: 1, description: How large it is.}
              color: {type: string, default: blue, enum: [blue, red]}
          status:
            type: object
            properties: {ready: {type: boolean}, count: {type: integer}, selector: {type: string}}
  - name: v1beta1
    served: true
    storage: false
    schema: {openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true}}
"""


class CustomKind(KubectlTest):
    @on_both
    def test_the_life_of_a_custom_kind(self, k):
        told = k("create", "-f", "-", stdin=DEFINITION)
        self.assertRegex(told, r'Warning: spec\.versions\[0\].*properties\[spec\].*self\.size < 100.*is not enforced')
        k("wait", "--for=condition=Established", "crd/widgets.test.wheelhouse.example", TIMEOUT)
        eventually("it is discovered", lambda: "wdg" in k("api-resources", "--api-group=test.wheelhouse.example"))
        self.assertIn("How large it is", k("explain", "widgets.spec.size"))
        version = "test.wheelhouse.example/v1"
        k("create", "-f", "-", stdin=manifest("Widget", "w", version, spec={"size": 4}))
        self.assertRegex(k("get", "wdg"), r"(?m)^NAME +SIZE *\nw +4$")
        self.assertRegex(k("get", "widget", "-o", "wide"), r"(?m)^w +4 +blue$")
        self.assertIn("widget.test.wheelhouse.example/w", k("get", "all", "-o", "name"))
        for spec, complaint in (({"size": 0}, "greater than or equal to 1"), ({}, "spec.size"),
                                ({"size": 1, "color": "pink"}, "Unsupported value"),
                                ({"size": "big"}, "spec.size")):
            wrong = manifest("Widget", "x", version, spec=spec)
            self.assertIn(complaint, k("create", "--validate=false", "-f", "-", stdin=wrong, fails=True))
        odd = manifest("Widget", "pruned", version, spec={"size": 1, "odd": 1})
        k("apply", "--validate=false", "-f", "-", stdin=odd)
        self.assertEqual(json.loads(k("get", "wdg", "pruned", "-o", "jsonpath={.spec}")), {"size": 1, "color": "blue"})
        k("patch", "wdg", "w", "--type=merge", "-p", '{"spec":{"size":5},"status":{"ready":true}}')
        self.assertEqual(k("get", "wdg", "w", "-o", "jsonpath={.status}/{.metadata.generation}"), "/2")
        if self.minor >= 24:
            both = '{"spec":{"size":9},"status":{"ready":true}}'
            k("patch", "wdg", "w", "--subresource=status", "--type=merge", "-p", both)
            told = k("get", "wdg", "w", "-o", "jsonpath={.status.ready} {.spec.size} {.metadata.generation}")
            self.assertEqual(told, "true 5 2")
        self.assertIn("scaled", k("scale", "widget", "w", "--replicas=7", "--current-replicas=5"))
        self.assertIn("scaled", k("scale", "wdg/w", "--replicas=5"))
        self.assertIn("replicas to be 1", k("scale", "wdg/w", "--replicas=2", "--current-replicas=1", fails=True))
        self.assertIn("greater than or equal to 1", k("scale", "wdg/w", "--replicas=0", fails=True))
        scale = json.loads(k("get", "--raw", f"/apis/{version}/namespaces/{k.namespace}/widgets/w/scale"))
        self.assertEqual((scale["kind"], scale["spec"], scale["status"]), ("Scale", {"replicas": 5}, {"replicas": 0}))
        other = json.loads(k("get", "widgets.v1beta1.test.wheelhouse.example", "w", "-o", "json"))
        self.assertEqual((other["apiVersion"], other["spec"]["size"]), ("test.wheelhouse.example/v1beta1", 5))
        k("delete", "crd", "widgets.test.wheelhouse.example", TIMEOUT)
        self.assertRegex(k("get", "widgets", fails=True), "doesn't have a resource type|could not find the requested")
        k("create", "-f", "-", stdin=DEFINITION)
        k("wait", "--for=condition=Established", "crd/widgets.test.wheelhouse.example", TIMEOUT)
        eventually("it is back, and empty", lambda: "No resources" in k("get", "widgets", fails=None))
        k("delete", "crd", "widgets.test.wheelhouse.example", TIMEOUT)


if __name__ == "__main__":
    main()
