"""Ids of records: UUIDs of version 7, ordered by time."""

import re
import secrets
import uuid
from datetime import UTC, datetime, timedelta

import pytest

from grantway import record_id

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize("random", [bytes(10), b"\xff" * 10, bytes(range(10))])
def test_is_a_uuid_of_version_7(random: bytes) -> None:
    made = uuid.UUID(record_id.make(NOW, random))
    assert (made.version, made.variant) == (7, uuid.RFC_4122)
    assert made.int >> 80 == int(NOW.timestamp() * 1000)


def test_later_ids_come_later() -> None:
    first, second = record_id.make(NOW, b"\xff" * 10), record_id.make(NOW + timedelta(milliseconds=1), bytes(10))
    assert first < second


def test_needs_ten_random_bytes() -> None:
    with pytest.raises(ValueError, match="10 random bytes, not 9"):
        record_id.make(NOW, bytes(9))


def test_trace_ids_are_ordered_by_time_and_unlike_each_other() -> None:
    made = [record_id.trace_id(NOW + timedelta(seconds=second), secrets.token_bytes(12)) for second in range(300)]
    assert made == sorted(made)
    assert all(re.fullmatch(r"[0-9a-f]{32}", one) for one in made)
    assert len({record_id.trace_id(NOW, secrets.token_bytes(12)) for _ in range(300)}) == 300
    assert len(record_id.trace_id(datetime(2200, 1, 1, tzinfo=UTC), bytes(12))) == 32
