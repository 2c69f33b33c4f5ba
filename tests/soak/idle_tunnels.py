#!/usr/bin/env python3
"""10,000 idle tunnels: what one costs in each role, that all live, and that nothing of them is left.

Each role needs two descriptors a tunnel: `ulimit -Hn 20200` is enough for 10,000. With less, as many are opened as fit.
"""
import os
import time

from crowd import Crowd
from soak_case import SoakCase, kernel_kib, round_trip, run, say, say_row

BUSY = 100
BLOCK = 64 << 10
MOST_KIB = 128  # of anonymous memory for an idle tunnel, in each role
AGAIN_MIB = 4  # what a second crowd may take beyond the first one


class IdleTunnels(SoakCase):
    def setUp(self):
        super().setUp()
        self.start_world()
        self.count = self.tunnels_that_fit(self.options.tunnels)

    def open(self):
        crowd = Crowd(self, self.sender.port)
        began = time.monotonic()
        crowd.open(self.count)
        say(f"{self.count} tunnels opened in {time.monotonic() - began:.1f} s")
        for role in self.roles:
            self.assertEqual(self.status(role)["tunnels_open"], self.count, role.name)
        return crowd

    def use(self, apps):
        """Each sends a block and hears it."""
        block = os.urandom(BLOCK)
        times = []
        for app in apps:
            began = time.monotonic()
            self.assertTrue(round_trip(app, block), "a tunnel has lost bytes")
            times.append(time.monotonic() - began)
        return sorted(times)

    def finish(self, crowd, before):
        self.assertEqual(crowd.finish(), (self.count, 0))
        self.wait_descriptors(before)
        self.wait_memory(before, self.count)
        for role in self.roles:
            told = self.status(role)
            self.assertEqual((told["tunnels_open"], told["tunnels_aborted"]), (0, 0), role.name)

    def check_memory(self, before, opened, again):
        say_row("role", "KiB a tunnel", "descriptors a tunnel")
        say_row(*["---"] * 3)
        for role, old, new, second in zip(self.roles, before, opened, again):
            each_kib = (new.resident_kib - old.resident_kib) / self.count
            say_row(role.name.partition("-")[0], f"{each_kib:.1f}",
                    f"{(new.descriptors - old.descriptors) / self.count:.2f}")
            self.assertLess(each_kib, MOST_KIB, role.name)
            self.assertLess((second.resident_kib - new.resident_kib) / 1024, AGAIN_MIB, role.name)

    def test_idle_tunnels(self):
        first = Crowd(self, self.sender.port)
        first.open(1)
        first.finish()
        before, kernel_before = self.usage(), kernel_kib()
        crowd = self.open()
        opened = self.usage()
        say(f"the kernel's slabs and TCP buffers: {(kernel_kib() - kernel_before) / self.count:.1f} KiB a tunnel, "
            "with apps and target")
        step = max(self.count // BUSY, 1)
        times = self.use(crowd.apps[::step])
        say(f"{len(times)} of them carry {BLOCK} bytes there and back: median {times[len(times) // 2] * 1e3:.2f} ms, "
            f"longest {times[-1] * 1e3:.2f} ms")
        self.finish(crowd, before)
        closed = self.usage()
        crowd = self.open()
        again = self.usage()
        self.finish(crowd, before)
        self.check_memory(before, opened, again)
        self.say_usage(f"Before {self.count} tunnels, and when they have ended:", before, closed)


if __name__ == "__main__":
    run(IdleTunnels, __doc__, ("tunnels", 10_000, "how many"))
