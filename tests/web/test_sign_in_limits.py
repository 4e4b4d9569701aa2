"""Failed sign-ins: slowed down by place and by account, coming back one by one; a known browser is counted by itself."""

import asyncio
from dataclasses import dataclass

import pytest

from grantway.accounts.account import Kind
from grantway.oauth_error import RefusedError
from grantway.web import allowance
from grantway.web.allowance import Allowance
from grantway.web.sign_in_limits import SignInFigures, SignInLimits

HERE, THERE = "192.0.2.1", "192.0.2.2"
UMA = "uma@example.org"


@dataclass
class Time:
    now: float = 1000.0

    def __call__(self) -> float:
        return self.now


def refused_for(limits: SignInLimits, email: str = UMA, address: str = HERE, browser: str | None = None, kind: Kind = Kind.USER) -> int:
    """One failed sign-in; 0 when it was let through, else the seconds to wait."""
    try:
        asyncio.run(limits.begin(kind, email, address, browser))
    except RefusedError as refusal:
        error = refusal.error
    else:
        return 0
    assert (error.status, error.code) == (429, "rate_limited")
    return error.retry_after or 0


def test_what_is_used_up_comes_back_one_by_one() -> None:
    time = Time()
    limits = SignInLimits(SignInFigures(from_one_place=4, together=100), clock=time)
    assert [refused_for(limits) for _ in range(6)] == [0, 0, 0, 0, 900, 900]
    time.now += 899
    assert refused_for(limits) == 1
    time.now += 1
    assert [refused_for(limits) for _ in range(2)] == [0, 900]
    time.now += 7200
    assert [refused_for(limits) for _ in range(5)] == [0, 0, 0, 0, 900]


def test_who_is_counted_apart() -> None:
    limits = SignInLimits(SignInFigures(from_one_place=1, together=100), clock=Time())
    assert refused_for(limits) == 0
    assert refused_for(limits)
    assert refused_for(limits, " UMA@example.org ")  # the same account
    assert refused_for(limits, address="::ffff:192.0.2.1")  # the same address
    assert refused_for(limits, address=THERE) == 0
    assert refused_for(limits, "other@example.org") == 0
    assert refused_for(limits, kind=Kind.DEVELOPER) == 0


def test_many_addresses_together_are_slowed_down_and_the_owner_is_not() -> None:
    time = Time()
    limits = SignInLimits(SignInFigures(from_one_place=2, together=10), clock=time)
    assert [refused_for(limits, address=f"192.0.2.{number}") for number in range(12)] == [0] * 10 + [360, 360]
    assert refused_for(limits, address=HERE, browser="the owner's") == 0
    assert refused_for(limits, address=THERE, browser="the owner's") == 0
    assert refused_for(limits, address="192.0.2.200", browser="the owner's") == 1800  # at whatever address: it is one browser
    assert refused_for(limits, address=THERE, browser="the owner's other") == 0
    time.now += 360
    assert refused_for(limits, address="192.0.2.99") == 0


def test_one_refused_for_the_place_does_not_count_for_the_account() -> None:
    """Or a single address could use up what all others have."""
    limits = SignInLimits(SignInFigures(from_one_place=1, together=3), clock=Time())
    assert [bool(refused_for(limits)) for _ in range(20)] == [False] + [True] * 19
    assert refused_for(limits, address=THERE) == 0


def test_a_right_password_does_not_count() -> None:
    limits = SignInLimits(SignInFigures(from_one_place=2, together=2), clock=Time())

    async def fifty_right_ones() -> None:
        for _ in range(50):
            await limits.give_back(await limits.begin(Kind.USER, UMA, HERE, None))

    asyncio.run(fifty_right_ones())
    assert [bool(refused_for(limits)) for _ in range(3)] == [False, False, True]


@pytest.mark.parametrize("email", ["", "x" * 60_000, "\ud800", "no address", "a\0b@example.org", "写真@example.org"])
def test_any_address(email: str) -> None:
    limits = SignInLimits(SignInFigures(from_one_place=1, together=1), clock=Time())
    assert [bool(refused_for(limits, email)) for _ in range(2)] == [False, True]


def test_off() -> None:
    assert all(refused_for(SignInLimits(None)) == 0 for _ in range(200))


def test_what_is_whole_again_is_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(allowance, "KEPT", 10)
    time = Time()
    one = Allowance(1, time)
    for number in range(10):
        one.take(bytes([number]))
    time.now += 3600
    one.take(b"x")
    assert list(one._whole_at) == [b"x"]
    one.give_back(bytes([3]))  # of one that is forgotten
    assert one.wait(bytes([3])) == 0


def test_a_clock_that_goes_back_makes_nobody_wait_for_ever() -> None:
    time = Time()
    one = Allowance(2, time)
    one.take(b"x")
    time.now -= 500
    assert one.wait(b"x") <= 3600 / 2 + 500
