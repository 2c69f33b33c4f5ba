"""Out through an HTTP proxy: listener and sender in a network namespace that reaches only the port of
a real squid or tinyproxy, which stands with the relay in another one."""
import base64
import os
import shutil
import socket
import subprocess
import sys
import unittest

from culvert_processes import Certificates, CulvertCase, Process, wait_until
from namespaces_test import HELPER, WALLS, refusal

RELAY_NAME = "relay.culvert.test"  # in the proxy's hosts file alone
OUTSIDE, INSIDE = "10.215.0.1", "10.215.0.2"
PROXY_PORT = 3128
PASSWORD = "tunnel:open sesame"
FAILURE = 'source=proxy why="proxy '

SQUID = """
http_port {outside}:{port}
hosts_file {folder}/hosts
pid_filename {folder}/squid.pid
cache_effective_user {user}
access_log none
cache_log {folder}/squid-cache.log
cache deny all
coredump_dir {folder}
shutdown_lifetime 0 seconds
connect_timeout 5 seconds
acl relay port {relay}
{auth}
http_access deny CONNECT !relay
http_access allow {allowed}
http_access deny all
"""
SQUID_AUTH = """
auth_param basic program /usr/lib/squid/basic_ncsa_auth {folder}/users
acl known proxy_auth REQUIRED
"""
TINYPROXY = """
Port {port}
Listen {outside}
Timeout 600
MaxClients 100
LogLevel Info
ConnectPort {relay}
{auth}
"""


class ProxyCase(CulvertCase):
    """`inside` and `outside` are namespaces; the proxy's port is all that leads from one to the other."""

    @classmethod
    def setUpClass(cls):
        reason = refusal() or (None if shutil.which("squid") and shutil.which("tinyproxy")
                               else "no squid and tinyproxy here: install them (tools/packages)")
        if reason:
            print(f"skipped: {reason}", file=sys.stderr)
            raise unittest.SkipTest(reason)

    def setUp(self):
        super().setUp()
        os.chmod(self.folder, 0o755)  # the proxies give up root
        self.certificates = Certificates(self.folder, names=(RELAY_NAME,))
        self.holders = {}
        for space in ("outside", "inside"):
            self.holders[space] = self.start(f"holder-{space}",
                                             ["unshare", "--net", "sleep", "infinity"])
            ours = os.stat("/proc/self/ns/net").st_ino
            wait_until(lambda pid=self.holders[space].pid:
                       os.stat(f"/proc/{pid}/ns/net").st_ino != ours, f"the namespace {space}")
            self.ip(space, "link", "set", "lo", "up")
        self.ip("outside", "link", "add", "in0", "type", "veth", "peer", "name", "out0",
                "netns", str(self.holders["inside"].pid))
        for space, end, address in (("outside", "in0", OUTSIDE), ("inside", "out0", INSIDE)):
            self.ip(space, "address", "add", f"{address}/30", "dev", end)
            self.ip(space, "link", "set", end, "up")
        # The relay is on the loopback of its namespace, which nothing leads to.
        self.relay = self.start_relay(names=(RELAY_NAME,), prefix=self.prefix("outside"))
        self.target = self.start("target", [*self.prefix("inside"), sys.executable, "-c", HELPER,
                                            "serve", "target"]).wait_listening()

    def prefix(self, space):
        return ("nsenter", f"--net=/proc/{self.holders[space].pid}/ns/net")

    def ip(self, space, *arguments):
        subprocess.run([*self.prefix(space), "ip", *arguments], check=True, text=True,
                       stdout=subprocess.PIPE, stderr=subprocess.STDOUT)

    def helper(self, space, *arguments):
        return subprocess.run([*self.prefix(space), sys.executable, "-c", HELPER, *arguments],
                              check=True, stdout=subprocess.PIPE, text=True).stdout.strip()

    # --- the proxies ----------------------------------------------------------------------------

    def write(self, name, text):
        path = os.path.join(self.folder, name)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        os.chmod(path, 0o644)
        return path

    def start_squid(self, password=False, relay_port=None):
        self.write("hosts", f"127.0.0.1 {RELAY_NAME}\n")
        pid = os.path.join(self.folder, "squid.pid")
        if os.path.exists(pid):  # of one that was killed
            os.remove(pid)
        if password:
            user, word = PASSWORD.split(":")
            crypted = subprocess.run(["openssl", "passwd", "-apr1", word], check=True, text=True,
                                     stdout=subprocess.PIPE).stdout.strip()
            self.write("users", f"{user}:{crypted}\n")
        config = self.write("squid.conf", SQUID.format(
            outside=OUTSIDE, port=PROXY_PORT, folder=self.folder, user="proxy",
            relay=relay_port or self.relay.port,
            auth=SQUID_AUTH.format(folder=self.folder) if password else "",
            allowed="known" if password else "all"))
        os.chmod(self.folder, 0o777)  # it writes its log there
        return self.proxy("squid", ["squid", "-N", "-f", config])

    def start_tinyproxy(self, password=False, relay_port=None):
        auth = "BasicAuth tunnel sesame"
        config = self.write("tinyproxy.conf", TINYPROXY.format(
            port=PROXY_PORT, outside=OUTSIDE, relay=relay_port or self.relay.port,
            auth=auth if password else ""))
        # It looks the relay's name up in /etc/hosts: a mount of its own has the name.
        hosts = self.write("hosts", f"127.0.0.1 localhost {RELAY_NAME}\n")
        return self.proxy("tinyproxy", ["unshare", "--mount", "sh", "-c",
                                        f"mount --bind {hosts} /etc/hosts && "
                                        f"exec tinyproxy -d -c {config}"])

    def proxy(self, name, command):
        process = self.start(name, [*self.prefix("outside"), *command], kind=Process)
        wait_until(lambda: self.helper("inside", "try", OUTSIDE, str(PROXY_PORT)) == "0",
                   f"{name} to listen", process=process)
        return process

    # --- the roles ------------------------------------------------------------------------------

    def listener(self, *extra, **options):
        return self.start_listener(self.relay, f"127.0.0.1:{self.target}", *extra,
                                   prefix=self.prefix("inside"), **options)

    def sender(self, *extra):
        return self.start_sender(self.relay, *extra, prefix=self.prefix("inside"))

    def by_proxy(self, password=None):
        flags = ("--proxy", f"http://{OUTSIDE}:{PROXY_PORT}")
        if password is None:
            return flags
        return (*flags, "--proxy-credentials", "file:" + self.write_secret("password", password))

    def check_tunnel(self, sender):
        self.assertEqual(self.helper("inside", "ask", str(sender.port)), "target")

    def check_walls(self):
        for host, port in ((OUTSIDE, self.relay.port), ("198.51.100.1", 443)):
            self.assertIn(int(self.helper("inside", "try", host, str(port))), WALLS)


class OutThroughAProxy(ProxyCase):
    def check_roles(self, *flags):
        self.check_walls()
        self.listener(*flags)
        sender = self.sender(*flags)
        sender.wait_for_line("ready for apps")
        self.check_tunnel(sender)

    def test_squid(self):
        self.start_squid()
        self.check_roles("--proxy", f"http://proxy.test:{PROXY_PORT}",
                         "--resolve", f"proxy.test={OUTSIDE}")

    def test_squid_with_a_password(self):
        self.start_squid(password=True)
        self.check_roles(*self.by_proxy(PASSWORD))

    def test_tinyproxy(self):
        self.start_tinyproxy()
        self.check_roles(*self.by_proxy())

    def test_tinyproxy_with_a_password(self):
        self.start_tinyproxy(password=True)
        self.check_roles(*self.by_proxy("tunnel:sesame"))

    def test_a_password_that_is_missing_or_wrong_is_told_in_one_sentence(self):
        for start in (self.start_squid, self.start_tinyproxy):
            proxy = start(password=True)
            for password, why in ((None, "it asks for a user and a password .40[17].: set "
                                         "proxy_credentials to env:NAME or file:PATH"),
                                  ("tunnel:wrong", "it refuses the user or the password in "
                                                   "proxy_credentials .40[17].: correct them")):
                line = f"{FAILURE}{OUTSIDE}:{PROXY_PORT}: {why}"
                through = self.by_proxy(password)  # once: the first role may read the file late
                for role in (self.listener(*through, online=False), self.sender(*through)):
                    role.wait_for_line(line)
                    self.assertNotIn("tunnel:wrong", role.log())
                    self.assertNotIn(base64.b64encode(b"tunnel:wrong").decode(), role.log())
                    role.kill()
            proxy.kill()

    def test_what_the_proxy_does_not_allow_or_reach_is_told_as_the_proxys(self):
        for start in (self.start_squid, self.start_tinyproxy):
            proxy = start(relay_port=1)
            role = self.listener(*self.by_proxy(), online=False)
            role.wait_for_line(f"{FAILURE}{OUTSIDE}:{PROXY_PORT}: it does not allow connections to "
                               f"{RELAY_NAME}:{self.relay.port} .403.: let its rules allow CONNECT")
            role.kill()
            proxy.kill()
        self.relay.kill()
        for start in (self.start_squid, self.start_tinyproxy):
            proxy = start()
            role = self.listener(*self.by_proxy(), online=False)
            role.wait_for_line(f"{FAILURE}{OUTSIDE}:{PROXY_PORT}: it does not reach "
                               f"{RELAY_NAME}:{self.relay.port} .50[0-9].: check")
            role.kill()
            proxy.kill()

    def test_a_proxy_that_dies_is_named_and_found_again(self):
        proxy = self.start_squid()
        listener = self.listener(*self.by_proxy())
        sender = self.sender(*self.by_proxy())
        self.check_tunnel(sender)
        proxy.kill()
        listener.wait_for_line(f"{FAILURE}{OUTSIDE}:{PROXY_PORT}: ")
        self.start_squid()
        listener.wait_for_line("registered at the relay", count=2)
        self.check_tunnel(sender)

    def test_the_environment_names_the_proxy_unless_the_settings_do(self):
        self.start_squid(password=True)
        credentials = PASSWORD.replace(" ", "%20")
        environment = {"HTTPS_PROXY": f"http://{credentials}@{OUTSIDE}:{PROXY_PORT}"}
        self.run_with(environment).wait_for_line("registered at the relay")
        direct = self.run_with({**environment, "NO_PROXY": "other.test,culvert.test"})
        direct.wait_for_line(f"no address is known for {RELAY_NAME}")
        none = self.run_with(environment, "--proxy", "none")
        none.wait_for_line(f"no address is known for {RELAY_NAME}")
        unknown = self.run_with({"HTTPS_PROXY": "http://proxy.nowhere.test:3128"})
        unknown.wait_for_line(
            r"culvert listen: the proxy of the variable HTTPS_PROXY \(unset it, or set proxy to none, if "
            r"it is not meant\): no address is known for proxy\.nowhere\.test")
        self.assertEqual(unknown.wait(), 1)
        wrong = self.run_with({"HTTPS_PROXY": "socks5://u:hidden@x"})
        wrong.wait_for_line("the variable HTTPS_PROXY: .*write http://HOST:PORT")
        self.assertNotIn("hidden", wrong.log())
        self.assertEqual(wrong.wait(), 1)

    def run_with(self, environment, *extra):
        return self.start("listener", [
            *self.prefix("inside"), self.culvert(), "listen", "--connection-string",
            self.connection_file(self.relay, "listener"), "--target", f"127.0.0.1:{self.target}",
            "--ca", self.certificates.ca, "--resolver", "resolver_static", *extra],
            environment=environment)

    def test_a_password_in_the_setting_is_refused_without_its_text(self):
        refused = self.listener("--proxy", "http://tunnel:hidden@proxy.test:3128", online=False)
        refused.wait_for_line("--proxy: it holds a user or password, .* set --proxy-credentials to")
        self.assertEqual(refused.wait(), 2)
        self.assertNotIn("hidden", refused.log())


if __name__ == "__main__":
    unittest.main()
