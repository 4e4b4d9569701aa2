"""Runs a command under the unit's filter of system calls, as systemd would set it up: `python -m tests.deploy.confined COMMAND …`.

What comes from the unit: SystemCallFilter, RestrictAddressFamilies, MemoryDenyWriteExecute and NoNewPrivileges (systemd.exec(5)).
The members of systemd's sets are asked of systemd-analyze.
"""

import ctypes
import errno
import mmap
import os
import socket
import subprocess
import sys
from collections.abc import Iterable

from tests.deploy import files

ALLOW = 0x7FFF0000
REFUSE = 0x00050000 | errno.EPERM
EQUAL, MASKED_EQUAL = 4, 7


class Comparison(ctypes.Structure):
    """libseccomp's `scmp_arg_cmp`: which argument, how it is compared, and with what."""

    _fields_ = (("arg", ctypes.c_uint), ("op", ctypes.c_int), ("a", ctypes.c_uint64), ("b", ctypes.c_uint64))


def without(argument: int, bit: int) -> Comparison:
    return Comparison(argument, MASKED_EQUAL, bit, 0)


def members(name: str) -> set[str]:
    """The system calls of a set, and of the sets in it; a name that is no set is itself."""
    if not name.startswith("@"):
        return {name}
    listed = subprocess.run(["systemd-analyze", "syscall-filter", name], capture_output=True, text=True, timeout=60, check=True)
    words = [line.strip() for line in listed.stdout.splitlines()[1:]]
    return {one for word in words if word and word[0] != "#" for one in members(word)}


def allowed(lines: Iterable[str]) -> set[str]:
    """What is left of the first line's sets when those of the lines that begin with ~ are taken away."""
    names = set[str]()
    for line in lines:
        found = {one for word in line.removeprefix("~").split() for one in members(word)}
        names = names - found if line.startswith("~") else names | found
    return names


def conditions() -> dict[str, list[list[Comparison]]]:
    """For calls that are allowed only with some arguments: the ways that are."""
    said = dict(files.unit())
    families = [getattr(socket, name) for name in said["RestrictAddressFamilies"].split()]
    assert said["MemoryDenyWriteExecute"] == said["NoNewPrivileges"] == "yes"
    never_executable = [[without(2, mmap.PROT_EXEC)]]
    return {
        "socket": [[Comparison(0, EQUAL, family, 0)] for family in families],
        "mmap": [[without(2, mmap.PROT_EXEC)], [without(2, mmap.PROT_WRITE)]],
        "mprotect": never_executable,
        "pkey_mprotect": never_executable,
    }


def confine() -> None:
    """From now on this process and what it becomes can make the unit's system calls only; all others fail with EPERM."""
    library = ctypes.CDLL("libseccomp.so.2", use_errno=True)
    library.seccomp_init.restype = ctypes.c_void_p
    context = ctypes.c_void_p(library.seccomp_init(REFUSE))
    special = conditions()
    for name in allowed(value for key, value in files.unit() if key == "SystemCallFilter"):
        number = library.seccomp_syscall_resolve_name(name.encode())
        for way in special.get(name, [[]]):
            if number >= 0:  # else not of this machine
                array = (Comparison * max(len(way), 1))(*way)
                assert library.seccomp_rule_add_array(context, ALLOW, number, len(way), array) == 0, name
    assert library.seccomp_load(context) == 0


if __name__ == "__main__":
    confine()
    os.execvp(sys.argv[1], sys.argv[1:])
