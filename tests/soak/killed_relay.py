#!/usr/bin/env python3
"""10,000 tunnels whose relay is killed: each is reported as broken, and both ends are as before and come back.

For the limit of descriptors see idle_tunnels.py.
"""
import time

from crowd import Crowd
from soak_case import SoakCase, connect, kernel_kib, round_trip, run, say, wait_until

OTHER_LINES = 100  # of a log, besides one for each tunnel


class KilledRelay(SoakCase):
    def setUp(self):
        super().setUp()
        self.start_world()
        self.roles = self.roles[1:]  # the relay is one that comes and goes
        self.count = self.tunnels_that_fit(self.options.tunnels)

    def kill(self, crowd):
        """Each app and each connection of the target is reset."""
        lines = [len(role.lines("")) for role in self.roles]
        self.relay.kill()
        began = time.monotonic()
        self.assertEqual(crowd.ends(), (0, self.count))
        say(f"{self.count} apps were reset {time.monotonic() - began:.2f} s after the relay was killed")
        self.target.wait_for_line(f"open=0 clean=1 reset={self.count}")
        for role, before in zip(self.roles, lines):
            wait_until(lambda: self.status(role)["tunnels_aborted"] == self.count,
                       f"{role.name} to have aborted {self.count} tunnels", process=role)
            self.assertLess(len(role.lines("")) - before, self.count + OTHER_LINES, role.name)

    def come_back(self):
        self.relay = self.start_soaked_relay()
        self.listener.wait_for_line("registered at the relay", count=2)
        with connect(self.sender.port) as app:
            self.assertTrue(round_trip(app, b"again"))

    def test_killed_relay(self):
        first = Crowd(self, self.sender.port)
        first.open(1)
        first.finish()
        before, kernel_before = self.usage(), kernel_kib()
        crowd = Crowd(self, self.sender.port)
        crowd.open(self.count)
        opened = self.usage()
        self.kill(crowd)
        self.wait_descriptors(before)
        self.wait_memory(before, self.count)
        say(f"the kernel's slabs and TCP buffers: {(kernel_kib() - kernel_before) / 1024:.1f} MiB more than before")
        self.come_back()
        ended = self.usage()
        self.say_usage(f"Before {self.count} tunnels, and with them:", before, opened)
        self.say_usage("With them, and when all have ended:", opened, ended)
        for role in self.roles:
            self.assertEqual(self.status(role)["tunnels_dropped"], 0, role.name)


if __name__ == "__main__":
    run(KilledRelay, __doc__, ("tunnels", 10_000, "how many"))
