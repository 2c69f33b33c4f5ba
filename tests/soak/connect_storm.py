#!/usr/bin/env python3
"""2,000 strangers a second connect to the relay for a minute, first from one address, then from 250 networks: a tunnel
of somebody else goes on, new ones are opened, and the relay's memory, descriptors and log stay bounded.

A third of them is silent, a third says hello in TLS and no more, a third shows a wrong token.
"""
import json
import os
import sys
import threading
import time

from soak_case import HERE, SoakCase, Usage, connect, round_trip, run, say, say_row, wait_until

SPREADS = (("one address", 1), ("250 networks", 250))
WORD = b"x" * 64
PAUSE_S = 0.005  # between two round trips
SAMPLE_S = 0.05
NEW_TUNNEL_EVERY = 100  # round trips
STRANGERS = 1_024  # RelayLimits::unauthenticated
OTHERS = 64  # descriptors: the new tunnel, connections that end, the admin endpoint
GROWTH_MIB = 256  # 256 KiB for each stranger: in the middle of a handshake libssl has about 100
LINES_OF_ADDRESS = 40  # of the log; see RelayLimits::refusals_logged_per_source


class ConnectStorm(SoakCase):
    def setUp(self):
        super().setUp()
        self.start_world()
        self.neighbour = connect(self.sender.port)
        self.addCleanup(self.neighbour.close)

    def measure(self, go_on):
        """Round trips of the neighbour, sorted; now and then a new tunnel. Also the most that the relay used."""
        times = []
        peak = Usage.of(self.relay)
        ended = threading.Event()
        watcher = threading.Thread(target=self.watch, args=(peak, ended))
        watcher.start()
        try:
            while go_on():
                began = time.monotonic()
                self.assertTrue(round_trip(self.neighbour, WORD), "the neighbour has lost bytes")
                times.append(time.monotonic() - began)
                if len(times) % NEW_TUNNEL_EVERY == 0:
                    with connect(self.sender.port) as app:
                        self.assertTrue(round_trip(app, WORD), "a new tunnel")
                time.sleep(PAUSE_S)  # the rate of the neighbour, not a wait for anything
        finally:
            ended.set()
            watcher.join()
        return sorted(times), peak

    def watch(self, peak, ended):
        while not ended.wait(SAMPLE_S):
            now = Usage.of(self.relay)
            peak.resident_kib = max(peak.resident_kib, now.resident_kib)
            peak.descriptors = max(peak.descriptors, now.descriptors)

    def storm(self, addresses):
        arguments = [self.relay.port, self.options.rate, self.options.seconds, addresses]
        return self.start("storm", [sys.executable, os.path.join(HERE, "storm_client.py"), *map(str, arguments)])

    def say_times(self, what, times, usage, cpu_s):
        say_row(what, len(times), *[f"{times[int(len(times) * part)] * 1e3:.2f}" for part in (0.5, 0.99)],
                f"{times[-1] * 1e3:.2f}", f"{usage.resident_kib / 1024:.1f}", usage.descriptors, f"{cpu_s:.2f}")

    def check_bounded(self, addresses, quiet, peak, lines):
        self.assertLess(peak.descriptors, quiet.descriptors + STRANGERS + OTHERS)
        self.assertLess(peak.resident_kib - quiet.resident_kib, GROWTH_MIB * 1024)
        self.assertLess(len(self.relay.lines("connection refused")) - lines, LINES_OF_ADDRESS * addresses)
        wait_until(lambda: self.relay.descriptors() <= quiet.descriptors, "no stranger is left", process=self.relay)

    def run_storm(self, name, addresses, quiet):
        lines = len(self.relay.lines("connection refused"))
        began = Usage.of(self.relay)
        client = self.storm(addresses)
        times, peak = self.measure(lambda: not client.exited())
        self.assertEqual(client.code(), 0)
        self.say_times(name, times, peak, Usage.of(self.relay).cpu_s - began.cpu_s)
        self.check_bounded(addresses, quiet, peak, lines)
        return json.loads(client.log())

    def test_connect_storm(self):
        say_row("neighbour beside", "round trips", "p50 (ms)", "p99", "longest", "relay's memory (MiB)",
                "its descriptors", "its CPU-seconds")
        say_row(*["---"] * 8)
        before = self.usage()
        end = time.monotonic() + self.options.seconds
        times, quiet = self.measure(lambda: time.monotonic() < end)
        self.say_times("nothing", times, quiet, Usage.of(self.relay).cpu_s - quiet.cpu_s)
        counts = [(name, self.run_storm(name, addresses, quiet)) for name, addresses in SPREADS]
        for name, count in counts:
            say(f"{name}: {json.dumps(count, sort_keys=True)}")
            self.assertGreater(count["offered"], 0)
        self.assertEqual(self.relay.lines("tunnel ended .*how=(aborted|dropped)"), [])
        self.wait_memory(before, STRANGERS)
        self.say_usage("Before the storms and after them:", before, self.usage())


if __name__ == "__main__":
    run(ConnectStorm, __doc__, ("rate", 2_000, "connections a second"), ("seconds", 60, "of each storm"))
