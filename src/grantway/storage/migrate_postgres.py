"""Bring a PostgreSQL database to the schema of this program: forward only, all or nothing, safe when several processes start at once."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

import asyncpg

from grantway.oauth_error import UnavailableError
from grantway.storage.migrate import NewerDatabaseError, all_migrations
from grantway.storage.postgres_link import AGAIN, CONNECT_SECONDS, LOST
from grantway.storage.postgres_sql import numbered

TRIES = 20
_PAUSE = 0.05
_WAIT_SECONDS = 60.0
"""How long one statement may take: whoever comes second waits for all that the first one does."""

# two that make the table at the same moment: one of them is told so in one of these ways
_SOMEBODY_WAS_FIRST = (*AGAIN, asyncpg.UniqueViolationError, asyncpg.DuplicateTableError, asyncpg.DuplicateObjectError)

_HINTS = (
    (asyncpg.InvalidAuthorizationSpecificationError, "it does not take the user or the password"),
    (asyncpg.InvalidCatalogNameError, "there is no database of that name"),
    (asyncpg.InsufficientPrivilegeError, "its user may not do that; let the database belong to it"),
    (asyncpg.TooManyConnectionsError, "it has no connection left"),
    (asyncpg.CannotConnectNowError, "it is starting or ending; try again"),
)
"""What an operator can do something about, by the driver's kinds of error."""


async def version(url: str) -> int:
    """The schema's version; 0 in a database that holds nothing of ours. UnavailableError: it cannot be reached or used."""
    async with connected(url) as connection:
        try:
            return int(await connection.fetchval("SELECT coalesce(max(version), 0) FROM schema_version"))
        except asyncpg.UndefinedTableError:
            return 0


async def upgrade(url: str) -> int:
    """Apply what is missing and return the schema's version.

    NewerDatabaseError: the database is ahead of the program. UnavailableError: it cannot be reached or used.
    """
    async with connected(url) as connection:
        for _ in range(TRIES):
            try:
                return await _upgrade(connection)
            except _SOMEBODY_WAS_FIRST:
                await asyncio.sleep(_PAUSE)
        raise UnavailableError("the database is being changed by others; try again")


async def _upgrade(connection: asyncpg.Connection) -> int:
    steps = all_migrations()
    # outside the transaction: there must be a committed row that all can meet at; an advisory lock is not known to each engine
    await connection.execute("CREATE TABLE IF NOT EXISTS schema_version (version BIGINT PRIMARY KEY)")
    await connection.execute("INSERT INTO schema_version (version) VALUES (0) ON CONFLICT DO NOTHING")
    async with connection.transaction():
        # whoever comes second waits here, then finds nothing to do
        await connection.execute("SELECT version FROM schema_version WHERE version = 0 FOR UPDATE")
        present = int(await connection.fetchval("SELECT max(version) FROM schema_version"))  # under the lock
        if present > steps[-1].version:
            raise NewerDatabaseError(f"the database has schema {present}, this program knows {steps[-1].version} at most")
        for step in steps[present:]:
            for statement in step.statements:
                await connection.execute(numbered(statement))
            await connection.execute("INSERT INTO schema_version (version) VALUES ($1)", step.version)
    return steps[-1].version


@contextlib.asynccontextmanager
async def connected(url: str, seconds: float | None = _WAIT_SECONDS) -> AsyncIterator[asyncpg.Connection]:
    """A connection of one's own; `seconds`: how long a statement may take. UnavailableError: it cannot be reached or used."""
    try:
        connection = await asyncpg.connect(url, timeout=CONNECT_SECONDS, command_timeout=seconds)
    except (*LOST, asyncpg.PostgresError, ValueError) as error:
        raise _unusable(error) from None
    try:
        yield connection
    except (*LOST, asyncpg.PostgresError) as error:
        raise _unusable(error) from None
    finally:
        # not `close`, which would wait for a database that answers nothing
        connection.terminate()


def _unusable(error: BaseException) -> UnavailableError:
    """Says what kind of trouble it is; a message of the driver's may repeat parts of the URL."""
    kind = f"{type(error).__name__}: {error.strerror}" if isinstance(error, OSError) and error.strerror else type(error).__name__
    hint = next((f": {words}" for kinds, words in _HINTS if isinstance(error, kinds)), "")
    return UnavailableError(f"the PostgreSQL database cannot be used{hint} ({kind})")
