"""How each official client renews the token of its control channel, told to a real relay."""
import json
import unittest
import urllib.parse
import uuid

from hostile_bytes import token
from raw_ends import LISTEN, RawEnds
from websocket_peer import Peer, text

GRACE_S = 300


class Renewal(RawEnds):
    def listen(self, expires_s=60, name=None, in_query=False):
        channel = Peer(self.dial(), client=True)
        name = name or str(uuid.uuid4())
        first = token(self.relay, path="other", expires_s=expires_s)
        target = f"{LISTEN}&sb-hc-id={name}"
        if in_query:
            channel.ask_upgrade(f"{target}&sb-hc-token={urllib.parse.quote_plus(first)}")
        else:
            channel.ask_upgrade(target, [("ServiceBusAuthorization", first)])
        return channel, name

    def good(self):
        return token(self.relay, path="other", expires_s=3600)

    def close_of(self, channel):
        """The Close that the relay sends: ("close", code)."""
        channel.read_until(lambda events: any(kind == "close" for kind, _ in events))
        return [event for event in channel.events if event[0] == "close"]

    def test_renewals_that_are_taken(self):
        rows = [
            (".NET, and the Hybrid Connection Manager", False, {"token": self.good()}, {}),
            ("hyco-ws and hyco-https, where the token is a function", False,
             {"token": self.good()}, {"separators": (",", ":")}),
            ("aztunnel, with its first token in the query", True, {"token": self.good()},
             {"separators": (",", ":")}),
            ("white space, as no known client writes it", False, {"token": self.good()},
             {"indent": 1}),
            ("a member that the relay does not know", False,
             {"token": self.good(), "expires": 3600}, {}),
        ]
        for client, in_query, renewal, style in rows:
            message = {"renewToken": renewal}
            with self.subTest(client):
                channel, name = self.listen(in_query=in_query)
                channel.send(text(json.dumps(message, **style).encode()))
                self.relay.wait_for_line(f"listener renewed its token .*id={name}")
                channel.send(text(json.dumps(message, **style).replace("/", "\\/").encode()))
                self.relay.wait_for_line(f"listener renewed its token .*id={name}", 2)
                self.assertEqual([event for event in channel.events if event[0] == "close"], [])

    def test_renewals_that_end_the_channel_with_1008(self):
        rows = [
            ("Java 0.0.6 sends an object's name",
             "com.microsoft.azure.relay.SecurityToken@1b28cdfa", "Malformed token"),
            ("none", "", "MissingToken"),
            ("of another rule", token(self.relay, rule="sender", path="other"), "Listen"),
            ("of another entity", token(self.relay, path="app"), "InvalidAudience"),
            ("of another key", token(self.relay, key="no key", path="other"), "invalid signature"),
            ("too late", token(self.relay, path="other", expires_s=-GRACE_S - 2), "ExpiredToken"),
        ]
        for mistake, renewed, why in rows:
            with self.subTest(mistake):
                channel, name = self.listen()
                channel.send(text(json.dumps({"renewToken": {"token": renewed}}).encode()))
                self.assertEqual(self.close_of(channel), [("close", 1008)])
                self.relay.wait_for_line(f"listener offline .*id={name}.*{why}")
                self.check_neighbour()

    def test_a_listener_whose_renewal_was_refused_comes_again_and_is_met(self):
        """As Java 0.0.6 does each hour, with the same id."""
        self.control.connection.close()
        self.relay.wait_for_line("listener offline .*entity=other")
        channel, name = self.listen()
        channel.send(text(b'{"renewToken":{"token":"SecurityToken@1b28cdfa"}}'))
        self.assertEqual(self.close_of(channel), [("close", 1008)])
        self.control, _ = self.listen(name=name)
        sender, listener, _ = self.join()
        sender.send(text(b"well?"))
        self.assertTrue(listener.read_until(lambda events: events == [("text", b"well?")]))

    def test_a_channel_whose_token_has_ended_is_closed_with_1008(self):
        """As that of hyco-ws with a string for its token: it never renews it."""
        channel, name = self.listen(expires_s=2 - GRACE_S)
        self.assertEqual(self.close_of(channel), [("close", 1008)])
        self.relay.wait_for_line(f"listener offline .*id={name}.*expired and was not renewed")
        self.check_neighbour()


if __name__ == "__main__":
    unittest.main()
