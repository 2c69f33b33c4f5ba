"""Knot DNS with a zone of its own, and a relay of datagrams in front of it that counts and drops."""
import os
import re
import shutil
import signal
import socket
import subprocess
import threading

from culvert_processes import free_port, wait_until

ZONE = """\
$TTL 3600
@      SOA   ns.test. host.test. 1 3600 600 86400 7
@      NS    ns.test.
ns     A     127.0.0.1
chain  CNAME one
one    CNAME two
two    A     192.0.2.1
two    AAAA  2001:db8::1
six    AAAA  2001:db8::6
four   A     192.0.2.4
short  2 A   192.0.2.9
brief  2 A   192.0.2.8
none   TXT   "no address"
relay  A     127.0.0.1
db.corp A    192.0.2.30
"""
MANY = 100  # more than a datagram has room for: 512 bytes, or 1,232 with EDNS, as newer c-ares ask


class Knot:
    """`answers()` is what a client asks for, over `port`."""

    def __init__(self, folder):
        self.folder, self.port = folder, free_port()
        zone = ZONE + "".join(f"many AAAA 2001:db8::{i:x}\nmany A 198.51.100.{i}\n"
                              for i in range(1, MANY + 1))
        with open(os.path.join(folder, "test.zone"), "w", encoding="ascii") as file:
            file.write(zone)
        with open(os.path.join(folder, "knot.conf"), "w", encoding="ascii") as file:
            file.write(f"server:\n    rundir: {folder}\n    listen: 127.0.0.1@{self.port}\n"
                       f"database:\n    storage: {folder}\n"
                       f"zone:\n  - domain: test\n    file: {folder}/test.zone\n")
        self.process = None

    @staticmethod
    def installed():
        return shutil.which("knotd") or os.path.exists("/usr/sbin/knotd")

    def start(self):
        with open(os.path.join(self.folder, "knot.log"), "wb") as log:
            self.process = subprocess.Popen(
                [shutil.which("knotd") or "/usr/sbin/knotd", "-c",
                 os.path.join(self.folder, "knot.conf")], stdin=subprocess.DEVNULL, stdout=log,
                stderr=log)
        wait_until(self._serves, "Knot serves its zone")

    def _serves(self):
        query = b"\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x04four\x04test\x00\x00\x01\x00\x01"
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            probe.settimeout(0.2)
            probe.connect(("127.0.0.1", self.port))
            try:
                probe.send(query)
                return probe.recv(512)[3] & 15 == 0
            except (ConnectionRefusedError, TimeoutError):
                return False

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()


class Counter:
    """Passes datagrams and TCP connections on to the server; `drop` says which questions are lost."""

    def __init__(self, server_port):
        self.server_port = server_port
        self.questions = []  # (name, type)
        self.tcp = 0
        self.drop = lambda name, kind: False
        self.sockets = self._on_one_port()
        self.port = self.sockets[0].getsockname()[1]
        self.sockets[1].listen()
        for work in (self._datagrams, self._connections):
            threading.Thread(target=work, daemon=True).start()

    def close(self):
        for each in self.sockets:
            each.close()

    @staticmethod
    def _on_one_port():
        """For datagrams and for connections; another process may have one of the two."""
        while True:
            datagrams, connections = socket.socket(type=socket.SOCK_DGRAM), socket.socket()
            connections.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            datagrams.bind(("127.0.0.1", 0))
            try:
                connections.bind(("127.0.0.1", datagrams.getsockname()[1]))
                return datagrams, connections
            except OSError:
                datagrams.close()
                connections.close()

    @staticmethod
    def question(packet):
        labels, at = [], 12
        while packet[at]:
            labels.append(packet[at + 1:at + 1 + packet[at]].decode())
            at += 1 + packet[at]
        return ".".join(labels).lower(), {1: "A", 28: "AAAA"}[packet[at + 2]]

    def _datagrams(self):
        while True:
            try:
                packet, peer = self.sockets[0].recvfrom(4096)
            except OSError:
                return
            asked = self.question(packet)
            self.questions.append(asked)
            if self.drop(*asked):
                continue
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
                server.settimeout(5)
                server.connect(("127.0.0.1", self.server_port))
                try:
                    server.send(packet)
                    self.sockets[0].sendto(server.recv(4096), peer)
                except OSError:
                    pass  # the server is dead: the question is lost

    def _connections(self):
        while True:
            try:
                client, _ = self.sockets[1].accept()
            except OSError:
                return
            self.tcp += 1
            with client, socket.create_connection(("127.0.0.1", self.server_port)) as server:
                while (packet := self._framed(client)):
                    server.sendall(packet)
                    client.sendall(self._framed(server))

    @staticmethod
    def _framed(peer):
        """A message with its length in front; empty at the end."""
        length = peer.recv(2, socket.MSG_WAITALL)
        return length and length + peer.recv(int.from_bytes(length, "big"), socket.MSG_WAITALL)


class Names:
    """The program resolve_names: ask() returns {name: (addresses or failure, lifetime in ms)}."""

    def __init__(self, folder, **settings):
        self.folder = folder
        self.errors = open(os.path.join(folder, "names.log"), "w+b")
        self.process = subprocess.Popen(
            [os.path.join(os.environ["CULVERT_BIN"], "resolve_names"), "resolver_dns",
             *(f"{key}={value}" for key, value in settings.items())],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.errors, text=True)

    def ask(self, *names):
        self.process.stdin.write(" ".join(names) + "\n")
        self.process.stdin.flush()
        answers = {}
        for name in names:
            if not name.startswith("@"):
                line = self.process.stdout.readline().rstrip("\n").split("\t")
                answers[line[0]] = (line[1], int(line[2] or 0))
        return answers

    def one(self, name):
        return self.ask(name)[name][0]

    def said(self):
        self.errors.flush()
        with open(self.errors.name, encoding="utf-8") as file:
            return re.findall(r"[^\n]+", file.read())

    def end(self):
        self.process.stdin.close()
        code = self.process.wait(60)
        self.process.stdout.close()
        self.errors.close()
        return code
