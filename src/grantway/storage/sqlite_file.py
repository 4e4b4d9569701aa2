"""What can be done with a SQLite database as a file: look whether it is whole, copy it while others use it, put another in its place."""

import contextlib
import os
import secrets
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from grantway.oauth_error import UnavailableError
from grantway.sealing import HEADER_BYTES, SealBrokenError, Sealing, key_name
from grantway.storage import migrate
from grantway.storage.sealed_rows import COLUMNS
from grantway.storage.sealing_check import SEALED, WHAT
from grantway.storage.statements import Rows

SECONDS = 5.0
"""How long somebody else's transaction is waited for."""
MOVED = ".moved-"
"""What a database's name goes on with once all that it holds was moved."""
_BEGINNING = b"SQLite format 3\0"
_LOGS = ("-wal", "-shm", "-journal")
_SHOWN = 5
_LONGEST_CONSENT = 366 * 24 * 3600 * 1_000_000
"""In microseconds: a revoked tail of a database that did not note its end is kept for so long."""


class UnfitFileError(Exception):
    """A file cannot be restored or moved; the message says why."""


@dataclass(frozen=True, slots=True)
class Copied:
    """A copy of a database: its schema's version, its size in bytes, and the ids of the master keys that it takes."""

    schema: int
    size: int
    master_keys: tuple[str, ...]


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


def sizes(path: Path) -> dict[str, int]:
    """The bytes of the database file and of its write-ahead log."""
    log = path.with_name(f"{path.name}-wal")
    return {"database": path.stat().st_size, "log": log.stat().st_size if log.exists() else 0}


def has_schema(path: Path) -> bool:
    """Whether the file has the tables of a schema of ours, of whatever version. UnavailableError: it cannot be read as a database."""
    return bool(_asked(path, "SELECT name FROM sqlite_master WHERE type = 'table' AND name = 'schema_version'"))


def page_faults(path: Path) -> list[str]:
    """What is wrong with the file's pages and indexes, in SQLite's words; at most a few."""
    return [text for (text, *_) in _asked(path, f"PRAGMA integrity_check({_SHOWN})") if text != "ok"]


def reference_faults(path: Path) -> list[str]:
    """The rows that refer to one which is not there: table and what it refers to; at most a few."""
    rows = _asked(path, "PRAGMA foreign_key_check")[:_SHOWN]
    return [f"{table} row {row} refers to no row of {parent}" for table, row, parent, _ in rows]


def back_up(path: Path, target: Path) -> Copied:
    """Copy the database as it is at one moment, while others go on writing. The copy has mode 0600, is whole and on disk.

    FileExistsError: the target is there; it is never overwritten. UnavailableError: it cannot be read or written.
    UnfitFileError: the database is damaged, or none.
    """
    os.close(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))  # the name is ours now
    try:
        with _drafted(target) as draft:
            _copy(path, draft, f"{path.resolve().as_uri()}")
            _refuse_unsound(draft)
            copied = _looked_at(draft)
            draft.replace(target)
    except BaseException:
        target.unlink()  # ours, empty or whole
        raise
    _sync(target.parent)  # a file whose name is not on disk is lost with the power
    return copied


def put_back(source: Path, path: Path, aside: Path, sealing: Sealing) -> Restored:
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
        _asked(draft, "UPDATE codes SET expires_at = issued_at WHERE used_at IS NULL")  # they may have been used since the copy
        _asked(draft, "DELETE FROM sessions")  # and these signed out, because somebody had stolen them
        _give(draft, path if path.exists() else path.parent)
        # 2. what is revoked in the old one stays revoked; nobody may have that open, and its log is folded into it
        was_there = path.exists()
        if was_there:
            fold_log(path)
        kept, ended = _taken_over(path, draft) if was_there else (0, 0)
        _sync(draft)
        # 3. from here on the old one has a second name, and one rename puts the new one in its place
        _set_aside(path, aside)
        draft.replace(path)
        _sync(path.parent)
        return Restored(_looked_at(path), aside if was_there else None, kept, ended)


def refuse_unfit(path: Path, sealing: Sealing) -> None:
    """UnfitFileError: it is no sound database of Grantway's that this program knows and this master key opens; the message says why."""
    _refuse_unsound(path)
    _refuse_unknown(path, sealing)


def put_aside(path: Path, aside: Path) -> None:
    """Give a database without a log (`fold_log`) another name, so that no server finds it."""
    path.rename(aside)
    _sync(path.parent)


def moved_from(path: Path) -> Path | None:
    """The database that was put aside from there last, because all that it holds was moved; None where none was, or none is left."""
    return max(path.parent.glob(f"{path.name}{MOVED}*"), default=None)


# Of this nobody could see anything in the copy, nor take it back: consents that it does not have, and what codes gave that it has unused.
_GIVEN_SINCE = """SELECT tail_digest, not_after AS ends FROM before.consents AS given WHERE tail_digest IS NOT NULL
    AND NOT EXISTS (SELECT 1 FROM main.consents AS here WHERE here.id = given.id)
    UNION SELECT grant_tail_digest, keep_until FROM before.codes AS given WHERE grant_tail_digest IS NOT NULL
    AND EXISTS (SELECT 1 FROM main.codes AS here WHERE here.digest = given.digest AND here.grant_tail_digest IS NULL)"""
_NOW = "CAST(strftime('%s', 'now') AS INTEGER) * 1000000"


def _taken_over(old: Path, new: Path) -> tuple[int | None, int]:
    """Revoke in `new` what is revoked in `old`, then what was given there since: how many tails of each; None when `old` cannot be read."""
    try:
        with _opened(f"{new.resolve().as_uri()}") as connection:
            connection.execute("ATTACH ? AS before", (f"{old.resolve().as_uri()}?mode=ro&immutable=1",))
            end = "keep_until" if _keeps_ends(connection, "before") else f"revoked_at + {_LONGEST_CONSENT}"
            kept = _revoked(connection, f"SELECT tail_digest, revoked_at, reason, {end} AS ends FROM before.revoked_tails")
            return kept, _revoked(connection, f"SELECT tail_digest, {_NOW} AS revoked_at, 'restored' AS reason, ends FROM ({_GIVEN_SINCE})")
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
        _sync(path.parent)


def fold_log(path: Path) -> None:
    """Fold the write-ahead log into the file. A damaged database keeps its log. UnavailableError: some program has it open."""
    with path.open("rb") as file:
        if file.read(len(_BEGINNING)) != _BEGINNING:
            return  # SQLite would take the log for a stray one, and remove it
    try:
        with _opened(path.resolve().as_uri(), seconds=0.0) as connection:  # whoever has it open keeps it so: nothing to wait for
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
        with _opened(uri) as connection:
            connection.execute("SELECT count(*) FROM sqlite_master").fetchall()  # else what is wrong here is said of the copy
            connection.execute("VACUUM INTO ?", (str(draft),))
    except sqlite3.Error as error:
        if error.sqlite_errorcode & 0xFF in {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}:  # further bits say where it was seen
            raise UnfitFileError(f"it cannot be read as a database: {error}") from None
        raise UnavailableError(f"{source} cannot be copied as a database: {error}") from None
    _sync(draft)


def _refuse_unsound(path: Path) -> None:
    faults = [*page_faults(path), *reference_faults(path)]
    if faults:
        raise UnfitFileError(f"the database is damaged: {'; '.join(faults)}")


def _refuse_unknown(path: Path, sealing: Sealing) -> None:
    known = migrate.all_migrations()[-1].version
    found = _looked_at(path)
    if not 0 < found.schema <= known:
        raise UnfitFileError(f"it has schema {found.schema}; this program knows 1 to {known}")
    missing = sorted(set(found.master_keys) - set(map(key_name, sealing.headers())))
    if missing:
        names = " and ".join([*missing[:_SHOWN], *([f"{len(missing) - _SHOWN:,} more"] if len(missing) > _SHOWN else [])])
        raise UnfitFileError(f"it takes the master key {names}, which is not here; put it into the key's file, below the newest")
    try:
        sealing.unseal(bytes(_asked(path, SEALED.sql)[0][0]), WHAT, "")
    except (SealBrokenError, IndexError):
        raise UnfitFileError("the master key does not open it") from None


def _looked_at(path: Path) -> Copied:
    try:
        ((version,),) = _asked(path, "SELECT coalesce(max(version), 0) FROM schema_version")
    except UnavailableError:
        raise UnfitFileError("it is no database of Grantway's") from None
    headers = {bytes(row[0]) for row in _asked(path, f"SELECT substr(sealed, 1, {HEADER_BYTES}) FROM sealing_check")}
    for one in COLUMNS:
        headers |= {bytes(row[0]) for row in _asked(path, f"SELECT DISTINCT substr({one.column}, 1, {HEADER_BYTES}) FROM {one.table}")}
    return Copied(version, path.stat().st_size, tuple(sorted(map(key_name, headers))))


def _asked(path: Path, sql: str) -> Rows:
    try:
        with _opened(f"{path.resolve().as_uri()}") as connection:
            return connection.execute(sql).fetchall()
    except sqlite3.Error as error:
        raise UnavailableError(f"{path} cannot be used as a database: {error}") from None


@contextlib.contextmanager
def _opened(uri: str, seconds: float = SECONDS) -> Iterator[sqlite3.Connection]:
    connection = sqlite3.connect(uri, timeout=seconds, isolation_level=None, uri=True)
    try:
        yield connection
    finally:
        connection.close()


@contextlib.contextmanager
def _drafted(path: Path) -> Iterator[Path]:
    """An empty file beside that one, for its owner only; gone at the end unless it was moved."""
    draft = path.with_name(f"{path.name}.{secrets.token_hex(8)}")
    os.close(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    try:
        yield draft
    finally:
        draft.unlink(missing_ok=True)


def _give(file: Path, model: Path) -> None:
    """Give it to the owner of another: what root restores, the server must go on using."""
    owner = model.stat()
    if (owner.st_uid, owner.st_gid) != (os.geteuid(), os.getegid()):
        os.chown(file, owner.st_uid, owner.st_gid, follow_symlinks=False)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
