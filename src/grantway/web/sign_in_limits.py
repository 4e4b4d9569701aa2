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

Lane = tuple[Allowance, bytes]


@dataclass(frozen=True, slots=True)
class SignInFigures:
    """Failed sign-ins to one account an hour: from one address or one known browser, and from everywhere together."""

    from_one_place: int
    together: int


class SignInLimits:
    """Counts in this process's memory. Without figures nothing is limited."""

    def __init__(self, figures: SignInFigures | None, clock: Callable[[], float] = time.monotonic) -> None:
        self._by_place = self._by_browser = self._by_account = None
        if figures is not None:
            self._by_place = Allowance(figures.from_one_place, clock)
            self._by_browser = Allowance(figures.from_one_place, clock)
            self._by_account = Allowance(figures.together, clock)

    def begin(self, kind: Kind, email: str, address: str, browser: str | None) -> Sequence[Lane]:
        """Count a try before its outcome is known, so that many at once are counted too; RefusedError (`rate_limited`) for one too many.

        `browser` is the id of a browser that signed in to this account before, None for any other. What is returned is for `give_back`.
        """
        lanes = self._lanes(kind, normal_email(email) or email, address, browser)
        seconds = math.ceil(max((allowance.wait(key) for allowance, key in lanes), default=0))
        if seconds:
            raise RefusedError(RATE_LIMITED.saying(f"Too many failed sign-ins. Try again in {_in_words(seconds)}.").after(seconds))
        for allowance, key in lanes:
            allowance.take(key)
        return lanes

    def _lanes(self, kind: Kind, email: str, address: str, browser: str | None) -> list[Lane]:
        if self._by_place is None or self._by_browser is None or self._by_account is None:
            return []
        if browser is not None:
            return [(self._by_browser, _key(kind, email, browser))]
        return [(self._by_place, _key(kind, email, network(address))), (self._by_account, _key(kind, email))]


def give_back(lanes: Sequence[Lane]) -> None:
    """The try did not fail for a wrong password: it does not count."""
    for allowance, key in lanes:
        allowance.give_back(key)


def _key(kind: Kind, *parts: str) -> bytes:
    """What was typed is as long as its sender likes, and nobody's business: a digest is kept."""
    return hashlib.sha256("\0".join((kind, *parts)).encode("utf-8", "surrogatepass")).digest()[:16]


def _in_words(seconds: int) -> str:
    return f"{seconds} seconds" if seconds < 90 else f"{math.ceil(seconds / 60)} minutes"
