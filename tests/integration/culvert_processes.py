"""Runs Culvert's roles as processes of their own, for tests against real software.

A test derives from CulvertCase and calls start_relay(), start_listener() and start_sender(). Each
role binds port 0 and is asked for its port through /proc, so nothing can race for a port. All that
a test starts ends with it, also when it fails or is killed; when it fails, every log is shown.

The programs come from the folder in CULVERT_BIN, which ctest sets; by hand:
    CULVERT_BIN=build/release/bin python3 tests/integration/smoke_test.py
With CULVERT_TEST_BACKEND=epoll in the environment, the three roles run on that backend. With
CULVERT_TEST_FILE=1 they are not `relay`, `listen` and `connect` but `up`, each with a file of its own.
"""
import copy
import ctypes
import os
import random
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import unittest

from certificates import Certificates
from role_file import RoleFile

DEADLINE_S = 60  # generous: only a broken program waits this long
PEER_KEY = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFG"
_LIBC = ctypes.CDLL(None, use_errno=True)
_PR_SET_PDEATHSIG = 1
_LISTENING = "0A"


def binary_folder():
    folder = os.environ.get("CULVERT_BIN")
    if not folder:
        sys.exit("set CULVERT_BIN to the folder of the built programs")
    return os.path.abspath(folder)


def backend_option():
    """Of each role, when the run of the tests is for one backend."""
    backend = os.environ.get("CULVERT_TEST_BACKEND")
    return ("--backend", backend) if backend else ()


def runs_from_files():
    return bool(os.environ.get("CULVERT_TEST_FILE"))


def _die_with_parent():
    _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def wait_until(condition, what, deadline_s=DEADLINE_S, process=None):
    """Returns condition()'s first true value; fails with `what` when it does not come."""
    end = time.monotonic() + deadline_s
    while True:
        ended = process is not None and process.exited()  # before the look: it may say it, and end
        value = condition()
        if value:
            return value
        if ended:
            raise AssertionError(f"{process.name} exited with {process.code()} before {what}")
        if time.monotonic() > end:
            raise AssertionError(f"waited {deadline_s} s in vain for {what}")
        time.sleep(0.01)


def without_proxy(environment):
    """A proxy of the machine that runs the tests leads to none of their relays."""
    return {name: value for name, value in environment.items()
            if name.upper() not in ("HTTPS_PROXY", "NO_PROXY")}


class Process:
    """A program with its output in a file. `user` runs it as that user (root only)."""

    log_begin = 0  # what is before it in the log belongs to others of the same process
    other_ports = frozenset()  # and so do these

    def __init__(self, name, arguments, folder, environment=None, user=None, cwd=None):
        self.name = name
        self.log_path = os.path.join(folder, f"{name}.log")
        identity = {"user": user, "group": user, "extra_groups": []} if user else {}
        with open(self.log_path, "ab") as log:
            self.popen = subprocess.Popen(
                arguments, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT,
                env={**without_proxy(os.environ), **(environment or {})}, cwd=cwd,
                preexec_fn=_die_with_parent, **identity)

    @property
    def pid(self):
        return self.popen.pid

    def exited(self):
        return self.popen.poll() is not None

    def code(self):
        return self.popen.poll()

    def log(self):
        with open(self.log_path, encoding="utf-8", errors="replace") as log:
            return log.read()[self.log_begin:]

    def lines(self, pattern):
        """All whole lines so far in which the pattern is found."""
        whole = self.log().rpartition("\n")[0]
        return [line for line in whole.splitlines() if re.search(pattern, line)]

    def wait_for_line(self, pattern, count=1, deadline_s=DEADLINE_S):
        """Waits for the count-th line with the pattern and returns it."""
        def found():
            lines = self.lines(pattern)
            return lines[count - 1] if len(lines) >= count else None
        return wait_until(found, f"line {count} with '{pattern}'", deadline_s, self)

    def listening_ports(self):
        """The TCP ports this role listens on, in its own network namespace."""
        inodes = set()
        ports = set()
        try:
            for entry in os.scandir(f"/proc/{self.pid}/fd"):
                target = os.readlink(entry.path)
                if target.startswith("socket:["):
                    inodes.add(target[8:-1])
            for family in ("tcp", "tcp6"):
                with open(f"/proc/{self.pid}/net/{family}", encoding="ascii") as table:
                    for row in list(table)[1:]:
                        fields = row.split()
                        if fields[3] == _LISTENING and fields[9] in inodes:
                            ports.add(int(fields[1].rsplit(":", 1)[1], 16))
        except OSError:  # a descriptor was closed meanwhile, or the process starts or has ended
            pass
        return ports - self.other_ports

    def wait_listening(self):
        """Waits until it listens, and returns the port."""
        return min(wait_until(self.listening_ports, f"{self.name} to listen", process=self))

    def resident_kib(self):
        with open(f"/proc/{self.pid}/status", encoding="ascii") as status:
            return int(re.search(r"VmRSS:\s+(\d+)", status.read()).group(1))

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.pid}/fd"))

    def signal(self, number):
        self.popen.send_signal(number)

    def wait_signal_taken(self, number):
        """Until it has taken the signal: one that is sent while the same one waits is lost."""
        def taken():
            with open(f"/proc/{self.pid}/status", encoding="ascii") as status:
                waiting = int(re.search(r"ShdPnd:\s+(\w+)", status.read()).group(1), 16)
            return not waiting & 1 << (number - 1)
        wait_until(taken, f"{self.name} to take signal {number}", process=self)

    def wait(self, deadline_s=DEADLINE_S):
        """The exit code."""
        return self.popen.wait(deadline_s)

    def terminate(self, deadline_s=DEADLINE_S):
        """Asks it to end, and returns the exit code."""
        self.popen.terminate()
        return self.wait(deadline_s)

    def kill(self):
        """kill -9; harmless when it has ended."""
        if not self.exited():
            self.popen.kill()
        self.popen.wait()


class Relay(Process):
    """A relay's process, with what others need to reach it: host, port and keys."""
    host = "127.0.0.1"
    port = 0

    def connection_string(self, rule, entity="app"):
        return (f"Endpoint=sb://{self.host}:{self.port}/;SharedAccessKeyName={rule};"
                f"SharedAccessKey={rule}-{PEER_KEY};EntityPath={entity}")


class CulvertCase(unittest.TestCase):
    """A test with a 0700 folder of its own, certificates, and processes that end with it.

    A class that names a `transport` has all its roles speak that protocol, not the default one. In a
    run from files, a class whose `shares_process` is true has all its roles in one file and process.
    """
    transport = None
    shares_process = False

    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="culvert-test-")
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        self.processes = []
        self.shared = None  # the process that roles of one file share
        self.addCleanup(self._end_processes)
        self.certificates = Certificates(self.folder)

    def run(self, result=None):
        self._transcript = []
        before = len(result.failures) + len(result.errors) if result else 0
        super().run(result)
        if result and len(result.failures) + len(result.errors) > before:
            print("\n".join(self._transcript), file=sys.stderr, flush=True)

    def _end_processes(self):
        for process in reversed(self.processes):
            process.kill()
        for process in self.processes:
            tail = process.log()[-20000:]
            self._transcript.append(f"--- {process.name} (exit {process.code()}):\n{tail}")

    def start(self, name, arguments, kind=Process, **options):
        """Starts any program; it ends with the test at the latest."""
        name = f"{name}-{len(self.processes)}"
        process = kind(name, arguments, self.folder, **options)
        self.processes.append(process)
        return process

    def start_role(self, name, command, flags, prefix=(), kind=Process):
        """A process with this role. In a file that roles share, it is a view of their one process."""
        if not runs_from_files():
            return self.start(name, [*prefix, self.culvert(), command, *flags], kind=kind)
        if self.shares_process and self.shared:
            role = copy.copy(self.shared)
            role.log_begin, role.other_ports = len(role.log()), role.listening_ports()
            self.file.add(command, flags)
            role.signal(signal.SIGHUP)
            return role
        self.file = RoleFile(os.path.join(self.folder, f"{name}-{len(self.processes)}.toml"))
        self.file.add(command, flags)
        self.shared = self.start(name, [*prefix, self.culvert(), "up", "--config", self.file.path],
                                 kind=kind)
        return self.shared

    def write_secret(self, name, text):
        path = os.path.join(self.folder, name)
        with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w",
                  encoding="utf-8") as file:
            file.write(text + "\n")
        return path

    def start_relay(self, *extra, names=("127.0.0.1", "localhost"), bind="127.0.0.1:0",
                    entities=("app",), protocols=(), shards=1, log_level="debug", prefix=()):
        """A relay with the rules `listener` and `sender`; `prefix` goes before the command."""
        flags = ["--bind", bind, "--certificate", self.certificates.certificate,
                 "--private-key", self.certificates.key, "--name", ",".join(names),
                 "--shards", str(shards), "--log-level", log_level, *backend_option()]
        for rule, rights in (("listener", "listen"), ("sender", "send")):
            path = self.write_secret(f"{rule}.key", f"{rule}-{PEER_KEY}")
            flags += ["--rule", f"{rule}:{rights}:file:{path}"]
        for entity in entities:
            flags += ["--entity", entity]
        for protocol in protocols or self.named_transport():
            flags += ["--protocol", protocol]
        relay = self.start_role("relay", "relay", [*flags, *extra], prefix, kind=Relay)
        relay.host = names[0]
        relay.port = relay.wait_listening()
        return relay

    def start_listener(self, relay, target, *extra, entity="app", online=True, prefix=(),
                       log_level="debug"):
        """A listener in front of `target` (host:port); waits until it is registered."""
        listener = self.start_role("listener", "listen", [
            "--connection-string", self.connection_file(relay, "listener", entity),
            "--target", target, "--ca", self.certificates.ca, "--log-level", log_level,
            *self.transport_option(), *backend_option(), *extra], prefix)
        if online:
            listener.wait_for_line("registered at the relay")
        return listener

    def start_sender(self, relay, *extra, entity="app", bind="127.0.0.1:0", prefix=(),
                     log_level="debug"):
        """A sender; `port` of what is returned is where an app connects. Without `bind` one of `extra`
        says where it listens."""
        sender = self.start_role("sender", "connect", [
            "--connection-string", self.connection_file(relay, "sender", entity),
            *(("--bind", bind) if bind else ()), "--ca", self.certificates.ca, "--log-level", log_level,
            *self.transport_option(), *backend_option(), *extra], prefix)
        sender.port = sender.wait_listening()
        return sender

    def named_transport(self):
        return (self.transport,) if self.transport else ()

    def transport_option(self):
        return ("--transport", self.transport) if self.transport else ()

    def connection_file(self, relay, rule, entity="app"):
        """A connection string as the command takes it: file:PATH."""
        name = f"{rule}-{entity}-{relay.port}.connection".replace("/", "_")
        return "file:" + self.write_secret(name, relay.connection_string(rule, entity))

    def check_reset(self, port):
        """An app's connection is reset; it may be before connect() has returned."""
        with self.assertRaises(ConnectionResetError), connect(port) as app:
            app.recv(1)

    @staticmethod
    def culvert():
        return os.path.join(binary_folder(), "culvert")

    def serve(self, handle, host="127.0.0.1"):
        """A TCP service in this process: handle(socket) in a thread each; returns its port."""
        service = socket.create_server((host, 0), backlog=1024)
        self.addCleanup(service.close)
        self.addCleanup(service.shutdown, socket.SHUT_RDWR)

        def accept():
            while True:
                try:
                    peer, _ = service.accept()
                except OSError:
                    return
                threading.Thread(target=self._handle, args=(handle, peer), daemon=True).start()
        threading.Thread(target=accept, daemon=True).start()
        return service.getsockname()[1]

    @staticmethod
    def _handle(handle, peer):
        with peer:
            try:
                handle(peer)
            except OSError:
                pass  # the test judges what its client saw


def echo(peer):
    """For serve(): sends back what comes, until its end."""
    while data := peer.recv(65536):
        peer.sendall(data)


def receive_all(connection):
    """All bytes until the other side's end."""
    pieces = []
    while data := connection.recv(1 << 20):
        pieces.append(data)
    return b"".join(pieces)


def receive_exactly(connection, size):
    """`size` bytes, or fewer if the other side ends: with a timeout, MSG_WAITALL may return early."""
    data = b""
    while len(data) < size and (more := connection.recv(size - len(data))):
        data += more
    return data


def free_port():
    """A port nobody listens on now, for programs of others that cannot bind port 0."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return probe.getsockname()[1]


def quiet_port():
    """A port below those that the kernel gives to clients, so that no connection takes it by chance."""
    with open("/proc/sys/net/ipv4/ip_local_port_range", encoding="ascii") as file:
        first_of_clients = int(file.read().split()[0])
    while True:
        port = random.randrange(10_000, first_of_clients)
        try:
            with socket.create_server(("127.0.0.1", port)):
                return port
        except OSError:
            pass  # somebody listens there


def connect(port, host="127.0.0.1"):
    return socket.create_connection((host, port), timeout=DEADLINE_S)
