"""Malformed input at a relay: bytes in, bytes out, one log line, and a neighbour unharmed.

A real relay process with one tunnel through it that must live through everything. Rows run side by
side: a row's log line is found by the port that it came from.
"""
import struct
import time
import unittest
import urllib.parse
import uuid

from culvert_processes import connect
from hostile_bytes import BAD_FRAMES, for_each_row, frame, head, read_head, rest, token
from raw_ends import NeighbourCase

CONNECT = "/$hc/app?sb-hc-action=connect&sb-hc-id="
CLIENT_HELLO_1_0 = bytes.fromhex("160301002f0100002b0301") + b"r" * 32 + bytes.fromhex(
    "00" "0004" "002fc013" "0100")


class HostileNetwork(NeighbourCase):
    def check_head(self, name, data, beginning, line, alpn=None):
        """All that comes back begins so, and the line of this peer holds `line`."""
        with self.dial(alpn) as connection:
            port = connection.getsockname()[1]
            connection.sendall(data)
            got = rest(connection)
        self.assertEqual(got[:len(beginning)], beginning)
        self.assertLess(len(got), 1024)
        self.check_line(f" peer=127.0.0.1:{port} ", line)

    def check_token(self, name, text, answer, line, path="/$hc/app?sb-hc-action=listen", host=None):
        data = head(path, text, **({"Host": host} if host else {}))
        self.check_head(name, data, f"HTTP/1.1 {answer}".encode(), line)

    def test_tokens_that_must_be_refused(self):
        relay = self.relay
        good = token(relay)
        missing = ("401 MissingToken: ", "code=token-missing")
        malformed = ("401 TokenMissingOrInvalid: Malformed token: ", "code=token-malformed")
        signature = ("401 The token has an invalid signature. ", "code=token-signature")
        audience = ("401 InvalidAudience: ", "code=token-audience")
        stranger = token(relay, host="other.example")
        rows = [
            ("none", None, *missing), ("empty", "", *missing),
            ("wrong key", token(relay, key="other"), *signature),
            ("no key", token(relay, key=""), *signature),
            ("unknown rule", token(relay, rule="nobody"), *signature),
            ("sig that is too long", good.replace("sig=", "sig=AAAA"), *malformed),
            ("wrong path", token(relay, path="other"), *audience),
            ("sibling with a common prefix", token(relay, path="ap"), *audience),
            ("sibling that is longer", token(relay, path="app2"), *audience),
            ("another relay", stranger, *audience),
            ("another relay that the Host header claims", stranger, *audience,
             "/$hc/app?sb-hc-action=listen", "other.example"),
            ("another relay with ours as its suffix", token(relay, host="x127.0.0.1"), *audience),
            ("expired by a second more than the grace", token(relay, expires_s=-301),
             "401 ExpiredToken: ", "code=token-expired"),
            ("a sender's right", token(relay, rule="sender"),
             "403 Authorization failed for specified action: Listen", "code=token-right"),
            ("a listener's right", good, "403 Authorization failed for specified action: Send",
             "code=token-right", "/$hc/app?sb-hc-action=connect"),
            ("wrong scheme", good.replace("SharedAccessSignature", "Bearer"), *malformed),
            ("no scheme", good.replace("SharedAccessSignature ", ""), *malformed),
            ("scheme alone", "SharedAccessSignature", *malformed),
            ("overlong", good.replace("sr=", "sr=" + "y" * 20_000), *malformed),
            ("white space inside", good.replace("&se", " &se"), *malformed),
            ("a field twice", good + "&sr=x", *malformed),
            ("another field", good + "&x=y", *malformed),
            ("a field without a value", good + "&se", *malformed),
            *[(f"no {name}", token(relay, **{name: None}), *malformed)
              for name in ("sr", "sig", "se", "skn")],
            *[(f"empty {name}", token(relay, **{name: ""}), *malformed)
              for name in ("sr", "sig", "se", "skn")],
            ("se in words", token(relay, se="tomorrow"), *malformed),
            ("se negative", token(relay, se="-1"), *malformed),
            ("se too large", token(relay, se="9" * 30), *malformed),
            ("se of another token", token(relay, se="4102444800"), *signature),
            ("sig that is no digest", token(relay, sig="abc"), *malformed),
            ("sig with a bad escape", token(relay, sig="%zz" + "A" * 40), *malformed),
            ("skn with a bad escape", token(relay, skn="%2"), *malformed),
            ("sr with a bad escape", token(relay, sr="http%3a%2f%2f%zz"), *malformed),
            ("sr that is no address", token(relay, sr="app"), *malformed),
            ("unknown entity, bad token", token(relay, key="x", path="none"), *signature,
             "/$hc/none?sb-hc-action=listen"),
            ("unknown entity", token(relay, path="none"), "404 Endpoint does not exist",
             "code=no-entity", "/$hc/none?sb-hc-action=listen")]
        for_each_row(self, rows, self.check_token)
        with self.dial() as connection:
            connection.sendall(head(token_text=token(relay, expires_s=-290)))
            self.assertTrue(read_head(connection).startswith(b"HTTP/1.1 101 "), "within the grace")
        self.assertNotIn("sig=", relay.log())

    def check_query(self, name, action, query, header, beginning):
        with self.dial() as connection:
            connection.sendall(head(f"/$hc/app?x=1&sb-hc-token={query}&sb-hc-action={action}", header))
            self.assertEqual(read_head(connection)[:len(beginning)], beginning)

    def test_a_token_in_the_query(self):
        taken, refused = b"HTTP/1.1 101 ", b"HTTP/1.1 401 "
        signature, malformed = refused + b"The token has an invalid ", refused + b"TokenMissingOr"
        rows = []
        for action, rule in (("listen", "listener"), ("connect", "sender")):
            good, bad = token(self.relay, rule=rule), token(self.relay, rule=rule, key="other")
            form, percent = urllib.parse.quote_plus, urllib.parse.quote
            rows += [
                (f"{action}, form-encoded", action, form(good), None, taken),
                (f"{action}, percent-encoded", action, percent(good, safe=""), None, taken),
                (f"{action}, raw but for the blank", action, good.replace(" ", "%20"), None,
                 malformed),
                (f"{action}, wrong key, form-encoded", action, form(bad), None, signature),
                (f"{action}, wrong key, percent-encoded", action, percent(bad, safe=""), None,
                 signature),
                (f"{action}, empty", action, "", None, refused + b"MissingToken: "),
                (f"{action}, wrong beside a good header", action, form(bad), good, taken),
                (f"{action}, good beside a wrong header", action, form(good), bad, signature)]
        for_each_row(self, rows, self.check_query)
        self.check_neighbour()
        self.assertNotIn("sig=", self.relay.log())

    def check_path(self, name, target, header, logged):
        with self.dial() as connection:
            port = connection.getsockname()[1]
            connection.sendall(head(target, header))
            rest(connection)
        self.check_line(f" peer=127.0.0.1:{port} ", f" path={logged} ")

    def test_a_token_in_the_path_or_the_query_is_in_no_line(self):
        self.relay = self.start_relay(log_level="trace")
        header = token(self.relay)[:-20]
        sends = token(self.relay, rule="sender")  # nobody listens: 404
        for good in (token(self.relay), sends):
            raw = good.replace(" ", "%20")
            encoded = urllib.parse.quote(good, safe="")
            form = urllib.parse.quote_plus(good)
            for_each_row(self, [
                (f"{prefix}, {action}, {text[:30]}", f"{prefix}{text}?sb-hc-action={action}",
                 header, logged)
                for prefix, logged in (("/$hc/", "SharedAccessSignature..."), ("/$hc/app/", "app"),
                                       ("/", "SharedAccessSignature..."))
                for action in ("listen", "connect", "accept", "request", "x")
                for text in (raw, encoded)], self.check_path)
            for_each_row(self, [
                (f"{action}, {name}, {text[:30]}", f"/$hc/app?{name}={text}&sb-hc-action={action}",
                 None, "app")
                for name in ("sb-hc-token", "sbc-hc-token", "token")
                for action in ("connect", "accept", "request", "x")
                for text in (raw, encoded, form, encoded + "x")], self.check_path)
        self.assertNotRegex(self.relay.log(), "s[ri]g?[=%]|http%")

    def test_heads(self):
        good = token(self.relay)

        def listen(**changes):
            return head(token_text=good, **changes)
        socket_only = b"HTTP/1.1 400 This endpoint is only for web-socket requests."
        version_13 = b"HTTP/1.1 426 Upgrade Required\r\nSec-WebSocket-Version: 13\r\n"
        reject = "/$hc/app?sb-hc-action=accept&sb-hc-capability=00&sb-hc-statusCode="
        host = b"Host: 127.0.0.1\r\n"
        refused = "connection refused"
        bad = (b"HTTP/1.1 400 ", refused)
        for_each_row(self, [
            ("not HTTP", b"hello\r\n\r\n", *bad),
            ("zeros", b"\0" * 100, *bad),
            ("no version", b"GET /\r\n\r\n", *bad),
            ("HTTP/0.9", b"GET / HTTP/0.9\r\n" + host + b"\r\n", b"HTTP/1.1 505 ", refused),
            ("HTTP/2's preface", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", b"HTTP/1.1 505 ", refused),
            ("line without a colon", b"GET / HTTP/1.1\r\nno colon\r\n\r\n", *bad),
            ("a blank in a name", b"GET / HTTP/1.1\r\nHo st: x\r\n\r\n", *bad),
            ("folded line", b"GET / HTTP/1.1\r\nA: b\r\n c\r\n\r\n", *bad),
            ("zero in a value", b"GET / HTTP/1.1\r\nA: \0\r\n\r\n", *bad),
            ("bare CR", b"GET / HTTP/1.1\r\nA: b\rc\r\n\r\n", *bad),
            ("body of two kinds", b"POST / HTTP/1.1\r\n" + host + b"Content-Length: 3\r\n"
             b"Transfer-Encoding: chunked\r\n\r\n", *bad),
            ("body of two lengths", b"POST / HTTP/1.1\r\n" + host + b"Content-Length: 3\r\n"
             b"Content-Length: 4\r\n\r\n", *bad),
            ("body of no length", b"POST / HTTP/1.1\r\n" + host + b"Content-Length: x\r\n\r\n",
             *bad),
            ("oversize", b"GET / HTTP/1.1\r\nA: " + b"x" * 50_000 + b"\r\n\r\n",
             b"HTTP/1.1 431 ", "code=too-large"),
            ("no Upgrade", listen(drop=("Upgrade",)), socket_only, refused),
            ("another Upgrade", listen(Upgrade="h2c"), socket_only, refused),
            ("no Connection", listen(drop=("Connection",)), socket_only, refused),
            ("version 8", listen(Sec_WebSocket_Version="8"), version_13, refused),
            ("no version field", listen(drop=("Sec-WebSocket-Version",)), version_13, refused),
            ("no key", listen(drop=("Sec-WebSocket-Key",)), socket_only, refused),
            ("short key", listen(Sec_WebSocket_Key="abc"), socket_only, refused),
            ("key that is not base64", listen(Sec_WebSocket_Key="!" * 22 + "=="), *bad),
            ("unknown action", head("/$hc/app?sb-hc-action=x", good),
             b"HTTP/1.1 400 The value of sb-hc-action is unknown", refused),
            ("escape cut short", head("/$hc/app%2?sb-hc-action=listen", good), *bad),
            ("zero in the path", head("/$hc/app%00?sb-hc-action=listen", good), *bad),
            ("accept of nothing", head("/$hc/app?sb-hc-action=accept"), *bad),
            ("forged capability", head("/$hc/app?sb-hc-action=accept&sb-hc-capability=" + "0" * 32),
             b"HTTP/1.1 403 ", "code=gone"),
            ("reject of a forged one", head(reject + "404"), b"HTTP/1.1 403 ", "code=gone"),
            *[(f"reject with {code}", head(reject + code), b"HTTP/1.1 400 sb-hc-statusCode",
               refused) for code in ("99", "1000", "abc", "-40")],
            ("request", head("/$hc/app?sb-hc-action=request"), b"HTTP/1.1 501 ", refused),
            ("HTTP mode", b"POST /app HTTP/1.1\r\n" + host + b"Content-Length: 0\r\n\r\n",
             b"HTTP/1.1 501 HTTP requests are not supported", refused),
            ("management", b"GET /app HTTP/1.1\r\n" + host + b"X-PROCESS-AT: ServiceBus\r\n\r\n",
             b"HTTP/1.1 501 Management requests are not supported", refused),
        ], self.check_head)

    def test_first_messages(self):
        for_each_row(self, [
            (name, struct.pack(">H", size or len(said)) + said, b"\0" + answer, line,
             "culvert-example/1") for name, size, said, answer, line in [
                ("no words", 0, b"hello", b"\x46no 7 2 a connection began", "code=protocol"),
                ("no path", 0, b"listen\n\nx\nh\nt", b"\x46no 7 2 ", "code=protocol"),
                ("no token", 0, b"listen\napp\nx\n127.0.0.1", b"", "code=token-missing"),
                ("bad token", 0, b"dial\napp\nx\n127.0.0.1\nt", b"", "code=token-malformed"),
                ("forged capability", 0, b"accept\n00", b"", "code=gone"),
                ("reject of a forged one", 0, b"reject\n00\nwhy", b"", "code=gone"),
                ("empty", 0, b"", b"", "the first message is empty"),
                ("overlong", 65535, b"x" * 100, b"", "code=too-large")]], self.check_head)

    def check_close(self, connection, data, code):
        """After these bytes the last thing said is a Close with this code."""
        try:
            connection.sendall(data)
        except OSError:
            pass  # it was closed in the middle of the message
        got = rest(connection)
        closing = got[got.find(b"\x88"):]
        self.assertEqual(closing[:1], b"\x88", got)
        self.assertEqual(closing[1], len(closing) - 2, got)
        self.assertEqual(struct.unpack(">H", closing[2:4])[0], code, got)

    def check_channel_frame(self, name, data, code, line='why="WebSocket: '):
        with self.dial() as connection:
            port = connection.getsockname()[1]
            connection.sendall(head("/$hc/other?sb-hc-action=listen",
                                    token(self.relay, path="other")))
            self.assertTrue(read_head(connection).startswith(b"HTTP/1.1 101 "))
            self.check_close(connection, data, code)
        self.check_line(f"listener offline.* peer=127.0.0.1:{port} ", line)

    def test_frames_on_a_control_channel(self):
        told = 'why="The control message is not a JSON object."'
        for_each_row(self, [
            *BAD_FRAMES,
            ("message over the limit", b"\x81\xff" + struct.pack(">Q", 1 << 20) + b"\0\0\0\0"
             + b"x" * (1 << 20), 1009, 'why="a message on its channel is larger than 65536'),
            ("malformed JSON", frame(0x81, b"{"), 1008, told),
            ("JSON that is no object", frame(0x81, b"[]"), 1008, told),
            ("renewal without a token", frame(0x81, b'{"renewToken":{}}'), 1008,
             'why="The renewToken message has no token."'),
            ("JSON before a bad frame", frame(0x81, b"{") + frame(0x83), 1008, told),
            ("empty message", frame(0x81), 1008, told)], self.check_channel_frame)

    def check_data_frame(self, name, data, code):
        name = str(uuid.uuid4())
        with self.dial() as connection:
            connection.sendall(head(CONNECT + name, token(self.relay, rule="sender")))
            self.assertTrue(read_head(connection).startswith(b"HTTP/1.1 101 "))
            self.check_close(connection, data, code)
        self.check_line(f"tunnel ended.* sender={name}", "how=aborted")

    def test_frames_on_a_data_connection(self):
        for_each_row(self, BAD_FRAMES, self.check_data_frame)

    def check_no_tls(self, name, data, beginning, line):
        with connect(self.relay.port) as connection:
            port = connection.getsockname()[1]
            connection.sendall(data)
            self.assertEqual(rest(connection)[:len(beginning)], beginning)
        self.check_line(f" peer=127.0.0.1:{port} ", line)

    def test_what_is_no_tls(self):
        failed = "TLS with a client failed: "
        for_each_row(self, [
            ("HTTP", b"GET / HTTP/1.1\r\n\r\n", b"", failed + "http request"),
            ("words", b"hello, is this a relay?", b"", failed),
            ("a record that is no hello", b"\x16\x03\x01\0\5hello", b"\x15\x03", failed),
            ("data before a handshake", b"\x17\x03\x03\0\5hello", b"\x15\x03", failed),
            ("an overlong record", b"\x16\x03\x01\xff\xff" + b"x" * 100, b"\x15\x03", failed),
            ("TLS 1.0", CLIENT_HELLO_1_0, b"\x15\x03\x01\0\2\2\x46", failed)], self.check_no_tls)

    def check_silence(self, name, tls, said, beginning, line):
        with self.dial() if tls else connect(self.relay.port) as connection:
            port = connection.getsockname()[1]
            connection.sendall(said)
            got = rest(connection)
        self.assertEqual(got[:len(beginning)], beginning)
        self.check_line(f" peer=127.0.0.1:{port} ", line)

    def test_who_says_nothing(self):
        started = time.monotonic()
        for_each_row(self, [
            ("nothing", False, b"", b"", "ended before its head"),
            ("one byte", False, b"\x16", b"", "ended before its head"),
            ("a hello cut short", False, b"\x16\x03\x01\2\0\1\0", b"", "ended before its head"),
            ("no head", True, b"", b"", "ended before its head"),
            ("a head cut short", True, b"GET /$hc/app HTTP/1.1\r\nHost: ", b"HTTP/1.1 408 ",
             "code=timeout")], self.check_silence)
        self.assertGreater(time.monotonic() - started, 9)  # not before its deadline

    def test_who_leaves_inside_a_head(self):
        with self.dial() as connection:
            port = connection.getsockname()[1]
            connection.sendall(b"GET /$hc/app HTTP/1.1\r\nHost: ")
        self.check_line(f" peer=127.0.0.1:{port} ", "connection refused")


if __name__ == "__main__":
    unittest.main()
