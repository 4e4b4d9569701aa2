"""Database files: asked and changed without Grantway, and made unusable."""

import os
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

from grantway.storage import migrate
from grantway.storage.sqlite import FILE_NAME

LATEST = migrate.all_migrations()[-1]


def changed(data: Path, *statements: str) -> None:
    with closing(sqlite3.connect(data / FILE_NAME)) as raw:
        for statement in statements:
            raw.execute(statement)
        raw.commit()


def asked(database: Path, sql: str) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(database)) as raw:
        return raw.execute(sql).fetchall()


def cut_off(file: Path, data: Path) -> None:
    """The beginning of a sound database."""
    whole = (data / FILE_NAME).read_bytes()
    file.write_bytes(whole[: len(whole) // 2])


def somebody_elses(data: Path, file: Path) -> None:
    with closing(sqlite3.connect(file)) as raw:
        raw.execute("CREATE TABLE recipes (name TEXT)")
        raw.commit()


def damaged(data: Path, file: Path) -> None:
    whole = bytearray((data / FILE_NAME).read_bytes())
    whole[8192:30_000] = os.urandom(30_000 - 8192)
    file.write_bytes(whole)
