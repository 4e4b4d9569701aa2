"""The ids of what we store: UUIDs of version 7 (RFC 9562 section 5.7), so that rows made together lie together on the disk."""

from datetime import datetime
from uuid import UUID

RANDOM_BYTES = 10
TRACE_RANDOM_BYTES = 12


def make(now: datetime, random: bytes) -> str:
    """An id from the time (milliseconds since 1970) and 10 random bytes, of which 74 bits are used. ValueError for another number."""
    if len(random) != RANDOM_BYTES:
        raise ValueError(f"an id takes {RANDOM_BYTES} random bytes, not {len(random)}")
    number = int(now.timestamp() * 1000) << 80 | int.from_bytes(random)
    number = number & ~(0xF << 76) | 7 << 76  # the version
    return str(UUID(int=number & ~(0b11 << 62) | 0b10 << 62))  # and the variant


def trace_id(now: datetime, random: bytes) -> str:
    """The id of one answer: 32 hex digits, the second in eight of them and 12 random bytes. Findings made together lie together too."""
    return f"{int(now.timestamp()) & 0xFFFFFFFF:08x}{random.hex()}"
