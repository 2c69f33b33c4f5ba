"""Clients that can do one version of TLS alone, as senders and as listeners of a real relay.

The client is Python's ssl with a WebSocket of its own in a few lines: what the relay sees is not
Culvert's code. Its tokens come from `culvert sas token`.
"""
import base64
import contextlib
import hashlib
import os
import ssl
import struct
import subprocess
import unittest

from culvert_processes import CulvertCase, connect, echo

TLS12 = ssl.TLSVersion.TLSv1_2
TLS13 = ssl.TLSVersion.TLSv1_3
CIPHERS12 = ("ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-ECDSA-AES256-GCM-SHA384",
             "ECDHE-ECDSA-CHACHA20-POLY1305")
BINARY, CLOSE = 2, 8
PAYLOAD = 4 << 20
MESSAGE = 100_000  # no multiple of any buffer of ours
UNDER_WAY = 2 * MESSAGE  # less than the path holds, so that nobody waits for the other
GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"


class WebSocketClient:
    """Enough of RFC 6455 for a test: whole masked frames out, any data or close frame in."""

    def __init__(self, socket):
        self.socket = socket
        self.buffer = b""

    def read(self, count):
        while len(self.buffer) < count:
            piece = self.socket.recv(65536)
            if not piece:
                raise EOFError(f"the relay ended with {len(self.buffer)} of {count} bytes")
            self.buffer += piece
        taken, self.buffer = self.buffer[:count], self.buffer[count:]
        return taken

    def upgrade(self, target, host, token):
        """The answer's status line; the accept key is checked when it is a 101."""
        key = base64.b64encode(os.urandom(16)).decode()
        self.socket.sendall((
            f"GET {target} HTTP/1.1\r\nHost: {host}\r\nConnection: Upgrade\r\n"
            f"Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\n"
            f"ServiceBusAuthorization: {token}\r\n\r\n").encode())
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            head += self.read(1)
        status, *fields = head.decode().split("\r\n")
        if " 101 " in status:
            digest = base64.b64encode(hashlib.sha1((key + GUID).encode()).digest()).decode()
            assert f"sec-websocket-accept: {digest}".lower() in [f.lower() for f in fields], head
        return status

    def send(self, opcode, payload):
        mask = os.urandom(4)
        size = len(payload)
        head = bytes([0x80 | opcode])
        head += bytes([0x80 | size]) if size < 126 else (
            struct.pack(">BH", 0x80 | 126, size) if size < 65536 else
            struct.pack(">BQ", 0x80 | 127, size))
        pattern = int.from_bytes((mask * (size // 4 + 1))[:size], "big")
        masked = (int.from_bytes(payload, "big") ^ pattern).to_bytes(size, "big")
        self.socket.sendall(head + mask + masked)

    def receive(self):
        """One frame: its opcode without the FIN bit, and its payload."""
        first, size = self.read(2)
        if size == 126:
            (size,) = struct.unpack(">H", self.read(2))
        elif size == 127:
            (size,) = struct.unpack(">Q", self.read(8))
        return first & 15, self.read(size)


class TlsClients(CulvertCase):
    def setUp(self):
        super().setUp()
        self.relay = self.start_relay(shards=2)
        self.start_listener(self.relay, f"127.0.0.1:{self.serve(echo)}")
        self.tokens = {rule: self.token(rule) for rule in ("sender", "listener")}

    def token(self, rule):
        return subprocess.run(
            [self.culvert(), "sas", "token", "--connection-string",
             self.connection_file(self.relay, rule)],
            check=True, stdout=subprocess.PIPE, text=True).stdout.strip()

    def context(self, version, ciphers=None):
        context = ssl.create_default_context(cafile=self.certificates.ca)
        context.minimum_version = context.maximum_version = version
        if ciphers:
            context.set_ciphers(ciphers)
        return context

    @contextlib.contextmanager
    def dialled(self, context, session=None):
        with connect(self.relay.port) as plain, \
                context.wrap_socket(plain, server_hostname="127.0.0.1", session=session) as socket:
            yield WebSocketClient(socket)

    def upgraded(self, client, action, rule):
        status = client.upgrade(f"/$hc/app?sb-hc-action={action}",
                                f"127.0.0.1:{self.relay.port}", self.tokens[rule])
        self.assertTrue(status.startswith("HTTP/1.1 101 "), status)

    def check_sender(self, client):
        """Bytes to the target and back, then a clean end both ways."""
        self.upgraded(client, "connect", "sender")
        payload = os.urandom(PAYLOAD)
        received = b"".join(self.exchange(client, payload))
        self.assertEqual(hashlib.sha256(received).digest(), hashlib.sha256(payload).digest())
        client.send(CLOSE, struct.pack(">H", 1000) + b"done")
        opcode, piece = client.receive()
        self.assertEqual((opcode, piece[:2]), (CLOSE, struct.pack(">H", 1000)))
        self.assertEqual(client.socket.recv(1), b"")

    def exchange(self, client, payload):
        """Sends while a little is under way, else receives: Python's ssl is no two-thread thing."""
        sent = back = 0
        while back < len(payload):
            if sent < len(payload) and sent - back < UNDER_WAY:
                client.send(BINARY, payload[sent:sent + MESSAGE])
                sent += len(payload[sent:sent + MESSAGE])
                continue
            opcode, piece = client.receive()
            self.assertIn(opcode, (0, BINARY))
            back += len(piece)
            yield piece

    def test_senders_of_one_version_alone(self):
        rows = [(TLS12, "TLSv1.2", cipher) for cipher in CIPHERS12] + [(TLS13, "TLSv1.3", None)]
        for version, name, cipher in rows:
            for _ in range(4):  # on both shards of the relay, moved and not
                with self.subTest(name, cipher=cipher), \
                        self.dialled(self.context(version, cipher)) as client:
                    self.assertEqual(client.socket.version(), name)
                    if cipher:
                        self.assertEqual(client.socket.cipher()[0], cipher)
                    self.check_sender(client)

    def test_listeners_of_one_version_alone(self):
        for version in (TLS12, TLS13):
            with self.subTest(version), self.dialled(self.context(version)) as client:
                online = len(self.relay.lines("listener online"))
                self.upgraded(client, "listen", "listener")
                self.relay.wait_for_line("listener online", online + 1)
                offline = len(self.relay.lines("listener offline"))
                client.send(CLOSE, struct.pack(">H", 1000))
                self.assertEqual(client.receive()[0], CLOSE)
                self.relay.wait_for_line("listener offline", offline + 1)

    def test_sessions_are_resumed(self):
        """On whichever shard the second connection lands: tickets are the relay's."""
        for version in (TLS12, TLS13):
            context = self.context(version)
            with self.dialled(context) as client:
                self.check_sender(client)
                session = client.socket.session
            for _ in range(6):
                with self.subTest(version), self.dialled(context, session) as client:
                    self.assertTrue(client.socket.session_reused)
                    self.check_sender(client)

    def test_older_versions_are_refused(self):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.load_verify_locations(self.certificates.ca)
        context.set_ciphers("ALL:@SECLEVEL=0")
        context.minimum_version = ssl.TLSVersion.TLSv1
        context.maximum_version = ssl.TLSVersion.TLSv1_1
        with self.assertRaisesRegex(ssl.SSLError, "(?i)alert protocol version"), \
                self.dialled(context):
            pass
        with self.dialled(self.context(TLS13)) as client:  # a neighbour is unharmed
            self.check_sender(client)


if __name__ == "__main__":
    unittest.main()
