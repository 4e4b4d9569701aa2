"""What processes let through: token requests and failed sign-ins, by a clock that the test sets."""

import asyncio
from collections.abc import Coroutine
from typing import Any

from grantway.accounts.account import Kind
from grantway.oauth_error import RefusedError
from grantway.web.rate_limits import Figures, Limited, RateLimits
from grantway.web.sign_in_limits import SignInLimits

FIGURES = Figures(token_requests=10, sign_ins=2, registrations=1, changes=2, failed_authentications=2)
HERE = "192.0.2.1"
UMA = "uma@example.org"


class Time:
    """A clock that stands until the test moves it, in seconds."""

    def __init__(self) -> None:
        self.now = 4_000_000_020.0  # a cache forgets at once what ended in its own past

    def __call__(self) -> float:
        return self.now


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


async def fails(limits: SignInLimits, address: str = HERE) -> int:
    """One failed sign-in; 0, or the seconds to wait."""
    try:
        await limits.begin(Kind.USER, UMA, address, None)
    except RefusedError as refusal:
        return refusal.error.retry_after or 0
    return 0
