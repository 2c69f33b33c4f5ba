"""A small WebSocket peer for tests, either role: it writes any frame, also illegal ones, and reads
what the other side answers.

A Peer owns its socket and belongs to one thread, but for send(), which another one may call.
"""

import base64
import hashlib
import os
import ssl
import struct
from dataclasses import dataclass

CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0, 1, 2, 8, 9, 10
GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
DEADLINE_S = 60


@dataclass
class Frame:
    """One frame to be sent; what stands here beside opcode and payload is a mistake on purpose."""

    opcode: int
    payload: bytes = b""
    fin: bool = True
    reserved: int = 0
    wrong_mask: bool = False  # masked where it must not be, or the other way round
    length_size: int | None = None  # 2 or 8 bytes of length, needed or not
    length: int | None = None  # what the header says, in place of the payload's own
    send_only: int | None = None  # so many bytes of the payload leave, the rest never does


def masked_with(key, payload):
    pattern = key * (len(payload) // 4 + 1)
    number = int.from_bytes(payload, "big") ^ int.from_bytes(pattern[: len(payload)], "big")
    return number.to_bytes(len(payload), "big")


def encode(frame, client):
    length = len(frame.payload) if frame.length is None else frame.length
    size = frame.length_size
    if size is None:
        size = 0 if length < 126 else 2 if length < 65536 else 8
    first = frame.opcode | frame.reserved << 4 | (0x80 if frame.fin else 0)
    masked = client != frame.wrong_mask
    short = length if size == 0 else 126 if size == 2 else 127
    head = bytes([first, short | (0x80 if masked else 0)])
    head += b"" if size == 0 else struct.pack(">H" if size == 2 else ">Q", length)
    payload = frame.payload
    if masked:
        key = os.urandom(4)
        head += key
        payload = masked_with(key, payload)
    return head + payload[: frame.send_only]


def close_payload(code, reason=b""):
    return struct.pack(">H", code) + reason


def text(payload, **more):
    return Frame(TEXT, payload, **more)


def binary(payload, **more):
    return Frame(BINARY, payload, **more)


def more_of(payload, fin=True, **more):
    return Frame(CONTINUATION, payload, fin=fin, **more)


def ping(payload=b"", **more):
    return Frame(PING, payload, **more)


def closing(code=1000, reason=b""):
    return Frame(CLOSE, close_payload(code, reason))


class Peer:
    """`events` is what arrived: ("text" or "binary" or "pong" or "ping", bytes), ("close", code)."""

    def __init__(self, connection, client):
        connection.settimeout(DEADLINE_S)
        self.connection = connection
        self.client = client
        self.events = []
        self.close_reason = None
        self.fragments = 0
        self.largest_frame = 0
        self._buffer = bytearray()
        self._message = None
        self._key = b""

    # --- the upgrade ------------------------------------------------------------------------------
    def ask_upgrade(self, target="/", fields=()):
        self.say_upgrade(target, fields)
        return self.hear_upgrade()

    def say_upgrade(self, target, fields=()):
        """`fields` are further ones: (name, value)."""
        self._key = base64.b64encode(os.urandom(16))
        more = "".join(f"{name}: {value}\r\n" for name, value in fields).encode()
        self.connection.sendall(
            b"GET " + target.encode() + b" HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\n"
            b"Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n" + more
            + b"Sec-WebSocket-Key: " + self._key + b"\r\n\r\n"
        )

    def take_upgraded(self, head):
        """For an upgrade that was asked for elsewhere: the head, and what was read behind it."""
        self._buffer += head.partition(b"\r\n\r\n")[2]

    def hear_upgrade(self):
        """The head of the answer, which grants the upgrade."""
        head = self._read_head()
        accept = base64.b64encode(hashlib.sha1(self._key + GUID).digest())
        if not head.startswith(b"HTTP/1.1 101 ") or accept not in head:
            raise AssertionError(f"no upgrade: {head!r}")
        return head

    def answer_upgrade(self):
        """The request target that was asked for."""
        head = self._read_head()
        fields = dict(line.split(b": ", 1) for line in head.split(b"\r\n")[1:] if line)
        key = next(value for name, value in fields.items() if name.lower() == b"sec-websocket-key")
        accept = base64.b64encode(hashlib.sha1(key + GUID).digest())
        self.connection.sendall(
            b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Accept: " + accept + b"\r\n\r\n"
        )
        return head.split(b" ")[1].decode()

    def _read_head(self):
        while b"\r\n\r\n" not in self._buffer:
            piece = self.connection.recv(65536)
            if not piece:
                raise AssertionError(f"the connection ended in the head: {bytes(self._buffer)!r}")
            self._buffer += piece
        head, _, rest = bytes(self._buffer).partition(b"\r\n\r\n")
        self._buffer = bytearray(rest)
        return head

    # --- frames -----------------------------------------------------------------------------------
    def send(self, *frames):
        self.connection.sendall(b"".join(encode(frame, self.client) for frame in frames))

    def read_until(self, wanted):
        """Reads on until wanted(events), or the end of the socket: then False."""
        while not wanted(self.events):
            if not self._decode() and not self._receive():
                return False
        return True

    def read_to_end(self):
        """Reads until the other side ends the socket, also by a reset, or (where the socket tells
        it) without close_notify: that is "torn"."""
        try:
            self.read_until(lambda events: False)
        except ConnectionResetError:
            self.events.append(("reset", b""))
        except ssl.SSLError as error:  # SSLEOFError is not said by every Python
            if error.reason != "UNEXPECTED_EOF_WHILE_READING":
                raise
            self.events.append(("torn", b""))

    def _receive(self):
        piece = self.connection.recv(1 << 18)
        self._buffer += piece
        return bool(piece)

    def _decode(self):
        buffer = self._buffer
        if len(buffer) < 2:
            return False
        opcode, fin, short = buffer[0] & 15, buffer[0] & 0x80, buffer[1] & 127
        at = 2 if short < 126 else 4 if short == 126 else 10
        masked = buffer[1] & 0x80
        if masked == (0x80 if self.client else 0) or buffer[0] & 0x70:
            raise AssertionError(f"an illegal frame: {bytes(buffer[:2])!r}")
        at += 4 if masked else 0
        if len(buffer) < at:
            return False
        size = short if short < 126 else int.from_bytes(buffer[2 : 4 if short == 126 else 10], "big")
        if len(buffer) < at + size:
            return False
        payload = bytes(buffer[at : at + size])
        if masked:
            payload = masked_with(bytes(buffer[at - 4 : at]), payload)
        del buffer[: at + size]
        self.largest_frame = max(self.largest_frame, size)
        self._note(opcode, bool(fin), payload)
        return True

    def _note(self, opcode, fin, payload):
        if opcode == CLOSE:
            self.events.append(("close", int.from_bytes(payload[:2], "big")))
            self.close_reason = payload[2:]
        elif opcode in (PING, PONG):
            self.events.append(("ping" if opcode == PING else "pong", payload))
        else:
            if (opcode == CONTINUATION) != (self._message is not None):
                raise AssertionError(f"opcode {opcode} out of place")
            if opcode != CONTINUATION:
                self._message = (opcode, [])
            self.fragments += 1
            self._message[1].append(payload)
            if fin:
                kind = "text" if self._message[0] == TEXT else "binary"
                self.events.append((kind, b"".join(self._message[1])))
                self._message = None
