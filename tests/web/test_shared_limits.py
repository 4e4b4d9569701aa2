"""Limits of several processes: over a database and over a Valkey, together while the store is there, each by itself while it is away."""

import asyncio
import logging
import sqlite3
from collections.abc import Coroutine, Iterator
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any, cast

import pytest
from tests.valkey_server import caching, needs_valkey
from tests.web.limit_stores import KEY, KINDS, Processes, processes

from grantway.accounts.account import Kind
from grantway.cache import CachedCounts
from grantway.oauth_error import RefusedError, UnavailableError
from grantway.storage import sqlite
from grantway.storage.sqlite import FILE_NAME
from grantway.web import counts as counting
from grantway.web.allowance import Allowance
from grantway.web.counts import Counts
from grantway.web.rate_limits import Figures, Limited, RateLimits
from grantway.web.shared_limits import Lane, LimitStore, SharedLimits, key_from
from grantway.web.sign_in_limits import SignInFigures, SignInLimits

FIGURES = Figures(token_requests=10, sign_ins=2, registrations=1, changes=2, failed_authentications=2)
HERE = "192.0.2.1"
UMA = "uma@example.org"
THREE_AN_HOUR = 1_200_000_000


class Time:
    def __init__(self) -> None:
        self.now = 4_000_000_020.0  # a cache forgets at once what ended in its own past

    def __call__(self) -> float:
        return self.now


@pytest.fixture(autouse=True)
def patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """A store that is there is not away because the machine is slow."""
    monkeypatch.setattr("grantway.cache.SOCKET_SECONDS", 60.0)
    monkeypatch.setattr("grantway.web.shared_limits.PATIENCE_SECONDS", 60.0)


@pytest.fixture(params=KINDS)
def several(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Processes]:
    with processes(request.param, tmp_path) as made:
        yield made


def lane(shared: SharedLimits, name: str, most: int) -> Lane:
    return Lane(shared.key(name), THREE_AN_HOUR, (most - 1) * THREE_AN_HOUR)


def run(story: Coroutine[Any, Any, None]) -> None:
    asyncio.run(story)


def passed(limits: RateLimits, times: int) -> int:
    """How many of so many token requests are let through."""
    through = 0
    for _ in range(times):
        try:
            limits.count(Limited.TOKEN_REQUEST, HERE)
        except RefusedError:
            continue
        through += 1
    return through


def test_what_others_counted_counts(several: Processes) -> None:
    async def story() -> None:
        async with several.each(3) as each:
            counts = [Counts(shared, Time()) for shared in each]
            limits = [RateLimits(FIGURES, one) for one in counts]
            assert [passed(one, 3) for one in limits] == [3, 3, 3]
            for one in counts:
                await one.exchange()
            # the last one heard of all nine, the first of its own three only, until it counts once more
            assert passed(limits[2], 5) == 1
            await counts[2].exchange()
            assert passed(limits[0], 1) == 1
            await counts[0].exchange()
            assert passed(limits[0], 5) == 0
            assert several.is_shared == []

    run(story())


def test_the_excess_is_what_the_others_answer_between_two_exchanges(several: Processes) -> None:
    """The bound that the documents give: each process lets the whole figure through once at most, before it hears of the others."""

    async def story() -> None:
        async with several.each(3) as each:
            counts = [Counts(shared, Time()) for shared in each]
            limits = [RateLimits(FIGURES, one) for one in counts]
            assert [passed(one, 30) for one in limits] == [10, 10, 10]
            for _ in range(2):
                for one in counts:
                    await one.exchange()
            assert [passed(one, 30) for one in limits] == [0, 0, 0]

    run(story())


def test_telling_twice_does_no_harm(several: Processes) -> None:
    async def story() -> None:
        async with several.each(2) as (one, other):
            totals = [(one.key("x"), 3, 4_000_000_000), (one.key("y"), 1, 4_000_000_000)]
            for _ in range(3):
                assert await one._store.exchange(totals) == [3, 1]
            assert await other._store.exchange([(one.key("x"), 5, 4_000_000_000)]) == [8]
            assert await one._store.exchange([(one.key("x"), 4, 4_000_000_000)]) == [9]

    run(story())


def test_the_next_window_begins_anew_everywhere(several: Processes) -> None:
    async def story() -> None:
        time = Time()
        async with several.each(2) as each:
            counts = [Counts(shared, time) for shared in each]
            limits = [RateLimits(FIGURES, one) for one in counts]
            assert passed(limits[0], 10) == 10
            await counts[0].exchange()
            assert passed(limits[1], 1) == 1
            await counts[1].exchange()
            assert passed(limits[1], 1) == 0
            time.now += 60
            assert [passed(one, 4) for one in limits] == [4, 4]

    run(story())


def test_many_keys_go_in_one_go_and_the_rest_in_the_next(several: Processes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(counting, "MOST_IN_ONE_GO", 250)

    async def story() -> None:
        async with several.each(2) as (one, other):
            mine, theirs = Counts(one, Time()), Counts(other, Time())
            for number in range(600):
                mine.count(("x", str(number)), 2, 60)
            for _ in range(3):
                await mine.exchange()
            assert not mine._untold
            for number in range(600):
                theirs.count(("x", str(number)), 2, 60)
            for _ in range(3):
                await theirs.exchange()
            assert all(theirs.count(("x", str(number)), 2, 60) for number in range(600))

    run(story())


async def fails(limits: SignInLimits, address: str = HERE) -> int:
    """One failed sign-in; 0, or the seconds to wait."""
    try:
        await limits.begin(Kind.USER, UMA, address, None)
    except RefusedError as refusal:
        return refusal.error.retry_after or 0
    return 0


def test_failed_sign_ins_are_counted_exactly(several: Processes) -> None:
    """As many at once as there are: over all processes no more than the figure is let through."""

    async def story() -> None:
        async with several.each(3) as each:
            limits = [SignInLimits(SignInFigures(from_one_place=4, together=10), one) for one in each]
            waits = await asyncio.gather(*(fails(one) for one in limits * 8))
            assert sorted(map(bool, waits)) == [False] * 4 + [True] * 20
            assert all(600 < wait < 920 for wait in waits if wait)
            # from many places, each to the next process
            more = [await fails(limits[number % 3], f"198.51.100.{number}") for number in range(10)]
            assert list(map(bool, more)) == [False] * 6 + [True] * 4

    run(story())


def test_a_right_password_is_given_back_everywhere(several: Processes) -> None:
    async def story() -> None:
        async with several.each(2) as each:
            limits = [SignInLimits(SignInFigures(from_one_place=2, together=2), one) for one in each]
            for number in range(20):
                one = limits[number % 2]
                await one.give_back(await one.begin(Kind.USER, UMA, HERE, None))
            assert [bool(await fails(limits[number % 2])) for number in range(4)] == [False, False, True, True]

    run(story())


def test_all_lanes_or_none(several: Processes) -> None:
    async def story() -> None:
        async with several.each(1) as (one,):
            place, account = lane(one, "place", 1), lane(one, "account", 3)
            assert await one.take([place, account]) == 0
            for _ in range(5):
                wait = await one.take([place, account])
                assert wait is not None
                assert abs(wait - THREE_AN_HOUR) < 120_000_000
            assert [bool(await one.take([account])) for _ in range(3)] == [False, False, True]
            await one.give_back([account])
            assert [bool(await one.take([account])) for _ in range(2)] == [False, True]
            await one.give_back([lane(one, "nobody's", 3)])
            assert await one.take([]) == 0

    run(story())


def test_whoever_comes_late_with_an_early_clock_is_let_through(several: Processes) -> None:
    """Of many at one moment, some read their clock first and are heard last."""

    async def story() -> None:
        async with several.each(1) as (one,):
            wanted = Allowance(3).lane(one.key("x"))
            now = 1_800_000_000_000_000
            assert [await one._store.take([wanted], now - early) for early in (0, 1000, 500_000)] == [0, 0, 0]
            assert await one._store.take([wanted], now - 500_000) == wanted.interval - 500_000

    run(story())


def test_what_a_clock_took_that_was_far_ahead_counts_for_nothing(several: Processes) -> None:
    """Else nobody could sign in until all clocks are there. One that differs by less counts, and no more than a whole allowance."""

    async def story() -> None:
        async with several.each(1) as (one,):
            wanted, now, minute, day = Allowance(3).lane(one.key("x")), 1_800_000_000_000_000, 60_000_000, 86_400_000_000
            assert [bool(await one._store.take([wanted], now + day)) for _ in range(4)] == [False] * 3 + [True]
            assert [bool(await one._store.take([wanted], now + minute)) for _ in range(4)] == [False] * 3 + [True]
            assert 0 < await one._store.take([wanted], now) <= wanted.interval + minute

    run(story())


def test_names_tell_nothing(several: Processes) -> None:
    async def story() -> None:
        async with several.each(1) as (one,):
            counts = Counts(one)
            limits = RateLimits(FIGURES, counts)
            limits.count(Limited.FAILED_AUTHENTICATION, HERE, "photo-box")
            await counts.exchange()
            await SignInLimits(SignInFigures(from_one_place=4, together=100), one).begin(Kind.USER, UMA, HERE, None)

    run(story())
    kept = b"".join(file.read_bytes() for file in several.data.iterdir())
    assert not any(word.encode() in kept for word in (HERE, UMA, "photo-box", "example.org"))


def test_other_master_keys_make_other_names() -> None:
    names = {SharedLimits(None, partial(key_from, master), lambda _: None).key("x") for master in (b"a" * 32, b"b" * 32)}  # type: ignore[arg-type]
    assert len(names) == 2


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


def test_windows_that_are_over_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(counting, "KEPT", 10)
    time = Time()
    counts = Counts(clock=time)
    for number in range(100):
        counts.count(number, 1, 60)
    assert len(counts._counts) == 100  # all of them still hold
    time.now += 60
    for number in range(100, 300):
        counts.count(number, 1, 60)
    assert len(counts._counts) == 200


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


def test_alone_nothing_is_told() -> None:
    counts = Counts()
    assert [bool(counts.count("x", 2, 60)) for _ in range(3)] == [False, False, True]
    assert not counts._untold
    asyncio.run(counts.exchange())
