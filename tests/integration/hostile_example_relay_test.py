"""The example protocol's listener and sender against a relay of it that is hostile itself.

A sender process lives through all its rows, with a tunnel of its own as the neighbour. A listener
waits longer after each failure, so each of its rows has a process; in the end a good relay stands
where the hostile one was, and every one of them must come back.
"""
import os
import socket
import struct
import threading
import time
import unittest

from culvert_processes import connect, echo, receive_all, wait_until
from hostile_relay import HostileRelayCase, reset

ALPN = "culvert-example/1"
TRANSPORT = ("--transport", "example_relay")
INSIDE = "the connection ended inside its head"
TORN = "ended without close_notify"
UNKNOWN = "the relay sent an answer that this protocol does not know"


def message(text):
    data = text if isinstance(text, bytes) else text.encode()
    return struct.pack(">H", len(data)) + data


def read_message(connection):
    """A whole message, or what there is of one."""
    prefix = read_exactly(connection, 2)
    return read_exactly(connection, int.from_bytes(prefix, "big"))


def read_exactly(connection, size):
    data = b""
    while len(data) < size and (piece := connection.recv(size - len(data))):
        data += piece
    return data


# --- ways to end, behind what was said ---------------------------------------------------------

def fin(connection):
    """Without close_notify."""
    connection.shutdown(socket.SHUT_WR)
    read_away(connection)


def close_notify(connection):
    connection.unwrap()


def below_tls(connection):
    with socket.socket(fileno=os.dup(connection.fileno())) as below:
        below.sendall(b"this is no TLS record " * 10)
    read_away(connection)


def waits(connection):
    """For the other side to end it."""
    read_away(connection)


def read_away(connection):
    try:
        while connection.recv(65536):
            pass
    except OSError:
        pass


# What is said to the first message, how it ends, and the reason in the log.
ANSWERS = [
    ("nothing", b"", close_notify, "ended before its head"),
    ("nothing, torn", b"", fin, TORN),
    ("nothing, reset", b"", reset, "why="),
    ("half a length", b"\0", close_notify, INSIDE),
    ("half a message", b"\0\5ok", close_notify, INSIDE),
    ("half a message, torn", b"\0\5ok", fin, TORN),
    ("an empty message", b"\0\0ok", waits, "the first message is empty"),
    ("an oversized message", b"\xff\xff" + b"x" * 65535, waits, "longer than 40960 bytes"),
    ("an oversized message, announced", b"\xa0\x01", waits, "longer than 40960 bytes"),
    ("the largest message", message(b"x" * 40960), waits, UNKNOWN),
    ("HTTP", b"HTTP/1.1 400 Bad Request\r\n\r\n", close_notify, INSIDE),
    ("another word", message("yes"), waits, UNKNOWN),
    ("more than ok", message("ok ok"), waits, UNKNOWN),
    ("zeros", message(b"\0" * 100), waits, UNKNOWN),
    ("no, without more", message("no"), waits, UNKNOWN),
    ("a code of words", message("no way 2 x"), waits, UNKNOWN),
    ("the code of success", message("no 0 2 x"), waits, UNKNOWN),
    ("a code of a newer relay", message("no 28 2 newer"), waits, "the relay says: newer"),
    ("a code too large", message("no 99999999999999999999 2 x"), waits, UNKNOWN),
    ("a retry of a newer relay", message("no 18 4 newer"), waits, "the relay says: newer"),
    ("a retry too large", message("no 18 4294967296 x"), waits, UNKNOWN),
    ("no retry", message("no 18"), waits, UNKNOWN),
    ("no, and a reason", message("no 18 2 not today"), waits, "the relay says: not today"),
    ("a long reason", message("no 18 2 " + "r" * 40_000), waits, "the relay says: rrr"),
    ("a reason that is not ASCII", message(b"no 18 2 a\r\nb\x80\0c\xc3\xa9d"), waits,
     "the relay says: a"),
    ("garbage below TLS", b"", below_tls, "why=")]

# What is said on a control channel, how it ends, and the reason in the log. (No reset here: it could
# overtake the "ok".)
CHANNEL = [
    ("an empty message", b"\0\0", waits, "why="),
    ("half a length", b"\0", close_notify, "why="),
    ("half a message", b"\0\x09offer", close_notify, "why="),
    ("half a message, torn", b"\0\x09offer", fin, "why="),
    ("another word", message("hello"), waits,
     "the relay sent a control message that this protocol does not know"),
    ("no, and a reason", message("no 18 2 not today"), waits, "the relay says: not today"),
    ("no, without more", message("no"), waits, "a control message that"),
    ("the largest message", message(b"x" * 65535), waits, "a control message that"),
    ("zeros", message(b"\0" * 1000), waits, "a control message that"),
    ("close_notify", b"", close_notify, "the relay ended the control channel"),
    ("FIN", b"", fin, TORN),
    ("garbage below TLS", b"", below_tls, "why=")]

# Offers that lead nowhere, and why.
OFFERS = [
    ("offer alone", "offer", "an offer that this protocol does not know"),
    ("an id alone", "offer\nid", "an offer that this protocol does not know"),
    ("no capability", "offer\nid\n127.0.0.1\n443", "an offer that this protocol does not know"),
    ("no host", "offer\nid\n\n443\ncapability", "an offer that this protocol does not know"),
    ("a port of words", "offer\nid\n127.0.0.1\nhttps\nx", "an offer that this protocol does not"),
    ("a port too large", "offer\nid\n127.0.0.1\n65536\nx", "an offer that this protocol does not"),
    ("another host", "offer\nid\nlocalhost\n443\nx", "rendezvous_hosts")]


class HostileExampleRelay(HostileRelayCase):
    def start_example(self, answer):
        return self.start_hostile(answer, read=read_message, alpn=ALPN)

    @staticmethod
    def says(data, end):
        """To a first message."""
        def answer(connection, _):
            connection.sendall(data)
            end(connection)
        return answer

    def check_line(self, line, wanted):
        super().check_line(line, wanted)
        self.assertIn(" source=relay ", line)

    # --- the sender -------------------------------------------------------------------------------
    def start_sender_with_neighbour(self):
        def tunnel(connection, _):
            connection.sendall(message("ok"))
            echo(connection)
        relay = self.start_example(tunnel)
        sender = self.start_sender(relay, *TRANSPORT)
        neighbour = connect(sender.port)
        self.addCleanup(neighbour.close)

        def check_neighbour():
            neighbour.sendall(b"alive?")
            self.assertEqual(neighbour.recv(6, socket.MSG_WAITALL), b"alive?")
        check_neighbour()
        return relay, sender, check_neighbour

    def test_the_sender_resets_its_app(self):
        relay, sender, check_neighbour = self.start_sender_with_neighbour()
        pattern = "no tunnel for a connection; it is reset"
        for count, (name, data, end, line) in enumerate(ANSWERS, 1):
            with self.subTest(name):
                relay.answer = self.says(data, end)
                self.check_reset(sender.port)
                self.check_line(sender.wait_for_line(pattern, count), line)
                self.assertEqual(len(sender.lines(pattern)), count)
                check_neighbour()

    def test_the_senders_app_has_what_came_before_a_tunnel_broke(self):
        relay, sender, check_neighbour = self.start_sender_with_neighbour()
        for count, (name, end) in enumerate([("FIN", fin), ("below TLS", below_tls)], 1):
            with self.subTest(name):
                relay.answer = self.says(message("ok") + b"first words", end)
                with connect(sender.port) as app:
                    self.assertEqual(app.recv(11, socket.MSG_WAITALL), b"first words")
                    with self.assertRaises(ConnectionResetError):
                        app.recv(1)
                line = sender.wait_for_line("tunnel ended", count)
                self.assertIn(" how=aborted by=relay ", line)
                self.assertEqual(len(sender.lines("tunnel ended")), count)
                check_neighbour()
        relay.answer = self.says(message("ok") + b"all of it", close_notify)
        with connect(sender.port) as app:
            app.shutdown(socket.SHUT_WR)
            self.assertEqual(receive_all(app), b"all of it")
        self.assertIn(" how=finished ", sender.wait_for_line("tunnel ended", 3))

    # --- the listener -----------------------------------------------------------------------------
    def forwarder(self, port):
        """For Hostile.before_tls: all bytes go to that port of a good relay, and back."""
        def copy(source, sink):
            try:
                while data := source.recv(65536):
                    sink.sendall(data)
                sink.shutdown(socket.SHUT_WR)
            except OSError:
                pass

        def forward(peer):
            with connect(port) as good:
                good.settimeout(None)
                back = threading.Thread(target=copy, args=(good, peer), daemon=True)
                back.start()
                copy(peer, good)
                back.join()
        return forward

    def check_listeners(self, rows, before, pattern):
        """A listener a row, all at once: one line for each visit, and each finds a good relay."""
        target = f"127.0.0.1:{self.serve(echo)}"
        running = []
        for name, data, end, line in rows:
            relay = self.start_example(self.says(before + data, end))
            listener = self.start_listener(relay, target, *TRANSPORT, online=False)
            running.append((name, line, relay, listener))
        good = self.start_relay("--limit", "listeners_per_entity=100", protocols=("example_relay",))
        for name, line, relay, listener in running:
            with self.subTest(name):
                self.check_line(listener.wait_for_line(pattern), line)
                listener.wait_for_line(pattern, count=2)
                relay.before_tls = self.forwarder(good.port)
                # The latest visit may have been counted already, or be without its line yet.
                self.assertIn(relay.visits - len(listener.lines(pattern)), (-1, 0, 1))
        good.wait_for_line("listener online", len(rows))
        port = self.start_sender(good, *TRANSPORT).port

        def each_has_served():
            with connect(port) as app:
                app.sendall(b"well?")
                self.assertEqual(app.recv(5, socket.MSG_WAITALL), b"well?")
            return all(listener.lines("tunnel ended") for *_, listener in running)
        wait_until(each_has_served, "a tunnel through every listener")

    def test_the_listener_tries_again(self):
        self.check_listeners(ANSWERS, b"", "cannot register at the relay; trying again")

    def test_the_listener_gives_up_a_channel(self):
        self.check_listeners(CHANNEL, message("ok"), "lost the relay; seeking it again")

    # --- the listener's offers --------------------------------------------------------------------
    def start_offering(self):
        """A relay whose one channel makes offers; `accept` says what happens with the accepts."""
        relay = self.start_example(None)
        relay.channel = None
        relay.saying = threading.Lock()
        online = threading.Event()

        def answer(connection, request):
            if request.startswith(b"listen\n"):
                connection.sendall(message("ok"))
                relay.channel = connection
                online.set()
                while word := read_message(connection):
                    if word == b"ping":  # unanswered it costs the channel, on a slow machine
                        self.say(relay, "pong")
            else:
                relay.heard.append(request)
                relay.accept(connection)
        relay.answer = answer
        self.target_saw = []

        def target(peer):
            data = b""
            try:
                while piece := peer.recv(65536):
                    data += piece
                self.target_saw.append((data, "end"))
            except ConnectionResetError:
                self.target_saw.append((data, "reset"))
        listener = self.start_listener(relay, f"127.0.0.1:{self.serve(target)}", *TRANSPORT)
        self.assertTrue(online.wait(60))
        return relay, listener

    @staticmethod
    def say(relay, text):
        """On its channel."""
        with relay.saying:
            relay.channel.sendall(message(text))

    def offer_itself(self, relay):
        self.say(relay, f"offer\nid\n127.0.0.1\n{relay.port}\ncapability")

    def test_an_offer_that_leads_nowhere_costs_the_channel_nothing(self):
        relay, listener = self.start_offering()
        pattern = "an offer came to nothing"
        for count, (name, said, line) in enumerate(OFFERS, 1):
            with self.subTest(name):
                self.say(relay, said)
                self.check_line(listener.wait_for_line(pattern, count), line)
        self.assertEqual(relay.heard, [])
        wait_until(lambda: len(self.target_saw) == len(OFFERS), "the targets' ends")
        self.assertEqual(self.target_saw, [(b"", "reset")] * len(OFFERS))
        self.assertEqual(relay.visits, 1, "the channel is the first one still")

    def test_an_accept_that_is_answered_badly_resets_the_target(self):
        relay, listener = self.start_offering()
        pattern = "an offer came to nothing"
        for count, (name, data, end, line) in enumerate(ANSWERS, 1):
            with self.subTest(name):
                # One that is reset is repeated; of any other failure the sender is told once, unless
                # the relay said itself that nobody may come.
                ends = [reset, close_notify] if end is reset else [end]
                accepts = [b"accept\ncapability"] * len(ends)

                def accept(connection):
                    connection.sendall(data)
                    (ends.pop(0) if len(ends) > 1 else ends[0])(connection)
                relay.accept = accept
                relay.heard.clear()
                self.offer_itself(relay)
                self.check_line(listener.wait_for_line(pattern, count), line)
                self.assertEqual(len(listener.lines(pattern)), count)
                wait_until(lambda: len(self.target_saw) == count, "the target's end")
                self.assertEqual(self.target_saw[-1], (b"", "reset"))
                self.assertEqual(relay.heard[:len(accepts)], accepts)
                for told in relay.heard[len(accepts):]:
                    self.assertTrue(told.startswith(b"reject\ncapability\n"), told)
                self.assertLessEqual(len(relay.heard), len(accepts) + 1)
        self.assertEqual(len(listener.lines("registered at the relay")), 1)
        for name, end in [("FIN", fin), ("below TLS", below_tls)]:
            with self.subTest(name):
                seen = len(self.target_saw)
                relay.accept = self.tears(end)
                self.offer_itself(relay)
                wait_until(lambda: len(self.target_saw) > seen, "the target's end")
                self.assertEqual(self.target_saw[-1], (b"first words", "reset"))
        listener.wait_for_line("tunnel ended .* how=aborted by=relay ", count=2)

    @staticmethod
    def tears(end):
        def accept(connection):
            connection.sendall(message("ok") + b"first words")
            end(connection)
        return accept

    # --- deadlines --------------------------------------------------------------------------------
    def test_a_relay_that_says_nothing(self):
        """Not before its deadline, and also when a byte comes now and then."""
        stop = threading.Event()
        self.addCleanup(stop.set)

        def drips(connection, _):
            connection.sendall(b"\x10\x00")
            while not stop.wait(1):
                connection.sendall(b"x")
        silent = self.start_example(lambda connection, _: read_away(connection))
        dripping = self.start_example(drips)
        no_tls = self.start_example(None)
        no_tls.before_tls = read_away
        no_pong = self.start_example(self.says(message("ok"), read_away))
        started = time.monotonic()
        rows = [(self.start_listener(relay, "127.0.0.1:1", *TRANSPORT, online=False), pattern, why)
                for relay, pattern, why in [
                    (silent, "cannot register", 'why="upgrade took longer than 10 s"'),
                    (dripping, "cannot register", 'why="upgrade took longer than 10 s"'),
                    (no_tls, "cannot register", 'why="tls took longer than 10 s"'),
                    (no_pong, "lost the relay", 'why="no pong within 10000 ms"')]]
        senders = [self.start_sender(relay, *TRANSPORT) for relay in (silent, dripping, no_tls)]
        apps = [connect(sender.port) for sender in senders]
        for listener, pattern, why in rows[:3]:
            self.check_line(listener.wait_for_line(pattern), why)
        self.assertGreater(time.monotonic() - started, 9)
        for app, sender, why in zip(apps, senders, ("upgrade took longer than 40 s",
                                                    "upgrade took longer than 40 s",
                                                    "tls took longer than 10 s")):
            with app:
                self.check_line(sender.wait_for_line("no tunnel for a connection"), why)
                with self.assertRaises(ConnectionResetError):
                    app.recv(1)
        self.assertGreater(time.monotonic() - started, 39)
        listener, pattern, why = rows[3]
        self.check_line(listener.wait_for_line(pattern, deadline_s=90), why)


if __name__ == "__main__":
    unittest.main()
