"""`culvert sas`: the tokens it makes, what it says of them, and that a relay takes them."""
import re
import subprocess
import time
import unittest
import urllib.parse

from culvert_processes import PEER_KEY
from no_io_uring import forbid_io_uring
from raw_ends import LISTEN, NeighbourCase
from websocket_peer import Peer

DEFAULT_S = 3600
RESOURCE = {"transport_azure": "http://127.0.0.1/other/",  # what a token of the protocol is for
            "example_relay": "sb://127.0.0.1/other"}


class Sas(NeighbourCase):
    forbidden = None  # what the next command may not do

    def culvert_says(self, *arguments):
        done = subprocess.run([self.culvert(), "sas", *arguments], text=True, timeout=60,
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, preexec_fn=self.forbidden)
        return done.returncode, done.stdout, done.stderr

    def make(self, *options, rule="listener"):
        code, token, errors = self.culvert_says(
            "token", "--connection-string", self.connection_file(self.relay, rule, "other"),
            *options)
        self.assertEqual((code, errors), (0, ""))
        self.assertRegex(token, r"\ASharedAccessSignature [!-~]+\n\Z")
        return token.strip()

    @staticmethod
    def fields(token):
        return dict(urllib.parse.parse_qsl(token.split(" ", 1)[1], strict_parsing=True))

    def verdict(self, token, right="listen", name="127.0.0.1", entity="other"):
        """Exit code, and what was said."""
        rules = []
        for rule, rights in (("listener", "listen"), ("sender", "send")):
            key = self.write_secret(f"{rule}.key", f"{rule}-{PEER_KEY}")
            rules += ["--rule", f"{rule}:{rights}:file:{key}"]
        code, said, errors = self.culvert_says(
            "verify", "--token", "file:" + self.write_secret("token", token), "--name", name,
            "--entity", entity, *(["--right", right] if right else []), *rules)
        return code, said + errors

    def shown(self, token):
        """What is shown of a good token when no right is asked for."""
        code, said = self.verdict(token, right=None)
        *lines, verdict = said.splitlines()
        self.assertEqual((code, verdict), (0, "accepted"))
        return dict(line.split(maxsplit=1) for line in lines)

    def test_a_token_is_good_for_as_long_as_was_asked(self):
        for options, lifetime_s in [((), DEFAULT_S), (("--lifetime", "60"), 60),
                                    (("--lifetime", "86400"), 86400),
                                    (("--lifetime", "604800"), 604800)]:
            with self.subTest(lifetime_s):
                before = int(time.time())
                token = self.make(*options)
                after = int(time.time())
                expiry = int(self.fields(token)["se"])
                self.assertLessEqual(before + lifetime_s, expiry)
                self.assertLessEqual(expiry, after + lifetime_s)
                self.assertEqual(self.verdict(token)[0], 0)
                self.assertEqual(self.shown(token)["expires"], time.strftime(
                    "%Y-%m-%dT%H:%M:%SZ", time.gmtime(expiry)))

    def test_what_a_protocols_token_is_for(self):
        for transport, resource in RESOURCE.items():
            with self.subTest(transport):
                token = self.make("--transport", transport, rule="sender")
                fields = self.fields(token)
                self.assertEqual((fields["sr"], fields["skn"]), (resource, "sender"))
                self.assertEqual(self.verdict(token, right="send")[0], 0)
                self.assertEqual(self.shown(token), {**self.shown(token), "rule": "sender",
                                                     "rights": "send"})

    def test_what_a_token_is_not_for_is_refused(self):
        for transport in RESOURCE:
            token = self.make("--transport", transport)
            changed = re.sub("sig=.", lambda found: "sig=" + ("B" if found[0][-1] == "A" else "A"),
                             token)
            for name, more in [("right", {"right": "send"}), ("name", {"name": "relay.example"}),
                               ("entity", {"entity": "app"}), ("signature", {"token": changed})]:
                with self.subTest(name, transport=transport):
                    code, said = self.verdict(**{"token": token, **more})
                    self.assertEqual(code, 1)
                    self.assertIn("refused: ", said)
                    if name == "entity":
                        self.assertIn(f"the token is for {self.fields(token)['sr']}, "
                                      "asked is app", said)

    def test_both_run_where_io_uring_is_forbidden(self):
        token = self.make()
        self.forbidden = forbid_io_uring
        code, said = self.verdict(token)
        self.assertEqual((code, said.splitlines()[-1]), (0, "accepted"))
        self.assertTrue(self.make().startswith("SharedAccessSignature "))

    def test_the_relay_takes_it(self):
        for options in ((), ("--transport", "example_relay"), ("--lifetime", "60")):
            with self.subTest(options):
                Peer(self.dial(), client=True).ask_upgrade(
                    LISTEN, [("ServiceBusAuthorization", self.make(*options))])


if __name__ == "__main__":
    unittest.main()
