"""Every mistake an operator can make is one line on stderr that names the thing and says what to
write instead, with an exit code, before anything is started; and no secret is ever repeated.

The tables are operator_mistakes_relay_table.py and operator_mistakes_client_table.py: title,
subcommand, what differs from arguments that work, exit code, the line.
"""
import os
import resource
import shutil
import signal
import socket
import subprocess
import unittest

from culvert_processes import PEER_KEY, Certificates, CulvertCase, binary_folder, connect, echo, wait_until
from operator_mistakes_relay_table import RELAY_ROWS
from operator_mistakes_client_table import CLIENT_ROWS

CANARY = "CanaryKeyThatMustNeverBeSeen0123456789ABCDE"
GOOD_STRING = ("Endpoint=sb://127.0.0.1:{port}/;SharedAccessKeyName=r;"
               f"SharedAccessKey={CANARY};EntityPath=app")
ROWS = RELAY_ROWS + CLIENT_ROWS
WORKING = {  # arguments that work; a row changes some of them
    "relay": {"--bind": "127.0.0.1:0", "--certificate": "{folder}/relay.pem",
              "--private-key": "{folder}/relay.key", "--name": "127.0.0.1", "--entity": "app",
              "--rule": "r:listen:env:KEY"},
    "listen": {"--connection-string": "env:STRING", "--target": "127.0.0.1:1"},
    "connect": {"--connection-string": "env:STRING", "--bind": "127.0.0.1:0"},
    "up": {"--config": "{folder}/none.toml"},
    "check": {"--config": "{folder}/none.toml"},
    "setup relay": {"--name": "relay.example", "--dir": "{folder}/made"},
    "sas token": {"--connection-string": "env:STRING"},
    "sas verify": {"--token": "env:KEY", "--name": "a", "--entity": "app",
                   "--rule": "r:listen:env:KEY"},
}
FACTS = r"rule     r\nrights   {}\nexpires  \d{{4}}-\d\d-\d\dT\d\d:\d\d:\d\dZ\n"
HELP = ["", "up", "check", "config", "config example", "status", "reload", "relay", "listen", "connect", "setup", "setup relay", "sas", "sas token", "sas verify", "plugins",
        "plugins list", "plugins describe", "demo"]
COMMON = ["--shards", "--log-level", "--log-format", "--plugin-directory", "--set",
          "--insecure-literal-secrets", "--insecure-secret-files", "--drain-grace"]
NO_COMMON = ("", "setup", "setup relay", "sas", "plugins", "up", "check", "config", "config example", "status", "reload")


class OperatorMistakes(CulvertCase):
    def setUp(self):
        super().setUp()
        self.busy = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(self.busy.close)
        os.chmod(self.path("relay.pem"), 0o600)  # for whoever takes it for a key
        shutil.copy(self.path("relay.key"), self.path("open.key"))
        os.chmod(self.path("open.key"), 0o644)
        self.write("open key", CANARY)
        os.chmod(self.path("open key"), 0o604)
        self.write("empty", "")
        self.write("lines", f"{CANARY}\n{CANARY}\n")
        self.write("newlines", f"{CANARY}\n\n")
        self.write("blank", f"{CANARY} \n")
        self.write("words", f"a {CANARY}\n")
        self.write("quotes", f'"{CANARY}"\n')
        self.write("tab", f"a\t{CANARY}\n")
        self.write("returns", f"{CANARY}\r\r\n")
        self.write("mark", f"\ufeff{CANARY}\n")
        openssl = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                   "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=relay", "-days", "1"]
        self.run_quietly(*openssl, "-keyout", self.path("other.key"), "-out", self.path("other.pem"))
        self.run_quietly("openssl", "ec", "-aes128", "-passout", "pass:x", "-in",
                         self.path("relay.key"), "-out", self.path("locked.key"))
        self.run_quietly("openssl", "x509", "-in", self.path("relay.pem"), "-outform", "DER",
                         "-out", self.path("relay.der"))
        with open(self.path("relay.pem"), encoding="ascii") as whole:
            self.write("half.pem", whole.read()[:300])
        self.run_quietly("openssl", "req", "-x509", "-newkey", "rsa:1024", "-nodes", "-subj",
                         "/CN=relay", "-keyout", self.path("weak.key"), "-out",
                         self.path("weak.pem"))
        self.write("large", "x" * 65_537)
        os.mkfifo(self.path("pipe"))
        os.mkdir(self.path("expired"))
        Certificates(self.path("expired"), expired=True)
        for name, mode in (("plugins", 0o755), ("open", 0o777), ("renamed", 0o755),
                           ("text", 0o755)):
            os.mkdir(self.path(name))
            os.chmod(self.path(name), mode)
        plugin = os.path.join(binary_folder(), "transport_azure.so")
        shutil.copy(plugin, self.path("open"))
        shutil.copy(os.path.join(binary_folder(), "auth_sas.so"),
                    self.path("renamed/transport_azure.so"))
        self.write("text/transport_azure.so", "no shared object")
        self.write("text/empty.so", "")
        os.mkdir(self.path("text/folder.so"))
        shutil.copy(self.culvert(), self.path("text/program.so"))

    def path(self, name):
        return os.path.join(self.folder, name)

    def write(self, name, text):
        private = os.open(self.path(name), os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with open(private, "w", encoding="utf-8", newline="") as file:
            file.write(text)

    @staticmethod
    def run_quietly(*arguments, **options):
        subprocess.run(arguments, check=True, capture_output=True, **options)

    def filled(self, text):
        return (text.replace("{folder}", self.folder).replace("{canary}", CANARY)
                .replace("{busy}", str(self.busy.getsockname()[1]))
                .replace("{plugins}", binary_folder()))

    def arguments(self, command, changes):
        words = command.split()
        options = {**WORKING.get(command, {}), **changes}
        for option, value in options.items():
            if option == "env" or value is None:
                continue
            for each in value if isinstance(value, list) else [value]:
                words += [each] if option == "" else [option, each]
        return [self.filled(word) for word in words]

    def outcome(self, command, changes):
        """The exit code, stdout and stderr."""
        string = self.filled(changes.get("env", GOOD_STRING.replace("{port}", "1")))
        environment = {"PATH": os.environ["PATH"], "KEY": CANARY, "EMPTY_KEY": "",
                       "STRING": string, "TMPDIR": self.folder}
        done = subprocess.run([self.culvert(), *self.arguments(command, changes)], text=True,
                              capture_output=True, env=environment, input=CANARY + "\n",
                              timeout=60, check=False)
        return done.returncode, done.stdout, done.stderr

    def test_each_is_one_line_that_says_what_to_write(self):
        for title, command, changes, code, line in ROWS:
            with self.subTest(title):
                got_code, output, errors = self.outcome(command, changes)
                line = self.filled(line)
                self.assertEqual((got_code, output, errors), (code, "", line + "\n"))
                self.assertNotIn(CANARY, output + errors)

    def test_a_limit_of_open_files_that_is_too_low_is_named(self):
        done = subprocess.run(["sh", "-c", 'ulimit -n 5 && exec "$@"', "sh", self.culvert(),
                               "plugins", "describe", "auth_sas"], text=True, capture_output=True,
                              timeout=60, check=False)
        self.assertEqual((done.returncode, done.stderr), (
            1, f"culvert plugins describe: {binary_folder()}/auth_sas.so: it cannot be read: Too "
               "many open files; raise this process's limit of open files (ulimit -n)\n"))

    def test_a_setup_that_cannot_write_all_its_files_leaves_none(self):
        made = self.path("made")
        self.assertEqual(self.outcome("setup relay", {})[0], 0)
        sizes = sorted(os.path.getsize(os.path.join(made, name)) for name in os.listdir(made))
        shutil.rmtree(made)

        def limit():  # all but the largest file can be written
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (sizes[-1] - 20, sizes[-1] - 20))
        for there in (False, True):
            with self.subTest(there=there):
                if there:
                    os.mkdir(made)
                done = subprocess.run([self.culvert(), *self.arguments("setup relay", {})],
                                      text=True, capture_output=True, preexec_fn=limit, timeout=60,
                                      check=False)
                self.assertEqual((done.returncode, done.stdout), (1, ""))
                self.assertRegex(done.stderr, "^culvert setup relay: cannot write '.*': File too large")
                self.assertEqual(os.path.isdir(made), there)
                self.assertEqual(os.listdir(made) if there else [], [])

    def test_the_titles_differ(self):
        self.assertEqual(len({row[0] for row in ROWS}), len(ROWS))

    def test_help_names_every_option_and_ends_with_0(self):
        for command in HELP:
            with self.subTest(command):
                code, output, errors = self.outcome("", {"": [*command.split(), "--help"]})
                self.assertEqual((code, errors), (0, ""))
                takes_options = command not in NO_COMMON
                wanted = [*WORKING.get(command, {}), *(COMMON if takes_options else [])]
                for option in wanted:
                    self.assertIn(option + " ", output)

    def test_only_plugins_are_listed(self):
        code, output, errors = self.outcome("plugins list", {"--plugin-directory": self.path("text")})
        own = ["auth_sas", "example_relay", "resolver_dns", "resolver_static", "transport_azure"]
        self.assertEqual((code, output.splitlines(), errors), (0, own, ""))
        shutil.copy(os.path.join(binary_folder(), "auth_sas.so"), self.path("text/more.so"))
        self.assertEqual(self.outcome("plugins list", {"--plugin-directory": self.path("text")})[1],
                         "".join(each + "\n" for each in sorted([*own, "more"])))

    def test_version(self):
        code, output, errors = self.outcome("", {"": ["--version"]})
        self.assertEqual((code, errors), (0, ""))
        self.assertRegex(output, r"^culvert \d+\.\d+\.\d+\n$")

    def test_output_that_cannot_be_written_is_said_and_ends_with_1(self):
        environment = {"PATH": os.environ["PATH"], "KEY": CANARY, "TMPDIR": self.folder,
                       "STRING": GOOD_STRING.replace("{port}", "1")}
        closed = ["sh", "-c", 'exec "$0" "$@" >&-']
        reasons = [([], "No space left on device"), (closed, "Bad file descriptor")]
        for words in (["sas token", "--connection-string", "env:STRING"], ["plugins list"],
                      ["plugins describe", "auth_sas"], ["", "--help"], ["", "--version"],
                      ["relay", "--help"], ["demo", "--once"]):
            for prefix, reason in reasons:
                with self.subTest(words), open("/dev/full", "wb") as full:
                    done = subprocess.run(
                        [*prefix, self.culvert(), *words[0].split(), *words[1:]], text=True,
                        stdout=full, stderr=subprocess.PIPE, env=environment, timeout=60,
                        check=False)
                    program = f"culvert {words[0]}".strip()
                    self.assertEqual(done.returncode, 1)
                    slow = r"(.* warn a plugin's function took long .*\n)*"  # a loaded machine says so
                    self.assertRegex(done.stderr, f"^{slow}{program}: cannot write to standard output"
                                                  f"(: {reason})?; what was printed is not complete\n$")

    def test_literal_secrets_are_allowed_when_asked_for(self):
        changes = {"--connection-string": GOOD_STRING.replace("{port}", "1")}
        code, output, _ = self.outcome("sas token",
                                       {**changes, "": ["--insecure-literal-secrets"]})
        self.assertEqual(code, 0)
        self.assertTrue(output.startswith("SharedAccessSignature sr="))

    def test_a_token_is_made_and_judged(self):
        code, token, errors = self.outcome("sas token", {})
        self.assertEqual((code, errors), (0, ""))
        self.write("token", token)
        question = {"--token": "file:{folder}/token", "--name": "127.0.0.1"}
        listen, manage = FACTS.format("listen"), FACTS.format("manage")
        second = ["r:listen:file:{folder}/relay-secret", "R:LISTEN:env:KEY"]
        rows = [({}, 0, listen + "accepted\n", ""),
                ({"--right": "listen"}, 0, listen + "accepted\n", ""),
                ({"--entity": "app/below"}, 0, listen + "accepted\n", ""),
                ({"--rule": "r:manage:-"}, 0, manage + "accepted\n", ""),
                ({"--rule": "r:send:-"}, 0, FACTS.format("send") + "accepted\n", ""),
                ({"--rule": "r:listen,send:-"}, 0, FACTS.format("listen,send") + "accepted\n", ""),
                ({"--rule": second}, 0, listen + "accepted\n", ""),
                ({"--rule": "r:listen:file:{folder}/windows"}, 0, listen + "accepted\n", ""),
                ({"--entity": "app2"}, 1, "", "audience"),
                ({"--name": "other.example"}, 1, "",
                 "audience.; the token is for http://127.0.0.1/app/, this relay is other.example"),
                ({"--right": "send"}, 1, listen, "the token's rule 'r' does not give the right"),
                ({"--rule": "r:listen:file:{folder}/relay-secret"}, 1, "",
                 "signature.; the key of rule 'r' differs"),
                ({"--rule": "other:listen:env:KEY"}, 1, "", "there is no rule 'r'")]
        self.write("relay-secret", "another-key\n")
        self.write("windows", f"{CANARY}\r\n")
        for changes, code, output, word in rows:
            with self.subTest(changes):
                got = self.outcome("sas verify", {**question, **changes})
                self.assertEqual(got[0], code)
                self.assertRegex(got[1], rf"\A{output}\Z")
                self.assertIn(word, got[2])
                self.assertEqual(got[2].count("\n"), 0 if code == 0 else 1)

    def test_no_secret_is_in_any_output_or_command_line(self):
        """Everything at --log-level trace, with good and with refused tokens."""
        relay = self.start_relay(log_level="trace")
        listener = self.start_listener(relay, f"127.0.0.1:{self.serve(echo)}", log_level="trace")
        sender = self.start_sender(relay, log_level="trace")
        with connect(sender.port) as app:
            app.sendall(b"through")
            self.assertEqual(app.recv(7), b"through")
        wrong = self.write_secret("wrong", GOOD_STRING.replace("{port}", str(relay.port)))
        other = self.start("refused", [
            self.culvert(), "listen", "--connection-string", f"file:{wrong}", "--target",
            "127.0.0.1:1", "--ca", self.certificates.ca, "--log-level", "trace"])
        other.wait_for_line("cannot register at the relay.*401")
        secrets = [CANARY, f"listener-{PEER_KEY}", f"sender-{PEER_KEY}",
                   "SharedAccessSignature sr", "sig=", "sb-hc-token"]
        for process in (relay, listener, sender, other):
            with open(f"/proc/{process.pid}/cmdline", encoding="ascii") as words:
                text = process.log() + words.read()
            for secret in secrets:
                self.assertNotIn(secret, text, process.name)
        wait_until(lambda: relay.lines("connection refused"), "the refusal in the relay's log")


if __name__ == "__main__":
    unittest.main()
