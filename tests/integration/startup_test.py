"""What a role says and does when it starts: the line by which one knows that it is ready, warnings
about its certificate, as many open files as it may have, and the signals that end it."""
import os
import re
import signal
import unittest

from culvert_processes import CulvertCase


class Startup(CulvertCase):
    def test_relay_and_sender_say_where_they_listen(self):
        relay = self.start_relay(names=("127.0.0.1", "localhost"), entities=("app", "db"),
                                 log_level="info")
        line = relay.wait_for_line("listening on")
        self.assertRegex(line, f"Z info listening on 127.0.0.1:{relay.port} role=relay "
                               "names=127.0.0.1,localhost entities=2 protocols=transport_azure$")
        sender = self.start_sender(relay, bind="[::1]:0", log_level="info")
        line = sender.wait_for_line("listening on")
        self.assertTrue(line.endswith(f"Z info listening on [::1]:{sender.port} role=sender "
                                      f"entity=app relay=127.0.0.1:{relay.port}"), line)

    def test_names_that_the_certificate_does_not_cover_are_warned_about(self):
        self.certificates = type(self.certificates)(
            self.folder, ("127.0.0.1", "relay.example", "*.wild.example"))
        relay = self.start_relay(names=("127.0.0.1", "a.wild.example", "a.b.wild.example",
                                        "other.example", "RELAY.example"), log_level="warn")
        relay.terminate()
        self.assertEqual(
            [line.split("refuse it ")[1] for line in relay.lines("the certificate is not valid")],
            [f"name={name} certificate={self.certificates.certificate} "
             "valid_for=127.0.0.1,relay.example,*.wild.example"
             for name in ("a.b.wild.example", "other.example")])

    def test_a_public_address_that_the_certificate_does_not_cover_is_warned_about(self):
        relay = self.start_relay("--public-address", "public.example:444", log_level="warn")
        relay.terminate()
        self.assertRegex(relay.log(), "the certificate is not valid for a name.*"
                                      " name=public.example certificate=")

    def test_the_soft_limit_of_open_files_is_raised_to_the_hard_one(self):
        relay = self.start_relay(prefix=("sh", "-c", 'ulimit -Sn 256; exec "$0" "$@"'))
        line = relay.wait_for_line("debug open files")
        with open(f"/proc/{relay.pid}/limits", encoding="ascii") as limits:
            soft, hard = re.search(r"Max open files +(\d+) +(\d+)", limits.read()).groups()
        self.assertEqual(soft, hard)
        self.assertTrue(line.endswith(f"open files limit={hard} before=256"), line)

    def test_closed_standard_streams_are_no_sockets(self):
        relay = self.start_relay(prefix=("sh", "-c", 'exec "$0" "$@" <&- >&- 2>&-'))
        links = [os.readlink(f"/proc/{relay.pid}/fd/{number}") for number in range(3)]
        self.assertEqual(links, ["/dev/null"] * 3)
        self.assertEqual(relay.terminate(), 0)

    def test_each_of_three_signals_drains(self):
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            relay = self.start_relay()
            relay.signal(number)
            self.assertEqual(relay.wait(), 0)

    def test_under_nohup_a_hangup_is_ignored(self):
        relay = self.start_relay(prefix=("nohup",))
        relay.wait_for_line("listening on")
        with open(f"/proc/{relay.pid}/status", encoding="ascii") as status:
            masks = {name: int(mask, 16) for name, mask
                     in re.findall(r"(Sig\w\w\w):\s+(\w+)", status.read())}
        hangup = 1 << (signal.SIGHUP - 1)
        self.assertEqual(masks["SigBlk"] & hangup, 0)
        self.assertEqual(masks["SigIgn"] & hangup, hangup)
        relay.signal(signal.SIGHUP)
        self.assertEqual(relay.terminate(), 0)


if __name__ == "__main__":
    unittest.main()
