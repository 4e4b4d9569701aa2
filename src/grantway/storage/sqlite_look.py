"""What is in a SQLite file: whether it is a whole database of ours, which schema it has, and which master keys it takes."""

import contextlib
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from grantway.oauth_error import UnavailableError
from grantway.sealing import HEADER_BYTES, SealBrokenError, Sealing, key_name
from grantway.storage import migrate
from grantway.storage.sealed_rows import COLUMNS
from grantway.storage.sealing_check import SEALED, WHAT
from grantway.storage.statements import Rows

SECONDS = 5.0
"""How long somebody else's transaction is waited for."""
_SHOWN = 5


class UnfitFileError(Exception):
    """A file cannot be restored or moved; the message says why."""


@dataclass(frozen=True, slots=True)
class Copied:
    """A copy of a database: its schema's version, its size in bytes, and the ids of the master keys that it takes."""

    schema: int
    size: int
    master_keys: tuple[str, ...]


def sizes(path: Path) -> dict[str, int]:
    """The bytes of the database file and of its write-ahead log."""
    log = path.with_name(f"{path.name}-wal")
    return {"database": path.stat().st_size, "log": log.stat().st_size if log.exists() else 0}


def has_schema(path: Path) -> bool:
    """Whether the file has the tables of a schema of ours, of whatever version. UnavailableError: it cannot be read as a database."""
    return bool(asked(path, "SELECT name FROM sqlite_master WHERE type = 'table' AND name = 'schema_version'"))


def page_faults(path: Path) -> list[str]:
    """What is wrong with the file's pages and indexes, in SQLite's words; at most a few."""
    return [text for (text, *_) in asked(path, f"PRAGMA integrity_check({_SHOWN})") if text != "ok"]


def reference_faults(path: Path) -> list[str]:
    """The rows that refer to one which is not there: table and what it refers to; at most a few."""
    rows = asked(path, "PRAGMA foreign_key_check")[:_SHOWN]
    return [f"{table} row {row} refers to no row of {parent}" for table, row, parent, _ in rows]


def refuse_unfit(path: Path, sealing: Sealing) -> None:
    """UnfitFileError: it is no sound database of Grantway's that this program knows and this master key opens; the message says why."""
    refuse_unsound(path)
    _refuse_unknown(path, sealing)


def refuse_unsound(path: Path) -> None:
    """UnfitFileError: pages, indexes or references of the database are damaged."""
    faults = [*page_faults(path), *reference_faults(path)]
    if faults:
        raise UnfitFileError(f"the database is damaged: {'; '.join(faults)}")


def _refuse_unknown(path: Path, sealing: Sealing) -> None:
    known = migrate.all_migrations()[-1].version
    found = looked_at(path)
    if not 0 < found.schema <= known:
        raise UnfitFileError(f"it has schema {found.schema}; this program knows 1 to {known}")
    missing = sorted(set(found.master_keys) - set(map(key_name, sealing.headers())))
    if missing:
        names = " and ".join([*missing[:_SHOWN], *([f"{len(missing) - _SHOWN:,} more"] if len(missing) > _SHOWN else [])])
        raise UnfitFileError(f"it takes the master key {names}, which is not here; put it into the key's file, below the newest")
    try:
        sealing.unseal(bytes(asked(path, SEALED.sql)[0][0]), WHAT, "")
    except (SealBrokenError, IndexError):
        raise UnfitFileError("the master key does not open it") from None


def looked_at(path: Path) -> Copied:
    """What a copy of the file would be. UnfitFileError: it is no database of Grantway's."""
    try:
        ((version,),) = asked(path, "SELECT coalesce(max(version), 0) FROM schema_version")
    except UnavailableError:
        raise UnfitFileError("it is no database of Grantway's") from None
    headers = {bytes(row[0]) for row in asked(path, f"SELECT substr(sealed, 1, {HEADER_BYTES}) FROM sealing_check")}
    for one in COLUMNS:
        headers |= {bytes(row[0]) for row in asked(path, f"SELECT DISTINCT substr({one.column}, 1, {HEADER_BYTES}) FROM {one.table}")}
    return Copied(version, path.stat().st_size, tuple(sorted(map(key_name, headers))))


def asked(path: Path, sql: str) -> Rows:
    """The rows of one statement. UnavailableError: the file cannot be used as a database."""
    try:
        with opened(f"{path.resolve().as_uri()}") as connection:
            return connection.execute(sql).fetchall()
    except sqlite3.Error as error:
        raise UnavailableError(f"{path} cannot be used as a database: {error}") from None


@contextlib.contextmanager
def opened(uri: str, seconds: float = SECONDS) -> Iterator[sqlite3.Connection]:
    """A connection, closed at the end."""
    connection = sqlite3.connect(uri, timeout=seconds, isolation_level=None, uri=True)
    try:
        yield connection
    finally:
        connection.close()
