"""A reader of the log, a pipe or a terminal, that does not read: tunnels move on, SIGTERM ends the
process, and a reader that goes on is told how many lines it has missed."""
import fcntl
import os
import re
import select
import threading
import unittest

from culvert_processes import CulvertCase, connect, echo, wait_until

PIPE_BYTES = 4096
BLOCK = bytes(range(256)) * 4096


class StuckReader:
    """A small pipe, full of earlier output; `prefix` gives it to a command as stderr."""

    def __init__(self, case, name):
        self.path = os.path.join(case.folder, name)
        os.mkfifo(self.path, 0o600)
        self.descriptor = os.open(self.path, os.O_RDONLY | os.O_NONBLOCK)
        case.addCleanup(os.close, self.descriptor)
        fcntl.fcntl(self.descriptor, fcntl.F_SETPIPE_SZ, PIPE_BYTES)
        with open(self.path, "wb", buffering=0) as writer:
            writer.write(b"x" * PIPE_BYTES)
        self.prefix = ("sh", "-c", 'exec "$@" 2>"$0"', self.path)

    def read(self):
        """What is there now."""
        pieces = []
        try:
            while piece := os.read(self.descriptor, 65536):
                pieces.append(piece)
        except BlockingIOError:
            pass
        return b"".join(pieces).decode()


class StuckTerminal(StuckReader):
    """A terminal that is as full."""

    def __init__(self, case, _name):
        self.descriptor, terminal = os.openpty()
        self.path = os.ttyname(terminal)
        os.set_blocking(self.descriptor, False)
        case.addCleanup(os.close, self.descriptor)
        case.addCleanup(os.close, terminal)
        self.prefix = ("sh", "-c", 'exec "$@" 2>"$0"', self.path)
        wait_until(lambda: self.is_full(terminal), "a full terminal")

    @staticmethod
    def is_full(terminal):
        """After a pause: it passes on a little late what it has taken."""
        os.set_blocking(terminal, False)
        try:
            while True:
                os.write(terminal, b"earlier" * 20 + b"\n")
        except BlockingIOError:
            return not select.select([], [terminal], [], 0.1)[1]
        finally:
            os.set_blocking(terminal, True)


class Refusals(CulvertCase):
    def test_a_program_that_cannot_start_ends_although_nobody_reads_why(self):
        for kind in StuckReader, StuckTerminal:
            reader = kind(self, "log")
            for words, code in (["relay"], 2), (["plugins", "describe", "absent"], 1):
                refused = self.start("refused", [*reader.prefix, self.culvert(), *words])
                self.assertEqual(refused.wait(), code)


class LogReader(CulvertCase):
    reader_kind = StuckReader

    def setUp(self):
        super().setUp()
        self.readers = [self.reader_kind(self, name) for name in ("relay", "listener", "sender")]
        stuck_relay, stuck_listener, stuck_sender = [reader.prefix for reader in self.readers]
        self.relay = self.start_relay(log_level="trace", prefix=stuck_relay)
        self.listener = self.start_listener(self.relay, f"127.0.0.1:{self.serve(echo)}",
                                            log_level="trace", prefix=stuck_listener, online=False)
        self.sender = self.start_sender(self.relay, log_level="trace", prefix=stuck_sender)
        wait_until(self.echoes, "a tunnel through processes with stuck logs")

    def echoes(self):
        """Whether bytes go through a new tunnel; not before the listener is there."""
        try:
            with connect(self.sender.port) as app:
                writer = threading.Thread(target=app.sendall, args=(BLOCK,))
                writer.start()
                received = b""
                try:
                    while len(received) < len(BLOCK) and (piece := app.recv(65536)):
                        received += piece
                finally:
                    app.shutdown(2)
                    writer.join()
                return received == BLOCK
        except OSError:
            return False

    def test_tunnels_move_and_sigterm_ends_each_process(self):
        for _ in range(20):
            self.assertTrue(self.echoes())
        for process in (self.sender, self.listener, self.relay):
            self.assertEqual(process.terminate(), 0, process.name)

    def test_a_reader_that_goes_on_is_told_what_it_missed(self):
        for reader in self.readers:
            # Once: where there is room, the next line may come at any time.
            self.assertEqual(os.read(reader.descriptor, PIPE_BYTES), b"x" * PIPE_BYTES)
        pattern = r"warn lines of the log were lost count=([1-9][0-9]*) why="
        for reader in self.readers:
            text = wait_until(lambda r=reader: self.echoes() and r.read(), "a line")
            self.assertRegex(text.splitlines()[0], pattern)
            self.assertEqual(len(re.findall(pattern, text.splitlines()[0])), 1)


class LogTerminal(LogReader):
    reader_kind = StuckTerminal

    def test_a_reader_that_goes_on_is_told_what_it_missed(self):
        pattern = r"warn lines of the log were lost count=([1-9][0-9]*) why="
        for reader in self.readers:
            text = []
            wait_until(lambda r=reader, t=text: self.echoes() and t.append(r.read()) or
                       re.search(pattern, "".join(t)), "the line about the loss")

    def test_a_terminal_that_stops_while_it_is_written_to_holds_up_nothing(self):
        for reader in self.readers:
            reader.read()
        for _ in range(20):
            self.assertTrue(self.echoes())
        for process in (self.sender, self.listener, self.relay):
            self.assertEqual(process.terminate(), 0, process.name)


if __name__ == "__main__":
    unittest.main()
