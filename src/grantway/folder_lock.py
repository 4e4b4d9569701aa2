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

_MODE = 0o644


class FolderBusyError(Exception):
    """Another process holds the lock; the message says what to do."""


@contextlib.contextmanager
def held(data: Path, name: str, busy: str, *, alone: bool) -> Iterator[None]:
    """Hold that lock of the folder, alone or with others. FolderBusyError with the words `busy` when others stand against it."""
    # a lock needs no right to write: a command that root runs does not shut the server's own user out
    # and root makes no file where somebody who may write into the folder has put a link to
    descriptor = os.open(data / name, os.O_RDONLY | os.O_CREAT | os.O_NOFOLLOW, _MODE)
    try:
        _let_others_read(descriptor)
        try:
            fcntl.flock(descriptor, (fcntl.LOCK_EX if alone else fcntl.LOCK_SH) | fcntl.LOCK_NB)
        except BlockingIOError:
            raise FolderBusyError(busy) from None
        yield
    finally:
        os.close(descriptor)


def _let_others_read(descriptor: int) -> None:
    """Whatever the umask took from the mode: there is nothing in the file, and who cannot open it cannot lock it."""
    file = os.fstat(descriptor)
    # under one name only: a second one may be that of another file of root's
    if file.st_uid == os.geteuid() and file.st_nlink == 1 and file.st_mode & _MODE != _MODE:
        os.fchmod(descriptor, _MODE)
