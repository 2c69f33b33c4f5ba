"""OpenSSL's own s_client and s_server against the echo programs: TLS 1.2 and 1.3, verification,
resumption, and what speaks no TLS at a TLS port.
"""

import os
import socket
import subprocess
import unittest

from culvert_processes import DEADLINE_S, binary_folder
from echo_conformance_test import CertifiedCase, EchoServer, binary, closing

# No upgrade: answered and closed, so that s_client ends too.
REQUEST = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"


class OpenSsl(CertifiedCase):
    def s_client(self, side, *arguments):
        """What s_client says of one connection."""
        command = ["openssl", "s_client", "-connect", f"127.0.0.1:{side.port}", "-ign_eof",
                   "-CAfile", self.certificate.certificate, "-verify_return_error",
                   "-verify_ip", "127.0.0.1", *arguments]  # fmt: skip
        done = subprocess.run(command, input=REQUEST, capture_output=True, timeout=DEADLINE_S)
        return done.stdout.decode(errors="replace")

    def test_s_client_of_each_version_resumes(self):
        side = EchoServer(self.certificate)
        self.addCleanup(side.stop)
        for flag, version in (("-tls1_2", "TLSv1.2"), ("-tls1_3", "TLSv1.3")):
            session = os.path.join(self.certificate.folder.name, version)
            with self.subTest(version):
                first = self.s_client(side, flag, "-sess_out", session)
                self.assertIn(f"New, {version}", first)
                self.assertIn("Verify return code: 0 (ok)", first)
                self.assertIn("HTTP/1.1 426 ", first)
                again = self.s_client(side, flag, "-sess_in", session)
                self.assertIn(f"Reused, {version}", again)
                self.assertIn("HTTP/1.1 426 ", again)

    def test_s_client_that_is_too_old_is_refused(self):
        side = EchoServer(self.certificate)
        self.addCleanup(side.stop)
        for flag in ("-tls1", "-tls1_1"):
            said = self.s_client(side, flag, "-cipher", "DEFAULT:@SECLEVEL=0")
            self.assertIn("(NONE)", said)
            self.assertNotIn("HTTP/1.1", said)

    def test_s_server_of_each_version_is_verified_and_spoken_to(self):
        for flag, cipher in (("-tls1_2", b"CIPHER is ECDHE-"), ("-tls1_3", b"CIPHER is TLS_")):
            with self.subTest(flag):
                command = ["openssl", "s_server", "-accept", "127.0.0.1:0", flag, "-naccept", "1",
                           "-cert", self.certificate.certificate, "-key", self.certificate.key]  # fmt: skip
                server = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
                self.addCleanup(server.stdout.close)
                self.addCleanup(server.wait)
                self.addCleanup(server.kill)
                line = b""
                while not line.startswith(b"ACCEPT "):
                    line = server.stdout.readline()
                    self.assertTrue(line, "s_server ended")
                port = int(line.rsplit(b":", 1)[1])
                client = subprocess.Popen(
                    [os.path.join(binary_folder(), "ws_echo_client"), f"wss://127.0.0.1:{port}/interop",
                     "--ca", self.certificate.certificate], stderr=subprocess.PIPE)  # fmt: skip
                said = b""
                while b"\r\n\r\n" not in said and line:
                    line = server.stdout.readline()
                    said += line
                self.assertIn(b"GET /interop HTTP/1.1\r\n", said)
                server.stdin.write(b"Q\n")  # ends the connection before the upgrade
                server.stdin.close()
                self.assertIn(cipher, said)
                self.assertIn(b"ws_echo_client: ", client.communicate(timeout=DEADLINE_S)[1])
                self.assertEqual(client.returncode, 1)

    def test_what_is_no_tls_ends_alone(self):
        side = EchoServer(self.certificate)
        self.addCleanup(side.stop)
        neighbour = side.connect()
        self.addCleanup(neighbour.connection.close)
        # libssl answers what is no record at all with silence
        for garbage, alert in (
            (REQUEST, b""),
            (b"\x16\x03\x01\x00\x05hello", b"\x15"),
            (b"\xff" * 1000, b""),
            (b"\x80\x2e\x01", b""),
        ):
            with socket.create_connection(("127.0.0.1", side.port), DEADLINE_S) as connection:
                connection.sendall(garbage)
                connection.shutdown(socket.SHUT_WR)
                self.assertEqual(connection.recv(65536)[:1], alert)
        neighbour.send(binary(b"unharmed"), closing())
        neighbour.read_to_end()
        self.assertEqual(neighbour.events, [("binary", b"unharmed"), ("close", 1000)])


if __name__ == "__main__":
    unittest.main()
