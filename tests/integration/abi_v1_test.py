"""Plugins that were built from the first SDK headers carry tunnels in today's engine: transport and relay
half of the example protocol, tokens, and names."""
import os
import unittest

import smoke_test
from culvert_processes import binary_folder

PLUGINS = os.path.join(os.path.dirname(binary_folder()), "tests", "plugins_v1")
CLIENT = {"auth_v1", "resolver_v1"}


class PluginsOfV1(smoke_test.Smoke):
    """The smoke test, with no plugin of today's build in any process."""
    transport = "example_relay"

    def start_relay(self, *extra):
        return super().start_relay(*extra, "--plugin-directory", PLUGINS, "--auth", "auth_v1",
                                   names=("localhost", "127.0.0.1"))

    def start_listener(self, relay, target, *extra):
        return super().start_listener(relay, target, *extra, *self.client_options())

    def start_sender(self, relay, *extra):
        return super().start_sender(relay, *extra, *self.client_options())

    def tunnel_to(self, port):
        port = super().tunnel_to(port)
        for process, auth in ((self.relay, {"auth_v1"}), (self.listener, CLIENT), (self.sender, CLIENT)):
            with open(f"/proc/{process.pid}/maps", encoding="utf-8") as maps:
                mapped = {row.split()[-1] for row in maps if row.rstrip().endswith(".so")}
            plugins = {os.path.join(PLUGINS, f"{plugin}.so") for plugin in {"example_relay", *auth}}
            ours = os.path.dirname(binary_folder())
            self.assertEqual({path for path in mapped if path.startswith(ours)}, plugins, process.name)
        return port

    @staticmethod
    def client_options():
        return ("--plugin-directory", PLUGINS, "--auth", "auth_v1", "--resolver", "resolver_v1")


if __name__ == "__main__":
    unittest.main()
