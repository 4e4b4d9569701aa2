"""One connection to PostgreSQL, or to what speaks like it, made again whenever it was lost."""

import asyncio
import logging

import asyncpg

from grantway.oauth_error import UnavailableError

CONNECT_SECONDS = 5.0
ANSWER_SECONDS = 10.0
"""How long a statement may take before its connection counts as lost."""
_SETTINGS = """SET lock_timeout = '2s'; SET idle_in_transaction_session_timeout = '10s';
    SELECT set_config(name, 'off', false) FROM pg_settings WHERE name IN ('enable_seqscan', 'enable_hashjoin', 'enable_mergejoin')"""
"""For a row that somebody else holds only those wait who need it, not for long; whoever vanished in a transaction holds it no longer.

All that is asked is found by an index, row by row. A planner that thinks a table small would rather read all of it, and keeps to that
while it grows: it costs ten times as much, and at SERIALIZABLE meets whatever others write. Not each engine has these switches.
"""

LOST = (
    OSError,
    TimeoutError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,  # a connection that was cut, before the driver has noticed
    asyncpg.PostgresConnectionError,
    asyncpg.CannotConnectNowError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.TooManyConnectionsError,
    asyncpg.ReadOnlySQLTransactionError,  # what answered is no longer the one that may be written to
)
"""The database, or the way to it, is away. It may be back for whoever connects again."""

AGAIN = (asyncpg.SerializationError, asyncpg.DeadlockDetectedError)
"""The transaction met another one, was undone as a whole, and may simply be run again."""

_log = logging.getLogger(__name__)


class Outage:
    """Says once that the database is away, and once that it is back: one line each, however many ask meanwhile."""

    def __init__(self) -> None:
        self._is_under_way = False

    def away(self, error: BaseException) -> UnavailableError:
        """What the caller gets. The log gets the kind of the first error: PostgreSQL's messages may repeat values."""
        first = error
        while first.__cause__ is not None:
            first = first.__cause__
        if not isinstance(error, LOST):
            _log.error("database: %s", type(first).__name__)
        elif not self._is_under_way:
            self._is_under_way = True
            _log.error("database: away (%s)", type(first).__name__)
        return UnavailableError("the database does not answer")

    def ends(self) -> None:
        """A connection could be made."""
        if self._is_under_way:
            self._is_under_way = False
            _log.warning("database: back")


class Link:
    """A connection to that URL, opened when it is first wanted and after each loss."""

    def __init__(self, url: str, outage: Outage) -> None:
        self._url = url
        self._outage = outage
        self._connection: asyncpg.Connection | None = None

    async def connection(self) -> asyncpg.Connection:
        """The connection, ready for a statement. One of `LOST` when the database cannot be reached, or lets us in no more."""
        if self._connection is None or self._connection.is_closed():
            try:
                self._connection = await asyncpg.connect(self._url, timeout=CONNECT_SECONDS, command_timeout=ANSWER_SECONDS)
                await self._connection.execute(_SETTINGS)
            except asyncpg.PostgresError as error:
                # so that it is among LOST: no statement was sent, whatever it is that keeps us out
                raise ConnectionError(type(error).__name__) from error
            self._outage.ends()
        return self._connection

    def drop(self) -> None:
        """Forget a connection that may be broken, without a word to the other side."""
        if self._connection is not None:
            self._connection.terminate()
            self._connection = None

    async def close(self) -> None:
        """End in peace."""
        if self._connection is None:
            return
        try:
            await self._connection.close(timeout=CONNECT_SECONDS)
        except (*LOST, asyncio.CancelledError):
            self.drop()
