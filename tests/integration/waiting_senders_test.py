"""How many senders of one address may wait for their listener: 256, and the next one is told 503."""
import socket
import ssl
import struct
import unittest

from culvert_processes import connect
from hostile_bytes import read_head
from raw_ends import CONNECT, RawEnds
from websocket_peer import Peer, text

MOST_WAITING = 256  # RelayLimits::pending_per_source in engine/include/culvert/limits.hpp
ANOTHER_ADDRESS = "127.0.0.2"


class WaitingSenders(RawEnds):
    """The raw listener reads its offers and accepts none, unless the test says so."""

    def knock_from(self, address):
        """As knock(), from another address of this machine."""
        plain = socket.create_connection(("127.0.0.1", self.relay.port), timeout=60,
                                         source_address=(address, 0))
        context = ssl.create_default_context(cafile=self.certificates.ca)
        connection = context.wrap_socket(plain, server_hostname="127.0.0.1")
        self.addCleanup(connection.close)
        sender = Peer(connection, client=True)
        sender.say_upgrade(CONNECT + "elsewhere", self.with_token("sender"))
        return sender

    def check_waits(self, sender):
        """Nothing was said to it, not even an end."""
        sender.connection.settimeout(0)
        with self.assertRaises(ssl.SSLWantReadError):
            sender.connection.recv(1)
        sender.connection.settimeout(60)

    def check_tunnel(self, sender, offer):
        listener = self.accept(offer)
        sender.hear_upgrade()
        sender.send(text(b"well?"))
        self.assertTrue(listener.read_until(lambda events: events))
        self.assertEqual(listener.events, [("text", b"well?")])

    def test_256_of_one_address(self):
        waiting = []
        for _ in range(MOST_WAITING):
            sender, _ = self.knock()
            waiting.append((sender, self.next_offer()))
        refused, name = self.knock()
        self.assertEqual(read_head(refused.connection)[:13], b"HTTP/1.1 503 ")
        self.relay.wait_for_line(f"warn connection refused .* id={name}")
        for sender, _ in waiting:
            self.check_waits(sender)
        # Others are not held back by it, and whoever is accepted leaves room.
        elsewhere = self.knock_from(ANOTHER_ADDRESS)
        self.check_tunnel(elsewhere, self.next_offer())
        for sender, offer in (waiting[0], waiting[-1]):
            self.check_tunnel(sender, offer)
            later, _ = self.knock()
            self.check_tunnel(later, self.next_offer())
        self.check_neighbour()

    def test_a_sender_that_says_goodbye_over_tls_waits_no_more(self):
        """close_notify and FIN, which leave its other direction open: it is gone all the same."""
        leaves, name = self.knock()
        offer = self.next_offer()
        leaves.connection.settimeout(0)
        with self.assertRaises(ssl.SSLWantReadError):
            leaves.connection.unwrap()  # its close_notify is sent; the relay's does not come yet
        leaves.connection.shutdown(socket.SHUT_WR)
        self.relay.wait_for_line(f"sender left before a listener came .*id={name}")
        late = Peer(self.dial(), client=True)
        late.say_upgrade(offer)
        self.assertEqual(read_head(late.connection)[:13], b"HTTP/1.1 403 ")
        self.check_neighbour()

    def test_an_app_that_breaks_its_connection_waits_no_more_and_one_that_half_closes_does(self):
        sender = self.start_sender(self.relay, entity="other")
        broken = connect(sender.port)
        self.next_offer()
        patient = connect(sender.port)
        self.addCleanup(patient.close)
        offer = self.next_offer()
        patient.sendall(b"question")
        patient.shutdown(socket.SHUT_WR)
        broken.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        broken.close()
        sender.wait_for_line("an app left before its tunnel was there")
        self.relay.wait_for_line("sender left before a listener came")
        listener = self.accept(offer)
        self.assertTrue(listener.read_until(lambda events: events))
        self.assertEqual(listener.events[0], ("binary", b"question"))
        self.assertEqual(len(sender.lines("tunnel joined")), 1)
        self.check_neighbour()


if __name__ == "__main__":
    unittest.main()
