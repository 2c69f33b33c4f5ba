"""A sender and a listener against a relay that is hostile itself: what they say, log and survive.

One sender process lives through all its rows, with a tunnel of its own as the neighbour; a listener
waits longer after each failure, so each of its rows has a process.
"""
import json
import struct
import unittest

from culvert_processes import connect, echo, wait_until
from hostile_bytes import accept_of, frame, switching
from hostile_relay import HostileRelayCase

SWITCHING_FIELDS = b"HTTP/1.1 101 X\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
MALFORMED = 'why="the response head is malformed"'
WRONG_KEY = 'why="the upgrade was answered with a wrong Sec-WebSocket-Accept"'

# What the relay says to a head ({} becomes the right accept key), and what our log says.
ANSWERS = [
    ("garbage", b"hello, world\r\n\r\n", MALFORMED),
    ("zeros", b"\0" * 100, 'why="the head is malformed"'),
    ("another version", b"HTTP/3.0 101 X\r\n\r\n", MALFORMED),
    ("a status of two digits", b"HTTP/1.1 10 X\r\n\r\n", MALFORMED),
    ("a line without a colon", b"HTTP/1.1 101 X\r\nno colon\r\n\r\n", MALFORMED),
    ("wrong accept key", switching(b"A" * 27 + b"="), WRONG_KEY),
    ("no accept key", SWITCHING_FIELDS + b"\r\n", WRONG_KEY),
    ("two accept keys", SWITCHING_FIELDS + b"Sec-WebSocket-Accept: {}\r\n" * 2 + b"\r\n",
     WRONG_KEY),
    ("no Upgrade", b"HTTP/1.1 101 X\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: {}\r\n\r\n",
     "without one Upgrade: websocket"),
    ("no Connection", b"HTTP/1.1 101 X\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: {}\r\n\r\n",
     "without Connection: Upgrade"),
    ("an extension", SWITCHING_FIELDS + b"Sec-WebSocket-Accept: {}\r\n"
     b"Sec-WebSocket-Extensions: permessage-deflate\r\n\r\n", "an extension nobody asked for"),
    ("a sub-protocol", SWITCHING_FIELDS + b"Sec-WebSocket-Accept: {}\r\n"
     b"Sec-WebSocket-Protocol: chat\r\n\r\n", "a sub-protocol nobody asked for"),
    ("success without upgrade", b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
     'why="the relay answered 200: OK; no Azure Relay is there: '),
    ("redirection", b"HTTP/1.1 302 Found\r\nLocation: https://other.example/\r\n\r\n",
     'why="the relay answered 302: Found; no Azure Relay is there: '),
    ("long reason", b"HTTP/1.1 503 " + b"r" * 10_000 + b"\r\n\r\n", "answered 503: rrr"),
    ("reason that is not ASCII", b"HTTP/1.1 503 a\tb\x80c\xc3\xa9d\r\n\r\n", "answered 503: a"),
    ("reason that quotes a token", b"HTTP/1.1 503 bad SharedAccessSignature sig=SECRET\r\n\r\n",
     'why="the relay answered 503: bad'),
    ("endless head", b"HTTP/1.1 101 X\r\nA: " + b"x" * 60_000, "longer than 40960 bytes"),
    ("half a head", b"HTTP/1.1 101 X\r\nA: ", "ended without close_notify"),
    ("nothing", b"", "ended without close_notify")]

# What the relay says on an open WebSocket, and the code of the Close that answers it.
BAD_FRAMES = [
    ("masked", frame(0x82, b"x"), 1002),
    ("reserved bit", frame(0xC2, b"x", masked=False), 1002),
    ("reserved opcode", frame(0x83, b"x", masked=False), 1002),
    ("fragmented ping", frame(0x09, masked=False), 1002),
    ("ping of 126 bytes", frame(0x89, b"x" * 126, masked=False), 1002),
    ("continuation of nothing", frame(0x80, b"x", masked=False), 1002),
    ("illegal close code", frame(0x88, struct.pack(">H", 1006), masked=False), 1002),
    ("close of one byte", frame(0x88, b"x", masked=False), 1002),
    ("a length of 64 bits", b"\x82\x7f" + b"\xff" * 8, 1002)]


def close_code(data):
    """The code of the masked Close at the end of what a client said; None without one."""
    at = data.find(b"\x88")
    if at < 0 or len(data) < at + 8:
        return None
    mask = data[at + 2:at + 6]
    return struct.unpack(">H", bytes(data[at + 6 + i] ^ mask[i] for i in (0, 1)))[0]


class HostileRelay(HostileRelayCase):
    @staticmethod
    def says(data):
        """To a head: these bytes and the end."""
        return lambda connection, request: connection.sendall(
            data.replace(b"{}", accept_of(request)))

    @staticmethod
    def grants(data, heard):
        """To a head: 101 and these bytes; the code of the Close that comes back is kept."""
        def answer(connection, request):
            try:
                connection.sendall(switching(accept_of(request)) + data)
            except OSError:
                pass  # it was closed in the middle of the message
            said = b""
            while close_code(said) is None and (piece := connection.recv(65536)):
                said += piece
            heard.append(close_code(said))
        return answer

    # --- the sender -------------------------------------------------------------------------------
    def start_sender_with_neighbour(self):
        def tunnel(connection, request):
            connection.sendall(switching(accept_of(request)))
            while header := connection.recv(6):
                size = header[1] & 0x7F
                payload = b""
                while len(payload) < size:
                    payload += connection.recv(size - len(payload))
                word = bytes(payload[i] ^ header[2 + i % 4] for i in range(size))
                connection.sendall(frame(0x82, word, masked=False))
        relay = self.start_hostile(tunnel)
        sender = self.start_sender(relay)
        neighbour = connect(sender.port)
        self.addCleanup(neighbour.close)

        def check_neighbour():
            neighbour.sendall(b"alive?")
            self.assertEqual(neighbour.recv(6), b"alive?")
        check_neighbour()
        return relay, sender, check_neighbour

    def test_the_sender_resets_its_app(self):
        relay, sender, check_neighbour = self.start_sender_with_neighbour()
        for count, (name, data, line) in enumerate(ANSWERS, 1):
            with self.subTest(name):
                relay.answer = self.says(data)
                self.check_reset(sender.port)
                pattern = "no tunnel for a connection; it is reset"
                self.check_line(sender.wait_for_line(pattern, count), line)
                self.assertEqual(len(sender.lines(pattern)), count)
                check_neighbour()

    def test_bad_frames_reset_the_senders_app(self):
        relay, sender, check_neighbour = self.start_sender_with_neighbour()
        for count, (name, data, code) in enumerate(BAD_FRAMES, 1):
            with self.subTest(name):
                heard = []
                relay.answer = self.grants(data, heard)
                self.check_reset(sender.port)
                line = sender.wait_for_line("tunnel ended", count)
                self.check_line(line, "how=aborted")
                wait_until(lambda: heard, "a Close")
                self.assertEqual(heard, [code])
                check_neighbour()

    # --- the listener -----------------------------------------------------------------------------
    def check_listeners(self, rows, answer_of, pattern, again, codes):
        """A listener a row, all at once; `again` shows that it goes on; `codes` of its Closes."""
        running = []
        for name, data, line in rows:
            relay = self.start_hostile(None)
            relay.answer = answer_of(data, relay.heard)
            listener = self.start_listener(relay, "127.0.0.1:1", online=False)
            running.append((name, line, relay, listener))
        for name, line, relay, listener in running:
            with self.subTest(name):
                self.check_line(listener.wait_for_line(pattern), line)
                listener.wait_for_line(again, count=2)
                if name in codes:
                    wait_until(lambda: relay.heard, "its Close")
                self.assertEqual(relay.heard[:1], codes.get(name, []))

    def test_the_listener_tries_again(self):
        pattern = "cannot register at the relay; trying again"
        self.check_listeners(ANSWERS, lambda data, _: self.says(data), pattern, pattern, {})

    def test_an_offer_of_a_long_address_leaves_the_channel_open(self):
        address = b"wss://127.0.0.1/" + b"y" * 60_000 # as long as its sender asked for
        offer = frame(0x81, b'{"accept":{"address":"' + address + b'","id":"x"}}', masked=False)
        relay = self.start_hostile(None)
        relay.answer = self.grants(offer + frame(0x81, b"[]", masked=False), relay.heard)
        listener = self.start_listener(relay, "127.0.0.1:1", online=False)
        listener.wait_for_line("ignored an offer with an address of more than 16384 bytes")
        # What follows is read: only that ends the channel.
        self.check_line(listener.wait_for_line("lost the relay; seeking it again"),
                        "a control message that is not a JSON object")

    def test_bad_frames_on_the_listeners_channel(self):
        text = [
            ("malformed JSON", b"{", "a control message that is not a JSON object"),
            ("JSON that is no object", b"[]", "a control message that is not a JSON object"),
            ("an offer without an address", b'{"accept":{"id":"x"}}', "why="),
            ("an offer of another scheme", b'{"accept":{"address":"ftp://127.0.0.1/","id":"x"}}',
             "why="),
            ("an offer with a port of words",
             b'{"accept":{"address":"wss://127.0.0.1:x/","id":"x"}}', "why=")]
        rows = [(name, data, 'source=relay why="') for name, data, _ in BAD_FRAMES]
        rows += [(name, frame(0x81, said, masked=False), line) for name, said, line in text]
        rows.append(("a message over the limit", b"\x81\x7f" + struct.pack(">Q", 1 << 20)
                     + b"x" * (1 << 20), "a control message is larger than"))
        no_json = frame(0x81, b"{", masked=False)
        rows.append(("malformed JSON before a bad frame", no_json + BAD_FRAMES[0][1], "why="))
        rows.append(("malformed JSON before a Close", no_json
                     + frame(0x88, struct.pack(">H", 1001), masked=False), "why="))
        codes = {name: [1002] for name, *_ in rows}
        codes["a message over the limit"] = [1009]
        codes["malformed JSON before a Close"] = [1001]  # its Close is answered
        self.check_listeners(rows, self.grants, "lost the relay; seeking it again",
                             "registered at the relay", codes)

    def test_the_listener_registers_again_whatever_the_relays_close_says(self):
        rows, codes = [], {}
        for code in (1000, 1001, 1008, 1011, 4000):
            said = struct.pack(">H", code) + b"why"
            rows.append((f"Close {code}", frame(0x88, said, masked=False),
                         f'why="the relay closed the control channel with {code}: why"'))
            codes[f"Close {code}"] = [code]
        rows.append(("Close without a code", frame(0x88, masked=False),
                     'why="the relay closed the control channel without a code"'))
        codes["Close without a code"] = [None]
        self.check_listeners(rows, self.grants, "lost the relay; seeking it again",
                             "registered at the relay", codes)

    def test_an_offer_to_another_host_is_not_followed(self):
        visited = []
        elsewhere = self.serve(lambda peer: visited.append(peer.getpeername()))
        offer = json.dumps({"accept": {
            "address": f"wss://localhost:{elsewhere}/$hc/app?sb-hc-action=accept&sb-hc-id=x",
            "id": "x", "connectHeaders": {}}}).encode()
        relay = self.start_hostile(None)
        relay.answer = self.grants(frame(0x81, offer, masked=False), relay.heard)
        listener = self.start_listener(relay, f"127.0.0.1:{self.serve(echo)}")
        line = listener.wait_for_line("an offer came to nothing")
        self.check_line(line, "rendezvous_hosts")
        self.assertEqual(visited, [])


if __name__ == "__main__":
    unittest.main()
