"""400 apps at one moment through one sender: more than the relay lets one source have waiting."""
import selectors
import socket
import unittest

from culvert_processes import CulvertCase, echo, free_port

APPS = 400
PATIENCE_S = 60


class Crowd(CulvertCase):
    def check_crowd(self, sender):
        """All connect at once, say their number and hear it again; none is reset."""
        selector = selectors.DefaultSelector()
        self.addCleanup(selector.close)
        apps = []
        for number in range(APPS):
            app = socket.socket()
            self.addCleanup(app.close)
            app.setblocking(False)
            app.connect_ex(("127.0.0.1", sender.port))
            selector.register(app, selectors.EVENT_WRITE, number)
            apps.append(app)
        heard = {}
        resets = 0
        while len(heard) + resets < APPS:
            ready = selector.select(PATIENCE_S)
            self.assertTrue(ready, f"{len(heard)} of {APPS} were served, {resets} were reset")
            for key, events in ready:
                try:
                    if events & selectors.EVENT_WRITE:
                        key.fileobj.send(b"app %d" % key.data)
                        selector.modify(key.fileobj, selectors.EVENT_READ, key.data)
                    else:
                        heard[key.data] = key.fileobj.recv(100)
                        selector.unregister(key.fileobj)
                except ConnectionError:
                    resets += 1
                    selector.unregister(key.fileobj)
        self.assertEqual(resets, 0)
        self.assertEqual(heard, {number: b"app %d" % number for number in range(APPS)})
        return apps

    def test_all_are_served_and_again_when_the_relay_has_restarted(self):
        bind = f"127.0.0.1:{free_port()}"
        relay = self.start_relay(bind=bind)
        listener = self.start_listener(relay, f"127.0.0.1:{self.serve(echo)}")
        sender = self.start_sender(relay)
        apps = self.check_crowd(sender)
        self.assertEqual(sender.lines("it is reset"), [])
        relay.kill()
        for app in apps:
            app.setblocking(True)
            app.settimeout(PATIENCE_S)
            self.assertRaises(ConnectionResetError, app.recv, 1)
            app.close()
        self.start_relay(bind=bind)
        listener.wait_for_line("registered at the relay", count=2)
        self.check_crowd(sender)
        self.assertEqual(sender.lines("it is reset"), [])


if __name__ == "__main__":
    unittest.main()
