"""Many apps' connections to one sender, in one thread."""
import selectors
import socket

AT_ONCE = 256  # apps that wait for their tunnel: what a relay lets one address have waiting
PATIENCE_S = 60  # for the next event of any of them


class Crowd:
    """Belongs to a test case, which closes what it leaves open."""

    def __init__(self, case, port):
        self.case = case
        self.port = port
        self.apps = []
        case.addCleanup(self.close)

    def close(self):
        for app in self.apps:
            app.close()
        self.apps = []

    def open(self, count):
        """Each says its number and hears it again."""
        selector = selectors.DefaultSelector()
        asked = {}
        while len(self.apps) < count:
            while len(self.apps) + len(asked) < count and len(asked) < AT_ONCE:
                app = socket.create_connection(("127.0.0.1", self.port), timeout=PATIENCE_S)
                asked[app] = b"app %d" % (len(self.apps) + len(asked))
                app.sendall(asked[app])
                selector.register(app, selectors.EVENT_READ)
            ready = selector.select(PATIENCE_S)
            self.case.assertTrue(ready, f"{len(self.apps)} of {count} have their tunnel, and no more come")
            for key, _ in ready:
                selector.unregister(key.fileobj)
                self.apps.append(key.fileobj)
                self.case.assertEqual(key.fileobj.recv(100), asked.pop(key.fileobj))
        selector.close()

    def ends(self):
        """Waits for the end of each, without a byte before it, and returns how many ended how: (clean, reset)."""
        selector = selectors.DefaultSelector()
        for app in self.apps:
            selector.register(app, selectors.EVENT_READ)
        clean = reset = 0
        while clean + reset < len(self.apps):
            ready = selector.select(PATIENCE_S)
            self.case.assertTrue(ready, f"{clean} ended clean and {reset} were reset of {len(self.apps)}")
            for key, _ in ready:
                try:
                    self.case.assertEqual(key.fileobj.recv(100), b"")
                    clean += 1
                except ConnectionResetError:
                    reset += 1
                selector.unregister(key.fileobj)
        selector.close()
        self.close()
        return clean, reset

    def finish(self):
        """Each ends its direction; see ends()."""
        for app in self.apps:
            app.shutdown(socket.SHUT_WR)
        return self.ends()
