"""The stores in which limits come together, each over a real server: a SQLite file, a Valkey."""

import secrets
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from pathlib import Path

import pytest
from tests.valkey_server import caching, needs_valkey

from grantway.cache import CachedCounts
from grantway.storage import migrate
from grantway.storage.rate_counts import RateCounts
from grantway.storage.sqlite import FILE_NAME, SqliteDatabase
from grantway.web.shared_limits import Lane, LimitStore, SharedLimits

KEY = b"k" * 32
THREE_AN_HOUR = 1_200_000_000


class Processes:
    """Makes what each of several processes of one server would have: a store of its own over the same place."""

    def __init__(self, data: Path, url: str) -> None:
        self.data, self.url = data, url
        self.is_shared: list[bool] = []

    @asynccontextmanager
    async def each(self, count: int) -> AsyncIterator[list[SharedLimits]]:
        """The limits of so many processes."""
        async with AsyncExitStack() as stack:
            yield [SharedLimits(self._store(stack), lambda: KEY, self.is_shared.append) for _ in range(count)]

    def _store(self, stack: AsyncExitStack) -> LimitStore:
        if self.url:
            cached = CachedCounts(self.url, secrets.token_bytes(8))
            stack.push_async_callback(cached.close)
            return cached
        migrate.upgrade(self.data / FILE_NAME)
        database = SqliteDatabase(self.data / FILE_NAME)
        stack.push_async_callback(database.close)
        return RateCounts(database, secrets.token_bytes(8))


@contextmanager
def processes(kind: str, data: Path) -> Iterator[Processes]:
    """Over a store of that kind."""
    if kind == "SQLite":
        yield Processes(data, "")
        return
    with caching() as cache:
        yield Processes(data, cache.url)


KINDS = ["SQLite", pytest.param("Valkey", marks=needs_valkey)]


def lane(shared: SharedLimits, name: str, most: int) -> Lane:
    """One in which so many are let through at once, and then three an hour."""
    return Lane(shared.key(name), THREE_AN_HOUR, (most - 1) * THREE_AN_HOUR)
