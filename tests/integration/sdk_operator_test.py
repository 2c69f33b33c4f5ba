"""A plugin of somebody else in an operator's hands: its settings on the command line, and what is said
when it breaks the rules."""
import hashlib
import hmac
import os
import signal
import unittest

import sdk_plugins
from culvert_processes import CulvertCase, wait_until

PLUGIN = "resolver_told"
ABI = "culvert connect: plugin resolver_told broke the rules of its ABI: resolve: "
MISTAKES = [
    ("none", "success with 0 addresses"),
    ("many", "success with 17 addresses"),
    ("family", "an address of family 0"),
    ("seven", "it returned 7"),
    ("inside", "it completed inside the call"),
]


def ended(pid):
    """Also of one that nobody has asked for its exit code."""
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii") as stat:
            return stat.read().rpartition(")")[2].split()[0] == "Z"
    except FileNotFoundError:
        return True


class ToldPlugin(CulvertCase):
    def build(self, *first_lines):
        """The plugin, in a directory beside those of the command."""
        source = "".join(line + "\n" for line in first_lines) + sdk_plugins.source(PLUGIN)
        plugins = sdk_plugins.build(self, PLUGIN, source)
        for name in os.listdir(plugins):
            if name != PLUGIN + ".so":  # the command finds its own beside itself
                os.remove(os.path.join(plugins, name))
        return plugins

    def start_sender(self, plugins, *settings):
        path = self.write_secret("connection", "Endpoint=sb://db/;SharedAccessKeyName=me;"
                                               "SharedAccessKey=secret;EntityPath=app")
        words = [word for setting in settings for word in ("--set", PLUGIN + "." + setting)]
        return self.start("sender", [
            self.culvert(), "connect", "--connection-string", "file:" + path, "--bind",
            "127.0.0.1:0", "--resolver", PLUGIN, "--plugin-directory", plugins, "--ca",
            self.certificates.ca, *words])


class Settings(ToldPlugin):
    def test_each_type_reaches_the_plugin(self):
        plugins = self.build()
        secret = self.write_secret("plugin.key", "the plugin's key")
        sender = self.start_sender(plugins, "text=a=b.c", "integer=-7", "boolean=true",
                                   "secret=file:" + secret, "list=a,b", "list=c")
        digest = hmac.new(b"the plugin's key", b"x", hashlib.sha256).hexdigest()[:6]
        sender.wait_for_line("listening on ")
        self.assertIn(f"told text=a=b.c integer=-7 boolean=1 secret={digest} item=a item=b item=c",
                      sender.log())
        self.assertNotIn("the plugin's key", sender.log())
        self.assertEqual(sender.terminate(), 0)

    def test_without_any_it_has_its_defaults(self):
        sender = self.start_sender(self.build())
        sender.wait_for_line("listening on ")
        self.assertIn("told text=unset integer=1 boolean=0 secret=000000 plugin", sender.log())
        self.assertEqual(sender.terminate(), 0)


class BrokenRules(ToldPlugin):
    def test_a_breach_of_the_abi_stops_the_start_by_name(self):
        plugins = self.build()
        for does, breach in MISTAKES:
            with self.subTest(does):
                sender = self.start_sender(plugins, "does=" + does)
                self.assertEqual(sender.wait(), 1)
                self.assertNotIn("listening on", sender.log())
                self.assertIn(ABI + breach + "\n", sender.log())

    def test_a_call_that_takes_long_is_a_warning(self):
        sender = self.start_sender(self.build(), "does=slow")
        sender.wait_for_line("listening on ")
        self.assertRegex(sender.log(), "warn a plugin's function took long; .* "
                                       "plugin=resolver_told function=resolve took_ms=")
        self.assertEqual(sender.terminate(), 0)


class EndsAtLoad(ToldPlugin):
    def check(self, at_load, how):
        plugins = self.build(f"#define AT_LOAD {at_load}")
        sender = self.start_sender(plugins)
        self.assertEqual(sender.wait(), 1)
        self.assertEqual(sender.log(), f"culvert connect: {plugins}/resolver_told.so: loading this "
                                       f"plugin ended the process with {how}; do not use it\n")

    def test_one_that_crashes_is_named(self):
        self.check("abort()", "signal 6")

    def test_one_that_exits_is_named(self):
        self.check("exit(0)", "exit code 0")

    def test_one_that_does_not_end_is_named(self):
        plugins = self.build("#define AT_LOAD for (;;) pause()")
        sender = self.start_sender(plugins)
        self.assertEqual(sender.wait(), 1)
        self.assertEqual(sender.log(), f"culvert connect: {plugins}/resolver_told.so: loading this "
                                       "plugin took longer than 10 s; do not use it\n")

    def test_one_that_does_not_end_ends_with_the_command(self):
        plugins = self.build('#define AT_LOAD dprintf(2, "child %d\\n", (int)getpid()); '
                             "for (;;) pause()")
        sender = self.start_sender(plugins)
        child = sender.wait_for_line("child ").split()[1]
        sender.signal(signal.SIGTERM)
        self.assertEqual(sender.wait(), -signal.SIGTERM)
        wait_until(lambda: ended(child), "the child's end")


if __name__ == "__main__":
    unittest.main()
