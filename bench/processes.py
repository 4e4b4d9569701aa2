"""What a server and all the processes that it started use together, processor time and memory, and how busy cores are: from /proc."""

import contextlib
import os
from dataclasses import dataclass
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Memory:
    """MiB of all processes together: resident, counted once for each process, and shared out between those that share it."""

    rss: float
    pss: float


def _fields(pid: int) -> list[str]:
    """/proc/PID/stat from the state on; nothing once the process is gone."""
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return []


def tree(root: int) -> list[int]:
    """This process and its descendants."""
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal() and (fields := _fields(int(entry.name))):
            children.setdefault(int(fields[1]), []).append(int(entry.name))
    found = [root]
    for pid in found:
        found += children.get(pid, [])
    return found


def cpu_seconds(root: int) -> float:
    """User and system time of the whole tree so far, with the children that have ended."""
    ticks = 0
    for pid in tree(root):
        if fields := _fields(pid):
            ticks += sum(int(field) for field in fields[11:15])
    return ticks / TICKS


def busy_seconds(cores: frozenset[int]) -> float:
    """How long these cores have worked so far, for whomever: all but idle and waiting for the disk."""
    ticks = 0
    for line in Path("/proc/stat").read_text().splitlines():
        name, *fields = line.split()
        if name[3:].isdecimal() and name.startswith("cpu") and int(name[3:]) in cores:
            user, nice, system, _idle, _waiting, *rest = (int(field) for field in fields[:8])
            ticks += user + nice + system + sum(rest)
    return ticks / TICKS


def memory(root: int) -> Memory:
    """What the whole tree holds now."""
    totals = {"Rss": 0, "Pss": 0}
    for pid in tree(root):
        with contextlib.suppress(OSError):
            for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
                name, _, figure = line.partition(":")
                if name in totals:
                    totals[name] += int(figure.split()[0])
    return Memory(totals["Rss"] / 1024, totals["Pss"] / 1024)
