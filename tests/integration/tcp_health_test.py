"""A sender behind a load balancer: bare connects open no tunnel, and apps of each kind are served."""
import socket
import struct
import unittest

from culvert_processes import CulvertCase, connect, echo, receive_all

PROBES = 20


class TcpHealth(CulvertCase):
    def start_roles(self, handle, *flags):
        self.relay = self.start_relay()
        self.start_listener(self.relay, f"127.0.0.1:{self.serve(handle)}")
        self.sender = self.start_sender(self.relay, *flags)
        self.sender.wait_for_line("ready for apps")

    def probe(self, resets):
        with connect(self.sender.port) as probe:
            if resets:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    def test_bare_connects_open_no_tunnel_and_are_lines_of_debug_alone(self):
        self.start_roles(echo, "--tcp-health")
        for number in range(PROBES):
            self.probe(resets=number % 2 == 0)
        self.sender.wait_for_line("debug a connection ended without a byte: it was a probe",
                                  count=PROBES)
        with connect(self.sender.port) as app:
            app.sendall(b"question")
            app.shutdown(socket.SHUT_WR)
            self.assertEqual(receive_all(app), b"question")
        self.assertEqual(len(self.sender.lines("tunnel joined")), 1)
        self.assertEqual(self.sender.lines(" (warn|error) "), [])
        self.assertEqual(len(self.relay.lines("tunnel joined")), 1)

    def test_a_service_that_speaks_first_is_heard(self):
        def mail(peer):
            peer.sendall(b"220 mail ESMTP\r\n")
            echo(peer)
        self.start_roles(mail, "--tcp-health")
        with connect(self.sender.port) as app:
            self.assertEqual(app.recv(100), b"220 mail ESMTP\r\n")
            app.sendall(b"EHLO\r\n")
            self.assertEqual(app.recv(100), b"EHLO\r\n")

    def test_without_it_a_bare_connect_opens_a_tunnel(self):
        self.start_roles(echo)
        self.probe(resets=False)
        self.sender.wait_for_line("tunnel joined")


if __name__ == "__main__":
    unittest.main()
