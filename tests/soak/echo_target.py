"""The target of all tunnels of a soak: a process of its own, which echoes, and counts how connections end.

It listens on a free port of 127.0.0.1. When nothing is left to read it prints its counts, if they have changed:
    open=3 clean=7 reset=0
"""
import selectors
import socket

from soak_case import raise_descriptor_limit


class Target:
    def __init__(self):
        self.selector = selectors.DefaultSelector()
        self.service = socket.create_server(("127.0.0.1", 0), backlog=4096)
        self.service.setblocking(False)
        self.selector.register(self.service, selectors.EVENT_READ)
        self.open = self.clean = self.reset = 0

    def accept(self):
        try:
            while True:
                peer, _ = self.service.accept()
                self.selector.register(peer, selectors.EVENT_READ)
                self.open += 1
        except BlockingIOError:
            pass  # all that waited have come

    def echo(self, peer):
        """Blocks where the other side does not read: the apps of a soak read all that they have asked for."""
        try:
            data = peer.recv(1 << 18)
            peer.sendall(data)
            self.clean += not data
        except OSError:
            self.reset += 1
            data = b""
        if not data:
            self.open -= 1
            self.selector.unregister(peer)
            peer.close()

    def run(self):
        told = ""
        while True:
            for key, _ in self.selector.select(None):
                if key.fileobj is self.service:
                    self.accept()
                else:
                    self.echo(key.fileobj)
            counts = f"open={self.open} clean={self.clean} reset={self.reset}"
            if counts != told and not self.selector.select(0):
                told = counts
                print(counts, flush=True)


if __name__ == "__main__":
    raise_descriptor_limit()
    Target().run()
