"""Connects to a relay so many times a second, as strangers do: bare TCP, a TLS hello and then silence, TLS and a
wrong token. A process of its own beside the one that measures. Prints one line of JSON with its counts at its end.

Usage: storm_client.py PORT RATE SECONDS ADDRESSES
Connections come from ADDRESSES addresses, each in a /24 of its own (127.77.N.1).
"""
import collections
import json
import selectors
import socket
import ssl
import struct
import sys
import time

from soak_case import raise_descriptor_limit

MOST_OPEN = 8_000  # beyond these nothing is offered: they are this program's memory
RESET_ON_CLOSE = struct.pack("ii", 1, 0)  # so that no port is left in TIME_WAIT
IP_BIND_ADDRESS_NO_PORT = 24
REQUEST = (b"GET /$hc/app?sb-hc-action=connect&sb-hc-id=storm HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: Upgrade\r\n"
           b"Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
           b"ServiceBusAuthorization: SharedAccessSignature sr=http%3a%2f%2f127.0.0.1%2fapp&sig=d3Jvbmc%3d"
           b"&se=4102444800&skn=sender\r\n\r\n")


def stranger_context():
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def client_hello(context):
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    try:
        context.wrap_bio(incoming, outgoing).do_handshake()
    except ssl.SSLWantReadError:
        return outgoing.read()


class Attempt:
    """One connection; turn() goes on with it and says how it ended: answered, closed, reset, or None."""

    def __init__(self, storm, kind, source):
        self.storm = storm
        self.kind = kind
        self.wants = selectors.EVENT_WRITE
        self.asked = False
        self.connection = socket.socket()
        self.connection.setsockopt(socket.IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, 1)
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_ON_CLOSE)
        self.connection.setblocking(False)
        self.connection.bind((source, 0))
        self.connection.connect_ex(("127.0.0.1", storm.port))

    def turn(self):
        try:
            return self.speak_tls() if self.kind == "token" else self.stay_silent()
        except ssl.SSLWantReadError:
            self.wants = selectors.EVENT_READ
        except ssl.SSLWantWriteError:
            self.wants = selectors.EVENT_WRITE
        except OSError as error:
            return "closed" if isinstance(error, ssl.SSLEOFError) else "reset"
        return None

    def stay_silent(self):
        if self.wants == selectors.EVENT_WRITE:
            self.connection.send(self.storm.hello if self.kind == "hello" else b"")
            self.wants = selectors.EVENT_READ
            return None
        return None if self.connection.recv(1 << 14) else "closed"

    def speak_tls(self):
        if not isinstance(self.connection, ssl.SSLSocket):
            self.connection = self.storm.context.wrap_socket(self.connection, do_handshake_on_connect=False)
        if not self.asked:
            self.connection.do_handshake()
            self.connection.send(REQUEST)
            self.asked = True
        return "answered" if self.connection.recv(1 << 14).startswith(b"HTTP/1.1 401 ") else "closed"


class Storm:
    def __init__(self, port, rate, seconds, addresses):
        self.port = port
        self.rate = rate
        self.seconds = seconds
        self.sources = [f"127.77.{number}.1" for number in range(addresses)]
        self.context = stranger_context()
        self.hello = client_hello(self.context)
        self.selector = selectors.DefaultSelector()
        self.counts = collections.Counter()
        self.begun = 0

    def offer(self, due):
        """As many as are due and fit."""
        while self.begun < due and len(self.selector.get_map()) < MOST_OPEN:
            kind = ("bare", "hello", "token")[self.begun % 3]
            try:
                attempt = Attempt(self, kind, self.sources[self.begun // 3 % len(self.sources)])
                self.selector.register(attempt.connection, attempt.wants, attempt)
                self.counts[f"{kind} offered"] += 1
            except OSError:
                self.counts["no port left"] += 1
            self.begun += 1

    def serve(self, wait_s):
        for key, _ in self.selector.select(wait_s):
            attempt = key.data
            self.selector.unregister(key.fileobj)
            end = attempt.turn()
            if end:
                self.counts[f"{attempt.kind} {end}"] += 1
                attempt.connection.close()
            else:
                self.selector.register(attempt.connection, attempt.wants, attempt)

    def run(self):
        began = time.monotonic()
        while (passed := time.monotonic() - began) < self.seconds:
            self.offer(int(passed * self.rate))
            self.serve(0.001)
        for key in list(self.selector.get_map().values()):
            self.counts[f"{key.data.kind} open at the end"] += 1
            key.fileobj.close()
        self.counts["offered"] = sum(self.counts[f"{kind} offered"] for kind in ("bare", "hello", "token"))
        self.counts["offered_per_second"] = round(self.counts["offered"] / (time.monotonic() - began))
        print(json.dumps(self.counts), flush=True)


if __name__ == "__main__":
    raise_descriptor_limit()
    Storm(*map(int, sys.argv[1:5])).run()
