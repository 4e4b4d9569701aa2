"""A piece of work on the database, written once for every engine: a generator that yields statements and gets their rows.

    def end_session(digest: bytes) -> Work[None]:
        yield Statement("DELETE FROM sessions WHERE digest = ?", (digest,))

An engine drives it inside a transaction: SQLite in its writer thread, a network engine on the event loop.
"""

import functools
from collections.abc import Callable, Generator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple, TypeVar

import msgspec

T = TypeVar("T")

MOST_REMEMBERED = 4_000
"""Characters. What is longer is read anew each time: of what anybody may write, thousands are remembered."""
USUAL_CHAIN = 8
"""Tails of a key that are asked about in a statement that many share: there is one for each number of tails."""

Row = Sequence[Any]
Rows = list[Row]
Value = str | bytes | int | None


class Statement(NamedTuple):
    """One SQL statement with `?` for each of its values."""

    sql: str
    values: Sequence[Value] = ()


Work = Generator[Statement, Rows, T]
MakeWork = Callable[[], Work[T]]


class Change(NamedTuple):
    """A change that many make at the same time, each in one statement that returns a row where it took place.

    Only then is `noted` written too. `together` does both, for many at once, on an engine far away: in its text `$1`, `$2` … are arrays
    of what stands here as its values; a row that it returns begins with the number of what it answers, from 1. It must be right whatever
    others commit meanwhile.
    """

    made: Statement
    noted: Statement
    together: Statement

    def work(self) -> Work[Rows]:
        """The change as a piece of work."""
        rows = yield self.made
        if rows:
            yield self.noted
        return rows


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_ESCAPE = "\x1a"  # a control character that nobody sends
_LIST = msgspec.json.Decoder(tuple[str, ...])


def to_micros(moment: datetime) -> int:
    """A time as it is stored: microseconds since 1970 UTC."""
    # whole numbers, not `timestamp()`: a float's rounding would move ends by a microsecond
    return (moment - _EPOCH) // _MICROSECOND


def from_micros(micros: int) -> datetime:
    """A stored time."""
    return _EPOCH + timedelta(microseconds=micros)


def maybe_from_micros(micros: int | None) -> datetime | None:
    """A stored time that may be absent."""
    return None if micros is None else from_micros(micros)


def to_list(items: Sequence[str]) -> str:
    """A list of strings as it is stored: a JSON array."""
    return msgspec.json.encode(items).decode()


def to_free_text(text: str | None) -> str | None:
    """Text that must come back as it came, NUL and all, which PostgreSQL cannot store: written with an escape of our own."""
    # the escape itself first, and last on the way back
    return None if text is None else text.replace(_ESCAPE, _ESCAPE + "1").replace("\0", _ESCAPE + "0")


def from_free_text(stored: str | None) -> str | None:
    """What `to_free_text` made of it, undone."""
    return None if stored is None else stored.replace(_ESCAPE + "0", "\0").replace(_ESCAPE + "1", _ESCAPE)


def from_list(text: str) -> tuple[str, ...]:
    """A stored list of strings."""
    return _usual_list(text) if len(text) <= MOST_REMEMBERED else _LIST.decode(text)


@functools.lru_cache(4096)
def _usual_list(text: str) -> tuple[str, ...]:
    return _LIST.decode(text)


def audit(
    event: str, now: datetime, *, account_id: str | None = None, client_row_id: str | None = None, subject: str | None = None
) -> Statement:
    """One line of the audit: what happened to whom. `subject` is an id, never a secret."""
    sql = "INSERT INTO audit (happened_at, event, account_id, client_row_id, subject) VALUES (?, ?, ?, ?, ?)"
    return Statement(sql, (to_micros(now), event, account_id, client_row_id, subject))
