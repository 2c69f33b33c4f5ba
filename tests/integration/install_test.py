"""`cmake --install` into a folder that is then moved: the command finds its plugins there, other projects
build with it by find_package() and by pkg-config, and a plugin is built with its SDK alone."""
import glob
import os
import shlex
import shutil
import subprocess
import sys
import tempfile
import unittest

import sdk_plugins
from culvert_processes import binary_folder

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
BUILD = os.path.dirname(binary_folder())
PLUGINS = ["auth_sas", "resolver_dns", "resolver_static", "transport_azure"]
RELAY = r"\Arelay online on 127\.0\.0\.1:\d+\nengine stopped\n\Z"


class Installed(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.mkdtemp(prefix="culvert-install-")
        cls.addClassCleanup(shutil.rmtree, cls.folder)
        first = os.path.join(cls.folder, "first")
        cls.run_command("cmake", "--install", BUILD, "--prefix", first)
        cls.prefix = os.path.join(cls.folder, "moved")
        os.rename(first, cls.prefix)
        cls.source = os.path.join(cls.folder, "resolver_db.c")
        with open(cls.source, "w", encoding="utf-8") as file:
            file.write(sdk_plugins.readme_block('#include "culvert/helpers.h"'))

    @staticmethod
    def run_command(*command, **variables):
        done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True,
                              stderr=subprocess.STDOUT, timeout=500, env={**os.environ, **variables})
        if done.returncode != 0:
            raise AssertionError(f"{shlex.join(command)} ended with {done.returncode}: {done.stdout[-4000:]}")
        return done.stdout

    def below(self, *parts):
        return os.path.join(self.prefix, *parts)

    def pkg_config(self, *arguments):
        path = self.below("lib", "pkgconfig")
        return shlex.split(self.run_command("pkg-config", *arguments, PKG_CONFIG_PATH=path))

    def host(self, program, **variables):
        self.assertRegex(self.run_command(program, self.folder, **variables), RELAY)

    def needed(self, program):
        return self.run_command("objdump", "-p", program)

    def check_plugin(self, directory):
        said = self.run_command(self.below("bin", "culvert"), "plugins", "describe", "resolver_db",
                                "--plugin-directory", directory)
        self.assertIn("knows db", said)

    def test_no_file_names_the_first_prefix_or_the_sources(self):
        for folder, _, files in os.walk(self.prefix):
            for name in files:
                with open(os.path.join(folder, name), "rb") as file:
                    text = file.read()
                self.assertNotIn(os.path.join(self.folder, "first").encode(), text, name)
                self.assertNotIn(BUILD.encode(), text, name)

    def test_the_command_finds_its_plugins(self):
        command = self.below("bin", "culvert")
        self.assertEqual(self.run_command(command, "plugins", "list").split(), PLUGINS)
        self.assertIn("64 MiB there and back, every byte checked", self.run_command(command, "demo", "--once", TMPDIR=self.folder))

    def test_the_own_folder_comes_first_and_a_directory_that_is_named_before_it(self):
        program = os.path.join(self.folder, "beside", "bin", "culvert")
        plugins = os.path.join(self.folder, "beside", "lib", "culvert", "plugins")
        shutil.copytree(self.below("lib", "culvert", "plugins"), plugins)
        os.mkdir(os.path.dirname(program))
        shutil.copy(self.below("bin", "culvert"), program)
        broken = os.path.join(os.path.dirname(program), "auth_sas.so")
        with open(broken, "w", encoding="ascii") as file:
            file.write("no shared object")
        with self.assertRaisesRegex(AssertionError, broken):
            self.run_command(program, "plugins", "describe", "auth_sas")
        self.run_command(program, "plugins", "describe", "auth_sas", "--plugin-directory", plugins)

    def test_projects_find_the_package(self):
        build = os.path.join(self.folder, "build")
        self.run_command("cmake", "-G", "Ninja", "-S", os.path.join(HERE, "installed"), "-B", build,
                         f"-DCMAKE_PREFIX_PATH={self.prefix}", f"-DPLUGIN_SOURCE={self.source}")
        self.run_command("cmake", "--build", build)
        for name, shared in (("default", True), ("old_name", True), ("shared", True), ("static", False)):
            program = os.path.join(build, "host_" + name)
            self.assertEqual("libculvert.so.0.1" in self.needed(program), shared, name)
            self.host(program)
        os.chmod(os.path.join(build, "resolver_db.so"), 0o755)
        self.check_plugin(build)

    def test_a_package_that_is_static_by_choice(self):
        build = os.path.join(self.folder, "static")
        self.run_command("cmake", "-G", "Ninja", "-S", os.path.join(HERE, "installed"), "-B", build,
                         "-Dculvert_USE_STATIC=ON", f"-DCMAKE_PREFIX_PATH={self.prefix}",
                         f"-DPLUGIN_SOURCE={self.source}")
        self.run_command("cmake", "--build", build, "--target", "host_default")
        self.assertNotIn("libculvert.so", self.needed(os.path.join(build, "host_default")))

    def test_pkg_config_for_an_engine(self):
        directory = self.pkg_config("--variable=plugindir", "culvert")[0]
        library = self.pkg_config("--variable=libdir", "culvert")[0]
        for name, libraries in (
                ("shared", self.pkg_config("--libs", "culvert")),
                ("static", [word.replace("-lculvert", "-l:libculvert.a")
                            for word in self.pkg_config("--static", "--libs", "culvert")])):
            program = os.path.join(self.folder, "pkg_" + name)
            self.run_command("c++", "-std=c++20", f'-DPLUGINS="{directory}"',
                             os.path.join(HERE, "host", "host.cpp"), "-o", program,
                             *self.pkg_config("--cflags", "culvert"), *libraries)
            self.assertEqual("libculvert.so.0.1" in self.needed(program), name == "shared")
            self.host(program, LD_LIBRARY_PATH=library)

    def test_pkg_config_for_a_plugin(self):
        directory = os.path.join(self.folder, "plugin")
        os.mkdir(directory)
        self.run_command("cc", "-std=c11", "-shared", "-fPIC", "-Wall", "-Werror", self.source,
                         *self.pkg_config("--cflags", "--libs", "culvert-sdk"),
                         "-o", os.path.join(directory, "resolver_db.so"))
        self.check_plugin(directory)

    def test_the_command_itself_links_with_the_shared_library(self):
        """It uses nearly all of the public interface, so the library exports that."""
        objects = [path for path in
                   glob.glob(os.path.join(BUILD, "tools", "culvert", "CMakeFiles", "culvert.dir", "*.o"))
                   if os.path.exists(os.path.join(ROOT, "tools", "culvert",
                                                  os.path.basename(path).removesuffix(".o")))]
        program = os.path.join(self.folder, "culvert")
        responder = os.path.join(BUILD, "tools", "dns", "libculvert_dns.a")  # the command's own
        self.run_command("c++", *objects, responder, "-o", program, *self.pkg_config("--libs", "culvert"),
                         "-lldns", "-lcrypto")
        said = self.run_command(program, "demo", "--once", "--plugin-directory",
                                self.below("lib", "culvert", "plugins"),
                                LD_LIBRARY_PATH=self.below("lib"), TMPDIR=self.folder)
        self.assertIn("64 MiB there and back, every byte checked", said)

    def test_the_shared_library_exports_the_public_interface_alone(self):
        said = self.run_command("nm", "-DC", "--defined-only", self.below("lib", "libculvert.so"))
        names = [line.split(" ", 2)[2] for line in said.splitlines()]
        for inner in ("Io", "TlsLink", "PluginSet", "RelayShard"):
            self.assertEqual([name for name in names if name.startswith(f"culvert::{inner}::")], [])
        self.assertEqual([name for name in names if name.startswith(("spdlog", "fmt", "toml", "boost"))], [])


if __name__ == "__main__":
    sys.exit(unittest.main(verbosity=2))
