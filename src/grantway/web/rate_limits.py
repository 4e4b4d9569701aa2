"""How often somebody may try: per address, failed authentications per address and claimed client, changes per account."""

import functools
import hashlib
import math
from dataclasses import dataclass
from enum import StrEnum, auto
from ipaddress import IPv6Address, ip_address

from grantway.oauth_error import RATE_LIMITED, RefusedError
from grantway.web.counts import Counts

_MINUTE, _HOUR = 60, 3600


class Limited(StrEnum):
    """What is counted."""

    TOKEN_REQUEST = auto()
    SIGN_IN = auto()
    REGISTRATION = auto()
    FAILED_AUTHENTICATION = auto()
    CHANGE = auto()
    """Of somebody signed in, counted by account. What ends or takes away is none: nobody has to wait with that."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """How many of each: token requests and sign-ins a minute, registrations an hour, failed authentications and changes a minute."""

    token_requests: int
    sign_ins: int
    registrations: int
    failed_authentications: int
    changes: int


class RateLimits:
    """The limits by address and by account. Without figures nothing is limited."""

    def __init__(self, figures: Figures | None, counts: Counts | None = None) -> None:
        self._counts = counts or Counts()
        self._most: dict[Limited, tuple[int, int]] = {}
        if figures is not None:
            self._most = {
                Limited.TOKEN_REQUEST: (figures.token_requests, _MINUTE),
                Limited.SIGN_IN: (figures.sign_ins, _MINUTE),
                Limited.REGISTRATION: (figures.registrations, _HOUR),
                Limited.FAILED_AUTHENTICATION: (figures.failed_authentications, _MINUTE),
                Limited.CHANGE: (figures.changes, _MINUTE),
            }

    def count(self, what: Limited, address: str, claimed: str = "") -> None:
        """Count one more; RefusedError (`rate_limited`, with the seconds to wait) when it is one too many."""
        if what in self._most:
            # a claimed name is as long as its sender likes: what is kept of it is not
            digest = hashlib.sha256(claimed.encode()).hexdigest()[:16] if claimed else ""
            self._count(what, network(address), digest)

    def count_change(self, account_id: str) -> None:
        """Count one more change by this account, from wherever; RefusedError as above."""
        if Limited.CHANGE in self._most:
            self._count(Limited.CHANGE, account_id)

    def _count(self, what: Limited, *whose: str) -> None:
        wait = self._counts.count((what.name, *whose), *self._most[what])
        if wait:
            raise RefusedError(RATE_LIMITED.after(math.ceil(wait)))


@functools.lru_cache(1024)
def network(address: str) -> str:
    """The address to count by: an IPv6 customer has a whole /64."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return "unknown"
    if isinstance(parsed, IPv6Address):
        return str(parsed.ipv4_mapped or parsed.exploded[:19])  # four groups, which are 64 bits
    return str(parsed)
