#!/usr/bin/env python3
"""Every plugin of the directories exports exactly one symbol and wants none of the engine's.

Usage: check_exports.py NM DIRECTORY... with --except ID,ID for plugins that are wrong on purpose.
"""
import subprocess
import sys
from pathlib import Path

ENTRY = "culvert_plugin_v1"


def symbols(nm, file, which):
    out = subprocess.run([nm, "-D", which, str(file)], text=True, check=True, capture_output=True)
    return [line.split()[-1].split("@")[0] for line in out.stdout.splitlines()]


def main():
    arguments = sys.argv[1:]
    excepted = set()
    if "--except" in arguments:
        at = arguments.index("--except")
        excepted = set(arguments[at + 1].split(","))
        del arguments[at:at + 2]
    files = [file for folder in arguments[1:] for file in sorted(Path(folder).glob("*.so"))
             if file.stem not in excepted]
    wrong = []
    for file in files:
        exported = [name for name in symbols(arguments[0], file, "--defined-only")
                    if not name.startswith(("__asan", "__ubsan", "__odr_asan"))]
        if exported != [ENTRY]:
            wrong.append(f"{file}: exports {exported}, wanted {ENTRY} alone")
        wrong += [f"{file}: wants {name} of the engine"
                  for name in symbols(arguments[0], file, "--undefined-only") if "culvert" in name]
    print("\n".join(wrong + [f"{len(files)} plugins"]))
    return 1 if wrong or not files else 0


if __name__ == "__main__":
    sys.exit(main())
