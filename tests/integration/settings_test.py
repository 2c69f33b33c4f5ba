"""Every setting of the configuration file has a test that shows its effect, named in a table here. The
settings are read from `culvert config example`, which is made from the table of settings, so a setting
without a row fails, and so does a row without its test. The settings of entities have theirs here.
"""
import glob
import os
import re
import socket
import subprocess
import threading
import unittest

from culvert_processes import PEER_KEY, connect, quiet_port, wait_until
from up_test import ConfigCase

HERE = os.path.dirname(os.path.abspath(__file__))

# Setting, then the test's file here and what it says: the key, the flag, or what is seen of them.
TESTED = {
    "engine.shards": ("shards_test.py", '"--shards"'),
    "engine.backend": ("backend_test.py", '"--backend"'),
    "engine.insecure_literal_secrets": ("operator_mistakes_test.py", '"--insecure-literal-secrets"'),
    "engine.insecure_secret_files": ("startup_test.py", '"--insecure-secret-files"'),
    "engine.drain_grace": ("reload_test.py", 'drain_grace = "1s"'),
    "log.level": ("log_options_test.py", '"--log-level"'),
    "log.format": ("log_options_test.py", '"--log-format"'),
    "admin.bind": ("admin_test.py", "test_a_loopback_address"),
    "admin.bind_mode": ("admin_test.py", 'bind_mode = "0660"'),
    "dns.bind": ("dns_responder_test.py", 'bind = ["127.0.0.1:{self.dns_port}"]'),
    "dns.upstreams": ("dns_responder_test.py", "upstreams = [{listed}]"),
    "dns.ttl": ("dns_responder_test.py", 'ttl = "0s"'),
    "plugins.directories": ("log_options_test.py", '"--plugin-directory"'),
    "plugin.servers": ("dns_test.py", "resolver_dns.servers="),
    "relay.name": ("reload_test.py", "relay 'main'"),
    "relay.bind": ("startup_test.py", 'start_relay("--bind"'),
    "relay.bind_mode": ("unix_socket_test.py", '"--bind-mode", "0620"'),
    "relay.names": ("startup_test.py", "names=127.0.0.1,localhost"),
    "relay.public_address": ("gateways_test.py", '"--public-address"'),
    "relay.certificate": ("reload_test.py", "served_certificate"),
    "relay.private_key": ("reload_test.py", "Certificates(self.folder)"),
    "relay.protocols": ("smoke_test.py", "SmokeExample"),
    "relay.auth": ("abi_v1_test.py", '"--auth"'),
    "relay.rule.name": ("reload_test.py", 'name = "third"'),
    "relay.rule.rights": ("reload_test.py", 'rights = ["send"]'),
    "relay.rule.primary_key": ("reload_test.py", "primary_key"),
    "relay.rule.secondary_key": ("reload_test.py", "secondary_key"),
    "relay.entity.path": ("reload_test.py", '("app", "db")'),
    "relay.entity.requires_client_authorization":
        ("settings_test.py", "requires_client_authorization = false"),
    "relay.entity.listeners": ("settings_test.py", 'listeners = "least-tunnels"'),
    "relay.entity.rule.name": ("settings_test.py", "[[relay.entity.rule]]"),
    "relay.entity.rule.rights": ("settings_test.py", "[[relay.entity.rule]]"),
    "relay.entity.rule.primary_key": ("settings_test.py", "[[relay.entity.rule]]"),
    "relay.entity.rule.secondary_key": ("settings_test.py", "secondary_key"),
    "listener.name": ("reload_test.py", "listener 'app'"),
    "listener.connection_string": ("up_test.py", "connection_string"),
    "listener.second_key": ("settings_test.py", "second_key"),
    "listener.target": ("up_test.py", "target = "),
    "listener.ca": ("up_test.py", "ca = "),
    "listener.transport": ("smoke_test.py", "SmokeExample"),
    "listener.auth": ("abi_v1_test.py", '"--auth"'),
    "listener.resolver": ("log_options_test.py", '"--resolver"'),
    "listener.resolve": ("gateways_test.py", '"--resolve"'),
    "listener.proxy": ("proxy_test.py", '"--proxy"'),
    "listener.proxy_credentials": ("proxy_test.py", '"--proxy-credentials"'),
    "listener.proxy_protocol": ("app_address_test.py", '"--proxy-protocol", "v2"'),
    "listener.rendezvous_hosts": ("gateways_test.py", '"--rendezvous-host"'),
    "sender.name": ("reload_test.py", "sender 'b'"),
    "sender.connection_string": ("up_test.py", "connection_string"),
    "sender.second_key": ("settings_test.py", "second_key"),
    "sender.bind": ("startup_test.py", "start_sender(relay, \"--bind\""),
    "sender.bind_mode": ("unix_socket_test.py", '"--bind-mode", "0660"'),
    "sender.endpoint": ("up_test.py", "endpoint=db.internal:1433"),
    "sender.ca": ("up_test.py", "ca = "),
    "sender.transport": ("smoke_test.py", "SmokeExample"),
    "sender.auth": ("abi_v1_test.py", '"--auth"'),
    "sender.resolver": ("log_options_test.py", '"--resolver"'),
    "sender.proxy": ("proxy_test.py", '"--proxy"'),
    "sender.proxy_credentials": ("proxy_test.py", '"--proxy-credentials"'),
    "sender.tcp_health": ("tcp_health_test.py", '"--tcp-health"'),
    "sender.tell_app_address": ("app_address_test.py", '"--tell-app-address", "false"'),
    "sender.resolve": ("namespaces_test.py", '"--resolve"'),
}
TESTED_HERE = {"limits.address_in_use"}  # of the limits; the others are tested in tests/unit and tests/sim
BUSY_S = 2  # twice the default of address_in_use


class Settings(ConfigCase):
    def example(self):
        """Section and key of every setting."""
        text = subprocess.run([self.culvert(), "config", "example"], text=True, timeout=60,
                              capture_output=True, check=True).stdout
        section, names = "", []
        for line in text.splitlines():
            if header := re.match(r'#?\[+([a-z.]+)(?:\."\w+")?\]', line):
                section = header.group(1).rstrip(".")
            elif key := re.match(r"#?([a-z_]+) = ", line):
                names.append(f"{section}.{key.group(1)}")
        return names

    def test_each_setting_has_a_test_that_changes_it(self):
        names = [name for name in self.example() if not name.startswith("limits.")]
        self.assertEqual(sorted(names), sorted(TESTED))
        for name, (file, words) in TESTED.items():
            with self.subTest(name), open(os.path.join(HERE, file), encoding="utf-8") as test:
                text = test.read()
                if file == os.path.basename(__file__):
                    text = text.split("\nclass Settings(")[1]
                self.assertIn(words, text)

    def test_each_limit_has_a_test_that_changes_it(self):
        limits = {name for name in self.example() if name.startswith("limits.")}
        self.assertGreater(len(limits), 40)
        text = ""
        for folder in ("unit/**", "sim"):
            for path in glob.glob(os.path.join(HERE, "..", folder, "*.cpp"), recursive=True):
                with open(path, encoding="utf-8") as test:
                    text += test.read()
        for name in sorted(limits - TESTED_HERE):
            key = name.split(".")[1]
            with self.subTest(name):
                self.assertRegex(text, rf"[.:]{key}(_ms|_bytes)?\b")

    def start_whole(self, *parts):
        process = self.up(*parts)
        process.wait_for_line("registered at the relay", count="".join(parts).count("[[listener]]"))
        process.wait_for_line("listening on .* role=sender", count="".join(parts).count("[[sender]]"))
        return process

    def greet(self, word):
        """A service that says a word and keeps the connection open."""
        def handle(peer):
            peer.sendall(word)
            peer.recv(1)
        return self.serve(handle)

    def test_senders_need_no_token_where_the_entity_says_so(self):
        wrong = self.connection("sender", key="wrong")
        sender = self.sender_part().replace("file:sender-app-sender.connection", wrong)
        parts = (self.listener_part(self.greet(b"a")), sender)
        process = self.start_whole(self.relay_part(), *parts)
        self.check_reset(self.app_port)
        self.assertEqual(process.terminate(), 0)
        self.start_whole(self.relay_part(), "requires_client_authorization = false\n", *parts)
        with connect(self.app_port) as app:
            self.assertEqual(app.recv(1), b"a")

    def test_the_listener_with_the_fewest_tunnels_is_chosen_where_the_entity_says_so(self):
        second = self.listener_part(self.greet(b"b")).replace('name = "app"', 'name = "second"')
        self.start_whole(self.relay_part(), 'listeners = "least-tunnels"\n',
                         self.listener_part(self.greet(b"a")), second, self.sender_part())
        words = b""
        for _ in range(20):
            app = connect(self.app_port)
            self.addCleanup(app.close)
            words += app.recv(1)
        for at in range(0, 20, 2):  # each pair of apps has both listeners
            self.assertEqual(sorted(words[at:at + 2]), sorted(b"ab"), words)

    def test_a_rule_of_an_entity_has_two_keys_and_holds_for_this_entity_alone(self):
        self.write_secret("own.key", "own-key")
        rule = ('[[relay.entity.rule]]\nname = "own"\nrights = ["send"]\n'
                'primary_key = "file:own.key"\nsecondary_key = "file:second.key"\n')
        relay = self.relay_part(("db", "app")) + rule  # of app, the last one
        senders, ports = "", {}
        for entity in ("app", "db"):
            ports[entity] = quiet_port()
            own = self.connection("own", entity, key="second")
            senders += self.sender_part(entity, ports[entity]).replace(
                f"file:sender-{entity}-sender.connection", own)
        self.start_whole(relay, self.listener_part(self.greet(b"a")),
                         self.listener_part(self.greet(b"b"), "db"), senders)
        with connect(ports["app"]) as app:
            self.assertEqual(app.recv(1), b"a")
        self.check_reset(ports["db"])

    def test_a_refused_key_is_followed_by_the_second_one(self):
        """Of a listener and a sender; each has its own, and one without it is refused."""
        self.write_secret("listener-2.key", f"listener-{PEER_KEY}")
        self.write_secret("sender-2.key", f"sender-{PEER_KEY}")
        old = {rule: self.connection(rule, key="gone") for rule in ("listener", "sender")}
        port = quiet_port()
        listener = self.listener_part(self.greet(b"a")).replace(
            "file:listener-app-listener.connection", old["listener"])
        sender = self.sender_part().replace("file:sender-app-sender.connection", old["sender"])
        without = sender.replace(str(self.app_port), str(port)).replace('"app"', '"without"')
        self.start_whole(self.relay_part(), listener, 'second_key = "file:listener-2.key"\n', sender,
                         'second_key = "file:sender-2.key"\n', without)
        with connect(self.app_port) as app:
            self.assertEqual(app.recv(1), b"a")
        self.check_reset(port)

    def test_a_plugins_setting_reaches_the_plugin(self):
        hosts = self.write_secret("hosts", "127.0.0.1 only.here.test")
        listener = self.listener_part(self.greet(b"a")).replace('"127.0.0.1:', '"only.here.test:')
        parts = (self.relay_part(), listener, self.sender_part())
        self.assertEqual(self.check(self.write_config(*parts), "--resolve").returncode, 1)
        self.start_whole(f'[plugin."resolver_dns"]\nhosts_file = "{hosts}"\n', *parts)
        with connect(self.app_port) as app:
            self.assertEqual(app.recv(1), b"a")

    def test_an_address_in_use_is_tried_for_as_long_as_the_limit_says(self):
        """The default would have given up while the address is busy."""
        busy = socket.create_server(("127.0.0.1", self.app_port))
        process = self.up('[limits]\naddress_in_use = "1min"\n', self.relay_part(),
                          self.listener_part(1), self.sender_part())
        process.wait_for_line("registered at the relay")
        released = threading.Timer(BUSY_S, busy.close)
        released.start()
        wait_until(lambda: self.app_port in process.listening_ports(), "the sender to listen",
                   process=process)
        released.join()


if __name__ == "__main__":
    unittest.main()
