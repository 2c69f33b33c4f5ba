"""The configuration file of `culvert up`, made from the flags of the commands `relay`, `listen` and
`connect`, so that one test drives a role either way.

A flag and a key have the same words; only what a file sorts into other sections is named here.
"""
import json
import os

SECTIONS = {"relay": "relay", "listen": "listener", "connect": "sender"}
PROCESS_KEYS = {"shards": ("engine", "shards"), "backend": ("engine", "backend"),
                "drain-grace": ("engine", "drain_grace"), "log-level": ("log", "level"),
                "log-format": ("log", "format")}
LISTS = {"name": "names", "protocol": "protocols", "bind": "bind", "resolve": "resolve",
         "rendezvous-host": "rendezvous_hosts"}


def pairs(flags):
    """(flag, value) for each; the value of a flag that takes none is True."""
    flags = list(flags)
    while flags:
        flag = flags.pop(0).removeprefix("--")
        yield flag, flags.pop(0) if flags and not flags[0].startswith("--") else True


def value_text(value):
    """A flag's value as the file has it; TOML's strings, lists and truth values are JSON's."""
    if isinstance(value, str) and (value.isdigit() or value in ("true", "false")):
        return value
    return json.dumps(value)


class RoleFile:
    """The roles so far of one process, which reads them from the file at `path`."""

    def __init__(self, path):
        self.path = path
        self.process = {}  # the sections that are not roles: {section: {key: value}}
        self.roles = []

    def add(self, command, flags):
        """One more role; flags of the process hold for all of its roles, the first one's win."""
        keys = {}
        parts = []
        for flag, value in pairs(flags):
            if flag in PROCESS_KEYS:
                section, key = PROCESS_KEYS[flag]
                self.process.setdefault(section, {}).setdefault(key, value)
            elif flag in ("limit", "set"):
                section, _, key = value.partition("=")[0].rpartition(".")
                section = f'plugin."{section}"' if flag == "set" else "limits"
                self.process.setdefault(section, {})[key] = value.partition("=")[2]
            elif flag == "entity":
                parts.append(f"[[relay.entity]]\npath = {value_text(value)}\n")
            elif flag == "rule":
                name, rights, key = value.split(":", 2)
                parts.append(f"[[relay.rule]]\nname = {value_text(name)}\n"
                             f"rights = {value_text(rights.split(','))}\n"
                             f"primary_key = {value_text(key)}\n")
            elif flag in LISTS:
                keys.setdefault(LISTS[flag], []).extend(value.split(","))
            else:
                keys[flag.replace("-", "_")] = value
        self.roles.append(f"[[{SECTIONS[command]}]]\n" + self.lines(keys) + "".join(parts))
        self.write()

    @staticmethod
    def lines(keys):
        return "".join(f"{key} = {value_text(value)}\n" for key, value in keys.items())

    def write(self):
        """In one step, as an editor does."""
        text = "".join(f"[{name}]\n{self.lines(keys)}" for name, keys in self.process.items())
        with open(self.path + ".new", "w", encoding="utf-8") as file:
            file.write(text + "".join(self.roles))
        os.replace(self.path + ".new", self.path)
