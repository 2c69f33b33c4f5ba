"""What the programs of this folder share: a world of three roles and a target, each a process with an admin
endpoint, what these processes use of the machine, and the table of it."""
import argparse
import json
import os
import re
import resource
import sys
import time
import unittest
from dataclasses import dataclass

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "integration"))
from admin_test import UnixConnection
from culvert_processes import Certificates, CulvertCase, connect, quiet_port, receive_all, wait_until

MIB = 1 << 20
SPARE_DESCRIPTORS = 200  # of a process, for all but its tunnels
# The listener has the first one, the sender the second one: a client has 28,000 ports for each, and where 20,000 are
# in use, the search for a free one costs more than the tunnel.
RELAY_ADDRESSES = ("127.0.0.1", "127.0.0.2")
LEFT_KIB = 16 << 10  # of free memory that a process may keep
LEFT_KIB_OF_TUNNEL = 8  # two slots, which are used again; each may keep a page of others from the system
TICKS = os.sysconf("SC_CLK_TCK")


def raise_descriptor_limit():
    """Each process that is started later has it, too. Returns the limit."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    return most


@dataclass
class Usage:
    """What a process uses now, and the CPU time that it has used since its start."""
    resident_kib: int  # anonymous memory alone: no pages of programs and libraries
    descriptors: int
    cpu_s: float

    @classmethod
    def of(cls, process):
        with open(f"/proc/{process.pid}/status", encoding="ascii") as status:
            resident_kib = int(re.search(r"RssAnon:\s+(\d+)", status.read()).group(1))
        with open(f"/proc/{process.pid}/stat", encoding="ascii") as stat:
            times = stat.read().rpartition(")")[2].split()[11:13]
        return cls(resident_kib, process.descriptors(), sum(map(int, times)) / TICKS)


def kernel_kib():
    """What the machine's kernel has in slabs and in buffers of TCP sockets; others of the machine use them too."""
    with open("/proc/meminfo", encoding="ascii") as file:
        slab_kib = int(re.search(r"Slab:\s+(\d+)", file.read()).group(1))
    with open("/proc/net/sockstat", encoding="ascii") as file:
        pages = int(re.search(r"TCP: .* mem (\d+)", file.read()).group(1))
    return slab_kib + pages * os.sysconf("SC_PAGE_SIZE") // 1024


def round_trip(app, block):
    """Sends it, and whether the same comes back."""
    app.sendall(block)
    heard = bytearray()
    while len(heard) < len(block) and (data := app.recv(len(block) - len(heard))):
        heard += data
    return heard == block


def say(text=""):
    print(text, flush=True)


def say_row(*cells):
    say("| " + " | ".join(str(cell) for cell in cells) + " |")


class SoakCase(CulvertCase):
    """start_world() starts `relay`, `listener`, `sender` and `target`; `roles` are the first three."""
    options = argparse.Namespace()
    roles = ()

    def start_target(self):
        self.target = self.start("target", [sys.executable, os.path.join(HERE, "echo_target.py")])
        return f"127.0.0.1:{self.target.wait_listening()}"

    def setUp(self):
        super().setUp()
        self.certificates = Certificates(self.folder, RELAY_ADDRESSES)

    def start_world(self, of_relay=(), of_clients=()):
        """The extra arguments of the relay, and of listener and sender."""
        target = self.start_target()
        self.port = quiet_port()
        self.relay = self.start_soaked_relay(*of_relay)
        self.listener = self.start_listener(self.relay, target, *self.admin("listener"), *of_clients,
                                            log_level="info")
        self.relay.host = RELAY_ADDRESSES[1]
        self.sender = self.start_sender(self.relay, *self.admin("sender"), *of_clients, log_level="info")
        self.roles = (self.relay, self.listener, self.sender)

    def start_soaked_relay(self, *extra):
        """On `port` of both addresses."""
        first, second = RELAY_ADDRESSES
        return self.start_relay(*self.admin("relay"), "--bind", f"{second}:{self.port}", *extra,
                                bind=f"{first}:{self.port}", names=RELAY_ADDRESSES, log_level="info")

    def admin(self, kind):
        return "--admin-bind", f"unix:{self.admin_path(kind)}"

    def admin_path(self, kind):
        return os.path.join(self.folder, f"{kind}.sock")

    def status(self, process):
        """The one role of this process, as its admin endpoint tells."""
        kind = process.name.partition("-")[0]
        connection = UnixConnection(self.admin_path(kind))
        try:
            connection.request("GET", "/status")
            return json.loads(connection.getresponse().read())["roles"][0]
        finally:
            connection.close()

    def tunnels_that_fit(self, wanted):
        """At most as many as the machine's limit of descriptors allows."""
        most = (resource.getrlimit(resource.RLIMIT_NOFILE)[1] - SPARE_DESCRIPTORS) // 2
        if wanted > most:
            say(f"{most} tunnels, not {wanted}: the hard limit of descriptors must be "
                f"{2 * wanted + SPARE_DESCRIPTORS} (ulimit -Hn)")
        return min(wanted, most)

    def usage(self):
        return [Usage.of(role) for role in self.roles]

    def wait_descriptors(self, wanted):
        """Until no role has more than `wanted` says (a usage() of before)."""
        for role, usage in zip(self.roles, wanted):
            wait_until(lambda: role.descriptors() <= usage.descriptors,
                       f"{role.name} to have {usage.descriptors} descriptors again", process=role)

    def wait_memory(self, wanted, tunnels):
        """Until each role has given back what so many tunnels took since `wanted`, but for what may be left."""
        left_kib = LEFT_KIB + tunnels * LEFT_KIB_OF_TUNNEL
        for role, usage in zip(self.roles, wanted):
            most_kib = usage.resident_kib + left_kib
            wait_until(lambda: Usage.of(role).resident_kib <= most_kib,
                       f"{role.name} to have at most {most_kib} KiB of memory", process=role)

    def say_usage(self, title, before, after):
        say(title)
        say_row("role", "memory before, after (MiB)", "descriptors before, after", "CPU-seconds between")
        say_row(*["---"] * 4)
        for role, old, new in zip(self.roles, before, after):
            say_row(role.name.partition("-")[0], f"{old.resident_kib / 1024:.1f}, {new.resident_kib / 1024:.1f}",
                    f"{old.descriptors}, {new.descriptors}", f"{new.cpu_s - old.cpu_s:.2f}")


def run(case, description, *options):
    """Runs the tests of `case`; each option: (name, default, help)."""
    parser = argparse.ArgumentParser(description=description)
    for name, default, meaning in options:
        parser.add_argument(f"--{name}", type=type(default), default=default,
                            help=f"{meaning} (default: {default})")
    case.options = parser.parse_args()
    raise_descriptor_limit()
    began = time.monotonic()
    done = unittest.TextTestRunner().run(unittest.defaultTestLoader.loadTestsFromTestCase(case))
    say(f"{time.monotonic() - began:.0f} s")
    sys.exit(not done.wasSuccessful())
