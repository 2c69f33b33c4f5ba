"""`culvert up`: relays, listeners and senders of one file in one process, `culvert check` of the same
file, and how the process starts and ends."""
import os
import signal
import subprocess
import unittest

from culvert_processes import PEER_KEY, Certificates, CulvertCase, connect, echo, quiet_port, receive_all


class ConfigCase(CulvertCase):
    """Writes configuration files into the test's folder, which has the keys and certificates."""

    def setUp(self):
        super().setUp()
        self.relay_port = quiet_port()
        self.app_port = quiet_port()
        for rule in ("listener", "sender", "second"):
            self.write_secret(f"{rule}.key", f"{rule}-{PEER_KEY}")

    def connection(self, rule, entity="app", key=None):
        """The reference to a connection string, relative to the file."""
        name = f"{rule}-{entity}-{key or rule}.connection"
        self.write_secret(name, f"Endpoint=sb://127.0.0.1:{self.relay_port}/;"
                                f"SharedAccessKeyName={rule};SharedAccessKey={key or rule}-{PEER_KEY};"
                                f"EntityPath={entity}")
        return f"file:{name}"

    def relay_part(self, entities=("app",), more="", sender_keys='primary_key = "file:sender.key"'):
        text = (f'[[relay]]\nname = "main"\nbind = "127.0.0.1:{self.relay_port}"\n'
                f'names = ["127.0.0.1"]\ncertificate = "relay.pem"\nprivate_key = "relay.key"\n{more}\n'
                '[[relay.rule]]\nname = "listener"\nrights = ["listen"]\n'
                'primary_key = "file:listener.key"\n'
                f'[[relay.rule]]\nname = "sender"\nrights = ["send"]\n{sender_keys}\n')
        return text + "".join(f'[[relay.entity]]\npath = "{entity}"\n' for entity in entities)

    def listener_part(self, target, entity="app", more=""):
        return (f'[[listener]]\nname = "{entity}"\ntarget = "127.0.0.1:{target}"\nca = "ca.pem"\n'
                f'connection_string = "{self.connection("listener", entity)}"\n{more}\n')

    def sender_part(self, entity="app", port=None, more=""):
        return (f'[[sender]]\nname = "{entity}"\nbind = "127.0.0.1:{port or self.app_port}"\n'
                f'ca = "ca.pem"\nconnection_string = "{self.connection("sender", entity)}"\n{more}\n')

    def write_config(self, *parts, name="culvert.toml"):
        path = os.path.join(self.folder, name)
        with open(path, "w", encoding="utf-8") as file:
            file.write("".join(parts))
        return path

    def up(self, *parts):
        return self.start("up", [self.culvert(), "up", "--config", self.write_config(*parts)])

    def check(self, path, *flags):
        return subprocess.run([self.culvert(), "check", "--config", path, *flags], text=True,
                              capture_output=True, timeout=60, check=False)

    def check_echo(self, port, text=b"through the tunnel"):
        with connect(port) as app:
            app.sendall(text)
            app.shutdown(1)
            self.assertEqual(receive_all(app), text)


class Up(ConfigCase):
    def whole(self):
        return (self.relay_part(), self.listener_part(self.serve(echo)),
                self.sender_part(more='endpoint = "db.internal:1433"'))

    def test_a_relay_a_listener_and_a_sender_of_one_file(self):
        process = self.up(*self.whole())
        process.wait_for_line("registered at the relay")
        process.wait_for_line("ready for apps")
        self.assertEqual([line.split("role started ")[1] for line in process.lines("role started ")],
                         ["role=relay name=main", "role=listener name=app", "role=sender name=app"])
        line = process.wait_for_line("listening on .* role=sender")
        self.assertTrue(line.endswith(f"relay=127.0.0.1:{self.relay_port} endpoint=db.internal:1433"),
                        line)
        self.check_echo(self.app_port, os.urandom(1 << 20))
        self.assertEqual(process.terminate(), 0)

    def test_a_key_that_can_be_guessed_is_warned_about_and_not_shown(self):
        self.write_secret("sender.key", "fifteen-bytes-x")
        self.write_secret("second.key", "s")
        rule = ('[[relay.entity.rule]]\nname = "own"\nrights = ["send"]\n'
                'primary_key = "file:listener.key"\nsecondary_key = "file:second.key"\n')
        path = self.write_config(self.relay_part(), rule)
        done = self.check(path, "--resolve")
        self.assertEqual(done.returncode, 0, done.stderr)
        warning = "a rule's key is so short that it can be guessed: give the rule a random one of at least 16 bytes "
        self.assertEqual([line.split(warning)[1] for line in done.stderr.splitlines() if warning in line],
                         ["rule=sender entity=all key=primary", "rule=own entity=app key=secondary"])
        self.assertNotIn("fifteen", done.stderr)
        process = self.start("up", [self.culvert(), "up", "--config", path])
        process.wait_for_line("listening on .*role=relay")
        self.assertEqual(len(process.lines(f"warn {warning}")), 2)

    def test_several_of_each(self):
        second = quiet_port()
        other_relay = quiet_port()
        parts = (self.relay_part(("app", "db")), self.listener_part(self.serve(echo)),
                 self.listener_part(self.serve(echo), "db"), self.sender_part(),
                 self.sender_part("db", second))
        text = self.relay_part().replace('"main"', '"other"')
        process = self.up('[engine]\nshards = 2\n', *parts,
                          text.replace(f":{self.relay_port}", f":{other_relay}"))
        process.wait_for_line("registered at the relay", count=2)
        process.wait_for_line("ready for apps", count=2)
        for port in (self.app_port, second):
            self.check_echo(port)
        self.assertEqual(process.listening_ports(),
                         {self.relay_port, other_relay, self.app_port, second})

    def test_several_ports_of_one_name(self):
        ports = {"app": self.app_port, "db": quiet_port(), "web": quiet_port()}
        answer = {entity: entity.encode() for entity in ports}
        parts = [self.relay_part(ports)]
        for number, (entity, port) in enumerate(ports.items()):
            parts.append(self.listener_part(self.serve(
                lambda peer, word=answer[entity]: peer.sendall(word)), entity))
            parts.append(self.sender_part(entity, port,
                                          more=f'endpoint = "db.internal:{1433 + number}"'))
        process = self.up(*parts)
        process.wait_for_line("registered at the relay", count=3)
        for number, (entity, port) in enumerate(ports.items()):
            process.wait_for_line(f"listening on 127.0.0.1:{port} .*endpoint=db.internal:{1433 + number}$")
            with connect(port) as app:
                self.assertEqual(receive_all(app), answer[entity])

    def test_it_drains_at_a_signal_and_drops_at_the_second(self):
        process = self.up('[engine]\ndrain_grace = "1h"\n', *self.whole())
        process.wait_for_line("registered at the relay")
        process.wait_for_line("listening on .* role=sender")
        with connect(self.app_port) as app:
            app.sendall(b"open")
            self.assertEqual(app.recv(4), b"open")
            process.signal(signal.SIGTERM)
            line = process.wait_for_line("draining: ")
            self.assertTrue(line.endswith("signal=SIGTERM tunnels=3 seconds=3600"), line)
            app.sendall(b"still")
            self.assertEqual(app.recv(5), b"still")
            process.signal(signal.SIGINT)
            with self.assertRaises(ConnectionResetError):
                app.recv(1)
        self.assertEqual(process.wait(), 0)

    def test_the_log_is_as_the_file_says(self):
        process = self.up('[log]\nlevel = "debug"\nformat = "json"\n', *self.whole())
        process.wait_for_line('"level":"debug","message":"open files"')

    def test_mistakes_start_nothing_and_each_is_a_line(self):
        path = self.write_config(self.relay_part(more='protocol = "x"'), "[[sender]]\n")
        done = subprocess.run([self.culvert(), "up", "--config", path], text=True, timeout=60,
                              capture_output=True, check=False)
        lines = [f"{path}:7:1: 'protocol' is unknown in [[relay]]; did you mean 'protocols'?",
                 f'{path}:18:1: bind is missing; write bind = "127.0.0.1:1433", or '
                 'endpoint = "db.internal:1433"',
                 f'{path}:18:1: connection_string is missing; write connection_string = '
                 '"file:sql.connection"']
        self.assertEqual((done.returncode, done.stdout, done.stderr.splitlines()), (
            2, "", [*lines, "culvert up: the configuration has 3 mistakes; nothing was started"]))
        done = self.check(path)
        self.assertEqual((done.returncode, done.stdout, done.stderr.splitlines()), (1, "", lines))

    def test_a_file_that_contradicts_itself_starts_nothing(self):
        path = self.write_config(self.relay_part(), self.listener_part(self.app_port), self.sender_part())
        done = subprocess.run([self.culvert(), "up", "--config", path], text=True, timeout=60,
                              capture_output=True, check=False)
        self.assertEqual(done.returncode, 2)
        self.assertRegex(done.stderr, rf"^{path}:\d+:10: target 127.0.0.1:{self.app_port}: sender 'app' "
                                      r"\(line \d+\) listens there and leads back to this entity")

    def test_what_is_hardly_meant_is_a_warning(self):
        second = self.listener_part(1).replace('name = "app"', 'name = "second"')
        parts = (self.relay_part(), self.listener_part(self.serve(echo)), second)
        path = self.write_config(*parts)
        words = (r"target 127.0.0.1:1: listener 'app' \(line \d+\) has the same entity and the target "
                 r"127.0.0.1:\d+, so an app reaches one of them at random")
        done = self.check(path)
        self.assertEqual((done.returncode, done.stdout.count("has no mistake")), (0, 1))
        self.assertRegex(done.stderr, rf"^{path}:\d+:10: warning: {words}")
        self.up(*parts).wait_for_line(f" warn {path}:\\d+:10: {words}")

    def test_the_lines_of_each_role_name_it(self):
        process = self.up(self.relay_part(("app", "db")), self.listener_part(self.serve(echo)),
                          self.sender_part(), self.listener_part(1, "db"),
                          self.sender_part("db", quiet_port()))
        for entity in ("app", "db"):
            process.wait_for_line(f"registered at the relay role=listener name={entity} ")
            process.wait_for_line(f"ready for apps on .* role=sender name={entity} ")
        self.check_echo(self.app_port)
        for words in ("relay name=main", "listener name=app", "sender name=app"):
            process.wait_for_line(f"tunnel joined role={words} ")
            process.wait_for_line(f"tunnel ended role={words} ")

    def test_what_the_machine_lacks_is_told_at_the_start(self):
        path = self.write_config(*self.whole())
        with open(path, encoding="utf-8") as file:
            text = file.read().replace("relay.pem", "none.pem")
        self.write_config(text)
        done = subprocess.run([self.culvert(), "up", "--config", path], text=True, timeout=60,
                              capture_output=True, check=False)
        why = (f"relay 'main': cannot read the certificate '{self.folder}/none.pem': No such file or "
               "directory; name a PEM file this user may read")
        self.assertEqual(done.returncode, 1)
        self.assertIn(f"{path}: {why}\n", done.stderr)
        self.assertEqual(self.check(path).returncode, 0)
        done = self.check(path, "--resolve")
        self.assertEqual((done.returncode, done.stdout, done.stderr), (1, "", f"{path}:1:1: {why}\n"))

    def test_a_right_file_is_said_to_be_right(self):
        path = self.write_config(*self.whole())
        for flags in ((), ("--resolve",)):
            done = self.check(path, *flags)
            self.assertEqual((done.returncode, done.stdout, done.stderr), (
                0, f"{path} has no mistake: 1 relay, 1 listener, 1 sender\n", ""))

    def test_check_listens_nowhere(self):
        """Beside a running process, and where no process has run yet."""
        path = self.write_config(f'[admin]\nbind = "127.0.0.1:{self.serve(echo)}"\n', *self.whole())
        self.assertEqual(self.check(path, "--resolve").stderr, "")
        self.write_config('[admin]\nbind = "unix:none/admin.sock"\n', *self.whole())
        self.assertEqual(self.check(path, "--resolve").stderr, "")

    def test_a_certificate_that_ends_soon_is_told_at_the_start_the_reload_and_the_check(self):
        self.certificates = Certificates(self.folder, days=6)
        warning = (f"the certificate '{self.folder}/relay.pem' ends at \\d{{4}}-\\d\\d-\\d\\d .* UTC, "
                   "in [56] days; renew it$")
        process = self.up(*self.whole())
        process.wait_for_line(f"warn {warning}")
        process.wait_for_line("ready for apps")
        self.assertEqual(len(process.lines(warning)), 1)
        process.signal(signal.SIGHUP)
        process.wait_for_line(" reloaded ")
        self.assertEqual(len(process.lines(warning)), 2)
        self.write_config(self.relay_part(("app", "more")), *self.whole()[1:])
        process.signal(signal.SIGHUP)
        process.wait_for_line(" reloaded .*updated=[12] ")
        self.assertEqual(len(process.lines(warning)), 3)
        done = self.check(os.path.join(self.folder, "culvert.toml"), "--resolve")
        self.assertEqual((done.returncode, done.stderr.count("\n")), (0, 1))
        self.assertRegex(done.stderr.strip(), f"warn {warning}")

    def test_resolve_asks_for_names_and_tokens_of_every_role(self):
        static = 'resolver = "resolver_static"'
        lost = self.listener_part(1, "lost", static).replace("127.0.0.1:1", "db.nowhere.test:1")
        path = self.write_config(self.relay_part(), lost, self.listener_part(1, more=static))
        self.write_secret("listener-app-listener.connection",
                          "Endpoint=sb://relay.nowhere.test/;SharedAccessKeyName=n;SharedAccessKey=k;"
                          "EntityPath=a")
        self.assertEqual(self.check(path).returncode, 0)
        done = self.check(path, "--resolve")
        self.assertEqual(done.returncode, 1)
        first, second = done.stderr.splitlines()
        self.assertIn("listener 'lost': no address is known for db.nowhere.test", first)
        self.assertIn("listener 'app': no address is known for relay.nowhere.test", second)

    def test_settings_of_plugins_are_judged_with_their_place(self):
        path = self.write_config('[plugin."auth_sas"]\nkee = "x"\n', *self.whole())
        done = self.check(path)
        self.assertEqual((done.returncode, done.stderr), (
            1, f"{path}:1:9: plugin auth_sas has no setting 'kee'; it has key_name, key, second_key, "
               "signature, token_lifetime_s, clock_skew_s\n"))

    def test_the_example_is_what_check_takes(self):
        example = subprocess.run([self.culvert(), "config", "example"], text=True, timeout=60,
                                 capture_output=True, check=True).stdout
        for name in ("rule.key", "rule-2.key"):
            self.write_secret(name, "a-key")
        self.write_secret("sql.connection", "Endpoint=sb://r/;SharedAccessKeyName=n;SharedAccessKey=k;"
                                            "EntityPath=sql")
        done = self.check(self.write_config(example))
        self.assertEqual((done.returncode, done.stderr), (0, ""))


if __name__ == "__main__":
    unittest.main()
