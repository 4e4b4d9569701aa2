"""Our SQL, written with `?` for every engine, as PostgreSQL and what speaks like it read it."""

import functools
import itertools
import re
from collections.abc import Callable, Sequence

from grantway.storage.statements import Value

_MARK = re.compile(r"'[^']*'|\?")  # text in quotes is taken whole, so that no `?` in it is a mark
_NO_TEXT = re.compile("[\0\ud800-\udfff]")
_BLOB = re.compile(r"\bBLOB\b")


@functools.lru_cache(1024)
def numbered(sql: str) -> str:
    """`$1`, `$2` … for each `?`, and BYTEA for BLOB."""
    return _with_marks(sql, lambda number: f"${number}")


def gathered(sql: str, types: Sequence[str]) -> str:
    """A SELECT for many sets of values at once: an array of that type for each `?`. Each row begins with its set's number, from 1."""
    arrays = ", ".join(f"CAST(${at} AS {name}[])" for at, name in enumerate(types, 1))
    names = ", ".join(f"v{at}" for at in range(1, len(types) + 1))
    each = _with_marks(sql, lambda number: f"asked.v{number}")
    # LATERAL, not a join over all: each set is looked up by the indexes that one alone would take
    return f"SELECT asked.n, found.* FROM unnest({arrays}) WITH ORDINALITY AS asked({names}, n) CROSS JOIN LATERAL ({each}) AS found"


def storable(value: Value) -> Value:
    """The value as PostgreSQL takes it. Its text knows no NUL and no lone surrogate: U+FFFD stands for them.

    One value that cannot be sent would fail all that are sent with it.
    """
    if not isinstance(value, str) or (value.isascii() and "\0" not in value):
        return value
    return _NO_TEXT.sub("\ufffd", value)


def _with_marks(sql: str, mark: Callable[[int], str]) -> str:
    """With these marks in place of `?`, and PostgreSQL's name for bytes."""
    numbers = itertools.count(1)
    return _MARK.sub(lambda found: mark(next(numbers)) if found[0] == "?" else found[0], _BLOB.sub("BYTEA", sql))
