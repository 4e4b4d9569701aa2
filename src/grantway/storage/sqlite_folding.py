"""SQLite's log is folded into the database beside the writer: commits go on meanwhile.

Folded by the writer, as SQLite does it by itself, each 16 MB of log held up the commits behind it: 16 ms on a quick disk, and more where
the pages of a large database lie apart.
"""

import contextlib
import logging
import sqlite3
import threading
from collections.abc import Callable

LOG_PAGES = 4000
"""After about so many pages of 4 KiB the log is folded: in a large database most of them lie apart, and the disk goes to each."""
PAGES_OF_A_COMMIT = 6
"""Written by a commit besides one for each row that it changes, or thereabouts."""

_log = logging.getLogger(__name__)


class Folding:
    """A thread, begun when there is something to fold, with a connection of its own from `connect`.

    It folds twice: what was there, then what was written during that. Only what came in the second time is left to the writer, between
    two commits: then nothing is unfolded, and SQLite begins the log anew in place of letting it grow.
    """

    def __init__(self, connect: Callable[[], sqlite3.Connection]) -> None:
        self._connect = connect
        self._pages = self._changes = 0
        self._thread: threading.Thread | None = None
        self._is_rest_left = False

    def after_commit(self, writer: sqlite3.Connection) -> None:
        """For the writer's thread, after each commit: begin, or finish, when it is time."""
        # estimated: Python's sqlite3 has no `wal_hook`, and the log's file keeps its size when it is begun anew
        self._pages += PAGES_OF_A_COMMIT + writer.total_changes - self._changes
        self._changes = writer.total_changes
        if self._is_rest_left:
            self._is_rest_left = False
            self._pages = 0
            _fold(writer)
        elif self._pages >= LOG_PAGES and (self._thread is None or not self._thread.is_alive()):
            self._pages = 0
            self._begin()

    def wait(self) -> None:
        """Wait for the end of the thread, if there is one."""
        if self._thread is not None:
            self._thread.join()

    def _begin(self) -> None:
        thread = threading.Thread(target=self._fold_twice, name="sqlite-folding", daemon=True)
        try:
            thread.start()
        except RuntimeError:  # the system has no thread to give: the writer folds all of it
            self._is_rest_left = True
        else:
            self._thread = thread

    def _fold_twice(self) -> None:
        try:
            with contextlib.closing(self._connect()) as connection:
                _fold(connection)
                _fold(connection)
        except sqlite3.Error as error:
            _log.warning("the log cannot be folded: %s", error)
        self._is_rest_left = True  # also after an error: then the writer folds all of it, or the log would grow and grow


def _fold(connection: sqlite3.Connection) -> None:
    """As much as nobody reads just now. Where another process folds, it is left to that one."""
    try:
        # PASSIVE waits for nobody; the other kinds would hold up those who read or write
        connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()
    except sqlite3.Error as error:  # what was committed is as durable in the log
        _log.warning("the log cannot be folded: %s", error)
