"""proxy_protocol = "v2": a real HAProxy behind the listener reads the app's address, of both families,
and the log of each side has it."""
import os
import re
import shutil
import socket
import sys
import unittest

from culvert_processes import CulvertCase, connect, quiet_port, receive_all, wait_until

HAPROXY = """
defaults
  mode http
  timeout client 60s
  timeout server 60s
  timeout connect 10s
frontend app
  bind 127.0.0.1:{port} accept-proxy
  http-request return status 200 content-type text/plain lf-string "from %[src]:%[src_port]"
"""
SIGNATURE = b"\r\n\r\n\0\r\nQUIT\n"


class AppAddress(CulvertCase):
    def start_roles(self, target, bind="127.0.0.1:0"):
        relay = self.start_relay()
        self.listener = self.start_listener(relay, f"127.0.0.1:{target}", "--proxy-protocol", "v2")
        self.sender = self.start_sender(relay, bind=bind)

    def ask(self, host):
        with connect(self.sender.port, host) as app:
            address, port = app.getsockname()[:2]
            app.sendall(b"GET / HTTP/1.0\r\n\r\n")
            return address, port, receive_all(app)

    def test_haproxy_reads_the_address_of_each_family(self):
        if not shutil.which("haproxy"):
            reason = "no haproxy here: install it (tools/packages)"
            print(f"skipped: {reason}", file=sys.stderr)
            raise unittest.SkipTest(reason)
        port = quiet_port()
        config = os.path.join(self.folder, "haproxy.cfg")
        with open(config, "w", encoding="utf-8") as file:
            file.write(HAPROXY.format(port=port))
        haproxy = self.start("haproxy", ["haproxy", "-db", "-f", config])
        wait_until(lambda: port in haproxy.listening_ports(), "haproxy to listen", process=haproxy)
        for bind, host in (("127.0.0.1:0", "127.0.0.1"), ("[::1]:0", "::1")):
            self.start_roles(port, bind)
            address, app_port, answer = self.ask(host)
            self.assertTrue(answer.endswith(f"from {address}:{app_port}".encode()), answer)
            written = f"{address}:{app_port}" if ":" not in address else f"[{address}]:{app_port}"
            pattern = "tunnel joined .*app=" + re.escape(written)
            self.listener.wait_for_line(pattern)
            self.sender.wait_for_line(pattern)

    def test_an_app_on_a_unix_socket_has_no_address(self):
        heard = []

        def handle(peer):
            heard.append(receive_all(peer))
        path = os.path.join(self.folder, "app.sock")
        relay = self.start_relay()
        self.start_listener(relay, f"127.0.0.1:{self.serve(handle)}", "--proxy-protocol", "v2")
        sender = self.start("sender", [self.culvert(), "connect", "--connection-string",
                                       self.connection_file(relay, "sender"), "--bind",
                                       f"unix:{path}", "--ca", self.certificates.ca])
        sender.wait_for_line("ready for apps")
        with socket.socket(socket.AF_UNIX) as app:
            app.settimeout(60)
            app.connect(path)
            app.sendall(b"bytes")
            app.shutdown(socket.SHUT_WR)
            receive_all(app)
        wait_until(lambda: heard, "the target to hear the app")
        self.assertEqual(heard, [SIGNATURE + b"\x20\0\0\0bytes"])


    def test_a_sender_can_keep_the_address_to_itself(self):
        heard = []
        target = self.serve(lambda peer: heard.append(receive_all(peer)))
        relay = self.start_relay()
        listener = self.start_listener(relay, f"127.0.0.1:{target}", "--proxy-protocol", "v2")
        sender = self.start_sender(relay, "--tell-app-address", "false")
        with connect(sender.port) as app:
            address = "{}:{}".format(*app.getsockname())
            app.sendall(b"bytes")
            app.shutdown(socket.SHUT_WR)
            receive_all(app)
        wait_until(lambda: heard, "the target to hear the app")
        self.assertEqual(heard, [SIGNATURE + b"\x20\0\0\0bytes"])
        listener.wait_for_line("tunnel ended")
        self.assertNotIn(address, listener.log() + relay.log())
        self.assertIn(address, sender.log())


if __name__ == "__main__":
    unittest.main()
