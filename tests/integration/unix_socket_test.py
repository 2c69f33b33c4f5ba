"""The file of a unix socket that a relay or sender listens on: gone after the end, taken over when a
killed process has left it, never taken from a living one."""
import os
import signal
import socket
import stat
import unittest

from culvert_processes import PEER_KEY, CulvertCase, echo, wait_until


class UnixSocket(CulvertCase):
    def setUp(self):
        super().setUp()
        self.path = os.path.join(self.folder, "app.sock")
        self.key = self.write_secret("rule.key", PEER_KEY)
        self.connection = self.write_secret(
            "connection", "Endpoint=sb://127.0.0.1:1/;SharedAccessKeyName=r;SharedAccessKey=k;"
                          "EntityPath=app")

    def sender(self, *extra, prefix=()):
        return self.start("sender", [*prefix, self.culvert(), "connect", "--connection-string",
                                     f"file:{self.connection}", "--bind", f"unix:{self.path}",
                                     "--ca", self.certificates.ca, *extra])

    def started(self, *extra, **options):
        sender = self.sender(*extra, **options)
        sender.wait_for_line(f"info listening on unix:{self.path} ")
        return sender

    def accepts(self):
        with socket.socket(socket.AF_UNIX) as app:
            try:
                app.connect(self.path)
                return True
            except ConnectionRefusedError:
                return False

    def leave_a_file(self):
        self.started().kill()
        wait_until(lambda: not self.accepts(), "the kernel to end the killed process's ring")

    def check_refused(self, sender, *reasons):
        """For one of the reasons."""
        self.assertEqual(sender.wait(), 1)
        self.assertIn(sender.log(), [f"culvert connect: --bind unix:{self.path}: cannot listen on "
                                     f"unix:{self.path}: {reason}\n" for reason in reasons])

    def test_it_is_gone_after_a_drain_and_after_a_second_signal(self):
        for count in (1, 2):
            for number in (signal.SIGTERM, signal.SIGINT):
                sender = self.started()
                self.assertTrue(stat.S_ISSOCK(os.lstat(self.path).st_mode))
                for _ in range(count):
                    sender.signal(number)
                self.assertEqual(sender.wait(), 0)
                self.assertFalse(os.path.lexists(self.path))

    def test_a_successor_has_the_path_while_tunnels_of_the_first_end(self):
        relay = self.start_relay()
        self.start_listener(relay, f"127.0.0.1:{self.serve(echo)}")
        self.connection = self.connection_file(relay, "sender")[len("file:"):]
        first = self.started()
        with socket.socket(socket.AF_UNIX) as app:
            app.connect(self.path)
            app.sendall(b"first")
            self.assertEqual(app.recv(5), b"first")
            first.signal(signal.SIGTERM)
            wait_until(lambda: not os.path.lexists(self.path), "the file to go", process=first)
            successor = self.started()
            app.sendall(b"still")
            self.assertEqual(app.recv(5), b"still")
            first.signal(signal.SIGTERM)
            self.assertEqual(first.wait(), 0)
            self.assertTrue(self.accepts())
        self.assertEqual(successor.terminate(), 0)
        self.assertFalse(os.path.lexists(self.path))

    def test_a_relay_removes_its_own_too(self):
        relay = self.start("relay", [
            self.culvert(), "relay", "--bind", f"unix:{self.path}", "--certificate",
            self.certificates.certificate, "--private-key", self.certificates.key, "--name",
            "127.0.0.1", "--entity", "app", "--rule", f"r:listen:file:{self.key}"])
        relay.wait_for_line(f"info listening on unix:{self.path} ")
        self.assertEqual(relay.terminate(), 0)
        self.assertFalse(os.path.lexists(self.path))

    def test_its_mode_is_what_bind_mode_says_else_what_the_umask_leaves(self):
        umask = ("sh", "-c", 'umask 027; exec "$0" "$@"')
        for extra, mode in [((), 0o750), (("--bind-mode", "0660"), 0o660),
                            (("--bind-mode", "600"), 0o600), (("--bind-mode", "0777"), 0o777)]:
            sender = self.started(*extra, prefix=umask)
            self.assertEqual(stat.S_IMODE(os.lstat(self.path).st_mode), mode)
            self.assertEqual(sender.terminate(), 0)
        relay = self.start("relay", [
            self.culvert(), "relay", "--bind", f"unix:{self.path}", "--certificate",
            self.certificates.certificate, "--private-key", self.certificates.key, "--name",
            "127.0.0.1", "--entity", "app", "--rule", f"r:listen:file:{self.key}",
            "--bind-mode", "0620"])
        relay.wait_for_line("listening on")
        self.assertEqual(stat.S_IMODE(os.lstat(self.path).st_mode), 0o620)

    def test_what_a_killed_process_left_is_taken_over(self):
        self.leave_a_file()
        sender = self.started()
        self.assertTrue(self.accepts())
        self.assertEqual(sender.terminate(), 0)
        self.assertFalse(os.path.lexists(self.path))

    def test_a_living_one_is_left_alone(self):
        first = self.started()
        self.check_refused(self.sender(), "Address already in use; another process listens there: "
                                          "stop it or choose another path")
        self.assertTrue(self.accepts())
        self.assertEqual(first.terminate(), 0)

    def test_another_file_is_left_alone(self):
        with open(self.path, "w", encoding="ascii") as file:
            file.write("precious")
        self.check_refused(self.sender(), "Address already in use; a file that is no socket is "
                                          "there: choose another path")
        with open(self.path, encoding="ascii") as file:
            self.assertEqual(file.read(), "precious")

    def test_a_file_that_is_ours_no_more_is_left_alone(self):
        first = self.started()
        os.unlink(self.path)
        with socket.socket(socket.AF_UNIX) as successor:
            successor.bind(self.path)
            successor.listen()
            self.assertEqual(first.terminate(), 0)
            self.assertTrue(self.accepts())

    def test_of_many_that_take_over_at_once_one_lives(self):
        self.leave_a_file()
        senders = [self.sender() for _ in range(8)]
        losers = wait_until(lambda: [s for s in senders if s.exited()][:7][6:], "seven refusals")
        self.assertEqual(len(losers), 1)
        living = [sender for sender in senders if not sender.exited()]
        self.assertEqual(len(living), 1)
        living[0].wait_for_line("info listening on")
        self.assertTrue(self.accepts())
        for sender in senders:
            if sender is not living[0]:
                self.check_refused(
                    sender,
                    "Address already in use; another process listens there: stop it or choose "
                    "another path",
                    # It came while the one that lives was between its lock and its listen().
                    "Address already in use; nobody listens there, but another process has locked "
                    "its folder: try again, or remove the file")


if __name__ == "__main__":
    unittest.main()
