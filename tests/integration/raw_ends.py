"""A relay with a neighbour's tunnel through it, and raw WebSockets as both ends of other tunnels.

What a raw end says is up to the test, and it sees what arrives to the byte, also how the connection
ends. A row of a test may run beside other rows: joining is under a lock, the rest is the row's own.
"""
import json
import socket
import ssl
import threading
import uuid

from culvert_processes import CulvertCase, connect, echo
from hostile_bytes import token
from websocket_peer import PONG, Frame, Peer

CONNECT = "/$hc/other?sb-hc-action=connect&sb-hc-id="
LISTEN = "/$hc/other?sb-hc-action=listen"


class NeighbourCase(CulvertCase):
    """Through the entity `app` goes a tunnel that must live through everything."""

    def setUp(self):
        super().setUp()
        self.relay = self.start_relay(entities=("app", "other"),
                                      protocols=("transport_azure", "example_relay"))
        self.start_listener(self.relay, f"127.0.0.1:{self.serve(echo)}")
        self.sender = self.start_sender(self.relay)
        self.neighbour = connect(self.sender.port)
        self.neighbour_lock = threading.Lock()
        self.addCleanup(self.neighbour.close)
        self.check_neighbour()

    def check_neighbour(self):
        with self.neighbour_lock:
            self.neighbour.sendall(b"alive?")
            self.assertEqual(self.neighbour.recv(6, socket.MSG_WAITALL), b"alive?")

    def dial(self, alpn=None):
        """TLS with the relay; an end without close_notify is an SSLError."""
        context = ssl.create_default_context(cafile=self.certificates.ca)
        context.options &= ~ssl.OP_IGNORE_UNEXPECTED_EOF  # Python 3.11.2 sets it
        if alpn:
            context.set_alpn_protocols([alpn])
        connection = context.wrap_socket(connect(self.relay.port), server_hostname="127.0.0.1",
                                         suppress_ragged_eofs=False)
        self.addCleanup(connection.close)
        return connection

    def check_line(self, pattern, wanted):
        """Exactly one line has the pattern, and it holds what is wanted."""
        self.relay.wait_for_line(pattern)
        self.check_neighbour()
        lines = self.relay.lines(pattern)
        self.assertEqual(len(lines), 1, lines)
        self.assertIn(wanted, lines[0])


class RawEnds(NeighbourCase):
    """A raw listener of the entity `other`, and raw senders."""

    def setUp(self):
        super().setUp()
        self.joining = threading.Lock()
        self.control = self.open_channel()

    def open_channel(self):
        control = Peer(self.dial(), client=True)
        control.ask_upgrade(LISTEN, self.with_token("listener"))
        return control

    def with_token(self, rule):
        return [("ServiceBusAuthorization", token(self.relay, rule=rule, path="other"))]

    def knock(self, fields=()):
        """A sender that waits for the listener, and its id."""
        name = str(uuid.uuid4())
        sender = Peer(self.dial(), client=True)
        sender.say_upgrade(CONNECT + name, [*self.with_token("sender"), *fields])
        return sender, name

    def next_offer(self):
        """What to ask the relay for, to accept."""
        events = self.control.events
        while True:
            self.assertTrue(self.control.read_until(lambda events: events), "no control channel")
            kind, payload = events.pop(0)
            if kind == "text":
                return "/" + json.loads(payload)["accept"]["address"].split("/", 3)[3]
            self.assertEqual(kind, "ping")
            self.control.send(Frame(PONG, payload))  # or the relay gives the channel up in 10 s

    def accept(self, offer):
        listener = Peer(self.dial(), client=True)
        listener.ask_upgrade(offer)
        return listener

    def join(self):
        """Sender and listener of a new tunnel, and its id in the relay's log."""
        with self.joining:
            sender, name = self.knock()
            listener = self.accept(self.next_offer())
        sender.hear_upgrade()
        return sender, listener, name

    def ends(self, first):
        """(here, there, name): the end called `first`, "sender" or "listener", and the other."""
        sender, listener, name = self.join()
        return (sender, listener, name) if first == "sender" else (listener, sender, name)


def from_either_end(rows):
    """The rows (name, ...) twice: (name and end, end, ...)."""
    return [(f"{name}, by the {end}", end, *rest)
            for name, *rest in rows for end in ("sender", "listener")]
