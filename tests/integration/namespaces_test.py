"""Sender and two listeners in network namespaces that can reach nothing but the relay's one port.

Each of the three has a /30 of its own with the relay's namespace and no other route: no default
route, nobody forwards, and the relay's other services are bound to an address they have no route
to. The test proves the walls before it goes through them. Each listener's target is in the
listener's own namespace, on its loopback.
"""
import errno
import os
import subprocess
import sys
import unittest

from culvert_processes import Certificates, CulvertCase, Process, wait_until

RELAY_NAME = "relay.culvert.test"  # in no hosts file: --resolve alone leads there
ROLES = ("sender", "listener1", "listener2")
ADDRESS = {role: (f"10.213.{number}.1", f"10.213.{number}.2")  # the relay's end, the role's end
           for number, role in enumerate(ROLES)}
OTHER_ADDRESS = "10.214.0.1"  # in the relay's namespace; no route leads there from the others
WALLS = (errno.ENETUNREACH, errno.ECONNREFUSED)

# Runs in a namespace. `serve WORD`: a target that says who it is, then echoes. `try H P`: prints
# the errno of connecting. `ask P`: one line to the sender, prints the answer.
HELPER = """
import socket, sys, threading
def serve(word):
    service = socket.create_server(("127.0.0.1", 0), backlog=128)
    def handle(peer):
        with peer:
            peer.sendall(word.encode() + b" ")
            while data := peer.recv(65536):
                peer.sendall(data)
    while True:
        threading.Thread(target=handle, args=(service.accept()[0],), daemon=True).start()
def attempt(host, port):
    with socket.socket() as probe:
        probe.settimeout(60)
        print(probe.connect_ex((host, int(port))))
def ask(port):
    with socket.create_connection(("127.0.0.1", int(port)), timeout=60) as app:
        app.sendall(b"payload" * 20000)
        app.shutdown(socket.SHUT_WR)
        word, _, rest = b"".join(iter(lambda: app.recv(65536), b"")).partition(b" ")
        print(word.decode() if rest == b"payload" * 20000 else f"WRONG: {word[:64]} {len(rest)}")
{"serve": serve, "try": attempt, "ask": ask}[sys.argv[1]](*sys.argv[2:])
"""


def refusal():
    """Why this process cannot make what the test needs; None when it can."""
    for arguments, wanted, needed in (
            (["true"], "network namespaces", "CAP_SYS_ADMIN"),
            (["ip", "link", "add", "one", "type", "veth", "peer", "name", "other"],
             "veth pairs inside network namespaces", "CAP_NET_ADMIN and a kernel with veth")):
        done = subprocess.run(["unshare", "--net", *arguments], text=True, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT)
        if done.returncode != 0:
            return (f"no {wanted} can be made here, which needs {needed}: "
                    f"{done.stdout.strip()}")
    return None


class Namespaces(CulvertCase):
    @classmethod
    def setUpClass(cls):
        reason = refusal()
        if reason:
            print(f"skipped: {reason}", file=sys.stderr)
            raise unittest.SkipTest(reason)

    def setUp(self):
        super().setUp()
        self.certificates = Certificates(self.folder, names=(RELAY_NAME,))
        self.holders = {}
        self.make_namespace("relay")
        self.ip("relay", "address", "add", f"{OTHER_ADDRESS}/32", "dev", "lo")
        for number, role in enumerate(ROLES):
            self.make_namespace(role)
            self.join_to_relay(number, role)

    # --- the walls ------------------------------------------------------------------------------

    def inside(self, role):
        """What goes before a command; unlike `ip netns exec` it mounts nothing."""
        return ("nsenter", f"--net=/proc/{self.holders[role].pid}/ns/net")

    def ip(self, role, *arguments):
        done = subprocess.run([*self.inside(role), "ip", *arguments], text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        if done.returncode != 0:
            raise AssertionError(f"in {role}, ip {' '.join(arguments)}: {done.stdout}")

    def make_namespace(self, role):
        """It has no name: it lives as long as the process that holds it and those inside."""
        holder = self.start(f"holder-{role}", ["unshare", "--net", "sleep", "infinity"])
        ours = os.stat("/proc/self/ns/net").st_ino
        wait_until(lambda: os.stat(f"/proc/{holder.pid}/ns/net").st_ino != ours,
                   f"the namespace of {role}", process=holder)
        self.holders[role] = holder
        self.ip(role, "link", "set", "lo", "up")

    def join_to_relay(self, number, role):
        ends = (f"relay{number}", f"up{number}")
        self.ip("relay", "link", "add", ends[0], "type", "veth",
                "peer", "name", ends[1], "netns", str(self.holders[role].pid))
        for space, end, address in zip(("relay", role), ends, ADDRESS[role]):
            self.ip(space, "address", "add", f"{address}/30", "dev", end)
            self.ip(space, "link", "set", end, "up")

    def helper(self, role, *arguments):
        """Runs HELPER in the namespace and returns what it printed."""
        return subprocess.run([*self.inside(role), sys.executable, "-c", HELPER, *arguments],
                              check=True, stdout=subprocess.PIPE, text=True).stdout.strip()

    def serve_in(self, role, word):
        target = self.start(f"target-{word}", [*self.inside(role), sys.executable, "-c", HELPER,
                                               "serve", word], kind=Process)
        return target.wait_listening()

    def check_walls(self, relay_port, closed_ports):
        """Of all addresses and ports here, each role reaches the relay's one."""
        for role in ROLES:
            self.assertEqual(self.helper(role, "try", ADDRESS[role][0], str(relay_port)), "0")
            elsewhere = [(OTHER_ADDRESS, closed_ports["relay"]), ("198.51.100.1", 443),
                         (ADDRESS[role][0], closed_ports["relay"])]
            if closed_ports[role] != relay_port:  # by chance its own target's
                elsewhere.append(("127.0.0.1", relay_port))
            for other in ROLES:
                if other != role:
                    elsewhere += [(address, relay_port) for address in ADDRESS[other]]
                    elsewhere.append((ADDRESS[other][1], closed_ports[other]))
            for host, port in elsewhere:
                code = int(self.helper(role, "try", host, str(port)))
                self.assertIn(code, WALLS, f"from {role} to {host}:{port}: {os.strerror(code)}")

    # --- the roles ------------------------------------------------------------------------------

    def start_roles(self):
        self.relay = self.start_relay(names=(RELAY_NAME,), bind="0.0.0.0:0", shards=2,
                                      prefix=self.inside("relay"))
        targets = {role: self.serve_in(role, role) for role in ROLES[1:]}
        other = self.start("other", [*self.inside("relay"), sys.executable, "-c",
                                     HELPER.replace("127.0.0.1", OTHER_ADDRESS), "serve", "other"])
        self.check_walls(self.relay.port, {"relay": other.wait_listening(), "sender": 1, **targets})
        self.listeners = {role: self.start_listener(
            self.relay, f"127.0.0.1:{targets[role]}", *self.resolve(role),
            prefix=self.inside(role)) for role in ROLES[1:]}
        self.sender = self.start_sender(self.relay, *self.resolve("sender"),
                                        prefix=self.inside("sender"))

    @staticmethod
    def resolve(role):
        return ("--resolve", f"{RELAY_NAME}={ADDRESS[role][0]}")

    def ask(self):
        return self.helper("sender", "ask", str(self.sender.port))

    def ask_until(self, wanted):
        """Asks until each of the wanted listeners has answered once."""
        answers = set()

        def seen_all():
            answers.add(self.ask())
            return answers >= wanted
        wait_until(seen_all, f"answers of {wanted}")
        self.assertEqual(answers, wanted)

    def test_two_listeners_in_two_namespaces_serve_one_app(self):
        self.start_roles()
        self.ask_until({"listener1", "listener2"})
        # One is gone: the other serves the app alone, at once, and later they share again.
        self.listeners["listener1"].kill()
        self.relay.wait_for_line("listener offline")
        for _ in range(5):
            self.assertEqual(self.ask(), "listener2")
        target = self.serve_in("listener1", "listener1")
        self.start_listener(self.relay, f"127.0.0.1:{target}", *self.resolve("listener1"),
                            prefix=self.inside("listener1"))
        self.ask_until({"listener1", "listener2"})

    def test_without_resolve_the_name_leads_nowhere(self):
        relay = self.start_relay(names=(RELAY_NAME,), bind="0.0.0.0:0",
                                 prefix=self.inside("relay"))
        listener = self.start_listener(relay, "127.0.0.1:1", "--resolver", "resolver_static",
                                       online=False, prefix=self.inside("listener1"))
        self.assertEqual(listener.wait(), 1)
        listener.wait_for_line(f"no address is known for {RELAY_NAME}: add (--resolve|the resolve entry) "
                               f"{RELAY_NAME}=ADDR")


if __name__ == "__main__":
    unittest.main()
