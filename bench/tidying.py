"""A million ended grants and a million old findings are removed: how long a batch holds the writer, and what exchanges meet meanwhile."""

import argparse
import asyncio
import statistics
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bench import filling, flow, servers
from bench.filling import Place, Sizes
from bench.load import Run, drive
from grantway.storage import housekeeping
from grantway.storage.housekeeping import Kept
from grantway.storage.sqlite import FILE_NAME, SqliteDatabase

ENDED_AGO = timedelta(days=600)
BATCH_BAR = 50.0
"""Milliseconds of which 99 of 100 batches must stay within: so long an exchange may wait for one."""
DAY = timedelta(days=1)
KEPT = Kept(findings=14 * DAY, history=400 * DAY, audit=400 * DAY)


async def tidy(data: Path) -> list[float]:
    """Remove what is left, with nobody else there; milliseconds of each batch, from its first statement to its commit."""
    took: list[float] = []
    database = SqliteDatabase(data / FILE_NAME, lambda seconds: took.append(seconds * 1000))
    began = time.perf_counter()
    try:
        # later than it is: the server that ran before has the turn for some minutes still
        removed = await housekeeping.tidy(database, KEPT, datetime.now(UTC) + housekeeping.TURN)
    finally:
        await database.close()
    print(f"alone: {removed:,} rows removed in {time.perf_counter() - began:.0f} s", flush=True)
    return took


def exchange(data: Path, what: str, count: int, rounds: int) -> None:
    """Rounds of exchanges at a server that tidies as soon as it has started."""
    with servers.grantway(data) as server:
        walk, runs = flow.prepare(server.port, 8), list[Run]()
        for _ in range(rounds):
            requests = [flow.token_request(walk.port, walk.app, code) for code in flow.codes(walk, count)]
            runs.append(drive(server.port, requests, connections=32))
    rate, tail = statistics.median(run.rate for run in runs), statistics.median(run.percentile(0.99) for run in runs)
    print(f"{what}: {rate:,.0f} exchanges a second, p99 {tail:.1f} ms (medians of {rounds})", flush=True)


def report(took: list[float]) -> bool:
    """Print the batches' times; whether they stay within the bar."""
    parts = statistics.quantiles(took, n=100)
    print(
        f"{len(took):,} batches of {housekeeping.BATCH} rows at most: p50 {parts[49]:.1f} ms, p99 {parts[98]:.1f}, at most {max(took):.1f}"
    )
    print(f"bar: 99 of 100 batches within {BATCH_BAR:.0f} ms: {'met' if parts[98] <= BATCH_BAR else 'not met'}")
    return parts[98] <= BATCH_BAR


def main() -> int:
    """Measure, print, and give 1 when a batch takes too long."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scale", type=float, default=1.0, help="0.01 to try")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--requests", type=int, default=2000, help="exchanges a round; their codes live 30 s")
    asked = parser.parse_args()
    servers.pin_this_process()
    with servers.data_directory() as data:
        sizes = Sizes(clients=10_000, grants=1_000_000, findings=1_000_000).scaled(asked.scale)
        print(f"{sizes.grants:,} ended grants with requests and consents, {sizes.findings:,} old findings", flush=True)
        asyncio.run(filling.fill(Place(data), sizes, ENDED_AGO))
        exchange(data, "while it tidies", asked.requests, asked.rounds)
        took = asyncio.run(tidy(data))
        exchange(data, "with nothing to tidy", asked.requests, asked.rounds)
    return 0 if report(took) else 1


if __name__ == "__main__":
    sys.exit(main())
