"""What bad_wire_test.py sends: each case has a name, the bytes, and the codes that may answer them."""

import json

from harness import objects

MAPS = objects("default", "configmaps")
LEASES = objects("default", "leases", group_version="coordination.k8s.io/v1")
CRDS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
MIB = 1 << 20
SECOND = "GET /api/v1/namespaces HTTP/1.1\r\nHost: h\r\n\r\n"  # what a smuggler hides behind his first request


def post(*headers, body=""):
    return ("\r\n".join((f"POST {MAPS} HTTP/1.1", "Host: h", "Content-Type: application/json", *headers)) +
            "\r\n\r\n" + body).encode("latin-1")


def get(*headers, line="GET /version HTTP/1.1", host="Host: h"):
    return ("\r\n".join(filter(None, (line, host, *headers))) + "\r\n\r\n").encode("latin-1")


def chunked(body):
    return post("Transfer-Encoding: chunked", body=body)


# What it is, the bytes, the codes that may answer. Nothing behind it is served.
FRAMING = (
    ("content-length twice, the same", post("Content-Length: 2", "Content-Length: 2", body="{}" + SECOND), {400}),
    ("content-length twice", post("Content-Length: 2", "Content-Length: 50", body="{}" + SECOND), {400}),
    ("content-length as a list", post("Content-Length: 2, 2", body="{}" + SECOND), {400}),
    ("content-length with chunks", post("Content-Length: 4", "Transfer-Encoding: chunked", body="0\r\n\r\n" + SECOND), {400}),
    ("chunks with content-length", post("Transfer-Encoding: chunked", "Content-Length: 4", body="0\r\n\r\n" + SECOND), {400}),
    ("content-length with a sign", post("Content-Length: +2", body="{}" + SECOND), {400}),
    ("content-length below zero", post("Content-Length: -2", body="{}" + SECOND), {400}),
    ("content-length in hex", post("Content-Length: 0x2", body="{}" + SECOND), {400}),
    ("content-length with a gap", post("Content-Length: 2 2", body="{}" + SECOND), {400}),
    ("content-length past 64 bits", post("Content-Length: 99999999999999999999", body="{}" + SECOND), {400, 413}),
    ("content-length past the limit", post("Content-Length: 3145729", body="{}"), {413}),
    ("content-length empty", post("Content-Length:", body="{}" + SECOND), {400}),
    ("transfer-encoding twice", post("Transfer-Encoding: chunked", "Transfer-Encoding: chunked", body="0\r\n\r\n" + SECOND), {400}),
    ("transfer-encoding unknown", post("Transfer-Encoding: gzip, chunked", body="0\r\n\r\n" + SECOND), {400, 501}),
    ("transfer-encoding identity", post("Transfer-Encoding: identity", body=SECOND), {400, 501}),
    ("transfer-encoding nearly", post("Transfer-Encoding: xchunked", body="0\r\n\r\n" + SECOND), {400, 501}),
    ("transfer-encoding with a tab", post("Transfer-Encoding:\x0bchunked", body="0\r\n\r\n" + SECOND), {400, 501}),
    ("chunks in HTTP/1.0", b"POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + SECOND.encode(), {400}),
    ("a folded header", get("X-A: b", " Content-Length: 40"), {400}),
    ("a header that begins folded", get(host=" Host: h"), {400}),
    ("line feeds alone", b"GET /version HTTP/1.1\nHost: h\n\n" + SECOND.encode(), {400}),
    ("a line feed alone in a header", get("X-A: b\nContent-Length: 40"), {400}),
    ("a carriage return alone", get("X-A: b\rContent-Length: 40"), {400}),
    ("a blank before the colon", get("Content-Length : 40"), {400}),
    ("a tab before the colon", get("Content-Length\t: 40"), {400}),
    ("a NUL in a header", get("X-A: b\0c"), {400}),
    ("a header without a colon", get("Content-Length 40"), {400}),
    ("a header without a name", get(": 40"), {400}),
    ("no host", get(host=""), {400}),
    ("two hosts", get("Host: other"), {400}),
    ("two authorizations", get("Authorization: Bearer a", "Authorization: Bearer b"), {400}),
    ("a chunk below zero", chunked("-1\r\n{}\r\n0\r\n\r\n" + SECOND), {400}),
    ("a chunk's size with 0x", chunked("0x2\r\n{}\r\n0\r\n\r\n" + SECOND), {400}),
    ("a chunk's size that is none", chunked("zz\r\n{}\r\n0\r\n\r\n" + SECOND), {400}),
    ("a chunk's size past 64 bits", chunked("FFFFFFFFFFFFFFFFF\r\n{}\r\n0\r\n\r\n" + SECOND), {400, 413}),
    ("a chunk past the limit", chunked("FFFFFFFF\r\n{}" + SECOND), {400, 413}),
    ("a chunk longer than it says", chunked("2\r\n{}{}\r\n0\r\n\r\n" + SECOND), {400}),
    ("a chunk that ends in a line feed", chunked("2\r\n{}\n0\r\n\r\n" + SECOND), {400}),
    ("a chunk's size that ends in a line feed", chunked("2\n{}\r\n0\r\n\r\n" + SECOND), {400}),
    ("a chunk extension without end", chunked("2;" + "x" * 40_000), {400}),
    ("a content-length behind the body", chunked("2\r\n{}\r\n0\r\nContent-Length: 40\r\n\r\n" + SECOND), {400}),
    ("a trailer without end", chunked("0\r\nX: " + "x" * 40_000), {400}),
    ("a header of 70 KB", get("X-A: " + "x" * 70_000), {431}),
    ("three thousand headers", get(*(f"X-{i}: {'y' * 20}" for i in range(3000))), {431}),
    ("a request line of 70 KB", get(line=f"GET /{'x' * 70_000} HTTP/1.1"), {414, 431}),
    ("a body of 3 MB and one", post("Connection: close", f"Content-Length: {3 * MIB + 1}", body=" " * (3 * MIB + 1)), {413}),
    ("chunks of 3 MB and one", chunked("100000\r\n" + " " * MIB + "\r\n" + ("100000\r\n" + " " * MIB + "\r\n") * 2 +
                                       "1\r\n \r\n0\r\n\r\n"), {413}),
    ("HTTP/2 without a word", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", {400, 505}),
    ("HTTP/3", get(line="GET /version HTTP/3.0"), {400, 505}),
    ("HTTP/0.9", b"GET /version\r\n\r\n", {400}),
    ("two blanks in the request line", get(line="GET  /version HTTP/1.1"), {400}),
    ("a tab in the request line", get(line="GET\t/version HTTP/1.1"), {400}),
    ("an expectation that nobody knows", get("Expect: wonders"), {417}),
    ("TLS inside TLS", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\0" * 100, {400}),
    ("noise", bytes(range(256)) * 16, {400}),
)

PATHS = (
    ("/api/v1/namespaces/default%2Fconfigmaps", {400, 404}),
    ("/api/v1/namespaces/default/configmaps/a%2Fb", {400, 404}),
    ("/api/v1/namespaces/default/configmaps/..%2F..%2Fsecrets", {400, 404}),
    ("/api/v1/namespaces/default/../kube-system/secrets", {400, 404}),
    ("/api/v1/namespaces/../secrets", {400, 404}),
    ("/api/v1/namespaces/%2e%2e/secrets", {400, 404}),
    ("/api/v1/namespaces/./default", {400, 404}),
    ("//api/v1/namespaces", {400, 404}),
    ("/api//v1/namespaces", {400, 404}),
    ("/api/v1/namespaces//configmaps", {400, 404}),
    ("/api/v1/namespaces/default/configmaps/%00", {400, 404}),
    ("/api/v1/namespaces/default/configmaps/a%0d%0aX-Evil:%20yes", {400, 404}),
    ("/api/v1/namespaces/default/configmaps/%zz", {400, 404}),
    ("/api/v1/namespaces/default/configmaps/%", {400, 404}),
    ("/api/v1/namespaces/default/configmaps/%c0%af", {400, 404}),
    ("/api/v1/namespaces/default/configmaps/\xff\xfe", {400, 404}),
    ("/api/v1/namespaces/default/configmaps/" + "x" * 30_000, {400, 404, 414}),
    ("/" + "a/" * 15_000, {400, 404, 414}),
    ("/..", {400, 404}),
    ("/etc/passwd", {404}),
    ("\\api\\v1", {400, 404}),
    ("api/v1/namespaces", {400, 404}),
    ("*", {400, 404, 405}),
    (MAPS + "?limit=-1", {400}),
    (MAPS + "?limit=99999999999999999999", {400}),
    (MAPS + "?limit=1&continue=garbage", {400, 410}),
    (MAPS + "?resourceVersion=-1", {400}),
    (MAPS + "?resourceVersion=1e3", {400}),
    (MAPS + "?resourceVersion=99999999999999999999999", {400}),
    (MAPS + "?watch=1&resourceVersion=abc", {400}),
    (MAPS + "?watch=maybe&timeoutSeconds=1", {200, 400}),
    (MAPS + "?watch=1&timeoutSeconds=99999999999999999999", {400}),
    (MAPS + "?labelSelector=" + "(" * 10_000, {400}),
    (MAPS + "?labelSelector=a%20in%20(" + ",".join("b" * 5 for _ in range(5000)), {400}),
    (MAPS + "?fieldSelector=metadata.name%3D%00", {200, 400}),
    (MAPS + "?labelSelector=%ff", {400}),
)


def map_of(text):
    return b'{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"bad"},"data":' + text + b"}"


def lease_of(seconds):
    return (b'{"apiVersion":"coordination.k8s.io/v1","kind":"Lease","metadata":{"name":"bad"},"spec":{"leaseDurationSeconds":' +
            seconds + b"}}")


def many_labels(count):
    labels = ",".join(f'"k{i}":""' for i in range(count))
    return b'{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"bad","labels":{' + labels.encode() + b"}}}"


def alias_bomb():
    lines = ["a0: &a0 [x,x,x,x,x,x,x,x,x,x]"]
    lines += [f"a{i}: &a{i} [{','.join([f'*a{i - 1}'] * 10)}]" for i in range(1, 12)]
    return ("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: bad}\n" + "\n".join(lines) + "\n").encode()


def many_patterns(count):
    fields = {f"p{i}": {"type": "string", "pattern": f"^(a|b){{1,100}}{i}$"} for i in range(count)}
    version = {"name": "v1", "served": True, "storage": True,
               "schema": {"openAPIV3Schema": {"type": "object", "properties": fields}}}
    return json.dumps({"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
                       "metadata": {"name": "bads.wire.example"},
                       "spec": {"group": "wire.example", "scope": "Namespaced", "names": {"plural": "bads", "kind": "Bad"},
                                "versions": [version]}}).encode()


JSON, YAML, PROTOBUF = "application/json", "application/yaml", "application/vnd.kubernetes.protobuf"
# What it is, where it goes, what it says it is, the bytes, the codes that may answer.
BODIES = (
    ("lists nested a million deep", MAPS, JSON, b"[" * 1_000_000, {400, 413}),
    ("objects nested deep", MAPS, JSON, map_of(b'{"a":' * 400_000 + b"1" + b"}" * 400_000), {400, 413}),
    ("objects nested 129 deep", MAPS, JSON, map_of(b'{"a":' * 128 + b"1" + b"}" * 128), {400, 413}),
    ("a key twice, strictly", MAPS + "?fieldValidation=Strict", JSON, map_of(b'{"a":"1","a":"2"}'), {400}),
    ("invalid UTF-8", MAPS, JSON, map_of(b'{"a":"\xff\xfe"}'), {400}),
    ("UTF-8 longer than it need be", MAPS, JSON, map_of(b'{"a":"\xc0\xaf"}'), {400}),
    ("half a surrogate", MAPS, JSON, map_of(b'{"a":"\\ud800"}'), {400}),
    ("NaN", LEASES, JSON, lease_of(b"NaN"), {400}),
    ("Infinity", LEASES, JSON, lease_of(b"-Infinity"), {400}),
    ("a number past double", LEASES, JSON, lease_of(b"1e999"), {400, 422}),
    ("a number past 64 bits", LEASES, JSON, lease_of(b"9" * 40), {400, 422}),
    ("a number past 32 bits", LEASES, JSON, lease_of(b"2147483648"), {400, 422}),
    ("a number of a million digits", LEASES, JSON, lease_of(b"9" * 1_000_000), {400, 422}),
    ("a number with a leading zero", LEASES, JSON, lease_of(b"007"), {400}),
    ("a number where text belongs", MAPS, JSON, map_of(b'{"a":1}'), {400, 422}),
    ("a quarter of a million labels", MAPS, JSON, many_labels(250_000), {422, 413, 400}),
    ("a million labels", MAPS, JSON, many_labels(1_000_000), {413}),
    ("nothing", MAPS, JSON, b" ", {400}),
    ("null", MAPS, JSON, b"null", {400}),
    ("text", MAPS, JSON, b'"ConfigMap"', {400}),
    ("a list", MAPS, JSON, b"[]", {400}),
    ("two documents", MAPS, JSON, map_of(b"{}") + map_of(b"{}"), {400}),
    ("an object cut off", MAPS, JSON, map_of(b"{}")[:-1], {400}),
    ("an alias bomb", MAPS, YAML, alias_bomb(), {400, 413}),
    ("an alias of itself", MAPS, YAML, b"a: &a [*a]\n", {400}),
    ("YAML nested deep", MAPS, YAML, b"[" * 500_000, {400, 413}),
    ("YAML blocks nested deep", MAPS, YAML, b"".join(b" " * i + b"a:\n" for i in range(1500)), {400, 413}),
    ("YAML sequences nested deep", MAPS, YAML, b"- " * 500_000, {400, 413}),
    ("YAML question marks", MAPS, YAML, b"? " * 500_000, {400, 413}),
    ("YAML flow maps", MAPS, YAML, b"{a: " * 300_000, {400, 413}),
    ("a YAML tag", MAPS, YAML, b"!!python/object:os.system {}\n", {400}),
    ("a YAML key twice, strictly", MAPS + "?fieldValidation=Strict", YAML,
     b"apiVersion: v1\nkind: ConfigMap\nmetadata: {name: bad}\ndata: {a: '1', a: '2'}\n", {400}),
    ("YAML that is not UTF-8", MAPS, YAML, b"apiVersion: v1\nkind: ConfigMap\nmetadata: {name: bad}\ndata: {a: \"\xff\"}\n", {400}),
    ("YAML .nan", LEASES, YAML, b"apiVersion: coordination.k8s.io/v1\nkind: Lease\nmetadata: {name: bad}\n"
                                b"spec: {leaseDurationSeconds: .nan}\n", {400, 422}),
    ("protobuf without its magic", MAPS, PROTOBUF, b"\x0a\x02v1", {400}),
    ("protobuf's magic alone", MAPS, PROTOBUF, b"k8s\0", {400}),
    ("protobuf with a length that lies", MAPS, PROTOBUF, b"k8s\0\x0a\xff\xff\xff\xff\x0f", {400}),
    ("protobuf with a number without end", MAPS, PROTOBUF, b"k8s\0" + b"\xff" * 100, {400}),
    ("protobuf noise", MAPS, PROTOBUF, b"k8s\0" + bytes(range(256)) * 100, {400}),
    ("protobuf cut off", MAPS, PROTOBUF, b"k8s\0\x0a\x0f\x0a\x02v1\x12\x09ConfigMap\x12\x40\x0a\x03", {400}),
    ("protobuf groups nested deep", MAPS, PROTOBUF, b"k8s\0\x0a\x0f\x0a\x02v1\x12\x09ConfigMap\x12\xa0\x8d\x06" +
     b"\x0b" * 100_000, {400}),
    ("a kind with twenty thousand patterns", CRDS, JSON, many_patterns(20_000), {422}),
    ("CBOR", MAPS, "application/cbor", b"\xd9\xd9\xf7\xa1\x61a\x61b", {415}),
    ("a form", MAPS, "application/x-www-form-urlencoded", b"a=b", {415}),
    ("a content type that is none", MAPS, ";;;;", map_of(b"{}"), {400, 415}),
)
