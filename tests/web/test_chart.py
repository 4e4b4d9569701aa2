"""The bars of an app's usage: every answer is in one bar, the bars stay in their frame, and the hours and days are UTC's."""

from datetime import UTC, datetime, timedelta

import pytest

from grantway.diagnosis.cause import Cause
from grantway.diagnosis.finding import Usage
from grantway.web.portal import chart
from grantway.web.portal.chart import HEIGHT, WIDTH, Chart

NOW = datetime(2026, 3, 1, 0, 30, tzinfo=UTC)


def used(ago: timedelta, answers: int, cause: Cause | None = None) -> Usage:
    return Usage(hour=(NOW - ago).replace(minute=0), cause=cause, answers=answers)


def counts(one: Chart) -> dict[str, tuple[int, ...]]:
    return {bar.label: bar.counts for bar in one.bars if sum(bar.counts)}


def test_hours_and_days() -> None:
    usage = [
        used(timedelta(0), 1),
        used(timedelta(hours=1), 2, Cause.ALG_NONE),
        used(timedelta(hours=23), 4),
        used(timedelta(hours=24), 8),
        used(timedelta(days=13), 16),
    ]
    hours, days = chart.charts(usage, NOW)
    assert counts(hours) == {"00:00": (1, 0), "23:00": (0, 2), "01:00": (4, 0)}
    assert counts(days) == {"1 Mar": (1, 0), "28 Feb": (12, 2), "16 Feb": (16, 0)}
    assert [bar.label for bar in hours.bars][::23] == ["01:00", "00:00"]
    assert (len(hours.bars), len(days.bars)) == (24, 14)
    assert (hours.answers, hours.refused, days.answers, days.refused) == (7, 2, 31, 2)
    assert chart.since(NOW) == datetime(2026, 2, 16, tzinfo=UTC)


def test_the_most_frequent_causes_have_a_series_each() -> None:
    causes = [Cause.ALG_NONE, Cause.UNKNOWN_KEY, Cause.EXP_MISSING, Cause.CODE_EXPIRED, Cause.FIELD_MISSING]
    usage = [used(timedelta(0), 10 - number, cause) for number, cause in enumerate(causes)]
    hours, days = chart.charts(usage, NOW)
    assert hours.series == days.series == ("granted", "alg_none", "unknown_key", "exp_missing", "other causes")
    assert counts(hours) == {"00:00": (0, 10, 9, 8, 7 + 6)}


def test_causes_with_their_counts() -> None:
    usage = [
        used(timedelta(days=2), 5, Cause.ALG_NONE),
        used(timedelta(hours=23), 1, Cause.ALG_NONE),
        used(timedelta(0), 7, Cause.UNKNOWN_KEY),
    ]
    assert chart.by_cause(usage, NOW) == [(Cause.UNKNOWN_KEY, 7, 7), (Cause.ALG_NONE, 1, 6)]


SCALES = [
    (0, 1, "1"),
    (1, 1, "1"),
    (2, 2, "2"),
    (3, 5, "5"),
    (10, 10, "10"),
    (11, 20, "20"),
    (501, 1000, "1k"),
    (10**6, 10**6, "1M"),
    (10**9 + 1, 2 * 10**9, "2G"),
]


@pytest.mark.parametrize(("most", "top", "scale"), SCALES)
def test_the_scale_is_round(most: int, top: int, scale: str) -> None:
    hours, _ = chart.charts([used(timedelta(0), most)], NOW)
    assert (hours.top, hours.scale) == (top, scale)


@pytest.mark.parametrize("answers", [(1,), (1, 1_000_000), (999, 999, 999, 999, 1), (0,)])
def test_every_bar_stands_in_its_frame(answers: tuple[int, ...]) -> None:
    causes = [None, Cause.ALG_NONE, Cause.UNKNOWN_KEY, Cause.EXP_MISSING, Cause.CODE_EXPIRED]
    for one in chart.charts([used(timedelta(0), count, cause) for count, cause in zip(answers, causes, strict=False)], NOW):
        for bar in one.bars:
            assert 0 <= bar.x <= bar.x + bar.width <= WIDTH
            for part in bar.parts:
                assert part.height > 0
                assert 0 <= part.y <= part.y + part.height <= HEIGHT
                assert part.count == bar.counts[part.series]


def test_nothing_at_all() -> None:
    hours, days = chart.charts([], NOW)
    assert (hours.answers, days.answers, hours.series) == (0, 0, ("granted",))
