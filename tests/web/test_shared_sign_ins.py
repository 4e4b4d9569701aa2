"""Failed sign-ins over several processes are counted exactly, and a right password is given back everywhere."""

import asyncio

import pytest
from tests.web.counted import HERE, UMA, fails, run
from tests.web.limit_stores import THREE_AN_HOUR, Processes, lane

from grantway.accounts.account import Kind
from grantway.web.allowance import Allowance
from grantway.web.sign_in_limits import SignInFigures, SignInLimits

pytestmark = pytest.mark.usefixtures("patience")


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
