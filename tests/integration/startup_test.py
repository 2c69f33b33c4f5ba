"""What a role says and does when it starts: the line by which one knows that it is ready, warnings
about its certificate, as many open files as it may have, and the signals that end it."""
import os
import re
import signal
import socket
import unittest

from culvert_processes import PEER_KEY, CulvertCase, connect, echo


class Startup(CulvertCase):
    def test_relay_and_sender_say_where_they_listen(self):
        relay = self.start_relay(names=("127.0.0.1", "localhost"), entities=("app", "db"),
                                 log_level="info")
        line = relay.wait_for_line("listening on")
        self.assertRegex(line, f"Z info listening on 127.0.0.1:{relay.port} role=relay "
                               "names=127.0.0.1,localhost entities=2 protocols=transport_azure$")
        sender = self.start_sender(relay, bind="[::1]:0", log_level="info")
        line = sender.wait_for_line("listening on")
        self.assertTrue(line.endswith(f"Z info listening on [::1]:{sender.port} role=sender "
                                      f"entity=app relay=127.0.0.1:{relay.port}"), line)

    def test_names_that_the_certificate_does_not_cover_are_warned_about(self):
        self.certificates = type(self.certificates)(
            self.folder, ("127.0.0.1", "relay.example", "*.wild.example"))
        relay = self.start_relay(names=("127.0.0.1", "a.wild.example", "a.b.wild.example",
                                        "other.example", "RELAY.example"), log_level="warn")
        relay.terminate()
        self.assertEqual(
            [line.split("refuse it ")[1] for line in relay.lines("the certificate is not valid")],
            [f"name={name} certificate={self.certificates.certificate} "
             "valid_for=127.0.0.1,relay.example,*.wild.example"
             for name in ("a.b.wild.example", "other.example")])

    def test_a_public_address_that_the_certificate_does_not_cover_is_warned_about(self):
        relay = self.start_relay("--public-address", "public.example:444", log_level="warn")
        relay.terminate()
        self.assertRegex(relay.log(), "the certificate is not valid for a name.*"
                                      " name=public.example certificate=")

    def test_a_secret_file_that_every_user_may_open_can_be_allowed(self):
        """That it is refused otherwise is a row of operator_mistakes_relay_table.py."""
        os.chmod(self.certificates.key, 0o644)
        key = self.write_secret("open key", f"open-{PEER_KEY}")
        os.chmod(key, 0o604)
        relay = self.start_relay("--rule", f"open:send:file:{key}", "--insecure-secret-files",
                                 log_level="warn")
        self.assertEqual(relay.terminate(), 0)
        os.chmod(self.certificates.key, 0o640)
        os.chmod(key, 0o600)
        relay = self.start_relay("--rule", f"open:send:file:{key}", log_level="warn")
        self.assertEqual(relay.terminate(), 0)
        self.assertEqual(relay.log(), "")

    def test_each_bind_is_served_and_one_of_all_addresses_serves_both_families(self):
        path = os.path.join(self.folder, "app.sock")
        for shards in ("1", "2"):
            relay = self.start_relay("--bind", f"unix:{self.folder}/relay.sock", bind="[::]:0",
                                     shards=shards)
            relay.wait_for_line(f"listening on unix:{self.folder}/relay.sock ")
            self.assertIn(f"listening on [::]:{relay.port} ", relay.wait_for_line("listening on"))
            self.start_listener(relay, f"127.0.0.1:{self.serve(echo)}")  # over IPv4
            relay.wait_for_line("listener online .*peer=127.0.0.1:")
            sender = self.start_sender(relay, "--bind", f"unix:{path}", "--bind", "[::1]:0",
                                       "--shards", shards)
            lines = sender.wait_for_line("listening on", count=3) and sender.lines("listening on")
            ports = [int(found) for line in lines for found in re.findall(r"\]?:(\d+) role", line)]
            for host, port in (("127.0.0.1", ports[0]), ("::1", ports[1])):
                with connect(port, host) as app:
                    self.check_echo(app)
            with socket.socket(socket.AF_UNIX) as app:
                app.connect(path)
                self.check_echo(app)
            for process in (sender, relay):
                self.assertEqual(process.terminate(), 0)
            self.assertFalse(os.path.lexists(path))
            self.assertFalse(os.path.lexists(f"{self.folder}/relay.sock"))

    def check_echo(self, app):
        app.sendall(b"by each way")
        self.assertEqual(app.recv(11), b"by each way")

    def test_a_second_key_of_one_rule_is_taken_too(self):
        second = self.write_secret("second.key", f"second-{PEER_KEY}")
        relay = self.start_relay("--rule", f"SENDER:send:file:{second}")
        self.start_listener(relay, f"127.0.0.1:{self.serve(echo)}")
        first = self.start_sender(relay)
        string = relay.connection_string("sender").replace(f"sender-{PEER_KEY}", f"second-{PEER_KEY}")
        other = self.start("second", [
            self.culvert(), "connect", "--connection-string",
            "file:" + self.write_secret("second.connection", string), "--bind", "127.0.0.1:0",
            "--ca", self.certificates.ca])
        for port in (first.port, other.wait_listening()):
            with connect(port) as app:
                app.sendall(b"either key")
                self.assertEqual(app.recv(10), b"either key")

    def test_a_signal_says_what_is_drained_and_for_how_long(self):
        relay = self.start_relay()
        self.start_listener(relay, f"127.0.0.1:{self.serve(echo)}")
        sender = self.start_sender(relay)
        with connect(sender.port) as app:
            app.sendall(b"open")
            self.assertEqual(app.recv(4), b"open")
            sender.signal(signal.SIGTERM)
            line = sender.wait_for_line("draining: ")
            self.assertTrue(line.endswith("signal=SIGTERM tunnels=1 seconds=10"), line)
            sender.signal(signal.SIGINT)
            line = sender.wait_for_line("second signal: ending at once")
            self.assertTrue(line.endswith("signal=SIGINT"), line)
        self.assertEqual(sender.wait(), 0)

    def test_the_soft_limit_of_open_files_is_raised_to_the_hard_one(self):
        relay = self.start_relay(prefix=("sh", "-c", 'ulimit -Sn 256; exec "$0" "$@"'))
        line = relay.wait_for_line("debug open files")
        with open(f"/proc/{relay.pid}/limits", encoding="ascii") as limits:
            soft, hard = re.search(r"Max open files +(\d+) +(\d+)", limits.read()).groups()
        self.assertEqual(soft, hard)
        self.assertTrue(line.endswith(f"open files limit={hard} before=256"), line)

        self.assertEqual(relay.lines("may have few open files"), [])

    def test_few_open_files_are_told_with_the_tunnels_that_fit(self):
        relay = self.start_relay(prefix=("sh", "-c", 'ulimit -n 64; exec "$0" "$@"'))
        line = relay.wait_for_line("warn this process may have few open files")
        self.assertTrue(line.endswith("limit=64 tunnels=21"), line)

    def test_closed_standard_streams_are_no_sockets(self):
        relay = self.start_relay(prefix=("sh", "-c", 'exec "$0" "$@" <&- >&- 2>&-'))
        links = [os.readlink(f"/proc/{relay.pid}/fd/{number}") for number in range(3)]
        self.assertEqual(links, ["/dev/null"] * 3)
        self.assertEqual(relay.terminate(), 0)

    def test_each_of_two_signals_drains(self):
        for number in (signal.SIGTERM, signal.SIGINT):
            relay = self.start_relay()
            relay.signal(number)
            self.assertEqual(relay.wait(), 0)

    def test_under_nohup_a_hangup_is_ignored(self):
        relay = self.start_relay(prefix=("nohup",))
        relay.wait_for_line("listening on")
        with open(f"/proc/{relay.pid}/status", encoding="ascii") as status:
            masks = {name: int(mask, 16) for name, mask
                     in re.findall(r"(Sig\w\w\w):\s+(\w+)", status.read())}
        hangup = 1 << (signal.SIGHUP - 1)
        self.assertEqual(masks["SigBlk"] & hangup, 0)
        self.assertEqual(masks["SigIgn"] & hangup, hangup)
        relay.signal(signal.SIGHUP)
        self.assertEqual(relay.terminate(), 0)


if __name__ == "__main__":
    unittest.main()
