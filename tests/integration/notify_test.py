"""A service manager's socket: what `up` and the commands of one role tell it, and when."""
import os
import signal
import socket
import time
import unittest

from culvert_processes import DEADLINE_S, echo
from up_test import ConfigCase


class Notify(ConfigCase):
    def setUp(self):
        super().setUp()
        self.manager = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.addCleanup(self.manager.close)
        self.manager.settimeout(DEADLINE_S)

    def start_up(self, *parts, address=None, **environment):
        if address is None:
            address = os.path.join(self.folder, "notify")
            self.manager.bind(address)
        return self.start("up", [self.culvert(), "up", "--config", self.write_config(*parts)],
                          environment={"NOTIFY_SOCKET": address, **environment})

    def told(self):
        """The next datagram, as a dictionary."""
        return dict(line.split("=", 1) for line in self.manager.recv(4096).decode("ascii").split("\n"))

    def told_ready(self):
        while "READY" not in (told := self.told()):
            self.assertEqual(list(told), ["STATUS"])
        return told

    def whole(self):
        return (self.relay_part(), self.listener_part(self.serve(echo)), self.sender_part())

    def test_ready_reload_and_stop(self):
        process = self.start_up(*self.whole())
        self.assertEqual(self.told_ready(), {"READY": "1", "STATUS": "roles: 3"})
        self.assertEqual(len(process.lines("registered at the relay")), 1)
        self.check_echo(self.app_port)

        before = time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000
        process.signal(signal.SIGHUP)
        told = self.told()
        self.assertEqual(told["RELOADING"], "1")
        self.assertGreaterEqual(int(told["MONOTONIC_USEC"]), before)
        self.assertLessEqual(int(told["MONOTONIC_USEC"]), time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000)
        self.assertEqual(self.told(), {"READY": "1", "STATUS": "reloaded"})

        self.write_config("[nothing]\n")
        process.signal(signal.SIGHUP)
        self.assertEqual(self.told()["RELOADING"], "1")
        self.assertEqual(self.told(), {"READY": "1", "STATUS": "not reloaded; the log has the mistakes"})

        process.signal(signal.SIGTERM)
        self.assertEqual(self.told(), {"STOPPING": "1", "STATUS": "draining"})
        self.assertEqual(process.wait(), 0)

    def test_an_abstract_socket_and_a_listener_that_is_not_registered_yet(self):
        name = "culvert-test-" + os.path.basename(self.folder)
        self.manager.bind("\0" + name)
        process = self.start_up(self.listener_part(self.serve(echo)), address="@" + name)
        waiting = {"STATUS": "1 of 1 roles not registered at the relay yet; the log says why"}
        self.assertEqual(self.told(), waiting)
        process.signal(signal.SIGHUP)
        process.wait_for_line("reloaded started")
        relay = self.start("relay", [self.culvert(), "up", "--config",
                                     self.write_config(self.relay_part(), name="relay.toml")])
        relay.wait_listening()
        self.assertEqual(self.told(), {"READY": "1", "STATUS": "roles: 1"})
        self.assertTrue(process.lines("registered at the relay"))

    def test_the_watchdog_is_fed(self):
        self.start_up(self.relay_part(), WATCHDOG_USEC="200000")
        told = [self.told() for _ in range(5)]
        self.assertEqual(told.count({"READY": "1", "STATUS": "roles: 1"}), 1)
        self.assertEqual(told.count({"WATCHDOG": "1"}), 4)

    def test_the_watchdog_of_another_process_is_not_fed(self):
        process = self.start_up(self.relay_part(), WATCHDOG_USEC="1", WATCHDOG_PID="1")
        self.told_ready()
        process.signal(signal.SIGTERM)
        self.assertEqual(self.told(), {"STOPPING": "1", "STATUS": "draining"})

    def test_a_command_of_one_role(self):
        address = os.path.join(self.folder, "notify")
        self.manager.bind(address)
        self.start("relay", [
            self.culvert(), "relay", "--bind", "127.0.0.1:0", "--certificate", self.certificates.certificate,
            "--private-key", self.certificates.key, "--name", "localhost", "--entity", "app",
            "--rule", f"listener:listen:file:{self.folder}/listener.key"],
            environment={"NOTIFY_SOCKET": address})
        self.assertEqual(self.told(), {"READY": "1", "STATUS": "roles: 1"})

    def test_a_socket_that_does_not_exist_is_one_warning(self):
        address = os.path.join(self.folder, "nobody")
        process = self.start_up(self.relay_part(), address=address)
        process.wait_for_line("cannot tell the service manager")
        self.assertEqual(process.terminate(), 0)
        (line,) = process.lines("cannot tell the service manager")
        self.assertIn(f'socket={address} why="No such file or directory"', line)

    def test_an_address_of_another_kind_is_a_warning(self):
        process = self.start_up(self.relay_part(), address="vsock:2:1")
        line = process.wait_for_line("cannot tell the service manager")
        self.assertIn("socket=vsock:2:1", line)
        self.assertEqual(process.terminate(), 0)


if __name__ == "__main__":
    unittest.main(verbosity=2)
