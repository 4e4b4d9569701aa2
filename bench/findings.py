"""What findings cost: that of an exchange, as a share of the exchange, and a round of refusals, plain ones and crafted ones."""

import asyncio
import json
import secrets
import statistics
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import jwt

from bench import exchange, flow, servers
from grantway import app
from grantway.accounts.account import Kind
from grantway.clients import secret
from grantway.clients.client import Client
from grantway.clients.draft import ClientDraft
from grantway.config import Config
from grantway.diagnosis.attempt import Attempt
from grantway.diagnosis.use_cases import LOOKED_UP_A_ROUND, Diagnosis
from grantway.trail import Trail

BAR = 0.10
CRAFTED_BAR = 1.25
"""A round of refusals that are made to be dear costs so many times a round of others at most, and so does a flood of them."""
MENTIONED = "Mentioned"
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


def _refused(client_id: str, /, **claims: str) -> Attempt:
    """A refusal: signed with a key that nobody has."""
    token = jwt.encode({"client_id": client_id, "exp": 1, "jti": secrets.token_hex(8), **claims}, "k" * 40, algorithm="HS256")
    sent = {"client_id": client_id, "client_secret": token, "redirect_uri": flow.REDIRECT_URI, "code": secrets.token_hex(12)}
    text, now = json.dumps(sent).encode(), datetime.now(UTC)
    return Attempt(trace_id=secrets.token_hex(16), at=now, endpoint="token", status=401, error="invalid_client", text=text, source="flood")


async def _round_millis(diagnosis: Diagnosis, make: Callable[[], Attempt]) -> tuple[float, float]:
    """Milliseconds of processor time of a round that has more than enough to do, and of each finding in it; medians."""
    rounds, findings = [], []
    for _ in range(4 * ROUNDS):
        for _ in range(LOOKED_UP_A_ROUND):
            diagnosis.record(make())
        began = time.process_time()
        made = len(await diagnosis._made(LOOKED_UP_A_ROUND))  # noqa: SLF001 - one round, without its pause
        rounds.append((time.process_time() - began) * 1000)
        findings.append(rounds[-1] / made)
        await diagnosis.drain()
    return statistics.median(rounds), statistics.median(findings)


async def _refusal_millis() -> list[tuple[float, float]]:
    """Of plain refusals, and of such as mention eight clients with all the secrets that are kept."""
    with servers.data_directory() as data:
        async with app.opened(Config(data=data / "refusals")) as grantway:
            house, now = grantway.house, datetime.now(UTC)
            owner = await house.accounts.register(Kind.DEVELOPER, "Bench", "bench@bench.example", secrets.token_urlsafe(18), now)

            async def client(name: str, versions: int) -> Client:
                made = (await house.clients.register(owner.id, ClientDraft(name=name, redirect_uris=[flow.REDIRECT_URI]), now)).client
                for _ in range(1, versions):
                    await house.clients.regenerate_secret(made, timedelta(0), now)
                return made

            lone = (await client("Lone", 1)).client_id
            many = [(await client(MENTIONED, secret.MOST_KEPT)).client_id for _ in range(8)]
            kinds = (lambda: _refused(lone), lambda: _refused(MENTIONED, client_id=many[0], iss=many[1], sub=many[2]))
            return [await _round_millis(house.diagnosis, make) for make in kinds]


def _exchange_micros() -> list[float]:
    with servers.data_directory() as data, servers.grantway(data) as server:
        walk = flow.prepare(server.port, 8)
        load = exchange.Load(COUNT, 32)
        return [exchange.grantway_round(server, walk, load).server_cpu for _ in range(ROUNDS + 1)][1:]


def main() -> int:
    """Measure, print, and give 1 when a finding costs a tenth of an exchange or more, or crafted refusals more than plain ones."""
    servers.pin_this_process()
    finding, whole = statistics.median(asyncio.run(_finding_micros())), statistics.median(_exchange_micros())
    print(f"a finding {finding:.0f} µs, an exchange with its finding {whole:.0f} µs: {finding / whole:.1%}")
    print(f"bar: under {BAR:.0%}: {'met' if finding / whole < BAR else 'not met'}")
    (plain, each), (crafted, each_crafted) = asyncio.run(_refusal_millis())
    print(f"a round of plain refusals {plain:.0f} ms ({each:.2f} each), of crafted ones {crafted:.0f} ms ({each_crafted:.2f} each)")
    print(f"bar: at most {CRAFTED_BAR} times: {'met' if crafted <= CRAFTED_BAR * plain else 'not met'}")
    return 0 if finding / whole < BAR and crafted <= CRAFTED_BAR * plain else 1


if __name__ == "__main__":
    sys.exit(main())
