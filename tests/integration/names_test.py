"""`culvert run` and `culvert hosts`: a command, or the whole machine, finds an endpoint's name at the
sender's loopback address; each of the two leaves the machine as it was."""
import os
import socket
import stat
import subprocess
import sys
import threading
import unittest

from culvert_processes import connect, quiet_port
from up_test import ConfigCase

DB, WEB = "127.184.121.144", "127.217.251.170"  # of db.internal and web.internal, on every machine
BLOCK = """\
# Begin of Culvert's names; culvert hosts --remove takes them away.
{db} db.internal
::ffff:{db} db.internal
{web} web.internal
::ffff:{web} web.internal
# End of Culvert's names.
""".format(db=DB, web=WEB)
NOBODY = 65534


class NamesCase(ConfigCase):
    def setUp(self):
        super().setUp()
        self.port = quiet_port()

    def sender_of(self, name, entity="app"):
        return (f'[[sender]]\nname = "{name}"\nendpoint = "{name}:{self.port}"\nca = "ca.pem"\n'
                f'connection_string = "{self.connection("sender", entity)}"\n')

    def both(self):
        return self.sender_of("db.internal"), self.sender_of("Web.Internal.")

    def culvert_done(self, *words, **options):
        return subprocess.run([self.culvert(), *words], capture_output=True, text=True, timeout=60,
                              check=False, **options)


class Hosts(NamesCase):
    def setUp(self):
        super().setUp()
        self.hosts = os.path.join(self.folder, "hosts")
        self.config = self.write_config(*self.both())

    def write(self, text):
        with open(self.hosts, "w", encoding="utf-8", newline="") as file:
            file.write(text)

    def text(self):
        with open(self.hosts, encoding="utf-8", newline="") as file:
            return file.read()

    def change(self, *words):
        done = self.culvert_done("hosts", *words, "--hosts-file", self.hosts)
        return done.returncode, done.stdout, done.stderr

    def test_the_block_comes_and_goes_and_every_other_byte_stays(self):
        for before in ("127.0.0.1 localhost\n\n# comment \t\n10.0.0.1\tother  # end", "", "\n\n", "#\r\n"):
            with self.subTest(before=before):
                self.write(before)
                os.chmod(self.hosts, 0o640)
                self.assertEqual(self.change("--apply", self.config),
                                 (0, f"{DB} db.internal\n{WEB} web.internal\n", ""))
                self.assertEqual(self.text(), BLOCK + before)
                self.assertEqual(stat.S_IMODE(os.stat(self.hosts).st_mode), 0o640)
                self.assertEqual(self.change("--remove"), (0, "", ""))
                self.assertEqual(self.text(), before)
                self.assertEqual(self.change("--remove"), (0, "", ""))
                self.assertEqual(self.text(), before)
        self.assertEqual([name for name in os.listdir(self.folder) if "hosts" in name], ["hosts"])

    def test_applied_again_it_has_the_names_of_the_file_as_it_is_then(self):
        self.write("127.0.0.1 localhost\n")
        self.change("--apply", self.config)
        self.assertEqual(self.change("--apply", self.write_config(self.sender_of("web.internal")))[0], 0)
        self.assertEqual(self.text(), "".join(
            line for line in BLOCK.splitlines(True) if "db.internal" not in line)
            + "127.0.0.1 localhost\n")

    def test_a_name_that_another_line_has_is_refused(self):
        before = "127.0.0.1 localhost\n10.0.0.5 x DB.internal y\n"
        self.write(before)
        self.assertEqual(self.change("--apply", self.config), (
            1, "", f"culvert hosts: {self.hosts}: line 2 has one of the names already: 10.0.0.5 x "
                   "DB.internal y; remove it, because an app would get both addresses\n"))
        self.assertEqual(self.text(), before)

    def test_a_block_without_its_end_is_refused(self):
        before = BLOCK[:-5] + "\n127.0.0.1 localhost\n"
        self.write(before)
        for words in (("--apply", self.config), ("--remove",)):
            self.assertEqual(self.change(*words), (
                1, "", f"culvert hosts: {self.hosts}: the block of Culvert's names has no end; remove "
                       "its lines by hand\n"))
        self.assertEqual(self.text(), before)

    def test_of_a_link_the_file_behind_it_changes(self):
        self.write("127.0.0.1 localhost\n")
        link = os.path.join(self.folder, "link")
        os.symlink("hosts", link)
        for words, text in ((("--apply", self.config), BLOCK + "127.0.0.1 localhost\n"),
                            (("--remove",), "127.0.0.1 localhost\n")):
            done = self.culvert_done("hosts", *words, "--hosts-file", link)
            self.assertEqual((done.returncode, self.text(), os.readlink(link)), (0, text, "hosts"))

    def test_what_may_have_no_end_is_refused(self):
        pipe = os.path.join(self.folder, "pipe")
        os.mkfifo(pipe)
        for path in (pipe, "/dev/zero"):
            done = self.culvert_done("hosts", "--apply", self.config, "--hosts-file", path)
            self.assertEqual((done.returncode, done.stderr), (
                1, f"culvert hosts: cannot read {path}: Invalid argument; it must be a regular file\n"))

    def test_mistakes_are_one_sentence(self):
        self.write("")
        code, _, errors = self.change("--apply", self.write_config(
            self.sender_part(), name="other.toml"))
        self.assertEqual((code, errors.count("\n")), (1, 1))
        self.assertIn("has an endpoint whose name leads to it", errors)
        self.assertEqual(self.change(), (2, "", "culvert hosts: write --apply FILE or --remove\n"))
        os.remove(self.hosts)
        self.assertEqual(self.change("--remove"), (
            1, "", f"culvert hosts: cannot read {self.hosts}: No such file or directory\n"))


class Run(NamesCase):
    def setUp(self):
        super().setUp()
        self.config = self.write_config(*self.both())
        if self.run_in("true").returncode != 0:
            reason = f"no namespaces here: {self.run_in('true').stderr}"
            print(f"skipped: {reason}", file=sys.stderr)
            raise unittest.SkipTest(reason)

    def run_in(self, *words, **options):
        return self.culvert_done("run", "--config", self.config, "--", *words, **options)

    def python(self, code, **options):
        done = self.run_in(sys.executable, "-c", code, **options)
        self.assertEqual(done.stderr, "")
        return done.stdout.strip()

    def test_an_app_reaches_each_target_by_its_name(self):
        parts = [self.relay_part(entities=("app", "other"))]
        for entity, name in (("app", "db.internal"), ("other", "web.internal")):
            target = self.serve(lambda peer, name=name: peer.sendall(name.encode()))
            parts += [self.listener_part(target, entity), self.sender_of(name, entity)]
        self.config = self.write_config(*parts)
        process = self.start("up", [self.culvert(), "up", "--config", self.config])
        process.wait_for_line("registered at the relay", count=2)
        process.wait_for_line("ready for apps", count=2)
        code = f"import socket, sys; print(socket.create_connection((sys.argv[1], {self.port})).recv(64))"
        for name in ("db.internal", "web.internal", "WEB.Internal"):
            done = self.run_in(sys.executable, "-c", code, name)
            self.assertEqual(done.stdout, f"b'{name.lower()}'\n", done.stderr)
        with connect(self.port, DB) as app:
            self.assertEqual(app.recv(64), b"db.internal")

    def test_each_way_to_look_up_gives_the_address(self):
        lookup = "import socket; print(socket.getaddrinfo('db.internal', 1, socket.AF_{}, 1)[0][4][0])"
        self.assertEqual(self.python(lookup.format("INET")), DB)
        self.assertEqual(self.python(lookup.format("INET6")), f"::ffff:{DB}")
        self.assertEqual(self.run_in("getent", "ahostsv4", "db.internal").stdout.split()[0], DB)
        self.assertEqual(self.python(f"import socket; print(socket.gethostbyaddr('{DB}')[0])"),
                         "db.internal")

    def test_nothing_outside_changes(self):
        def state():
            files = {}
            for path in ("/etc/hosts", "/etc/nsswitch.conf", "/etc/resolv.conf"):
                if os.path.exists(path):
                    with open(path, "rb") as file:
                        files[path] = (file.read(), os.stat(path).st_mtime_ns, os.stat(path).st_ino)
            with open("/proc/self/mounts", encoding="utf-8") as mounts:
                return files, mounts.read()
        before = state()
        inside = self.run_in("cat", "/etc/hosts")
        self.assertTrue(inside.stdout.startswith(f"{DB} db.internal\n"), inside)
        self.assertEqual(state(), before)
        with self.assertRaises(socket.gaierror):
            socket.getaddrinfo("db.internal", 1)

    def test_the_command_is_as_it_would_be_without_culvert(self):
        self.assertEqual(self.run_in("sh", "-c", "exit 37").returncode, 37)
        self.assertEqual(self.run_in("sh", "-c", "kill -TERM $$").returncode, -15)
        self.assertEqual(self.run_in("sh", "-c", "kill -PIPE $$").returncode, -13)
        self.assertEqual(self.run_in("pwd", cwd="/usr/bin").stdout, "/usr/bin\n")
        self.assertEqual(self.run_in("cat", input="to the end").stdout, "to the end")
        self.assertEqual(self.python("import sys; print(sys.argv)"), "['-c']")
        words = ["", "--config", "-x", "Endpoint=sb://h/;SharedAccessKey=k"]
        echoed = self.run_in(sys.executable, "-c", "import sys; print(sys.argv[1:])", *words)
        self.assertEqual(echoed.stdout, f"{words}\n")
        self.assertEqual(self.python("import os; print(os.environ['MARK'])",
                                     env={**os.environ, "MARK": "passed on"}), "passed on")
        where = os.path.join(self.folder, "file")
        self.run_in("touch", where)
        self.assertEqual(os.stat(where).st_uid, os.getuid())

    def test_a_signal_to_the_process_is_the_commands_own(self):
        process = subprocess.Popen([self.culvert(), "run", "--config", self.config, "--", sys.executable,
                                    "-c", "import signal; print(1, flush=True); signal.pause()"],
                                   stdout=subprocess.PIPE, text=True)
        self.addCleanup(process.kill)
        self.assertEqual(process.stdout.readline(), "1\n")
        process.terminate()
        self.assertEqual(process.wait(60), -15)
        process.stdout.close()

    def test_a_user_without_rights_and_without_the_keys_can_run_it(self):
        if os.getuid() != 0:
            self.skipTest("only root becomes another user")
        os.chmod(self.folder, 0o755)
        done = self.run_in("sh", "-c", "id -u; getent ahostsv4 web.internal", user=NOBODY, group=NOBODY,
                           extra_groups=[], cwd="/")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(done.stdout.split()[:2], [str(NOBODY), WEB])

    def test_check_says_where_the_names_lead_and_that_run_is_possible(self):
        done = self.culvert_done("check", "--config", self.config)
        self.assertEqual((done.returncode, done.stdout.splitlines()[1:]), (0, [
            f"db.internal leads to {DB}", f"web.internal leads to {WEB}",
            "culvert run: a command can have these names here"]))

    def test_check_says_why_run_is_not_possible(self):
        forbidden = ["unshare", "--user", "--map-root-user", "sh", "-c",
                     'echo 0 >/proc/sys/user/max_mnt_namespaces && exec "$@"', "sh"]
        done = subprocess.run([*forbidden, self.culvert(), "check", "--config", self.config], text=True,
                              capture_output=True, timeout=60, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertRegex(done.stdout.splitlines()[-1],
                         r"^culvert run: this machine does not let a command have names of its own \(.*: "
                         r"No space left on device\); culvert hosts --apply redirects them for the whole")
        done = subprocess.run([*forbidden, self.culvert(), "run", "--config", self.config, "--", "true"],
                              text=True, capture_output=True, timeout=60, check=False)
        self.assertEqual((done.returncode, done.stderr[:13]), (1, "culvert run: "))

    def test_a_command_without_its_dashes_is_told(self):
        done = self.culvert_done("run", "--config", self.config, "curl", "-s", "x")
        self.assertEqual((done.returncode, done.stderr), (
            2, "culvert run: there is no option -s; write -- in front of the command; see culvert run --help\n"))

    def test_what_cannot_run_is_told_as_a_shell_does(self):
        done = self.run_in("no-such-command")
        self.assertEqual((done.returncode, done.stdout, done.stderr), (
            127, "", "culvert run: cannot run 'no-such-command': No such file or directory\n"))
        done = self.run_in("/etc")
        self.assertEqual((done.returncode, done.stdout, done.stderr), (
            126, "", "culvert run: cannot run '/etc': Permission denied\n"))

    def test_a_hundred_commands_at_once(self):
        answers = []

        def one():
            answers.append(self.run_in("getent", "ahostsv4", "db.internal").stdout.split()[:1])
        threads = [threading.Thread(target=one) for _ in range(100)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(answers, [[DB]] * 100)


if __name__ == "__main__":
    unittest.main()
