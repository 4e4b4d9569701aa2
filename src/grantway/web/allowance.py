"""So many at once, then one more at even intervals: what is used up comes back slowly, and never all of a sudden."""

import time
from collections.abc import Callable

from grantway.web.shared_limits import Lane

CLOCKS_DIFFER = 1_000_000
"""Microseconds by which what somebody else took may seem to be taken in the future."""
KEPT = 50_000
"""Keys after which those whose allowance is whole again are forgotten."""


class Allowance:
    """For each key up to `per_hour` at once, of which one comes back every 3600 / `per_hour` seconds. In this process's memory.

    Kept for each key is one number: the moment at which its allowance is whole again (the generic cell rate algorithm of ATM switches).
    """

    def __init__(self, per_hour: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._interval = 3600 / per_hour
        self._most = per_hour
        self._clock = clock
        self._whole_at: dict[bytes, float] = {}

    def lane(self, name: bytes) -> Lane:
        """The same allowance as a store keeps it for all processes, whose clocks may differ a little."""
        interval = round(self._interval * 1_000_000)
        return Lane(name, interval, (self._most - 1) * interval + CLOCKS_DIFFER)

    def wait(self, key: bytes) -> float:
        """Seconds until one more may be taken; 0 when it may be now."""
        now = self._clock()
        used = self._whole_at.get(key, now) - now
        return max(0.0, used - (self._most - 1) * self._interval)

    def take(self, key: bytes) -> None:
        """Take one; who does so has seen that there is nothing to wait for."""
        now = self._clock()
        self._whole_at[key] = max(self._whole_at.get(key, now), now) + self._interval
        if len(self._whole_at) > KEPT:
            self._whole_at = {one: whole for one, whole in self._whole_at.items() if whole > now}

    def give_back(self, key: bytes) -> None:
        """Take back what was taken: it was none of those that are counted."""
        if key in self._whole_at:
            self._whole_at[key] -= self._interval
