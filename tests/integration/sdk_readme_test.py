"""The plugin that stands whole in sdk/README.md: compiled as said there, described and used."""
import signal
import subprocess
import unittest

import sdk_plugins
from culvert_processes import CulvertCase, connect

CONNECTION = "Endpoint=sb://{}/;SharedAccessKeyName=me;SharedAccessKey=secret;EntityPath=app"


class SdkReadme(CulvertCase):
    def setUp(self):
        super().setUp()
        self.plugins = sdk_plugins.build(self, sdk_plugins.README_ID,
                                         sdk_plugins.readme_block('#include "culvert/helpers.h"'))

    def culvert_says(self, *arguments):
        """Its exit code, and what it says."""
        done = subprocess.run([self.culvert(), *arguments, "--plugin-directory", self.plugins], text=True,
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, timeout=60)
        return done.returncode, done.stdout

    def test_it_is_described(self):
        code, said = self.culvert_says("plugins", "describe", "resolver_db")
        self.assertEqual(code, 0, said)
        for wanted in ("resolver_db", "1.0.0", "MIT", "knows db", "culvert.kind.resolver/1"):
            self.assertIn(wanted, said)
        code, said = self.culvert_says("plugins", "list")
        self.assertEqual(code, 0, said)
        self.assertIn("resolver_db", said.splitlines())

    def start_sender_to(self, host):
        """It asks for its relay's name before it starts, and dials with its first app only."""
        path = self.write_secret(host, CONNECTION.format(host))
        return self.start(host, [
            self.culvert(), "connect", "--connection-string", "file:" + path, "--bind",
            "127.0.0.1:0", "--resolver", "resolver_db", "--plugin-directory", self.plugins, "--ca",
            self.certificates.ca])

    def test_it_finds_db_and_nothing_else(self):
        self.start_sender_to("db").wait_for_line("listening on .* relay=db:443")
        other = self.start_sender_to("other.example")
        self.assertEqual(other.wait(), 1)
        self.assertIn("'other.example' is not db, the only name resolver_db knows", other.log())


class SilentPlugin(CulvertCase):
    def start_sender_to(self, host, first_line=""):
        plugins = sdk_plugins.build(self, "resolver_late",
                                    first_line + sdk_plugins.source("resolver_late"))
        path = self.write_secret("connection", CONNECTION.format(host))
        return self.start("sender", [
            self.culvert(), "connect", "--connection-string", "file:" + path, "--bind",
            "127.0.0.1:0", "--resolver", "resolver_late", "--plugin-directory", plugins, "--ca",
            self.certificates.ca])

    def test_one_that_never_answers_does_not_keep_a_role_from_its_end(self):
        sender = self.start_sender_to("db")
        self.assertEqual(sender.wait(), 1)
        self.assertTrue(sender.log().endswith("culvert connect: plugin resolver_late has not "
                                              "completed resolve within 10 s; name another one\n"))

    def test_one_that_answers_no_more_costs_an_app_ten_seconds_and_is_named(self):
        sender = self.start_sender_to("once")
        sender.wait_for_line("listening on ")
        (port,) = sender.listening_ports()
        self.check_reset(port)
        self.assertIn(' source=plugin why="resolve took longer than 10 s: plugin resolver_late has '
                      'not completed resolve"', sender.wait_for_line("it is reset"))
        self.assertEqual(sender.terminate(), 0)

    def test_a_second_signal_ends_a_role_that_waits_for_it(self):
        sender = self.start_sender_to("once")
        sender.wait_for_line("listening on ")
        (port,) = sender.listening_ports()
        with connect(port):
            sender.wait_for_line("will not answer", count=2)  # to the sender's proof, and for the app
            sender.signal(signal.SIGTERM)
            sender.wait_signal_taken(signal.SIGTERM)
            sender.signal(signal.SIGTERM)
            self.assertEqual(sender.wait(), 0)
        self.assertEqual(len(sender.lines("error a plugin has not completed its calls; it is not "
                                          "detached, .* plugin=resolver_late calls=2")), 1)

    def test_one_that_never_returns_does_not_keep_the_process_from_its_end(self):
        sender = self.start_sender_to("once", "#define BLOCKS\n")
        sender.wait_for_line("will not answer")
        sender.signal(signal.SIGTERM)
        sender.wait_for_line("draining: .* signal=SIGTERM")
        sender.signal(signal.SIGTERM)
        sender.wait_for_line("second signal: ending at once")
        self.assertEqual(sender.wait(), 1)
        self.assertTrue(sender.log().endswith("culvert: a plugin has not answered, so that not all "
                                              "could end; ended without it\n"))


if __name__ == "__main__":
    unittest.main()
