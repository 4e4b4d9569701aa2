"""Moments of one list are told to the minute, and more finely only where two would read alike."""

from datetime import UTC, datetime

import pytest

from grantway.web.moments import told_apart

ROWS: dict[str, tuple[list[tuple[str, str]], list[str]]] = {
    "none": ([], []),
    "one": ([("17:24:05", "ab" * 16)], ["17:24 UTC"]),
    "two minutes": ([("17:24:05", "ab" * 16), ("17:25:05", "cd" * 16)], ["17:24 UTC", "17:25 UTC"]),
    "one minute": ([("17:24:05", "ab" * 16), ("17:24:59", "cd" * 16)], ["17:24:05 UTC", "17:24:59 UTC"]),
    "one second": ([("17:24:05", "ab" * 16), ("17:24:05", "cd" * 16)], ["17:24:05 UTC (…ababab)", "17:24:05 UTC (…cdcdcd)"]),
    "all of these": (
        [("17:24:05", "1" * 32), ("17:24:05", "2" * 32), ("17:24:06", "3" * 32), ("17:30:06", "4" * 32)],
        ["17:24:05 UTC (…111111)", "17:24:05 UTC (…222222)", "17:24:06 UTC", "17:30 UTC"],
    ),
}


@pytest.mark.parametrize(("moments", "told"), ROWS.values(), ids=ROWS)
def test_no_two_read_alike(moments: list[tuple[str, str]], told: list[str]) -> None:
    day = [(datetime.fromisoformat(f"2026-11-06T{time}").replace(tzinfo=UTC), own) for time, own in moments]
    assert told_apart(day) == [f"6 November 2026, {one}" for one in told]
