"""What an exchange costs beside a million clients, ten million past grants and a million findings, against a thousand of each."""

import argparse
import asyncio
import contextlib
import os
import secrets
import shutil
import statistics
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from bench import bulk, filling, flow, servers
from bench.exchange import Load, Round
from bench.filling import Place, Sizes
from bench.load import drive

BAR = 1.15
NAMES = ("little", "much")
LITTLE = Sizes(clients=1000, grants=1000, findings=1000)
MUCH = Sizes(clients=1_000_000, grants=10_000_000, findings=1_000_000)
BYTES_A_GRANT = 2500
"""On the disk, with its request, its consent and all indexes, and what making them takes for a while."""


@dataclass(frozen=True, slots=True)
class Side:
    """A running server over a filled database, people who consent, and the apps that exchange."""

    server: servers.Server
    walk: flow.Walk
    apps: Sequence[flow.App]

    def measured(self, load: Load) -> Round:
        """One round: codes for each of the apps by turns, redeemed."""
        codes = flow.codes(self.walk, load.requests, load.connections, self.apps)
        requests = [flow.token_request(self.walk.port, self.apps[at % len(self.apps)], code) for at, code in enumerate(codes)]
        cpu = self.server.cpu_seconds()
        run = drive(self.server.port, requests, connections=load.connections)
        cpu = self.server.cpu_seconds() - cpu
        flow.check_distinct(run.bodies, "access_grant")
        busy = run.generator_cpu / run.seconds
        return Round(run.rate, run.percentile(0.5), run.percentile(0.99), cpu / len(requests) * 1e6, busy)


@contextlib.contextmanager
def places(folder: Path | None, url: str, *, keep: bool) -> Iterator[tuple[Place, Place]]:
    """Where the two databases go: into `folder`, or a new one in build/; and, with the URL of a PostgreSQL server, into two databases of
    their own there. What was made is removed at the end unless it is to stay."""
    build = servers.HERE.parent / "build"
    build.mkdir(exist_ok=True)
    root = folder or Path(tempfile.mkdtemp(prefix="growth-", dir=build))
    names = {name: f"grantway_{name}_{secrets.token_hex(4)}" for name in NAMES} if url else dict.fromkeys(NAMES, "")
    for name in NAMES:
        (root / name).mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        little, much = (Place(root / name, asyncio.run(bulk.new_database(url, own)) if own else "") for name, own in names.items())
        yield little, much
    finally:
        for name, own in names.items():
            if keep:
                print(f"kept: {root / name} {own}")
                continue
            shutil.rmtree(root / name, ignore_errors=True)
            if own:
                asyncio.run(bulk.drop_database(url, own))
        if folder is None and not keep:
            root.rmdir()


def fill(place: Place, sizes: Sizes) -> None:
    """Fill a fresh database, unless there is one from before; ends when the disk has no room for it."""
    needed, free, name = sizes.grants * BYTES_A_GRANT, shutil.disk_usage(place.data).free, place.data.name
    if place.file.exists():
        print(f"{name}: found", flush=True)
    elif needed > free:
        raise SystemExit(f"{name}: {needed / 1e9:.0f} GB are needed in {place.data}, {free / 1e9:.0f} GB are free; try a smaller --scale")
    else:
        print(f"{name}: {sizes.clients:,} clients, {sizes.grants:,} past grants, {sizes.findings:,} findings", flush=True)
        asyncio.run(filling.fill(place, sizes))
    if place.file.exists():
        print(f"  {place.file.stat().st_size / 1e9:.2f} GB", flush=True)


@contextlib.contextmanager
def side(place: Place) -> Iterator[Side]:
    """A server over that database."""
    apps = asyncio.run(filling.apps_of(place))
    with servers.grantway(place.data, settings=place.settings) as server:
        print(f"{place.data.name}: answers {server.ready_after:.2f} s after its start", flush=True)
        yield Side(server, flow.prepare(server.port, 8), apps)


def compare(little: Side, much: Side, load: Load, rounds: int, warm_up: int) -> list[tuple[Round, Round]]:
    """Pairs of rounds; each side is first in every second pair."""
    pairs = []
    for number in range(-warm_up, rounds):
        order = (little, much) if number % 2 else (much, little)
        measured = {id(each): each.measured(load) for each in order}
        pair = measured[id(little)], measured[id(much)]
        print(_line("warm-up" if number < 0 else f"round {number + 1}", pair), flush=True)
        if number >= 0:
            pairs.append(pair)
    return pairs


def _line(label: str, pair: tuple[Round, Round]) -> str:
    figures = (f"{one.rate:7,.0f}/s {one.p50:6.2f} {one.p99:6.2f} ms {one.server_cpu:5.0f} µs" for one in pair)
    return f"{label:8} │ {' │ '.join(figures)} │ {pair[1].server_cpu / pair[0].server_cpu:5.2f} {pair[0].rate / pair[1].rate:5.2f}"


def report(pairs: list[tuple[Round, Round]]) -> bool:
    """Print medians and ratios; whether both stay within the bar."""
    little, much = (
        Round(*(statistics.median(values) for values in zip(*(asdict(one).values() for one in each), strict=True)))
        for each in zip(*pairs, strict=True)
    )
    print(_line("median", (little, much)))
    cpu = statistics.median(more.server_cpu / less.server_cpu for less, more in pairs)
    slower = statistics.median(less.rate / more.rate for less, more in pairs)
    met = max(cpu, slower) <= BAR
    print(f"median ratio: {cpu:.2f} of the CPU, {slower:.2f} times as slow; bar {BAR}: {'met' if met else 'not met'}")
    return met


def main() -> int:
    """Fill, measure, print, and give 1 when the bar isn't met."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scale", type=float, default=1.0, help="of the larger database; 0.01 to try")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--warm-up", type=int, default=2)
    parser.add_argument("--requests", type=int, default=2560, help="exchanges a round; their codes live 30 s")
    parser.add_argument("--connections", type=int, default=32)
    parser.add_argument("--folder", type=Path, help="where the databases are made; those of before are used again (default: in build/)")
    parser.add_argument("--database", default="", help="URL of a PostgreSQL server, of a superuser: two databases are made there")
    parser.add_argument("--keep", action="store_true", help="leave the databases where they are")
    asked = parser.parse_args()
    load = Load(asked.requests, asked.connections)
    with places(asked.folder, asked.database, keep=asked.keep) as (small, large):
        fill(small, LITTLE)
        fill(large, MUCH.scaled(asked.scale))
        os.sync()  # or the disk would write what was filled in while it is measured
        servers.pin_this_process()
        with side(small) as little, side(large) as much:
            print("rate, p50, p99, the server's CPU an exchange; ratios of CPU and of time")
            pairs = compare(little, much, load, asked.rounds, asked.warm_up)
            for each, name in ((little, "little"), (much, "much")):
                print(f"{name}: {each.server.memory():.0f} MiB resident")
    return 0 if report(pairs) else 1


if __name__ == "__main__":
    sys.exit(main())
