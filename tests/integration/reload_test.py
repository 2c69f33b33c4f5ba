"""SIGHUP: `up`, `relay`, `listen` and `connect` read their configuration, keys and certificates again;
what is new starts, what is gone drains, the rest goes on; a mistake changes nothing.

The number of reloads under load is 100, or what RELOADS says.
"""
import os
import re
import signal
import socket
import ssl
import threading
import unittest

from culvert_processes import (PEER_KEY, Certificates, connect, echo, quiet_port, receive_all,
                               receive_exactly, wait_until)
from up_test import ConfigCase

RELOADS = int(os.environ.get("RELOADS", "100"))
SECOND_KEYS = 'primary_key = "file:sender.key"\nsecondary_key = "file:second.key"'


class Reload(ConfigCase):
    def start_up(self, *parts):
        self.process = self.up(*parts)
        self.process.wait_for_line("ready for apps")
        self.process.wait_for_line("registered at the relay")
        return self.process

    def parts(self, **options):
        self.echo_port = self.serve(echo)
        return (self.relay_part(**options), self.listener_part(self.echo_port), self.sender_part())

    def hang_up(self, process, pattern=r"(not )?reloaded( |:)"):
        """SIGHUP, and the line that it is followed by."""
        count = len(process.lines(pattern))
        process.signal(signal.SIGHUP)
        return process.wait_for_line(pattern, count=count + 1)

    def check_counts(self, line, started=0, updated=0, stopped=0, unchanged=0):
        self.assertTrue(line.endswith(f"reloaded started={started} updated={updated} stopped={stopped} "
                                      f"unchanged={unchanged} failed=0"), line)

    def open_app(self, port):
        app = connect(port)
        self.addCleanup(app.close)
        self.exchange(app, b"open")
        return app

    def exchange(self, app, text):
        app.sendall(text)
        self.assertEqual(receive_exactly(app, len(text)), text)

    def second_connection(self):
        """A sender with the second key, as a process of its own."""
        return self.connection("sender", key="second")

    def sender_with(self, reference):
        name = reference.removeprefix("file:")
        return self.start("sender", [
            self.culvert(), "connect", "--connection-string", f"file:{self.folder}/{name}",
            "--bind", "127.0.0.1:0", "--ca", self.certificates.ca])

    def test_nothing_new_changes_nothing(self):
        parts = self.parts()
        process = self.start_up(*parts)
        app = self.open_app(self.app_port)
        self.check_counts(self.hang_up(process), unchanged=3)
        self.exchange(app, b"after")
        self.check_echo(self.app_port)

    def test_a_key_that_is_added_is_taken_and_one_that_is_removed_is_refused(self):
        parts = self.parts()
        process = self.start_up(*parts)
        other = self.sender_with(self.second_connection())
        other.wait_for_line("401")
        _, *others = parts
        self.write_config(self.relay_part(sender_keys=SECOND_KEYS), *others)
        self.check_counts(self.hang_up(process), updated=1, unchanged=2)
        other.wait_for_line("ready for apps")
        self.check_echo(other.wait_listening())
        self.check_echo(self.app_port)
        self.write_config(self.relay_part(sender_keys='primary_key = "file:second.key"'), *others)
        self.check_counts(self.hang_up(process), updated=1, unchanged=2)
        self.check_reset(self.app_port)
        self.check_echo(other.wait_listening())

    def test_a_key_file_whose_content_changed_is_read_again(self):
        process = self.start_up(*self.parts())
        self.write_secret("sender.key", f"second-{PEER_KEY}")
        self.connection("sender", key="second")
        self.check_counts(self.hang_up(process), updated=1, unchanged=2)
        self.check_reset(self.app_port)
        self.write_secret("sender-app-sender.connection", open(
            f"{self.folder}/sender-app-second.connection", encoding="ascii").read().strip())
        self.check_counts(self.hang_up(process), updated=1, unchanged=2)
        self.check_echo(self.app_port)

    def test_a_listener_whose_key_is_removed_loses_its_channel_after_the_grace(self):
        text = '[limits]\ntoken_grace = "1s"\n'
        relay, listener, sender = self.parts()
        process = self.start_up(text, relay, listener, sender)
        app = self.open_app(self.app_port)
        self.write_config(text, relay.replace("file:listener.key", "file:second.key"), listener, sender)
        self.check_counts(self.hang_up(process), updated=1, unchanged=2)
        process.wait_for_line("warn a listener's token is refused since the reload.*entity=app .*"
                              "why=.The token has an invalid signature")
        process.wait_for_line("listener offline .*why=.The token has an invalid signature")
        self.exchange(app, b"a tunnel goes on")
        self.check_reset(self.app_port)
        self.write_config(text, relay, listener, sender)
        self.check_counts(self.hang_up(process), updated=1, unchanged=2)
        process.wait_for_line("listener online", count=2)
        self.check_echo(self.app_port)

    def test_a_rule_that_is_added_is_taken(self):
        parts = self.parts()
        process = self.start_up(*parts)
        self.write_secret("third.key", f"third-{PEER_KEY}")
        third = self.sender_with(self.connection("third"))
        third.wait_for_line("401")
        rule = '[[relay.rule]]\nname = "third"\nrights = ["send"]\nprimary_key = "file:third.key"\n'
        self.write_config(parts[0], rule, *parts[1:])
        self.check_counts(self.hang_up(process), updated=1, unchanged=2)
        third.wait_for_line("ready for apps")
        self.check_echo(third.wait_listening())

    def served_certificate(self):
        context = ssl.create_default_context(cafile=self.certificates.ca)
        with socket.create_connection(("127.0.0.1", self.relay_port), timeout=60) as plain:
            with context.wrap_socket(plain, server_hostname="127.0.0.1") as secure:
                return secure.getpeercert(binary_form=True)

    def test_a_certificate_that_was_renewed_is_what_the_next_client_sees(self):
        process = self.start_up(*self.parts())
        before = self.served_certificate()
        app = self.open_app(self.app_port)
        self.certificates = Certificates(self.folder)
        line = self.hang_up(process)
        self.check_counts(line, updated=3)  # the authority is new, too
        self.assertNotEqual(self.served_certificate(), before)
        self.exchange(app, b"still the old one")
        self.check_echo(self.app_port)

    def test_an_entity_that_is_removed_is_drained_and_others_go_on(self):
        other_port = quiet_port()
        db = (self.listener_part(self.serve(echo), "db"), self.sender_part("db", other_port))
        text = '[engine]\ndrain_grace = "1s"\n'
        process = self.up(text, self.relay_part(("app", "db")), self.listener_part(self.serve(echo)),
                          self.sender_part(), *db)
        process.wait_for_line("registered at the relay", count=2)
        process.wait_for_line("ready for apps", count=2)
        app, gone = self.open_app(self.app_port), self.open_app(other_port)
        self.write_config(text, self.relay_part(), *self.parts()[1:], *db)
        self.check_counts(self.hang_up(process), updated=2, unchanged=3)  # the echo is another
        self.exchange(gone, b"may end by itself")
        with self.assertRaises(ConnectionResetError):
            gone.recv(1)  # after the grace
        self.exchange(app, os.urandom(1 << 16))
        process.wait_for_line("listener offline .*why=.the relay does not have this entity any more")
        self.check_reset(other_port)
        self.check_echo(self.app_port)

    def test_roles_come_and_go(self):
        parts = self.parts()
        process = self.start_up(*parts)
        app = self.open_app(self.app_port)
        more = quiet_port()
        self.write_config(*parts, self.sender_part(port=more).replace('"app"', '"more"'))
        self.check_counts(self.hang_up(process), started=1, unchanged=3)
        self.check_echo(more)
        self.write_config(*parts)
        self.check_counts(self.hang_up(process), stopped=1, unchanged=3)
        with self.assertRaises(ConnectionRefusedError):
            connect(more)
        self.exchange(app, b"all the while")

    def test_an_address_that_changes_is_served_before_the_old_one_drains(self):
        parts = self.parts()
        process = self.start_up(*parts)
        app = self.open_app(self.app_port)
        other = quiet_port()
        self.write_config(parts[0], parts[1], self.sender_part(port=other))
        self.check_counts(self.hang_up(process), started=1, stopped=1, unchanged=2)
        self.check_echo(other)
        self.exchange(app, b"drains")
        app.shutdown(1)
        self.assertEqual(receive_all(app), b"")
        wait_until(lambda: process.listening_ports() == {self.relay_port, other}, "the old address")

    def test_an_address_goes_from_one_role_to_another(self):
        parts = self.parts()
        process = self.start_up(*parts)
        renamed = parts[2].replace('"app"\nbind', '"renamed"\nbind')
        self.assertNotEqual(renamed, parts[2])
        self.write_config(*parts[:2], renamed)
        self.check_counts(self.hang_up(process), started=1, stopped=1, unchanged=2)
        self.check_echo(self.app_port)

    def test_a_mistake_changes_nothing(self):
        parts = self.parts()
        process = self.start_up(*parts)
        app = self.open_app(self.app_port)
        second = self.relay_part(sender_keys=SECOND_KEYS)
        rows = [
            ((second, parts[1], parts[2] + 'bindd = "x"\n'), "mistakes=1 why=.*culvert.toml:.*'bindd' is "
             r"unknown in \[\[sender\]\]; did you mean 'bind'\?"),
            (("a = [",), "mistakes=1 why=.*this is no TOML"),
            ((second.replace("relay.pem", "none.pem"), *parts[1:]),
             r"mistakes=1 why=.*culvert.toml:1:1: relay 'main': cannot read the certificate"),
            ((second, parts[1].replace("127.0.0.1:", "db.nowhere.test:") + 'resolver = "resolver_static"\n',
              parts[2]),
             "mistakes=1 why=.*listener 'app': no address is known for db.nowhere.test"),
            ((second, *parts[1:], self.sender_part(port=1).replace('"app"', '"b"').replace(
                "127.0.0.1:1\"", "192.0.2.1:1\"")),
             "mistakes=1 why=.*sender 'b': bind 192.0.2.1:1: cannot listen"),
            (('[engine]\nshards = 2\n[log]\nlevel = "debug"\n', second, *parts[1:]),
             "mistakes=1 why=.*shards, the log's level cannot change while the process runs: restart it"),
            (('[limits]\npong = "5s"\n', second, *parts[1:]), "the limit pong_ms cannot change"),
        ]
        for texts, pattern in rows:
            with self.subTest(pattern):
                self.write_config(*texts)
                line = self.hang_up(process)
                self.assertIn("error not reloaded: nothing has changed", line)
                self.assertRegex(line, pattern)
        self.exchange(app, b"unharmed")
        self.check_echo(self.app_port)
        self.write_config(*parts)
        self.check_counts(self.hang_up(process), unchanged=3)

    def test_limits_of_a_role_change(self):
        parts = self.parts()
        process = self.start_up(*parts)
        self.write_config('[limits]\npending_per_entity = 5\n', *parts)
        self.check_counts(self.hang_up(process), updated=1, unchanged=2)

    def test_each_command_reads_its_keys_and_certificate_again(self):
        relay = self.start_relay()
        self.relay_port = relay.port
        listener = self.start_listener(relay, f"127.0.0.1:{self.serve(echo)}")
        sender = self.start_sender(relay)
        app = self.open_app(sender.port)
        before = self.served_certificate()
        for process in (relay, listener, sender):
            self.check_counts(self.hang_up(process), unchanged=1)
        self.certificates = Certificates(self.folder)
        self.write_secret("sender.key", f"second-{PEER_KEY}")
        for process in (relay, listener, sender):
            self.check_counts(self.hang_up(process), updated=1)
        self.assertNotEqual(self.served_certificate(), before)
        self.check_reset(sender.port)
        self.write_secret(f"sender-app-{relay.port}.connection",
                          relay.connection_string("sender").replace("sender-", "second-"))
        self.check_counts(self.hang_up(sender), updated=1)
        self.check_echo(sender.port)
        self.exchange(app, b"all the while")
        os.unlink(f"{self.folder}/sender.key")
        line = self.hang_up(relay)
        self.assertRegex(line, "error not reloaded: nothing has changed mistakes=1 why=.*--rule sender: "
                               "cannot read the file")
        self.check_echo(sender.port)
        for process in (sender, listener, relay):
            self.assertEqual(process.terminate(), 0)

    def test_a_secret_of_standard_input_is_kept_for_reloads(self):
        key = self.write_secret("third.key", f"third-{PEER_KEY}")
        relay = self.start_relay("--rule", "third:send:-",
                                 prefix=("sh", "-c", f'exec "$0" "$@" <{key}'))
        self.relay_port = relay.port
        self.check_counts(self.hang_up(relay), unchanged=1)
        self.write_secret("sender.key", f"second-{PEER_KEY}")
        self.check_counts(self.hang_up(relay), updated=1)
        self.sender_with(self.connection("third")).wait_for_line("ready for apps")

    def test_while_it_drains_a_hangup_has_no_effect(self):
        process = self.start_up('[engine]\ndrain_grace = "1h"\n', *self.parts())
        app = self.open_app(self.app_port)
        process.signal(signal.SIGTERM)
        process.wait_for_line("draining: ")
        process.signal(signal.SIGHUP)
        process.wait_signal_taken(signal.SIGHUP)
        self.exchange(app, b"still open")
        app.shutdown(1)
        self.assertEqual(receive_all(app), b"")
        self.assertEqual(process.wait(), 0)
        self.assertEqual(process.lines("reloaded"), [])

    def test_many_reloads_under_load_leave_descriptors_and_memory_flat(self):
        parts = self.parts()
        process = self.start_up(*parts)
        stop = threading.Event()
        failures = []

        def load():
            try:
                while not stop.is_set():
                    self.check_echo(self.app_port, os.urandom(1 << 18))
            except BaseException as failure:  # told by the test's own thread
                failures.append(failure)
        threads = [threading.Thread(target=load) for _ in range(2)]
        for thread in threads:
            thread.start()
        steady = self.open_app(self.app_port)
        configs = [parts, (self.relay_part(sender_keys=SECOND_KEYS), *parts[1:])]
        first = None
        for number in range(RELOADS):
            self.write_config(*configs[(number + 1) % 2])
            self.check_counts(self.hang_up(process, r"info reloaded"), updated=1, unchanged=2)
            self.exchange(steady, b"x" * 1000)
            if number == RELOADS // 10:
                first = process.resident_kib()
        stop.set()
        for thread in threads:
            thread.join()
        self.assertEqual(failures, [])
        self.assertLess(process.resident_kib(), first + 16 * 1024)
        self.assertLess(process.descriptors(), 60)
        alarms = process.lines(r"\b(warn|error)\b")
        slow = process.lines("a plugin's function took long")  # the machine is loaded
        self.assertEqual([line for line in alarms if line not in slow], [])
        self.assertEqual(len(process.lines("info reloaded")), RELOADS)
        self.assertTrue(re.search("tunnel ended.*how=finished", process.log()))


if __name__ == "__main__":
    unittest.main()
