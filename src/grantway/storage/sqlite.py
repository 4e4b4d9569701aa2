"""SQLite, durable, one writer thread: pieces of work that wait at the same time share one transaction and one commit.

Sharing the commit is what makes it quick: the disk is asked once for many. When a piece fails, the batch is undone and run again with
a savepoint for each, so that the failing one undoes itself alone. Results go back by request, never matched by content.
"""

import asyncio
import contextlib
import functools
import logging
import queue
import sqlite3
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from grantway.oauth_error import UnavailableError
from grantway.storage.database import Database
from grantway.storage.piece import Piece
from grantway.storage.sqlite_folding import Folding
from grantway.storage.statements import Change, MakeWork, Rows, Value, Work

T = TypeVar("T")

FILE_NAME = "grantway.db"
MOST_IN_ONE_COMMIT = 256
BUSY_SECONDS = 5.0
"""How long to wait while another process writes."""
LOOK_SECONDS = 0.001
QUIET_TURNS = 2
"""A batch goes when so many turns of the event loop brought nobody: what was read in one turn is at work in the next."""
WRITER_CACHE_KIB = 16_000  # with 4 MB an exchange beside millions of rows costs 14 % more CPU, so 6 % (bench/README.md)

_log = logging.getLogger(__name__)


_Batch = tuple[asyncio.AbstractEventLoop, list[Piece[Any]]]


class SqliteDatabase(Database):
    """A database file, for one event loop. `committed` hears, in the writer's thread, how many seconds each commit took.

    Reads run where they are asked (point look-ups); writes queue for the writer thread.
    """

    def __init__(self, path: Path, committed: Callable[[float], None] = lambda _seconds: None) -> None:
        self._committed = committed
        self._reader = _connect(path)
        self._writer = _connect(path)
        # whatever writes goes through the queue: here each would be a commit of its own, on the event loop
        self._reader.execute("PRAGMA query_only = ON")
        self._writer.execute("PRAGMA busy_timeout = 0")  # the writer waits by itself
        self._writer.execute(f"PRAGMA cache_size = -{WRITER_CACHE_KIB}")
        self._writer.execute("PRAGMA wal_autocheckpoint = 0")  # `Folding` does it, beside us (decision 0004)
        self._folding = Folding(functools.partial(_connect, path))
        self._waiting: list[Piece[Any]] = []
        self._is_committing = False
        self._is_closed = False
        self._queue: queue.SimpleQueue[_Batch | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._serve, name="sqlite-writer", daemon=True)
        self._thread.start()

    async def read(self, sql: str, *values: Value) -> Rows:
        """The rows of one SELECT, as the last commit left them. UnavailableError when the database is away."""
        try:
            return self._reader.execute(sql, values).fetchall()
        except sqlite3.Error as error:
            raise _away(error) from None

    async def look_up(self, sql: str, *values: Value) -> Rows:
        """The same: asking a file costs nothing that could be shared."""
        return await self.read(sql, *values)

    async def write(self, make: MakeWork[T]) -> T:
        """Do a piece of work in a transaction that is durable when this returns. `make` may be called twice, the first in vain.

        The piece's own exceptions come through and undo only that piece. UnavailableError: nothing of it was stored.
        """
        if self._is_closed:
            raise UnavailableError("the database is closed")
        loop = asyncio.get_running_loop()
        piece: Piece[T] = Piece(make, loop.create_future())
        self._waiting.append(piece)
        if not self._is_committing:
            self._is_committing = True
            loop.call_soon(self._gather, loop)
        return await piece.future

    def _gather(self, loop: asyncio.AbstractEventLoop, before: int = 0, quiet: int = 0) -> None:
        """Hand over what waits as soon as nobody else is about to write: at once where the loop is idle, with more the busier it is.

        Not while others are at work: loop and writer would take the interpreter from each other, and each small batch costs a commit.
        """
        waiting = len(self._waiting)
        quiet = 0 if waiting > before else quiet + 1
        if quiet < QUIET_TURNS and waiting < MOST_IN_ONE_COMMIT:
            loop.call_soon(self._gather, loop, waiting, quiet)
        else:
            self._hand_over(loop)

    def _hand_over(self, loop: asyncio.AbstractEventLoop) -> None:
        """Give the writer all that waits. One commit is under way at a time: what comes meanwhile shares the next one."""
        # no lock: only the loop's thread touches what waits, and the writer only its batch
        batch, self._waiting = self._waiting[:MOST_IN_ONE_COMMIT], self._waiting[MOST_IN_ONE_COMMIT:]
        self._queue.put((loop, batch))

    def _hand_back(self, loop: asyncio.AbstractEventLoop, batch: list[Piece[Any]]) -> None:
        for piece in batch:
            piece.settle()
        self._is_committing = bool(self._waiting)
        if self._is_committing:
            self._gather(loop)

    async def change(self, change: Change) -> Rows:
        """Make a change that many make at the same time; here they share a commit, as all do."""
        return await self.write(change.work)

    async def close(self) -> None:
        """Finish what waits, then close. The last connection to leave folds the log into the database file."""
        self._is_closed = True
        while self._waiting:
            self._hand_over(self._waiting[0].future.get_loop())
        # behind the last batch, so that the writer ends after it
        self._queue.put(None)
        self._thread.join()
        self._folding.wait()  # it has a connection too, and only the last one to leave folds the log
        self._reader.close()
        self._writer.close()

    def _serve(self) -> None:
        while (handed_over := self._queue.get()) is not None:
            loop, batch = handed_over
            began = time.perf_counter()
            self._commit_together(batch)
            self._committed(time.perf_counter() - began)
            with contextlib.suppress(RuntimeError):  # the loop was closed: nobody waits any more
                loop.call_soon_threadsafe(self._hand_back, loop, batch)
            self._folding.after_commit(self._writer)  # after the answer, which need not wait for it

    def _commit_together(self, batch: list[Piece[Any]]) -> None:
        try:
            self._begin()
            if not self._run_all(batch):
                self._begin()
                for piece in batch:
                    self._run(piece)
            # a piece that failed was undone by its savepoint; the others' work stands
            self._writer.execute("COMMIT")
        except Exception as error:  # noqa: BLE001 - the writer outlives whatever a piece does: all others wait for it
            with contextlib.suppress(sqlite3.Error):
                self._writer.execute("ROLLBACK")
            away = _away(error)  # logged once, however many wait
            for piece in batch:
                piece.error = UnavailableError(str(away), away.retry_after)

    def _begin(self) -> None:
        """Begin a transaction. While another process writes look again and again: SQLite itself would soon sleep for a tenth of a second
        between two looks, and whoever just wrote would write again meanwhile."""
        deadline = time.monotonic() + BUSY_SECONDS
        while True:
            try:
                self._writer.execute("BEGIN IMMEDIATE")
            except sqlite3.OperationalError as error:
                # the lowest byte is the error, those above it tell its kinds apart
                if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                    raise
            else:
                return
            time.sleep(LOOK_SECONDS)

    def _run_all(self, batch: list[Piece[Any]]) -> bool:
        """Run all without savepoints, which are hardly ever needed. False, and everything undone, when one of them failed."""
        try:
            for piece in batch:
                piece.result = self._drive(piece.make())
        except Exception:  # noqa: BLE001 - whatever it was, it comes again and is told apart with savepoints
            # after some errors, as on a full disk, SQLite has rolled back by itself, and a second time is one more error
            if self._writer.in_transaction:
                self._writer.execute("ROLLBACK")
            return False
        return True

    def _run(self, piece: Piece[Any]) -> None:
        """Run one piece in a savepoint. An error of SQLite's that ended the whole transaction goes up and fails the batch."""
        self._writer.execute("SAVEPOINT piece")
        try:
            piece.result = self._drive(piece.make())
        except Exception as error:
            # what ran before in this batch is gone with it, so no piece of it may be called done
            if not self._writer.in_transaction:
                raise
            self._writer.execute("ROLLBACK TO piece")
            piece.error = _away(error) if isinstance(error, sqlite3.Error) else error
        self._writer.execute("RELEASE piece")

    def _drive(self, work: Work[Any]) -> Any:
        rows: Rows = []
        try:
            statement = next(work)
            while True:
                rows = self._writer.execute(statement.sql, statement.values).fetchall()
                statement = work.send(rows)
        except StopIteration as finished:
            return finished.value


def _connect(path: Path) -> sqlite3.Connection:
    # both connections are made in one thread and each is used by one other or the same
    connection = sqlite3.connect(path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False)
    try:
        connection.execute("PRAGMA journal_mode = WAL")
        # NORMAL would lose the last commits with the power, and what an app was told must be on disk (decision 0004)
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA foreign_keys = ON")  # SQLite has them off, for each connection anew
    except sqlite3.Error:
        connection.close()
        raise
    return connection


def _away(error: BaseException) -> UnavailableError:
    """What the caller gets for an error of SQLite's; the log gets its kind, which holds no values."""
    _log.error("database: %s", error)
    return UnavailableError("the database does not answer")
