"""The plugin resolver_dns against a real DNS server (Knot), and tunnels by names that only it knows."""
import os
import socket
import tempfile
import unittest

from culvert_processes import (Certificates, CulvertCase, connect, echo, free_port, receive_all,
                               wait_until)
from dns_server import MANY, Counter, Knot, Names

NO_ADDRESS = "no-name/never: DNS has no address for {0}: check the name, or add the resolve entry {0}=ADDR"


@unittest.skipUnless(Knot.installed(), "knot is not installed")
class Dns(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name
        self.knot = Knot(self.folder)
        self.knot.start()
        self.addCleanup(self.knot.kill)
        self.counter = Counter(self.knot.port)
        self.addCleanup(self.counter.close)

    def names(self, **settings):
        settings.setdefault("servers", f"127.0.0.1:{self.counter.port}")
        settings.setdefault("hosts_file", "/dev/null")
        settings.setdefault("resolv_conf", "/dev/null")
        names = Names(self.folder, **settings)
        self.addCleanup(names.end)
        return names

    def file(self, name, text):
        path = os.path.join(self.folder, name)
        with open(path + ".new", "w", encoding="ascii") as file:
            file.write(text)
        os.replace(path + ".new", path)
        return path

    def test_both_families_in_turn_through_a_chain_of_aliases(self):
        names = self.names()
        self.assertEqual(names.one("chain.test"), "2001:db8::1,192.0.2.1")
        self.assertEqual(names.one("SIX.test."), "2001:db8::6")
        self.assertEqual(names.one("four.test"), "192.0.2.4")
        self.assertEqual(self.counter.tcp, 0)

    def test_a_truncated_answer_is_asked_for_over_tcp(self):
        found = self.names().one("many.test").split(",")
        self.assertEqual(len(found), 16)
        self.assertTrue(all((":" in address) == (i % 2 == 0) for i, address in enumerate(found)))
        self.assertGreaterEqual(self.counter.tcp, 1)
        self.assertGreater(MANY, 16)

    def test_answers_are_used_for_their_ttl(self):
        names = self.names()
        address, lifetime_ms = names.ask("short.test")["short.test"]
        self.assertEqual(address, "192.0.2.9")
        self.assertLessEqual(lifetime_ms, 2000)
        asked = len(self.counter.questions)
        # Within the TTL nobody is asked; when it has passed, the server is.
        lifetimes = [lifetime_ms]
        while len(self.counter.questions) == asked:
            lifetimes.append(names.ask("short.test")["short.test"][1])
        self.assertEqual(sorted(lifetimes[:-1], reverse=True), lifetimes[:-1])
        self.assertEqual(self.counter.questions[asked:], self.counter.questions[:asked])
        self.assertEqual(names.one("four.test"), "192.0.2.4")
        asked = len(self.counter.questions)
        self.assertGreater(names.ask("four.test")["four.test"][1], 3_500_000)
        self.assertEqual(len(self.counter.questions), asked)

    def test_a_name_without_an_address_is_remembered_for_the_soas_minimum(self):
        names = self.names()
        for name in ("nowhere.test", "none.test"):
            self.assertEqual(names.one(name), NO_ADDRESS.format(name))
            asked = len(self.counter.questions)
            self.assertEqual(names.one(name), NO_ADDRESS.format(name))
            self.assertEqual(len(self.counter.questions), asked)

    def test_lookups_of_one_name_are_merged(self):
        names = self.names()
        answers = names.ask("four.test", "FOUR.test", "four.test")
        self.assertEqual({address for address, _ in answers.values()}, {"192.0.2.4"})
        self.assertEqual(sorted(self.counter.questions), [("four.test", "A"), ("four.test", "AAAA")])

    def test_the_last_good_answer_is_used_while_the_server_is_dead(self):
        names = self.names(timeout_ms=100, tries=1)
        self.assertEqual(names.ask("short.test", "brief.test"),
                         {"short.test": ("192.0.2.9", 2000), "brief.test": ("192.0.2.8", 2000)})
        self.knot.kill()
        asked = len(self.counter.questions)
        while len(self.counter.questions) == asked:
            self.assertEqual(names.one("short.test"), "192.0.2.9")
        self.assertEqual(names.one("brief.test"), "192.0.2.8")
        self.assertEqual(len([line for line in names.said() if "no DNS server answers" in line]), 1)
        self.assertIn(f"(127.0.0.1:{self.counter.port}: Timeout while contacting DNS servers)",
                      names.said()[0])
        self.assertEqual(names.one("four.test"),
                         "no-name/backoff: cannot look up four.test: Timeout while contacting DNS "
                         f"servers (DNS servers 127.0.0.1:{self.counter.port})")
        self.knot.start()
        wait_until(lambda: names.one("four.test") == "192.0.2.4", "the server answers again")

    def test_a_server_that_answers_only_one_family_costs_little(self):
        # The other question's own timeout would be a minute: the test's deadline ends it before.
        self.counter.drop = lambda name, kind: kind == "AAAA"
        names = self.names(timeout_ms=60000, tries=1)
        self.assertEqual(names.one("four.test"), "192.0.2.4")
        self.assertEqual(names.one("chain.test"), "192.0.2.1")

    def test_a_dead_server_is_passed_over(self):
        names = self.names(servers=f"127.0.0.1:{free_port()},127.0.0.1:{self.counter.port}",
                           timeout_ms=200)
        self.assertEqual(names.one("four.test"), "192.0.2.4")

    def test_tries_and_timeout_are_what_the_settings_say(self):
        self.counter.drop = lambda name, kind: True
        for tries in (1, 3):
            self.counter.questions.clear()
            answer = self.names(timeout_ms=100, tries=tries).one("four.test")
            self.assertIn("Timeout while contacting DNS servers", answer)
            self.assertEqual(self.counter.questions.count(("four.test", "A")), tries)

    def test_a_cancelled_question_says_which_servers_owe_the_answer(self):
        self.counter.drop = lambda name, kind: True
        names = self.names(timeout_ms=60000)
        self.assertEqual(names.ask("@50", "four.test")["four.test"][0],
                         "timeout/backoff: no DNS server has answered for four.test yet "
                         f"(127.0.0.1:{self.counter.port})")
        self.counter.drop = lambda name, kind: False
        self.assertEqual(names.one("six.test"), "2001:db8::6")

    def test_search_domains_are_those_of_resolv_conf_and_a_change_is_seen(self):
        path = self.file("resolv.conf", "search corp.test\nnameserver 127.0.0.1\n")
        names = self.names(resolv_conf=path)
        self.assertEqual(names.one("db"), "192.0.2.30")
        self.assertEqual(names.one("four.test"), "192.0.2.4")
        self.assertEqual(names.one("gone.test"), NO_ADDRESS.format("gone.test"))
        self.assertEqual(self.counter.questions[-1][0], "gone.test.corp.test")
        self.file("resolv.conf", "search test\nnameserver 127.0.0.1\n")
        self.assertEqual(names.one("two"), "2001:db8::1,192.0.2.1")

    def test_entries_and_the_hosts_file_come_first_and_a_change_is_seen(self):
        path = self.file("hosts", "10.1.1.1 six.test local\n")
        names = self.names(hosts_file=path, resolve="four.test=10.2.2.2")
        self.assertEqual(names.one("six.test"), "10.1.1.1")
        self.assertEqual(names.one("FOUR.test"), "10.2.2.2")
        self.assertEqual(names.one("local"), "10.1.1.1")
        self.assertEqual(self.counter.questions, [])
        self.file("hosts", "10.1.1.2 local\n")
        self.assertEqual(names.one("local"), "10.1.1.2")
        self.assertEqual(names.one("six.test"), "2001:db8::6")

    def test_wrong_settings_are_refused(self):
        for settings, sentence in (
                ({"servers": "dns.example"}, "the servers entry dns.example is no address; write ADDR "
                                             "or ADDR:PORT, with IPv6 in brackets"),
                ({"servers": "127.0.0.1:0"}, "the servers entry 127.0.0.1:0 is no address; write"),
                ({"servers": "1.1.1.1:70000"}, "the servers entry 1.1.1.1:70000 is no address"),
                ({"timeout_ms": 1}, "timeout_ms is 1; write 100 to 60000"),
                ({"tries": 0}, "tries is 0; write 1 to 10"),
                ({"resolve": "x"}, "the resolve entry x: it is not NAME=ADDR[,ADDR]")):
            names = Names(self.folder, **settings)
            self.assertEqual(names.process.wait(60), 1)
            self.assertIn(sentence, names.said()[0])
            names.end()


@unittest.skipUnless(Knot.installed(), "knot is not installed")
class Tunnels(CulvertCase):
    def setUp(self):
        super().setUp()
        self.certificates = Certificates(self.folder, ("relay.test",))
        self.knot = Knot(tempfile.mkdtemp(dir=self.folder))
        self.knot.start()
        self.addCleanup(self.knot.kill)
        self.dns = ("--set", f"resolver_dns.servers=127.0.0.1:{self.knot.port}")

    def test_relay_and_target_by_name(self):
        relay = self.start_relay(names=("relay.test",))
        port = self.serve(echo)
        self.start_listener(relay, f"relay.test:{port}", *self.dns)
        sender = self.start_sender(relay, *self.dns)
        with connect(sender.port) as app:
            app.sendall(b"by name")
            app.shutdown(socket.SHUT_WR)
            self.assertEqual(receive_all(app), b"by name")


if __name__ == "__main__":
    unittest.main()
