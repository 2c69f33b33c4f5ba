"""The Debian package: installed in a bare system and run there; then with systemd, as a service."""
import os
import shutil
import socket
import sys
import unittest

from bare_system import (PATIENCE_S, ROOT, Machine, apt_install, bare, copy_of_bare, inside, install_package,
                         skip_if_impossible)

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


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return probe.getsockname()[1]


def setUpModule():
    skip_if_impossible()


class Package(unittest.TestCase):
    def test_the_command_works_on_a_bare_system(self):
        self.assertRegex(inside(bare(), "culvert", "--version"), r"^culvert \d")
        self.assertIn("64 MiB there and back, every byte checked",
                      inside(bare(), "culvert", "demo", "--once"))

    def test_the_configuration_is_a_conffile_and_stays_until_purge(self):
        root = copy_of_bare(self.addCleanup)
        path = os.path.join(root, "etc/culvert/culvert.toml")
        with open(path, encoding="utf-8") as file:
            self.assertEqual(file.read(), inside(root, "culvert", "config", "example"))
        self.assertEqual(os.stat(os.path.join(root, "etc/culvert/keys")).st_mode & 0o777, 0o700)
        inside(root, "dpkg", "--remove", "culvert")
        self.assertFalse(os.path.exists(os.path.join(root, "usr/bin/culvert")))
        self.assertTrue(os.path.exists(path))
        inside(root, "dpkg", "--purge", "culvert")
        self.assertFalse(os.path.exists(path))

    def test_the_development_package_is_enough_to_build_a_host(self):
        root = copy_of_bare(self.addCleanup)
        install_package(root, "culvert-dev_*.deb")
        apt_install(root, "g++", "pkg-config")
        shutil.copy(os.path.join(ROOT, "tests/integration/host/host.cpp"), os.path.join(root, "root"))
        said = inside(root, "sh", "-c", "cd /root && c++ -std=c++20 \"-DPLUGINS=\\\"$(pkg-config "
                      "--variable=plugindir culvert)\\\"\" host.cpp -o host "
                      "$(pkg-config --cflags --libs culvert) && ./host /root")
        self.assertRegex(said, r"relay online on 127\.0\.0\.1:\d+\s+engine stopped")


class Service(unittest.TestCase):
    """The package in a root that systemd-nspawn has booted."""

    @classmethod
    def setUpClass(cls):
        cls.machine = Machine(cls.addClassCleanup)

    def configure(self):
        self.relay, self.port = free_port(), free_port()
        self.machine.run("culvert", "setup", "relay", "--name", "127.0.0.1", "--port", str(self.relay), "--entity",
                         "app", "--dir", "/root/made")
        for name in os.listdir(self.machine.path("/root/made")):
            shutil.move(self.machine.path(f"/root/made/{name}"), self.machine.path(f"/etc/culvert/keys/{name}"))
        target = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(target.close)
        self.target = target
        self.write(CONFIG.format(relay=self.relay, target=target.getsockname()[1]),
                   SENDER.format(name="one", bind=f"127.0.0.1:{self.port}"))

    def write(self, *parts, mode="w"):
        self.machine.write("/etc/culvert/culvert.toml", "".join(parts), mode)

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
        machine = self.machine
        self.assertEqual(machine.run("systemctl", "is-enabled", "culvert", code=None).strip(), "disabled")
        self.assertEqual(machine.property("ActiveState"), "inactive")
        machine.run("systemd-analyze", "verify", "--man=no", "culvert.service")
        self.configure()

        machine.order("start")
        self.assertEqual(machine.property("StatusText"), "roles: 3")
        process = machine.property("MainPID")
        self.assertEqual(machine.run("stat", "--format=%U", f"/proc/{process}").strip(), "culvert")
        self.check_tunnel(("127.0.0.1", self.port))
        self.assertTrue(machine.property("WatchdogTimestamp"))

        self.write(SENDER.format(name="two", bind="unix:/run/culvert/app"), mode="a")
        machine.reload()
        self.assertEqual((machine.property("ActiveState"), machine.property("MainPID")), ("active", process))
        self.check_tunnel(f"/proc/{machine.leader}/root/run/culvert/app", socket.AF_UNIX)

        self.write("[nothing]\n", mode="a")
        machine.reload("not reloaded")
        self.check_tunnel(("127.0.0.1", self.port))

        machine.order("stop")
        self.assertEqual((machine.property("Result"), machine.property("ExecMainStatus")), ("success", "0"))


if __name__ == "__main__":
    sys.exit(unittest.main(verbosity=2))
