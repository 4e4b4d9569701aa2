"""Where the counts of all processes come together: what the limits ask of a store, and what happens while it is away."""

import asyncio
import functools
import hmac
import logging
import time
from collections.abc import Awaitable, Callable, Hashable, Sequence
from typing import NamedTuple, Protocol, TypeVar

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from grantway.oauth_error import UnavailableError

T = TypeVar("T")

PATIENCE_SECONDS = 3.0
"""How long the store may take; then each process counts by itself."""
LEFT_ALONE_SECONDS = 1.0
"""How long a store that was away is not asked again, so that requests do not wait for it one after the other."""
_KEY_BYTES = 16

_log = logging.getLogger(__name__)


@functools.lru_cache(4)
def key_from(master_key: bytes) -> bytes:
    """The key under which names of counts are made, 32 bytes."""
    return HKDF(SHA256(), 32, None, b"grantway: names of shared counts").derive(master_key)


class Total(NamedTuple):
    """What one process counted in one window, which ends at that second since 1970."""

    key: bytes
    number: int
    ends_at: int


class Lane(NamedTuple):
    """Something of which one comes back every `interval` microseconds. One may be taken while those taken come back within `room`."""

    key: bytes
    interval: int
    room: int


class LimitStore(Protocol):
    """What limits ask of a store. UnavailableError from any of these: it does not answer."""

    async def exchange(self, totals: Sequence[tuple[bytes, int, int]]) -> list[int]:
        """Keep this process's totals, each in place of its last one, and return for each key the total of all processes together."""

    async def take(self, lanes: Sequence[tuple[bytes, int, int]], now: int) -> int:
        """Take one of each lane, all or none. 0, or the microseconds to wait until all may be taken. `now`: microseconds since 1970."""

    async def give_back(self, lanes: Sequence[tuple[bytes, int, int]]) -> None:
        """Take back what was taken."""

    async def close(self) -> None:
        """Let go of what is open."""


class SharedLimits:
    """A store that may be away: then it says nothing, which is logged once, and `is_shared` hears of it.

    No address, e-mail address or client_id gets there: names are HMACs under a key from the newest master key, which `key` returns.
    """

    def __init__(
        self, store: LimitStore, key: Callable[[], bytes], is_shared: Callable[[bool], None], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._store = store
        self._key = key
        self._is_shared = is_shared
        self._clock = clock
        self._is_away = False
        self._asked_again_at = 0.0

    def key(self, *parts: Hashable) -> bytes:
        """The name of a count in the store."""
        # `repr`, because no two lists of parts are written alike in it
        return hmac.digest(self._key(), repr(parts).encode("utf-8", "surrogatepass"), "sha256")[:_KEY_BYTES]

    async def try_out(self) -> None:
        """Ask the store for nothing, so that the log tells right now when it is away."""
        await self.exchange([Total(self.key("start"), 0, int(time.time()) + 1)])

    async def exchange(self, totals: Sequence[Total]) -> list[int] | None:
        """The totals of all processes, in the same order; None while the store is away."""

        async def ask() -> list[int]:
            together = await self._store.exchange(totals)
            if len(together) != len(totals):
                raise UnavailableError("it answers something else")
            return together

        return await self._asked(ask) if totals else []

    async def take(self, lanes: Sequence[Lane]) -> int | None:
        """The microseconds to wait, 0 when one of each was taken; None while the store is away."""
        # not monotonic time: other hosts compare theirs with what stands in the store
        return await self._asked(lambda: self._store.take(lanes, time.time_ns() // 1000)) if lanes else 0

    async def give_back(self, lanes: Sequence[Lane]) -> None:
        """Take back what was taken, if the store is there."""
        if lanes:
            await self._asked(lambda: self._store.give_back(lanes))

    async def _asked(self, ask: Callable[[], Awaitable[T]]) -> T | None:
        if self._is_away and self._clock() < self._asked_again_at:
            return None
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                answer = await ask()
        except Exception as error:  # noqa: BLE001 - whatever a store does, no request fails for it
            self._asked_again_at = self._clock() + LEFT_ALONE_SECONDS
            self._told(str(error) if isinstance(error, UnavailableError) else type(error).__name__)
            return None
        self._told("")
        return answer

    def _told(self, problem: str) -> None:
        """Say once what has changed."""
        if bool(problem) == self._is_away:
            return
        self._is_away = bool(problem)
        self._is_shared(not self._is_away)
        if problem:
            _log.warning("limits: the shared counts are away (%s); each process counts by itself", problem)
        else:
            _log.warning("limits: the shared counts are back")
