"""Looking after workers: begun, replaced with pauses that grow, ended together, never left alone."""

import itertools
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from grantway.cli.workers import LOOK_SECONDS, silence

ROOT = Path(__file__).resolve().parents[2]


@contextmanager
def crew(kind: str, folder: Path) -> Iterator["subprocess.Popen[str]"]:
    """A parent with two workers of that kind; all of them killed at the end."""
    popen = subprocess.Popen(
        [sys.executable, "-m", "tests.cli.crew", kind, str(folder)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        start_new_session=True,
    )
    try:
        yield popen
    finally:
        with suppress(ProcessLookupError):
            os.killpg(popen.pid, signal.SIGKILL)
        popen.communicate()


def children(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def line(popen: "subprocess.Popen[str]") -> str:
    assert popen.stdout is not None
    return popen.stdout.readline().strip()


def errors(popen: "subprocess.Popen[str]") -> Iterator[str]:
    assert popen.stderr is not None
    return iter(popen.stderr)


def test_told_to_stop_they_all_end(tmp_path: Path) -> None:
    for number in (signal.SIGTERM, signal.SIGINT):
        with crew("steady", tmp_path) as parent:
            assert line(parent) == f"all answer {parent.pid}"
            assert len(children(parent.pid)) == 2
            parent.send_signal(number)
            said, problems = parent.communicate(timeout=60)
        assert (parent.returncode, said, problems) == (0, "stops\n", "")


def test_who_does_not_end_is_killed(tmp_path: Path) -> None:
    with crew("stubborn", tmp_path) as parent:
        line(parent)
        parent.terminate()
        _, problems = parent.communicate(timeout=60)
    assert parent.returncode == 0
    assert len(re.findall(r"worker \d \(process \d+\) does not end, and is killed", problems)) == 2


def test_who_cannot_begin_ends_it_all(tmp_path: Path) -> None:
    with crew("unable", tmp_path) as parent:
        said, problems = parent.communicate(timeout=60)
    assert (parent.returncode, said.splitlines()[:1]) == (7, ["stops"])
    # which of them is seen first is chance
    assert re.fullmatch(
        r"grantway: worker [01] ended with exit code 7 before it could answer, and no other does: the server ends\n", problems
    )


def test_a_fault_of_ours_is_shown(tmp_path: Path) -> None:
    with crew("broken", tmp_path) as parent:
        _, problems = parent.communicate(timeout=60)
    assert parent.returncode == 1
    assert "KeyError: 'a fault of ours'" in problems


def test_a_worker_that_is_killed_is_replaced(tmp_path: Path) -> None:
    with crew("steady", tmp_path) as parent:
        line(parent)
        before = children(parent.pid)
        os.kill(before[1], signal.SIGKILL)
        assert line(parent) == "died 1 0.01"
        assert "was killed by signal 9; another begins in 0.01 s" in next(errors(parent))
        while len(children(parent.pid)) < 2:
            pass
        after = children(parent.pid)
        assert before[0] in after
        assert before[1] not in after
        parent.terminate()
        parent.communicate(timeout=60)
    assert parent.returncode == 0


def test_who_dies_again_and_again_waits_longer_each_time(tmp_path: Path) -> None:
    with crew("short_lived", tmp_path) as parent:
        begun = (re.search(r"worker 0 .* begins in (\S+) s", said) for said in errors(parent))
        pauses = list(itertools.islice((found[1] for found in begun if found), 5))
        assert pauses == ["0.01", "0.02", "0.04", "0.05", "0.05"]
        parent.terminate()
        assert parent.wait(60) == 0


def test_one_that_cannot_come_back_is_tried_again_while_another_answers(tmp_path: Path) -> None:
    with crew("one_cannot_come_back", tmp_path) as parent:
        line(parent)
        os.kill(children(parent.pid)[0], signal.SIGKILL)
        for _ in range(4):
            assert "another begins" in next(errors(parent))
        assert children(parent.pid)
        parent.terminate()
        parent.communicate(timeout=60)
    assert parent.returncode == 0


def test_when_none_can_come_back_it_ends(tmp_path: Path) -> None:
    with crew("none_can_come_back", tmp_path) as parent:
        line(parent)
        for worker in children(parent.pid):
            os.kill(worker, signal.SIGKILL)
        _, problems = parent.communicate(timeout=60)
    assert parent.returncode == 5
    assert problems.endswith("before it could answer, and no other does: the server ends\n")


def test_a_worker_that_hangs_is_killed_and_replaced(tmp_path: Path) -> None:
    with crew("hung", tmp_path) as parent:
        line(parent)
        before = children(parent.pid)
        said = errors(parent)
        assert f"worker 0 (process {before[0]}) says nothing for 2 s, and is killed" in next(said)
        assert f"worker 0 (process {before[0]}) was killed by signal 9; another begins" in next(said)
        assert line(parent) == "died 0 0.01"
        parent.terminate()
        assert parent.communicate(timeout=60)[1] == "", "the other one, which goes on saying something, lives"
    assert parent.returncode == 0


@pytest.mark.parametrize(
    ("before", "passed", "after"),
    [(0.0, 0.5, 0.5), (3.0, LOOK_SECONDS, 3.0 + LOOK_SECONDS), (3.0, 8 * 3600.0, 3.0 + LOOK_SECONDS)],
    ids=["awake", "woken by the clock", "the machine slept for a night"],
)
def test_what_counts_as_silence(before: float, passed: float, after: float) -> None:
    assert silence(before, passed) == after


def test_no_worker_outlives_its_parent(tmp_path: Path) -> None:
    with crew("steady", tmp_path) as parent:
        line(parent)
        parent.kill()
        # the pipe that they inherited ends with the last of them
        assert parent.stdout is not None
        assert parent.stdout.read() == ""
