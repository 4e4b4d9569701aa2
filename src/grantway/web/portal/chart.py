"""How often an app was answered, as bars: pure geometry, which the template draws as SVG and repeats as a table."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from grantway.diagnosis.cause import Cause
from grantway.diagnosis.finding import Usage

WIDTH, HEIGHT = 480, 150
HOURS, DAYS = 24, 14
_LEFT, _TOP, _BOTTOM = 44, 10, 122
"""Where the bars begin, where the highest ends, and what they stand on."""
_NAMED = 3
_GRANTED, _OTHERS = "granted", "other causes"
_LEAST = 1.5
"""What is there is to be seen, be it one among thousands."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One piece of a bar: which series, how many, and where it is drawn."""

    series: int
    count: int
    y: float
    height: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """One hour or day: its label, its place, and for each series how many."""

    label: str
    x: float
    width: float
    counts: tuple[int, ...]
    parts: tuple[Part, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """Bars side by side. `series` are the names of what is counted: granted, the most frequent causes, the others."""

    title: str
    series: tuple[str, ...]
    bars: tuple[Bar, ...]
    top: int
    answers: int
    refused: int

    @property
    def scale(self) -> str:
        """The highest value of the scale, short enough to stand beside it: 500, 2k, 10M."""
        for letter, unit in (("G", 10**9), ("M", 10**6), ("k", 1000)):
            if self.top >= unit:
                return f"{self.top // unit}{letter}"
        return str(self.top)


def since(now: datetime) -> datetime:
    """From when on usage is shown: the beginning of the first day."""
    return _day(now) - timedelta(days=DAYS - 1)


def charts(usage: Sequence[Usage], now: datetime) -> tuple[Chart, Chart]:
    """The last 24 hours by the hour, and the last 14 days (UTC) by the day."""
    names = _named(usage)
    hour = now.replace(minute=0, second=0, microsecond=0)
    hours = [hour - timedelta(hours=ago) for ago in reversed(range(HOURS))]
    days = [_day(now) - timedelta(days=ago) for ago in reversed(range(DAYS))]
    return (
        _chart(f"The last {HOURS} hours", [(f"{one:%H}:00", one) for one in hours], timedelta(hours=1), usage, names),
        _chart(f"The last {DAYS} days", [(f"{one:%-d %b}", one) for one in days], timedelta(days=1), usage, names),
    )


def by_cause(usage: Sequence[Usage], now: datetime) -> list[tuple[Cause, int, int]]:
    """Each cause with how often in the last 24 hours and in the last 14 days, the most frequent first."""
    day, all_days = Counter[Cause](), Counter[Cause]()
    for one in usage:
        if one.cause:
            all_days[one.cause] += one.answers
            day[one.cause] += one.answers if one.hour > now - timedelta(hours=HOURS) else 0
    return [(cause, day[cause], answers) for cause, answers in all_days.most_common()]


def _named(usage: Sequence[Usage]) -> tuple[str, ...]:
    counted = Counter[str]()
    for one in usage:
        if one.cause:
            counted[one.cause.value] += one.answers
    named = tuple(cause for cause, _ in counted.most_common(_NAMED))
    return (_GRANTED, *named, *([_OTHERS] if len(counted) > _NAMED else []))


def _chart(title: str, slots: Sequence[tuple[str, datetime]], span: timedelta, usage: Sequence[Usage], names: tuple[str, ...]) -> Chart:
    counted = _counted([start for _, start in slots], span, usage, names)
    top = _round_up(max(map(sum, counted)))
    step = (WIDTH - _LEFT) / len(slots)
    bars = tuple(
        Bar(
            label=label,
            x=round(_LEFT + at * step + step * 0.12, 1),
            width=round(step * 0.76, 1),
            counts=counts,
            parts=tuple(_parts(counts, top)),
        )
        for at, ((label, _), counts) in enumerate(zip(slots, counted, strict=True))
    )
    answers = sum(map(sum, counted))
    granted = sum(counts[0] for counts in counted)
    return Chart(title=title, series=names, bars=bars, top=top, answers=answers, refused=answers - granted)


def _counted(starts: Sequence[datetime], span: timedelta, usage: Sequence[Usage], names: tuple[str, ...]) -> list[tuple[int, ...]]:
    """For each slot how many of each series, in one pass."""
    slots = [Counter[str]() for _ in starts]
    for one in usage:
        at = (one.hour - starts[0]) // span
        if 0 <= at < len(slots):
            name = one.cause.value if one.cause else _GRANTED
            slots[at][name if name in names else _OTHERS] += one.answers
    return [tuple(slot[name] for name in names) for slot in slots]


def _parts(counts: tuple[int, ...], top: int) -> Iterator[Part]:
    y = float(_BOTTOM)
    for series, count in enumerate(counts):
        if count:
            height = max(_LEAST, count / top * (_BOTTOM - _TOP))
            y -= height
            yield Part(series=series, count=count, y=round(y, 1), height=round(height, 1))


def _round_up(most: int) -> int:
    """The next of 1, 2, 5, 10, 20, 50 …"""
    step = 1
    while True:
        for factor in (1, 2, 5):
            if factor * step >= most:
                return factor * step
        step *= 10


def _day(moment: datetime) -> datetime:
    return moment.replace(hour=0, minute=0, second=0, microsecond=0)
