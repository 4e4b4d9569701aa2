"""Rounds: each side in turn redeems codes, introspects what it got, and revokes it; all sides run, one at a time is asked."""

import contextlib
import json
import os
import statistics
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from bench import flow, postgres, processes, servers
from bench.compare import proof
from bench.compare.install import Tools
from bench.compare.side import Place, Running, Side
from bench.load import LoadError, drive

JOBS = ("exchange", "introspection", "revocation")
FEWEST, MOST = 64, 6000


@dataclass(frozen=True, slots=True)
class Plan:
    """How much is measured: rounds that count and that don't, about how many seconds a job, how many connections."""

    rounds: int
    warm_up: int
    seconds: float
    connections: int = 32


@dataclass(frozen=True, slots=True)
class Phase:
    """Whose cores are whose, and how many processes a server may have."""

    name: str
    server: frozenset[int]
    database: frozenset[int]
    generator: frozenset[int]


@dataclass(frozen=True, slots=True)
class Figures:
    """One job in one round.

    Requests a second; milliseconds; processor time a request in microseconds, the server's and PostgreSQL's; how busy the generator was.
    """

    rate: float
    p50: float
    p99: float
    server_cpu: float
    database_cpu: float
    generator_busy: float

    @property
    def beside_busy(self) -> float:
        """How much of a core generator and PostgreSQL took together: near 1, they are what limits a side on one core."""
        return self.generator_busy + self.rate * self.database_cpu / 1e6


@dataclass(slots=True)
class Measured:
    """What is known of a side in one phase: a list of figures for each job, one a round."""

    proved: proof.Proved
    rounds: dict[str, list[Figures]] = field(default_factory=lambda: {job: [] for job in JOBS})
    memory: processes.Memory = field(default_factory=lambda: processes.Memory(0, 0))
    count: int = FEWEST

    def median(self, job: str) -> Figures:
        """Each figure's own median."""
        return Figures(*(statistics.median(values) for values in zip(*(asdict(one).values() for one in self.rounds[job]), strict=True)))


ONE_CORE = Phase("one core", frozenset({0}), frozenset({1}), frozenset({1}))
BOTH_CORES = Phase("both cores", *(frozenset({0, 1}),) * 3)


@dataclass(frozen=True, slots=True)
class _Bench:
    """One running side and the database that it may use."""

    side: Running
    database: postgres.Postgres
    connections: int

    def run(self, port: int, requests: Sequence[bytes]) -> tuple[Figures, list[bytes]]:
        """The figures, and what was answered."""
        server, database = processes.cpu_seconds(self.side.server.process.pid), processes.cpu_seconds(self.database.pid)
        run = drive(port, requests, connections=self.connections, patience=120)
        server = processes.cpu_seconds(self.side.server.process.pid) - server
        database = processes.cpu_seconds(self.database.pid) - database
        micros = 1e6 / len(requests)
        busy = run.generator_cpu / run.seconds
        return Figures(run.rate, run.percentile(0.5), run.percentile(0.99), server * micros, database * micros, busy), run.bodies

    def round(self, count: int) -> dict[str, Figures]:
        """All three jobs on `count` codes; LoadError at an answer that isn't what it should be."""
        side, port = self.side, self.side.server.port
        exchange, bodies = self.run(port, [side.exchange(code) for code in side.codes(count)])
        flow.check_distinct(bodies, side.field)
        tokens = [str(json.loads(body)[side.field]) for body in bodies]
        introspection, answers = self.run(side.introspection_port, [side.introspect(token) for token in tokens])
        if not all(json.loads(answer)["active"] for answer in answers):
            raise LoadError("an introspection says that a living token is dead")
        revocation, _ = self.run(port, [side.revoke(token) for token in tokens])
        return dict(zip(JOBS, (exchange, introspection, revocation), strict=True))


@contextlib.contextmanager
def _told_whose(side: Side) -> Iterator[None]:
    try:
        yield
    except LoadError as fault:
        raise LoadError(f"{side.name}, {side.storage}: {fault}") from fault


def _measure_once(bench: _Bench, side: Side, measured: Measured, plan: Plan, number: int) -> None:
    with _told_whose(side):
        figures = bench.round(measured.count)
    measured.count = max(FEWEST, min(MOST, round(figures["exchange"].rate * plan.seconds)))
    if number >= 0:
        for job in JOBS:
            measured.rounds[job].append(figures[job])
    label = f"round {number + 1}" if number >= 0 else "warm-up"
    told = "   ".join(f"{job} {one.rate:7,.0f}/s" for job, one in figures.items())
    print(f"{label:8} {side.name + ', ' + side.storage:34} {told}", flush=True)


def measure(sides: Sequence[Side], phase: Phase, plan: Plan, tools: Tools) -> dict[str, Measured]:
    """Start all, prove each, and take turns; what was measured, by the sides' keys."""
    servers.pin_this_process()
    os.sched_setaffinity(0, phase.generator)
    measured: dict[str, Measured] = {}
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(servers.data_directory()))
        print(f"{phase.name}; 4 KiB written and synced on this disk: {servers.sync_milliseconds(folder):.2f} ms", flush=True)
        database = stack.enter_context(postgres.running(tools.postgres, folder, phase.database))
        benches: dict[str, _Bench] = {}
        for side in sides:
            place = Place(phase.server, len(phase.server), database, folder, tools)
            with _told_whose(side):
                benches[side.key] = _Bench(stack.enter_context(side.start(place)), database, plan.connections)
                measured[side.key] = Measured(proof.prove(benches[side.key].side))
        for number in range(-plan.warm_up, plan.rounds):
            for side in sides:
                _measure_once(benches[side.key], side, measured[side.key], plan, number)
        for side in sides:
            measured[side.key].memory = processes.memory(benches[side.key].side.server.process.pid)
    return measured
