#!/usr/bin/env python3
"""The rules of the tree, as tests: one way of includes, no relay protocol in the engine, sizes, and
no word about a page that the repository does not have.

Usage: check_tree.py RULE, with RULE one of: layers, doors, protocol, sizes, pages. Prints every breach.
"""
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

# What each folder of engine/ may include besides itself and culvert/ (the embedder's values).
LAYERS = {
    "core": set(),
    "crypto": {"core"},
    "io": {"core"},
    "link": {"core", "io", "crypto"},
    "tunnel": {"core", "io", "crypto", "link"},
    "plugin": {"core", "io", "crypto", "link"},
    "observe": {"core"},
    "admin": {"core"},
    "config": {"core", "crypto"},
    "role": {"core", "io", "crypto", "link", "tunnel", "plugin", "config", "observe"},
    "facade": {"core", "io", "crypto", "link", "tunnel", "plugin", "config", "observe", "admin",
               "role"},
}

# What the test support may include of the engine: a backend of io/ and a link, no plugin, no role.
SUPPORT = {"core", "io", "link", "support"}
TESTS = {"support", "unit", "sim"}  # no product code includes these

# A library's header may be included only below these paths.
DOORS = {
    r"liburing": ("engine/io/uring/",),
    r"openssl/": ("engine/link/tls", "engine/crypto/"),
    r"boost/dll": ("engine/plugin/loader",),
    r"spdlog/": ("engine/observe/",),
    r"prometheus/": ("engine/admin/metrics",),
    r"boost/asio": ("engine/admin/server", "engine/link/http_parse"),
    r"toml\+\+/": ("engine/config/toml_file",),
    r"sys/socket\.h|netinet/|sys/un\.h": ("engine/io/", "engine/observe/stderr_sink"),
}

PROTOCOL = re.compile(r"\$hc|sb-hc-|SharedAccess|servicebus", re.IGNORECASE)
FUNCTION_LINES = 70
FILE_LINES = 500
EXAMPLE = Path("sdk/examples/example_relay/example_relay.c")  # a relay plugin whole, and small
EXAMPLE_LINES = 300


def tracked(*patterns):
    out = subprocess.run(["git", "-C", str(ROOT), "ls-files", "-co", "--exclude-standard", *patterns],
                         check=True, capture_output=True, text=True).stdout
    return [Path(line) for line in out.splitlines() if (ROOT / line).is_file()]


def includes(path):
    for number, line in enumerate((ROOT / path).read_text().splitlines(), 1):
        match = re.match(r'\s*#\s*include\s*[<"]([^>"]+)[>"]', line)
        if match:
            yield number, match.group(1)


def layer_of(path):
    parts = path.parts
    return None if parts[1] == "include" else parts[1]


def check_layers():
    for path in tracked("engine/*.hpp", "engine/*.cpp"):
        layer = layer_of(path)
        for number, name in includes(path):
            first = name.split("/")[0]
            if first not in LAYERS.keys() | TESTS or "/" not in name:
                continue
            allowed = {"core"} if layer is None else LAYERS[layer] | {layer}
            if layer is None or first not in allowed:
                yield f"{path}:{number}: {layer or 'engine'} may not include {name}"
    for path in tracked("plugins/*.hpp", "plugins/*.cpp", "plugins/*.h", "sdk/*.c", "sdk/*.h", "sdk/*.hpp"):
        for number, name in includes(path):
            if name.split("/")[0] in LAYERS.keys() | TESTS:
                yield f"{path}:{number}: plugins see only sdk/, not {name}"
    for path in tracked("tools/culvert/*.cpp", "tools/culvert/*.hpp"):
        for number, name in includes(path):
            if name.split("/")[0] in LAYERS.keys() | TESTS:
                yield f"{path}:{number}: the command uses the embedder's API alone, not {name}"
    for path in tracked("tests/support/*.cpp", "tests/support/*.hpp"):
        for number, name in includes(path):
            if name.split("/")[0] in (LAYERS.keys() | TESTS) - SUPPORT:
                yield f"{path}:{number}: the test support may not include {name}"


def check_doors():
    for path in tracked("engine/*.hpp", "engine/*.cpp", "tests/support/*.hpp", "tests/support/*.cpp"):
        for number, name in includes(path):
            for library, doors in DOORS.items():
                if re.match(library, name) and not str(path).startswith(doors):
                    yield f"{path}:{number}: {name} belongs to {' and '.join(doors)}"


def check_protocol():
    for path in tracked("engine/*"):
        if str(path).startswith("engine/config/connection_string."):
            continue
        for number, line in enumerate((ROOT / path).read_text().splitlines(), 1):
            if PROTOCOL.search(line):
                yield f"{path}:{number}: the engine knows no relay protocol: {line.strip()}"


OPENING = re.compile(r"^ *\S.*\)[^;]*\{$")
NO_FUNCTION = re.compile(r" *(namespace|class|struct|union|enum|extern|if|for|while|switch|else|do|return)\b|^ *\}")


def functions(lines):
    """(first line, length) of each function, by the shape clang-format gives them."""
    at = 0
    while at < len(lines):
        start = at  # of a declaration over several lines
        while start > 0 and not re.search(r"[;{}>]$|^$|^#|^ *//|(public|private|protected|default):$|case .*:$",
                                          re.sub(r"; +//.*$", ";", lines[start - 1])):
            start -= 1
        if (OPENING.match(lines[at]) and "[" not in lines[at].split("(")[0]
                and not NO_FUNCTION.match(lines[start]) and not NO_FUNCTION.match(lines[at])):
            closing = re.match(" *", lines[start]).group() + "}"
            end = at + 1
            while end < len(lines) and not re.match(re.escape(closing) + r"(?![\w ])", lines[end]):
                end += 1
            yield at + 1, end - at + 1
        at += 1


def check_sizes():
    for path in tracked("*.cpp", "*.hpp", "*.c", "*.h"):
        lines = (ROOT / path).read_text().splitlines()
        if len(lines) > FILE_LINES:
            yield f"{path}: {len(lines)} lines, at most {FILE_LINES}"
        if path == EXAMPLE and len(lines) > EXAMPLE_LINES:
            yield f"{path}: {len(lines)} lines, at most {EXAMPLE_LINES}"
        for first, length in functions(lines):
            if length > FUNCTION_LINES:
                yield f"{path}:{first}: a function of {length} lines, at most {FUNCTION_LINES}"
    sources = tracked("sdk/examples/*.c", "sdk/examples/*.h", "sdk/examples/*.cpp", "sdk/examples/*.hpp")
    if sources != [EXAMPLE]:
        yield f"sdk/examples: the example is one file, {EXAMPLE}, not {', '.join(map(str, sources)) or 'none'}"
    for path in tracked("*README.md"):
        if path.parent != Path(".") and len((ROOT / path).read_text().splitlines()) > 70:
            yield f"{path}: a folder's README is at most one screen (70 lines)"


GAP = r"(?:\s|\n\s*(?://+|#+|\*)\s?)+"  # between two words of a comment, which may stand on two lines
RFC = rf"RFC{GAP}\d+,?{GAP}"
ABSENT_PAGES = re.compile(rf"(?P<rfc>{RFC})?\bsections?{GAP}\d[\d.]*|\b(?:design|reference){GAP}(?:page|section)s?\b"
                          r"|\.\./shared\b|\S*\w\.md\b", re.IGNORECASE)


def check_pages():
    for path in tracked():
        if (path.is_relative_to("tests/abi/v1") or path.is_relative_to("tests/fuzz/corpus")
                or path.name in ("LICENSE", "package-lock.json")):
            continue  # not of our hand, or kept as it was
        text = (ROOT / path).read_text()
        for match in ABSENT_PAGES.finditer(text):
            name = match.group().lstrip("([`\"'")
            page = name.endswith(".md") and any((base / name).is_file() for base in (ROOT, (ROOT / path).parent))
            if match.group("rfc") or page or "://" in name or "*" in name:
                continue
            number = text.count("\n", 0, match.start()) + 1
            yield f"{path}:{number}: the repository has no such page: {' '.join(match.group().split())}"


def main():
    rules = {"layers": check_layers, "doors": check_doors, "protocol": check_protocol, "sizes": check_sizes,
             "pages": check_pages}
    breaches = list(rules[sys.argv[1]]())
    print("\n".join(breaches))
    return 1 if breaches else 0


if __name__ == "__main__":
    sys.exit(main())
