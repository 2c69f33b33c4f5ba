"""A real PostgreSQL server for a test."""
import glob
import os
import pwd
import shutil
import subprocess
import tempfile
import unittest

from culvert_processes import CulvertCase, free_port, wait_until


def program(name):
    """Debian keeps the server's own programs in a folder that is not in PATH."""
    found = sorted(glob.glob(f"/usr/lib/postgresql/*/bin/{name}"))
    path = found[-1] if found else shutil.which(name)
    if not path:
        raise unittest.SkipTest(f"{name} is not here; apt-get install postgresql")
    return path


class PostgresCase(CulvertCase):
    def start_server(self):
        """A server in a folder of its own. initdb refuses root: then it runs as `postgres`."""
        user = "postgres" if os.geteuid() == 0 else None
        self.name = user or pwd.getpwuid(os.geteuid()).pw_name
        data = tempfile.mkdtemp(prefix="culvert-postgres-")
        self.addCleanup(shutil.rmtree, data, ignore_errors=True)
        identity = {"user": user, "group": user, "extra_groups": []} if user else {}
        if user:
            shutil.chown(data, user, user)
        subprocess.run([program("initdb"), "-D", f"{data}/db", "-A", "trust", "-U", self.name,
                        "--no-sync", "--locale=C", "-E", "UTF8"],
                       check=True, stdout=subprocess.DEVNULL, cwd="/", **identity)
        ready = "database system is ready to accept connections"
        while True:
            port = free_port()
            server = self.start(
                "postgres", [program("postgres"), "-D", f"{data}/db", "-k", "", "-c",
                             f"port={port}", "-c", "listen_addresses=127.0.0.1", "-c", "fsync=off",
                             "-c", "max_wal_size=4GB"], user=user, cwd="/")
            wait_until(lambda: server.exited() or server.lines(ready), "the server")
            if not server.lines("could not bind .*Address already in use"):  # it was free once
                server.wait_for_line(ready)
                return port
