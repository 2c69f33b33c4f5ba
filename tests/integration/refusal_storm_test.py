"""A storm of wrong tokens from one address, beside the tunnel of another: what it costs, in counts."""
import socket
import ssl
import threading
import time
import unittest

from hostile_bytes import read_head, token
from raw_ends import CONNECT, NeighbourCase
from websocket_peer import Peer

# RelayLimits in engine/include/culvert/limits.hpp
BURST = 250
PER_SECOND = 50
LOGGED = 16

ATTEMPTS = 1_000
THREADS = 4
STRANGER = "127.0.0.2"


class RefusalStorm(NeighbourCase):
    def setUp(self):
        super().setUp()
        self.context = ssl.create_default_context(cafile=self.certificates.ca)
        self.wrong = [("ServiceBusAuthorization",
                       token(self.relay, rule="sender", path="other")[:-20])]

    def attempt(self, address):
        """Whether the relay answered 401; else it has reset the connection."""
        try:
            with socket.create_connection(("127.0.0.1", self.relay.port), timeout=60,
                                          source_address=(address, 0)) as plain:
                with self.context.wrap_socket(plain, server_hostname="127.0.0.1") as connection:
                    Peer(connection, client=True).say_upgrade(CONNECT + "x", self.wrong)
                    return read_head(connection).startswith(b"HTTP/1.1 401 ")
        except (ConnectionError, ssl.SSLError):
            return False

    def storm(self, address, attempts):
        """How many of so many attempts were answered, and the seconds that they took."""
        answered = []
        began = time.monotonic()

        def run():
            for _ in range(attempts // THREADS):
                answered.append(self.attempt(address))

        threads = [threading.Thread(target=run) for _ in range(THREADS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
            self.check_neighbour()
        self.assertEqual(len(answered), attempts)
        return sum(answered), time.monotonic() - began

    def test_a_stranger_is_reset_and_the_log_stays_short(self):
        answered, seconds = self.storm(STRANGER, ATTEMPTS)
        self.assertGreaterEqual(answered, BURST)
        self.assertLessEqual(answered, BURST + PER_SECOND * (seconds + 1) + THREADS)
        lines = self.relay.lines("connection refused")
        self.assertLessEqual(len(lines), LOGGED + 10)
        self.assertIn("refusals_of_address=256", lines[-1] if answered < 512 else lines[-2])
        self.assertEqual(len(self.relay.lines("some of its new ones are reset")), 1)
        self.assertEqual(len(self.sender.lines("tunnel ended")), 0)

    def test_an_address_with_a_tunnel_is_answered_each_time(self):
        self.assertEqual(self.storm("127.0.0.1", 2 * BURST)[0], 2 * BURST)
        self.assertLessEqual(len(self.relay.lines("connection refused")), LOGGED + 10)


if __name__ == "__main__":
    unittest.main()
