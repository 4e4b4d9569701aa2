"""How many sign-ins to one account may fail, and where: whoever guesses is slowed down, and cannot lock the owner out.

A browser that signed in to the account before is counted by itself. All others are counted by account and address, and by account
alone. What is used up comes back one by one. Accounts that do not exist are counted as those that do.
"""

import hashlib
import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from grantway.accounts.account import Kind, normal_email
from grantway.oauth_error import RATE_LIMITED, RefusedError
from grantway.web.allowance import Allowance
from grantway.web.rate_limits import network
from grantway.web.shared_limits import Lane, SharedLimits


@dataclass(frozen=True, slots=True)
class SignInFigures:
    """Failed sign-ins to one account an hour: from one address or one known browser, and from everywhere together."""

    from_one_place: int
    together: int


@dataclass(frozen=True, slots=True)
class Try:
    """A try that was counted: where, and whether by the shared store too."""

    here: Sequence[tuple[Allowance, bytes]]
    shared: Sequence[Lane] = ()


class SignInLimits:
    """Counts in this process's memory, and, where there is `shared`, for all processes together. Without figures nothing is limited.

    The store is asked before the password is checked, which takes much longer. While it is away this process counts by itself.
    """

    def __init__(
        self, figures: SignInFigures | None, shared: SharedLimits | None = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._by_place = self._by_browser = self._by_account = None
        self._shared = shared
        if figures is not None:
            self._by_place = Allowance(figures.from_one_place, clock)
            self._by_browser = Allowance(figures.from_one_place, clock)
            self._by_account = Allowance(figures.together, clock)

    async def begin(self, kind: Kind, email: str, address: str, browser: str | None) -> Try:
        """Count a try before its outcome is known, so that many at once are counted too; RefusedError (`rate_limited`) for one too many.

        `browser` is the id of a browser that signed in to this account before, None for any other. What is returned is for `give_back`.
        """
        here = self._lanes(kind, normal_email(email) or email, address, browser)
        _refuse_for(max((allowance.wait(key) for allowance, key in here), default=0.0))
        # before the store is asked: while we wait for it others would see the same room
        for allowance, key in here:
            allowance.take(key)
        if self._shared is None:
            return Try(here)
        lanes = [allowance.lane(self._shared.key(key)) for allowance, key in here]
        micros = await self._shared.take(lanes)
        # refused there, so it is no try here either
        if micros:
            _give_back_here(here)
            _refuse_for(micros / 1_000_000)
        return Try(here, lanes if micros == 0 else ())  # None: the store is away; there is nobody to give it back to

    async def give_back(self, counted: Try) -> None:
        """The try did not fail for a wrong password: it does not count."""
        _give_back_here(counted.here)
        if self._shared is not None and counted.shared:
            await self._shared.give_back(counted.shared)

    def _lanes(self, kind: Kind, email: str, address: str, browser: str | None) -> list[tuple[Allowance, bytes]]:
        if self._by_place is None or self._by_browser is None or self._by_account is None:
            return []
        if browser is not None:
            return [(self._by_browser, _key("browser", kind, email, browser))]
        return [(self._by_place, _key("place", kind, email, network(address))), (self._by_account, _key("account", kind, email))]


def _give_back_here(lanes: Sequence[tuple[Allowance, bytes]]) -> None:
    for allowance, key in lanes:
        allowance.give_back(key)


def _refuse_for(wait: float) -> None:
    if wait > 0:
        seconds = math.ceil(wait)
        raise RefusedError(RATE_LIMITED.saying(f"Too many failed sign-ins. Try again in {_in_words(seconds)}.").after(seconds))


def _key(*parts: str) -> bytes:
    """What was typed is as long as its sender likes, and nobody's business: a digest is kept."""
    return hashlib.sha256("\0".join(parts).encode("utf-8", "surrogatepass")).digest()[:16]


def _in_words(seconds: int) -> str:
    return f"{seconds} seconds" if seconds < 90 else f"{math.ceil(seconds / 60)} minutes"
