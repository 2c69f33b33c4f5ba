#!/usr/bin/env python3
"""An hour with tokens of 60 s: no channel and no tunnel is lost, memory and descriptors stay the same.

Through one relay go, all the time: streams that carry a block each second, tunnels that are idle from the first
minute to the last, and short new ones. The relay takes no token that has ended more than 60 s ago.
"""
import os
import socket
import time

from soak_case import MIB, SoakCase, connect, receive_all, round_trip, run, say, say_row, wait_until

LIFETIME_S = 60
BLOCK = 16 << 10
STREAMS = 8
IDLE = 20
SAMPLE_S = 5
GROWTH_MIB = 1  # what each role's memory may grow by, after the first twelfth of the time
GREETING = b"idle from the first minute"


class Renewals(SoakCase):
    def setUp(self):
        super().setUp()
        self.start_world(
            ("--limit", f"token_grace={LIFETIME_S}s", "--set", f"auth_sas.clock_skew_s={LIFETIME_S}"),
            ("--set", f"auth_sas.token_lifetime_s={LIFETIME_S}"))
        self.streams = [self.open() for _ in range(STREAMS)]
        self.idle = [self.open() for _ in range(IDLE)]
        self.expiries = set()
        self.blocks = self.short = 0
        self.losses = [self.losses_of(role) for role in self.roles]

    def losses_of(self, role):
        told = self.status(role)
        return [told[name] for name in ("tunnels_aborted", "tunnels_dropped", "setups_failed")]

    def open(self):
        app = connect(self.sender.port)
        self.addCleanup(app.close)
        self.assertTrue(round_trip(app, GREETING))
        return app

    def use(self):
        """One second's work: a block through each stream, and every other second a short tunnel."""
        block = os.urandom(BLOCK)
        for app in self.streams:
            self.assertTrue(round_trip(app, block), "a stream has lost bytes")
            self.blocks += 1
        if self.blocks // STREAMS % 2:
            with connect(self.sender.port) as app:
                app.sendall(block)
                app.shutdown(socket.SHUT_WR)
                self.assertEqual(receive_all(app), block)
            self.short += 1

    def sample(self):
        """What the roles use while the long tunnels alone are open. Nothing was lost until now."""
        for role in self.roles:
            wait_until(lambda: self.status(role)["tunnels_open"] == STREAMS + IDLE,
                       f"{role.name} to have only the long tunnels", process=role)
        told = self.status(self.listener)
        self.assertEqual((told["channels_registered"], told["channels_lost"]), (1, 0))
        self.expiries.add(told["token_expires"])
        self.assertEqual([self.losses_of(role) for role in self.roles], self.losses)
        return self.usage()

    def check_flat(self, first, last):
        self.wait_descriptors(first)
        for role, before, after in zip(self.roles, first, last):
            self.assertLess((after.resident_kib - before.resident_kib) * 1024, GROWTH_MIB * MIB,
                            f"{role.name} has grown")

    def check_renewals(self, minutes):
        """Each one that /status has shown is a line of both logs."""
        renewals = len(self.expiries) - 1
        self.assertGreaterEqual(renewals, int(minutes))
        self.listener.wait_for_line("renewed the token of the control channel", renewals)
        self.relay.wait_for_line("listener renewed its token", renewals)
        return renewals

    def test_renewals(self):
        minutes = self.options.minutes
        first = None
        began = time.monotonic()
        seconds = 0
        say_row("minute", "renewals", "streams' MiB", "short tunnels", "memory of relay, listener, sender (KiB)",
                "descriptors", "CPU-seconds")
        say_row(*["---"] * 7)
        while seconds < minutes * 60:
            self.use()
            seconds += 1
            if seconds % SAMPLE_S == 0:
                now = self.sample()
                if first is None and seconds >= minutes * 5:
                    first = now
                if seconds % max(int(minutes), SAMPLE_S) == 0:
                    self.say_sample(seconds / 60, now)
            time.sleep(max(0, began + seconds - time.monotonic()))  # the rate, not a wait for anything
        last = self.sample()
        for app in self.streams + self.idle:
            self.assertTrue(round_trip(app, GREETING), "a tunnel of the first minute does not live any more")
        self.check_flat(first, last)
        renewals = self.check_renewals(minutes)
        say(f"{renewals} renewals, {self.blocks} blocks of {BLOCK} bytes in {STREAMS} streams, {IDLE} idle tunnels, "
            f"{self.short} short tunnels; nothing lost")
        self.say_usage("From the first twelfth to the end:", first, last)

    def say_sample(self, minute, now):
        say_row(f"{minute:.1f}", len(self.expiries) - 1, f"{self.blocks * BLOCK / MIB:.0f}", self.short,
                *[", ".join(str(getattr(usage, field)) for usage in now) for field in
                  ("resident_kib", "descriptors")], ", ".join(f"{usage.cpu_s:.2f}" for usage in now))


if __name__ == "__main__":
    run(Renewals, __doc__, ("minutes", 60.0, "how long"))
