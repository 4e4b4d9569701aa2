"""What can be done with a SQLite database as a file: copy it while others use it, put another in its place, put it aside."""

import contextlib
import os
import secrets
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from grantway import on_disk
from grantway.oauth_error import UnavailableError
from grantway.sealing import Sealing
from grantway.storage.sqlite_look import Copied, UnfitFileError, asked, looked_at, opened, refuse_unfit, refuse_unsound
from grantway.storage.statements import to_micros

MOVED = ".moved-"
"""What a database's name goes on with once all that it holds was moved."""
END_CODES = """UPDATE codes SET expires_at = issued_at,
    keep_until = coalesce((SELECT not_after FROM consents WHERE consents.id = codes.consent_id), keep_until) WHERE used_at IS NULL"""
"""Of a copy that is put back: they may have been used since. Kept like used ones, so that nobody is told that nothing was collected."""
_BEGINNING = b"SQLite format 3\0"
_LOGS = ("-wal", "-shm", "-journal")
_LONGEST_CONSENT = 366 * 24 * 3600 * 1_000_000
"""In microseconds: a revoked tail of a database that did not note its end is kept for so long."""


@dataclass(frozen=True, slots=True)
class Restored:
    """A database in its place: what it is, where the one before it is now, how many of that one's revocations it took over, and how much
    that was given there since the copy has ended.

    `before` is None where there was none; `revocations` is None where it could not be read.
    """

    copied: Copied
    before: Path | None
    revocations: int | None
    ended: int = 0


def back_up(path: Path, target: Path) -> Copied:
    """Copy the database as it is at one moment, while others go on writing. The copy has mode 0600, is whole and on disk.

    FileExistsError: the target is there; it is never overwritten. UnavailableError: it cannot be read or written.
    UnfitFileError: the database is damaged, or none.
    """
    os.close(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))  # the name is ours now
    try:
        with _drafted(target) as draft:
            _copy(path, draft, f"{path.resolve().as_uri()}")
            refuse_unsound(draft)
            copied = looked_at(draft)
            draft.replace(target)
    except BaseException:
        target.unlink()  # ours, empty or whole
        raise
    on_disk.sync(target.parent)
    return copied


def put_back(source: Path, path: Path, aside: Path, sealing: Sealing, now: datetime) -> Restored:
    """Put the database in `source` in the place of `path`; what was there is `aside` then. No process of ours may have it open.

    Whenever this ends, `path` is the old database or the new one, whole and on disk. What is revoked in the old one is in the new one too,
    what was given there since is revoked, and nobody is signed in.
    UnfitFileError: `source` is no sound database of Grantway's that this program knows and this master key opens. UnavailableError: some
    other program has the old one open.
    """
    with _drafted(path) as draft:
        # 1. a copy beside the old one, looked at before that is touched
        log = source.with_name(f"{source.name}-wal")
        # without a log nothing need be written beside it, so it may lie where nothing can be
        _copy(source, draft, f"{source.resolve().as_uri()}?mode=ro{'' if log.exists() else '&immutable=1'}")
        refuse_unfit(draft, sealing)
        asked(draft, END_CODES)
        asked(draft, "DELETE FROM sessions")  # and these signed out, because somebody had stolen them
        on_disk.give(draft, path if path.exists() else path.parent)
        # 2. what is revoked in the old one stays revoked; nobody may have that open, and its log is folded into it
        was_there = path.exists()
        if was_there:
            fold_log(path)
        kept, ended = _taken_over(path, draft, now) if was_there else (0, 0)
        on_disk.sync(draft)
        # 3. from here on the old one has a second name, and one rename puts the new one in its place
        _set_aside(path, aside)
        draft.replace(path)
        on_disk.sync(path.parent)
        return Restored(looked_at(path), aside if was_there else None, kept, ended)


def put_aside(path: Path, aside: Path) -> None:
    """Give a database without a log (`fold_log`) another name, so that no server finds it."""
    path.rename(aside)
    on_disk.sync(path.parent)


def moved_from(path: Path) -> Path | None:
    """The database that was put aside from there last, because all that it holds was moved; None where none was, or none is left."""
    return max(path.parent.glob(f"{path.name}{MOVED}*"), default=None)


# Of this nobody could see anything in the copy, nor take it back: consents that it does not have, and what codes gave that it has unused.
_GIVEN_SINCE = """SELECT tail_digest, not_after AS ends FROM before.consents AS given WHERE tail_digest IS NOT NULL
    AND NOT EXISTS (SELECT 1 FROM main.consents AS here WHERE here.id = given.id)
    UNION SELECT grant_tail_digest, keep_until FROM before.codes AS given WHERE grant_tail_digest IS NOT NULL
    AND EXISTS (SELECT 1 FROM main.codes AS here WHERE here.digest = given.digest AND here.grant_tail_digest IS NULL)"""


def _taken_over(old: Path, new: Path, now: datetime) -> tuple[int | None, int]:
    """Revoke in `new` what is revoked in `old`, then what was given there since, and withdraw the consents that end so: how many tails of
    each; None when `old` cannot be read."""
    try:
        with opened(f"{new.resolve().as_uri()}") as connection:
            connection.execute("ATTACH ? AS before", (f"{old.resolve().as_uri()}?mode=ro&immutable=1",))
            end = "keep_until" if _keeps_ends(connection, "before") else f"revoked_at + {_LONGEST_CONSENT}"
            revoked = f"SELECT tail_digest, revoked_at, reason, {end} AS ends FROM before.revoked_tails"
            given = f"SELECT tail_digest, {to_micros(now)} AS revoked_at, 'restored' AS reason, ends FROM ({_GIVEN_SINCE})"
            counts = _revoked(connection, revoked), _revoked(connection, given)
            # else their givers would read that it works, and look in vain for what they could take back
            connection.execute("""UPDATE main.consents SET withdrawn_at =
                (SELECT gone.revoked_at FROM main.revoked_tails AS gone WHERE gone.tail_digest = consents.tail_digest)
                WHERE withdrawn_at IS NULL AND tail_digest IN (SELECT tail_digest FROM main.revoked_tails)""")
            return counts
    except sqlite3.Error:
        return None, 0


def _revoked(connection: sqlite3.Connection, tails: str) -> int:
    """Revoke these tails, with their ends where the schema keeps them; how many were not yet."""
    ours, theirs = (", keep_until", ", ends") if _keeps_ends(connection, "main") else ("", "")
    before = connection.total_changes
    # `WHERE true`: without it SQLite reads ON as a join's
    connection.execute(f"""INSERT INTO revoked_tails (tail_digest, revoked_at, reason{ours})
        SELECT tail_digest, revoked_at, reason{theirs} FROM ({tails}) WHERE true ON CONFLICT DO NOTHING""")
    return connection.total_changes - before


def _keeps_ends(connection: sqlite3.Connection, schema: str) -> bool:
    """Whether that database, of whatever version, says until when a revoked tail must be kept."""
    return bool(connection.execute("SELECT 1 FROM pragma_table_info('revoked_tails', ?) WHERE name = 'keep_until'", (schema,)).fetchall())


def _set_aside(path: Path, aside: Path) -> None:
    for end in _LOGS:  # a log that belongs to no database any more would be taken for the new one's
        with contextlib.suppress(FileNotFoundError):
            path.with_name(path.name + end).rename(aside.with_name(aside.name + end))
    if path.exists():
        # linked, not moved: whenever we are killed there is a database at `path`
        os.link(path, aside)
        on_disk.sync(path.parent)


def fold_log(path: Path) -> None:
    """Fold the write-ahead log into the file. A damaged database keeps its log. UnavailableError: some program has it open."""
    with path.open("rb") as file:
        if file.read(len(_BEGINNING)) != _BEGINNING:
            return  # SQLite would take the log for a stray one, and remove it
    try:
        with opened(path.resolve().as_uri(), seconds=0.0) as connection:  # whoever has it open keeps it so: nothing to wait for
            connection.execute("PRAGMA journal_mode = DELETE")
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}:
            raise UnavailableError(f"some program has {path} open; stop it first") from None
    except sqlite3.DatabaseError:
        pass


def _copy(source: Path, draft: Path, uri: str) -> None:
    """A compact copy, without what was deleted, and on disk. UnfitFileError: the source is damaged, or no database."""
    if not source.is_file():
        raise UnavailableError(f"{source} is no file")
    try:
        # VACUUM INTO copies one moment, also while others write, and writes into the empty file that has our mode
        with opened(uri) as connection:
            connection.execute("SELECT count(*) FROM sqlite_master").fetchall()  # else what is wrong here is said of the copy
            connection.execute("VACUUM INTO ?", (str(draft),))
    except sqlite3.Error as error:
        if error.sqlite_errorcode & 0xFF in {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}:  # further bits say where it was seen
            raise UnfitFileError(f"it cannot be read as a database: {error}") from None
        raise UnavailableError(f"{source} cannot be copied as a database: {error}") from None
    on_disk.sync(draft)


@contextlib.contextmanager
def _drafted(path: Path) -> Iterator[Path]:
    """An empty file beside that one, for its owner only; gone at the end unless it was moved."""
    draft = path.with_name(f"{path.name}.{secrets.token_hex(8)}")
    os.close(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    try:
        yield draft
    finally:
        draft.unlink(missing_ok=True)
