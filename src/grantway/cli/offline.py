"""Commands that work on the data folder without a running server: the same use cases, wired the same way."""

import asyncio
import os
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar

from grantway import app
from grantway.app import Grantway
from grantway.cli.console import fail
from grantway.config import Config
from grantway.config_sources import load
from grantway.storage import sqlite_look
from grantway.storage.engine import Engine, SqliteEngine, engine

T = TypeVar("T")


def with_grantway(data: Path | None, work: Callable[[Grantway], Awaitable[T]], *, must_exist: bool = True) -> T:
    """Do `work` on what the data folder holds. A server may run on the same folder meanwhile."""
    config, _ = load(os.environ, data=data)
    return asyncio.run(_opened(config, work, must_exist))


def nothing_in(chosen: Engine) -> str:
    """What to say where a command needs a database, and none was ever begun."""
    if isinstance(chosen, SqliteEngine):
        return f"there is no database at {chosen.place}; name the folder with --data, or start a server there first"
    return f"there is no database of Grantway in {chosen.place} yet; make it with `grantway db upgrade`, or start a server on it"


def refuse_without_schema(chosen: Engine) -> None:
    """End with a clear message where the SQLite file has no tables of ours; a PostgreSQL database without them counts as none."""
    if isinstance(chosen, SqliteEngine) and not sqlite_look.has_schema(chosen.path):
        fail(f"{chosen.place} has no tables of Grantway: it is another program's, or its first start did not come to its end", 3)


async def _opened(config: Config, work: Callable[[Grantway], Awaitable[T]], must_exist: bool) -> T:
    chosen = engine(config.database, config.data)
    if must_exist and not await chosen.exists():
        fail(nothing_in(chosen), 2)
    async with app.opened(config) as grantway:
        return await work(grantway)
