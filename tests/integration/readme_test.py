"""The README's commands, run as they are printed: in a scratch folder, and with ports replaced. So are the
files of hybrid-connections.md, with a relay that has the name of an Azure namespace."""
import os
import re
import subprocess
import unittest

from culvert_processes import (PEER_KEY, Certificates, CulvertCase, binary_folder, connect, echo, free_port,
                               quiet_port)

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
README = "README.md"
NAMESPACE = "contoso.servicebus.windows.net"
PORTS = ("8443", "8080", "9000")


def printed(title, kind="", page=README):
    """The blocks of a section, each as one text: commands, or files of this kind."""
    with open(os.path.join(ROOT, page), encoding="utf-8") as file:
        section = file.read().split(f"## {title}\n")[1].split("\n## ")[0]
    blocks = re.findall(r"^```(\w*)\n(.*?)^```$", section, re.DOTALL | re.MULTILINE)
    return [text.strip() for found, text in blocks if found == kind]


class Readme(CulvertCase):
    def setUp(self):
        super().setUp()
        self.environment = {"PATH": binary_folder() + ":" + os.environ["PATH"]}
        self.scratch = os.path.join(self.folder, "scratch")
        os.mkdir(self.scratch)
        self.ports = {port: str(free_port()) for port in PORTS}

    def in_scratch(self, command):
        for port, free in self.ports.items():
            command = re.sub(rf"\b{port}\b", free, command)
        return command

    def role(self, command):
        name = "-".join(command.split()[:2])
        return self.start(name, ["sh", "-c", f"exec {self.in_scratch(command)}"],
                          environment=self.environment, cwd=self.scratch)

    def run_to_end(self, command):
        return subprocess.run(["sh", "-c", self.in_scratch(command)], cwd=self.scratch, text=True,
                              env={**os.environ, **self.environment}, capture_output=True,
                              timeout=60, check=True).stdout

    def test_the_walkthrough_serves_a_page(self):
        setup, relay, target, listen, connect, curl = printed("Run it")
        self.run_to_end(setup)
        self.role(relay).wait_for_line("listening on")
        self.role(target).wait_listening()
        self.role(listen).wait_for_line("registered at the relay")
        self.role(connect).wait_for_line("listening on")
        page = self.run_to_end(curl)
        self.assertIn("culvert-relay", page)  # the target lists the scratch folder

    def test_one_file_serves_the_same(self):
        setup, _, target, _, _, curl = printed("Run it")
        self.run_to_end(setup)
        (config,) = printed("One file", "toml")
        with open(os.path.join(self.scratch, "culvert.toml"), "w", encoding="utf-8") as file:
            file.write(self.in_scratch(config))
        check, up = printed("One file")
        self.assertEqual(self.run_to_end(check), "culvert.toml has no mistake: 1 relay, 1 listener, 1 sender\n")
        self.role(target).wait_listening()
        process = self.role(up)
        process.wait_for_line("registered at the relay")
        process.wait_for_line("ready for apps")
        self.assertIn("culvert-relay", self.run_to_end(curl))

    def moved(self, title, **replaced):
        """A file of the page on moving, with what it leaves to the reader."""
        (text,) = printed(title, "toml", "hybrid-connections.md")
        for old, new in replaced.values():
            self.assertIn(old, text)
            text = text.replace(old, new)
        return text

    def test_the_relay_of_an_azure_namespace_can_be_ones_own(self):
        """Connection strings as Azure's portal shows them, and each entity with the keys it had there."""
        port, app = quiet_port(), quiet_port()
        Certificates(self.folder, (NAMESPACE,))
        for rule in ("listener", "sender"):
            self.write_secret(f"orders-{rule}.key", f"{rule}-{PEER_KEY}")
            self.write_secret(f"{rule}.connection", (
                f"Endpoint=sb://{NAMESPACE}:{port}/;SharedAccessKeyName=default{rule.title()};"
                f"SharedAccessKey={rule}-{PEER_KEY};EntityPath=orders"))
        os.rename(os.path.join(self.folder, "listener.connection"),
                  os.path.join(self.folder, "orders.connection"))
        relay = self.moved("2. The relay, your own", bind=("0.0.0.0:443", f"127.0.0.1:{port}"),
                           name=("relay.example.com", NAMESPACE))
        listener = self.moved("1. The listener, with Azure's relay", target=(
            "sqlserver.corp.example:1433", f"127.0.0.1:{self.serve(echo)}"))
        sender = f'[[sender]]\nconnection_string = "file:sender.connection"\nbind = "127.0.0.1:{app}"\n'
        private = f'ca = "ca.pem"\nresolve = ["{NAMESPACE}=127.0.0.1"]\n'
        path = os.path.join(self.folder, "culvert.toml")
        with open(path, "w", encoding="utf-8") as file:
            file.write(f"{relay}\n{listener}\n{private}{sender}{private}")
        process = self.start("up", [self.culvert(), "up", "--config", path])
        process.wait_for_line("registered at the relay")
        process.wait_for_line("ready for apps")
        with connect(app) as client:
            client.sendall(b"moved")
            self.assertEqual(client.recv(5), b"moved")

    def test_setup_prints_commands_that_run(self):
        said = self.run_to_end("culvert setup relay --name localhost --port 8443 --dir 'a folder'")
        commands = re.findall(r"^\S*/culvert (?:relay|listen|connect) .*$", said, re.MULTILINE)
        self.assertEqual(len(commands), 3, said)
        relay, listen, connect = (self.start(each.split()[1], ["sh", "-c", f"exec {self.in_scratch(each)}"],
                                             cwd=self.scratch) for each in commands)
        relay.wait_for_line("listening on")
        listen.wait_for_line("registered at the relay")
        connect.wait_for_line("listening on")
        for process in (relay, listen, connect):
            self.assertEqual(process.lines("secret file"), [])

    def test_setup_for_an_address_listens_in_its_family_and_needs_no_resolve(self):
        for name, bind in (("::1", "[::]:443"), ("127.0.0.1", "0.0.0.0:443")):
            said = self.run_to_end(f"culvert setup relay --name {name} --dir at-{name}")
            self.assertRegex(said, f"culvert relay --bind '?{re.escape(bind)}'? ")
            self.assertNotIn("--resolve", said)
        self.assertIn("add --resolve relay.example=ADDRESS",
                      self.run_to_end("culvert setup relay --name relay.example"))

    def test_setup_keeps_its_files_private_and_overwrites_nothing(self):
        self.run_to_end("culvert setup relay --name relay.example --entity db")
        made = os.path.join(self.scratch, "culvert-relay")
        self.assertEqual(os.stat(made).st_mode & 0o777, 0o700)
        names = sorted(os.listdir(made))
        self.assertEqual(names, ["ca.pem", "listener.connection", "listener.key", "relay.key",
                                 "relay.pem", "sender.connection", "sender.key"])
        content = {}
        for name in names:
            path = os.path.join(made, name)
            self.assertEqual(os.stat(path).st_mode & 0o777, 0o600, name)
            with open(path, encoding="ascii") as file:
                content[name] = file.read()
        self.assertRegex(content["sender.connection"],
                         r"\AEndpoint=sb://relay.example:443/;SharedAccessKeyName=sender;"
                         rf"SharedAccessKey={content['sender.key'].strip()};EntityPath=db\n\Z")
        dates = subprocess.run(["openssl", "x509", "-in", f"{made}/relay.pem", "-noout", "-checkend",
                                str(364 * 24 * 3600)], capture_output=True, check=False)
        self.assertEqual(dates.returncode, 0, "the certificate is good for a year")
        done = subprocess.run([self.culvert(), "setup", "relay", "--name", "relay.example"],
                              cwd=self.scratch, capture_output=True, text=True, check=False)
        self.assertEqual((done.returncode, done.stdout), (1, ""))
        self.assertIn("the folder 'culvert-relay' is not empty", done.stderr)
        for name in names:
            with open(os.path.join(made, name), encoding="ascii") as file:
                self.assertEqual(file.read(), content[name], name)


if __name__ == "__main__":
    unittest.main()
