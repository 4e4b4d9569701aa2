"""Moments and spans as caveats hold them: whole seconds and nanoseconds, exact beyond what datetime can hold."""

import functools
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Self

from grantway.access_grant.wire import VARINT, fields, integer_field, signed

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LATEST = datetime.max.replace(tzinfo=UTC)
_EARLIEST = datetime.min.replace(tzinfo=UTC)
_KNOWN = {1: VARINT, 2: VARINT}  # seconds, nanoseconds


@dataclass(frozen=True, slots=True)
class _SecondsAndNanos:
    """`seconds` as int64 and `nanos` as int32; format page, section 4."""

    seconds: int
    nanos: int = 0

    @property
    def total_nanos(self) -> int:
        """The one number to compare by, also where `nanos` is outside 0 to 999 999 999."""
        return self.seconds * 1_000_000_000 + self.nanos

    @classmethod
    def parse(cls, data: bytes) -> Self:
        """Read a Timestamp or Duration message. Raises Malformed."""
        seconds = nanos = 0
        for number, value, _ in fields(data, _KNOWN):
            if number == 1:
                seconds = signed(value, 64)
            else:
                nanos = signed(value, 32)
        return cls(seconds, nanos)

    def serialise(self) -> bytes:
        """Write the message, without tag and length."""
        return _written(self.seconds, self.nanos)


class Timestamp(_SecondsAndNanos):
    """A moment, counted from 1970 UTC."""

    __slots__ = ()

    @classmethod
    def of(cls, moment: datetime) -> Self:
        """Convert an aware datetime, microseconds kept. A naive one raises TypeError."""
        # in whole numbers: `total_seconds` is a float, which loses microseconds beyond 270 years
        since = moment - _EPOCH
        return cls(since.days * 86_400 + since.seconds, since.microseconds * 1000)

    def datetime(self) -> datetime:
        """Return the moment in UTC, down to the microsecond; beyond the years 1 to 9999, the nearest one there is."""
        try:
            return _EPOCH + timedelta(microseconds=self.total_nanos // 1000)
        except OverflowError:
            return _LATEST if self.seconds > 0 else _EARLIEST


class Duration(_SecondsAndNanos):
    """A span of time."""

    __slots__ = ()

    @classmethod
    def of(cls, span: timedelta) -> Self:
        """Convert a timedelta exactly."""
        return cls(span.days * 86_400 + span.seconds, span.microseconds * 1000)

    def timedelta(self) -> timedelta:
        """Return the span, down to the microsecond, or the longest there is."""
        try:
            return timedelta(microseconds=self.total_nanos // 1000)
        except OverflowError:
            return timedelta.max if self.seconds > 0 else timedelta.min


# what is issued within a second begins at the same moment, and often ends at one
@functools.lru_cache(1024)
def _written(seconds: int, nanos: int) -> bytes:
    return integer_field(1, seconds) + integer_field(2, nanos)
