"""Another project embeds the engine: it adds this repository with add_subdirectory() and links
culvert::culvert, and gets neither tests nor tools nor their dependencies."""
import os
import re
import shutil
import stat
import subprocess
import sys
import tempfile
import unittest

from culvert_processes import binary_folder

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
NOT_NEEDED = ("CLI11", "GTest", "benchmark", "Python3")


def run(*command):
    return subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, timeout=580)


class EmbedTest(unittest.TestCase):
    def setUp(self):
        # Beside the release build: the same paths relative to it, and the same flags: ccache has its objects.
        builds = os.path.dirname(os.path.dirname(binary_folder()))
        self.build = tempfile.mkdtemp(prefix="embed-", dir=builds)
        self.addCleanup(shutil.rmtree, self.build)

    def configure(self, *options):
        ccache = ["-DCMAKE_CXX_COMPILER_LAUNCHER=ccache"] if shutil.which("ccache") else []
        return run("cmake", "-G", "Ninja", "-S", os.path.join(HERE, "host"), "-B", self.build,
                   f"-DCULVERT_SOURCE={ROOT}", "-DCMAKE_BUILD_TYPE=Release",
                   "-DCMAKE_CXX_FLAGS_RELEASE=-O2 -DNDEBUG", *ccache, *options)

    def test_a_host_builds_and_runs_an_engine(self):
        done = self.configure(*(f"-DCMAKE_DISABLE_FIND_PACKAGE_{name}=ON" for name in NOT_NEEDED))
        self.assertEqual(done.returncode, 0, done.stdout)
        targets = re.findall(r"target of culvert: (\S+)", done.stdout)
        self.assertIn("culvert_engine", targets)
        self.assertEqual([name for name in targets if not name.startswith("culvert_")], [])

        done = run("cmake", "--build", self.build, "--target", "host")
        self.assertEqual(done.returncode, 0, done.stdout[-4000:])
        done = run(os.path.join(self.build, "host"), self.build)
        self.assertEqual(done.returncode, 0, done.stdout)
        self.assertRegex(done.stdout, r"\Arelay online on 127\.0\.0\.1:\d+\nengine stopped\n\Z")

    def test_a_compiler_without_cxx20_is_named(self):
        compiler = os.path.join(self.build, "old-c++")
        with open(compiler, "w", encoding="ascii") as file:
            file.write('#!/bin/sh\nfor word; do shift; case $word in -std=*) word=-std=c++17;; esac\n'
                       'set -- "$@" "$word"; done\nexec c++ "$@"\n')
        os.chmod(compiler, stat.S_IRWXU)
        done = self.configure(f"-DCMAKE_CXX_COMPILER={compiler}")
        self.assertNotEqual(done.returncode, 0)
        self.assertRegex(" ".join(done.stdout.split()),
                         rf"culvert needs C\+\+20, which {re.escape(compiler)} \(\S+ \S+\) cannot compile")

    def test_the_header_alone_says_that_it_needs_cxx20(self):
        done = run("c++", "-std=c++17", "-fsyntax-only", f"-I{ROOT}/engine/include", "-include",
                   "culvert/engine.hpp", "-x", "c++", os.devnull)
        self.assertNotEqual(done.returncode, 0)
        first = next(line for line in done.stdout.splitlines() if "error" in line)
        self.assertIn("culvert needs C++20: compile with -std=c++20", first)


if __name__ == "__main__":
    sys.exit(unittest.main(verbosity=2))
