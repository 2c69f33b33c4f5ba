"""What WebSockets say through a whole tunnel: kinds, borders, closes with code and reason, and
closes that no WebSocket may send.

Both ends are raw WebSockets of the test, in between is a real relay. Every row runs twice, from the
sender to the listener and back.
"""
import os
import threading
import unittest

from hostile_bytes import for_each_row
from raw_ends import RawEnds, from_either_end
from websocket_peer import CLOSE, Frame, Peer, binary, close_payload, closing, encode, more_of, text
from websocket_rows import BAD_TEXT, GREETING, echo_rows

MEBIBYTE = 1 << 20


def message_rows():
    """(name, frames, messages, pongs); the relay does not check that text is UTF-8."""
    yield from echo_rows()
    yield "text that is no UTF-8", [text(BAD_TEXT)], [("text", BAD_TEXT)], []
    yield ("kinds in turn", [text(b"1"), binary(b"2"), text(b""), binary(b""), text(b"3")],
           [("text", b"1"), ("binary", b"2"), ("text", b""), ("binary", b""), ("text", b"3")], [])
    noise = os.urandom(MEBIBYTE)
    yield "a binary of 1 MiB", [binary(noise)], [("binary", noise)], []
    yield "a text of 1 MiB", [text(noise)], [("text", noise)], []
    parts = [more_of(noise[at:at + 1000], fin=False) for at in range(0, len(noise), 1000)]
    parts[0].opcode, parts[-1].fin = text(b"").opcode, True
    yield "a text of 1,049 fragments, then a binary", parts + [binary(b"x")], [
        ("text", noise), ("binary", b"x")], []


def close_rows():
    """(name, payload of the Close, code and reason at the other end, code that comes back)"""
    yield "no code", b"", 1000, b"", 0
    for code in (1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 3000, 3999, 4000, 4999):
        yield f"code {code}", close_payload(code), code, b"", code
    for code in (1012, 1013, 1014):  # these speak of a server, not of who wrote the stream
        yield f"code {code}", close_payload(code, b"why"), 1011, b"why", code
    yield "a reason", close_payload(1000, GREETING), 1000, GREETING, 1000
    longest = ("\u2116" * 41).encode()
    yield "the longest reason", close_payload(4000, longest), 4000, longest, 4000


def illegal_rows():
    """(name, payload of the Close, answer, what the log says)"""
    yield "one byte", b"\x03", 1002, "a Close of one byte"
    for code in (0, 999, 1004, 1005, 1006, 1015, 1016, 2999, 5000, 65535):
        yield f"code {code}", close_payload(code), 1002, "a Close with an illegal code"
    yield ("a reason that is no UTF-8", close_payload(1000, BAD_TEXT), 1007,
           "a Close whose reason is no UTF-8")
    yield ("a reason cut inside a character", close_payload(1000, GREETING[:7]), 1007,
           "a Close whose reason is no UTF-8")


class RelayedMessages(RawEnds):
    def check_tunnel(self, here, there, name, *wanted):
        """Both leave, and the one line about the tunnel's end has all that is wanted."""
        for peer in (here, there):
            peer.connection.close()
        for words in wanted:
            self.check_line(f"tunnel ended .*sender={name}", words)

    # --- messages ---------------------------------------------------------------------------------
    def check_messages(self, _, end, frames, messages, pongs):
        here, there, name = self.ends(end)
        writer = threading.Thread(target=here.send, args=(*frames, closing()))
        writer.start()
        self.assertTrue(there.read_until(lambda events: ("close", 1000) in events))
        writer.join()
        self.assertTrue(there.events == [*messages, ("close", 1000)],
                        [(kind, payload if kind == "close" else len(payload))
                         for kind, payload in there.events])
        there.send(closing())
        here.read_to_end()
        there.read_to_end()
        self.assertEqual(here.events, [*(("pong", payload) for payload in pongs), ("close", 1000)])
        self.assertEqual(there.events[len(messages):], [("close", 1000)])
        self.check_tunnel(here, there, name, " how=finished ")

    def test_messages(self):
        rows = from_either_end(message_rows())
        self.assertGreaterEqual(len(rows), 90)
        for_each_row(self, rows, self.check_messages)

    def test_one_frame_of_32_mib_is_passed_on_as_it_comes(self):
        whole = os.urandom(32 * MEBIBYTE)
        for end in ("sender", "listener"):
            with self.subTest(end):
                here, there, _ = self.ends(end)
                before_kib = self.relay.resident_kib()
                said = encode(binary(whole), client=True)
                here.connection.sendall(said[:2 * MEBIBYTE])
                self.assertTrue(there.read_until(lambda _: there.fragments >= 60))
                self.assertEqual(there.events, [])
                writer = threading.Thread(target=here.connection.sendall,
                                          args=(said[2 * MEBIBYTE:],))
                writer.start()
                self.assertTrue(there.read_until(lambda events: events))
                writer.join()
                self.assertTrue(there.events == [("binary", whole)])
                self.assertLessEqual(there.largest_frame, 16_380)
                self.assertLess(self.relay.resident_kib() - before_kib, 8 * 1024)

    def test_both_directions_at_once(self):
        here, there, name = self.ends("sender")
        frames = [frame for number in range(2000) for frame in (
            text(b"%d" % number, fin=False), more_of(b"."), binary(b"%d" % number))]
        wanted = [event for number in range(2000) for event in (
            ("text", b"%d." % number), ("binary", b"%d" % number))]
        for peer in (here, there):  # small enough to wait in the sockets on the way
            peer.send(*frames)
        for peer in (here, there):
            self.assertTrue(peer.read_until(lambda events: len(events) == len(wanted)))
            self.assertTrue(peer.events == wanted)
        self.check_tunnel(here, there, name, "how=aborted")

    # --- sub-protocols ----------------------------------------------------------------------------
    def test_each_end_is_told_only_a_sub_protocol_that_it_offered(self):
        def named(head):
            return [line.split(b": ")[1].decode() for line in head.split(b"\r\n")
                    if line.lower().startswith(b"sec-websocket-protocol:")]
        for offered, chosen, wanted in (
                (["chat, other"], ["chat"], ["chat"]), (["other", "chat"], ["chat"], ["chat"]),
                ([], ["chat"], []), (["other"], ["chat"], []), (["chat"], [], [])):
            with self.subTest(f"{offered} {chosen}"):
                sender, _ = self.knock([("Sec-WebSocket-Protocol", each) for each in offered])
                listener = Peer(self.dial(), client=True)
                answer = listener.ask_upgrade(
                    self.next_offer(), [("Sec-WebSocket-Protocol", each) for each in chosen])
                self.assertEqual(named(answer), chosen)
                self.assertEqual(named(sender.hear_upgrade()), wanted)
                sender.send(text(b"well?"))
                self.assertTrue(listener.read_until(lambda events: events == [("text", b"well?")]))

    # --- legal closes -----------------------------------------------------------------------------
    def check_close(self, _, end, payload, code, reason, echoed):
        """It ends its own direction; the other one goes on until its own Close."""
        here, there, name = self.ends(end)
        here.send(text(b"last words"), Frame(CLOSE, payload))
        self.assertTrue(there.read_until(lambda events: len(events) == 2))
        self.assertEqual(there.events, [("text", b"last words"), ("close", code)])
        self.assertEqual(there.close_reason, reason)
        there.send(binary(b"an answer"), closing(4001, b"of its own"))
        here.read_to_end()
        there.read_to_end()
        self.assertEqual(here.events, [("binary", b"an answer"), ("close", echoed)])
        self.assertEqual(here.close_reason, b"", "an echo brings no reason of the other side")
        self.assertEqual(len(there.events), 2, there.events)
        self.check_tunnel(here, there, name, " how=finished ")

    def test_closes(self):
        for_each_row(self, from_either_end(close_rows()), self.check_close)

    def test_closes_that_cross(self):
        here, there, name = self.ends("sender")
        here.send(closing(4001, b"from here"))
        there.send(closing(4002, b"from there"))
        here.read_to_end()
        there.read_to_end()
        # One was first: it arrives as it is, and its writer hears its own code.
        self.assertIn((here.events, there.events), [
            ([("close", 4001)], [("close", 4001)]), ([("close", 4002)], [("close", 4002)]),
            ([("close", 4002)], [("close", 4001)])])
        self.check_tunnel(here, there, name, " how=finished ")

    # --- illegal closes ---------------------------------------------------------------------------
    def check_illegal(self, _, end, payload, answer, line):
        """The offender hears why; the other end has all that was said, and sees it torn."""
        here, there, name = self.ends(end)
        here.send(binary(b"last words"), text(b"half a", fin=False), Frame(CLOSE, payload))
        here.read_to_end()
        there.read_to_end()
        self.assertEqual(here.events[0], ("close", answer))
        self.assertIn(here.events[1:], ([], [("torn", b"")]))
        self.assertEqual(there.events, [("binary", b"last words"), ("torn", b"")])
        self.check_tunnel(here, there, name, " how=aborted ", f" by={end} ", line)

    def test_illegal_closes(self):
        for_each_row(self, from_either_end(illegal_rows()), self.check_illegal)

    def check_illegal_answer(self, _, end, payload, __, line):
        """To a Close that it received: there is no second Close, and the first is not answered."""
        here, there, name = self.ends(end)
        there.send(closing(4001))
        self.assertTrue(here.read_until(lambda events: events))
        here.send(Frame(CLOSE, payload))
        here.read_to_end()
        there.read_to_end()
        self.assertEqual(here.events[:1], [("close", 4001)])
        self.assertIn(here.events[1:], ([], [("torn", b"")]))
        self.assertEqual(there.events, [("torn", b"")])
        self.check_tunnel(here, there, name, " how=aborted ", f" by={end} ", line)

    def test_illegal_closes_as_answers(self):
        for_each_row(self, from_either_end(illegal_rows()), self.check_illegal_answer)


if __name__ == "__main__":
    unittest.main()
