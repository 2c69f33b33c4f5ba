"""The manual pages and the completions that the command makes of itself: they have what --help has, and
the real programs read them."""
import os
import re
import shutil
import subprocess
import unittest

from culvert_processes import CulvertCase


class Documents(CulvertCase):
    def output(self, *command, **variables):
        return subprocess.run(command, text=True, capture_output=True, timeout=60, check=True, cwd=self.folder,
                              stdin=subprocess.DEVNULL, env={**os.environ, "HOME": self.folder, **variables})

    def document(self, kind, name):
        path = os.path.join(self.folder, name)
        with open(path, "w", encoding="utf-8") as file:
            file.write(self.output(self.culvert(), "document", kind).stdout)
        return path

    def need(self, program):
        if shutil.which(program) is None:
            self.skipTest(f"this needs {program}")

    def subcommands(self, *words):
        said = self.output(self.culvert(), *words, "--help").stdout
        part = said.partition("\nSubcommands:\n")[2]
        return re.findall(r"^  (\w+) ", part, re.MULTILINE)

    def options(self, *words):
        return set(re.findall(r"--[a-z][a-z-]+", " ".join(
            re.findall(r"^  \S+", self.output(self.culvert(), *words, "--help").stdout, re.MULTILINE))))

    def test_it_is_no_command_for_operators(self):
        self.assertNotIn("document", self.subcommands())
        done = subprocess.run([self.culvert(), "documents"], text=True, capture_output=True, check=False)
        self.assertNotIn(", document", done.stderr)

    def page(self, kind, name):
        """As man shows it; a warning of its reader fails."""
        self.need("man")
        done = self.output("man", "--warnings", "--local-file", self.document(kind, name), MANWIDTH="1000",
                           MAN_KEEP_FORMATTING="", LC_ALL="C.UTF-8")
        self.assertEqual(done.stderr, "")
        return re.sub(r" +", " ", done.stdout)

    def test_the_manual_has_every_command_and_option(self):
        page = self.page("man", "culvert.1")
        for command in self.subcommands():
            for words in [[command, name] for name in self.subcommands(command)] or [[command]]:
                self.assertIn(f"culvert {' '.join(words)}\n", page)
                for option in self.options(*words) - {"--help"}:
                    self.assertRegex(page, rf"(?m)^ {option}\b")
        self.assertIn("--resolver ID\n Plugin that finds addresses of names. Default: resolver_dns.", page)

    def test_the_manual_of_the_file_has_every_setting(self):
        page = self.page("file-man", "culvert.toml.5")
        example = self.output(self.culvert(), "config", "example").stdout
        settings = re.findall(r"^#?(\w+ = .*|\[\[?[\w.]+\]\]?)$", example, re.MULTILINE)
        settings.remove('servers = ["10.0.0.2"]')  # of a plugin
        self.assertGreater(len(settings), 50)
        for setting in settings:
            self.assertIn(setting + "\n", page)

    def test_bash_completes(self):
        path = self.document("bash", "culvert")

        def offered(*words):
            script = ('. "$1"; shift; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _culvert; '
                      'printf "%s\\n" "${COMPREPLY[@]}"')
            return self.output("bash", "-c", script, "bash", path, "culvert", *words).stdout.split()
        self.assertEqual(set(offered("")), {*self.subcommands(), "--help", "--version"})
        self.assertEqual(offered("sas", "ver"), ["verify"])
        self.assertEqual(set(offered("relay", "--")), self.options("relay"))
        self.assertEqual(offered("relay", "--bind", "[::]:1", "--shar"), ["--shards"])
        self.assertEqual(offered("relay", "--certificate", "relay."), ["relay.key", "relay.pem"])
        self.assertEqual(offered("relay", "--bind", ""), [])
        self.assertEqual(offered("check", "--resolve", "--con"), ["--config"])

    def test_fish_completes(self):
        self.need("fish")
        path = self.document("fish", "culvert.fish")

        def offered(line):
            said = self.output("fish", "--no-config", "-c", f"source {path}; complete -C '{line}'").stdout
            return {each.split("\t")[0] for each in said.splitlines()}
        self.assertEqual(offered("culvert "), set(self.subcommands()))
        self.assertEqual(offered("culvert sas ver"), {"verify"})
        self.assertEqual(offered("culvert relay --") - {"--help"}, self.options("relay") - {"--help"})
        self.assertEqual(offered("culvert relay --certificate relay."), {"relay.key", "relay.pem"})

    def test_zsh_reads_its_completion(self):
        self.need("zsh")
        path = self.document("zsh", "_culvert")
        script = ('_describe() { print -rl -- ${(P)${@[-1]}}; }; _files() { print files; }; '
                  '_message() { print -r -- "$@"; }; words=("${@[2,-1]}"); CURRENT=$#words; '
                  'run() { source "$1"; }; run "$1"')

        def offered(*words):
            said = self.output("zsh", "-f", "-c", script, "zsh", path, "culvert", *words).stdout
            return {line.split(":")[0] for line in said.splitlines()}
        self.assertEqual(offered(""), {*self.subcommands(), "--help", "--version"})
        self.assertEqual(offered("sas", ""), {*self.subcommands("sas"), "--help"})
        self.assertEqual(offered("relay", "--"), self.options("relay"))
        self.assertEqual(offered("relay", "--certificate", ""), {"files"})
        self.assertEqual(offered("relay", "--bind", ""), {"value"})


if __name__ == "__main__":
    unittest.main(verbosity=2)
