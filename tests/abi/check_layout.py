#!/usr/bin/env python3
"""The layout of every ABI struct and the number of every constant are what they always were.

Usage: check_layout.py INCLUDE_DIRECTORY COMPILER LAYOUT_FILE [--grown | --write]

Reads the structs, enums and ids out of the headers themselves, so that none can be forgotten, lets
the compiler say their sizes, and compares with the file; of functions also what they take. A line
of the file may only change with the ABI's major version. With --grown a struct may have become
larger than in the file, by members behind all that it had, and what is new may come.
"""
import re
import subprocess
import sys
import tempfile
from pathlib import Path

HEADERS = ["plugin", "service", "auth", "resolver", "transport", "relay"]


def member_name(declaration):
    function = re.search(r"\(\*(\w+)\)", declaration)
    return function.group(1) if function else re.search(r"(\w+)(\[\w+\])?$", declaration).group(1)


def statements(text):
    for struct in re.finditer(r"struct (culvert_\w+) \{(.*?)\n\}", text, re.S):
        name = struct.group(1)
        yield f'printf("struct {name} size %zu align %zu\\n", sizeof({name}), _Alignof({name}));'
        for declaration in filter(None, (part.strip() for part in struct.group(2).split(";"))):
            member = member_name(declaration)
            yield (f'printf("  {name}.{member} at %zu size %zu\\n", offsetof({name}, {member}), '
                   f'sizeof((({name} *)0)->{member}));')
            if "(*" in declaration:
                yield f'puts("  {name}.{member} is {" ".join(declaration.split())}");'
    for enum in re.finditer(r"enum (culvert_\w+) \{(.*?)\}", text, re.S):
        for constant in re.findall(r"(CULVERT_\w+) =", enum.group(2)):
            yield f'printf("enum {enum.group(1)} {constant} %lld\\n", (long long){constant});'
    for name in re.findall(r"#define (CULVERT_(?:KIND|SERVICE)_\w+) ", text):
        yield f'printf("id {name} %s\\n", {name});'
    for name in re.findall(r"#define (CULVERT_(?:PLUGIN_MAGIC|MOST_\w+)) ", text):
        yield f'printf("number {name} %llu\\n", (unsigned long long){name});'


def layout(include, compiler):
    body = []
    for header in HEADERS:
        text = Path(include, "culvert", header + ".h").read_text()
        body += statements(re.sub(r"/\*.*?\*/", "", text, flags=re.S))
    source = "".join(f'#include "culvert/{header}.h"\n' for header in HEADERS)
    source += "#include <stdio.h>\nint main(void) {\n" + "\n".join(body) + "\nreturn 0;\n}\n"
    with tempfile.TemporaryDirectory() as folder:
        program = str(Path(folder, "layout"))
        subprocess.run([compiler, "-std=c11", "-I", include, "-x", "c", "-", "-o", program],
                       input=source, text=True, check=True)
        return subprocess.run([program], text=True, check=True, capture_output=True).stdout


def grown(wanted, now):
    """`now`, with what has only grown as it was."""
    size = re.compile(r"struct (\w+) size (\d+) align (\d+)$")
    then = {found[1]: found for found in map(size.match, wanted) if found}
    kept = []
    for line in now:
        struct = size.match(line)
        member = re.match(r"  (\w+)\.\w+ at (\d+) ", line)
        old = then.get((struct or member)[1]) if struct or member else None
        if struct and old and int(struct[2]) > int(old[2]) and struct[3] == old[3]:
            kept.append(old[0])
        elif line in wanted or (member and old and int(member[2]) < int(old[2])):
            kept.append(line)
    return kept


def main():
    include, compiler, file = sys.argv[1:4]
    found = layout(include, compiler)
    if "--write" in sys.argv:
        Path(file).write_text(found)
        return 0
    wanted, now = Path(file).read_text().splitlines(), found.splitlines()
    if "--grown" in sys.argv:
        now = grown(wanted, now)
    for line in wanted:
        if line not in now:
            print("gone or changed: " + line)
    for line in now:
        if line not in wanted:
            print("not in the file: " + line)
    return 0 if wanted == now else 1


if __name__ == "__main__":
    sys.exit(main())
