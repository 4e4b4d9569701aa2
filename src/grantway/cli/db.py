"""`grantway db`: the database itself. What it holds, whether it is sound, its schema, and copies of it."""

import asyncio
import contextlib
import os
import secrets
import shlex
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Annotated, TypeVar

import typer

from grantway import folder_lock, master_key
from grantway.app import in_use, utc_now
from grantway.cli import db_move, db_words
from grantway.cli.console import DataOption, JsonOption, fail, print_json
from grantway.cli.offline import nothing_in, refuse_without_schema
from grantway.config import Config
from grantway.config_sources import load
from grantway.oauth_error import UnavailableError
from grantway.sealing import Sealing
from grantway.storage import migrate, soundness, sqlite_file, sqlite_look
from grantway.storage.database import Database
from grantway.storage.engine import Engine, SqliteEngine, engine
from grantway.storage.sealing_check import Seals
from grantway.storage.soundness import Step
from grantway.storage.sqlite_file import Restored
from grantway.storage.sqlite_look import Copied, UnfitFileError

T = TypeVar("T")

app = typer.Typer(help="The database: what it holds, whether it is sound, its schema, and copies of it.", no_args_is_help=True)

BackupFile = Annotated[Path, typer.Argument(metavar="FILE", show_default=False)]
_MIB = 1024 * 1024
_AS_WHOM = "Tell it the user and the password in PGUSER and PGPASSWORD, or in ~/.pgpass."


@app.command("status")
def status(data: DataOption = None, json: JsonOption = False) -> None:
    """Say which database it is, whether its schema is this program's, and how many rows each table has.

    Exit code 1: the schema is not this program's.
    """
    config, chosen = _chosen(data)
    refuse_without_schema(chosen)

    async def work(database: Database) -> tuple[int, dict[str, int]]:
        return await soundness.schema(database), await soundness.rows_by_table(database)

    found, tables = _asked(config, chosen, work)
    sizes = sqlite_look.sizes(chosen.path) if isinstance(chosen, SqliteEngine) else None
    known = migrate.all_migrations()
    missing = [step.name for step in known[found:]]
    if json:
        about = {"place": chosen.place, "bytes": sizes, "schema": found, "program_schema": known[-1].version}
        print_json({**about, "missing": missing, "rows": tables})
    else:
        print(f"database  {chosen.place}" + (f" ({_size(sizes['database'])}, log {_size(sizes['log'])})" if sizes else ""))
        print(f"schema    {db_words.compared(found, known[-1].version, missing)}")
        for table, count in tables.items():
            print(f"{count:>12,}  {table}")
    if found != known[-1].version:
        raise SystemExit(1)


@app.command("check")
def check(data: DataOption = None, json: JsonOption = False) -> None:
    """Check step by step that the database is whole and that what it holds is sound. A server may run meanwhile.

    Exit code 1: something is wrong.
    """
    config, chosen = _chosen(data)
    refuse_without_schema(chosen)

    def seals() -> Seals:
        return Seals(_sealing(config), secrets.token_bytes)

    steps = _file_steps(chosen.path) if isinstance(chosen, SqliteEngine) else []
    steps += _asked(config, chosen, lambda database: soundness.check(database, seals, utc_now()))
    if json:
        print_json([db_words.as_json(at, step) for at, step in enumerate(steps, 1)])
    else:
        print("\n".join(db_words.told(steps)))
    if any(step.faults for step in steps):
        raise SystemExit(1)


@app.command("upgrade")
def upgrade(data: DataOption = None, json: JsonOption = False) -> None:
    """Bring the database to this program's schema without starting a server. Every start does the same.

    In a PostgreSQL database that is still empty it makes the tables, once the master key is in the settings.
    """
    config, _ = load(os.environ, data=data)
    chosen = engine(config.database, config.data)
    exists = asyncio.run(chosen.exists())
    if not exists and isinstance(chosen, SqliteEngine):
        fail(nothing_in(chosen), 2)
    if not exists and not config.master_key:  # a server would look for the key that belongs to these tables, and find none
        fail("set GRANTWAY_MASTER_KEY or its file first: in an empty database, tables are made only for a key that is there", 2)
    refuse_without_schema(chosen)
    before = _asked(config, chosen, soundness.schema) if exists else 0
    with in_use(config, chosen):
        after = asyncio.run(chosen.upgrade())
    applied = [step.name for step in migrate.all_migrations()[before:]]
    if json:
        print_json({"before": before, "after": after, "applied": applied})
    elif applied:
        began = f"Schema {before} is now" if before else "The database was empty; its schema is now"
        print(f"{began} {after}: {', '.join(applied)}.")
    else:
        print(f"Schema {after} is this program's already.")


@app.command("backup")
def backup(file: BackupFile, data: DataOption = None, json: JsonOption = False) -> None:
    """Copy the database to FILE while a server runs. FILE must not be there; only you may read it. The master key is not in it."""
    config, _ = load(os.environ, data=data)
    chosen = engine(config.database, config.data)
    if not isinstance(chosen, SqliteEngine):
        copying = f"pg_dump --format=custom --file={shlex.quote(str(file))} {shlex.quote(chosen.place)}"
        fail(f"PostgreSQL copies its databases itself: {copying}\n{_AS_WHOM}", 2)
    _chosen(data)  # for its message where there is no database
    with in_use(config, chosen), _refusing(file):
        try:
            refuse_without_schema(chosen)
            copied = sqlite_file.back_up(chosen.path, file)
        except (UnavailableError, UnfitFileError) as error:
            fail(f"no copy was made at {file}: {error}", 3)
    if json:
        print_json({"file": str(file), "schema": copied.schema, "bytes": copied.size, "master_keys": copied.master_keys})
        return
    print(f"Copied {chosen.place} to {file}: {_about(copied)}.")
    print(f"The master key is not in it. It opens only with {' and '.join(copied.master_keys)}: keep that key elsewhere, and as long.")


@app.command("restore")
def restore(file: BackupFile, data: DataOption = None, json: JsonOption = False) -> None:
    """Put the copy in FILE in the place of the database. No server may run. The database of before is put aside, not removed.

    FILE must be sound, of a schema that this program knows, and sealed under the master key that is here.
    """
    config, _ = load(os.environ, data=data)
    chosen = engine(config.database, config.data)
    if not isinstance(chosen, SqliteEngine):
        restoring = f"pg_restore --clean --if-exists --single-transaction --dbname={shlex.quote(chosen.place)} {shlex.quote(str(file))}"
        fail(f"PostgreSQL restores its copies itself, while no server runs: {restoring}\n{_AS_WHOM}", 2)
    if not file.is_file():
        fail(f"{file} is no file", 2)
    config.data.mkdir(mode=0o700, parents=True, exist_ok=True)
    key_file = config.data / master_key.FILE_NAME
    if not config.master_key and not key_file.exists():
        fail(f"{key_file} is missing. Put the key that the copy takes there first, or set GRANTWAY_MASTER_KEY.", 3)
    path = chosen.path
    aside = path.with_name(f"{path.name}.before-{utc_now():%Y%m%dT%H%M%S.%fZ}")
    busy = f"a server or a command has the database in {config.data} open; stop it first"
    with folder_lock.held(config.data, folder_lock.IN_USE, busy, alone=True), _refusing(file):
        done = sqlite_file.put_back(file, path, aside, _sealing(config), utc_now())
    if json:
        before = str(done.before) if done.before else None
        kept = {"revocations_kept": done.revocations, "ended_since": done.ended}
        print_json({"schema": done.copied.schema, "bytes": done.copied.size, "before": before, **kept})
    else:
        print("\n".join(_restored(file, path, done)))


app.command("move")(db_move.move)


def _restored(file: Path, path: Path, done: Restored) -> Iterator[str]:
    yield f"Restored {path} from {file}: {_about(done.copied)}."
    yield "Nobody is signed in, and codes that were not used at the time of the backup have ended."
    if done.before is not None:
        yield f"The database of before is {done.before}; remove it when all is well."
    if done.revocations is None:
        yield "It could not be read: what was revoked since the backup works again, and what was given since goes on unseen, until it ends."
    elif done.before is not None:
        yield f"Revocations since the backup are kept: {done.revocations:,}."
        if done.ended:
            yield f"What was given since the backup has ended, for nobody could see it here or take it back: {done.ended:,}."
    if done.copied.schema < migrate.all_migrations()[-1].version:
        yield "Its schema is older than this program's; the next start, or `grantway db upgrade`, brings it up."


def _chosen(data: Path | None) -> tuple[Config, Engine]:
    """The settings and the database that they name; ends with a clear message where there is none."""
    config, _ = load(os.environ, data=data)
    chosen = engine(config.database, config.data)
    if not asyncio.run(chosen.exists()):
        fail(nothing_in(chosen), 2)
    return config, chosen


def _sealing(config: Config) -> Sealing:
    return Sealing(master_key.load(config.data, config.master_key, database_exists=True).current)


def _asked(config: Config, chosen: Engine, work: Callable[[Database], Awaitable[T]]) -> T:
    """Do `work` on the database as it is, whatever its schema."""

    async def opened() -> T:
        database = chosen.open(lambda _seconds: None)
        try:
            return await work(database)
        finally:
            await database.close()

    with in_use(config, chosen):
        # meanwhile no restore may put another file there
        return asyncio.run(opened())


@contextlib.contextmanager
def _refusing(file: Path) -> Iterator[None]:
    """End with a clear message where that file cannot be written or restored."""
    try:
        yield
    except FileExistsError:
        fail(f"{file} is there already; a copy never overwrites anything", 2)
    except UnfitFileError as error:
        fail(f"{file} was not taken: {error}", 1)


def _file_steps(path: Path) -> list[Step]:
    """What only SQLite can be asked."""
    steps = []
    for what, ask in (("the file is whole", sqlite_look.page_faults), ("no reference leads nowhere", sqlite_look.reference_faults)):
        try:
            steps.append(Step(what, tuple(ask(path))))
        except UnavailableError as error:
            steps.append(Step(what, (str(error),)))
    return steps


def _about(copied: Copied) -> str:
    return f"{_size(copied.size)}, schema {copied.schema}"


def _size(count: int) -> str:
    return f"{count / _MIB:,.1f} MiB"
