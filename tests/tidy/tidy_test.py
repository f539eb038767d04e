"""Checks the source itself: which folder may include which, third-party headers at the edge, leftovers, file sizes."""
import pathlib
import re
import sys

ROOT = pathlib.Path(sys.argv[1])

# What a folder may include besides itself. Longer prefixes win.
ALLOWED = {
    "base": [],
    "messages": ["base"],
    "resources": ["base", "messages"],
    "persistence": ["base", "messages"],
    "actors": ["base", "messages", "resources"],
    "actors/runtime": ["base", "messages", "actors", "persistence"],
    "transport": ["base", "messages"],
    "apiserver": ["base", "messages", "resources", "persistence"],
    "apiserver/https_front": ["base", "messages", "resources", "persistence", "transport"],
    "apiserver/tokens": ["base", "messages", "resources", "persistence", "transport"],
    "nodes": ["base", "messages", "resources", "persistence", "actors", "transport", "apiserver"],
    "sim": ["base", "messages", "resources", "persistence", "actors", "transport", "apiserver", "nodes"],
}

# Third-party headers that only some folders may see.
EDGES = {
    "caf/": ["actors/runtime"],
    "lmdb.h": ["persistence"],
    "boost/": ["transport"],
    "openssl/": ["transport", "persistence/sealing", "persistence/backup_file"],
    "msgpack": ["messages"],
    "yaml-cpp/": ["resources", "nodes/common"],
    "CLI/": ["nodes/common"],
    "prometheus/": ["nodes/hub"],
}

LINES_MAX = 600
LEFTOVERS = re.compile(r"\b(TODO|FIXME|XXX|HACK)\b")
INCLUDE = re.compile(r'^\s*#\s*include\s+(["<])([^">]+)[">]', re.M)


def rule_for(path):
    matches = [k for k in ALLOWED if path == k or path.startswith(k + "/") or path.startswith(k + ".")]
    return max(matches, key=len) if matches else None


def complaints(name, text):
    rule = rule_for(name)
    for quote, header in INCLUDE.findall(text):
        if quote == '"' and rule:
            folder = header.split("/")[0]
            own = rule.split("/")[0]
            sub = rule if header.startswith(rule) else folder
            allowed = ALLOWED[rule] + [own]
            if header.startswith("actors/runtime") and rule == "actors":
                yield f"{name}: actors must not see their runtime ({header})"
            if folder not in allowed and sub not in allowed:
                yield f"{name}: {rule} must not include {header}"
        for prefix, folders in EDGES.items():
            if quote == "<" and header.startswith(prefix) and not any(name.startswith(f) for f in folders):
                if not name.startswith(("tests/", "bench/")):
                    yield f"{name}: <{header}> belongs behind a wrapper in {folders[0]}/"
    for number, line in enumerate(text.splitlines(), 1):
        if LEFTOVERS.search(line):
            yield f"{name}:{number}: leftover: {line.strip()}"
    if text.count("\n") > LINES_MAX:
        yield f"{name}: {text.count(chr(10))} lines; nobody finds their way in more than {LINES_MAX}"


def sources():
    for top in ["base", "messages", "resources", "persistence", "actors", "transport", "apiserver", "nodes", "sim", "tests", "bench"]:
        for path in sorted((ROOT / top).rglob("*")):
            if path.suffix in (".hpp", ".cpp"):
                yield path


def main():
    found = []
    count = 0
    for path in sources():
        count += 1
        found += complaints(str(path.relative_to(ROOT)), path.read_text())
    # The checks must be able to fail.
    assert list(complaints("actors/x.cpp", '#include <caf/all.hpp>\n#include "transport/net.hpp"\n')), "the rules catch nothing"
    for line in found:
        print(line)
    print(f"{count} files, {len(found)} complaints")
    sys.exit(1 if found else 0)


main()
