"""Thirty tunnels through a real relay whose readers sleep at both ends, the sender's app and the
listener's target, while a neighbour moves 1 GiB through the same three processes.

No process may use more memory than its bound for that. Readers that wake get every byte.
"""
import hashlib
import os
import re
import selectors
import socket
import threading
import time
import unittest

from culvert_processes import CulvertCase, connect

TUNNEL_HELD_BYTES = 2 * (256 + 64) * 1024  # kTunnelHeldBytes in engine/core/limits.hpp
BESIDES_BYTES = 32 << 20
GIBIBYTE = 1 << 30
WAKING_TUNNELS = 10
# A guard against a test that never ends, no criterion. A hundred stalled tunnels fill the kernel's
# memory for sockets (tcp_mem); then every TCP connection of the machine is as slow as 0.2 MB/s,
# steadily, and the neighbour takes an hour. Thirty leave room. The failure says how far it came.
WINDOW_S = 720
NOISE = os.urandom(1 << 20)


def most_resident_bytes(process):
    """The most it has ever used."""
    with open(f"/proc/{process.pid}/status", encoding="ascii") as status:
        return 1024 * int(re.search(r"VmHWM:\s+(\d+)", status.read()).group(1))


def kernel_bytes(buffers):
    """The most that one of the kernel's buffers grows to: "tcp_rmem" or "tcp_wmem"."""
    with open(f"/proc/sys/net/ipv4/{buffers}", encoding="ascii") as file:
        return int(file.read().split()[2])


# An end that could write more is not stalled: its bytes go through four connections, three processes.
MOST_BYTES = 4 * (kernel_bytes("tcp_rmem") + kernel_bytes("tcp_wmem")) + 3 * TUNNEL_HELD_BYTES


class End:
    """One end of a tunnel: it writes NOISE over and over while it can, and reads when told to."""

    def __init__(self, connection):
        self.connection = connection
        self.written = 0
        self.read = 0
        self.correct = True
        self.ended = False
        connection.setblocking(False)

    def write(self):
        at = self.written % len(NOISE)
        try:
            self.written += self.connection.send(NOISE[at:at + 65536])
        except BlockingIOError:
            pass  # the kernel is short of memory for sockets; it polls writable all the same

    def receive(self):
        at = self.read % len(NOISE)
        piece = self.connection.recv(min(65536, len(NOISE) - at))
        self.correct = self.correct and piece == NOISE[at:at + len(piece)]
        self.read += len(piece)
        self.ended = not piece


class StalledReaders(CulvertCase):
    tunnels = 30
    neighbour_bytes = GIBIBYTE

    def setUp(self):
        super().setUp()
        self.target = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.addCleanup(self.target.close)
        self.target.settimeout(60)

    def join(self, port):
        """The app's and the target's sockets of a new tunnel."""
        app = connect(port)
        self.addCleanup(app.close)
        target, _ = self.target.accept()
        self.addCleanup(target.close)
        return app, target

    def start_neighbour(self, app, target, size):
        """It moves `size` bytes from the app to the target; the digests of both ends come in a list."""
        digests, self.moved = [], 0
        app.settimeout(WINDOW_S)
        target.settimeout(WINDOW_S)

        def write():
            digest = hashlib.md5()
            for at in range(0, size, len(NOISE)):
                piece = at.to_bytes(8, "big") + NOISE[8:]
                digest.update(piece)
                app.sendall(piece)
                self.moved += len(piece)
            app.shutdown(socket.SHUT_WR)
            digests.append(digest.hexdigest())

        def read():
            digest = hashlib.md5()
            while piece := target.recv(1 << 20):
                digest.update(piece)
            digests.append(digest.hexdigest())
        threads = [threading.Thread(target=act, daemon=True) for act in (write, read)]
        for thread in threads:
            thread.start()
        return threads, digests

    def fill(self, ends, threads):
        """All ends write what they can for as long as the neighbour is at it, and until each has
        written more than a tunnel may hold: threads of ours may have kept it from its turns."""
        deadline = time.monotonic() + WINDOW_S
        with selectors.DefaultSelector() as selector:
            for end in ends:
                selector.register(end.connection, selectors.EVENT_WRITE, end)
            while any(thread.is_alive() for thread in threads) or any(
                    end.written <= TUNNEL_HELD_BYTES for end in ends):
                self.assertLess(time.monotonic(), deadline,
                                f"the neighbour has moved only {self.moved} bytes, or an end too few")
                for key, _ in selector.select(0.1):
                    key.data.write()
                    self.assertLess(key.data.written, MOST_BYTES, "nobody holds it back")

    def drain(self, ends):
        """All ends read to the end."""
        deadline = time.monotonic() + WINDOW_S
        with selectors.DefaultSelector() as selector:
            for end in ends:
                selector.register(end.connection, selectors.EVENT_READ, end)
            while selector.get_map():
                self.assertLess(time.monotonic(), deadline,
                                f"{len(selector.get_map())} of {len(ends)} ends still wait for bytes")
                for key, _ in selector.select(1):
                    key.data.receive()
                    if key.data.ended:
                        selector.unregister(key.fileobj)

    def start_roles(self):
        relay = self.start_relay(shards=2, log_level="info")
        listener = self.start_listener(relay, f"127.0.0.1:{self.target.getsockname()[1]}",
                                       log_level="info")
        return relay, listener, self.start_sender(relay, log_level="info")

    def test_what_thirty_stalled_tunnels_cost(self):
        relay, listener, sender = self.start_roles()
        neighbour = self.join(sender.port)
        ends = []
        for _ in range(self.tunnels):
            ends += map(End, self.join(sender.port))
        threads, digests = self.start_neighbour(*neighbour, self.neighbour_bytes)
        self.fill(ends, threads)
        self.assertEqual(len(digests), 2)
        self.assertEqual(digests[0], digests[1])
        for process in (relay, listener, sender):
            self.assertLess(most_resident_bytes(process),
                            self.tunnels * TUNNEL_HELD_BYTES + BESIDES_BYTES, process.name)
        self.assertGreater(min(end.written for end in ends), TUNNEL_HELD_BYTES)

    def test_readers_that_wake_get_every_byte(self):
        _, _, sender = self.start_roles()
        neighbour = self.join(sender.port)
        pairs = [tuple(map(End, self.join(sender.port))) for _ in range(WAKING_TUNNELS)]
        ends = [end for pair in pairs for end in pair]
        threads, _ = self.start_neighbour(*neighbour, self.neighbour_bytes // 4)
        self.fill(ends, threads)
        for end in ends:
            self.assertGreater(end.written, TUNNEL_HELD_BYTES)
            end.connection.shutdown(socket.SHUT_WR)
        self.drain(ends)
        for app, target in pairs:
            self.assertEqual((app.read, app.correct), (target.written, True))
            self.assertEqual((target.read, target.correct), (app.written, True))


class StalledReadersExample(StalledReaders):
    """Fewer of them over the example protocol, which is plain C."""
    transport = "example_relay"
    tunnels = 25
    neighbour_bytes = GIBIBYTE // 8


if __name__ == "__main__":
    unittest.main()
