"""Six hundred days of mixed load in ten minutes: do tables, files or memory keep growing?"""

import argparse
import asyncio
import json
import statistics
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import httpx

from bench import flow, servers
from bench.soak_life import Life, Person
from bench.soak_server import TABLES
from bench.stepping_clock import EVERY, SteppingClock

DAYS = 600
KEPT = {"GRANTWAY_HISTORY_DAYS": "60", "GRANTWAY_AUDIT_DAYS": "60", "GRANTWAY_FINDINGS_DAYS": "14"}
"""Shorter than by default, so that all that is kept has come to its full size within the first third of the days."""
GROWTH_BAR, ROWS_SLACK = 0.10, 50
MEMORY_GROWTH_BAR, MEMORY_SLACK_MIB = 0.05, 4.0
FILE_GROWTH_BAR, FILE_SLACK_MIB = 0.10, 1.0
SAMPLE_SECONDS = 2.0
PEOPLE, APPS = 8, 6

Series = dict[str, list[float]]


async def live(life: Life, rate: float, seconds: float) -> None:
    """Everything that happens at the server in that time."""
    await life.begin(APPS)
    await life.go_on(rate, seconds - (time.monotonic() - life.clock.began))


async def watch(server: servers.Server, data: Path, samples: Path, clock: SteppingClock, seconds: float, life: Life) -> Series:
    """What the server holds, each two seconds: MiB resident, MiB of the files, rows of each table; and how many answers it had given.
    Printed each minute."""
    series: Series = {name: [] for name in ("resident MiB", "database MiB", "log MiB", *TABLES, "answers")}
    told = -60.0
    while (passed := time.monotonic() - clock.began) < seconds:
        await asyncio.sleep(SAMPLE_SECONDS)
        last = _last(samples)
        if last is None:
            continue
        series["answers"].append(life.answers.total())
        series["resident MiB"].append(server.memory())
        series["database MiB"].append(_mib(data / "grantway.db"))
        series["log MiB"].append(_mib(data / "grantway.db-wal"))
        for table in TABLES:
            series[table].append(last["rows"][table])
        if passed - told >= 60:
            told = passed
            print(_line(f"day {last['day']:3.0f}", {name: values[-1] for name, values in series.items()}), flush=True)
    print(_line("the end", {name: values[-1] for name, values in series.items()}), flush=True)
    return series


def _last(samples: Path) -> Any:
    """The newest sample, or None while there is none."""
    lines = samples.read_text().splitlines() if samples.exists() else []
    return json.loads(lines[-1]) if lines else None


def _mib(path: Path) -> float:
    return path.stat().st_size / 2**20 if path.exists() else 0.0


def _line(label: str, values: Mapping[str, float]) -> str:
    return f"{label:8} " + " ".join(f"{values[name]:{max(len(name), 7)}.{1 if 'MiB' in name else 0}f}" for name in values)


def thirds(values: Sequence[float]) -> tuple[list[float], list[float]]:
    """The second and the last third."""
    third = len(values) // 3
    return list(values[third : 2 * third]), list(values[2 * third :])


def growth(name: str, values: Sequence[float]) -> tuple[float, float]:
    """What stands for the second and for the last third: the mean; of memory the lower quartile, for a derivation takes 64 MiB of it and
    gives them back."""
    second, last = thirds(values)
    if name == "resident MiB":
        return statistics.quantiles(second, n=4)[0], statistics.quantiles(last, n=4)[0]
    return statistics.fmean(second), statistics.fmean(last)


def report(series: Series) -> bool:
    """Print what kept growing after the first third; whether nothing did. Rows may be as many more as answers were."""
    answers = [one[-1] - one[0] for one in thirds(series.pop("answers"))]
    busier = max(1.0, answers[1] / max(1.0, answers[0]))
    print(f"the second and the last third of the time, with {answers[0]:,.0f} and {answers[1]:,.0f} answers:")
    held = True
    for name, values in series.items():
        second, last = growth(name, values)
        share, slack = GROWTH_BAR, float(ROWS_SLACK)
        if "MiB" in name:
            is_memory = name == "resident MiB"
            share, slack = (MEMORY_GROWTH_BAR, MEMORY_SLACK_MIB) if is_memory else (FILE_GROWTH_BAR, FILE_SLACK_MIB)
        grew = last > second * (1 + share) * (1.0 if "MiB" in name else busier) + slack
        held = held and not grew
        print(f"  {name:18} {second:10.1f} {last:10.1f}{'   KEEPS GROWING' if grew else ''}")
    return held


async def soak(server: servers.Server, data: Path, samples: Path, clock: SteppingClock, rate: float, seconds: float) -> tuple[Life, Series]:
    """Live and watch at once."""
    # shorter than the server keeps idle connections: else both may decide at the same moment
    limits = httpx.Limits(max_connections=256, keepalive_expiry=2.0)
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{server.port}", timeout=60, trust_env=False, limits=limits) as http:
        people = [Person("/api/v0/auth", f"person-{number}@soak.example") for number in range(PEOPLE)]
        life = Life(http, clock, people, Person(flow.DEVELOPER, "developer@soak.example"))
        _, series = await asyncio.gather(live(life, rate, seconds), watch(server, data, samples, clock, seconds, life))
    return life, series


def main() -> int:
    """Run, print, and give 1 when something keeps growing or an answer was wrong."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=10, help=f"real ones; they stand for {DAYS} days")
    parser.add_argument("--rate", type=float, default=10, help="flows that begin each second, two to four requests each")
    parser.add_argument("--database", default="", help="URL of an empty database; without it, SQLite in build/")
    asked = parser.parse_args()
    seconds = asked.minutes * 60
    servers.pin_this_process()
    with servers.data_directory() as data:
        clock, samples = SteppingClock.now(DAYS * 86_400 / seconds * EVERY), data / "samples.jsonl"
        settings = KEPT | ({"GRANTWAY_DATABASE": asked.database} if asked.database else {})
        with servers.stepping(data, samples, clock.arguments(), settings) as server:
            print(f"every {EVERY:.0f} s the clock jumps {clock.step / 86_400:.1f} days; {asked.rate:.0f} flows a second")
            print("         " + " ".join(f"{name:>7}" for name in ("resident MiB", "database MiB", "log MiB", *TABLES, "answers")))
            life, series = asyncio.run(soak(server, data, samples, clock, asked.rate, seconds))
    for what, count in sorted(life.answers.items()):
        print(f"  {count:7,} {what}")
    for what in life.broken[:20]:
        print(f"  WRONG: {what}")
    return 0 if report(series) and not life.broken else 1


if __name__ == "__main__":
    sys.exit(main())
