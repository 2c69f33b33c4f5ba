"""The programs of tests/soak, small: that they run, end by themselves, and find their promises kept."""
import os
import subprocess
import sys
import unittest

SOAK = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "soak")


class Soak(unittest.TestCase):
    def check(self, name, *arguments):
        """It ends with 0; returns what it has printed."""
        done = subprocess.run([sys.executable, os.path.join(SOAK, name), *arguments], stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, timeout=540, check=False)
        self.assertEqual(done.returncode, 0, done.stdout)
        return done.stdout

    def test_renewals(self):
        """As long as the shortest life of a token."""
        self.assertRegex(self.check("renewals.py", "--minutes", "1"), r"[1-9] renewals, 480 blocks")

    def test_idle_tunnels(self):
        """So many that the relay must give memory back."""
        self.assertEqual(self.check("idle_tunnels.py", "--tunnels", "1200").count("1200 tunnels opened"), 2)

    def test_connect_storm(self):
        printed = self.check("connect_storm.py", "--seconds", "5", "--rate", "200")
        self.assertRegex(printed, r'250 networks: .*"offered": [1-9]')

    def test_killed_relay(self):
        self.assertIn("100 apps were reset", self.check("killed_relay.py", "--tunnels", "100"))


if __name__ == "__main__":
    unittest.main()
