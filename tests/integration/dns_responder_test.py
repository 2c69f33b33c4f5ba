"""The DNS responder, alone (`culvert dns`) and in `culvert up`: what it answers itself, what it hands to
a real name server (Knot), and what it does about servers that are dead, slow, lying or itself."""
import os
import re
import signal
import socket
import subprocess
import threading
import unittest

from culvert_processes import connect, echo, quiet_port, receive_all, wait_until
from dns_server import MANY, Counter, Knot
from up_test import ConfigCase

DB = "127.184.121.144"  # of db.internal, on every machine
SOA = "culvert.invalid. nobody.invalid. 1 3600 600 86400 5"


class Answer:
    """What kdig prints: `records` are "name ttl type value"."""

    def __init__(self, text):
        self.status = re.search(r"status: (\w+)", text)
        self.status = self.status and self.status.group(1)
        self.truncated = " tc" in text.split("Flags:")[-1].split(";")[0]
        self.records = [" ".join(line.split()).replace(" IN ", " ")
                        for line in text.splitlines() if line and not line.startswith(";")]


class Upstream:
    """A name server made by hand: `answer(packet)` gives the datagrams that it sends."""

    def __init__(self, answer):
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        self.questions = 0
        self.answer = answer
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        with self.socket:
            while True:
                packet, peer = self.socket.recvfrom(4096)
                if not packet:
                    return
                self.questions += 1
                for datagram in self.answer(packet):
                    self.socket.sendto(datagram, peer)

    def close(self):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as last:
            last.sendto(b"", ("127.0.0.1", self.port))


def answered(packet, *addresses):
    """The packet as an answer with these A records."""
    question = packet[12:packet.index(b"\0", 12) + 5]
    return (packet[:2] + b"\x81\x80\0\1" + len(addresses).to_bytes(2, "big") + b"\0\0\0\0" + question
            + b"".join(b"\xc0\x0c\0\1\0\1\0\0\0\x3c\0\4" + socket.inet_aton(each) for each in addresses))


class DnsCase(ConfigCase):
    def setUp(self):
        super().setUp()
        self.dns_port = quiet_port()

    def dns_part(self, *upstreams, more=""):
        listed = ", ".join(f'"{each}"' for each in upstreams)
        return (f'[dns]\nbind = ["127.0.0.1:{self.dns_port}"]\n'
                + (f"upstreams = [{listed}]\n" if upstreams else "") + more)

    def db_sender(self, port=None):
        return (f'[[sender]]\nname = "db"\nendpoint = "db.internal:{port or self.app_port}"\n'
                f'ca = "ca.pem"\nconnection_string = "{self.connection("sender")}"\n')

    def start_dns(self, *upstreams, more=""):
        path = self.write_config(self.dns_part(*upstreams, more=more), self.db_sender())
        process = self.start("dns", [self.culvert(), "dns", "--config", path])
        process.wait_for_line("answering DNS queries on")
        return process

    def upstream(self, answer):
        made = Upstream(answer)
        self.addCleanup(made.close)
        return made

    def ask(self, name, kind="A", *flags):
        done = subprocess.run(["kdig", "@127.0.0.1", "-p", str(self.dns_port), name, kind, "+time=20",
                               "+retry=0", *flags], capture_output=True, text=True, timeout=60, check=False)
        return Answer(done.stdout)

    def records(self, *words):
        answer = self.ask(*words)
        self.assertEqual(answer.status, "NOERROR", words)
        return answer.records


@unittest.skipUnless(Knot.installed(), "knot is not installed")
class WithKnot(DnsCase):
    def setUp(self):
        super().setUp()
        self.knot = Knot(self.folder)
        self.knot.start()
        self.addCleanup(self.knot.kill)

    def knot_address(self):
        return f"127.0.0.1:{self.knot.port}"

    def test_a_redirected_name_has_its_address_and_nothing_else(self):
        self.start_dns(self.knot_address())
        for way in ((), ("+tcp",)):
            self.assertEqual(self.records("db.internal", "A", *way), [f"db.internal. 5 A {DB}"])
            self.assertEqual(self.records("DB.Internal.", "A", *way), [f"db.internal. 5 A {DB}"])
            for kind in ("AAAA", "TYPE65", "TYPE64", "SRV", "MX"):
                self.assertEqual(self.records("db.internal", kind, *way), [f"db.internal. 5 SOA {SOA}"])
            reverse = ".".join(reversed(DB.split("."))) + ".in-addr.arpa."
            self.assertEqual(self.records(reverse, "PTR", *way), [f"{reverse} 5 PTR db.internal."])

    def test_all_else_is_what_the_name_server_says(self):
        self.start_dns(self.knot_address())
        self.assertEqual(self.records("four.test"), ["four.test. 3600 A 192.0.2.4"])
        self.assertEqual([line.split()[2] for line in self.records("chain.test")], ["CNAME", "CNAME", "A"])
        self.assertEqual(self.ask("absent.test").status, "NXDOMAIN")
        self.assertEqual(self.ask("elsewhere.example").status, "REFUSED")
        self.assertEqual(self.records("none.test", "TXT"), ['none.test. 3600 TXT "no address"'])

    def test_large_answers_are_cut_over_udp_and_whole_over_tcp(self):
        self.start_dns(self.knot_address())
        cut = self.ask("many.test", "A", "+noedns", "+ignore")
        self.assertTrue(cut.truncated)
        self.assertEqual(len(self.records("many.test", "A", "+noedns")), MANY)  # kdig asks again, over TCP

    def test_dead_and_silent_name_servers_are_passed_over(self):
        silent = self.upstream(lambda packet: [])
        self.start_dns(f"127.0.0.1:{quiet_port()}", f"127.0.0.1:{silent.port}", self.knot_address())
        self.assertEqual(self.records("four.test"), ["four.test. 3600 A 192.0.2.4"])
        asked = silent.questions
        self.assertGreaterEqual(asked, 1)
        for _ in range(5):
            self.assertEqual(self.records("four.test"), ["four.test. 3600 A 192.0.2.4"])
        self.assertEqual(silent.questions, asked, "one that is silent comes last")
        self.assertEqual(self.records("many.test", "A", "+tcp")[0].split()[2], "A")

    def test_a_server_that_dies_and_comes_back(self):
        self.start_dns(self.knot_address())
        self.assertEqual(self.records("four.test"), ["four.test. 3600 A 192.0.2.4"])
        self.knot.kill()
        self.assertEqual(self.ask("four.test").status, "SERVFAIL")
        self.assertEqual(self.records("db.internal"), [f"db.internal. 5 A {DB}"])
        self.knot.start()
        self.assertEqual(self.records("four.test"), ["four.test. 3600 A 192.0.2.4"])

    def test_names_come_and_go_with_a_reload_of_up(self):
        target = self.serve(echo)
        parts = [self.dns_part(self.knot_address(), more='ttl = "0s"\n'), self.relay_part(),
                 self.listener_part(target)]
        process = self.up(*parts, self.db_sender())
        process.wait_for_line("registered at the relay")
        process.wait_for_line("ready for apps")
        self.assertEqual(self.records("db.internal"), [f"db.internal. 0 A {DB}"])
        with connect(self.app_port, DB) as app:
            app.sendall(b"by name")
            app.shutdown(socket.SHUT_WR)
            self.assertEqual(receive_all(app), b"by name")
        self.write_config(*parts, self.db_sender().replace("db.internal", "web.internal"))
        process.signal(signal.SIGHUP)
        process.wait_for_line("reloaded")
        self.assertEqual(self.records("web.internal"), ["web.internal. 0 A 127.217.251.170"])
        self.assertEqual(self.ask("db.internal").status, "REFUSED", "of Knot")
        self.write_config(*parts, self.db_sender(), self.dns_part().replace("[dns]", "").replace("bind", "#"))
        self.assertEqual(process.terminate(), 0)


class Alone(DnsCase):
    def test_only_an_answer_to_the_query_is_one(self):
        def lies(packet):
            other = bytes([packet[0] ^ 1]) + packet[1:]
            wrong_name = answered(packet.replace(b"good", b"evil"), "192.0.2.66")
            return [b"", packet, answered(other, "192.0.2.66"), wrong_name, answered(packet, "192.0.2.77")[:20], answered(packet, "192.0.2.77")]
        self.start_dns(f"127.0.0.1:{self.upstream(lies).port}")
        self.assertEqual(self.records("good.example"), ["good.example. 60 A 192.0.2.77"])

    def test_a_large_answer_is_whole_for_a_client_that_takes_it(self):
        addresses = [f"192.0.2.{number}" for number in range(200)]
        large = self.upstream(lambda packet: [answered(packet, *addresses)])
        self.start_dns(f"127.0.0.1:{large.port}")
        self.assertEqual(len(self.records("large.example", "A", "+bufsize=4096", "+ignore")), 200)

    def test_a_larger_answer_than_the_client_takes_is_cut_and_says_so(self):
        addresses = [f"192.0.2.{number}" for number in range(200)]
        large = self.upstream(lambda packet: [answered(packet, *addresses)])
        self.start_dns(f"127.0.0.1:{large.port}")
        cut = self.ask("large.example", "A", "+noedns", "+ignore")
        self.assertEqual((cut.status, cut.truncated, cut.records), ("NOERROR", True, []))

    def test_an_upstream_that_fails_is_not_the_last_word(self):
        refuses = self.upstream(lambda packet: [packet[:2] + b"\x81\x85" + packet[4:]])
        knows = self.upstream(lambda packet: [answered(packet, "192.0.2.77")])
        self.start_dns(f"127.0.0.1:{refuses.port}", f"127.0.0.1:{knows.port}")
        self.assertEqual(self.records("some.example"), ["some.example. 60 A 192.0.2.77"])
        self.assertGreaterEqual(refuses.questions, 1)

    def test_an_upstream_that_is_the_responder_is_left_out(self):
        process = self.start_dns(f"127.0.0.1:{self.dns_port}")
        line = process.wait_for_line("leads back to this responder")
        self.assertIn(f"upstream=127.0.0.1:{self.dns_port}", line)
        self.assertEqual(self.ask("some.example").status, "SERVFAIL")
        self.assertEqual(self.records("db.internal"), [f"db.internal. 5 A {DB}"])

    def test_an_upstream_that_asks_the_responder_is_left_out(self):
        echoes = Counter(self.dns_port)
        self.addCleanup(echoes.close)
        process = self.start_dns(f"127.0.0.1:{echoes.port}")
        process.wait_for_line("leads back to this responder")
        self.assertEqual(self.ask("some.example").status, "SERVFAIL")

    def test_a_flood_has_bounds_and_redirected_names_do_not_wait(self):
        silent = self.upstream(lambda packet: [])
        process = self.start_dns(f"127.0.0.1:{silent.port}")
        before = process.descriptors()
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as flood:
            flood.connect(("127.0.0.1", self.dns_port))
            for number in range(3000):
                flood.send(number.to_bytes(2, "big") + b"\1\0\0\1\0\0\0\0\0\0\5flood\7example\0\0\1\0\1")
            flood.settimeout(30)
            self.assertEqual(flood.recv(512)[3] & 15, 2, "SERVFAIL for what is too many")
            self.assertLessEqual(process.descriptors(), before + 512)
            self.assertEqual(self.records("db.internal", "A", "+retry=9", "+time=2"), [f"db.internal. 5 A {DB}"])
        wait_until(lambda: process.descriptors() <= before, "the sockets of the flood to be closed")

    def test_what_cannot_be_is_one_sentence(self):
        def told(part):
            path = self.write_config(part, self.db_sender())
            done = subprocess.run([self.culvert(), "dns", "--config", path], capture_output=True,
                                  text=True, timeout=60, check=False)
            self.assertEqual((done.returncode, done.stdout), (1, ""))
            return done.stderr.splitlines()[-1]
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
            taken.bind(("127.0.0.1", self.dns_port))
            self.assertIn("Address already in use; another name server has it, or a culvert", told(self.dns_part("127.0.0.9")))
        for bind, sentence in (("10.0.0.1:53", "is no loopback address"), ("127.0.0.1", "is not ADDRESS:PORT")):
            self.assertIn(sentence, told(f'[dns]\nbind = "{bind}"\n'))
        self.assertIn("is no address of a name server", told(self.dns_part("dns.example")))


if __name__ == "__main__":
    unittest.main()
