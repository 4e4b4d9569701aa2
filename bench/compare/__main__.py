"""Install the peers, prove that each does the work, measure all in turns, and print tables; `--json` and `--figure` keep them."""

import argparse
import sys
from pathlib import Path

from bench import servers
from bench.compare import figure, install, measure, table
from bench.compare.side import Side
from bench.compare.sides import SIDES
from bench.load import LoadError

FIGURE = servers.HERE / "figures" / "compare.svg"
PHASES = {"one": measure.ONE_CORE, "both": measure.BOTH_CORES}
QUICK = measure.Plan(rounds=1, warm_up=0, seconds=0.0)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.compare", description=__doc__)
    keys = ", ".join(side.key for side in SIDES)
    parser.add_argument("--only", metavar="SIDE,SIDE", help=f"measure these alone: {keys}")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--warm-up", type=int, default=3, help="rounds that don't count: Node's and Java's compilers need them")
    parser.add_argument("--seconds", type=float, default=3.0, help="about how long each job of a round takes")
    parser.add_argument("--quick", action="store_true", help=f"one round of {measure.FEWEST} of each: shows that all run, measures nothing")
    parser.add_argument(
        "--cores", choices=[*PHASES, "all"], default="all", help="one core for each server, both, or first one and then both"
    )
    parser.add_argument("--python", type=Path, default=Path(sys.executable), help="for Grantway and the Python peers (this one)")
    parser.add_argument("--node", type=Path, help="for oidc-provider (Node 24, from a wheel)")
    parser.add_argument("--json", type=Path, help="write every figure here")
    parser.add_argument("--figure", type=Path, nargs="?", const=FIGURE, help=f"write the SVG ({FIGURE.relative_to(servers.HERE.parent)})")
    return parser.parse_args()


def _asked_for(only: str | None) -> list[Side]:
    wanted = only.split(",") if only else [side.key for side in SIDES]
    unknown = set(wanted) - {side.key for side in SIDES}
    if unknown:
        sys.exit(f"no such side: {', '.join(sorted(unknown))}; there are {', '.join(side.key for side in SIDES)}")
    return [side for side in SIDES if side.key in wanted]


def _install(wanted: list[Side], tools: install.Tools) -> table.Field:
    """Try each; those that can't run are told with the reason."""
    field = table.Field({}, {})
    for side in wanted:
        try:
            field.about[side.key] = side.install(tools)
            print(f"{side.key}: {field.about[side.key]}, {side.storage}", flush=True)
        except install.UnavailableError as reason:
            field.missing[side.key] = str(reason)
            print(f"{side.key}: left out: {reason}", flush=True)
    return field


def main() -> int:
    """Measure and print; 1 when nothing could be measured."""
    asked = _arguments()
    wanted = _asked_for(asked.only)
    tools = install.tools(asked.python, asked.node)
    field = _install(wanted, tools)
    sides = [side for side in wanted if side.key in field.about]
    plan = QUICK if asked.quick else measure.Plan(asked.rounds, asked.warm_up, asked.seconds)
    phases = [phase for name, phase in PHASES.items() if asked.cores in (name, "all")]
    outcomes = {phase: measure.measure(sides, phase, plan, tools) for phase in phases}
    measured = {phase: outcome.measured for phase, outcome in outcomes.items() if outcome.measured}
    for phase, outcome in outcomes.items():
        field.missing.update({key: f"on {phase.name} it failed: {why}" for key, why in outcome.failed.items()})
    if not measured:
        return 1
    print(table.text(wanted, field, measured))
    if asked.quick:
        print("\n--quick: everything ran, but so short a run measures nothing.")
    if asked.json:
        asked.json.write_text(table.as_json(wanted, field, measured, plan))
    if asked.figure:
        asked.figure.parent.mkdir(exist_ok=True)
        asked.figure.write_text(figure.svg(sides, measured, plan.rounds))
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except (LoadError, servers.ServerError, install.UnavailableError) as fault:
        sys.exit(f"ended without figures: {fault}")
