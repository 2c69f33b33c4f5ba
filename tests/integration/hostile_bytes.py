"""Bytes that a peer of ill will says: tokens, heads and frames, right but for one thing."""
import base64
import hashlib
import hmac
import ssl
import struct
import time
import urllib.parse
from concurrent.futures import ThreadPoolExecutor

from culvert_processes import PEER_KEY

UPGRADE_KEY = "dGhlIHNhbXBsZSBub25jZQ=="
WORKERS = 16  # a row waits for its peer most of the time


def token(relay, rule="listener", key=None, path="app", expires_s=600, host=None, **fields):
    """A SAS token; `fields` replaces or (None) drops sr, sig, se, skn."""
    resource = urllib.parse.quote(f"http://{host or relay.host}/{path}", safe="")
    expiry = str(int(time.time()) + expires_s)
    key = f"{rule}-{PEER_KEY}" if key is None else key
    digest = hmac.new(key.encode(), f"{resource}\n{expiry}".encode(), hashlib.sha256).digest()
    parts = {"sr": resource, "sig": urllib.parse.quote(base64.b64encode(digest).decode(), safe=""),
             "se": expiry, "skn": rule}
    parts.update(fields)
    return "SharedAccessSignature " + "&".join(
        f"{name}={value}" for name, value in parts.items() if value is not None)


def head(path="/$hc/app?sb-hc-action=listen", token_text=None, drop=(), **changes):
    """An upgrade's head; a change replaces a field (Sec_WebSocket_Key="x"), `drop` leaves out."""
    fields = {"Host": "127.0.0.1", "Connection": "Upgrade", "Upgrade": "websocket",
              "Sec-WebSocket-Version": "13", "Sec-WebSocket-Key": UPGRADE_KEY}
    if token_text is not None:
        fields["ServiceBusAuthorization"] = token_text
    fields.update({name.replace("_", "-"): value for name, value in changes.items()})
    lines = [f"{name}: {value}" for name, value in fields.items() if name not in drop]
    return "\r\n".join([f"GET {path} HTTP/1.1", *lines, "", ""]).encode()


def frame(first, payload=b"", masked=True):
    """One WebSocket frame of less than 64 KiB; the mask of a masked one is zero."""
    size = len(payload)
    length = bytes([size]) if size < 126 else b"\x7e" + struct.pack(">H", size)
    if not masked:
        return bytes([first]) + length + payload
    return bytes([first, length[0] | 0x80]) + length[1:] + b"\0\0\0\0" + payload


def switching(accept):
    """The head that grants an upgrade."""
    return (b"HTTP/1.1 101 X\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
            b"Sec-WebSocket-Accept: " + accept + b"\r\n\r\n")


def accept_of(request):
    """What proves that this request's head was read."""
    key = next(line.split(": ")[1] for line in request.decode().split("\r\n")
               if line.lower().startswith("sec-websocket-key"))
    magic = key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
    return base64.b64encode(hashlib.sha1(magic.encode()).digest())


def read_head(connection):
    """Bytes up to a head's end, or all there is."""
    data = b""
    while b"\r\n\r\n" not in data and (piece := connection.recv(65536)):
        data += piece
    return data


def rest(connection):
    """All that comes until the other side's end, of whatever kind."""
    pieces = []
    try:
        while piece := connection.recv(65536):
            pieces.append(piece)
    except (ConnectionResetError, ssl.SSLError):
        pass
    return b"".join(pieces)


def for_each_row(case, rows, check):
    """check(*row) for all rows at once; each failure is a subtest with the row's first word."""
    with ThreadPoolExecutor(WORKERS) as workers:
        running = [(row[0], workers.submit(check, *row)) for row in rows]
        for name, work in running:
            with case.subTest(name):
                work.result()


# What no client may say to a server on an open WebSocket, and the code of the Close that answers.
BAD_FRAMES = [
    ("unmasked", frame(0x82, b"x", masked=False), 1002),
    ("reserved bit", frame(0xC2, b"x"), 1002),
    ("reserved opcode", frame(0x83, b"x"), 1002),
    ("reserved control opcode", frame(0x8B, b"x"), 1002),
    ("fragmented ping", frame(0x09), 1002),
    ("ping of 126 bytes", frame(0x89, b"x" * 126), 1002),
    ("continuation of nothing", frame(0x80, b"x"), 1002),
    ("message inside a message", frame(0x02, b"x") + frame(0x82, b"x"), 1002),
    ("illegal close code", frame(0x88, struct.pack(">H", 1005)), 1002),
    ("close of one byte", frame(0x88, b"x"), 1002),
    ("a length of 64 bits", b"\x82\xff" + b"\xff" * 8 + b"\0\0\0\0", 1002)]
