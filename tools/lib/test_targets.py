"""Reads `ctest --show-only=json-v1` and prints the build targets that these tests run; nothing, which
stands for all targets, when there is no test or one whose program was never built."""
import json
import os
import sys

FOR_PYTHON = {"culvert_installed", "ws_echo", "ws_echo_client"}  # what its tests run and load
targets = set()
for test in json.load(sys.stdin)["tests"]:
    program = os.path.basename(test.get("command", ["NOT_BUILT"])[0])
    if test["name"].endswith("_NOT_BUILT") or "command" not in test:
        sys.exit()
    targets |= FOR_PYTHON if program.startswith("python") else {program}
print(*sorted(targets))
