"""What the short finding of an exchange costs, as a share of the exchange: processor time of both, from one run."""

import asyncio
import secrets
import statistics
import sys
import time
from datetime import UTC, datetime

from bench import exchange, flow, servers
from grantway import app
from grantway.accounts.account import Kind
from grantway.clients.draft import ClientDraft
from grantway.config import Config
from grantway.diagnosis.attempt import Attempt
from grantway.trail import Trail

BAR = 0.10
ROUNDS, COUNT = 5, 3000
IN_ONE_COMMIT = 200  # as many as wait after a fifth of a second at a thousand exchanges a second


async def _finding_micros() -> list[float]:
    """Microseconds of processor time a finding: recorded, made, stored; one figure a round."""
    with servers.data_directory() as data:
        async with app.opened(Config(data=data / "findings")) as grantway:
            house, now = grantway.house, datetime.now(UTC)
            owner = await house.accounts.register(Kind.DEVELOPER, "Bench", "bench@bench.example", secrets.token_urlsafe(18), now)
            made = await house.clients.register(owner.id, ClientDraft(name="Bench", redirect_uris=[flow.REDIRECT_URI]), now)
            trail = Trail(facts={"secret_version": 1, "assertion_ends_in_seconds": 240.0, "clock_skew_seconds": None})

            def attempt() -> Attempt:
                trace_id = secrets.token_hex(16)
                return Attempt(trace_id=trace_id, at=now, endpoint="token", status=200, error=None, trail=trail, client=made.client)

            figures = []
            for _ in range(ROUNDS):
                began = time.process_time()
                for number in range(COUNT):
                    house.diagnosis.record_granted(made.client.row_id, attempt)
                    if number % IN_ONE_COMMIT == 0:
                        await house.diagnosis.drain()
                await house.diagnosis.drain()
                figures.append((time.process_time() - began) / COUNT * 1e6)
            return figures


def _exchange_micros() -> list[float]:
    with servers.data_directory() as data, servers.grantway(data) as server:
        walk = flow.prepare(server.port, 8)
        load = exchange.Load(COUNT, 32)
        return [exchange.grantway_round(server, walk, load).server_cpu for _ in range(ROUNDS + 1)][1:]


def main() -> int:
    """Measure, print, and give 1 when a finding costs a tenth of an exchange or more."""
    servers.pin_this_process()
    finding, whole = statistics.median(asyncio.run(_finding_micros())), statistics.median(_exchange_micros())
    print(f"a finding {finding:.0f} µs, an exchange with its finding {whole:.0f} µs: {finding / whole:.1%}")
    print(f"bar: under {BAR:.0%}: {'met' if finding / whole < BAR else 'not met'}")
    return 0 if finding / whole < BAR else 1


if __name__ == "__main__":
    sys.exit(main())
