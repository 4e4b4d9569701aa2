"""A part of a core for each process, by Linux's control groups: workers, a database and a load generator then fit on two cores."""

import contextlib
import os
from collections.abc import Iterator, Sequence
from pathlib import Path

PERIOD = 10_000
"""Microseconds: a process that has had its part waits for the next period."""

_FIRST = Path("/sys/fs/cgroup/cpu")  # version 1 of control groups
_SECOND = Path("/sys/fs/cgroup")  # version 2


@contextlib.contextmanager
def held_to(share: float, processes: Sequence[int]) -> Iterator[None]:
    """While this is open each of the processes gets that part of a core at most. Needs root; OSError where groups cannot be made."""
    groups = [(_FIRST if _FIRST.is_dir() else _SECOND) / f"grantway-bench-{os.getpid()}-{pid}" for pid in processes]
    try:
        for group, pid in zip(groups, processes, strict=True):
            group.mkdir()
            _limit(group, int(share * PERIOD))
            (group / "cgroup.procs").write_text(str(pid))
        yield
    finally:
        for group in filter(Path.is_dir, groups):
            for left in (group / "cgroup.procs").read_text().split():
                with contextlib.suppress(ProcessLookupError):
                    (group.parent / "cgroup.procs").write_text(left)
            group.rmdir()


def _limit(group: Path, quota: int) -> None:
    if _FIRST.is_dir():
        (group / "cpu.cfs_period_us").write_text(str(PERIOD))
        (group / "cpu.cfs_quota_us").write_text(str(quota))
    else:
        (group / "cpu.max").write_text(f"{quota} {PERIOD}")
