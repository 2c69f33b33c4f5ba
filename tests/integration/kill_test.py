"""kill -9 of each part in mid-stream, and the signals that end a role: what the others see, that the
listener comes back, and that nothing leaks."""
import signal
import socket
import sys
import threading
import time
import unittest

from culvert_processes import CulvertCase, connect, echo, wait_until

CHUNK = b"0123456789abcdef" * 4096
TARGET = """
import socket, struct, sys
service = socket.create_server(("127.0.0.1", 0))
print(service.getsockname()[1], flush=True)
while True:
    peer, _ = service.accept()
    if sys.argv[1] == "linger":
        peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    peer.sendall(b"hello")
    kept = globals().setdefault("kept", [])
    kept.append(peer)
"""
APP = """
import socket, struct, sys
app = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
app.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
app.sendall(b"first")
print("heard", app.recv(5).decode(), flush=True)
while True:
    app.sendall(bytes(65536))
"""


def how_it_ends(connection):
    """Reads to the end: 'clean' or 'reset'."""
    try:
        while connection.recv(1 << 16):
            pass
        return "clean"
    except ConnectionResetError:
        return "reset"


def flood(connection, ends):
    """Writes until the connection breaks; whoever meets a reset first takes it from the socket."""
    try:
        while True:
            connection.sendall(CHUNK)
    except OSError as error:
        ends.append("reset" if isinstance(error, ConnectionResetError) else "broken")


class Kill(CulvertCase):
    goodbye = "1001"  # what the relay's last word to a listener is, in its log

    def world(self, target_port):
        self.relay = self.start_relay(shards=2)
        self.listener = self.start_listener(self.relay, f"127.0.0.1:{target_port}")
        self.sender = self.start_sender(self.relay)

    def stream(self):
        """An app's connection with bytes under way both ways."""
        app = connect(self.sender.port)
        self.addCleanup(app.close)
        app.sendall(b"first")
        self.assertEqual(app.recv(5), b"first")
        self.flood_ends = []
        self.writer = threading.Thread(target=flood, args=(app, self.flood_ends), daemon=True)
        self.writer.start()
        return app

    def assert_reset(self, app):
        read = how_it_ends(app)
        self.writer.join(60)
        self.assertIn("reset", [read, *self.flood_ends])

    def serve_recording(self):
        """An echo that records how each connection ended."""
        self.ends = []

        def handle(peer):
            try:
                echo(peer)
                self.ends.append("clean")
            except OSError as error:
                self.ends.append("reset" if isinstance(error, ConnectionResetError) else "broken")
        return self.serve(handle)

    def back_to(self, process, count):
        wait_until(lambda: process.descriptors() == count,
                   f"{process.name} to have {count} descriptors", process=process)

    def test_kill_of_a_sender_resets_apps_that_it_has_not_heard_of(self):
        self.world(self.serve(echo))
        self.sender.signal(signal.SIGSTOP)
        apps = [connect(self.sender.port) for _ in range(50)]
        self.sender.kill()
        self.assertEqual([how_it_ends(app) for app in apps], ["reset"] * 50)
        for app in apps:
            app.close()

    def test_a_killed_relay(self):
        self.world(self.serve_recording())
        before = (self.listener.descriptors(), self.sender.descriptors())
        app = self.stream()
        self.relay.kill()
        self.assert_reset(app)
        wait_until(lambda: self.ends, "the target to see the end")
        self.assertNotIn("clean", self.ends)
        port = self.relay.port
        anew = self.start_relay(bind=f"127.0.0.1:{port}")
        self.assertEqual(anew.port, port)
        self.listener.wait_for_line("registered at the relay", count=2)
        self.back_to(self.listener, before[0])
        self.back_to(self.sender, before[1])
        with connect(self.sender.port) as app:
            app.sendall(b"again")
            self.assertEqual(app.recv(5), b"again")

    def test_a_killed_listener(self):
        self.world(self.serve_recording())
        sender_before = self.sender.descriptors()
        relay_before = self.relay.descriptors() - 1  # its channel goes a moment after its line
        self.listener.kill()
        self.relay.wait_for_line("listener offline")
        self.back_to(self.relay, relay_before)
        self.listener = self.start_listener(self.relay, f"127.0.0.1:{self.serve_recording()}")
        app = self.stream()
        self.listener.kill()
        self.assert_reset(app)
        wait_until(lambda: self.ends, "the target to see the end")
        self.assertNotIn("clean", self.ends)
        self.back_to(self.relay, relay_before)
        self.back_to(self.sender, sender_before)
        self.start_listener(self.relay, f"127.0.0.1:{self.serve_recording()}")
        with connect(self.sender.port) as app:
            app.sendall(b"again")
            self.assertEqual(app.recv(5), b"again")

    def killed_target(self, way):
        """How the app's connection ends when the target's process is killed."""
        target = self.start(f"target-{way}", [sys.executable, "-c", TARGET, way])
        port = int(wait_until(target.log, "the target's port", process=target))
        self.world(port)
        before = [process.descriptors() for process in self.processes[-3:]]
        app = connect(self.sender.port)
        self.addCleanup(app.close)
        self.assertEqual(app.recv(5), b"hello")
        target.kill()
        end = how_it_ends(app)
        app.close()
        for process, count in zip(self.processes[-3:], before):
            self.back_to(process, count)
        return end

    def test_a_killed_target_with_linger_0(self):
        self.assertEqual(self.killed_target("linger"), "reset")

    def test_a_killed_target_without_it_is_a_clean_end(self):
        self.assertEqual(self.killed_target("plain"), "clean")

    def test_a_killed_app_reaches_the_target_as_a_reset(self):
        self.world(self.serve_recording())
        # A process: what a thread of ours blocks in would keep the socket open behind its close.
        app = self.start("app", [sys.executable, "-c", APP, str(self.sender.port)])
        app.wait_for_line("heard first")
        app.kill()
        wait_until(lambda: self.ends, "the target to see the end")
        self.assertNotIn("clean", self.ends)

    def test_sigterm_with_nothing_to_do_ends_with_0(self):
        self.world(1)
        for process in (self.sender, self.listener, self.relay):
            self.assertEqual(process.terminate(), 0, process.name)
        self.assertEqual(len(self.relay.lines("panic|broken invariant")), 0)

    def test_a_relay_that_drains_closes_its_channels_with_going_away(self):
        self.world(1)
        self.relay.signal(signal.SIGTERM)
        self.listener.wait_for_line(f"lost the relay.*{self.goodbye}")
        self.assertEqual(self.relay.wait(), 0)

    def test_sigterm_waits_for_tunnels_and_a_second_one_does_not(self):
        for number in (1, 2, 3):
            with self.subTest(number):
                self.world(self.serve(echo))
                process = (self.relay, self.listener, self.sender)[number - 1]
                app = connect(self.sender.port)
                app.sendall(b"first")
                self.assertEqual(app.recv(5), b"first")
                process.signal(signal.SIGTERM)
                process.wait_signal_taken(signal.SIGTERM)
                app.sendall(b"still")
                self.assertEqual(app.recv(5), b"still")
                self.assertFalse(process.exited())
                process.signal(signal.SIGTERM)
                self.assertEqual(process.wait(8), 0)  # sooner than the grace of 10 s
                self.assertEqual(how_it_ends(app), "reset")
                app.close()

    def test_sigterm_drops_what_does_not_end_in_10_s(self):
        self.world(self.serve(echo))
        app = self.stream()
        asked = time.monotonic()
        self.sender.signal(signal.SIGTERM)
        self.assertEqual(self.sender.wait(), 0)
        waited_s = time.monotonic() - asked
        self.assertGreater(waited_s, 9)
        self.assertLess(waited_s, 30)
        self.assert_reset(app)

    def test_a_tunnel_that_ends_lets_a_draining_process_go(self):
        self.world(self.serve(echo))
        with connect(self.sender.port) as app:
            app.sendall(b"first")
            self.assertEqual(app.recv(5), b"first")
            self.sender.signal(signal.SIGTERM)
            app.shutdown(socket.SHUT_WR)
            self.assertEqual(how_it_ends(app), "clean")
        self.assertEqual(self.sender.wait(8), 0)


class KillExample(Kill):
    """All of it over the example protocol, which is plain C."""
    transport = "example_relay"
    goodbye = "the relay says: the relay is stopping"


if __name__ == "__main__":
    unittest.main()
