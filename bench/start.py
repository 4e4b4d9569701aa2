"""From the start of the process to its first answer, on a fresh and on an existing data directory; the memory it idles with."""

import argparse
import statistics
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from bench import flow, servers
from bench.load import drive

START_BAR = 1.0
IDLE_BAR = 80.0
# Whatever a start or an exchange leaves to be done is done by then.
SETTLING = 2.0


def time_start(data: Path) -> float:
    """Seconds from spawning the process to the first 200."""
    with servers.grantway(data) as server:
        return server.ready_after


def idle_memory(data: Path) -> tuple[float, float]:
    """MiB resident, settled: after the start, and after one exchange (which derives one key)."""
    with servers.grantway(data) as server:
        time.sleep(SETTLING)
        at_start = server.memory()
        walk = flow.prepare(server.port)
        request = flow.token_request(walk.port, walk.app, flow.codes(walk, 1)[0])
        flow.check_distinct(drive(server.port, [request]).bodies, "access_grant")
        time.sleep(SETTLING)
        return at_start, server.memory()


def _told(label: str, times: Sequence[float]) -> float:
    median = statistics.median(times)
    print(f"{label}: {median:.3f} s to the first answer (from {min(times):.3f} to {max(times):.3f})")
    return median


def main() -> int:
    """Measure, print, and give 1 when a bar isn't met."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    asked = parser.parse_args()
    servers.pin_this_process()
    fresh, existing = [], []
    with servers.data_directory() as root:
        kept = root / "kept"
        at_start, after_exchange = idle_memory(kept)
        for number in range(asked.rounds):
            fresh.append(time_start(root / f"fresh-{number}"))
            existing.append(time_start(kept))
    medians = _told("fresh data directory", fresh), _told("existing data directory", existing)
    print(f"resident: {at_start:.1f} MiB after the start, {after_exchange:.1f} MiB after one exchange")
    met = max(medians) < START_BAR and max(at_start, after_exchange) < IDLE_BAR
    print(f"bar: under {START_BAR:.0f} s and under {IDLE_BAR:.0f} MiB: {'met' if met else 'not met'}")
    return 0 if met else 1


if __name__ == "__main__":
    sys.exit(main())
