"""The line for Argon2: so many at once and no more, a bound on those that wait, and no place lost by those who leave."""

import asyncio
import itertools
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from grantway.argon2_queue import Argon2Queue, HostSlots
from grantway.oauth_error import UnavailableError


class Gate:
    """Work that counts who is inside, and waits until it may leave."""

    def __init__(self) -> None:
        self.inside = self.most = 0
        self._lock = threading.Lock()
        self._open = threading.Event()
        self.entered = threading.Semaphore(0)

    def work(self, result: int) -> int:
        with self._lock:
            self.inside += 1
            self.most = max(self.most, self.inside)
        self.entered.release()
        assert self._open.wait(60)
        with self._lock:
            self.inside -= 1
        return result

    def open(self) -> None:
        self._open.set()


@contextmanager
def queue_of(at_once: int, waiting: int) -> Iterator[Argon2Queue]:
    queue = Argon2Queue(at_once, waiting)
    try:
        yield queue
    finally:
        queue.close()


async def filled(gate: Gate, count: int) -> None:
    for _ in range(count):
        assert await asyncio.to_thread(gate.entered.acquire, timeout=60)


def test_at_most_so_many_at_once() -> None:
    async def story() -> None:
        gate = Gate()
        with queue_of(2, 10) as queue:
            asked = [asyncio.ensure_future(queue(gate.work, number)) for number in range(8)]
            await filled(gate, 2)
            assert queue.length == 8
            gate.open()
            assert await asyncio.gather(*asked) == list(range(8))
            assert gate.most == 2
            assert queue.length == 0

    asyncio.run(story())


def test_one_too_many_is_turned_away() -> None:
    async def story() -> None:
        gate = Gate()
        with queue_of(1, 2) as queue:
            asked = [asyncio.ensure_future(queue(gate.work, number)) for number in range(3)]
            await filled(gate, 1)
            with pytest.raises(UnavailableError) as refusal:
                await queue(gate.work, 4)
            assert refusal.value.retry_after >= 1
            gate.open()
            assert await asyncio.gather(*asked) == [0, 1, 2]
            assert await queue(gate.work, 5) == 5

    asyncio.run(story())


def test_a_long_line_says_to_come_back_later() -> None:
    async def story() -> None:
        gate = Gate()
        with queue_of(1, 39) as queue:
            asked = [asyncio.ensure_future(queue(gate.work, number)) for number in range(40)]
            await filled(gate, 1)
            with pytest.raises(UnavailableError) as refusal:
                await queue(gate.work, 41)
            assert refusal.value.retry_after == 5
            gate.open()
            await asyncio.gather(*asked)

    asyncio.run(story())


def test_who_leaves_keeps_the_place_only_while_the_work_runs() -> None:
    async def story() -> None:
        gate = Gate()
        with queue_of(1, 1) as queue:
            asked = [asyncio.ensure_future(queue(gate.work, number)) for number in range(2)]
            await filled(gate, 1)
            for one in asked:
                one.cancel()
            await asyncio.gather(*asked, return_exceptions=True)
            assert queue.length == 2  # the memory is in use as long as the work runs
            gate.open()
            while queue.length:  # noqa: ASYNC110 - there is no event for it
                await asyncio.sleep(0)
            assert [*await asyncio.gather(queue(gate.work, 1), queue(gate.work, 2))] == [1, 2]

    asyncio.run(story())


def test_a_failure_comes_through_and_frees_the_place() -> None:
    def fail() -> None:
        raise KeyError("x")

    async def story() -> None:
        with queue_of(1, 0) as queue:
            for _ in range(3):
                with pytest.raises(KeyError):
                    await queue(fail)
            assert queue.length == 0

    asyncio.run(story())


def test_arguments_are_handed_on() -> None:
    async def story() -> None:
        with queue_of(1, 0) as queue:
            assert await queue(sorted, [2, 1], reverse=False) == [1, 2]

    asyncio.run(story())


def test_closing_drops_what_waits_and_finishes_what_runs() -> None:
    async def story() -> None:
        gate = Gate()
        queue = Argon2Queue(1, 5)
        asked = [asyncio.ensure_future(queue(gate.work, number)) for number in range(3)]
        await filled(gate, 1)
        closing = asyncio.ensure_future(asyncio.to_thread(queue.close))
        gate.open()
        await closing
        ended = await asyncio.gather(*asked, return_exceptions=True)
        assert ended[0] == 0
        assert all(one in (1, 2) or isinstance(one, asyncio.CancelledError) for one in ended[1:])

    asyncio.run(story())


def hasher(folder: Path, *figures: int) -> "subprocess.Popen[str]":
    """A process of its own that does such work."""
    command = [sys.executable, "-m", "tests.hasher", str(folder), *map(str, figures)]
    return subprocess.Popen(command, cwd=Path(__file__).resolve().parents[1], stdout=subprocess.PIPE, text=True)


@pytest.mark.parametrize(("at_once", "workers"), [(1, 3), (2, 3), (3, 2)])
def test_no_more_than_so_many_over_all_processes(tmp_path: Path, at_once: int, workers: int) -> None:
    running = [hasher(tmp_path, at_once, workers, 30) for _ in range(workers)]
    for one in running:
        one.communicate(timeout=60)
    steps = [1 if byte == ord("+") else -1 for byte in (tmp_path / "diary").read_bytes()]
    assert len(steps) == 2 * 30 * workers
    assert max(itertools.accumulate(steps)) == at_once
    assert sum(steps) == 0


def test_the_slot_of_a_process_that_is_killed_comes_back(tmp_path: Path) -> None:
    holder = hasher(tmp_path, 1, 2, 0)
    assert holder.stdout is not None
    assert holder.stdout.readline() == "holds\n"
    waiting = hasher(tmp_path, 1, 2, 3)
    with pytest.raises(subprocess.TimeoutExpired):
        waiting.wait(1)
    assert (tmp_path / "diary").read_bytes() == b"+"
    holder.kill()
    holder.communicate()
    waiting.communicate(timeout=60)
    assert (tmp_path / "diary").read_bytes() == b"+" + b"+-" * 3


def test_each_process_has_its_part_of_the_line(tmp_path: Path) -> None:
    async def story() -> None:
        gate = Gate()
        queue = Argon2Queue(2, 10, slots=HostSlots(tmp_path, 2, 3))
        asked = [asyncio.ensure_future(queue(gate.work, number)) for number in range(4)]
        await filled(gate, 2)
        with pytest.raises(UnavailableError) as refusal:
            await queue(gate.work, 5)
        assert refusal.value.retry_after >= 1
        gate.open()
        assert await asyncio.gather(*asked) == [0, 1, 2, 3]
        queue.close()

    asyncio.run(story())


def test_how_many_run_or_wait_is_told() -> None:
    async def story() -> list[int]:
        told: list[int] = []
        queue = Argon2Queue(1, 5, changed=told.append)
        await asyncio.gather(*(queue(abs, number) for number in range(3)))
        queue.close()
        return told

    told = asyncio.run(story())
    assert (max(told), told[-1]) == (3, 0)
