"""Where an offer may send a listener: the relay itself, of an Azure namespace its gateways too, and
what --rendezvous-host names. The relay's --public-address stands in for a gateway."""
import unittest

from culvert_processes import Certificates, CulvertCase, connect, echo, free_port, receive_all

NAMESPACE = "ns.servicebus.windows.net"
GATEWAY = "g17-prod-by3-010-sb.servicebus.windows.net"  # as Azure names them
ELSEWHERE = "gateway.elsewhere.test"
REFUSED = f"an offer came to nothing.*{ELSEWHERE}.*rendezvous_hosts"


class Gateways(CulvertCase):
    def start_world(self, gateway, *listener_options):
        """A listener and a sender of a namespace whose offers name that gateway."""
        self.certificates = Certificates(self.folder, names=(NAMESPACE, gateway))
        known = [option for name in (NAMESPACE, gateway)
                 for option in ("--resolve", f"{name}=127.0.0.1")]
        port = free_port()
        relay = self.start_relay("--public-address", f"{gateway}:{port}", names=(NAMESPACE,),
                                 bind=f"127.0.0.1:{port}")
        listener = self.start_listener(relay, f"127.0.0.1:{self.serve(echo)}", *known,
                                       *listener_options)
        return listener, self.start_sender(relay, *known)

    def check_echo(self, sender):
        with connect(sender.port) as app:
            app.sendall(b"by way of a gateway")
            app.shutdown(1)
            self.assertEqual(receive_all(app), b"by way of a gateway")

    def check_refused(self, listener, sender):
        """By the listener; it cannot say so where it does not go, so the app goes on waiting."""
        with connect(sender.port):
            listener.wait_for_line(REFUSED)
            listener.wait_for_line("rendezvous_hosts is set with --rendezvous-host")

    def test_an_azure_namespace_may_send_to_its_gateways(self):
        _, sender = self.start_world(GATEWAY)
        self.check_echo(sender)

    def test_a_host_elsewhere_is_refused(self):
        listener, sender = self.start_world(ELSEWHERE)
        self.check_refused(listener, sender)

    def test_the_operator_may_allow_it(self):
        for allowed in (ELSEWHERE, f"other.test,{ELSEWHERE}", "*.elsewhere.test"):
            with self.subTest(allowed):
                _, sender = self.start_world(ELSEWHERE, "--rendezvous-host", allowed)
                self.check_echo(sender)

    def test_only_what_is_allowed(self):
        for allowed in ("elsewhere.test", "*.gateway.elsewhere.test", "*.test.elsewhere"):
            with self.subTest(allowed):
                listener, sender = self.start_world(ELSEWHERE, "--rendezvous-host", allowed)
                self.check_refused(listener, sender)


if __name__ == "__main__":
    unittest.main()
