"""Rounds: each side in turn redeems codes, introspects what it got, and revokes it; all sides run, one at a time is asked."""

import contextlib
import json
import os
import statistics
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from bench import flow, postgres, processes, servers
from bench.compare import proof
from bench.compare.install import Tools, UnavailableError
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

    Requests a second; milliseconds; processor time a request in microseconds, the server's and PostgreSQL's; how busy the generator was;
    what part of the server's cores went to work that has nothing to do with the measurement.
    """

    rate: float
    p50: float
    p99: float
    server_cpu: float
    database_cpu: float
    generator_busy: float
    others: float

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
    phase: Phase

    def run(self, port: int, requests: Sequence[bytes]) -> tuple[Figures, list[bytes]]:
        """The figures, and what was answered."""
        before = self._clocks()
        run = drive(port, requests, connections=self.connections, patience=120)
        server, database, busy = (now - then for now, then in zip(self._clocks(), before, strict=True))
        ours = server + (database + run.generator_cpu if self.phase.server == self.phase.generator else 0)
        others = max(0.0, busy - ours) / run.seconds / len(self.phase.server)
        micros, generator_busy = 1e6 / len(requests), run.generator_cpu / run.seconds
        latency = run.percentile(0.5), run.percentile(0.99)
        return Figures(run.rate, *latency, server * micros, database * micros, generator_busy, others), run.bodies

    def _clocks(self) -> tuple[float, float, float]:
        """Processor seconds so far: the server's, PostgreSQL's, and all work on the server's cores."""
        server, database = (processes.cpu_seconds(pid) for pid in (self.side.server.process.pid, self.database.pid))
        return server, database, processes.busy_seconds(self.phase.server)

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


@dataclass(slots=True)
class Outcome:
    """One phase: what was measured, and why the others were not, by the sides' keys."""

    measured: dict[str, Measured] = field(default_factory=dict)
    failed: dict[str, str] = field(default_factory=dict)

    @contextlib.contextmanager
    def without_failures(self, side: Side) -> Iterator[None]:
        """Leave a side out that fails in here, whatever was measured of it: the others' figures stand without it."""
        try:
            yield
        except (LoadError, servers.ServerError, UnavailableError) as fault:
            self.measured.pop(side.key, None)
            self.failed[side.key] = str(fault)
            print(f"{side.name}, {side.storage}: left out: {fault}", flush=True)


def _measure_once(bench: _Bench, side: Side, measured: Measured, plan: Plan, number: int) -> None:
    figures = bench.round(measured.count)
    measured.count = max(FEWEST, min(MOST, round(figures["exchange"].rate * plan.seconds)))
    measured.memory = processes.memory(bench.side.server.process.pid)
    if number >= 0:
        for job in JOBS:
            measured.rounds[job].append(figures[job])
    label = f"round {number + 1}" if number >= 0 else "warm-up"
    told = "   ".join(f"{job} {one.rate:7,.0f}/s" for job, one in figures.items())
    print(f"{label:8} {side.name + ', ' + side.storage:34} {told}", flush=True)


def _take_turns(sides: Sequence[Side], benches: Mapping[str, _Bench], plan: Plan, outcome: Outcome) -> None:
    for number in range(-plan.warm_up, plan.rounds):
        for side in sides:
            if side.key in outcome.measured:
                with outcome.without_failures(side):
                    _measure_once(benches[side.key], side, outcome.measured[side.key], plan, number)


def _start(
    sides: Sequence[Side], place: Place, phase: Phase, plan: Plan, stack: contextlib.ExitStack, outcome: Outcome
) -> dict[str, _Bench]:
    """Start each and prove it; they run until the stack is closed."""
    benches = {}
    for side in sides:
        with outcome.without_failures(side):
            benches[side.key] = _Bench(stack.enter_context(side.start(place)), place.postgres, plan.connections, phase)
            outcome.measured[side.key] = Measured(proof.prove(benches[side.key].side))
    return benches


def measure(sides: Sequence[Side], phase: Phase, plan: Plan, tools: Tools) -> Outcome:
    """Start all, prove each, and take turns. A side that fails at any of this is left out."""
    servers.pin_this_process()
    os.sched_setaffinity(0, phase.generator)
    outcome = Outcome()
    try:
        with contextlib.ExitStack() as stack:
            folder = Path(stack.enter_context(servers.data_directory()))
            print(f"{phase.name}; 4 KiB written and synced on this disk: {servers.sync_milliseconds(folder):.2f} ms", flush=True)
            database = stack.enter_context(postgres.running(tools.postgres, folder, phase.database))
            place = Place(phase.server, len(phase.server), database, folder, tools)
            benches = _start(sides, place, phase, plan, stack, outcome)
            _take_turns(sides, benches, plan, outcome)
    except servers.ServerError as fault:
        # A server that doesn't stop as it should has been measured all the same.
        print(f"{phase.name}: {fault}", flush=True)
    return outcome
