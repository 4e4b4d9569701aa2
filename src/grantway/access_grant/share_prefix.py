"""A place in plain: what a person shares, and what an access grant opens (format page, section 9)."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class SharePrefix:
    """A place to share, in plain: a bucket, and a prefix under it. One trailing slash does not matter; empty means all of it."""

    bucket: bytes
    prefix: bytes = b""
