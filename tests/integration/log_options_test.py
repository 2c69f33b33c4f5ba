"""--log-level and --log-format through the command: what stands in the log, and in which form."""
import json
import os
import subprocess
import unittest

import sdk_plugins
from culvert_processes import CulvertCase, connect, echo, receive_all
from hostile_relay import HostileRelayCase

LEVELS = ["error", "warn", "info", "debug", "trace"]
TIME = r"\A\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z\Z"


class Levels(CulvertCase):
    """A sender whose resolver logs a line of each level, before a relay that is not there."""

    def setUp(self):
        super().setUp()
        self.plugins = sdk_plugins.build(self, "resolver_levels",
                                         sdk_plugins.source("resolver_levels"))
        self.connection = self.write_secret(
            "connection", "Endpoint=sb://absent.test:1/;SharedAccessKeyName=sender;"
                          "SharedAccessKey=secret;EntityPath=app")

    def what_it_logs(self, *options):
        """The lines of a sender's life, in which an app has been reset."""
        sender = self.start("sender", [
            self.culvert(), "connect", "--connection-string", "file:" + self.connection,
            "--bind", "127.0.0.1:0", "--ca", self.certificates.ca, "--resolver", "resolver_levels",
            "--plugin-directory", self.plugins, *options])
        self.check_reset(sender.wait_listening())
        self.assertEqual(sender.terminate(), 0)
        return sender.log().splitlines()

    def check(self, lines, most):
        """All of its levels, and none that says more: the resolver's lines and the engine's."""
        wanted = LEVELS[:LEVELS.index(most) + 1]
        self.assertEqual({line.split(" ")[1] for line in lines}, set(wanted))
        for level in LEVELS:
            said = [line for line in lines if f" {level} it says {level} " in line]
            self.assertEqual(bool(said), level in wanted, level)
        for level, words in [("warn", "no tunnel for a connection; it is reset"),
                             ("info", "listening on 127.0.0.1:"), ("debug", "open files")]:
            said = [line for line in lines if f" {level} {words}" in line]
            self.assertEqual(len(said), 1 if level in wanted else 0, words)

    def test_each_level_and_no_more(self):
        for level in LEVELS:
            with self.subTest(level):
                lines = self.what_it_logs("--log-level", level)
                self.check(lines, level)

    def test_without_the_option_it_is_info(self):
        self.check(self.what_it_logs(), "info")


class Form(HostileRelayCase):
    def objects(self, text):
        """Every line is an object of texts, with a time, a level and a message."""
        lines = [json.loads(line) for line in text.splitlines()]
        for line in lines:
            self.assertEqual(list(line)[:3], ["time", "level", "message"])
            self.assertRegex(line["time"], TIME)
            self.assertIn(line["level"], LEVELS)
            self.assertEqual({type(value) for value in line.values()}, {str})
        return lines

    def check_objects(self, process, wanted):
        """`wanted`: messages, with some of their fields."""
        self.assertEqual(process.terminate(), 0)
        lines = self.objects(process.log())
        for message, fields in wanted.items():
            found = [line for line in lines if line["message"] == message]
            self.assertEqual(len(found), 1, message)
            self.assertEqual(found[0], {**found[0], **fields})

    def test_every_line_of_a_tunnels_three_processes(self):
        form = ("--log-format", "json")
        relay = self.start_relay(*form)
        target = f"127.0.0.1:{self.serve(echo)}"
        listener = self.start_listener(relay, target, *form)
        sender = self.start_sender(relay, *form)
        with connect(sender.port) as app:
            app.sendall(b"twelve bytes")
            app.shutdown(1)
            self.assertEqual(receive_all(app), b"twelve bytes")
        for process in (sender, listener, relay):
            process.wait_for_line("tunnel ended")
        ended = {"level": "info", "entity": "app", "how": "finished", "why": ""}
        self.check_objects(sender, {
            f"listening on 127.0.0.1:{sender.port}": {"level": "info", "role": "sender"},
            "tunnel ended": {**ended, "bytes_in": "12", "bytes_out": "12"}})
        self.check_objects(listener, {
            "registered at the relay": {"level": "info", "entity": "app", "target": target},
            "tunnel ended": {**ended, "bytes_in": "12", "bytes_out": "12"}})
        self.check_objects(relay, {
            f"listening on 127.0.0.1:{relay.port}": {"level": "info", "role": "relay"},
            "tunnel joined": {"level": "info", "entity": "app", "shard": "0"},
            "listener offline": {"level": "info", "why": "it closed its channel"},
            "tunnel ended": {**ended, "bytes_from_sender": "12"}})

    def test_what_a_relay_says_cannot_leave_its_text(self):
        said = b'HTTP/1.1 503 a"b\\c\td\x80e","level":"x\r\n\r\n'
        relay = self.start_hostile(lambda connection, _: connection.sendall(said))
        sender = self.start_sender(relay, "--log-format", "json")
        self.check_reset(sender.port)
        sender.wait_for_line("no tunnel for a connection")
        self.assertEqual(sender.terminate(), 0)
        (line,) = [line for line in self.objects(sender.log())
                   if line["message"] == "no tunnel for a connection; it is reset"]
        self.assertEqual(line["level"], "warn")
        self.assertIn('the relay answered 503: a"b\\c', line["why"])

    def demo_stderr(self, code, *arguments):
        done = subprocess.run([self.culvert(), "demo", "--once", *arguments], text=True, timeout=120,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              env={**os.environ, "TMPDIR": self.folder})
        self.assertEqual(done.returncode, code, done.stderr)
        return done.stderr

    def test_the_demo_warns_and_says_no_more_unless_told_to(self):
        self.assertEqual(self.demo_stderr(0), "")
        *lines, _ = self.demo_stderr(1, "--target", "127.0.0.1:1").splitlines()
        self.assertEqual({line.split(" ")[1] for line in lines}, {"warn"})
        told = self.objects(self.demo_stderr(0, "--log-level", "info", "--log-format", "json"))
        self.assertEqual({line["level"] for line in told}, {"info"})


if __name__ == "__main__":
    unittest.main()
