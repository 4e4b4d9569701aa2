"""Which engine the tests run on: SQLite, or a real PostgreSQL when GRANTWAY_TEST_ENGINE is `postgresql`."""

import functools
import os
from typing import Any

from tests.postgres import Postgres

IS_POSTGRES = os.environ.get("GRANTWAY_TEST_ENGINE") == "postgresql"


@functools.cache
def postgres() -> Postgres:
    """This process's server."""
    return Postgres()


@functools.cache
def database_settings(data: str) -> dict[str, Any]:
    """The settings that name a database of its own for this data folder: the same again for the same folder."""
    return {"database": postgres().new_database()} if IS_POSTGRES else {}
