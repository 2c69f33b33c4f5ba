"""An entity takes 25 listeners, as at Azure: the next one is refused until one of them leaves."""
import unittest
import uuid

from hostile_bytes import read_head
from raw_ends import LISTEN, RawEnds
from websocket_peer import Peer, closing

MOST_LISTENERS = 25  # RelayLimits::listeners_per_entity in engine/include/culvert/limits.hpp


class FullEntity(RawEnds):
    def say_listen(self):
        """A listener that has asked for a channel, and its id."""
        name = str(uuid.uuid4())
        channel = Peer(self.dial(), client=True)
        channel.say_upgrade(f"{LISTEN}&sb-hc-id={name}", self.with_token("listener"))
        return channel, name

    def listen(self):
        channel, name = self.say_listen()
        channel.hear_upgrade()
        return channel, name

    def check_refused(self):
        refused, name = self.say_listen()
        answer = read_head(refused.connection)
        self.assertEqual(answer[:13], b"HTTP/1.1 403 ")
        self.assertIn(b"MaximumListenersPerEndpoint", answer)
        self.relay.wait_for_line(f"warn connection refused .* id={name}.* code=quota ")

    def test_25_listeners(self):
        channels = [self.listen() for _ in range(MOST_LISTENERS - 1)]  # and the one that is there
        self.check_refused()
        for leaves, (channel, name) in (("politely", channels[0]), ("torn", channels[1])):
            with self.subTest(leaves):
                if leaves == "politely":
                    channel.send(closing())
                    channel.read_to_end()
                channel.connection.close()
                self.relay.wait_for_line(f"listener offline .*id={name}")
                self.listen()
                self.check_refused()
        self.check_neighbour()


if __name__ == "__main__":
    unittest.main()
