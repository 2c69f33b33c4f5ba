"""The admin endpoint of a process: health, readiness, metrics, status and reload, on a unix socket and on
a loopback address; the commands that ask it; and clients that want to harm it."""
import http.client
import json
import os
import re
import socket
import stat
import subprocess
import unittest

from culvert_processes import connect, echo, quiet_port, receive_all, receive_exactly, wait_until
from up_test import ConfigCase

MOST_CONNECTIONS = 16  # kAdminConnections
FEW_DESCRIPTORS = 60


class UnixConnection(http.client.HTTPConnection):
    def __init__(self, path):
        super().__init__("localhost", timeout=60)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.path)


class AdminCase(ConfigCase):
    def setUp(self):
        super().setUp()
        self.port = quiet_port()
        self.path = os.path.join(self.folder, "admin.sock")

    def admin_part(self, unix=True, more=""):
        self.address = f"unix:{self.path}" if unix else f"127.0.0.1:{self.port}"
        return f'[admin]\nbind = "{self.address}"\n{more}\n'

    def parts(self, unix=True):
        self.echo_port = self.serve(echo)
        return (self.admin_part(unix), self.relay_part(), self.listener_part(self.echo_port),
                self.sender_part())

    def start_up(self, *parts):
        self.process = self.up(*parts)
        self.process.wait_for_line("ready for apps")
        self.process.wait_for_line("registered at the relay")
        return self.process

    def ask(self, path, method="GET", headers=None):
        unix = self.address.startswith("unix:")
        connection = UnixConnection(self.path) if unix else http.client.HTTPConnection(
            "127.0.0.1", self.port, timeout=60)
        self.addCleanup(connection.close)
        connection.request(method, path, headers=headers or {})
        answer = connection.getresponse()
        return answer.status, answer.read().decode()

    def status(self):
        return json.loads(self.ask("/status")[1])

    def role(self, kind):
        return next(role for role in self.status()["roles"] if role["kind"] == kind)

    def metric(self, pattern):
        """The values of the samples that match."""
        return [float(line.rsplit(" ", 1)[1]) for line in self.ask("/metrics")[1].splitlines()
                if re.match(pattern, line)]

    def calls(self, call, outcome):
        """How many calls of auth_sas had this outcome."""
        return sum(self.metric(f'culvert_plugin_calls_total.plugin="auth_sas",call="{call}",outcome="{outcome}"'))

    def raw(self):
        client = socket.socket(socket.AF_UNIX)
        self.addCleanup(client.close)
        client.settimeout(60)
        client.connect(self.path)
        return client

    def command(self, *arguments):
        return subprocess.run([self.culvert(), *arguments], text=True, capture_output=True, timeout=120,
                              check=False)


class Pages(AdminCase):
    def check_pages(self, unix):
        self.start_up(*self.parts(unix))
        self.check_echo(self.app_port)
        self.assertEqual(self.ask("/healthz"), (200, "ok\n"))
        self.assertEqual(self.ask("/readyz"), (200, "ok\n"))
        wait_until(lambda: self.role("relay")["tunnels_ended"] == 1, "the tunnel has ended")
        for kind in ("relay", "listener", "sender"):
            role = self.role(kind)
            self.assertEqual((role["state"], role["bytes_in"], role["bytes_out"]), ("online", 18, 18))
            self.assertEqual(self.metric(f'culvert_payload_bytes_total.role="{kind}".*direction="in"'), [18])
        self.assertEqual(self.role("relay")["entities"],
                         [{"path": "app", "listeners": 1, "tunnels": 0, "pending": 0}])
        self.assertEqual(self.metric("culvert_entity_listeners"), [1])
        self.assertEqual(self.metric("culvert_setup_seconds_count"), [1] * 6)
        self.assertEqual(self.metric("culvert_shard_answers"), [1])
        for kind, by in (("relay", "sender"), ("listener", "relay"), ("sender", "app")):
            ended = f'culvert_tunnels_ended_total.role="{kind}".*how="%s",by="%s"'
            self.assertEqual(self.metric(ended % ("finished", by)), [1], kind)
            self.assertEqual(sorted(self.metric(ended % (".*", ".*"))), [0] * 8 + [1], kind)
        for name in ("entries", "completions", "calls"):
            self.assertGreater(self.metric(f"culvert_shard_{name}_total")[0], 0, name)
        self.assertGreaterEqual(self.calls("acquire", "ok"), 2)  # of listener and sender
        self.assertGreaterEqual(self.calls("verify", "ok"), 2)
        self.assertGreater(self.role("listener")["token_expires"], self.status()["time"])
        expires = self.role("relay")["certificate_expires"]
        self.assertAlmostEqual(expires - self.status()["time"], 30 * 86400, delta=86400)
        self.assertEqual(self.metric("culvert_relay_certificate_expiry_seconds"), [expires])

    def test_a_unix_socket(self):
        self.check_pages(unix=True)
        self.assertEqual(stat.S_IMODE(os.stat(self.path).st_mode), 0o600)

    def test_a_loopback_address(self):
        self.check_pages(unix=False)

    def test_the_mode_of_the_socket(self):
        self.start_up(self.admin_part(more='bind_mode = "0660"'), *self.parts()[1:])
        self.assertEqual(stat.S_IMODE(os.stat(self.path).st_mode), 0o660)

    def test_the_socket_is_gone_after_the_end(self):
        process = self.start_up(*self.parts())
        process.terminate()
        self.assertFalse(os.path.exists(self.path))

    def test_open_tunnels_are_counted_while_they_run(self):
        self.start_up(*self.parts())
        with connect(self.app_port) as app:
            app.sendall(b"x" * 1000)
            self.assertEqual(len(receive_exactly(app, 1000)), 1000)
            self.assertEqual(self.role("sender")["tunnels_open"], 1)
            wait_until(lambda: self.role("sender")["bytes_out"] == 1000, "the turn is counted")
            self.assertEqual(self.status()["roles"][0]["entities"][0]["tunnels"], 1)

    def test_not_ready_names_what_is_missing(self):
        process = self.up(self.admin_part(), self.listener_part(self.serve(echo)))
        process.wait_for_line("cannot register")
        self.assertEqual(self.ask("/healthz"), (200, "ok\n"))
        code, why = self.ask("/readyz")
        self.assertEqual(code, 503)
        self.assertRegex(why, "listener 'app' is starting: .*refused")
        self.assertEqual(self.metric("culvert_role_online"), [0])
        self.assertGreaterEqual(self.metric('culvert_failures_total.*code="refused"')[0], 1)

    def test_a_lost_relay_is_seen_and_so_is_its_return(self):
        relay = self.up(self.relay_part())
        relay.wait_for_line("listening on")
        listener = self.start("listener", [self.culvert(), "up", "--config", self.write_config(
            self.admin_part(), self.listener_part(self.serve(echo)), name="listener.toml")])
        listener.wait_for_line("registered at the relay")
        self.assertEqual(self.ask("/readyz")[0], 200)
        relay.kill()
        wait_until(lambda: self.role("listener")["state"] == "offline", "the listener is offline")
        self.assertEqual(self.ask("/readyz")[0], 503)
        self.assertEqual(self.role("listener")["channels_lost"], 1)
        self.up(self.relay_part())
        wait_until(lambda: self.ask("/readyz")[0] == 200, "the listener is ready again")
        self.assertEqual(self.role("listener")["channels_registered"], 2)

    def test_refusals_are_counted_by_code(self):
        self.start_up(*self.parts())
        other = self.start("other", [
            self.culvert(), "connect", "--bind", "127.0.0.1:0", "--ca", self.certificates.ca,
            "--connection-string", self.connection("sender", key="second").replace(
                "file:", f"file:{self.folder}/")])
        other.wait_for_line("401")
        self.assertGreaterEqual(self.metric('culvert_failures_total.role="relay".*token-signature')[0], 1)
        self.assertGreaterEqual(self.calls("verify", "token-signature"), 1)

    def test_a_sender_that_asks_whether_its_token_is_good_is_no_failure(self):
        process = self.start_up(*self.parts())
        process.wait_for_line("ready for apps")
        self.assertEqual(self.metric("culvert_failures_total.role=.relay"), [])
        self.assertEqual(self.role("relay")["failures"], {})

    def test_one_role_by_flags(self):
        self.address = f"unix:{self.path}"
        sender = self.start("sender", [
            self.culvert(), "connect", "--bind", "127.0.0.1:0", "--ca", self.certificates.ca,
            "--connection-string", self.connection("sender").replace("file:", f"file:{self.folder}/"),
            "--admin-bind", self.address, "--admin-bind-mode", "0640"])
        sender.wait_for_line("not ready")
        wait_until(lambda: self.status()["roles"], "its start has returned")
        self.assertEqual(self.role("sender")["state"], "online")
        self.assertEqual(stat.S_IMODE(os.stat(self.path).st_mode), 0o640)

    def test_other_requests_are_refused(self):
        self.start_up(*self.parts())
        self.assertEqual(self.ask("/")[0], 404)
        self.assertEqual(self.ask("/metrics", "POST")[0], 405)
        self.assertEqual(self.ask("/reload")[0], 405)
        self.assertEqual(self.ask("/reload", "POST", {"Origin": "http://example.com"})[0], 403)
        client = self.raw()
        client.sendall(b"POST /reload HTTP/1.1\r\nContent-Length: 1\r\n\r\nx")
        self.assertIn(b" 400 ", receive_all(client))
        self.assertEqual(self.process.lines("reloaded"), [])

    def test_a_name_that_leads_here_is_no_key(self):
        """A page may let its own name lead to 127.0.0.1, and ask from its own origin."""
        self.start_up(*self.parts(unix=False))
        for host in ("evil.example", f"evil.example:{self.port}", "127.0.0.1.evil.example", "10.0.0.1",
                     "0.0.0.0", "127.0.0.1:80.evil.example", "[::1].evil.example", "[::1", "",
                     "localhost.evil.example"):
            code, why = self.ask("/status", headers={"Host": host})
            self.assertEqual(code, 403, host)
            self.assertIn("no loopback address", why)
            self.assertEqual(self.ask("/reload", "POST", {"Host": host})[0], 403, host)
        for host in ("127.0.0.1", f"127.0.0.1:{self.port}", "127.1.2.3:1", "localhost", "LocalHost:80",
                     "[::1]", f"[::1]:{self.port}"):
            self.assertEqual(self.ask("/status", headers={"Host": host})[0], 200, host)
        self.assertEqual(self.process.lines("reloaded"), [])

    def test_on_a_unix_socket_any_host_is_answered(self):
        self.start_up(*self.parts())
        self.assertEqual(self.ask("/status", headers={"Host": "culvert.example"})[0], 200)

    def test_an_address_that_others_reach_is_refused(self):
        for address in ("0.0.0.0:9464", "192.0.2.1:9464", "[::]:9464", "localhost:9464"):
            path = self.write_config(f'[admin]\nbind = "{address}"\n', *self.parts()[1:])
            checked = self.check(path)
            self.assertEqual(checked.returncode, 1, address)
            self.assertIn("culvert.toml:2:8: bind", checked.stdout + checked.stderr)
            self.assertIn("is no loopback address", checked.stdout + checked.stderr)


class OneId(AdminCase):
    """The id of a connection is in the logs of sender, relay and listener."""

    def test_one_grep_finds_the_life_of_a_tunnel(self):
        relay = self.up('[log]\nlevel = "debug"\n', self.relay_part())
        relay.wait_for_line("listening on")
        others = {}
        for name, part in (("listener", self.listener_part(self.serve(echo))), ("sender", self.sender_part())):
            path = self.write_config('[log]\nlevel = "debug"\n', part, name=f"{name}.toml")
            others[name] = self.start(name, [self.culvert(), "up", "--config", path])
        others["listener"].wait_for_line("registered at the relay")
        others["sender"].wait_for_line("ready for apps")
        self.check_echo(self.app_port)
        text = others["sender"].wait_for_line("tunnel joined")
        one = re.search(r" id=(\S+)", text).group(1)
        end = r"how=finished by=\w+ .*why=.* bytes_\w+=18 bytes_\w+=18 duration_ms=\d+"
        self.check_life(others["sender"], one, "an app has connected",
                        r"tunnel joined .*queued_ms=\d+ dialled_ms=\d+", f"tunnel ended .*{end}")
        self.check_life(relay, one, "sender offered to a listener", "listener fetches a sender",
                        r"tunnel joined .*admitted_ms=\d+ met_ms=\d+", f"tunnel ended .*{end}")
        self.check_life(others["listener"], one, "an offer has come",
                        r"tunnel joined .*target_ms=\d+ fetched_ms=\d+", f"tunnel ended .*{end}")

    def check_life(self, process, one, *stations):
        process.wait_for_line(f"tunnel ended .*{one}")
        life = process.lines(re.escape(one))
        self.assertEqual(len(life), len(stations), life)
        for line, station in zip(life, stations):
            self.assertRegex(line, station)


class Dashboard(AdminCase):
    def test_it_asks_for_metrics_that_there_are(self):
        with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../tools/grafana.json"),
                  encoding="utf-8") as file:
            board = json.load(file)
        asked = [target["expr"] for panel in board["panels"] for target in panel["targets"]]
        asked += [one["query"] for one in board["templating"]["list"]]
        self.start_up(*self.parts())
        self.check_echo(self.app_port)
        self.up(self.sender_part("none", quiet_port())).wait_for_line("not ready")  # no such entity
        page = self.ask("/metrics")[1]
        known = {line.split("{")[0].split(" ")[0] for line in page.splitlines() if not line.startswith("#")}
        named = set(re.findall(r"culvert_\w+", " ".join(asked)))
        self.assertEqual(named - known, set())
        self.assertGreater(len(named), 10)


class NoAnswer(AdminCase):
    """What a command says when the endpoint is there and it gets no answer."""

    def setUp(self):
        super().setUp()
        self.socket = socket.socket(socket.AF_UNIX)
        self.addCleanup(self.socket.close)
        self.socket.bind(self.path)
        self.socket.listen()

    def check_status(self, why, **identity):
        done = subprocess.run([self.culvert(), "status", "--admin", f"unix:{self.path}"], text=True,
                              capture_output=True, timeout=120, check=False, **identity)
        self.assertEqual((done.returncode, done.stdout, done.stderr), (
            1, "", f"culvert status: no answer from the admin endpoint at unix:{self.path}: {why}\n"))

    def test_a_socket_of_another_user(self):
        os.chmod(self.path, 0)  # not for its owner either; for root everything is
        self.check_status("Permission denied; run this as the user of its process, because the socket is "
                          "for its owner (mode 0600), or set another mode in its [admin]",
                          **({"user": 65534} if os.geteuid() == 0 else {}))

    def test_a_process_that_hangs(self):
        self.check_status("it accepts connections but does not answer; look into the log of its process")


class ForeignAnswer(AdminCase):
    """What a command makes of an answer that is no process of Culvert's."""

    def answer(self, body, command):
        def serve(peer):
            peer.recv(1 << 12)
            peer.sendall(f"HTTP/1.1 200 OK\r\nContent-Length: {len(body)}\r\n\r\n{body}".encode())
        return self.command(command, "--admin", f"127.0.0.1:{self.serve(serve)}")

    def test_a_page_that_is_no_status(self):
        for body in ('{"roles":[1]}', '{"version":"1","roles":[1]}', "[]", '{"version":"1"}', "no JSON", "",
                     '{"version":5,"roles":[]}'):
            with self.subTest(body):
                done = self.answer(body, "status")
                self.assertEqual((done.returncode, done.stdout, done.stderr), (
                    1, "", "culvert status: what answers is no admin endpoint of Culvert: its page has no "
                           "list of roles; set --admin to bind of the process's [admin]\n"))

    def test_members_of_other_kinds_have_no_place_in_the_table(self):
        done = self.answer('{"version":"1","roles":[{"id":"x","kind":1,"entities":[2,{"path":[]}]}]}', "status")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertIn("ENTITY", done.stdout)

    def test_a_terminal_gets_no_control_characters(self):
        done = self.answer('{"sentences":["a\\u001b[2Jb\\u0007"]}', "reload")
        self.assertEqual((done.returncode, done.stdout), (0, "reloaded: a?[2Jb?\n"))
        done = self.answer('{"version":"\\u001b[2J","roles":[]}', "status")
        self.assertIn("culvert ?[2J,", done.stdout)


class Hostile(AdminCase):
    """No client delays another one, or a tunnel."""

    def setUp(self):
        super().setUp()
        self.start_up(*self.parts())

    def check_unharmed(self):
        self.assertEqual(self.ask("/readyz"), (200, "ok\n"))
        self.check_echo(self.app_port)

    def test_a_head_that_is_too_large(self):
        client = self.raw()
        client.sendall(b"GET /status HTTP/1.1\r\nX: " + b"x" * (1 << 13))
        self.assertIn(b" 431 ", client.recv(1 << 12))
        self.check_unharmed()

    def test_no_http(self):
        client = self.raw()
        client.sendall(b"\x16\x03\x01\r\n\r\n")
        self.assertIn(b" 400 ", receive_all(client))
        self.check_unharmed()

    def test_a_head_that_does_not_end(self):
        client = self.raw()
        client.sendall(b"GET /status HTTP/1.1\r\n")
        self.check_unharmed()
        self.assertEqual(receive_all(client), b"")  # after kAdminMs

    def test_a_hundred_connections_that_say_nothing(self):
        before = self.process.descriptors()
        clients = [self.raw() for _ in range(100)]
        self.check_unharmed()
        for client in clients[:100 - MOST_CONNECTIONS]:
            self.assertEqual(client.recv(1), b"")  # it made room
        wait_until(lambda: self.process.descriptors() <= before + MOST_CONNECTIONS,
                   "nothing but the connections is left open")  # the tunnel of the check ends
        for client in clients:
            client.close()
        self.check_unharmed()

    def test_a_reader_that_takes_nothing(self):
        clients = [self.raw() for _ in range(MOST_CONNECTIONS - 1)]
        for client in clients:
            client.sendall(b"GET /metrics HTTP/1.1\r\n\r\n")
        self.check_unharmed()


class NoDescriptor(AdminCase):
    """Connections of the relay have every descriptor, and more of them wait."""

    def check_answers(self, backend, unix):
        text = f'[engine]\nbackend = "{backend}"\n[limits]\nhandshake = "10min"\n'
        path = self.write_config(text, self.admin_part(unix), self.relay_part())
        limited = ("sh", "-c", f'ulimit -n {FEW_DESCRIPTORS}; exec "$0" "$@"')
        process = self.start("up", [*limited, self.culvert(), "up", "--config", path])
        process.wait_for_line("listening on .*role=relay")
        for _ in range(2 * FEW_DESCRIPTORS):
            self.addCleanup(connect(self.relay_port).close)
        process.wait_for_line("no connection can be accepted")
        self.assertEqual(process.descriptors(), FEW_DESCRIPTORS)
        for _ in range(20):
            self.assertEqual(self.ask("/healthz"), (200, "ok\n"))
            self.assertEqual(self.ask("/readyz"), (200, "ok\n"))
            self.assertEqual(self.metric("culvert_relay_listeners"), [0.0])

    def test_it_answers_on_io_uring(self):
        self.check_answers("uring", unix=True)

    def test_it_answers_on_epoll(self):
        self.check_answers("epoll", unix=False)


class Reload(AdminCase):
    def test_what_has_changed(self):
        parts = self.parts()
        self.start_up(*parts)
        self.assertEqual(json.loads(self.ask("/reload", "POST")[1]), {
            "reloaded": True, "sentences": ["started 0, updated 0, stopped 0, unchanged 3, failed 0"]})
        self.write_config(*parts[:3])
        done = self.command("reload", "--admin", self.address)
        self.assertEqual((done.returncode, done.stdout),
                         (0, "reloaded: started 0, updated 0, stopped 1, unchanged 2, failed 0\n"))
        wait_until(lambda: len(self.status()["roles"]) == 2, "the sender has stopped")
        self.assertEqual(self.ask("/readyz")[0], 200)

    def test_every_mistake(self):
        parts = self.parts()
        self.start_up(*parts)
        self.write_config(*parts, "[engine]\nshards = 0\n[log]\nlevel = 3\n")
        code, body = self.ask("/reload", "POST")
        self.assertEqual(code, 422)
        answer = json.loads(body)
        self.assertFalse(answer["reloaded"])
        self.assertEqual(len(answer["sentences"]), 2)
        done = self.command("reload", "--admin", self.address)
        self.assertEqual(done.returncode, 1)
        self.assertEqual(done.stdout, "not reloaded: " + "\n".join(answer["sentences"]) + "\n")
        self.check_echo(self.app_port)

    def test_the_endpoint_itself_needs_a_restart(self):
        parts = self.parts()
        self.start_up(*parts)
        self.write_config(self.admin_part(unix=False), *parts[1:])
        self.address = f"unix:{self.path}"
        self.assertIn("the admin endpoint cannot change", self.ask("/reload", "POST")[1])


class StatusCommand(AdminCase):
    def test_a_table(self):
        self.start_up(*self.parts())
        self.check_echo(self.app_port)
        shown = self.command("status", "--admin", self.address)
        self.assertEqual(shown.returncode, 0, shown.stderr)
        self.assertRegex(shown.stdout, r"^culvert \S+, \w+, for .*: ready\n")
        self.assertRegex(shown.stdout, rf"relay +main +online +\d+ s +127.0.0.1:{self.relay_port} +\d")
        self.assertRegex(shown.stdout, rf"listener +app +online .* app at 127.0.0.1:{self.relay_port} -> "
                                       r"127.0.0.1:\d+ ")
        self.assertRegex(shown.stdout, rf"sender +app +online .*127.0.0.1:{self.app_port} -> app at .* B/s")
        self.assertRegex(shown.stdout, r"main +app +1 +\d +0\n")
        self.assertNotIn("\033", shown.stdout)

    def test_a_senders_endpoint_is_shown(self):
        self.start_up(*self.parts()[:3], self.sender_part(more='endpoint = "db.internal:1433"'))
        shown = self.command("status", "--admin", self.address)
        self.assertRegex(shown.stdout, r"sender +app .* -> app at \S+ \(db.internal:1433\) ")
        (sender,) = [role for role in self.status()["roles"] if role["kind"] == "sender"]
        self.assertEqual(sender["endpoint"], "db.internal:1433")

    def test_the_last_failure_is_a_sentence(self):
        self.up(self.admin_part(), self.listener_part(self.serve(echo))).wait_for_line("cannot register")
        shown = self.command("status", "--admin", self.address)
        self.assertRegex(shown.stdout, "not ready: listener 'app' is starting")
        self.assertRegex(shown.stdout, "\nlistener app: the last failure: .*refused")

    def test_json(self):
        self.start_up(*self.parts(unix=False))
        shown = self.command("status", "--json", "--admin", self.address)
        self.assertEqual(len(json.loads(shown.stdout)["roles"]), 3)

    def test_watch_prints_again(self):
        self.start_up(*self.parts())
        with subprocess.Popen([self.culvert(), "status", "--watch", "--admin", self.address],
                              stdout=subprocess.PIPE, text=True) as watch:
            heads = 0
            while heads < 2:
                line = watch.stdout.readline()
                self.assertNotEqual(line, "")
                heads += line.startswith("culvert ")
            watch.terminate()

    def test_nobody_there(self):
        for address in (f"unix:{self.path}", f"127.0.0.1:{self.port}", "unix:/" + "x" * 200):
            for command in ("status", "reload"):
                shown = self.command(command, "--admin", address)
                self.assertEqual(shown.returncode, 1 if len(address) < 200 else 2, shown.stderr)
                self.assertIn("admin endpoint", shown.stderr)


if __name__ == "__main__":
    unittest.main()
