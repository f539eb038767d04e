#!/usr/bin/env bash
# Runs everyday kubectl commands against the API server on a memory store and compares what they print.
# Usage: kubectl_smoke.sh <wh_serve> <kubectl> [<kubectl> …]
set -u
serve=$1
shift
work=$(mktemp -d)
failures=0
server=

finish() {
  [ -n "$server" ] && kill "$server" 2>/dev/null
  rm -rf "$work"
}
trap finish EXIT

start() {  # start <hub|cluster>
  rm -f "$work/config"
  "$serve" --kinds "$1" --kubeconfig "$work/config" --user-kubeconfig "$work/user" --user ann >"$work/url" &
  server=$!
  for _ in $(seq 100); do [ -s "$work/url" ] && return; sleep 0.1; done
  echo "the server did not start"; exit 1
}

stop() { kill "$server"; wait "$server" 2>/dev/null; server=; }

k() { timeout 60 "$kubectl" --kubeconfig "$work/config" --cache-dir "$work/cache-$(basename "$kubectl")-$kinds" "$@"; }

# expect <regular expression> <command …>: the command's output, both streams, must match.
expect() {
  local want=$1 got
  shift
  got=$("$@" 2>&1)
  if ! grep -Eq -- "$want" <<<"$got"; then
    failures=$((failures + 1))
    printf '%s (%s): %s\n  wanted: %s\n  got: %s\n' "$(basename "$kubectl")" "$kinds" "${*:2}" "$want" "$got"
  fi
}

# Warnings and errors about the server's answers must not appear in ordinary commands.
quiet() {
  local got
  got=$("$@" 2>&1 >/dev/null)
  [ -z "$got" ] || { failures=$((failures + 1)); printf '%s (%s): %s\n  said: %s\n' "$(basename "$kubectl")" "$kinds" "${*:2}" "$got"; }
}

newer_than() { [ "$(printf '%s\n' "$1" "$minor" | sort -n | head -1)" = "$1" ]; }

both_kinds() {
  expect 'configmaps +cm +v1 +true +ConfigMap' k api-resources
  expect 'namespaces' k api-resources --verbs=list --namespaced=false -o name
  expect '^v1$' k api-versions
  expect 'Server Version' k version
  expect '^ok$' k get --raw /readyz
  expect 'default +Active' k get ns
  quiet k get ns

  expect 'namespace/shop created' k create namespace shop
  expect 'configmap/a created' k -n shop create configmap a --from-literal=k=v
  expect 'already exists' k -n shop create configmap a
  expect 'NAME +DATA +AGE' k -n shop get cm
  expect '^a +1 ' k -n shop get cm a
  expect '^shop +a +1 ' k get cm -A
  expect 'k: v' k -n shop get cm a -o yaml
  expect '^v$' k -n shop get cm a -o 'jsonpath={.data.k}'
  expect 'No resources found in shop namespace' k -n shop get cm -l x=y
  expect 'labeled' k -n shop label cm a x=y
  expect '^a' k -n shop get cm -l x=y --no-headers
  expect 'annotated|annotate' k -n shop annotate cm a note=hello
  expect 'patched' k -n shop patch cm a -p '{"data":{"p":"1"}}'
  expect 'patched' k -n shop patch cm a --type=merge -p '{"data":{"p":"2"}}'
  expect 'patched' k -n shop patch cm a --type=json -p '[{"op":"replace","path":"/data/p","value":"3"}]'
  expect 'no change' k -n shop patch cm a --type=merge -p '{"data":{"p":"3"}}'
  expect 'edited' env KUBE_EDITOR='sed -i s/\"3\"/\"4\"/' timeout 60 "$kubectl" --kubeconfig "$work/config" -n shop edit cm a
  expect '^4$' k -n shop get cm a -o 'jsonpath={.data.p}'
  expect 'Name: +a' k -n shop describe cm a
  expect 'field label not supported' k -n shop get cm --field-selector data.k=v
  expect '^a' k -n shop get cm --field-selector metadata.name=a --no-headers
  expect 'not found' k -n shop get cm none

  printf 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: ap, namespace: shop}\ndata: {x: "1"}\n' >"$work/cm.yaml"
  expect 'configmap/ap created' k apply -f "$work/cm.yaml"
  expect 'configmap/ap unchanged' k apply -f "$work/cm.yaml"
  sed -i 's/"1"/"2"/' "$work/cm.yaml"
  expect 'configured.*server dry run' k apply --dry-run=server -f "$work/cm.yaml"
  expect '\+  x: "2"' k diff -f "$work/cm.yaml"
  expect 'configmap/ap configured' k apply -f "$work/cm.yaml"
  expect 'configmap/ap replaced' k replace -f "$work/cm.yaml"
  printf 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: bad, namespace: shop}\ndatum: {x: "1"}\n' >"$work/bad.yaml"
  newer_than 27 && expect 'unknown field "datum"' k apply -f "$work/bad.yaml"

  expect 'secret/s created' k -n shop create secret generic s --from-literal=p=w
  expect 's +Opaque +1' k -n shop get secret
  expect '^dw==$' k -n shop get secret s -o 'jsonpath={.data.p}'
  expect 'p: +1 bytes' k -n shop describe secret s
  newer_than 27 && expect 'KIND: +ConfigMap' k explain configmap
  newer_than 27 && expect 'FIELD: *data' k explain configmap.data
  newer_than 28 && expect 'Username +admin' k auth whoami

  (sleep 2; k -n shop create configmap later >/dev/null) &
  expect 'later' timeout 8 "$kubectl" --kubeconfig "$work/config" -n shop get cm -w
  wait $!
  newer_than 23 && expect 'condition met' k wait --for=jsonpath='{.status.phase}'=Active ns/shop --timeout=5s
  expect '^yes$' k auth can-i create configmaps -n shop
  expect '^no' timeout 60 "$kubectl" --kubeconfig "$work/user" auth can-i create configmaps -n shop
  expect 'Forbidden.*User "ann" cannot list resource "configmaps" in API group "" in the namespace "shop"' timeout 60 "$kubectl" --kubeconfig "$work/user" -n shop get cm
  expect 'clusterrole.*created' k create clusterrole readers --verb=get,list,watch --resource=configmaps
  expect 'rolebinding.*created' k -n shop create rolebinding ann --clusterrole=readers --user=ann
  expect '^a ' timeout 60 "$kubectl" --kubeconfig "$work/user" -n shop get cm

  expect '"a" deleted' k -n shop delete cm a
  expect 'deleted' k -n shop delete cm --all
  expect 'No resources' k -n shop get cm
  expect 'deleted' k delete ns shop --wait=false
  expect 'shop +Terminating' k get ns shop
  expect 'because it is being terminated' k -n shop create configmap late
  expect 'forbidden' k delete ns default
  k get ns shop -o json | sed 's/"kubernetes"//' >"$work/ns.json"
  expect 'Namespace' k replace --raw /api/v1/namespaces/shop/finalize -f "$work/ns.json"
  expect 'NotFound' k get ns shop
}

hub_kinds() {
  cat >"$work/cluster.yaml" <<Y
apiVersion: cluster.open-cluster-management.io/v1
kind: ManagedCluster
metadata: {name: c1}
spec: {hubAcceptsClient: true, leaseDurationSeconds: 60}
Y
  expect 'managedcluster.cluster.open-cluster-management.io/c1 created' k apply -f "$work/cluster.yaml"
  expect 'HUB ACCEPTED' k get managedclusters
  expect '^c1 +true' k get mcl
  expect 'patched' k patch mcl c1 --type=merge -p '{"spec":{"leaseDurationSeconds":30}}'
  expect 'labeled' k label mcl c1 env=dev
  expect 'Lease Duration Seconds: +30' k describe mcl c1
  expect 'is invalid' k patch mcl c1 --type=merge -p '{"spec":{"managedClusterClientConfigs":[{"url":"ftp://x"}]}}'
  newer_than 24 && expect 'patched' k patch mcl c1 --subresource=status --type=merge -p '{"status":{"conditions":[{"type":"Joined","status":"True","reason":"R","message":"","lastTransitionTime":"2026-01-01T00:00:00Z"}]}}'
  newer_than 24 && expect 'condition met' k wait --for=condition=Joined mcl/c1 --timeout=5s
  k create ns c1 >/dev/null
  cat >"$work/work.yaml" <<Y
apiVersion: work.open-cluster-management.io/v1
kind: ManifestWork
metadata: {name: w, namespace: c1}
spec:
  workload:
    manifests:
    - apiVersion: v1
      kind: ConfigMap
      metadata: {name: cm, namespace: default}
      data: {a: b}
Y
  expect 'manifestwork.work.open-cluster-management.io/w created' k apply -f "$work/work.yaml"
  expect 'unchanged' k apply -f "$work/work.yaml"
  sed -i 's/a: b/a: c/' "$work/work.yaml"
  expect 'configured' k apply -f "$work/work.yaml"
  expect '^2$' k -n c1 get manifestwork w -o 'jsonpath={.metadata.generation}'
  expect '^w ' k -n c1 get manifestworks
  expect 'edited' env KUBE_EDITOR='sed -i s/a:.c/a:\ d/' timeout 60 "$kubectl" --kubeconfig "$work/config" -n c1 edit manifestwork w
  expect 'Manifests:' k -n c1 describe manifestwork w
  expect 'listed twice|at least one manifest' k -n c1 patch manifestwork w --type=merge -p '{"spec":{"workload":{"manifests":[]}}}'
  newer_than 27 && expect 'manifests' k explain manifestwork.spec.workload
  expect 'deleted' k -n c1 delete manifestwork w
  openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout "$work/key" -subj /CN=x -out "$work/csr" 2>/dev/null
  cat >"$work/csr.yaml" <<Y
apiVersion: certificates.k8s.io/v1
kind: CertificateSigningRequest
metadata: {name: r1}
spec:
  request: $(base64 -w0 <"$work/csr")
  signerName: kubernetes.io/kube-apiserver-client
  usages: [client auth]
Y
  expect 'created' k apply -f "$work/csr.yaml"
  expect 'r1 .*kubernetes.io/kube-apiserver-client +admin.*Pending' k get csr
  expect 'approved' k certificate approve r1
  expect 'Approved' k get csr r1
  expect 'Approved' k describe csr r1
  expect 'deleted' k delete csr r1
  expect 'deleted' k delete mcl c1
  k delete ns c1 --wait=false >/dev/null
  k get ns c1 -o json | sed 's/"kubernetes"//' >"$work/ns.json"
  k replace --raw /api/v1/namespaces/c1/finalize -f "$work/ns.json" >/dev/null
}

cluster_kinds() {
  expect 'deployment.apps/web created' k create deployment web --image=nginx
  expect '^web +0/1' k get deploy
  expect 'image updated' k set image deployment/web nginx=nginx:2
  expect 'nginx:2' k get deploy web -o wide
  expect 'Replicas:' k describe deploy web
  k get deploy web -o yaml >"$work/deploy.yaml"
  sed -i 's/nginx:2/nginx:3/; /resourceVersion/d; /uid:/d' "$work/deploy.yaml"
  expect 'configured' k apply -f "$work/deploy.yaml"
  expect 'created|exposed' k create service clusterip web --tcp=80:80
  expect 'web +ClusterIP.*80/TCP' k get svc web
  expect 'pod/p created' k run p --image=busybox --restart=Never
  expect 'p +0/1 +Pending' k get pod p
  expect '^p ' k get pods --field-selector status.phase=Pending --no-headers
  expect 'Status: +Pending' k describe pod p
  cat >"$work/crd.yaml" <<Y
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: widgets.x.io}
spec:
  group: x.io
  scope: Namespaced
  names: {plural: widgets, kind: Widget, shortNames: [wg]}
  versions:
  - name: v1
    served: true
    storage: true
    schema:
      openAPIV3Schema:
        type: object
        properties:
          spec: {type: object, properties: {size: {type: integer, description: how big}}}
    additionalPrinterColumns:
    - {name: Size, type: integer, jsonPath: .spec.size}
Y
  expect 'created' k apply -f "$work/crd.yaml"
  expect 'condition met' k wait --for=condition=Established crd/widgets.x.io --timeout=5s
  printf 'apiVersion: x.io/v1\nkind: Widget\nmetadata: {name: a, namespace: default}\nspec: {size: 4}\n' >"$work/widget.yaml"
  expect 'widget.x.io/a created' k apply -f "$work/widget.yaml"
  expect '^a +4' k get widgets
  sed -i 's/4/5/' "$work/widget.yaml"
  expect 'configured' k apply -f "$work/widget.yaml"
  expect '^a +5' k get wg
  newer_than 27 && expect 'how big' k explain widget.spec.size
  printf 'apiVersion: x.io/v1\nkind: Widget\nmetadata: {name: b, namespace: default}\nspec: {size: big}\n' >"$work/widget.yaml"
  expect 'spec.size.*must be of type integer|expected.*integer|invalid' k apply -f "$work/widget.yaml"
  expect 'deleted' k delete crd widgets.x.io --timeout=20s
  expect "doesn't have a resource type|could not find the requested resource" k get widgets
  expect 'deleted' k delete deploy/web svc/web pod/p
}

for kubectl in "$@"; do
  minor=$("$kubectl" version --client -o json 2>/dev/null | sed -n 's/.*"minor": "\([0-9]*\).*/\1/p' | head -1)
  for kinds in hub cluster; do
    start "$kinds"
    both_kinds
    "${kinds}_kinds"
    stop
  done
done
echo "$failures failures"
[ "$failures" = 0 ]
