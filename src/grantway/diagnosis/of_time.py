"""What is wrong with the times in a JWT: its end, and the clock of whoever signed it."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import timedelta

from grantway.clients.authentication import LEEWAY, LONGEST, LONGEST_RFC7523, within_the_calendar
from grantway.diagnosis import shown
from grantway.diagnosis.attempt import Attempt, Known
from grantway.diagnosis.cause import Cause
from grantway.diagnosis.finding import Fault
from grantway.diagnosis.of_body import fault

_A_CLOCK = timedelta(hours=14)  # a clock set to local time is off by at most so much
_MILLISECONDS_FROM = 100_000_000_000  # as seconds: the year 5138


def faults(claims: Mapping[str, object], attempt: Attempt, known: Known, *, is_longer: bool) -> Iterator[Fault]:
    """What is wrong with `exp`, `iat` and `nbf`. `is_longer`: the JWT may live as long as a `client_assertion`."""
    yield from _expiry(claims, attempt, is_longer=is_longer)
    yield from _ahead(claims, attempt, known)


def _expiry(claims: Mapping[str, object], attempt: Attempt, *, is_longer: bool) -> Iterator[Fault]:
    now, exp = attempt.at.timestamp(), claims.get("exp")
    exp = within_the_calendar(exp) if isinstance(exp, int | float) and not isinstance(exp, bool) else exp
    longest = LONGEST_RFC7523 if is_longer else LONGEST
    if exp is None:
        yield fault(Cause.EXP_MISSING, "The claim exp is missing.")
    elif isinstance(exp, bool) or not isinstance(exp, int | float):
        yield fault(Cause.EXP_NOT_A_NUMBER, f"exp is a {'string' if isinstance(exp, str) else 'value that is no number'}.")
    elif exp >= _MILLISECONDS_FROM:
        yield fault(Cause.EXP_IN_MILLISECONDS, "exp is in milliseconds; it must be in seconds.")
    elif exp <= now:
        verdict = f"The JWT expired {shown.seconds(now - exp)} ago; server time is {attempt.at:%Y-%m-%dT%H:%M:%SZ}."
        yield fault(Cause.ASSERTION_EXPIRED, verdict, expired_seconds_ago=round(now - exp, 1))
    elif exp > now + (longest + LEEWAY).total_seconds() and not _is_of_the_clock(claims.get("iat"), exp, now, longest):
        yield _too_far(exp - now, longest, is_longer=is_longer, may_be_the_clock=claims.get("iat") is None)


def _too_far(ahead: float, longest: timedelta, *, is_longer: bool, may_be_the_clock: bool) -> Fault:
    """exp lies so many seconds ahead. Without iat the clock of whoever signed may be why, unless it is further than clocks are off."""
    verdict = f"exp lies {shown.seconds(ahead)} ahead; at most {longest.total_seconds():.0f} s are allowed."
    remedy = "Let the JWT end at most an hour ahead." if is_longer else Cause.EXP_TOO_FAR.remedy
    lead = ahead - longest.total_seconds()
    if may_be_the_clock and lead <= _A_CLOCK.total_seconds():
        verdict += (
            f" The JWT lives too long, or the clock that signs is {shown.seconds(lead)} or more ahead: without iat nothing tells which."
        )
        remedy += " If by your clock it does, set that clock (NTP); send iat, and it is told which of the two it is."
    return replace(fault(Cause.EXP_TOO_FAR, verdict, seconds_ahead=round(ahead, 1)), remedy=remedy)


def _is_of_the_clock(issued: object, exp: float, now: float, longest: timedelta) -> bool:
    """Whether exp is too far only because the clock of whoever signed runs ahead: counted from iat it is not."""
    if isinstance(issued, bool) or not isinstance(issued, int | float):
        return False
    issued = within_the_calendar(issued)
    return issued > now + LEEWAY.total_seconds() and issued <= exp <= issued + (longest + LEEWAY).total_seconds()


def _ahead(claims: Mapping[str, object], attempt: Attempt, known: Known) -> Iterator[Fault]:
    now = attempt.at.timestamp()
    for name in ("iat", "nbf"):
        value = claims.get(name)
        if value is None:
            continue
        if isinstance(value, bool) or not isinstance(value, int | float):
            yield fault(Cause.CLOCK_AHEAD, f"{name} is no number of Unix seconds.", claim=name)
        elif value > now + LEEWAY.total_seconds():
            lead = within_the_calendar(value) - now
            verdict = f"{name} lies {shown.seconds(lead)} in the future."
            if value >= _MILLISECONDS_FROM:
                verdict = f"{name} is in milliseconds; it must be in seconds."
            # one clock is one fault, in whichever claim it shows
            like = [skew for skew in known.skews if skew > 0]
            yield fault(Cause.CLOCK_AHEAD, verdict, claim=name, skew_seconds=round(lead, 1), also_ahead_before=len(like))
            return
