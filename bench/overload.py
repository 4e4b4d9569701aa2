"""The most that the server can do, then 70 % of it several times, twice as much for a while, 70 % again: what whole flows meet."""

import argparse
import asyncio
import statistics
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass

import uvloop

from bench import flow, servers
from bench.disk import Disk
from bench.open_loop import ASKING, CONSENTING, EXCHANGING, REFUSED_UNDER_LOAD, Answered, Crowd, percentile, statuses

CALM, CROWDED = 0.7, 2.0
ROUNDS = 5
TAIL_BAR = 5.0
RECOVERY_BAR = 2.0
NORMAL = 1.5
"""So many times the calm median still counts as back to normal."""
MEMORY_BAR = 128.0
WINDOW = 0.25


@dataclass(frozen=True, slots=True)
class Measured:
    """Flows a second at most, the answers of each phase, when the last one began, and MiB before and at most during the crowd."""

    most: float
    calm: list[tuple[list[Answered], list[float]]]
    """Of each round at 70 %: its answers, and the milliseconds that the disk took by itself meanwhile."""
    crowded: list[Answered]
    after: list[Answered]
    after_began: float
    memory: tuple[float, float]
    late: float
    """Seconds by which the generator was late in the crowd at most: then there were fewer than it says."""


async def measure(server: servers.Server, walk: flow.Walk, disk: Disk, seconds: float, workers: int, known: float) -> Measured:
    """All phases, one after the other; `known` is the most in flows a second, 0 to find it."""
    crowd = Crowd(walk)
    await crowd.closed_loop(workers, seconds / 4)  # does not count: the server has just started
    most = known or await crowd.closed_loop(workers, seconds / 2)
    calm = []
    for _ in range(ROUNDS):
        disk.forget()
        calm.append((await crowd.open_loop(CALM * most, seconds / 2), disk.taken()))
    before = server.memory()
    server.forget_peak()
    crowded = await crowd.open_loop(CROWDED * most, seconds)
    peak, late = server.memory("VmHWM"), crowd.late
    began = time.perf_counter()
    after = await crowd.open_loop(CALM * most, seconds / 2)
    crowd.close()
    return Measured(most, calm, crowded, after, began, (before, peak), late)


def recovery(after: Sequence[Answered], began: float, normal: float) -> float:
    """Seconds from the end of the crowd until no quarter of a second has a median above `normal` milliseconds any more."""
    windows: dict[int, list[Answered]] = {}
    for one in after:
        windows.setdefault(int((one.sent - began) / WINDOW), []).append(one)
    slow = [number for number, answers in windows.items() if percentile(answers, 0.5) > normal or any(one.status != 200 for one in answers)]
    # what the rest of the machine does to a window long afterwards is not the crowd's doing
    until = next(
        (number for number in range(max(windows) + 1) if not {number, number + 1, number + 2, number + 3} & set(slow)), max(windows)
    )
    return until * WINDOW


def _told(label: str, answers: Sequence[Answered]) -> None:
    print(f"{label}: p50 {percentile(answers, 0.5):.1f} ms, p99 {percentile(answers, 0.99):.1f} ms; {statuses(answers)}")
    for kind in (ASKING, CONSENTING, EXCHANGING):
        good = [one for one in answers if one.kind == kind and one.status == 200]
        print(f"  {kind:9} {len(good):7,} with 200: p50 {percentile(good, 0.5):7.1f} ms, p99 {percentile(good, 0.99):7.1f} ms")


def _told_of_disk(answers: Sequence[Answered], taken: Sequence[float]) -> float:
    """Print what a round at 70 % met, and how many times p50 its p99 is."""
    middle, most = percentile(answers, 0.5), percentile(answers, 0.99)
    slowest = sorted(taken)[int(len(taken) * 0.99)] if taken else 0.0
    by_itself = f"the disk by itself: p50 {statistics.median(taken or [0.0]):.1f} ms, p99 {slowest:.1f} ms"
    print(f"{CALM:.0%} of it: p50 {middle:.1f} ms, p99 {most:.1f} ms, {most / middle:.1f} times; {by_itself}")
    return most / middle


def report(measured: Measured) -> bool:
    """Print, and tell whether every bar is met."""
    calm, crowded, after = [one for answers, _ in measured.calm for one in answers], measured.crowded, measured.after
    tail = statistics.median(_told_of_disk(*of_round) for of_round in measured.calm)
    _told(f"{CALM:.0%} of it, all rounds", calm)
    _told(f"{CROWDED:.0%} of it", crowded)
    _told("70 % again", after)
    middle = percentile(calm, 0.5)
    within = sum(one.status == 200 and one.kind == EXCHANGING for one in crowded)
    bad = {status: count for status, count in statuses(crowded).items() if int(status.split()[0]) not in {200, *REFUSED_UNDER_LOAD}}
    back = recovery(after, measured.after_began, NORMAL * middle)
    before, peak = measured.memory
    print(f"whole flows in the crowd: {within:,}; the generator was {measured.late:.2f} s late at most")
    return all(
        [
            _judged("at 70 % every answer is 200", {one.status for one in calm} == {200}),
            _judged(f"at 70 % p99 is {tail:.1f} times p50, median of {ROUNDS} rounds (bar {TAIL_BAR:.0f})", tail <= TAIL_BAR),
            _judged(f"at 200 % other answers than 200, 429 and 503: {bad or 'none'}", not bad),
            _judged(
                f"at 200 % {peak - before:.0f} MiB more than the {before:.0f} of before (bar {MEMORY_BAR:.0f})", peak - before <= MEMORY_BAR
            ),
            _judged(f"back to normal after {back:.2f} s (bar {RECOVERY_BAR:.0f})", back <= RECOVERY_BAR),
        ]
    )


def _judged(what: str, met: bool) -> bool:
    print(f"{'met' if met else 'NOT met'}: {what}")
    return met


def main() -> int:
    """Measure, print, and give 1 when a bar isn't met."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=20, help="of the crowd; the other phases go by it")
    parser.add_argument("--workers", type=int, default=64, help="flows under way at once while the most is found")
    parser.add_argument("--most", type=float, default=0, help="flows a second that count as the most; without it, it is found")
    asked = parser.parse_args()
    servers.pin_this_process()
    with servers.data_directory() as data, servers.grantway(data / "server") as server, Disk(data / "disk") as disk:
        walk = flow.prepare(server.port, 8)
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            measured = runner.run(measure(server, walk, disk, asked.seconds, asked.workers, asked.most))
    print(f"at most {measured.most:.0f} whole flows a second: a request, a consent and an exchange each")
    return 0 if report(measured) else 1


if __name__ == "__main__":
    sys.exit(main())
