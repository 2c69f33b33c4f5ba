"""The commands in tools/ around the build: help that changes nothing, and the summary of what was skipped."""
import os
import stat
import subprocess
import sys
import tempfile
import unittest

TOOLS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "tools")
LOG = """\
1/3 Testing: Tls/LinkSuite.Drains/sim  # GetParam() = sim
Output:
../link_suite.cpp:94: Skipped
not promised by this link
<end of output>
Test Pass Reason:
Skip regular expression found in output. Regex=[SKIPPED]
2/3 Testing: Tcp/LinkSuite.Drains/uring  # GetParam() = uring
../link_suite.cpp:94: Skipped
not promised by this link
Skip regular expression found in output. Regex=[SKIPPED]
3/3 Testing: integration_postgres
test_a (__main__.T) ... skipped 'psql is not here'
OK (skipped=1)
Skip regular expression found in output. Regex=[OK]
"""


class ToolsTest(unittest.TestCase):
    def test_help_installs_and_builds_nothing(self):
        with tempfile.TemporaryDirectory() as folder:
            for name in ("apt-get", "dpkg-query", "cmake", "sudo"):
                path = os.path.join(folder, name)
                with open(path, "w", encoding="ascii") as file:
                    file.write(f"#!/bin/sh\ntouch {folder}/{name}.was-run\nexit 1\n")
                os.chmod(path, stat.S_IRWXU)
            for command in (["start", "--help"], ["start", "--once", "-h"], ["test", "--help"]):
                done = subprocess.run([os.path.join(TOOLS, command[0]), *command[1:]],
                                      env={**os.environ, "PATH": folder + ":" + os.environ["PATH"]},
                                      stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=60)
                self.assertEqual(done.returncode, 0, done.stdout)
                self.assertIn(f"tools/{command[0]} --", done.stdout)
            self.assertEqual([name for name in os.listdir(folder) if name.endswith(".was-run")], [])

    def test_each_reason_to_skip_is_one_line_with_count_and_common_name(self):
        done = subprocess.run(["awk", "-v", "preset=release", "-f", os.path.join(TOOLS, "lib", "skipped.awk")],
                              input=LOG, stdout=subprocess.PIPE, text=True, check=True, timeout=60)
        self.assertEqual(done.stdout, "release: 2 of LinkSuite.Drains: not promised by this link\n"
                                      "release: 1 of integration_postgres: psql is not here\n")


if __name__ == "__main__":
    sys.exit(unittest.main(verbosity=2))
