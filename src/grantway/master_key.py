"""The master keys: from the settings, or a file that only its owner reads, made once at first start. There is one, except in a rotation."""

import contextlib
import logging
import os
import re
import secrets
import stat
from collections.abc import Iterator
from pathlib import Path

from grantway import on_disk, sealing
from grantway.sealing import MASTER_KEY_BYTES, MasterKeyError, MasterKeys

FILE_NAME = "master.key"
_MODE = 0o600
_DRAFT = re.compile(rf"{re.escape(FILE_NAME)}\.[0-9a-f]{{16}}")

_log = logging.getLogger(__name__)


class KeyRing:
    """The master keys, where they came from, and whether the first was made just now. `file` is None for keys of the settings.

    The file may be replaced while we run: whoever asks for the keys gets those that are in it now.
    """

    def __init__(self, keys: MasterKeys, came_from: str, file: Path | None = None, *, is_new: bool = False) -> None:
        self._keys = keys
        self.came_from = came_from
        self.file = file
        self.is_new = is_new
        self._seen = (0, 0, 0)

    def current(self) -> MasterKeys:
        """The keys of 32 bytes, the newest first. A file that cannot be used now changes nothing, and the log says so."""
        if self.file is not None:
            try:
                self._look(self.file)
            except (MasterKeyError, OSError) as error:
                _log.error("the master key's file: %s", error)
        return self._keys

    def _look(self, file: Path) -> None:
        is_now = file.stat()
        # a file that took the place of another has another inode, also within one tick of the clock
        seen = (is_now.st_ino, is_now.st_mtime_ns, is_now.st_size)
        if seen != self._seen:
            self._keys, self._seen = _read(file), seen


def load(data: Path, from_settings: str, database_exists: bool) -> KeyRing:
    """Find the master keys, or make one when this is a first start.

    MasterKeyError when they are malformed, or missing beside a database that was sealed with them: another key would open nothing.
    """
    if from_settings:
        return KeyRing(_parsed(from_settings.replace(",", " ").split(), "GRANTWAY_MASTER_KEY or its file"), "the settings")
    path = data / FILE_NAME
    is_new = not path.exists()
    if is_new:
        if database_exists:
            raise MasterKeyError(
                f"{path} is missing, but there is a database that was sealed with it. Put the key back (or set GRANTWAY_MASTER_KEY); "
                "a new one would open nothing."
            )
        is_new = _make(path)
    return KeyRing(_read(path), str(path), path, is_new=is_new)


def another(keys: MasterKeys) -> bytes:
    """A new master key, whose id is none of those."""
    known = set(map(sealing.header, keys))
    while sealing.header(made := secrets.token_bytes(MASTER_KEY_BYTES)) in known:
        pass
    return made


def replace(file: Path, keys: MasterKeys) -> None:
    """Put these keys into the file, the newest first, for the owner that it has.

    Killed at any moment, or cut off from power, it leaves the file as it was or as it is to be, on disk.
    """
    # where it is a link, what it leads to is replaced
    file = file.resolve()
    with _drafted(file, keys) as draft:
        on_disk.give(draft, file)
        draft.replace(file)
    # the new name stands in the folder, and must outlive a power cut too
    on_disk.sync(file.parent)


def put_aside(file: Path, keys: MasterKeys, ending: str) -> Path:
    """Write keys that go from the file into one beside it, `master.key.` and that ending: backups of before open with them only.

    FileExistsError: there is one of that name.
    """
    file = file.resolve()
    aside = file.with_name(f"{FILE_NAME}.{ending}")
    with _drafted(file, keys) as draft:
        on_disk.give(draft, file)
        os.link(draft, aside)
    on_disk.sync(file.parent)
    return aside


def forget_drafts(data: Path) -> None:
    """Remove what a killed `replace` left beside the file: keys that sealed nothing, or that the file has too."""
    for left in data.iterdir():
        if _DRAFT.fullmatch(left.name):
            left.unlink()


def _make(path: Path) -> bool:
    """Make the file whole or not at all; False when another process made it first."""
    try:
        with _drafted(path, (secrets.token_bytes(MASTER_KEY_BYTES),)) as draft:
            os.link(draft, path)  # fails where a file is: nobody's key is ever replaced
    except FileExistsError:
        return False
    on_disk.sync(path.parent)
    return True


@contextlib.contextmanager
def _drafted(path: Path, keys: MasterKeys) -> Iterator[Path]:
    """A file beside `path` that holds the keys, on disk; gone at the end."""
    draft = path.with_name(f"{FILE_NAME}.{secrets.token_hex(8)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _MODE)
    try:
        with os.fdopen(descriptor, "w") as file:
            file.write("".join(f"{one.hex()}\n" for one in keys))
            file.flush()
            os.fsync(file.fileno())  # before it gets its name: no power cut leaves an empty key
        yield draft
    finally:
        draft.unlink(missing_ok=True)


def _read(path: Path) -> MasterKeys:
    mode = path.stat().st_mode
    if not stat.S_ISREG(mode):
        raise MasterKeyError(f"{path} is not a regular file")  # a pipe could be waited for without end
    if os.name == "posix" and mode & 0o077:
        raise MasterKeyError(f"{path} can be read by others; run: chmod 600 {path}")
    return _parsed(path.read_text("ascii", "replace").split(), str(path))


def _parsed(texts: list[str], where: str) -> MasterKeys:
    try:
        keys = tuple(map(bytes.fromhex, texts))
    except ValueError:
        keys = ()
    if not keys or any(len(key) != MASTER_KEY_BYTES for key in keys):
        many = " each" if len(texts) > 1 else ""
        raise MasterKeyError(f"{where} does not hold a master key: it must be {2 * MASTER_KEY_BYTES} hex digits{many}")
    if len(set(map(sealing.header, keys))) < len(keys):
        raise MasterKeyError(f"{where} holds the same master key twice, or two with the same id")
    return keys
