"""What a database does for this folder, whatever its engine."""

from typing import Protocol, TypeVar

from grantway.oauth_error import UnavailableError
from grantway.storage.statements import Change, MakeWork, Rows, Statement, Value, Work

T = TypeVar("T")


class Database(Protocol):
    """An open database, for one event loop. UnavailableError from any of these: it does not answer, or there is too much to do."""

    async def read(self, sql: str, *values: Value) -> Rows:
        """The rows of one SELECT, as the last commit left them."""
        ...

    async def look_up(self, sql: str, *values: Value) -> Rows:
        """The same for a question that many ask at the same time; the rows come in any order. An engine may answer all of them at once."""
        ...

    async def write(self, make: MakeWork[T]) -> T:
        """Do a piece of work, as if nobody else worked, in a transaction that is durable when this returns.

        `make` may be called again after it was called in vain. The piece's own exceptions come through and undo only that piece. After
        UnavailableError nothing of it was stored, unless a database elsewhere was lost in the very moment of its commit.
        """
        ...

    async def write_by_row(self, make: MakeWork[T]) -> T:
        """Write what a single row decides: the first statement changes that row if it is still as wanted, and the others only add rows,
        or put that row back.

        Others may commit between its statements, so it need not run again because neighbouring rows were changed.
        """
        # enough where there is one writer: nobody commits in between
        return await self.write(make)

    async def change(self, change: Change) -> Rows:
        """Make a change that many make at the same time; durable when this returns. No row: it did not take place."""
        ...

    async def one(self, sql: str, *values: Value) -> Rows:
        """Write with a single statement and return its rows."""

        def work() -> Work[Rows]:
            return (yield Statement(sql, values))

        return await self.write(work)

    async def answers(self) -> bool:
        """Whether the database can be read right now."""
        try:
            return bool(await self.read("SELECT version FROM schema_version"))
        except UnavailableError:
            return False

    async def close(self) -> None:
        """Finish what waits, then close."""
        ...
