"""A relay that a test scripts: TLS is real, what it says behind it is up to the test."""
import socket
import ssl
import struct
import threading

from culvert_processes import PEER_KEY, CulvertCase
from hostile_bytes import read_head


class Hostile:
    """`answer(connection, request)` is what it does with a connection. It belongs to the test,
    which may replace it at any time; connections run in threads of their own."""

    def __init__(self, answer):
        self.answer = answer
        self.before_tls = None  # does all of it with the bare socket, where it is set
        self.heard = []
        self.visits = 0  # but for those
        self.port = 0

    def connection_string(self, rule, entity="app"):
        return (f"Endpoint=sb://127.0.0.1:{self.port}/;SharedAccessKeyName={rule};"
                f"SharedAccessKey={rule}-{PEER_KEY};EntityPath={entity}")


class HostileRelayCase(CulvertCase):
    def start_hostile(self, answer, read=read_head, alpn=None):
        """`read(connection)` takes what a client says first."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.certificates.certificate, self.certificates.key)
        if alpn:
            context.set_alpn_protocols([alpn])
        relay = Hostile(answer)
        counting = threading.Lock()

        def handle(peer):
            if relay.before_tls:
                relay.before_tls(peer)
                return
            with counting:
                relay.visits += 1
            with context.wrap_socket(peer, server_side=True) as connection:
                relay.answer(connection, read(connection))
        relay.port = self.serve(handle)
        return relay

    def check_line(self, line, wanted):
        self.assertIn(wanted, line)
        self.assertLess(len(line), 1200)
        self.assertRegex(line, r"\A[\x20-\x7e]*\Z")
        self.assertNotIn("SECRET", line)


def reset(connection):
    """RST at once, in place of any other end."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()
