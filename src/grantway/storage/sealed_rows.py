"""All that is sealed under the master key: where it stands, under which key, and how it comes under another one.

A code's opening is not among it: that is sealed under the code.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import partial

from grantway.accounts import project
from grantway.clients import secret
from grantway.sealing import HEADER_BYTES, NONCE_BYTES, SATELLITE_IDENTITY, SealBrokenError
from grantway.storage.database import Database
from grantway.storage.sealing_check import SEALED, Seals
from grantway.storage.statements import Row, Rows, Statement, Value, Work

BATCH = 200
COUNTED_AT_ONCE = 5000
PAUSE_SECONDS = 0.03
"""Between two batches, so that others who write have their turn."""

_Ask = Callable[..., Awaitable[Rows]]


@dataclass(frozen=True, slots=True)
class SealedColumn:
    """A column of sealed values: of which table, its primary key, what they are sealed as, and for whom by primary key."""

    table: str
    column: str
    key: tuple[str, ...]
    what: str
    whose: Callable[..., str]

    def name(self, row: Row) -> str:
        """What a row's value is called where people read of it."""
        return " ".join((self.what, self.whose(*row[:-1]))).strip()


COLUMNS = (
    SealedColumn("project_keys", "sealed_secret", ("project_id",), project.WHAT, str),
    SealedColumn("client_secrets", "sealed", ("client_row_id", "version"), secret.WHAT, secret.whose),
    SealedColumn("satellite_identity", "sealed_private_key", ("id",), SATELLITE_IDENTITY, lambda _id: ""),
)


@dataclass(frozen=True, slots=True)
class Sealed:
    """What there is: which key seals now, and how many values each key sealed; keys by header, 5 bytes."""

    sealing_now: bytes
    counts: dict[bytes, Counter[str]]
    """For each key, by what is sealed."""

    def other_than(self, header: bytes) -> int:
        """How many values are under other keys than that."""
        return sum(counted.total() for one, counted in self.counts.items() if one != header)


async def counted(database: Database, pause: float = PAUSE_SECONDS) -> Sealed:
    """Count what each key sealed.

    Each batch is a write: so what others were about to store when the key changed is waited for, or fails and is sealed anew.
    """
    counts: dict[bytes, Counter[str]] = {}
    for column in COLUMNS:
        read = f"substr({column.column}, 1, {HEADER_BYTES})"
        async for rows in _batches(database.one, column, read, COUNTED_AT_ONCE):
            for header, count in Counter(bytes(row[-1]) for row in rows).items():
                counts.setdefault(header, Counter())[column.what] += count
            await asyncio.sleep(pause)
    return Sealed(bytes((await database.read(SEALED.sql))[0][0])[:HEADER_BYTES], counts)


def values(database: Database, column: SealedColumn, other_than: bytes = b"") -> AsyncIterator[Rows]:
    """The values of a column that are not sealed under the key with that header, batch by batch, each behind its primary key."""
    return _batches(database.read, column, column.column, BATCH, f"substr({column.column}, 1, {HEADER_BYTES}) <> ?", other_than)


async def _batches(ask: _Ask, column: SealedColumn, read: str, size: int, where: str = "1 = 1", *given: Value) -> AsyncIterator[Rows]:
    order, marks = ", ".join(column.key), ", ".join("?" * len(column.key))
    last: Sequence[Value] = ()
    while True:
        # from the last key on, not by OFFSET: rows that come or go in between move nothing, and nothing is read twice
        after = f"AND ({order}) > ({marks})" if last else ""
        rows = await ask(f"SELECT {order}, {read} FROM {column.table} WHERE {where} {after} ORDER BY {order} LIMIT {size}", *given, *last)
        if not rows:
            return
        yield rows
        last = rows[-1][:-1]


async def reseal(database: Database, seals: Seals, progress: Callable[[int], None], pause: float = PAUSE_SECONDS) -> list[str]:
    """Seal everything under the first of our keys; returns the names of what does not open, and so stays as it is.

    `progress` hears how many values each batch brought under it. May be broken off at any time, and run again. UnavailableError when
    the database is away.
    """
    header = seals.sealing.headers()[0]
    broken: list[str] = []  # one that does not open must not stop the others
    for column in COLUMNS:
        async for rows in values(database, column, header):
            resealed = [(row, _resealed(seals, header, column, row)) for row in rows]
            broken += [column.name(row) for row, value in resealed if value is None]
            progress(await database.write(partial(_replace, column, resealed)))
            await asyncio.sleep(pause)
    return broken


def _resealed(seals: Seals, header: bytes, column: SealedColumn, row: Row) -> bytes | None:
    """The value under the key with that header; None for one that does not open."""
    try:
        return seals.sealing.resealed(bytes(row[-1]), header, column.what, column.whose(*row[:-1]), seals.random(NONCE_BYTES))
    except SealBrokenError:
        return None


def _replace(column: SealedColumn, resealed: Sequence[tuple[Row, bytes | None]]) -> Work[int]:
    """Put each new value in the place of the one that was read; a row that changed meanwhile is under the new key already, or gone."""
    named = " AND ".join(f"{name} = ?" for name in (*column.key, column.column))
    sql = f"UPDATE {column.table} SET {column.column} = ? WHERE {named} RETURNING 1"
    count = 0
    for row, value in resealed:
        if value is not None:
            count += len((yield Statement(sql, (value, *row))))
    return count
