"""Which database it is: PostgreSQL where a URL is given, else a SQLite file in the data folder."""

import sqlite3
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol
from urllib.parse import urlsplit

from grantway.oauth_error import UnavailableError
from grantway.storage import migrate, sqlite_file
from grantway.storage.database import Database
from grantway.storage.sqlite import FILE_NAME, SqliteDatabase

_LEADS_THERE = frozenset({"host", "port", "dbname", "database", "sslmode", "sslrootcert", "target_session_attrs"})
"""Parameters of a PostgreSQL URL that may be shown: no other, for a password may stand among them."""

Committed = Callable[[float], None]
"""Hears how many seconds each commit took."""


class Engine(Protocol):
    """A database that is not open yet."""

    @property
    def place(self) -> str:
        """Where it is, for people; without a password."""
        ...

    async def exists(self) -> bool:
        """Whether there is anything of ours in it. UnavailableError: it cannot be reached, or is no more where it was."""
        ...

    async def upgrade(self) -> int:
        """Bring it to this program's schema and return the version. NewerDatabaseError, UnavailableError."""
        ...

    def open(self, committed: Committed) -> Database:
        """Open it, for the running event loop."""
        ...


@dataclass(frozen=True, slots=True)
class SqliteEngine:
    """A file."""

    path: Path

    @property
    def place(self) -> str:
        """The path."""
        return str(self.path)

    async def exists(self) -> bool:
        """Whether the file is there. UnavailableError: it was moved, and a server that begins anew here would know no app and nobody."""
        is_there = self.path.exists()
        if not is_there and (aside := sqlite_file.moved_from(self.path)):
            anew = f"to begin with nothing instead, remove {aside}"
            raise UnavailableError(f"what was in {self.path} is in PostgreSQL now: set GRANTWAY_DATABASE to its URL; {anew}")
        return is_there

    async def upgrade(self) -> int:
        """As `Engine.upgrade`."""
        return migrate.upgrade(self.path)

    def open(self, committed: Committed) -> Database:
        """Open it. UnavailableError: the file cannot be used as a database."""
        try:
            return SqliteDatabase(self.path, committed)
        except sqlite3.Error as error:
            raise UnavailableError(f"{self.path} cannot be used as a database: {error}") from None


@dataclass(frozen=True, slots=True)
class PostgresEngine:
    """A server. Its driver is loaded only here, where one is used."""

    url: str = field(repr=False)

    @property
    def place(self) -> str:
        """The URL without user and password; of its parameters those that lead there."""
        parts = urlsplit(self.url)
        shown = "&".join(one for one in parts.query.split("&") if one.partition("=")[0] in _LEADS_THERE)
        return f"postgresql://{parts.netloc.rpartition('@')[2]}{parts.path}{shown and '?'}{shown}"

    async def exists(self) -> bool:
        """Whether it has a schema of ours."""
        from grantway.storage import migrate_postgres  # noqa: PLC0415

        return await migrate_postgres.version(self.url) > 0

    async def upgrade(self) -> int:
        """As `Engine.upgrade`."""
        from grantway.storage import migrate_postgres  # noqa: PLC0415

        return await migrate_postgres.upgrade(self.url)

    def open(self, committed: Committed) -> Database:
        """Open it; connections are made when they are wanted."""
        from grantway.storage.postgres import PostgresDatabase  # noqa: PLC0415

        return PostgresDatabase(self.url, committed)


def engine(url: str, data: Path) -> Engine:
    """The engine that the settings name."""
    return PostgresEngine(url) if url else SqliteEngine(data / FILE_NAME)
