"""How often somebody may try: counted by address, for failed authentications by address and claimed client too."""

import pytest

from grantway.oauth_error import RefusedError
from grantway.web.counts import Counts
from grantway.web.rate_limits import Figures, Limited, RateLimits

FIGURES = Figures(token_requests=3, sign_ins=2, registrations=1, failed_authentications=2, changes=2)
HERE, THERE = "192.0.2.1", "192.0.2.2"


def passes(limits: RateLimits, what: Limited, address: str = HERE, claimed: str = "") -> bool:
    try:
        limits.count(what, address, claimed)
    except RefusedError as refusal:
        error = refusal.error
    else:
        return True
    assert (error.status, error.code) == (429, "rate_limited")
    assert error.retry_after is not None
    assert 1 <= error.retry_after <= (3600 if what is Limited.REGISTRATION else 60)
    return False


@pytest.mark.parametrize(
    ("what", "figure"),
    [(Limited.TOKEN_REQUEST, 3), (Limited.SIGN_IN, 2), (Limited.REGISTRATION, 1), (Limited.FAILED_AUTHENTICATION, 2)],
)
def test_one_too_many(what: Limited, figure: int) -> None:
    limits = RateLimits(FIGURES)
    assert [passes(limits, what) for _ in range(figure + 2)] == [True] * figure + [False] * 2
    assert passes(limits, what, THERE)
    assert all(passes(limits, other) for other in Limited if other is not what)


def test_a_clock_that_is_set_back_keeps_nobody_waiting() -> None:
    """A window that was begun while the clock was a day ahead is over when it is right again; one that runs goes on."""
    times = [1e9 + 86_400.0]
    limits = RateLimits(FIGURES, Counts(clock=lambda: times[-1]))
    assert [passes(limits, Limited.REGISTRATION) for _ in range(2)] == [True, False]
    times.append(1e9)
    assert [passes(limits, Limited.REGISTRATION) for _ in range(2)] == [True, False]
    times.append(1e9 + 3599)
    assert not passes(limits, Limited.REGISTRATION)


def test_failures_for_one_claimed_client_do_not_count_for_another() -> None:
    limits = RateLimits(FIGURES)
    assert [passes(limits, Limited.FAILED_AUTHENTICATION, HERE, "app") for _ in range(3)] == [True, True, False]
    assert passes(limits, Limited.FAILED_AUTHENTICATION, HERE, "other")
    assert passes(limits, Limited.FAILED_AUTHENTICATION, THERE, "app")


@pytest.mark.parametrize("claimed", ["", "x" * 60_000, "app/192.0.2.1", "写真", "\n"])
def test_any_claimed_name(claimed: str) -> None:
    limits = RateLimits(FIGURES)
    assert [passes(limits, Limited.FAILED_AUTHENTICATION, HERE, claimed) for _ in range(3)] == [True, True, False]


SAME = [
    ("2001:db8:1:2::1", "2001:db8:1:2:ffff::1", True),
    ("2001:db8:1:2::1", "2001:0DB8:0001:0002::5", True),
    ("2001:db8:1:2::1", "2001:db8:1:3::1", False),
    ("192.0.2.1", "192.0.2.2", False),
    ("::ffff:192.0.2.1", "::ffff:192.0.2.2", False),
    ("::ffff:192.0.2.1", "192.0.2.1", True),
    ("nonsense", "", True),
]


@pytest.mark.parametrize(("one", "other", "same"), SAME)
def test_which_addresses_are_one_customers(one: str, other: str, same: bool) -> None:
    limits = RateLimits(FIGURES)
    assert passes(limits, Limited.REGISTRATION, one)
    assert passes(limits, Limited.REGISTRATION, other) is not same


def changes(limits: RateLimits, account_id: str) -> bool:
    try:
        limits.count_change(account_id)
    except RefusedError as refusal:
        error = refusal.error
    else:
        return True
    assert 1 <= (error.retry_after or 0) <= 60
    return False


def test_changes_are_counted_by_account() -> None:
    limits = RateLimits(FIGURES)
    assert [changes(limits, "uma") for _ in range(4)] == [True, True, False, False]
    assert changes(limits, "dev")
    assert all(changes(RateLimits(None), "uma") for _ in range(500))


def test_off() -> None:
    limits = RateLimits(None)
    assert all(passes(limits, what) for what in Limited for _ in range(500))
