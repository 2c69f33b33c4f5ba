#!/usr/bin/env python3
"""Every header of the SDK compiles alone, in every language it promises, without a warning.

Usage: check_headers.py INCLUDE_DIRECTORY COMPILER... with COMPILER as LANGUAGE:COMMAND (c or c++).
"""
import subprocess
import sys
from pathlib import Path

STANDARDS = {"c": ["c11", "c17"], "c++": ["c++17", "c++20"]}
WARNINGS = ["-Wall", "-Wextra", "-Wpedantic", "-Werror"]


def compile_alone(include, header, language, command, standard):
    source = f'#include "culvert/{header.name}"\n#include "culvert/{header.name}"\n'
    return subprocess.run([command, f"-std={standard}", *WARNINGS, "-I", include, "-x", language,
                           "-fsyntax-only", "-"], input=source, text=True, capture_output=True)


def main():
    include, compilers = sys.argv[1], [argument.split(":", 1) for argument in sys.argv[2:]]
    headers = sorted(Path(include, "culvert").iterdir())
    failed = compiled = 0
    for header in headers:
        for language, command in compilers:
            for standard in STANDARDS[language]:
                if header.suffix == ".hpp" and standard != "c++20":
                    continue  # the glue is C++20
                result = compile_alone(include, header, language, command, standard)
                compiled += 1
                if result.returncode != 0:
                    failed += 1
                    print(f"{header.name} with {command} -std={standard}:\n{result.stderr}")
    print(f"{compiled} compilations, {failed} failed")
    return 1 if failed or compiled == 0 else 0


if __name__ == "__main__":
    sys.exit(main())
