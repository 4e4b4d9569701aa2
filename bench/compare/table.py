"""What was measured as Markdown, with a footnote for all that differs, and as JSON."""

import json
import platform
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

from bench import postgres
from bench.compare.measure import JOBS, Measured, Phase, Plan
from bench.compare.proof import AT_ONCE, TRIES
from bench.compare.side import Side

HEADS = {
    "exchange": "Exchange: a code with PKCE redeemed by an authenticated client",
    "introspection": "Introspection of what the exchanges gave",
    "revocation": "Revocation of the same",
}
OURS = "grantway-postgres", "grantway-sqlite"
DISTURBED = 0.05


@dataclass(frozen=True, slots=True)
class Field:
    """Who takes part, by key: what it is in words; and who doesn't, with the reason."""

    about: dict[str, str]
    missing: dict[str, str]


def ratio(ours: Measured, theirs: Measured, job: str) -> float:
    """The median, over the rounds, of our rate by theirs."""
    return statistics.median(mine.rate / other.rate for mine, other in zip(ours.rounds[job], theirs.rounds[job], strict=True))


def cpu_ratio(ours: Measured, theirs: Measured, job: str) -> float:
    """The median, over the rounds, of their server's processor time a request by ours; what else the machine does hardly changes it."""
    pairs = zip(ours.rounds[job], theirs.rounds[job], strict=True)
    return statistics.median(other.server_cpu / mine.server_cpu if mine.server_cpu else 0 for mine, other in pairs)


def _row(side: Side, ours: tuple[str, Measured] | None, measured: Measured, job: str) -> str:
    one = measured.median(job)
    compared = ours and ours[0] != side.key
    ratios = [f"{of(ours[1], measured, job):.2f}" if ours and compared else "–" for of in (ratio, cpu_ratio)]
    # Of a side that uses no PostgreSQL this is the idle database's own housekeeping.
    database = f"{one.database_cpu:,.0f}" if side.storage == "PostgreSQL" else "–"
    cells = [
        side.name,
        side.storage,
        f"{one.rate:,.0f}",
        ratios[0],
        f"{one.p50:.1f}",
        f"{one.p99:.1f}",
        f"{one.server_cpu:,.0f}",
        ratios[1],
    ]
    return f"| {' | '.join([*cells, database, f'{measured.memory.pss:,.0f}'])} |"


def _table(sides: Sequence[Side], measured: Mapping[str, Measured], job: str) -> list[str]:
    ours = next(((key, measured[key]) for key in OURS if key in measured), None)
    head = ["", "storage", "a second", "ours : its", "p50 ms", "p99 ms", "CPU µs", "its : ours", "PostgreSQL's µs", "MiB"]
    rows = [_row(side, ours, measured[side.key], job) for side in sides if side.key in measured]
    return [f"| {' | '.join(head)} |", f"|---|---|{'---:|' * 8}", *rows]


def _proofs(sides: Sequence[Side], measured: Mapping[str, Measured]) -> list[str]:
    words = {True: "refused", False: "taken", None: "–"}
    at_once = f"most tokens for one code, sent {AT_ONCE} times at once, {TRIES} tries"
    head = f"| | storage | client authentication | a used JWT with another code | {at_once} |"
    rows = [
        f"| {side.name} | {side.storage} | {side.client_proof} | {words[measured[side.key].proved.refuses_replayed_jwt]} "
        f"| {measured[side.key].proved.most_tokens_for_one_code} |"
        for side in sides
        if side.key in measured
    ]
    return [head, "|---|---|---|---|---:|", *rows]


def _footnotes(sides: Sequence[Side], field: Field) -> list[str]:
    told = list(dict.fromkeys(note for side in sides if side.key in field.about for note in side.notes))
    settings = ", ".join(f"{name}={value}" for name, value in postgres.SETTINGS.items())
    told.append("*Ours* is Grantway on PostgreSQL, or on SQLite where the former was not measured.")
    told.append(f"PostgreSQL 18 from a wheel, one for all, a database for each: {settings}; the rest as it comes.")
    told += [
        f"Not measured: {side.name} on {side.storage}: {field.missing[side.key].rstrip('.')}."
        for side in sides
        if side.key in field.missing
    ]
    return [f"* {note}" for note in told]


def _beside(sides: Sequence[Side], measured: Mapping[str, Measured]) -> str:
    shares = [f"{side.name} ({side.storage}) {_busiest(measured[side.key]):.0%}" for side in sides if side.key in measured]
    others = statistics.median(figures.others for one in measured.values() for job in JOBS for figures in one.rounds[job])
    told = (
        f"Of one core, load generator and PostgreSQL took at most: {', '.join(shares)}. Other work took {others:.0%} of the servers' cores"
    )
    return f"{told}: the rates suffer from it, CPU hardly does." if others > DISTURBED else f"{told}."


def _busiest(measured: Measured) -> float:
    """Of the three jobs' medians, the highest."""
    return max(measured.median(job).beside_busy for job in JOBS)


def text(sides: Sequence[Side], field: Field, measured: Mapping[Phase, Mapping[str, Measured]]) -> str:
    """Everything that is to be read."""
    lines = [f"* {field.about[side.key]}, {side.storage}" for side in sides if side.key in field.about]
    for phase, found in measured.items():
        for job in JOBS:
            lines += ["", f"{HEADS[job]} ({phase.name})", "", *_table(sides, found, job)]
        lines += ["", _beside(sides, found)]
    first = next(iter(measured.values()))
    return "\n".join(["", *lines, "", *_proofs(sides, first), "", *_footnotes(sides, field)])


def as_json(sides: Sequence[Side], field: Field, measured: Mapping[Phase, Mapping[str, Measured]], plan: Plan) -> str:
    """Every figure of every round."""
    phases = {
        phase.name: {
            key: {
                "proved": asdict(one.proved),
                "memory": asdict(one.memory),
                "rounds": {j: [asdict(f) for f in one.rounds[j]] for j in JOBS},
            }
            for key, one in found.items()
        }
        for phase, found in measured.items()
    }
    machine = {"python": platform.python_version(), "system": platform.platform(), "plan": asdict(plan)}
    told = {"machine": machine, "sides": field.about, "left_out": field.missing, "phases": phases, "notes": _footnotes(sides, field)}
    return json.dumps(told, indent=2, ensure_ascii=False) + "\n"
