"""A listener of ill will: on its control channel, on the connection that accepts an offer, and on
the tunnel it has joined. What it breaks is its own; its sender sees that, and nobody else.

The relay is real, listener and senders are raw WebSockets of the test, and a neighbour's tunnel
goes through the same relay.
"""
import os
import socket
import ssl
import struct
import unittest

from hostile_bytes import BAD_FRAMES, for_each_row, frame, head, read_head, rest
from raw_ends import RawEnds, from_either_end
from websocket_peer import Peer, binary, closing, text

GONE = b"HTTP/1.1 403 "


class HostileListener(RawEnds):
    def answer_to(self, data, alpn=None):
        """What the relay says to these bytes on a connection of their own, and its local port."""
        connection = self.dial(alpn)
        port = connection.getsockname()[1]
        connection.sendall(data)
        got = rest(connection)
        connection.close()
        return got, port

    def check_joined(self, sender, listener):
        """Bytes go both ways, and both ways end cleanly."""
        for writer, reader in ((sender, listener), (listener, sender)):
            writer.send(text(b"well?"), closing())
            self.assertTrue(reader.read_until(lambda events: ("close", 1000) in events))
            self.assertEqual(reader.events[:2], [("text", b"well?"), ("close", 1000)])
        sender.connection.close()
        listener.connection.close()

    # --- the control channel ----------------------------------------------------------------------
    def breaches_of_a_channel(self):
        yield from BAD_FRAMES
        yield "text that is no JSON", frame(0x81, b"\xfe garbage \x00"), 1008
        yield "JSON that is no object", frame(0x81, b"[[[[[]]]]]"), 1008
        yield ("a message too large", b"\x81\xff" + struct.pack(">Q", 1 << 20) + b"\0\0\0\0"
               + b"x" * 70_000, 1009)
        yield ("a message too large in fragments", frame(0x01, b"x" * 60_000)
               + frame(0x00, b"x" * 60_000), 1009)

    def test_a_broken_channel_takes_no_tunnel_along(self):
        """What its listener has joined goes on; who waits for it is told at once that it has gone,
        and the offer it has read is good no more."""
        for name, data, code in self.breaches_of_a_channel():
            with self.subTest(name):
                joined = self.join()[:2]
                waiting, _ = self.knock()
                offer = self.next_offer()
                port = self.control.connection.getsockname()[1]
                self.control.connection.sendall(data)
                self.assertTrue(self.control.read_until(lambda events: events))
                self.assertEqual(self.control.events, [("close", code)])
                self.control.connection.close()
                self.check_line(f"listener offline.* peer=127.0.0.1:{port} ", "why=")
                told = read_head(waiting.connection)
                self.assertEqual(told[:13], b"HTTP/1.1 404 ")
                self.assertEqual(self.answer_to(head(offer))[0][:len(GONE)], GONE)
                self.check_joined(*joined)
            self.control = self.open_channel()

    def test_what_a_channel_says_that_means_nothing_is_passed_over(self):
        self.control.send(binary(os.urandom(1000)), binary(b""), text(b'{"unheard": "of"}'))
        sender, listener, _ = self.join()
        self.check_joined(sender, listener)

    # --- before the join --------------------------------------------------------------------------
    def check_refused(self, data, beginning, line, alpn=None):
        got, port = self.answer_to(data, alpn)
        self.assertEqual(got[:len(beginning)], beginning)
        self.assertLess(len(got), 1024)
        self.check_line(f" peer=127.0.0.1:{port} ", line)

    def test_a_malformed_accept_costs_the_sender_nothing(self):
        """The offer stays good for one who comes with it properly."""
        bad = (b"HTTP/1.1 400 ", "connection refused")
        rows = [
            ("garbage", lambda offer: b"accept " + offer.encode() + b"\r\n\r\n", *bad),
            ("no upgrade", lambda offer: head(offer, drop=("Upgrade",)), *bad),
            ("no key", lambda offer: head(offer, drop=("Sec-WebSocket-Key",)), *bad),
            ("another version", lambda offer: head(offer, Sec_WebSocket_Version="7"),
             b"HTTP/1.1 426 ", "connection refused"),
            ("a field too long", lambda offer: head(offer, X="x" * 50_000), b"HTTP/1.1 431 ",
             "code=too-large"),
            ("a method that is not GET", lambda offer: b"PUT" + head(offer)[3:], *bad),
            ("an escape cut short", lambda offer: head(offer + "%"), *bad),
            ("a capability of another length", lambda offer: head(offer + "0"), GONE, "code=gone"),
            ("a capability changed in one place", lambda offer: head(
                offer[:-1] + ("0" if offer[-1] != "0" else "1")), GONE, "code=gone"),
            ("a reject with an impossible code", lambda offer: head(
                offer + "&sb-hc-statusCode=1000"), *bad)]
        for name, spoil, beginning, line in rows:
            with self.subTest(name):
                sender, _ = self.knock()
                offer = self.next_offer()
                self.check_refused(spoil(offer), beginning, line)
                listener = self.accept(offer)
                sender.hear_upgrade()
                self.check_joined(sender, listener)

    def test_an_accept_in_the_other_protocol_costs_the_sender_nothing(self):
        sender, _ = self.knock()
        offer = self.next_offer()
        capability = offer.rsplit("=", 1)[1].encode()
        said = b"accept\n" + capability
        self.check_refused(struct.pack(">H", len(said)) + said, b"\0", "code=gone",
                           "culvert-example/1")
        listener = self.accept(offer)
        sender.hear_upgrade()
        self.check_joined(sender, listener)

    def test_an_offer_is_good_once(self):
        sender, _ = self.knock()
        offer = self.next_offer()
        listener = self.accept(offer)
        sender.hear_upgrade()
        for again in (head(offer), head(offer + "&sb-hc-statusCode=500")):
            got, port = self.answer_to(again)
            self.assertEqual(got[:len(GONE)], GONE)
            self.check_line(f" peer=127.0.0.1:{port} ", "code=gone")
        self.check_joined(sender, listener)

    def test_bytes_behind_the_head_of_an_accept(self):
        """Frames that come before the answer are the tunnel's, legal or not."""
        for name, data, code in [("a message", frame(0x81, b"early"), None), *BAD_FRAMES]:
            with self.subTest(name):
                sender, tunnel = self.knock()
                connection = self.dial()
                connection.sendall(head(self.next_offer()) + frame(0x82, b"first") + data)
                answer = read_head(connection)
                self.assertEqual(answer[:13], b"HTTP/1.1 101 ")
                listener = Peer(connection, client=True)
                listener.take_upgraded(answer)
                sender.hear_upgrade()
                if code is None:
                    self.assertTrue(sender.read_until(lambda events: len(events) == 2))
                    self.assertEqual(sender.events, [("binary", b"first"), ("text", b"early")])
                    sender.events.clear()
                    self.check_joined(sender, listener)
                else:
                    self.check_torn(listener, sender, tunnel, code, b"first", "listener")

    # --- behind the join --------------------------------------------------------------------------
    def check_torn(self, here, there, name, code, before, end):
        """The offender hears the code; the other end has all that was said before."""
        self.assertTrue(here.read_until(lambda events: events))
        self.assertEqual(here.events, [("close", code)])
        there.read_to_end()
        self.assertEqual(there.events, [("binary", before), ("torn", b"")])
        here.connection.close()
        there.connection.close()
        self.check_line(f"tunnel ended .*sender={name}", f" how=aborted by={end} ")

    def check_bad_frame(self, _, end, data, code):
        here, there, name = self.ends(end)
        here.send(binary(b"before"))
        here.connection.sendall(data)
        self.check_torn(here, there, name, code, b"before", end)

    def test_bad_frames_on_a_joined_tunnel(self):
        for_each_row(self, from_either_end(BAD_FRAMES), self.check_bad_frame)

    def check_leaving(self, _, end, leave):
        """Without a Close of its own the other end sees the tunnel torn, behind what was said."""
        here, there, name = self.ends(end)
        here.send(binary(b"before"), text(b"half", fin=False))
        self.assertTrue(there.read_until(lambda events: events))
        leave(here.connection)
        there.read_to_end()
        self.assertEqual(there.events, [("binary", b"before"), ("torn", b"")])
        there.connection.close()
        here.connection.close()
        self.check_line(f"tunnel ended .*sender={name}", f" how=aborted by={end} ")

    def test_leaving_without_a_close(self):
        def reset(connection):
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            connection.close()

        def garbage(connection):
            with socket.socket(fileno=os.dup(connection.fileno())) as below:
                below.sendall(b"no TLS at all" * 100)

        def close_notify(connection):
            with self.assertRaisesRegex(ssl.SSLError, "UNEXPECTED_EOF"):  # it is answered by a torn end
                connection.unwrap()

        rows = [
            ("close_notify", close_notify),
            ("FIN", lambda connection: connection.shutdown(socket.SHUT_RDWR)),
            ("RST", reset), ("garbage below TLS", garbage)]
        for_each_row(self, from_either_end(rows), self.check_leaving)


if __name__ == "__main__":
    unittest.main()
