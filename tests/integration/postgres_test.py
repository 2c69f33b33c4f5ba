"""A real PostgreSQL session crosses sender, relay and listener, under both relay protocols.

One relay process of two shards serves transport_azure and the plain C example protocol; a pair of
listener and sender runs for each, and the pairs differ in --transport alone. In the run from files, all
five roles are one process of one file.
"""
import hashlib
import os
import re
import subprocess
import unittest

from postgres_server import PostgresCase, program

PROTOCOLS = ("transport_azure", "example_relay")
CLIENTS = 8
TRANSACTIONS = 250  # of each client, on one connection
CONNECTIONS = 25  # of each client, one transaction on each
ROWS = 1_000_000
ROW_BYTES = 100  # 9 digits, a tab, 64 + 25 hexadecimal digits, a newline: 100 MB in all
ROW = "lpad(n::text, 9, '0') AS n, repeat(md5(n::text), 2) || left(md5((n * 7)::text), 25) AS text"
COPY_OUT = "COPY (SELECT * FROM %s ORDER BY n) TO STDOUT"


class Postgres(PostgresCase):
    shares_process = True

    def setUp(self):
        super().setUp()
        self.server_port = self.start_server()
        self.client("psql", self.server_port, "-c", f"CREATE TABLE bulk AS SELECT {ROW} "
                    f"FROM generate_series(1, {ROWS}) AS n")
        self.relay = self.start_relay(shards=2, protocols=PROTOCOLS)
        self.ports = {protocol: self.start_pair(protocol) for protocol in PROTOCOLS}

    def start_pair(self, transport):
        target = f"127.0.0.1:{self.server_port}"
        self.start_listener(self.relay, target, "--transport", transport)
        return self.start_sender(self.relay, "--transport", transport).port

    def client_command(self, name, port, *arguments):
        quiet = ["-q", "-X", "-v", "ON_ERROR_STOP=1"] if name == "psql" else []
        return [program(name), "-h", "127.0.0.1", "-p", str(port), "-U", self.name,
                *quiet, *arguments, "postgres"]

    def client(self, name, port, *arguments, **options):
        """Runs psql or pgbench and returns what it printed."""
        done = subprocess.run(self.client_command(name, port, *arguments), text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, **options)
        self.assertEqual(done.returncode, 0, f"{name} {arguments}: {done.stdout}")
        return done.stdout

    def copy_out(self, port, table, path):
        """COPY to a file; returns its digest and size."""
        with open(path, "wb") as file:
            subprocess.run(self.client_command("psql", port, "-c", COPY_OUT % table), check=True,
                           stdout=file)
        with open(path, "rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest(), os.path.getsize(path)

    def check_pgbench(self, port, *arguments, transactions):
        said = self.client("pgbench", port, "-n", "-c", str(CLIENTS), "-j", "2", "-t",
                           str(transactions), *arguments)
        wanted = CLIENTS * transactions
        self.assertRegex(said, rf"actually processed: {wanted}/{wanted}\n")
        self.assertRegex(said, r"failed transactions: 0 ")

    def check_balances(self):
        """What pgbench wrote adds up, seen without the tunnel."""
        sums = self.client("psql", self.server_port, "-A", "-t", "-c",
                           "SELECT (SELECT sum(abalance) FROM pgbench_accounts) = "
                           "(SELECT sum(delta) FROM pgbench_history), "
                           "(SELECT count(*) FROM pgbench_history)")
        self.assertEqual(sums.strip(), f"t|{CLIENTS * (TRANSACTIONS + CONNECTIONS)}")

    def joined(self, moved):
        return len(self.relay.lines(rf"tunnel joined .*listener_moved_here={moved}"))

    def check_copies(self, port):
        path = os.path.join(self.folder, "bulk")
        wanted = self.copy_out(self.server_port, "bulk", path)
        self.assertEqual(wanted[1], ROWS * ROW_BYTES)
        self.assertEqual(self.copy_out(port, "bulk", path), wanted)
        self.client("psql", port, "-c", "DROP TABLE IF EXISTS again",
                    "-c", "CREATE TABLE again (LIKE bulk)")
        with open(path, "rb") as file:
            self.client("psql", port, "-c", "COPY again FROM STDIN", stdin=file)
        self.assertEqual(self.copy_out(self.server_port, "again", path), wanted)

    def test_both_protocols_in_one_relay(self):
        for protocol, port in self.ports.items():
            with self.subTest(protocol):
                moved, stayed = self.joined("yes"), self.joined("no")
                self.client("pgbench", port, "-i", "-s", "1")
                self.check_pgbench(port, transactions=TRANSACTIONS)
                self.check_pgbench(port, "-C", transactions=CONNECTIONS)
                self.check_balances()
                self.check_copies(port)
                self.assertGreater(self.joined("yes"), moved, "no connection moved")
                self.assertGreater(self.joined("no"), stayed, "every connection moved")
        self.check_no_tunnel_broke()

    def check_no_tunnel_broke(self):
        shards = {re.search(r" shard=(\d+)", line).group(1)
                  for line in self.relay.lines("tunnel joined .*listener_moved_here")}
        self.assertEqual(shards, {"0", "1"})
        for line in self.relay.lines("tunnel ended"):
            self.assertIn(" how=finished ", line)

    def test_both_protocols_at_once(self):
        self.client("pgbench", self.server_port, "-i", "-s", "1")
        paths = [os.path.join(self.folder, protocol) for protocol in PROTOCOLS]
        copies = []
        for port, path in zip(self.ports.values(), paths):
            with open(path, "wb") as file:
                copies.append(subprocess.Popen(
                    self.client_command("psql", port, "-c", COPY_OUT % "bulk"), stdout=file))
        for port in self.ports.values():
            self.check_pgbench(port, "-S", transactions=TRANSACTIONS)
        self.assertEqual([copy.wait() for copy in copies], [0, 0])
        digests = set()
        for path in paths:
            with open(path, "rb") as file:
                digests.add(hashlib.file_digest(file, "sha256").hexdigest())
        self.assertEqual(len(digests), 1)
        self.assertEqual(os.path.getsize(paths[0]), ROWS * ROW_BYTES)


if __name__ == "__main__":
    unittest.main()
