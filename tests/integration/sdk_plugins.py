"""Plugins that a test compiles for itself, as sdk/README.md says: in a copy of the SDK, with nothing
of the engine."""
import os
import re
import shlex
import shutil
import subprocess

from culvert_processes import binary_folder

SDK = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "sdk")
README_ID = "resolver_db"  # of the README's plugin


def readme_block(first):
    """The one code block of the README whose text begins so."""
    with open(os.path.join(SDK, "README.md"), encoding="utf-8") as file:
        blocks = re.findall(r"^```\w*\n(.*?)^```$", file.read(), re.MULTILINE | re.DOTALL)
    (block,) = [each for each in blocks if each.startswith(first)]
    return block


def source(plugin):
    """Of a plugin that stands beside the tests."""
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), plugin + ".c")
    with open(path, encoding="ascii") as file:
        return file.read()


def build_command(plugin):
    """The README's own command, for another id."""
    words = shlex.split(readme_block("cc ").replace("\\\n", " "))
    return [word.replace(README_ID, plugin) for word in words]


def build(case, plugin, source):
    """Compiles it with warnings as errors; returns the plugin directory, which has the command's own
    plugins too."""
    sdk = os.path.join(case.folder, "sdk")
    shutil.copytree(SDK, sdk)
    with open(os.path.join(sdk, plugin + ".c"), "w", encoding="utf-8") as file:
        file.write(source)
    done = subprocess.run([*build_command(plugin), "-Wall", "-Wextra", "-Werror"], cwd=sdk, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=120)
    case.assertEqual((done.returncode, done.stdout), (0, ""))
    directory = os.path.join(case.folder, "plugins")
    os.mkdir(directory, 0o700)
    shutil.move(os.path.join(sdk, plugin + ".so"), directory)
    for name in os.listdir(binary_folder()):
        if name.endswith(".so"):
            shutil.copy(os.path.join(binary_folder(), name), directory)
    return directory
