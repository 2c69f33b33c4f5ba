"""A Debian system with nothing in it but Culvert's package: a folder that debootstrap fills.

Needs root, the packages for `package` in tools/packages, and the network for debootstrap and apt. The release
is this machine's. With CULVERT_RELEASE=bookworm or trixie it is that one: the packages are built inside it, in
the folder build/package-RELEASE, which stays and makes the next build short.
"""
import atexit
import functools
import glob
import os
import re
import shutil
import signal
import subprocess
import tempfile
import time
import unittest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.path.join(ROOT, "build", "package")
PROGRAMS = ("debootstrap", "systemd-nspawn", "nsenter", "dpkg-shlibdeps", "file", "cpack")
# The machine need not have systemd itself.
NSPAWN = ("systemd-nspawn", "--quiet", "--register=no", "--keep-unit")
PATIENCE_S = 300  # a loaded machine boots a system in minutes
BUILD_THERE = f"""
. {ROOT}/tools/lib/common.sh
install_packages build package
export CCACHE_SLOPPINESS=pch_defines,time_macros
cd {ROOT}
cmake --preset package -B /build
cmake --build /build
cd /build
cpack
"""


def run(*command, code=0, cwd=ROOT):
    """Its standard output."""
    done = subprocess.run(command, cwd=cwd, text=True, timeout=3000, stdin=subprocess.DEVNULL,
                          capture_output=True)
    if code is not None and done.returncode != code:
        raise AssertionError(f"{' '.join(command)} ended with {done.returncode}: {done.stdout[-4000:]}"
                             f"{done.stderr[-4000:]}")
    return done.stdout


def wait_for(condition, what, why=str):
    """The condition's first true value; `why` is asked for what to show when it does not come."""
    end = time.monotonic() + PATIENCE_S
    while not (value := condition()):
        if time.monotonic() > end:
            raise AssertionError(f"waited {PATIENCE_S} s in vain for {what}: {why()}")
        time.sleep(0.1)
    return value


def skip_if_impossible():
    if os.geteuid() != 0 or not all(map(shutil.which, PROGRAMS)):
        raise unittest.SkipTest(f"this needs root and {', '.join(PROGRAMS)}")


def this_release():
    with open("/etc/os-release", encoding="utf-8") as file:
        return re.search(r"^VERSION_CODENAME=(\w+)", file.read(), re.MULTILINE).group(1)


def inside(root, *command, code=0, options=()):
    """Runs a command in the root, with this machine's network."""
    return run(*NSPAWN, "--resolv-conf=copy-host", "--as-pid2", "--pipe", *options, "-D", root, *command,
               code=code)


def apt_install(root, *packages):
    inside(root, "env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "install", "--yes",
           "--no-install-recommends", *packages)


@functools.cache
def packages():
    """The folder with the packages of this tree, built for the release."""
    release = os.environ.get("CULVERT_RELEASE", this_release())
    here = release == this_release()
    system = f"{BUILD}-{release}"
    folder = BUILD if here else os.path.join(system, "build")
    for old in glob.glob(os.path.join(folder, "*.deb")):
        os.remove(old)
    if here:
        run("cmake", "--preset", "package")
        run("cmake", "--build", BUILD)
        run("cpack", cwd=BUILD)
    else:
        if not os.path.exists(folder):
            run("debootstrap", "--variant=minbase", release, system)
            os.mkdir(folder)
        inside(system, "bash", "-euc", BUILD_THERE, options=(f"--bind-ro={ROOT}",))
    return release, folder


def install_package(root, pattern):
    """apt brings the dependencies that the package names, and nothing else."""
    (file,) = glob.glob(os.path.join(packages()[1], pattern))
    shutil.copy(file, os.path.join(root, "package.deb"))
    apt_install(root, "/package.deb")


@functools.cache
def bare():
    """A root with the package `culvert`, made once; it goes when the tests end."""
    folder = tempfile.mkdtemp(prefix="culvert-package-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    root = os.path.join(folder, "bare")
    run("debootstrap", "--variant=minbase", packages()[0], root)
    install_package(root, "culvert_*.deb")
    return root


def copy_of_bare(add_cleanup):
    root = tempfile.mkdtemp(prefix="copy-", dir=os.path.dirname(bare()))
    add_cleanup(shutil.rmtree, root)
    run("cp", "--archive", f"{bare()}/.", root)
    return root


class Machine:
    """A copy of the bare root with systemd and these packages, booted by systemd-nspawn."""

    def __init__(self, add_cleanup, *extra, options=()):
        self.root = copy_of_bare(add_cleanup)
        apt_install(self.root, "systemd-sysv", "dbus", *extra)
        with open(f"{self.root}.console", "wb") as console:
            self.process = subprocess.Popen([*NSPAWN, *options, "--boot", "-D", self.root],
                                            stdin=subprocess.DEVNULL, stdout=console, stderr=subprocess.STDOUT)
        add_cleanup(self._power_off)
        self.leader = wait_for(self._find_leader, "the machine's first process")
        wait_for(lambda: self.run("systemctl", "is-system-running", code=None).strip()
                 in ("running", "degraded"), "the machine to boot", self._jobs)

    def _find_leader(self):
        """The child that is process 1 inside: systemd-nspawn has had others before it."""
        with open(f"/proc/{self.process.pid}/task/{self.process.pid}/children", encoding="ascii") as file:
            children = file.read().split()
        for child in children:
            try:
                with open(f"/proc/{child}/status", encoding="ascii") as file:
                    if re.search(r"^NSpid:.*\s1$", file.read(), re.MULTILINE):
                        return child
            except OSError:  # it has just ended
                pass
        return None

    def _jobs(self):
        return self.run("systemctl", "list-jobs", code=None)

    def _power_off(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(PATIENCE_S)

    def command(self, *command):
        """What runs a command in the machine."""
        return ("nsenter", "--target", self.leader, "--all", *command)

    def run(self, *command, code=0):
        return run(*self.command(*command), code=code)

    def path(self, path):
        """Where this machine's file is for us."""
        return f"{self.root}{path}"

    def write(self, path, text, mode="w"):
        os.makedirs(os.path.dirname(self.path(path)), exist_ok=True)
        with open(self.path(path), mode, encoding="utf-8") as file:
            file.write(text)

    def order(self, verb, unit="culvert"):
        """As an operator's systemctl; a failure shows the journal."""
        try:
            self.run("systemctl", verb, unit)
        except AssertionError as error:
            journal = self.run("journalctl", f"--unit={unit}", "--no-pager", "--lines=30")
            raise AssertionError(f"{error}\n{journal}") from None

    def property(self, name):
        return self.run("systemctl", "show", "culvert", f"--property={name}", "--value").strip()

    def reload(self, status="reloaded"):
        """Returns when the service has said this first about it."""
        self.order("reload")
        wait_for(lambda: self.property("StatusText").startswith(status), f"the status '{status}'")
