"""Counts that several processes share: what others counted counts, in the same window, under names that tell nothing."""

import asyncio
from functools import partial

import pytest
from tests.web.counted import FIGURES, HERE, UMA, Time, passed, run
from tests.web.limit_stores import Processes

from grantway.accounts.account import Kind
from grantway.web import counts as counting
from grantway.web.counts import Counts
from grantway.web.rate_limits import Limited, RateLimits
from grantway.web.shared_limits import SharedLimits, key_from
from grantway.web.sign_in_limits import SignInFigures, SignInLimits

pytestmark = pytest.mark.usefixtures("patience")


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


def test_alone_nothing_is_told() -> None:
    counts = Counts()
    assert [bool(counts.count("x", 2, 60)) for _ in range(3)] == [False, False, True]
    assert not counts._untold
    asyncio.run(counts.exchange())
