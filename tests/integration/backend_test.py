"""--backend: io_uring where it is possible, and epoll where a seccomp filter forbids it."""
import errno
import socket
import subprocess
import unittest

from culvert_processes import CulvertCase, connect, echo, receive_all
from no_io_uring import without_io_uring

# What the warning says of each error, and what to change.
REASONS = {errno.EPERM: "io_uring is forbidden, most likely by the seccomp profile of a container; "
                        "allow io_uring_setup, io_uring_enter and io_uring_register in it",
           errno.ENOSYS: "this kernel has no io_uring, or a seccomp profile hides it; use Linux 6.1 or "
                         "newer with CONFIG_IO_URING",
           errno.ENOMEM: "no memory for an io_uring; raise the limit of locked memory (ulimit -l)",
           errno.EINVAL: "io_uring of this kernel has no SINGLE_ISSUER and DEFER_TASKRUN: Linux 6.1 "
                         "or newer is needed; upgrade the kernel"}
WARNING = "warn io_uring is not possible here, so the engine runs on epoll "


class Backend(CulvertCase):
    def start_roles(self, *extra, prefix=()):
        """Relay, listener and sender, each with two shards."""
        relay = self.start_relay(*extra, prefix=prefix, shards=2)
        extra = ("--shards", "2", *extra)
        listener = self.start_listener(relay, f"127.0.0.1:{self.serve(echo)}", *extra, prefix=prefix)
        sender = self.start_sender(relay, *extra, prefix=prefix)
        with connect(sender.port) as app:
            app.sendall(b"through all three")
            app.shutdown(socket.SHUT_WR)
            self.assertEqual(receive_all(app), b"through all three")
        return relay, listener, sender

    def check_roles(self, backend, *extra, warning=None, prefix=()):
        for process in self.start_roles(*extra, prefix=prefix):
            line = process.wait_for_line("info the engine runs")
            self.assertTrue(line.endswith(f" backend={backend} shards=2"), line)
            # A loaded machine is no matter of the backend.
            warnings = process.lines(" warn (?!a plugin's function took long)")
            self.assertEqual(len(warnings), 1 if warning else 0, warnings)
            if warning:
                self.assertTrue(warnings[0].endswith(WARNING + warning), warnings[0])

    def test_where_it_is_forbidden_auto_takes_epoll_and_warns_once(self):
        for error, reason in REASONS.items():
            with self.subTest(errno.errorcode[error]):
                self.check_roles("epoll", warning=f'why="{reason}" errno={errno.errorcode[error]}',
                                 prefix=without_io_uring(error))

    def test_where_it_is_possible_auto_takes_it(self):
        self.check_roles("uring")

    def test_each_can_be_named_without_a_warning(self):
        self.check_roles("uring", "--backend", "uring")
        self.check_roles("epoll", "--backend", "epoll")
        self.check_roles("epoll", "--backend", "epoll", prefix=without_io_uring(errno.EPERM))

    def test_uring_that_is_named_and_forbidden_ends_the_start(self):
        relay = self.start_relay()
        connection = self.connection_file(relay, "sender")
        for error, reason in REASONS.items():
            with self.subTest(errno.errorcode[error]):
                done = subprocess.run(
                    [*without_io_uring(error), self.culvert(), "connect", "--backend", "uring",
                     "--connection-string", connection, "--bind", "127.0.0.1:0", "--ca",
                     self.certificates.ca], text=True, stdin=subprocess.DEVNULL,
                    stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=60)
                self.assertEqual((done.returncode, done.stdout, done.stderr),
                                 (1, "", f"culvert connect: {reason}\n"))

    def test_without_a_descriptor_nothing_is_tried_instead(self):
        sender = subprocess.run(
            [*without_io_uring(errno.EMFILE), self.culvert(), "demo", "--once"], text=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=60)
        self.assertEqual((sender.returncode, sender.stderr),
                         (1, "culvert demo: no descriptor for an io_uring; raise this process's "
                             "limit of open files (ulimit -n)\n"))

    def test_the_demo_proves_a_tunnel_where_it_is_forbidden_and_prints_the_backend_it_was_given(self):
        for extra, warned in (((), True), (("--backend", "epoll"), False)):
            demo = subprocess.run(
                [*without_io_uring(errno.EPERM), self.culvert(), "demo", "--once", *extra], text=True,
                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=60)
            self.assertEqual(demo.returncode, 0, demo.stderr)
            self.assertIn("64 MiB there and back, every byte checked", demo.stdout)
            self.assertEqual(demo.stdout.count(" --backend epoll"), 0 if warned else 3)
            self.assertEqual(demo.stderr.count("\n"), 1 if warned else 0, demo.stderr)
            self.assertEqual(WARNING in demo.stderr, warned)


if __name__ == "__main__":
    unittest.main()
