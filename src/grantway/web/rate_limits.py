"""How often somebody may try: per address, and failed authentications per address and claimed client (contract, section 1)."""

import hashlib
import math
import time
from dataclasses import dataclass
from enum import Enum, auto
from ipaddress import IPv6Address, ip_address

from limits import RateLimitItem, RateLimitItemPerHour, RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import FixedWindowRateLimiter

from grantway.oauth_error import RATE_LIMITED, RefusedError


class Limited(Enum):
    """What is counted."""

    TOKEN_REQUEST = auto()
    SIGN_IN = auto()
    REGISTRATION = auto()
    FAILED_AUTHENTICATION = auto()


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """How many of each: token requests and sign-ins a minute, registrations an hour, failed authentications a minute."""

    token_requests: int
    sign_ins: int
    registrations: int
    failed_authentications: int


class RateLimits:
    """Counts in this process's memory. Without figures nothing is limited."""

    def __init__(self, figures: Figures | None) -> None:
        self._limiter = FixedWindowRateLimiter(MemoryStorage())
        self._items: dict[Limited, RateLimitItem] = {}
        if figures is not None:
            self._items = {
                Limited.TOKEN_REQUEST: RateLimitItemPerMinute(figures.token_requests),
                Limited.SIGN_IN: RateLimitItemPerMinute(figures.sign_ins),
                Limited.REGISTRATION: RateLimitItemPerHour(figures.registrations),
                Limited.FAILED_AUTHENTICATION: RateLimitItemPerMinute(figures.failed_authentications),
            }

    def count(self, what: Limited, address: str, claimed: str = "") -> None:
        """Count one more; RefusedError (`rate_limited`, with the seconds to wait) when it is one too many."""
        item = self._items.get(what)
        if item is None:
            return
        # a claimed name is as long as its sender likes: what is kept of it is not
        key = (what.name, network(address), hashlib.sha256(claimed.encode()).hexdigest()[:16])
        if not self._limiter.hit(item, *key):
            reset = self._limiter.get_window_stats(item, *key).reset_time
            raise RefusedError(RATE_LIMITED.after(math.ceil(reset - time.time())))


def network(address: str) -> str:
    """The address to count by: an IPv6 customer has a whole /64."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return "unknown"
    if isinstance(parsed, IPv6Address):
        return str(parsed.ipv4_mapped or parsed.exploded[:19])
    return str(parsed)
