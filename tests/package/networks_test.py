"""The README's one file as three, in three networks that meet at the relay only: PostgreSQL by name, Prometheus.

A booted machine has the relay as culvert.service. Its two network namespaces, of the listener with PostgreSQL
and of the sender with psql, each have a link to the relay and no other way out.
"""
import os
import re
import select
import shutil
import subprocess
import sys
import unittest

from bare_system import PATIENCE_S, ROOT, Machine, skip_if_impossible, wait_for

ADDRESS = {"listener": ("10.213.0.1", "10.213.0.2"), "sender": ("10.213.1.1", "10.213.1.2")}  # the relay's, its own
FOLDER = "/etc/culvert/culvert-relay"
ADMIN = "127.0.0.1:9464"
CHANGES = {'"127.0.0.1:8443"': '"0.0.0.0:443"', '"localhost"': '"relay.example"', '"web"': '"db"',
           '"127.0.0.1:8080"': '"127.0.0.1:5432"', '"127.0.0.1:9000"': '"127.0.0.1:5432"'}
SCRAPE = f"""
  - job_name: culvert
    scrape_interval: 1s
    static_configs:
      - targets: ['{ADMIN}']
"""
RULE = """
[[relay.rule]]
name = "late"
rights = ["send"]
primary_key = "file:culvert-next/sender.key"
"""


def setUpModule():
    skip_if_impossible()


def readme_parts():
    """The README's file for this relay and target: the relay's part, the listener's, the sender's."""
    with open(os.path.join(ROOT, "README.md"), encoding="utf-8") as file:
        text = re.search(r"^```toml\n(\[\[relay\]\].*?)^```$", file.read(), re.DOTALL | re.MULTILINE).group(1)
    for old, new in CHANGES.items():
        if old not in text:
            raise AssertionError(f"the README's file has no {old}")
        text = text.replace(old, new)
    return re.split(r"^(?=\[\[(?:listener|sender)\]\])", text, flags=re.MULTILINE)


class Networks(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.machine = Machine(cls.addClassCleanup, "iproute2", "postgresql", "prometheus",
                              options=("--private-network",))
        for number, (name, (theirs, own)) in enumerate(ADDRESS.items()):
            cls.make_network(name, f"to{number}", theirs, own)
        cls.start_postgres()
        cls.start_roles(*readme_parts())

    @classmethod
    def make_network(cls, name, link, theirs, own):
        for command in (f"ip netns add {name}", f"ip -n {name} link set lo up",
                        f"ip link add {link} type veth peer name eth0 netns {name}",
                        f"ip address add {theirs}/30 dev {link}", f"ip link set {link} up",
                        f"ip -n {name} address add {own}/30 dev eth0", f"ip -n {name} link set eth0 up"):
            cls.machine.run(*command.split())
        # `ip netns exec` shows this file as /etc/hosts.
        cls.machine.write(f"/etc/netns/{name}/hosts",
                          f"127.0.0.1 localhost db.internal\n{theirs} relay.example\n")

    @classmethod
    def start_postgres(cls):
        cls.machine.write("/etc/systemd/system/postgresql@.service.d/network.conf",
                          "[Service]\nNetworkNamespacePath=/run/netns/listener\n")
        cls.machine.run("systemctl", "daemon-reload")
        cls.machine.order("restart", "postgresql")
        wait_for(lambda: "online" in cls.machine.run("pg_lsclusters"), "PostgreSQL")
        cls.machine.run("runuser", "-u", "postgres", "--", "psql", "-c", "ALTER USER postgres PASSWORD 'word'")

    @classmethod
    def start_roles(cls, relay, listener, sender):
        made, machine = cls.machine.path(FOLDER), cls.machine
        for folder in (FOLDER, "/etc/culvert/culvert-next"):
            machine.run("culvert", "setup", "relay", "--name", "relay.example", "--entity", "db", "--dir", folder)
        with open(machine.path("/etc/culvert/culvert-next/ca.pem"), encoding="ascii") as file:
            machine.write(f"{FOLDER}/ca.pem", file.read(), "a")  # both are trusted
        for name, part in (("listener", listener), ("sender", f"{sender}\nendpoint = \"db.internal:5432\"\n")):
            machine.write(f"/root/{name}/culvert.toml", f"[admin]\nbind = \"unix:/run/{name}.sock\"\n{part}")
            os.mkdir(machine.path(f"/root/{name}/culvert-relay"))
            for file in ("ca.pem", f"{name}.connection"):
                shutil.copy(f"{made}/{file}", machine.path(f"/root/{name}/culvert-relay"))
        machine.run("sh", "-c", "cd /etc/culvert && chgrp -R culvert culvert-* && chmod -R g=rX culvert-*")
        machine.write("/etc/culvert/culvert.toml", f"[admin]\nbind = \"{ADMIN}\"\n{relay}")
        machine.order("start")
        for name in ADDRESS:
            cls.start_in(name, "up", "culvert", "up", "--config", f"/root/{name}/culvert.toml")
        cls.wait_for_log("sender-up", "ready for apps")
        cls.wait_for_log("listener-up", "registered at the relay")

    @classmethod
    def start_in(cls, network, name, *command):
        """It ends with the machine at the latest. Its log is in the machine's folder."""
        with open(cls.machine.path(f"/root/{network}-{name}.log"), "wb") as log:
            process = subprocess.Popen(cls.machine.command("ip", "netns", "exec", network, *command),
                                       stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT)
        cls.addClassCleanup(process.wait, PATIENCE_S)
        cls.addClassCleanup(process.terminate)

    @classmethod
    def wait_for_log(cls, name, words):
        def found():
            with open(cls.machine.path(f"/root/{name}.log"), encoding="utf-8") as log:
                return words in log.read()
        wait_for(found, f"'{words}' of {name}")

    def psql(self, *arguments):
        """What runs psql beside the sender. It knows the name that its own network has for PostgreSQL."""
        return ("ip", "netns", "exec", "sender", "env", "PGPASSWORD=word", "psql", "--host=db.internal",
                "--username=postgres", "--no-align", "--tuples-only", "--quiet", *arguments)

    def check_walls(self):
        """Neither network has a way to the other."""
        for name, (_, own) in ADDRESS.items():
            for other in ADDRESS.keys() - {name}:
                route = ("ip", "-n", other, "route", "get", own)
                self.assertNotIn("dev", self.machine.run(*route, code=2))

    def test_psql_reaches_postgresql_by_name_and_status_shows_it(self):
        self.check_walls()
        self.assertEqual(self.machine.run(*self.psql("--command=SELECT 6 * 7")), "42\n")
        relay = self.machine.run("culvert", "status", "--admin", ADMIN)
        self.assertRegex(relay, r"(?m)^relay +relay-1 +online .* 0\.0\.0\.0:443 ")
        self.assertRegex(relay, r"(?m)^relay-1 +db +1 ")
        for name, where in (("sender", "127.0.0.1:5432 -> db at relay.example:443"),
                            ("listener", "db at relay.example:443")):
            said = self.machine.run("culvert", "status", "--admin", f"unix:/run/{name}.sock")
            self.assertRegex(said, rf"(?m)^{name} +{name}-1 +online ")
            self.assertIn(where, said)

    def test_prometheus_scrapes_the_relay(self):
        self.machine.run(*self.psql("--command=SELECT 1"))
        self.machine.write("/etc/prometheus/prometheus.yml", SCRAPE, mode="a")
        self.machine.order("restart", "prometheus")
        query = ("promtool", "query", "instant", "http://127.0.0.1:9090", "culvert_tunnels_started_total > 0")

        def answer():
            return self.machine.run(*query, code=None).strip()
        self.assertRegex(wait_for(answer, "Prometheus to know a metric"),
                         r'culvert_tunnels_started_total\{.*job="culvert", name="relay-1", role="relay"\} => [1-9]')

    def test_a_reload_takes_a_rule_and_a_certificate_and_the_session_stays(self):
        with subprocess.Popen(self.machine.command(*self.psql()), stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                              text=True, bufsize=1) as session:
            self.addCleanup(session.kill)
            backend = self.ask_backend(session)
            process = self.machine.property("MainPID")
            before = self.certificate()
            self.start_late_sender()
            self.wait_for_log("sender-late", "not ready: the relay does not take this sender")

            for file in ("relay.pem", "relay.key"):
                shutil.copy(self.machine.path(f"/etc/culvert/culvert-next/{file}"), self.machine.path(FOLDER))
            self.machine.write("/etc/culvert/culvert.toml", RULE, mode="a")
            self.machine.reload()
            self.wait_for_log("sender-late", "ready for apps")

            self.assertNotEqual(self.certificate(), before)
            self.assertEqual(self.machine.run(*self.psql("--port=5433", "--command=SELECT 6 * 7")), "42\n")
            self.assertEqual(self.ask_backend(session), backend)
            self.assertEqual(self.machine.property("MainPID"), process)
            session.stdin.close()
            self.assertEqual(session.wait(PATIENCE_S), 0)

    def ask_backend(self, session):
        """The number of the server's process of this session: a new session has another one."""
        session.stdin.write("SELECT pg_backend_pid();\n")
        self.assertTrue(select.select([session.stdout], [], [], PATIENCE_S)[0], "the session does not answer")
        number = session.stdout.readline().strip()
        self.assertRegex(number, r"^\d+$")
        return number

    def certificate(self):
        return self.machine.run("sh", "-c", "openssl s_client -connect 127.0.0.1:443 </dev/null | openssl x509")

    def start_late_sender(self):
        """It says a rule that the relay does not have yet."""
        with open(self.machine.path("/etc/culvert/culvert-next/sender.connection"), encoding="ascii") as file:
            string = file.read().replace("SharedAccessKeyName=sender", "SharedAccessKeyName=late")
        self.machine.write("/root/sender/late.connection", string)
        os.chmod(self.machine.path("/root/sender/late.connection"), 0o600)
        self.start_in("sender", "late", "culvert", "connect", "--connection-string",
                      "file:/root/sender/late.connection", "--bind", "127.0.0.1:5433", "--ca",
                      "/root/sender/culvert-relay/ca.pem")


if __name__ == "__main__":
    sys.exit(unittest.main(verbosity=2))
