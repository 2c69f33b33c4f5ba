"""Microsoft's Node client hyco-ws 1.0.5 with Culvert's listener, sender and relay.

The client is installed from npm into the build folder, beside the programs' own.
"""
import fcntl
import hashlib
import json
import os
import shutil
import subprocess
import threading
import unittest

from culvert_processes import (
    PEER_KEY, CulvertCase, Process, binary_folder, connect, echo, receive_all)

SOURCE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "hyco")
STREAM_BYTES = 100 << 20
CONNECTIONS = 50
INSTALL_DEADLINE_S = 300
ECHO_DEADLINE_S = 180  # of a whole payload: Python's sendall() has one deadline for all of it
MESSAGES = 7  # of each connection of `peer.js talk`


def modules_folder():
    return os.path.join(os.path.dirname(binary_folder()), "hyco")


def install_client():
    """npm ci (of npm 9.2 or newer), once; again when the lock file has changed."""
    folder = modules_folder()
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, "lock"), "w", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with open(os.path.join(SOURCE, "package-lock.json"), "rb") as file:
            wanted = hashlib.sha256(file.read()).hexdigest()
        stamp = os.path.join(folder, "installed")
        if os.path.exists(stamp):
            with open(stamp, encoding="ascii") as file:
                if file.read() == wanted:
                    return
        for name in ("package.json", "package-lock.json"):
            shutil.copy(os.path.join(SOURCE, name), folder)
        # npm waits 300 s for an answer of the registry by default; a second try comes sooner.
        done = subprocess.run(["npm", "ci", "--no-audit", "--no-fund", "--no-update-notifier",
                               "--ignore-scripts", "--fetch-timeout=30000"],
                              cwd=folder, text=True, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              timeout=INSTALL_DEADLINE_S)
        if done.returncode != 0:
            raise AssertionError(f"npm cannot install hyco-ws: {done.stdout}")
        with open(stamp, "w", encoding="ascii") as file:
            file.write(wanted)


class Peer(Process):
    """peer.js; what it says are JSON lines, besides Node's warnings."""

    def said(self, event):
        events = [json.loads(line) for line in self.lines(r"^\{")]
        return [each for each in events if each["event"] == event]

    def wait_for_event(self, event, count=1):
        self.wait_for_line(rf'^\{{"event":"{event}"', count, deadline_s=120)
        return self.said(event)


class Hyco(CulvertCase):
    @classmethod
    def setUpClass(cls):
        install_client()

    def setUp(self):
        super().setUp()
        self.relay = self.start_relay(shards=2)

    def start_peer(self, mode, *arguments, node_options=""):
        rule = "listener" if mode == "listen" else "sender"
        peer = self.start(f"hyco-{mode}", ["node", os.path.join(SOURCE, "peer.js"), mode,
                                           *map(str, arguments)], kind=Peer, environment={
            "NODE_OPTIONS": node_options,
            "HYCO_MODULES": modules_folder(), "NODE_EXTRA_CA_CERTS": self.certificates.ca,
            "RELAY_HOST": f"{self.relay.host}:{self.relay.port}", "ENTITY": "app",
            "KEY_NAME": rule, "KEY": f"{rule}-{PEER_KEY}"})
        if mode == "listen":
            peer.wait_for_event("listening")
        return peer

    def finished(self, peer, event):
        """What a peer that ends by itself said last."""
        self.assertEqual(peer.wait(180), 0)
        (said,) = peer.said(event)
        return said

    def check_echo(self, port, payload):
        """The payload goes and comes back at once; the app ends it, and sees the end."""
        with connect(port) as app:
            app.settimeout(ECHO_DEADLINE_S)
            writer = threading.Thread(target=app.sendall, args=(payload,))
            writer.start()
            received = hashlib.sha256()
            left = len(payload)
            while left > 0:
                piece = app.recv(min(left, 1 << 20))
                self.assertTrue(piece, f"{left} bytes are missing")
                received.update(piece)
                left -= len(piece)
            writer.join()
            app.shutdown(1)
            self.assertEqual(app.recv(1), b"")
        self.assertEqual(received.hexdigest(), hashlib.sha256(payload).hexdigest())

    def check_talks(self, node_options=""):
        """Both ends are hyco-ws: kinds, bytes, close codes and reasons on 50 connections."""
        listener = self.start_peer("listen", node_options=node_options)
        talker = self.start_peer("talk", CONNECTIONS, node_options=node_options)
        self.assertEqual(talker.wait(180), 0)
        results = talker.said("talked")
        self.assertEqual(len(results), CONNECTIONS)
        for result in results:
            number = result["number"]
            self.assertEqual(result, {
                "event": "talked", "number": number, "right": MESSAGES, "wrong": 0,
                "code": 4000 + number, "reason": f"the end of №{number}"})
        self.assertEqual(len(listener.wait_for_event("closed", CONNECTIONS)), CONNECTIONS)
        return listener

    # --- both ends ------------------------------------------------------------------------------

    def test_hyco_at_both_ends_of_the_relay(self):
        listener = self.check_talks()
        self.assertEqual(listener.said("broken"), [])
        finisher = self.finished(self.start_peer("finish", 4321), "ended")
        self.assertEqual((finisher["code"], finisher["received"]), (4321, "a line\n"))
        closed = listener.wait_for_event("closed", CONNECTIONS + 1)[-1]
        self.assertEqual((closed["code"], closed["reason"]), (4321, "goodbye"))

    def test_hyco_with_tls_1_2_alone_at_both_ends(self):
        self.check_talks("--tls-max-v1.2")
        for moved in ("yes", "no"):
            joined = self.relay.lines(f"tunnel joined .*listener_moved_here={moved}")
            self.assertNotEqual(joined, [], f"none with moved={moved}")

    def test_hyco_streams_to_itself(self):
        self.start_peer("listen")
        self.check_stream(self.finished(self.start_peer("stream", STREAM_BYTES), "streamed"))

    def check_stream(self, said):
        self.assertEqual((said["out"], said["back"]), (STREAM_BYTES, STREAM_BYTES))
        self.assertEqual(said["sent"], said["received"])
        self.assertEqual(said["code"], 1000)

    # --- hyco-ws listens ------------------------------------------------------------------------

    def test_hyco_listens_for_culverts_sender(self):
        listener = self.start_peer("listen")
        port = self.start_sender(self.relay).port
        payload = os.urandom(STREAM_BYTES)
        self.check_echo(port, payload)
        (closed,) = listener.wait_for_event("closed")
        self.assertEqual((closed["bytes"], closed["code"]), (STREAM_BYTES, 1000))
        self.assertEqual(closed["sha256"], hashlib.sha256(payload).hexdigest())

    def test_hyco_listens_for_fifty_apps_at_once(self):
        self.start_peer("listen")
        port = self.start_sender(self.relay).port
        self.at_once(lambda: self.check_echo(port, os.urandom(1 << 20)))

    def at_once(self, act):
        failures = []

        def run():
            try:
                act()
            except (AssertionError, OSError) as failure:
                failures.append(failure)
        threads = [threading.Thread(target=run) for _ in range(CONNECTIONS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(failures, [])

    def test_a_killed_hyco_listener_comes_back(self):
        listener = self.start_peer("listen")
        port = self.start_sender(self.relay).port
        self.check_echo(port, b"before")
        with connect(port) as app:
            app.sendall(b"in mid-stream")
            self.assertEqual(app.recv(1), b"i")
            listener.kill()
            with self.assertRaises(ConnectionResetError):
                receive_all(app)
        self.relay.wait_for_line("listener offline")
        self.check_reset(port)
        self.start_peer("listen")
        self.check_echo(port, b"after")

    # --- hyco-ws sends --------------------------------------------------------------------------

    def test_hyco_sends_to_culverts_listener(self):
        self.start_listener(self.relay, f"127.0.0.1:{self.serve(echo)}")
        self.check_stream(self.finished(self.start_peer("stream", STREAM_BYTES), "streamed"))

    def test_hyco_sends_to_a_target_that_ends(self):
        def answer(peer):
            self.assertEqual(peer.recv(64), b"a line\n")
            peer.sendall(b"an answer\n")
        self.start_listener(self.relay, f"127.0.0.1:{self.serve(answer)}")
        said = self.finished(self.start_peer("await"), "ended")
        self.assertEqual((said["code"], said["received"]), (1000, "an answer\n"))

    def test_hyco_ends_towards_a_target(self):
        ended = threading.Event()

        def answer(peer):
            peer.sendall(peer.recv(64))
            if peer.recv(64) == b"":
                ended.set()
        self.start_listener(self.relay, f"127.0.0.1:{self.serve(answer)}")
        said = self.finished(self.start_peer("finish", 1000), "ended")
        self.assertEqual((said["code"], said["received"]), (1000, "a line\n"))
        self.assertTrue(ended.wait(60), "the target did not see the end")

    def test_hyco_is_told_that_the_target_is_dead(self):
        self.start_listener(self.relay, "127.0.0.1:1")
        peer = self.start_peer("await")
        peer.wait(60)
        self.assertIn("502", peer.said("error")[0]["message"])

    def test_a_killed_culvert_listener_comes_back(self):
        target = f"127.0.0.1:{self.serve(echo)}"
        self.start_listener(self.relay, target).kill()
        self.relay.wait_for_line("listener offline")
        peer = self.start_peer("finish", 1000)
        self.assertEqual(peer.wait(60), 1)
        self.assertIn("404", peer.said("error")[0]["message"])
        self.start_listener(self.relay, target)
        said = self.finished(self.start_peer("finish", 1000), "ended")
        self.assertEqual((said["code"], said["received"]), (1000, "a line\n"))


if __name__ == "__main__":
    unittest.main()
