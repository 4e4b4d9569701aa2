"""`grantway db move`: from SQLite to PostgreSQL."""

import asyncio
import os
import secrets
from collections.abc import Callable, Iterator
from pathlib import Path

from grantway import folder_lock, master_key
from grantway.app import utc_now
from grantway.cli.console import DataOption, JsonOption, delivered, fail, print_json
from grantway.cli.db_words import as_json, told
from grantway.cli.offline import nothing_in, refuse_without_schema
from grantway.config import Config
from grantway.config_sources import load
from grantway.oauth_error import UnavailableError
from grantway.sealing import Sealing, key_name
from grantway.storage import soundness, sqlite_file, sqlite_look
from grantway.storage.engine import PostgresEngine, SqliteEngine
from grantway.storage.sealing_check import Seals
from grantway.storage.soundness import Step
from grantway.storage.sqlite import FILE_NAME
from grantway.storage.sqlite_look import UnfitFileError


def move(data: DataOption = None, json: JsonOption = False) -> None:
    """Move all that the SQLite database holds into the PostgreSQL database of the settings, which must be empty. No server may run.

    Either all of it is there at the end or nothing. The SQLite database is put aside then, not removed. Exit code 1: nothing was moved,
    because one of the databases is not fit, or what was moved is not sound.
    """
    config, _ = load(os.environ, data=data)
    if not config.database:
        fail("set GRANTWAY_DATABASE, or its file, to the postgresql:// URL of the empty database to move to", 2)
    source, target = SqliteEngine(config.data / FILE_NAME), PostgresEngine(config.database)
    if not asyncio.run(source.exists()):
        fail(nothing_in(source), 2)
    refuse_without_schema(source)
    sealing = Sealing(master_key.load(config.data, config.master_key, database_exists=True).current)
    aside = source.path.with_name(f"{FILE_NAME}{sqlite_file.MOVED}{utc_now():%Y%m%dT%H%M%S.%fZ}")
    busy = f"a server or a command has the database in {config.data} open; stop it first"
    with folder_lock.held(config.data, folder_lock.IN_USE, busy, alone=True):
        rows = _moved(source, target, sealing, (lambda _table, _count: None) if json else _tell)
        try:
            sqlite_file.put_aside(source.path, aside)
        except OSError as error:  # such as of a file that is mounted by itself
            why = error.strerror or type(error).__name__
            fail(f"all of it is in {target.place}, but {source.path} cannot be put aside ({why}): do so before any server starts", 3)
    steps = asyncio.run(_checked(target, sealing))
    if json:
        checks = [as_json(at, step) for at, step in enumerate(steps, 1)]
        print_json({"place": target.place, "rows": rows, "before": str(aside), "checks": checks})
    else:
        print("\n".join(_told(config, target, sealing, rows, aside, steps)))
    if any(step.faults for step in steps):
        raise SystemExit(1)


def _tell(table: str, count: int) -> None:
    """A large table takes minutes: tell each as it comes."""
    try:
        with delivered():
            print(f"{count:>12,}  {table}")
    except OSError as error:  # else it would pass for one of PostgreSQL's
        raise UnavailableError(f"nothing was moved, for the output cannot be written: {error.strerror}") from None


def _moved(source: SqliteEngine, target: PostgresEngine, sealing: Sealing, copied: Callable[[str, int], None]) -> dict[str, int]:
    """The number of rows of each table. The source is as it was, but for its schema, and is not in use."""
    from grantway.storage import moving  # noqa: PLC0415 - PostgreSQL's driver is loaded where it is used

    sqlite_file.fold_log(source.path)
    try:
        sqlite_look.refuse_unfit(source.path, sealing)
        asyncio.run(moving.refuse_used(source.path, target.url))
        asyncio.run(target.upgrade())
        asyncio.run(source.upgrade())
        sqlite_file.fold_log(source.path)  # an upgrade opens one
        return asyncio.run(moving.move(source.path, target.url, copied))
    except UnfitFileError as error:
        fail(f"{source.path} was not moved: {error}", 1)
    except moving.NotEmptyError as error:
        fail(f"nothing was moved: {target.place} is not empty, {error}", 1)


async def _checked(target: PostgresEngine, sealing: Sealing) -> list[Step]:
    database = target.open(lambda _seconds: None)
    try:
        return await soundness.check(database, lambda: Seals(sealing, secrets.token_bytes), utc_now())
    finally:
        await database.close()


def _told(config: Config, target: PostgresEngine, sealing: Sealing, rows: dict[str, int], aside: Path, steps: list[Step]) -> Iterator[str]:
    yield f"Moved {sum(rows.values()):,} rows to {target.place}. Checked there:"
    yield from told(steps)
    yield f"The SQLite database is now {aside}; remove it when all is well."
    names = " and ".join(map(key_name, sealing.headers()))
    yield f"Start servers with this GRANTWAY_DATABASE and the master key {names}, on every host: {_where(config)}."


def _where(config: Config) -> str:
    return "it is in the settings" if config.master_key else f"it is in {config.data / master_key.FILE_NAME}"
