"""Relay, listener and sender as three processes: requests, half-close, a dead target, a drain."""
import socket
import threading
import unittest
import urllib.request

from culvert_processes import CulvertCase, connect, echo, receive_all
from http_pages import body_of, serve_pages


class Smoke(CulvertCase):
    def tunnel_to(self, port):
        self.relay = self.start_relay()
        self.listener = self.start_listener(self.relay, f"127.0.0.1:{port}")
        self.sender = self.start_sender(self.relay)
        return self.sender.port

    def test_http_through_the_tunnel(self):
        port = self.tunnel_to(serve_pages(self))
        for number in range(20):
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/{number}", timeout=60) as page:
                self.assertEqual(page.read(), body_of(f"/{number}"))

    def test_half_close_and_a_drain(self):
        port = self.tunnel_to(self.serve(echo))
        payload = bytes(range(256)) * 16384
        with connect(port) as connection:
            writer = threading.Thread(target=self.write_and_end, args=(connection, payload))
            writer.start()
            self.assertEqual(receive_all(connection), payload)
            writer.join()
        for process in (self.sender, self.listener, self.relay):
            self.assertEqual(process.terminate(), 0, process.name)

    @staticmethod
    def write_and_end(connection, payload):
        connection.sendall(payload)
        connection.shutdown(1)

    def test_urgent_data_stays_in_the_stream(self):
        with connect(self.tunnel_to(self.serve(echo))) as app:
            app.sendall(b"ab")
            app.send(b"X", socket.MSG_OOB)
            app.sendall(b"cd")
            app.shutdown(socket.SHUT_WR)
            self.assertEqual(receive_all(app), b"abXcd")

    def test_a_dead_target_resets_the_app(self):
        port = self.tunnel_to(1)  # nobody listens there
        self.check_reset(port)
        self.sender.wait_for_line("no tunnel for a connection; it is reset.*refused")


class SmokeExample(Smoke):
    """All of it over the example protocol, which is plain C."""
    transport = "example_relay"


if __name__ == "__main__":
    unittest.main()
