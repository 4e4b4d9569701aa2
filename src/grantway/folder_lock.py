"""Locks on the data folder: held by processes, and let go by the system when they end, however they end."""

import contextlib
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path

IN_USE = "in-use.lock"
"""Held together by whoever has the database open, and alone by whoever puts another in its place."""
ROTATION = "rotation.lock"
"""Held alone by whoever replaces the master key's file."""


class FolderBusyError(Exception):
    """Another process holds the lock; the message says what to do."""


@contextlib.contextmanager
def held(data: Path, name: str, busy: str, *, alone: bool) -> Iterator[None]:
    """Hold that lock of the folder, alone or with others. FolderBusyError with the words `busy` when others stand against it."""
    # a lock needs no right to write: a command that root runs does not shut the server's own user out
    # and root makes no file where somebody who may write into the folder has put a link to
    descriptor = os.open(data / name, os.O_RDONLY | os.O_CREAT | os.O_NOFOLLOW, 0o644)
    try:
        try:
            fcntl.flock(descriptor, (fcntl.LOCK_EX if alone else fcntl.LOCK_SH) | fcntl.LOCK_NB)
        except BlockingIOError:
            raise FolderBusyError(busy) from None
        yield
    finally:
        os.close(descriptor)
