"""Moments of one list as people tell them apart: to the minute, and more finely only where two would read alike."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime

_MINUTE = "%-d %B %Y, %H:%M UTC"
_SECOND = "%-d %B %Y, %H:%M:%S UTC"
_END = 6
"""Of what is a thing's own, so many characters are told: two of the same second rarely end alike."""


def told_apart(moments: Sequence[tuple[datetime, str]]) -> list[str]:
    """Each moment in words; beside it stands what is the thing's own, and public. Of several in one minute seconds are told too, of several
    in one second also the end of what is their own."""
    minutes = Counter(moment.strftime(_MINUTE) for moment, _ in moments)
    seconds = Counter(moment.strftime(_SECOND) for moment, _ in moments)
    return [_called(moment, own, minutes, seconds) for moment, own in moments]


def _called(moment: datetime, own: str, minutes: Counter[str], seconds: Counter[str]) -> str:
    minute, second = moment.strftime(_MINUTE), moment.strftime(_SECOND)
    if minutes[minute] == 1:
        return minute
    return second if seconds[second] == 1 else f"{second} (…{own[-_END:]})"
