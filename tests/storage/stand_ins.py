"""What stands between a story and storage: it gives up, comes late, or lets something happen in the middle."""

import itertools
from collections.abc import Awaitable, Callable
from typing import Any

from grantway.clients.client import Client
from grantway.oauth_error import UnavailableError
from grantway.storage.database import Database
from grantway.storage.postgres_link import AGAIN, Link, Outage
from grantway.storage.postgres_sql import numbered
from grantway.storage.postgres_writer import SERIALIZABLE
from grantway.storage.statements import MakeWork


class GivenUp:
    """A database that met others in a piece of work until it gave up, and does a single statement."""

    def __init__(self, database: Database) -> None:
        self.one = database.one

    async def write(self, make: MakeWork[Any]) -> Any:
        raise UnavailableError("tried ten times")


class Late:
    """Requests as they are stored, by somebody who read the client before it was deleted."""

    def __init__(self, requests: Any, client: Client) -> None:
        self._clients = [client]
        self._requests = requests
        self.add_request = requests.add_request

    async def client_by_id(self, client_id: str) -> Client | None:
        return self._clients.pop() if self._clients else await self._requests.client_by_id(client_id)


class ByHand:
    """PostgreSQL, with a transaction that stops before its statement number `stop`, for others to commit `meanwhile`.

    Once it has answered the requests there is no stopping: others would wait for it.
    """

    def __init__(self, url: str, stop: int, meanwhile: Callable[[], Awaitable[None]]) -> None:
        self._link = Link(url, Outage())
        self._stop = stop
        self._meanwhile = meanwhile
        self.has_stopped = False

    async def one(self, sql: str, *values: Any) -> None:
        """What goes before the transaction is left out: whoever is at work meanwhile was let in before."""

    async def write(self, make: MakeWork[Any]) -> None:
        connection = await self._link.connection()
        is_written = False
        while not is_written:
            await connection.execute(f"BEGIN ISOLATION LEVEL {SERIALIZABLE}")
            try:
                await self._drive(connection, make)
                await connection.execute("COMMIT")
                is_written = True
            except AGAIN:
                await connection.execute("ROLLBACK")

    async def _drive(self, connection: Any, make: MakeWork[Any]) -> None:
        work, has_answered = make(), False
        statement = next(work)
        for at in itertools.count():
            if at == self._stop and not has_answered and not self.has_stopped:
                self.has_stopped = True
                await self._meanwhile()
            has_answered = has_answered or statement.sql.startswith("UPDATE requests")
            rows = await connection.fetch(numbered(statement.sql), *statement.values)
            try:
                statement = work.send([tuple(row) for row in rows])
            except StopIteration:
                return

    async def close(self) -> None:
        await self._link.close()


class Between:
    """Requests as they are stored, and something that happens between judging and storing."""

    def __init__(self, requests: Any, meanwhile: Callable[[], Awaitable[None]]) -> None:
        self._requests = requests
        self._meanwhile = meanwhile
        self.request = requests.request

    async def record_approval(self, *values: Any) -> Any:
        await self._meanwhile()
        return await self._requests.record_approval(*values)

    async def record_rejection(self, *values: Any) -> Any:
        await self._meanwhile()
        return await self._requests.record_rejection(*values)
