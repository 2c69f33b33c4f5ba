"""RFC 6455 as public conformance suites check it, against the echo programs: ws_echo as the server
and ws_echo_client as the client of the same rows, over ws:// and wss://.

A row is frames to send and what must come back: messages in order, pongs in order, the code of the
Close (0: a Close without one), and then the end of the socket without a reset.
"""

import os
import pathlib
import signal
import socket
import ssl
import subprocess
import tempfile
import threading
import unittest

from culvert_processes import binary_folder
from websocket_peer import (
    BINARY,
    CLOSE,
    CONTINUATION,
    DEADLINE_S,
    PING,
    PONG,
    TEXT,
    Frame,
    Peer,
    binary,
    close_payload,
    closing,
    encode,
    more_of,
    ping,
    text,
)
from websocket_rows import BAD_TEXT, GREETING, echo_rows

BIN = pathlib.Path(binary_folder())
MEBIBYTE = 1 << 20
# What an echo program may use beyond its start, whatever it is sent: it stores 32 MiB, a turn each
# way is 256 KiB, held bytes 320 KiB a direction; the rest is the allocator's and OpenSSL's.
GROWTH_BYTES = 48 * MEBIBYTE


def failure_rows():
    """(name, frames, messages, code): the other side closes with that code and ends."""
    for bits in (1, 2, 4, 7):
        yield f"reserved bits {bits}", [text(b"a", reserved=bits)], [], 1002
    yield "a reserved bit of a ping", [text(b"a"), ping(b"", reserved=2)], [("text", b"a")], 1002
    for opcode in (3, 7, 11, 15):
        yield f"opcode {opcode}", [text(b"a"), Frame(opcode, b"x"), ping()], [("text", b"a")], 1002
    yield "the mask of the other role", [text(b"a", wrong_mask=True)], [], 1002
    yield "a ping of 126", [ping(b"\xfe" * 126)], [], 1002
    yield "a fragmented ping", [ping(b"x", fin=False), more_of(b"y")], [], 1002
    yield "a fragmented pong", [Frame(PONG, b"x", fin=False)], [], 1002
    yield "a fragmented Close", [Frame(CLOSE, close_payload(1000), fin=False)], [], 1002
    yield "16 bits of length for 5", [text(b"short", length_size=2)], [], 1002
    yield "64 bits of length for 5", [text(b"short", length_size=8)], [], 1002
    yield "the top bit of a length", [binary(b"x", length=1 << 63)], [], 1002
    yield "a continuation of nothing", [more_of(b"x")], [], 1002
    yield "a continuation of nothing, open", [more_of(b"x", fin=False), text(b"y")], [], 1002
    yield "a continuation behind a message", [text(b"a"), more_of(b"x")], [("text", b"a")], 1002
    yield "a message inside a message", [text(b"a", fin=False), text(b"b")], [], 1002
    yield "another kind inside a message", [text(b"a", fin=False), binary(b"b")], [], 1002
    for name, bad in {
        "a lone continuation": b"\x80",
        "a lone start": b"\xc3",
        "an overlong slash": b"\xc0\xaf",
        "an overlong of four": b"\xf0\x80\x80\xaf",
        "a surrogate": b"\xed\xa0\x80",
        "beyond the last": b"\xf4\x90\x80\x80",
        "five bytes": b"\xf8\x88\x80\x80\x80",
        "FF": b"\xff",
        "an unfinished end": b"ok\xe1\xbd",
    }.items():
        yield f"no UTF-8: {name}", [text(bad)], [], 1007
    cut = [text(b"\xce\xba\xe1", fin=False), more_of(b"x")]
    yield "no UTF-8 across a border", cut, [], 1007
    # Fail-fast: what would complete the message is never sent.
    yield "fails in the first fragment", [text(BAD_TEXT, fin=False)], [], 1007
    yield "fails inside a frame", [text(BAD_TEXT + b"*" * 900, send_only=len(BAD_TEXT))], [], 1007
    yield "fails at the first byte", [text(b"\xf4\x90\x80\x80", send_only=2)], [], 1007


def close_rows():
    """(name, frames, messages, code): the Close is answered; nothing behind it is."""
    yield "behind a message", [text(b"a"), closing()], [("text", b"a")], 1000
    yield "without a code", [Frame(CLOSE)], [], 0
    yield "twice", [closing(), closing(1001)], [], 1000
    yield "text behind it", [closing(), text(b"late")], [], 1000
    yield "ping behind it", [closing(), ping(b"late")], [], 1000
    yield "inside a message", [text(b"half", fin=False), closing(), more_of(b"late")], [], 1000
    yield "with a reason", [closing(1000, GREETING)], [], 1000
    yield "with the longest reason", [closing(1000, b"*" * 123)], [], 1000
    yield "one byte", [Frame(CLOSE, b"\x03")], [], 1002
    yield "a reason too long", [closing(1000, b"*" * 124)], [], 1002
    yield "a reason that is no UTF-8", [closing(1000, BAD_TEXT)], [], 1007
    for code in (1001, 1002, 1003, 1007, 1009, 1010, 1011, 3000, 3999, 4000, 4999):
        yield f"code {code}", [closing(code)], [], code
    for code in (0, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65535):
        yield f"illegal code {code}", [closing(code)], [], 1002


def all_rows():
    """(name, frames, messages, pongs, code)"""
    for name, frames, messages, pongs in echo_rows():
        yield name, frames + [closing()], messages, pongs, 1000
    for name, frames, messages, code in failure_rows():
        yield name, frames, messages, [], code
    for name, frames, messages, code in close_rows():
        yield "Close " + name, frames, messages, [], code


class Certificate:
    """A throw-away certificate for 127.0.0.1 in a folder of its own."""

    def __init__(self):
        self.folder = tempfile.TemporaryDirectory()
        self.certificate = os.path.join(self.folder.name, "certificate.pem")
        self.key = os.path.join(self.folder.name, "key.pem")
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
             "-days", "2", "-subj", "/CN=echo", "-addext", "subjectAltName=IP:127.0.0.1",
             "-keyout", self.key, "-out", self.certificate],
            check=True, capture_output=True)  # fmt: skip


class EchoServer:
    """ws_echo as a process; connect() gives an upgraded Peer."""

    def __init__(self, certificate=None):
        command = [BIN / "ws_echo", "--bind", "127.0.0.1:0"]
        self.context = None
        if certificate is not None:
            command += ["--tls-cert", certificate.certificate, "--tls-key", certificate.key]
            self.context = ssl.create_default_context(cafile=certificate.certificate)
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        self.port = int(self.process.stdout.readline().rsplit(":", 1)[1])

    def connect(self):
        connection = socket.create_connection(("127.0.0.1", self.port), DEADLINE_S)
        if self.context is not None:
            connection = self.context.wrap_socket(connection, server_hostname="127.0.0.1")
        peer = Peer(connection, client=True)
        peer.ask_upgrade()
        return peer

    def end(self, peer):
        peer.connection.close()

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(DEADLINE_S)
        self.process.stdout.close()


class EchoClient:
    """A listening socket; connect() starts a ws_echo_client against it and gives an upgraded Peer."""

    def __init__(self, certificate=None):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.listener.settimeout(DEADLINE_S)
        self.port = self.listener.getsockname()[1]
        self.more, self.scheme, self.context, self.process = [], "ws", None, None
        if certificate is not None:
            self.more, self.scheme = ["--ca", certificate.certificate], "wss"
            self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self.context.load_cert_chain(certificate.certificate, certificate.key)

    def connect(self, target="/runCase?case=1&agent=culvert"):
        url = f"{self.scheme}://127.0.0.1:{self.port}{target}"
        self.process = subprocess.Popen([BIN / "ws_echo_client", url, *self.more])
        connection, _ = self.listener.accept()
        if self.context is not None:
            connection.settimeout(DEADLINE_S)
            connection = self.context.wrap_socket(connection, server_side=True)
        peer = Peer(connection, client=False)
        if peer.answer_upgrade() != target:
            raise AssertionError("the request target is not the URL's")
        return peer

    def end(self, peer):
        peer.connection.close()
        if self.process.wait(DEADLINE_S) != 0:
            raise AssertionError(f"ws_echo_client ended with {self.process.returncode}")

    def stop(self):
        self.listener.close()
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
            self.process.wait(DEADLINE_S)


def memory_bytes(process, word="VmHWM"):
    """The most the process has used yet."""
    lines = pathlib.Path(f"/proc/{process.pid}/status").read_text().splitlines()
    return 1024 * next(int(line.split()[1]) for line in lines if line.startswith(word + ":"))


def finish(peer, refused=False):
    """Our part of the closing: a server ends by itself, but after a refusal it first waits a second
    for the peer to do so; a client waits for the server."""
    if isinstance(peer.connection, ssl.SSLSocket) and not peer.client:
        peer.connection = peer.connection.unwrap()  # close_notify both ways
    elif refused or not peer.client:
        peer.connection.shutdown(socket.SHUT_WR)
    peer.read_to_end()


def in_order(frames, messages, pongs):
    """What must come back as one sequence: a pong never behind data that came behind its ping."""
    messages, pongs, events = list(messages), list(pongs), []
    for frame in frames:
        if frame.opcode == PING and pongs and frame.payload == pongs[0]:
            events.append(("pong", pongs.pop(0)))
        elif frame.opcode < CLOSE and frame.fin and messages:
            events.append(messages.pop(0))
    assert not messages and not pongs, "a row expects what its frames do not ask for"
    return events


class Conformance(unittest.TestCase):
    def of_kind(self, peer, *kinds):
        return [event for event in peer.events if event[0] in kinds]

    def run_row(self, side, frames, messages, pongs, code):
        peer = side.connect()
        peer.send(*frames)
        peer.read_until(lambda events: events and events[-1][0] == "close")
        finish(peer, refused=code in (1002, 1007))
        self.assertEqual(self.of_kind(peer, "text", "binary", "pong"), in_order(frames, messages, pongs))
        self.assertEqual(peer.events[-1:], [("close", code)], "nothing follows a Close")
        self.assertEqual(len(self.of_kind(peer, "close")), 1)
        side.end(peer)

    def run_rows(self, side):
        self.addCleanup(side.stop)
        count = 0
        for name, frames, messages, pongs, code in all_rows():
            with self.subTest(name):
                self.run_row(side, frames, messages, pongs, code)
                count += 1
        self.assertGreaterEqual(count, 100)

    def test_the_server(self):
        self.run_rows(EchoServer())

    def test_the_client(self):
        self.run_rows(EchoClient())

    def test_a_refused_peer_that_does_nothing_is_left_all_the_same(self):
        side = EchoServer()
        self.addCleanup(side.stop)
        peer = side.connect()
        peer.send(text(b"a", reserved=1))
        peer.read_to_end()
        peer.read_until(lambda events: False)
        self.assertEqual(peer.events, [("close", 1002)])
        side.end(peer)

    def test_a_message_that_arrives_byte_by_byte(self):
        for side in (EchoServer(), EchoClient()):
            self.addCleanup(side.stop)
            peer = side.connect()
            peer.connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            for byte in encode(text(GREETING * 5), peer.client) + encode(ping(b"p"), peer.client):
                peer.connection.sendall(bytes([byte]))
            self.assertTrue(peer.read_until(lambda events: len(events) == 2))
            self.assertEqual(peer.events, [("text", GREETING * 5), ("pong", b"p")])
            peer.send(closing())
            finish(peer)
            side.end(peer)


class CertifiedCase(unittest.TestCase):
    """One certificate for all tests of the case."""

    @classmethod
    def setUpClass(cls):
        cls.certificate = Certificate()

    @classmethod
    def tearDownClass(cls):
        cls.certificate.folder.cleanup()


class Bulk(CertifiedCase):
    """16 MiB messages, in one frame and in 65,536, and a reader that does not read."""

    def exchange(self, peer, frames, expected):
        """Sends and reads at once, but with TLS: no two threads may use one of Python's TLS sockets."""
        sender = threading.Thread(target=peer.send, args=frames)
        sender.start()
        if isinstance(peer.connection, ssl.SSLSocket):
            sender.join(DEADLINE_S)
        arrived = peer.read_until(lambda events: events)
        sender.join(DEADLINE_S)
        self.assertTrue(arrived)
        self.assertEqual([kind for kind, _ in peer.events], [expected[0]])
        self.assertTrue(peer.events.pop()[1] == expected[1], "other bytes came back")

    def big_messages(self, side):
        self.addCleanup(side.stop)
        peer = side.connect()
        before = memory_bytes(side.process)
        letters = (GREETING * 700_000)[: 16 * MEBIBYTE - 16]
        letters = letters.decode(errors="ignore").encode().ljust(16 * MEBIBYTE, b"*")
        noise = os.urandom(16 * MEBIBYTE)
        for kind, opcode, payload in (("text", TEXT, letters), ("binary", BINARY, noise)):
            for size in (256, 4096, 16 * MEBIBYTE):
                frames = [
                    Frame(opcode if at == 0 else CONTINUATION, payload[at : at + size], fin=at + size == len(payload))
                    for at in range(0, len(payload), size)
                ]
                self.exchange(peer, frames, (kind, payload))
        # Echoed while it arrives, in frames that fit into a record, and no more of them than that.
        self.assertLessEqual(peer.largest_frame, 16384)
        self.assertEqual(peer.fragments, 6 * (16 * MEBIBYTE // 16376 + 1))
        self.assertLess(memory_bytes(side.process) - before, GROWTH_BYTES)
        peer.send(closing())
        self.assertTrue(peer.read_until(lambda events: events))
        finish(peer)
        self.assertEqual(peer.events, [("close", 1000)])
        side.end(peer)

    def test_the_server(self):
        self.big_messages(EchoServer())

    def test_the_client(self):
        self.big_messages(EchoClient())

    def test_the_server_with_tls(self):
        self.big_messages(EchoServer(self.certificate))

    def test_the_client_with_tls(self):
        self.big_messages(EchoClient(self.certificate))

    def test_a_peer_that_writes_all_before_it_reads(self):
        for side in (EchoServer(), EchoClient()):
            self.addCleanup(side.stop)
            peer = side.connect()
            payload = os.urandom(16 * MEBIBYTE)
            pieces = [payload[at : at + 256] for at in range(0, len(payload), 256)]
            frames = [more_of(piece, fin=False) for piece in pieces]
            frames[0].opcode, frames[-1].fin = BINARY, True
            peer.send(*frames)
            self.assertTrue(peer.read_until(lambda events: events))
            self.assertTrue(peer.events == [("binary", payload)])
            side.end(peer)

    def test_a_peer_that_does_not_read_is_not_read(self):
        side = EchoServer()
        self.addCleanup(side.stop)
        peer = side.connect()
        before = memory_bytes(side.process)
        message = encode(binary(os.urandom(MEBIBYTE)), True)
        sent = 0
        peer.connection.settimeout(1)
        with self.assertRaises(TimeoutError):  # both sockets and the engine's bound are full
            while sent < 512 * MEBIBYTE:
                sent += peer.connection.send(message[sent % len(message) :])
        self.assertGreater(sent, MEBIBYTE)
        self.assertLess(memory_bytes(side.process) - before, GROWTH_BYTES)
        peer.connection.settimeout(DEADLINE_S)
        rest = message[sent % len(message) :]
        whole = sent // len(message) + 1
        sender = threading.Thread(target=peer.connection.sendall, args=(rest,))
        sender.start()
        self.assertTrue(peer.read_until(lambda events: len(events) == whole))
        sender.join(DEADLINE_S)
        self.assertEqual(len(set(peer.events)), 1)
        side.end(peer)


if __name__ == "__main__":
    unittest.main()
