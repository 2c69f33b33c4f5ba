"""A sender with an endpoint and no bind: each name has a loopback address of its own, with the
endpoint's port, so two names with one port do not meet."""
import unittest

from culvert_processes import CulvertCase, connect, quiet_port

# tests/unit/config/endpoint_address_test.cpp says where they come from.
ADDRESSES = {"db.internal": "127.184.121.144", "web.internal": "127.217.251.170"}


class EndpointAddress(CulvertCase):
    def test_two_names_with_one_port_reach_their_own_targets(self):
        relay = self.start_relay(entities=("app", "other"))
        port = quiet_port()
        for entity, name in (("app", "db.internal"), ("other", "Web.Internal.")):
            target = self.serve(lambda peer, name=name: peer.sendall(name.encode()))
            self.start_listener(relay, f"127.0.0.1:{target}", entity=entity)
            sender = self.start_sender(relay, "--endpoint", f"{name}:{port}", bind=None, entity=entity)
            self.assertEqual(sender.port, port)
        for name, said in (("db.internal", b"db.internal"), ("web.internal", b"Web.Internal.")):
            with connect(port, ADDRESSES[name]) as app:
                self.assertEqual(app.recv(64), said)


if __name__ == "__main__":
    unittest.main()
