"""Bring a database to the schema of this program: forward only, all or nothing, safe when several processes start at once."""

import os
import re
import sqlite3
import time
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from grantway.oauth_error import UnavailableError

_NAME = re.compile(r"(\d{4})_[a-z0-9_]+\.sql")
_COMMENT = re.compile(r"--[^\n]*")  # none of our texts holds two dashes or a semicolon in quotes
_TABLE = re.compile(r"CREATE TABLE (\w+)")
# whoever comes second waits for all that the first one does, such as an index over a large table
_LOCK_SECONDS = 30.0
_OLDEST_SQLITE = (3, 35, 0)  # the first that knows RETURNING


class NewerDatabaseError(Exception):
    """The database was made by a later version of Grantway; this one does not know what it must keep."""


@dataclass(frozen=True, slots=True)
class Migration:
    """One step: its number, its statements, in the SQL that every engine speaks, and its name."""

    version: int
    statements: tuple[str, ...]
    name: str = ""

    @property
    def tables(self) -> tuple[str, ...]:
        """The tables that it makes."""
        return tuple(found[1] for statement in self.statements if (found := _TABLE.match(statement)))


def all_migrations() -> list[Migration]:
    """The steps of this program, in order."""
    folder = resources.files("grantway.storage") / "migrations"
    found = [(_NAME.fullmatch(file.name), file) for file in folder.iterdir()]
    return sorted(
        (Migration(int(name[1]), _statements(file.read_text("utf-8")), file.name.removesuffix(".sql")) for name, file in found if name),
        key=lambda step: step.version,
    )


def upgrade(path: Path) -> int:
    """Apply what is missing and return the schema's version.

    NewerDatabaseError: the database is ahead of the program. UnavailableError: the file cannot be used as a database.
    """
    if sqlite3.sqlite_version_info < _OLDEST_SQLITE:
        raise UnavailableError(f"this Python's SQLite is {sqlite3.sqlite_version}; Grantway needs 3.35 or newer")
    try:
        return _upgrade(path)
    except (sqlite3.Error, OSError) as error:
        raise UnavailableError(f"{path} cannot be used as a database: {error}") from None


def _upgrade(path: Path) -> int:
    steps = all_migrations()
    os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))  # SQLite would make it readable for all; its log takes the same mode
    # without the module's own transactions: a step's tables must go again when a later statement fails
    connection = sqlite3.connect(path, timeout=_LOCK_SECONDS, isolation_level=None)
    try:
        _write_ahead(connection)
        connection.execute("BEGIN IMMEDIATE")  # whoever comes second waits here, then finds nothing to do
        connection.execute("CREATE TABLE IF NOT EXISTS schema_version (version BIGINT NOT NULL)")
        version = int(connection.execute("SELECT coalesce(max(version), 0) FROM schema_version").fetchone()[0])
        if version > steps[-1].version:
            raise NewerDatabaseError(f"the database has schema {version}, this program knows {steps[-1].version} at most")
        for step in steps[version:]:
            # one by one: `executescript` would first commit what there is
            for statement in step.statements:
                connection.execute(statement)
            connection.execute("INSERT INTO schema_version (version) VALUES (?)", (step.version,))
        connection.execute("COMMIT")
    finally:
        connection.close()
    return steps[-1].version


def _write_ahead(connection: sqlite3.Connection) -> None:
    """Switch to the write-ahead log; the switch does not wait for another process that is switching, so we do."""
    deadline = time.monotonic() + _LOCK_SECONDS
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.01)
        else:
            return


def _statements(text: str) -> tuple[str, ...]:
    return tuple(filter(None, (part.strip() for part in _COMMENT.sub("", text).split(";"))))
