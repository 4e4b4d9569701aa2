"""Grantway with a stepping clock, tidied each second; it writes down now and then how many rows each table has."""

import asyncio
import contextlib
import json
import os
import sys
import time
from collections.abc import AsyncIterator
from dataclasses import asdict, dataclass
from datetime import timedelta
from pathlib import Path

from bench.stepping_clock import SteppingClock
from grantway import app
from grantway.app import Grantway
from grantway.cli import log_lines, serve
from grantway.config_sources import load
from grantway.oauth_error import UnavailableError
from grantway.storage import housekeeping

TABLES = (
    "accounts",
    "sessions",
    "projects",
    "clients",
    "client_secrets",
    "requests",
    "consents",
    "codes",
    "revoked_tails",
    "exposed_assertions",
    "findings",
    "usage",
    "audit",
)
REVOKED_KEPT = timedelta(days=60)
"""In place of 400 days, which would not be over before the soak is."""
TIDY_SECONDS = 1.0
SAMPLE_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class Sample:
    """How many rows each table has, so many real seconds after the clock began; what day it then was on the clock, from 0."""

    second: float
    day: float
    rows: dict[str, int]


async def take_sample(grantway: Grantway, clock: SteppingClock) -> Sample:
    """Count every table."""
    rows = {table: int((await grantway.database.read(f"SELECT count(*) FROM {table}"))[0][0]) for table in TABLES}
    day = (clock().timestamp() - clock.start) / 86_400
    return Sample(time.monotonic() - clock.began, day, rows)


@contextlib.asynccontextmanager
async def watched(grantway: Grantway, clock: SteppingClock, samples: Path) -> AsyncIterator[None]:
    """While this is open the server is tidied, as `grantway serve` does it each ten minutes, and its tables are counted."""

    async def keep_tidy() -> None:
        while True:
            with contextlib.suppress(UnavailableError):
                await grantway.tidy(clock())
            await asyncio.sleep(TIDY_SECONDS)

    async def keep_count() -> None:
        while True:
            with samples.open("a") as file:
                file.write(json.dumps(asdict(await take_sample(grantway, clock))) + "\n")
            await asyncio.sleep(SAMPLE_SECONDS)

    tasks = [asyncio.create_task(work()) for work in (keep_tidy, keep_count)]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def run(samples: Path, clock: SteppingClock) -> None:
    """The server that the environment describes, until it is told to stop."""
    config, _ = load(os.environ)
    log_lines.set_up(config.log_level, config.log_format)
    housekeeping.REVOKED_KEPT = REVOKED_KEPT
    listening, config = serve.listen(config)
    async with app.opened(config, clock) as grantway, watched(grantway, clock, samples):
        await serve.HttpServer(grantway).serve([listening])


if __name__ == "__main__":
    serve.run(run(Path(sys.argv[1]), SteppingClock(*(float(text) for text in sys.argv[2:5]))))
