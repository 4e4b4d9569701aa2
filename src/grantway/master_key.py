"""The master key: from the settings, or a file that only its owner reads, made once at first start and never again."""

import os
import secrets
from dataclasses import dataclass, field
from pathlib import Path

from grantway.sealing import MASTER_KEY_BYTES, MasterKeyError

FILE_NAME = "master.key"
_MODE = 0o600


@dataclass(frozen=True, slots=True, kw_only=True)
class MasterKey:
    """The key (32 bytes), where it came from, and whether it was made just now."""

    key: bytes = field(repr=False)
    came_from: str
    is_new: bool


def load(data: Path, from_settings: str, database_exists: bool) -> MasterKey:
    """Find the master key, or make it when this is a first start.

    MasterKeyError when it is malformed, or missing beside a database that was sealed with it: another key would open nothing.
    """
    if from_settings:
        return MasterKey(key=_parsed(from_settings, "GRANTWAY_MASTER_KEY or its file"), came_from="the settings", is_new=False)
    path = data / FILE_NAME
    is_new = not path.exists()
    if is_new:
        if database_exists:
            raise MasterKeyError(
                f"{path} is missing, but there is a database that was sealed with it. Put the key back (or set GRANTWAY_MASTER_KEY); "
                "a new one would open nothing."
            )
        is_new = _make(path)
    if os.name == "posix" and path.stat().st_mode & 0o077:
        raise MasterKeyError(f"{path} can be read by others; run: chmod 600 {path}")
    return MasterKey(key=_parsed(path.read_text("ascii", "replace").strip(), str(path)), came_from=str(path), is_new=is_new)


def _make(path: Path) -> bool:
    """Make the file whole or not at all; False when another process made it first."""
    draft = path.with_name(f"{FILE_NAME}.{secrets.token_hex(8)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _MODE)
    try:
        with os.fdopen(descriptor, "w") as file:
            file.write(secrets.token_bytes(MASTER_KEY_BYTES).hex() + "\n")
            file.flush()
            os.fsync(file.fileno())
        os.link(draft, path)  # fails where a file is: nobody's key is ever replaced
    except FileExistsError:
        return False
    finally:
        draft.unlink()
    return True


def _parsed(text: str, where: str) -> bytes:
    try:
        key = bytes.fromhex(text)
    except ValueError:
        key = b""
    if len(key) != MASTER_KEY_BYTES:
        raise MasterKeyError(f"{where} does not hold a master key: it must be {2 * MASTER_KEY_BYTES} hex digits")
    return key
