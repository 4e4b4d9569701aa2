"""Where Argon2 runs: in a few threads, so many at once and no more, because each takes 64 MiB and a whole core."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, ParamSpec, TypeVar

from grantway.oauth_error import UnavailableError

P = ParamSpec("P")
T = TypeVar("T")

SECONDS_EACH = 0.1


class Argon2Queue:
    """Runs hard work off the event loop: `at_once` together, at most `waiting` more in line, the rest is turned away."""

    def __init__(self, at_once: int, waiting: int) -> None:
        self._executor = ThreadPoolExecutor(at_once, thread_name_prefix="argon2")
        self._at_once = at_once
        self._most = at_once + waiting
        self.length = 0
        """How many are running or waiting now."""

    async def __call__(self, work: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        """The result of `work(*args, **kwargs)`. UnavailableError, with the seconds to wait, when too many wait already."""
        if self.length >= self._most:
            raise UnavailableError("too many derivations wait", retry_after=1 + int(self.length * SECONDS_EACH / self._at_once))
        loop = asyncio.get_running_loop()
        self.length += 1
        running = loop.run_in_executor(self._executor, partial(work, *args, **kwargs))
        running.add_done_callback(self._left)  # when the work is done, also if whoever asked has gone
        return await asyncio.shield(running)

    def _left(self, _: asyncio.Future[Any]) -> None:
        self.length -= 1

    def close(self) -> None:
        """Wait for what runs, drop what waits."""
        self._executor.shutdown(cancel_futures=True)
