"""`culvert demo`: its proof, and the three commands it prints, run exactly as printed."""
import os
import re
import shlex
import subprocess
import unittest
import urllib.request

from culvert_processes import CulvertCase, connect, echo, receive_all, wait_until
from http_pages import body_of, serve_pages


class Demo(CulvertCase):
    def setUp(self):
        super().setUp()
        self.temporary = os.path.join(self.folder, "it's a folder")  # for a shell to be careful with
        os.mkdir(self.temporary)

    def demo(self, *arguments):
        """Runs it to its end; returns its output. Its folder goes with the test's."""
        done = subprocess.run([self.culvert(), "demo", "--once", *arguments], text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=120,
                              env={**os.environ, "TMPDIR": self.temporary})
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        return done.stdout

    def printed_commands(self, said):
        commands = re.findall(r"^\S*/culvert (?:relay|listen|connect) .*$", said, re.MULTILINE)
        self.assertEqual([shlex.split(each)[1] for each in commands],
                         ["relay", "listen", "connect"])
        return commands

    def run_as_printed(self, *arguments):
        """The demo, then each of its commands in a shell, as it says; returns the port where an app
        connects. Once more where another process took a port that was free for the demo."""
        while True:
            relay, listen, sender = self.printed_commands(self.demo(*arguments))
            if self.listens(self.as_printed("relay", relay)):
                self.as_printed("listen", listen).wait_for_line("registered at the relay")
                entrance = self.as_printed("connect", sender)
                if self.listens(entrance):
                    return entrance.wait_listening()

    @staticmethod
    def listens(process):
        wait_until(lambda: process.exited() or process.listening_ports(), "a printed command")
        return not process.lines("Address already in use")

    def as_printed(self, name, command):
        return self.start(name, ["sh", "-c", f"exec {command}"], cwd="/")

    def test_a_log_reader_that_is_gone_ends_nothing(self):
        reader, writer = os.pipe()
        os.close(reader)
        with os.fdopen(writer, "wb") as gone:
            done = subprocess.run([self.culvert(), "demo", "--once", "--log-level", "trace"],
                                  stdout=subprocess.PIPE, stderr=gone, timeout=120,
                                  env={**os.environ, "TMPDIR": self.temporary})
        self.assertEqual(done.returncode, 0)
        self.assertIn(b"every byte checked", done.stdout)

    def test_the_proof(self):
        said = self.demo()
        self.assertRegex(said, r"echo +64 MiB there and back, every byte checked: \d+ MiB/s")
        self.assertRegex(said, r"round trip \d+\.\d+ ms")
        self.assertRegex(said, r"http +Culvert works")
        (folder,) = re.findall(r"folder +(.+) \(certificates", said)
        self.assertEqual(os.stat(folder).st_mode & 0o777, 0o700)
        for name in os.listdir(folder):
            if name.endswith((".key", ".connection")):
                self.assertEqual(os.stat(os.path.join(folder, name)).st_mode & 0o077, 0, name)
                with open(os.path.join(folder, name), encoding="ascii") as secret:
                    self.assertNotIn(secret.read().strip(), said)

    def test_the_printed_commands_serve_http(self):
        port = self.run_as_printed("--target", f"127.0.0.1:{serve_pages(self)}")
        for number in range(3):
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/{number}", timeout=60) as page:
                self.assertEqual(page.read(), body_of(f"/{number}"))

    def test_the_printed_commands_know_the_targets_name(self):
        resolve = ("--resolve", "pages.test=127.0.0.1", "--resolve", "other.test=127.0.0.2")
        arguments = ("--target", f"pages.test:{serve_pages(self)}", *resolve)
        said = self.demo(*arguments)
        self.assertRegex(said, r"target +a connection to pages.test:\d+ opened through the tunnel")
        for command in self.printed_commands(said):
            wanted = " ".join(resolve) in command if " listen " in command else (
                "--resolve" not in command)
            self.assertTrue(wanted, command)
        port = self.run_as_printed(*arguments)
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/named", timeout=60) as page:
            self.assertEqual(page.read(), body_of("/named"))

    def test_the_printed_commands_carry_an_echo(self):
        with connect(self.run_as_printed("--target", f"127.0.0.1:{self.serve(echo)}")) as app:
            app.sendall(b"there and back")
            app.shutdown(1)
            self.assertEqual(receive_all(app), b"there and back")

    def test_a_dead_target_is_named(self):
        done = subprocess.run([self.culvert(), "demo", "--once", "--target", "127.0.0.1:1"],
                              text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              timeout=120, env={**os.environ, "TMPDIR": self.temporary})
        self.assertEqual(done.returncode, 1)
        self.assertIn("no tunnel to the target 127.0.0.1:1: ", done.stderr.splitlines()[-1])


if __name__ == "__main__":
    unittest.main()
