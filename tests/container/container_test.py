"""The image and compose.yaml, built and run by podman with its default seccomp profile, which forbids
io_uring, on a base image that debootstrap makes here.

Needs root and the packages for `container` in tools/packages. The images stay for the next run; for a
new base image: podman rmi localhost/culvert-test-base.
"""
import os
import re
import resource
import shutil
import subprocess
import sys
import tempfile
import time
import unittest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BASE = "localhost/culvert-test-base"
IMAGE = "localhost/culvert"
POSTGRES = "localhost/culvert-test-postgres"
PROJECT = "culvert-test"
SECRETS = "culvert-test-secrets"
PROGRAMS = ("podman", "runc", "docker-compose", "debootstrap")
ROLES = ("relay", "listener", "sender")
SENDER = "10.215.1.101"  # in compose.yaml
PATIENCE_S = 120


def release():
    with open("/etc/os-release", encoding="utf-8") as file:
        return re.search(r"^VERSION_CODENAME=(\w+)", file.read(), re.MULTILINE).group(1)


def limits():
    """podman asks for more than a process without CAP_SYS_RESOURCE may have."""
    files = min(resource.getrlimit(resource.RLIMIT_NOFILE)[1], 20000)
    return f'"nofile={files}:{files}", "nproc=4096:4096"'


class Container(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.mkdtemp(prefix="culvert-container-")
        cls.addClassCleanup(shutil.rmtree, cls.folder)
        settings = os.path.join(cls.folder, "containers.conf")
        with open(settings, "w", encoding="utf-8") as file:  # crun refuses some cgroups, runc does not
            file.write(f'[engine]\nruntime = "runc"\n[containers]\ndefault_ulimits = [{limits()}]\n')
        api = f"unix://{cls.folder}/podman.sock"
        cls.environment = {**os.environ, "CONTAINERS_CONF": settings, "DOCKER_HOST": api,
                           "CULVERT_POSTGRES": POSTGRES, "CULVERT_SECRETS": SECRETS}
        if os.geteuid() != 0 or not all(map(shutil.which, PROGRAMS)):
            raise unittest.SkipTest(f"this needs root and {', '.join(PROGRAMS)}")
        service = subprocess.Popen(["podman", "system", "service", "--time=0", api], env=cls.environment,
                                   stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        cls.addClassCleanup(service.wait)
        cls.addClassCleanup(service.terminate)
        cls.make_base()
        for image, folder, more in ((IMAGE, ROOT, ()), (POSTGRES, os.path.join(ROOT, "tests/container"), (
                "--file", os.path.join(ROOT, "tests/container/postgres.Dockerfile")))):
            cls.run_command("podman", "build", "--format", "docker", "--build-arg", f"BASE={BASE}",
                            "--tag", image, *more, folder)

    @classmethod
    def make_base(cls):
        if subprocess.run(["podman", "image", "exists", BASE], env=cls.environment).returncode == 0:
            return
        root = os.path.join(cls.folder, "base")
        cls.run_command("debootstrap", "--variant=minbase", release(), root)
        cls.run_command("sh", "-c", f"tar -C {root} -c . | podman import - {BASE}")
        shutil.rmtree(root)

    @classmethod
    def run_command(cls, *command, code=0):
        """Its output, without what podman says of itself (where there is no systemd)."""
        done = subprocess.run(command, env=cls.environment, cwd=ROOT, text=True, timeout=1800,
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        if code is not None and done.returncode != code:
            raise AssertionError(f"{' '.join(command)} ended with {done.returncode}: {done.stdout[-4000:]}")
        return re.sub(r'^time=".*" level=.*\n', "", done.stdout, flags=re.MULTILINE)

    def podman(self, *arguments, **options):
        return self.run_command("podman", *arguments, **options)

    def compose(self, *arguments, **options):
        return self.run_command("docker-compose", "-p", PROJECT, *arguments, **options)

    def wait_for(self, condition, what):
        end = time.monotonic() + PATIENCE_S
        while not condition():
            if time.monotonic() > end:
                raise AssertionError(f"waited {PATIENCE_S} s in vain for {what}")
            time.sleep(0.2)

    def container(self, service):
        return self.podman("ps", "--all", "--quiet", "--filter", f"label=com.docker.compose.project={PROJECT}",
                           "--filter", f"label=com.docker.compose.service={service}").strip()

    def log(self, service):
        return self.podman("logs", self.container(service))

    def setup_command(self):
        """As compose.yaml says it."""
        with open(os.path.join(ROOT, "compose.yaml"), encoding="utf-8") as file:
            words = re.search(r"docker run ((?:.*\\\n)*.*)\n", file.read()).group(1)
        return words.replace("\\\n#", "").replace("culvert-secrets", SECRETS).split()

    def test_the_image_has_the_command_its_plugins_and_a_user_without_rights(self):
        self.assertRegex(self.podman("run", "--rm", IMAGE, "--version"), r"^culvert \d")
        self.assertEqual(self.podman("run", "--rm", IMAGE, "plugins", "list").split(),
                         ["auth_sas", "resolver_dns", "resolver_static", "transport_azure"])
        self.assertEqual(self.podman("run", "--rm", "--entrypoint", "id", IMAGE, "-un").strip(), "culvert")

    def test_default_settings_forbid_io_uring_and_a_tunnel_works(self):
        said = self.podman("run", "--rm", IMAGE, "demo", "--once", "--log-level", "info")
        self.assertIn("64 MiB there and back, every byte checked", said)
        self.assertEqual(said.count(" warn io_uring is not possible here, so the engine runs on epoll "), 1)
        self.assertIn(" info the engine runs backend=epoll ", said)

    def test_where_the_container_allows_io_uring_it_is_taken(self):
        said = self.podman("run", "--rm", "--security-opt", "seccomp=unconfined", IMAGE, "demo", "--once",
                           "--log-level", "info")
        self.assertIn("64 MiB there and back, every byte checked", said)
        self.assertIn(" info the engine runs backend=uring ", said)
        self.assertNotIn(" warn ", said)

    def psql(self, words, code=0):
        """From a container that shares a network with the sender, and none with PostgreSQL."""
        return self.podman("run", "--rm", "--network", f"{PROJECT}_outside", POSTGRES, "psql", "-h", SENDER,
                           "-U", "postgres", "-A", "-t", "-c", words, code=code)

    def test_compose_carries_postgresql(self):
        self.addCleanup(self.podman, "volume", "rm", "--force", SECRETS)
        self.addCleanup(self.compose, "down", "--volumes")
        self.podman("run", *self.setup_command())
        self.compose("up", "--detach")
        self.wait_for(lambda: "registered at the relay" in self.log("listener"), "the listener")
        self.wait_for(lambda: "ready for apps" in self.log("sender"), "the sender")
        self.wait_for(lambda: "ready to accept connections" in self.log("postgres"), "PostgreSQL")
        self.assertEqual(self.psql("SELECT sum(n) FROM generate_series(1, 1000000) AS n").strip(), "500000500000")
        self.assertEqual(len(self.psql("SELECT repeat('x', 50000000)")), 50000001)
        for role in ROLES:
            container = self.container(role)
            self.podman("healthcheck", "run", container)
            self.assertIn(" info the engine runs backend=epoll ", self.log(role))
            self.assertEqual(self.podman("exec", container, "id", "-un").strip(), "culvert")
        self.podman("stop", self.container("relay"))
        state = self.podman("inspect", "--format", "{{.State.ExitCode}}", self.container("relay"))
        self.assertEqual(state.strip(), "0")


if __name__ == "__main__":
    sys.exit(unittest.main(verbosity=2))
