"""One process against several workers on the same cores: exchanges a second, CPU, how connections were shared out, idle memory, start."""

import argparse
import contextlib
import os
import statistics
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from bench import flow, postgres, quota, servers
from bench.load import drive

READY_AFTER = 2.0
MIB = 1024.0


@dataclass(frozen=True, slots=True)
class Round:
    """One round: latencies in milliseconds, CPU of all of the server's processes in microseconds an exchange, each one's share of it."""

    rate: float
    p50: float
    p99: float
    cpu: float
    shares: list[float]


def _processes(server: servers.Server) -> list[int]:
    pid = server.process.pid
    children = [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    return children or [pid]


def _cpu_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _memory(pid: int) -> tuple[float, float]:
    """MiB: resident, and this process's part of it where pages shared with others count in parts."""
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()[1:]
    sizes = {line.split(":")[0]: int(line.split()[1]) for line in lines}
    return sizes["Rss"] / MIB, sizes["Pss"] / MIB


def measure(server: servers.Server, walk: flow.Walk, count: int, connections: int) -> Round:
    """Fetch codes, sign, redeem."""
    requests = [flow.token_request(walk.port, walk.app, code) for code in flow.codes(walk, count)]
    before = [_cpu_seconds(pid) for pid in _processes(server)]
    run = drive(server.port, requests, connections=connections)
    used = [_cpu_seconds(pid) - cpu for pid, cpu in zip(_processes(server), before, strict=True)]
    flow.check_distinct(run.bodies, "access_grant")
    return Round(run.rate, run.percentile(0.5), run.percentile(0.99), sum(used) / count * 1e6, [cpu / sum(used) for cpu in used])


def _line(label: str, one: Round) -> str:
    shares = " ".join(f"{share:.0%}" for share in one.shares)
    return f"{label:12} {one.rate:7,.0f}/s {one.p50:6.2f} {one.p99:6.2f} ms {one.cpu:5.0f} µs  {shares}"


def main() -> int:
    """Measure and print. On two cores the generator and a database need what the workers would use: `--share` leaves it to them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--requests", type=int, default=2000)
    parser.add_argument("--connections", type=int, default=32)
    parser.add_argument("--cores", default="0,1", help="the server's, with commas")
    parser.add_argument("--share", type=float, default=0.0, help="a part of a core, at most, for each process that answers; needs root")
    parser.add_argument("--postgres", action="store_true", help="on a real PostgreSQL in place of SQLite")
    asked = parser.parse_args()
    cores = frozenset(map(int, asked.cores.split(",")))
    with contextlib.ExitStack() as stack:
        root = stack.enter_context(servers.data_directory())
        database = stack.enter_context(postgres.running(postgres.programs(), root, cores)) if asked.postgres else None
        settings = [{"GRANTWAY_DATABASE": database.url(database.make_database())} if database else {} for _ in range(2)]
        one = stack.enter_context(servers.grantway(root / "one", cores=cores, settings=settings[0]))
        several = stack.enter_context(
            servers.grantway(root / "several", cores=cores, settings=settings[1] | {"GRANTWAY_WORKERS": str(asked.workers)})
        )
        time.sleep(READY_AFTER)
        print(f"first answer after {one.ready_after:.2f} s with one process, {several.ready_after:.2f} s with {asked.workers} workers")
        for label, server in (("one process", one), (f"{asked.workers} workers", several)):
            told = ", ".join(f"{resident:.1f} ({part:.1f})" for resident, part in map(_memory, _processes(server)))
            print(f"{label}: MiB resident (with shared pages in parts): {told}")
        print(f"parent: {'{:.1f} ({:.1f})'.format(*_memory(several.process.pid))}")
        if asked.share:
            stack.enter_context(quota.held_to(asked.share, [*_processes(one), *_processes(several)]))
        walks = flow.prepare(one.port), flow.prepare(several.port)
        rounds: list[tuple[Round, Round]] = []
        for number in range(-1, asked.rounds):
            pair = (
                measure(one, walks[0], asked.requests, asked.connections),
                measure(several, walks[1], asked.requests, asked.connections),
            )
            print(_line("one process", pair[0]), "│", _line(f"{asked.workers} workers", pair[1]), flush=True)
            rounds += [pair] * (number >= 0)
    print(f"median ratio of the rates {statistics.median(b.rate / a.rate for a, b in rounds):.2f}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
