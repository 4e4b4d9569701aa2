"""Where Argon2 runs: in a few threads, so many at once and no more, because each takes 64 MiB and a whole core."""

import asyncio
import fcntl
import itertools
import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, nullcontext
from functools import partial
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

from grantway.oauth_error import UnavailableError

P = ParamSpec("P")
T = TypeVar("T")

SECONDS_EACH = 0.1  # a derivation takes some 80 ms (`access_grant.root_key`)


class HostSlots:
    """Room for `at_once` derivations, shared by `workers` processes: a lock file in `folder` for each.

    The system takes a lock back when its process ends, however it ends.
    """

    def __init__(self, folder: Path, at_once: int, workers: int) -> None:
        self.workers = workers
        self._files = [folder / f"argon2.{number}" for number in range(at_once)]
        self._turns = itertools.count()

    @contextmanager
    def held(self) -> Iterator[None]:
        """Hold a free slot; while there is none, wait in this thread for one of them, each time for the next one."""
        descriptor = self._taken()
        try:
            yield
        finally:
            os.close(descriptor)

    def _taken(self) -> int:
        for file in self._files:
            descriptor = _opened(file)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                os.close(descriptor)
            else:
                return descriptor
        descriptor = _opened(self._files[next(self._turns) % len(self._files)])
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        return descriptor


class Argon2Queue:
    """Runs hard work off the event loop: `at_once` together, at most `waiting` more in line, the rest is turned away.

    With `slots`, `at_once` holds for all processes that share them, and each of these has its part of the line. `changed` hears how
    many run or wait.
    """

    def __init__(
        self, at_once: int, waiting: int, *, slots: HostSlots | None = None, changed: Callable[[int], None] = lambda _length: None
    ) -> None:
        self._executor = ThreadPoolExecutor(at_once, thread_name_prefix="argon2")
        self._slots = slots
        self._changed = changed
        workers = slots.workers if slots else 1
        # with more workers than places each may still derive
        self._most = max(1, (at_once + waiting) // workers)
        self._seconds_each = SECONDS_EACH * workers / at_once
        self.length = 0
        """How many are running or waiting now."""

    async def __call__(self, work: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        """The result of `work(*args, **kwargs)`. UnavailableError, with the seconds to wait, when too many wait already."""
        if self.length >= self._most:
            raise UnavailableError("too many derivations wait", retry_after=1 + int(self.length * self._seconds_each))
        loop = asyncio.get_running_loop()
        self._count(1)
        running = loop.run_in_executor(self._executor, self._run, partial(work, *args, **kwargs))
        running.add_done_callback(self._left)  # when the work is done, also if whoever asked has gone
        return await asyncio.shield(running)

    def _run(self, work: Callable[[], T]) -> T:
        with self._slots.held() if self._slots else nullcontext():
            return work()

    def _left(self, _: asyncio.Future[Any]) -> None:
        self._count(-1)

    def _count(self, change: int) -> None:
        self.length += change
        self._changed(self.length)

    def close(self) -> None:
        """Wait for what runs, drop what waits."""
        self._executor.shutdown(cancel_futures=True)


def _opened(file: Path) -> int:
    # opened anew each time: two threads with one descriptor would both have its lock
    return os.open(file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
