"""The store of the limits is away, busy or silent: each process goes on by itself, and tells when it is back."""

import asyncio
import logging
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import cast

import pytest
from tests.valkey_server import caching, needs_valkey
from tests.web.counted import FIGURES, Time, fails, passed, run
from tests.web.limit_stores import KEY, lane, processes

from grantway.cache import CachedCounts
from grantway.oauth_error import UnavailableError
from grantway.storage import sqlite
from grantway.storage.sqlite import FILE_NAME
from grantway.web import counts as counting
from grantway.web.counts import Counts
from grantway.web.rate_limits import RateLimits
from grantway.web.shared_limits import Lane, LimitStore, SharedLimits
from grantway.web.sign_in_limits import SignInFigures, SignInLimits

pytestmark = pytest.mark.usefixtures("patience")


@needs_valkey
def test_a_cache_that_is_killed_and_comes_back(caplog: pytest.LogCaptureFixture) -> None:
    told: list[bool] = []

    async def story() -> None:
        now = Time()
        with caching() as cache:
            each = [SharedLimits(CachedCounts(cache.url, bytes([number])), lambda: KEY, told.append, now) for number in range(2)]
            counts = [Counts(shared, now) for shared in each]
            limits = [RateLimits(FIGURES, one) for one in counts]
            sign_ins = [SignInLimits(SignInFigures(from_one_place=3, together=100), one) for one in each]
            assert passed(limits[0], 4) == 4
            await counts[0].exchange()
            assert [await fails(sign_ins[0]) for _ in range(2)] == [0, 0]
            cache.kill()
            # each goes on by itself with what it knows
            for one in counts:
                await one.exchange()
            assert [passed(one, 20) for one in limits] == [6, 10]
            assert [bool(await fails(sign_ins[0])) for _ in range(2)] == [False, True]
            assert [bool(await fails(sign_ins[1])) for _ in range(4)] == [False] * 3 + [True]
            for one in counts:
                await one.exchange()
            assert told == [False, False]
            cache.start()
            now.now += 1.5  # so long it is left alone
            # what was counted meanwhile is told, although the cache has forgotten everything
            for one in (*counts, counts[0]):
                await one.exchange()
            assert told == [False, False, True, True]
            third = Counts(SharedLimits(CachedCounts(cache.url, b"third"), lambda: KEY, told.append, now), now)
            assert passed(RateLimits(FIGURES, third), 1) == 1
            await third.exchange()
            assert passed(RateLimits(FIGURES, third), 1) == 0
            await each[0].give_back([lane(each[0], "taken before the cache forgot", 3)])
            assert cache.names()
            assert all(cache.ttl(key) > 0 for key in cache.names())  # nothing stays for ever
            for shared in (*each, third._shared):
                assert shared is not None
                await shared._store.close()

    with caplog.at_level(logging.WARNING):
        run(story())
    said = [record.getMessage() for record in caplog.records]
    assert len(said) == 4  # one when it went, one when it came back, of each process
    assert "the shared counts are away (the cache does not answer: ConnectionError)" in said[0]
    assert "password" not in caplog.text


def test_a_busy_database_counts_as_away(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    monkeypatch.setattr(sqlite, "BUSY_SECONDS", 0.05)

    async def story() -> None:
        with processes("SQLite", tmp_path) as several:
            async with several.each(1) as (one,):
                counts = Counts(one, Time())
                assert passed(RateLimits(FIGURES, counts), 4) == 4
                with closing(sqlite3.connect(tmp_path / FILE_NAME, isolation_level=None)) as other:
                    other.execute("BEGIN IMMEDIATE")
                    await counts.exchange()
                    assert several.is_shared == [False]
                    assert counts._untold
                    assert await one.take([Lane(b"x", 1, 1)]) is None
                    other.execute("ROLLBACK")
                one._asked_again_at = 0
                await counts.exchange()
                assert several.is_shared == [False, True]
                assert not counts._untold

    with caplog.at_level(logging.CRITICAL):
        run(story())


def test_requests_do_not_wait_for_a_store_one_after_the_other(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    """A cache that takes connections and says nothing costs one request its patience, not each."""
    monkeypatch.setattr("grantway.cache.SOCKET_SECONDS", 0.05)
    connections: list[asyncio.StreamWriter] = []

    async def story() -> None:
        came = asyncio.Event()

        def silence(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            connections.append(writer)
            came.set()

        async with await asyncio.start_server(silence, "127.0.0.1") as silent:
            store = CachedCounts(f"redis://127.0.0.1:{silent.sockets[0].getsockname()[1]}", b"one")
            shared = SharedLimits(store, lambda: KEY, lambda _: None, lambda: 0.0)
            assert [await shared.take([Lane(b"x", 1, 1)]) for _ in range(50)] == [None] * 50
            async with asyncio.timeout(60):
                await came.wait()
            assert len(connections) == 1
            await store.close()
            connections[0].close()

    with caplog.at_level(logging.CRITICAL):
        run(story())


def test_what_a_store_was_not_told_is_forgotten_with_its_window(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    """Addresses come faster than they are told, or the store is away: what is kept of them is of a window or two."""
    monkeypatch.setattr(counting, "KEPT", 10)
    monkeypatch.setattr(counting, "MOST_IN_ONE_GO", 10)
    time = Time()

    class Away:
        async def exchange(self, _totals: object) -> list[int]:
            raise UnavailableError("away")

    async def story() -> None:
        counts = Counts(SharedLimits(cast("LimitStore", Away()), lambda: KEY, lambda _: None, time), time)
        for minute in range(20):
            for number in range(100):
                counts.count((minute, number), 1, 60)
            await counts.exchange()
            time.now += 60
            assert len(counts._untold) <= 300

    with caplog.at_level(logging.CRITICAL):
        run(story())


@pytest.mark.parametrize(("answer", "is_there"), [([5], True), ([], False), ([1, 2], False)])
def test_a_store_is_tried_out(answer: list[int], is_there: bool, caplog: pytest.LogCaptureFixture) -> None:
    """One that is away, or answers something else, is told of before anybody needs it, and is no end of counting."""

    class Store:
        async def exchange(self, _totals: object) -> list[int]:
            return answer

    async def story() -> None:
        shared = SharedLimits(cast("LimitStore", Store()), lambda: KEY, lambda _: None)
        await shared.try_out()
        counts = Counts(shared)
        counts.count("x", 2, 60)
        await counts.exchange()

    with caplog.at_level(logging.WARNING):
        run(story())
    away = "limits: the shared counts are away (it answers something else); each process counts by itself"
    assert [record.getMessage() for record in caplog.records] == ([] if is_there else [away])
