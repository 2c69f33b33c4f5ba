"""The Debian package: built, installed in a bare root of this release that debootstrap makes, and run there;
then with systemd, booted by systemd-nspawn, as a service.

Needs root, the packages for `container` and `package` in tools/packages, and the network for debootstrap.
"""
import glob
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import unittest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.path.join(ROOT, "build", "package")
PROGRAMS = ("debootstrap", "systemd-nspawn", "nsenter", "dpkg-shlibdeps", "cpack")
# The machine need not have systemd itself.
NSPAWN = ("systemd-nspawn", "--quiet", "--register=no", "--keep-unit", "--resolv-conf=copy-host")
PATIENCE_S = 120
CREDENTIALS = "/run/credentials/culvert.service"
CONFIG = f"""
[[relay]]
bind = "127.0.0.1:{{relay}}"
names = ["127.0.0.1"]
certificate = "{CREDENTIALS}/keys_relay.pem"
private_key = "{CREDENTIALS}/keys_relay.key"
[[relay.rule]]
name = "listener"
rights = ["listen"]
primary_key = "file:{CREDENTIALS}/keys_listener.key"
[[relay.rule]]
name = "sender"
rights = ["send"]
primary_key = "file:{CREDENTIALS}/keys_sender.key"
[[relay.entity]]
path = "app"
[[listener]]
connection_string = "file:{CREDENTIALS}/keys_listener.connection"
target = "127.0.0.1:{{target}}"
ca = "{CREDENTIALS}/keys_ca.pem"
"""
SENDER = f"""
[[sender]]
name = "{{name}}"
connection_string = "file:{CREDENTIALS}/keys_sender.connection"
bind = "{{bind}}"
ca = "{CREDENTIALS}/keys_ca.pem"
"""


def run(*command, code=0, cwd=ROOT):
    """Its standard output."""
    done = subprocess.run(command, cwd=cwd, text=True, timeout=3000, stdin=subprocess.DEVNULL,
                          capture_output=True)
    if code is not None and done.returncode != code:
        raise AssertionError(f"{' '.join(command)} ended with {done.returncode}: {done.stdout[-4000:]}"
                             f"{done.stderr[-4000:]}")
    return done.stdout


def wait_for(condition, what):
    end = time.monotonic() + PATIENCE_S
    while not (value := condition()):
        if time.monotonic() > end:
            raise AssertionError(f"waited {PATIENCE_S} s in vain for {what}")
        time.sleep(0.1)
    return value


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return probe.getsockname()[1]


def release():
    with open("/etc/os-release", encoding="utf-8") as file:
        return re.search(r"^VERSION_CODENAME=(\w+)", file.read(), re.MULTILINE).group(1)


def setUpModule():
    if os.geteuid() != 0 or not all(map(shutil.which, PROGRAMS)):
        raise unittest.SkipTest(f"this needs root and {', '.join(PROGRAMS)}")


class Package(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.mkdtemp(prefix="culvert-package-")
        cls.addClassCleanup(shutil.rmtree, cls.folder)
        run("cmake", "--preset", "package")
        run("cmake", "--build", BUILD)
        for old in glob.glob(os.path.join(BUILD, "*.deb")):
            os.remove(old)
        run("cpack", cwd=BUILD)
        cls.bare = os.path.join(cls.folder, "bare")
        run("debootstrap", "--variant=minbase", release(), cls.bare)
        cls.install(cls.bare, "culvert_*.deb")

    @classmethod
    def install(cls, root, package):
        """apt brings the dependencies that the package names, and nothing else."""
        (file,) = glob.glob(os.path.join(BUILD, package))
        shutil.copy(file, os.path.join(root, "package.deb"))
        cls.inside(root, "apt-get", "install", "--yes", "--no-install-recommends", "/package.deb")

    @staticmethod
    def inside(root, *command, code=0):
        return run(*NSPAWN, "--as-pid2", "--pipe", "-D", root, *command, code=code)

    def copy(self, name):
        root = os.path.join(self.folder, name)
        run("cp", "--archive", self.bare, root)
        self.addCleanup(shutil.rmtree, root)
        return root

    def test_the_command_works_on_a_bare_system(self):
        self.assertRegex(self.inside(self.bare, "culvert", "--version"), r"^culvert \d")
        self.assertIn("64 MiB there and back, every byte checked",
                      self.inside(self.bare, "culvert", "demo", "--once"))

    def test_the_configuration_is_a_conffile_and_stays_until_purge(self):
        root = self.copy("conffile")
        path = os.path.join(root, "etc/culvert/culvert.toml")
        with open(path, encoding="utf-8") as file:
            self.assertEqual(file.read(), self.inside(root, "culvert", "config", "example"))
        self.assertEqual(os.stat(os.path.join(root, "etc/culvert/keys")).st_mode & 0o777, 0o700)
        self.inside(root, "dpkg", "--remove", "culvert")
        self.assertFalse(os.path.exists(os.path.join(root, "usr/bin/culvert")))
        self.assertTrue(os.path.exists(path))
        self.inside(root, "dpkg", "--purge", "culvert")
        self.assertFalse(os.path.exists(path))

    def test_the_development_package_is_enough_to_build_a_host(self):
        root = self.copy("development")
        self.install(root, "culvert-dev_*.deb")
        self.inside(root, "apt-get", "install", "--yes", "--no-install-recommends", "g++", "pkg-config")
        shutil.copy(os.path.join(ROOT, "tests/integration/host/host.cpp"), os.path.join(root, "root"))
        said = self.inside(root, "sh", "-c", "cd /root && c++ -std=c++20 \"-DPLUGINS=\\\"$(pkg-config "
                           "--variable=plugindir culvert)\\\"\" host.cpp -o host "
                           "$(pkg-config --cflags --libs culvert) && ./host /root")
        self.assertRegex(said, r"relay online on 127\.0\.0\.1:\d+\s+engine stopped")


class Service(unittest.TestCase):
    """The package in a root that systemd-nspawn has booted."""

    @classmethod
    def setUpClass(cls):
        Package.setUpClass()
        cls.addClassCleanup(Package.doClassCleanups)
        cls.root = Package.bare
        Package.inside(cls.root, "apt-get", "install", "--yes", "--no-install-recommends", "systemd-sysv", "dbus")
        with open(os.path.join(Package.folder, "console"), "wb") as console:
            cls.machine = subprocess.Popen([*NSPAWN, "--boot", "-D", cls.root], stdin=subprocess.DEVNULL,
                                           stdout=console, stderr=subprocess.STDOUT)
        cls.addClassCleanup(cls.power_off)
        cls.leader = wait_for(cls.find_leader, "the machine's first process")
        wait_for(lambda: cls.machine_run("systemctl", "is-system-running", code=None).strip()
                 in ("running", "degraded"), "the machine to boot")

    @classmethod
    def find_leader(cls):
        with open(f"/proc/{cls.machine.pid}/task/{cls.machine.pid}/children", encoding="ascii") as file:
            return file.read().strip()

    @classmethod
    def power_off(cls):
        cls.machine.send_signal(signal.SIGTERM)
        cls.machine.wait(PATIENCE_S)

    @classmethod
    def machine_run(cls, *command, code=0):
        return run("nsenter", "--target", cls.leader, "--all", *command, code=code)

    def order(self, verb):
        """As an operator's systemctl; a failure shows the journal."""
        try:
            self.machine_run("systemctl", verb, "culvert")
        except AssertionError as error:
            journal = self.machine_run("journalctl", "--unit=culvert", "--no-pager", "--lines=30")
            raise AssertionError(f"{error}\n{journal}") from None

    def property(self, name):
        return self.machine_run("systemctl", "show", "culvert", f"--property={name}", "--value").strip()

    def configure(self):
        self.relay, self.port = free_port(), free_port()
        self.machine_run("culvert", "setup", "relay", "--name", "127.0.0.1", "--port", str(self.relay), "--entity",
                         "app", "--dir", "/root/made")
        for name in os.listdir(os.path.join(self.root, "root/made")):
            shutil.move(os.path.join(self.root, "root/made", name), os.path.join(self.root, "etc/culvert/keys", name))
        target = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(target.close)
        self.target = target
        self.write(CONFIG.format(relay=self.relay, target=target.getsockname()[1]),
                   SENDER.format(name="one", bind=f"127.0.0.1:{self.port}"))

    def write(self, *parts, mode="w"):
        with open(os.path.join(self.root, "etc/culvert/culvert.toml"), mode, encoding="utf-8") as file:
            file.write("".join(parts))

    def check_tunnel(self, address, family=socket.AF_INET):
        with socket.socket(family) as app:
            app.settimeout(PATIENCE_S)
            app.connect(address)
            self.target.settimeout(PATIENCE_S)
            peer, _ = self.target.accept()
            with peer:
                app.sendall(b"there")
                self.assertEqual(peer.recv(5, socket.MSG_WAITALL), b"there")
                peer.sendall(b"back")
                self.assertEqual(app.recv(4, socket.MSG_WAITALL), b"back")

    def test_start_reload_and_stop(self):
        self.assertEqual(self.machine_run("systemctl", "is-enabled", "culvert", code=None).strip(), "disabled")
        self.assertEqual(self.property("ActiveState"), "inactive")
        self.machine_run("systemd-analyze", "verify", "--man=no", "culvert.service")
        self.configure()

        self.order("start")
        self.assertEqual(self.property("StatusText"), "roles: 3")
        process = self.property("MainPID")
        self.assertEqual(self.machine_run("stat", "--format=%U", f"/proc/{process}").strip(), "culvert")
        self.check_tunnel(("127.0.0.1", self.port))
        self.assertTrue(self.property("WatchdogTimestamp"))

        self.write(SENDER.format(name="two", bind="unix:/run/culvert/app"), mode="a")
        self.order("reload")
        wait_for(lambda: self.property("StatusText") == "reloaded", "the reload")
        self.assertEqual((self.property("ActiveState"), self.property("MainPID")), ("active", process))
        self.check_tunnel(f"/proc/{self.leader}/root/run/culvert/app", socket.AF_UNIX)

        self.write("[nothing]\n", mode="a")
        self.order("reload")
        wait_for(lambda: self.property("StatusText").startswith("not reloaded"), "the reload")
        self.check_tunnel(("127.0.0.1", self.port))

        self.order("stop")
        self.assertEqual((self.property("Result"), self.property("ExecMainStatus")), ("success", "0"))


if __name__ == "__main__":
    sys.exit(unittest.main(verbosity=2))
