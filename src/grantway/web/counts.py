"""How often something happened in the running window: counted here, and told to all other processes a few times a second.

No request waits for the others' word. What each process tells is its own total, never a difference, so that telling it twice does no
harm, and a store that has lost everything is told anew.
"""

import asyncio
import time
from collections.abc import Callable, Hashable
from dataclasses import dataclass

from grantway.web.shared_limits import SharedLimits, Total

PAUSE_SECONDS = 0.5
"""At least so long between two exchanges with the store."""
MOST_IN_ONE_GO = 1000
KEPT = 50_000
"""Counts after which those whose window is over are forgotten."""


@dataclass(slots=True)
class _Count:
    """One key's window: what this process counted, and what all others had when they were last heard of."""

    ends_at: float
    mine: int = 0
    others: int = 0


class Counts:
    """Counts by key in windows of so many seconds. Without `shared` this process is alone."""

    def __init__(self, shared: SharedLimits | None = None, clock: Callable[[], float] = time.time) -> None:
        self._shared = shared
        self._clock = clock
        self._counts: dict[Hashable, _Count] = {}
        self._untold: dict[Hashable, _Count] = {}
        self._has_untold = asyncio.Event()
        self._most_kept = KEPT

    def count(self, key: Hashable, most: int, seconds: int) -> float:
        """Count one more of at most `most` in this window; 0, or the seconds until the window's end when it is one too many."""
        now = self._clock()
        count = self._counts.get(key)
        # one that ends later than any window can was begun by a clock that was wrong: it would last until the clock is there again
        if count is None or not now < count.ends_at <= now + seconds:
            count = self._counts[key] = _Count(self._end(now, seconds))
            self._forget(now)
        if count.mine + count.others >= most:
            return count.ends_at - now
        count.mine += 1
        if self._shared is not None:
            self._untold[key] = count
            self._has_untold.set()
        return 0.0

    def _end(self, now: float, seconds: int) -> float:
        """Of a window that begins: after so many seconds, but at the same moment in all processes that count together."""
        return now + seconds if self._shared is None else (int(now) // seconds + 1) * seconds

    def _forget(self, now: float) -> None:
        """Forget windows that are over; not again before there are twice as many, for looking at all takes its time."""
        if len(self._counts) > self._most_kept:
            self._counts = {key: count for key, count in self._counts.items() if count.ends_at > now}
            self._untold = {key: count for key, count in self._untold.items() if count.ends_at > now}
            self._most_kept = max(KEPT, 2 * len(self._counts))

    async def run(self) -> None:
        """Exchange what was counted, until cancelled."""
        while True:
            await self._has_untold.wait()
            await self.exchange()
            await asyncio.sleep(PAUSE_SECONDS)

    async def exchange(self) -> None:
        """Tell the store what was counted here since the last time, and hear of the others. What it was not told is told next time."""
        if self._shared is None:
            return
        shared, now = self._shared, self._clock()
        # taken out before the store is asked: what is counted meanwhile comes in again, and is told next time
        batch = [(key, self._untold.pop(key)) for key in list(self._untold)[:MOST_IN_ONE_GO]]
        batch = [(key, count) for key, count in batch if count.ends_at > now]
        totals = [Total(shared.key(key, int(count.ends_at)), count.mine, int(count.ends_at)) for key, count in batch]
        together = await shared.exchange(totals)
        if together is None:
            self._untold = dict(batch) | self._untold  # first in line again
        else:
            for (_, count), told, total in zip(batch, totals, together, strict=True):
                # less what was told, not `mine`: that may have grown since
                count.others = total - told.number
        if not self._untold:
            self._has_untold.clear()
