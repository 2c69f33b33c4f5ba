"""--shards of relay, listener and sender: as many event loops, each with a thread of its own; `auto`
is one for each processor that the process may run on."""
import os
import re
import unittest

from culvert_processes import CulvertCase, connect, echo, wait_until

MOST_TUNNELS = 500  # a thread that has had none of so many gets none


def threads(process):
    """Of its own: the kernel's workers of an io_uring are called iou-..."""
    names = []
    for task in os.listdir(f"/proc/{process.pid}/task"):
        try:
            with open(f"/proc/{process.pid}/task/{task}/comm", encoding="ascii") as file:
                names.append(file.read())
        except OSError:  # it has ended meanwhile
            pass
    return len([name for name in names if not name.startswith("iou-")])


class Shards(CulvertCase):
    def check_roles(self, option, wanted, prefix=()):
        """Beside the loops there is the thread that waits for signals. Returns the sender's port."""
        self.relay = self.start_relay(shards=option, prefix=prefix)
        listener = self.start_listener(self.relay, f"127.0.0.1:{self.serve(echo)}",
                                       "--shards", option, prefix=prefix)
        sender = self.start_sender(self.relay, "--shards", option, prefix=prefix)
        self.check_tunnel(sender.port)
        for process in (self.relay, listener, sender):
            self.assertEqual(threads(process), wanted + 1, process.name)
        return sender.port

    def check_tunnel(self, port):
        with connect(port) as app:
            app.sendall(b"well?")
            self.assertEqual(app.recv(5), b"well?")

    def shards_that_joined(self):
        return {re.search(r" shard=(\d+)", line).group(1)
                for line in self.relay.lines("tunnel joined")}

    def test_a_number(self):
        for number in (1, 3):
            with self.subTest(number):
                port = self.check_roles(str(number), number)
                wanted = set(map(str, range(number)))
                for _ in range(MOST_TUNNELS):
                    if self.shards_that_joined() == wanted:
                        break
                    self.check_tunnel(port)
                wait_until(lambda: self.shards_that_joined() == wanted, "tunnels on every shard")

    def test_auto_is_as_many_as_it_may_have_processors(self):
        mine = sorted(os.sched_getaffinity(0))
        for allowed in (mine[:1], mine[:2]):
            with self.subTest(allowed):
                prefix = ("taskset", "--cpu-list", ",".join(map(str, allowed)))
                self.check_roles("auto", len(allowed), prefix)

    def test_without_the_option_it_is_one(self):
        listener = self.start_listener(self.start_relay(), "127.0.0.1:1")
        self.assertEqual(threads(listener), 2)


if __name__ == "__main__":
    unittest.main()
