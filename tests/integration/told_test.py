"""What an operator is told while roles run: each mistake is in the log of whoever can mend it, with
what is wrong, whose it is and what to do. Mistakes that stop a start are operator_mistakes_test.py."""
import email.utils
import os
import re
import resource
import select
import ssl
import subprocess
import time
import unittest

from culvert_processes import (PEER_KEY, Certificates, connect, echo, free_port, receive_exactly,
                               wait_until)
from hostile_relay import HostileRelayCase
from raw_ends import LISTEN

KEY = f"listener-{PEER_KEY}"
QUICKLY = ("--limit", "reconnect_floor=10ms")


class Told(HostileRelayCase):
    def listener_with(self, relay, *, host="127.0.0.1", rule="listener", key=KEY, entity="app",
                      ca=None, target="127.0.0.1:1", more=()):
        string = (f"Endpoint=sb://{host}:{relay.port}/;SharedAccessKeyName={rule};"
                  f"SharedAccessKey={key};EntityPath={entity}")
        return self.start("listener", [
            self.culvert(), "listen", "--connection-string",
            "file:" + self.write_secret("told.connection", string), "--target", target, "--ca",
            ca or self.certificates.ca, *more])

    def test_who_is_refused_learns_why_and_when_it_tries_again(self):
        rows = [
            ({"key": "another"}, "check that the relay has rule 'listener' and that the key is its key",
             "token-signature .*the key of rule 'listener' differs"),
            ({"rule": "nobody"}, "check that the relay has rule 'nobody' and that the key is its key",
             "token-signature .*there is no rule 'nobody'"),
            ({"rule": "sender", "key": f"sender-{PEER_KEY}"}, "rule 'sender' has no right to listen",
             "token-right .*rule 'sender' has no right to listen"),
            ({"entity": "database"}, "the relay has no entity 'database'; check EntityPath",
             "path=database .*no-entity"),
            ({"host": "localhost"}, "the token is for localhost/app, and the relay has no such name",
             "the token is for http://localhost/app/, this relay is 127.0.0.1"),
        ]
        for changes, told, known in rows:
            with self.subTest(changes):
                relay = self.start_relay(names=("127.0.0.1",))  # it logs not each of many refusals
                listener = self.listener_with(relay, **changes)
                line = listener.wait_for_line("cannot register at the relay; trying again in ")
                self.assertIn(told, line)
                relay.wait_for_line(f"connection refused .*{known}")
                if "entity" not in changes:
                    seconds = float(re.search(r"trying again in (\d+\.\d) s", line).group(1))
                    self.assertGreaterEqual(seconds, 7.5, "no waiting mends it: the pace is slow")
                listener.kill()

    def test_a_sender_says_that_it_is_ready_when_the_relay_has_taken_its_token(self):
        met = []
        for transport, judged in (("transport_azure", True), ("example_relay", False)):
            relay = self.start_relay(protocols=(transport,))
            speaks = ("--transport", transport)
            listener = self.start_listener(relay, f"127.0.0.1:{self.serve(met.append)}", *speaks)
            ready = self.start_sender(relay, *speaks)
            self.assertIn(f"ready for apps on 127.0.0.1:{ready.port}: the relay takes this sender",
                          ready.wait_for_line("ready for apps"))
            self.assertEqual((met, listener.lines("tunnel|offer"), relay.lines("warn|tunnel")),
                             ([], [], []), "no listener was met, and nobody is alarmed")
            if judged:
                self.check_not_ready(relay)
            listener.kill()  # without a listener too
            self.start_sender(relay, *speaks).wait_for_line("ready for apps")

    def check_not_ready(self, relay):
        string = relay.connection_string("sender").replace(PEER_KEY, "another")
        refused = self.start("refused", [
            self.culvert(), "connect", "--connection-string",
            "file:" + self.write_secret("wrong.connection", string), "--bind", "127.0.0.1:0", "--ca",
            self.certificates.ca])
        line = refused.wait_for_line("not ready: the relay does not take this sender; trying again in")
        self.assertIn("check that the relay has rule 'sender' and that the key is its key", line)
        self.assertEqual(refused.terminate(), 0)
        self.assertEqual(refused.lines("ready for apps"), [])

    def test_a_sender_goes_on_trying_while_the_relay_is_down(self):
        port = free_port()
        absent = type("Absent", (), {"port": port, "connection_string": lambda _, rule, entity: (
            f"Endpoint=sb://127.0.0.1:{port}/;SharedAccessKeyName={rule};"
            f"SharedAccessKey={rule}-{PEER_KEY};EntityPath={entity}")})()
        sender = self.start_sender(absent)
        sender.wait_for_line("not ready: the relay cannot be reached; .*Connection refused", count=2)
        self.start_relay(bind=f"127.0.0.1:{port}")
        sender.wait_for_line("ready for apps")
        self.assertEqual(sender.terminate(), 0)

    def test_an_authority_that_is_not_trusted_is_mended_with_ca(self):
        relay = self.start_relay()
        other = os.path.join(self.folder, "other")
        os.mkdir(other)
        listener = self.listener_with(relay, ca=Certificates(other).ca)
        line = listener.wait_for_line("cannot register at the relay")
        self.assertIn("name that authority's certificate as ca (--ca)", line)
        self.assertEqual((line.count("--ca"), listener.lines("is set with")), (1, []))

    def test_a_certificate_that_nobody_else_signed_may_be_its_own_authority(self):
        with open(os.path.join(self.folder, "own.cnf"), "w", encoding="ascii") as file:
            file.write("[req]\ndistinguished_name = dn\nx509_extensions = own\n[dn]\n[own]\n"
                       "subjectAltName = IP:127.0.0.1\nbasicConstraints = critical,CA:FALSE\n")
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                        "ec_paramgen_curve:P-256", "-nodes", "-days", "30", "-subj", "/CN=relay",
                        "-config", "own.cnf", "-keyout", "relay.key", "-out", "relay.pem"],
                       cwd=self.folder, check=True, capture_output=True)
        relay = self.start_relay()
        self.listener_with(relay, ca=self.certificates.certificate).wait_for_line(
            "registered at the relay")

    def test_a_relay_that_is_not_there_is_told_once_and_then_at_a_falling_rate(self):
        port = free_port()
        absent = type("Absent", (), {"port": port})()
        listener = self.listener_with(absent, more=QUICKLY)
        line = listener.wait_for_line("cannot register .* failures=8$")
        self.assertIn(f'why="connect to 127.0.0.1:{port}: Connection refused; nobody listens there: check '
                      'host and port, and whether the relay runs"', line)
        told = [int(line.rsplit("failures=", 1)[1]) for line in listener.lines(" warn cannot register")]
        self.assertEqual(told, [1, 2, 4, 8])

    def test_a_certificate_that_is_too_old_or_for_another_name_is_told_with_its_remedy(self):
        rows = [({"names": ("relay.example",)},
                 "IP address mismatch .it is for 'relay.example'.; connect to one of its names, or have the "
                 "name that is dialled put into it"),
                ({"expired": True},
                 "certificate has expired .*; renew it there, or set this machine's clock right")]
        for number, (changes, words) in enumerate(rows):
            with self.subTest(changes):
                folder = os.path.join(self.folder, str(number))
                os.mkdir(folder)
                self.certificates = Certificates(folder, **changes)
                listener = self.listener_with(self.start_hostile(None), more=QUICKLY)
                self.assertRegex(listener.wait_for_line("cannot register .* failures=8$"), words)
                self.assertLess(len(listener.lines("cannot register")), 8)
                listener.kill()

    def test_a_web_server_is_no_relay(self):
        relay = self.start_hostile(
            lambda connection, _: connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"))
        check = "; no Azure Relay is there: check the Endpoint's host and port"
        line = self.listener_with(relay).wait_for_line("cannot register at the relay")
        self.assertIn("answered 200: OK" + check, line)
        relay.answer = lambda connection, _: connection.sendall(
            b"HTTP/1.1 404 File not found\r\nContent-Length: 0\r\n\r\n")
        line = self.listener_with(relay).wait_for_line("cannot register at the relay")
        self.assertIn("answered 404: File not found" + check, line)

    def test_a_server_without_tls_is_no_relay(self):
        relay = self.start_hostile(None)

        def answer(peer):
            peer.recv(65536)
            peer.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        relay.before_tls = answer
        line = self.listener_with(relay).wait_for_line("cannot register at the relay")
        self.assertIn(f"no TLS is spoken at 127.0.0.1:{relay.port}: check the port", line)

    def test_a_clock_that_is_off_is_told_by_how_much(self):
        for ahead_s, words in [(3 * 3600 + 30, "3 h 0 min behind"), (-1230, "20 min ahead of")]:
            date = email.utils.formatdate(time.time() + ahead_s, usegmt=True)
            answer = ("HTTP/1.1 401 ExpiredToken: The token is expired.\r\nContent-Length: 0\r\n"
                      f"Date: {date}\r\n\r\n").encode()
            relay = self.start_hostile(lambda connection, _, said=answer: connection.sendall(said))
            line = self.listener_with(relay).wait_for_line("cannot register at the relay")
            self.assertIn(f"this machine's clock is {words} the relay's; set it right", line)

    def test_our_relay_says_its_time_to_whom_it_refuses(self):
        relay = self.start_relay()
        listener = self.listener_with(relay, key="another")
        listener.wait_for_line("cannot register")
        head = self.refused_head(relay)
        said = email.utils.parsedate_to_datetime(re.search(r"\r\nDate: (.*)\r\n", head).group(1))
        self.assertLess(abs(said.timestamp() - time.time()), 60)

    def refused_head(self, relay):

        context = ssl.create_default_context(cafile=self.certificates.ca)
        with context.wrap_socket(connect(relay.port), server_hostname="127.0.0.1") as peer:
            peer.sendall(f"GET {LISTEN} HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\n"
                         "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                         "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n".encode())
            return peer.recv(65536).decode()

    def test_a_public_address_that_leads_nowhere_is_named_by_the_listener(self):
        nowhere = free_port()
        relay = self.start_relay("--public-address", f"127.0.0.1:{nowhere}")
        listener = self.start_listener(relay, f"127.0.0.1:{self.serve(echo)}")
        sender = self.start_sender(relay)
        with connect(sender.port):
            line = listener.wait_for_line("an offer came to nothing")
        self.assertIn(f"the relay sends its listeners to 127.0.0.1:{nowhere}: if it is not reached "
                      "there, correct the relay's public address", line)

    def test_a_target_that_is_down_is_named_by_listener_and_relay(self):
        relay = self.start_relay()
        listener = self.start_listener(relay, "127.0.0.1:1")
        sender = self.start_sender(relay)
        self.check_reset(sender.port)
        self.assertIn("source=target why=\"target 127.0.0.1:1: ",
                      listener.wait_for_line("cannot connect to the target for a sender"))
        self.assertIn("target 127.0.0.1:1: ", relay.wait_for_line("listener refused a sender"))

    def test_a_limit_of_open_files_is_not_the_relays_fault(self):
        relay = self.start_relay()
        sender = self.start_sender(relay)
        highest = max(int(number) for number in os.listdir(f"/proc/{sender.pid}/fd"))
        room = highest + 1 - sender.descriptors()  # numbers below that are free
        resource.prlimit(sender.pid, resource.RLIMIT_NOFILE, (highest + 2 - room,) * 2)
        self.check_reset(sender.port)
        line = sender.wait_for_line("no tunnel for a connection")
        self.assertIn("source=local", line)
        self.assertIn("ulimit -n", line)

    def test_a_relay_without_descriptors_says_so_keeps_its_tunnels_and_serves_again(self):
        relay = self.start_relay(prefix=("sh", "-c", 'ulimit -n 40; exec "$0" "$@"'))
        self.start_listener(relay, f"127.0.0.1:{self.serve(echo)}")
        sender = self.start_sender(relay)
        served = []
        told = "no connection can be accepted"
        while True:  # until one waits
            app = connect(sender.port)
            self.addCleanup(app.close)
            app.sendall(b"hello")
            wait_until(lambda: select.select([app], [], [], 0)[0] or relay.lines(told), "an echo, or no room")
            if not select.select([app], [], [], 0)[0]:
                break
            self.assertEqual(receive_exactly(app, 5), b"hello")
            served.append(app)
        self.assertIn("Too many open files; raise this process's limit of open files (ulimit -n)",
                      relay.wait_for_line(told))
        self.assertGreater(len(served), 2)
        for each in served:
            each.sendall(b"still")
            self.assertEqual(receive_exactly(each, 5), b"still")
        served[1].close()
        self.assertEqual(receive_exactly(app, 5), b"hello")


if __name__ == "__main__":
    unittest.main()
