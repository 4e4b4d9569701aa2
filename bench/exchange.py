"""Exchanges a second without a passphrase's Argon2: Grantway (durable) beside oidc-provider (in memory), by turns.

oidc-provider takes part twice: signing an id_token with each access token, as any OpenID provider does and with its own default
(RS256), and without one, when all that it hands out is a random string.
"""

import argparse
import contextlib
import json
import platform
import secrets
import statistics
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from bench import flow, postgres, servers
from bench.load import Run, drive

SQLITE_BARS, POSTGRES_BARS = (1.5, 2.5), (2.0, 4.0)
"""The ratio that is asked for, and the one that is aimed at."""
NONE = "none"
ID_TOKENS = ("RS256", "ES256", NONE)
"""What the peer signs an id_token with; none: no `openid` scope, and no id_token."""


@dataclass(frozen=True, slots=True)
class Round:
    """One side's figures in one round: latencies in milliseconds, the server's CPU in microseconds an exchange."""

    rate: float
    p50: float
    p99: float
    server_cpu: float
    generator_busy: float


@dataclass(frozen=True, slots=True)
class Turn:
    """Grantway's round, and those of the peers that followed it."""

    ours: Round
    peers: tuple[Round, ...]

    @property
    def ratios(self) -> tuple[float, ...]:
        """Our rate by each peer's."""
        return tuple(self.ours.rate / peer.rate for peer in self.peers)


@dataclass(frozen=True, slots=True)
class Load:
    """How much is asked of each side in each round."""

    requests: int
    connections: int


def _measure(server: servers.Server, requests: list[bytes], field: str, load: Load, beside: str = "") -> Round:
    cpu = server.cpu_seconds()
    run: Run = drive(server.port, requests, connections=load.connections)
    cpu = server.cpu_seconds() - cpu
    flow.check_distinct(run.bodies, field)
    if beside:
        flow.check_there(run.bodies, beside)
    busy = run.generator_cpu / run.seconds
    return Round(run.rate, run.percentile(0.5), run.percentile(0.99), cpu / len(requests) * 1e6, busy)


def grantway_round(server: servers.Server, walk: flow.Walk, load: Load) -> Round:
    """Fetch codes, sign, redeem."""
    codes = flow.codes(walk, load.requests, challenge=flow.CHALLENGE)
    requests = [flow.token_request(walk.port, walk.app, code, verifier=flow.VERIFIER) for code in codes]
    return _measure(server, requests, "access_grant", load)


def peer_round(peer: servers.Peer, app: flow.App, load: Load) -> Round:
    """Mint codes, sign, redeem."""
    minted = flow.peer_codes(peer.seed_port, load.requests)
    requests = [flow.peer_token_request(peer.server.port, app, code) for code in minted]
    return _measure(peer.server, requests, "access_token", load, "id_token" if peer.signs else "")


def compare(load: Load, rounds: int, warm_up: int, people: int, node: str, id_tokens: Sequence[str], *, on_postgres: bool) -> list[Turn]:
    """Grantway's round and each peer's, after `warm_up` such turns that don't count. Nobody runs while another does."""
    turns = []
    with contextlib.ExitStack() as running:
        data = running.enter_context(servers.data_directory())
        url = running.enter_context(postgres.url_if(on_postgres, data))
        server = running.enter_context(servers.grantway(data / "grantway", settings={"GRANTWAY_DATABASE": url}))
        peers = []
        for signed_with in id_tokens:
            app = flow.App(secrets.token_hex(16), secrets.token_hex(32))
            peer = servers.oidc_provider(
                node, app.client_id, app.client_secret, flow.REDIRECT_URI, openid="" if signed_with == NONE else signed_with
            )
            peers.append((running.enter_context(peer), app))
        print(f"4 KiB written and synced on this disk: {servers.sync_milliseconds(data):.2f} ms")
        walk = flow.prepare(server.port, people)
        for number in range(-warm_up, rounds):
            turn = Turn(grantway_round(server, walk, load), tuple(peer_round(peer, app, load) for peer, app in peers))
            print(_line("warm-up" if number < 0 else f"round {number + 1}", turn), flush=True)
            if number >= 0:
                turns.append(turn)
    return turns


def _line(label: str, turn: Turn) -> str:
    figures = (f"{side.rate:7,.0f}/s {side.p50:6.2f} {side.p99:6.2f} ms {side.server_cpu:5.0f} µs" for side in (turn.ours, *turn.peers))
    return f"{label:8} │ {' │ '.join(figures)} │ {' '.join(f'{ratio:5.2f}' for ratio in turn.ratios)}"


def _median(side: Sequence[Round]) -> Round:
    return Round(*(statistics.median(values) for values in zip(*(asdict(one).values() for one in side), strict=True)))


def report(turns: list[Turn], id_tokens: Sequence[str], path: Path | None, about: dict[str, object], bars: tuple[float, float]) -> bool:
    """Print the medians, write everything to `path`; whether the median ratio to the first peer reaches the first of the bars."""
    peers = tuple(_median(rounds) for rounds in zip(*(turn.peers for turn in turns), strict=True))
    medians = Turn(_median([turn.ours for turn in turns]), peers)
    ratios: list[float] = [statistics.median(each) for each in zip(*(turn.ratios for turn in turns), strict=True)]
    print(_line("median", medians))
    for signed_with, ratio in zip(id_tokens, ratios, strict=True):
        print(f"median ratio beside {_named(signed_with)} {ratio:.2f}; {_judged('bar', ratio, bars[0])}, {_judged('aim', ratio, bars[1])}")
    busiest = max(side.generator_busy for turn in turns for side in (turn.ours, *turn.peers))
    print(f"the load generator was busy {busiest:.0%} of the time at most")
    if path:
        figures = about | {
            "rounds": [_figures(turn, id_tokens) for turn in turns],
            "median": _figures(medians, id_tokens),
            "median_ratios": dict(zip(id_tokens, ratios, strict=True)),
        }
        path.write_text(json.dumps(figures, indent=2) + "\n")
    return ratios[0] >= bars[0]


def _named(signed_with: str) -> str:
    return "one without id_tokens" if signed_with == NONE else f"one that signs id_tokens with {signed_with}"


def _judged(name: str, ratio: float, wanted: float) -> str:
    return f"{name} {wanted}: {'met' if ratio >= wanted else 'not met'}"


def _figures(turn: Turn, id_tokens: Sequence[str]) -> dict[str, object]:
    return {"grantway": asdict(turn.ours), "peers": {key: asdict(peer) for key, peer in zip(id_tokens, turn.peers, strict=True)}}


def main() -> int:
    """Measure, print, and give 1 when the bar isn't met."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--warm-up", type=int, default=4, help="turns that don't count: the peer's compiler needs them")
    parser.add_argument("--requests", type=int, default=3000, help="exchanges a round; their codes live 30 s")
    parser.add_argument("--connections", type=int, default=32)
    parser.add_argument("--people", type=int, default=8, help="accounts that consent, each with a project of its own")
    parser.add_argument(
        "--postgres", action="store_true", help="Grantway on a real PostgreSQL, on the generator's core, in place of SQLite"
    )
    parser.add_argument(
        "--id-tokens",
        nargs="+",
        choices=ID_TOKENS,
        default=["RS256", NONE],
        help="what each of the peers signs an id_token with; the exit status is by the first (RS256 none)",
    )
    parser.add_argument("--node", default="node", help="the Node that runs the peer")
    parser.add_argument("--json", type=Path, help="write every figure here")
    asked = parser.parse_args()
    servers.pin_this_process()
    version = f"oidc-provider {servers.peer_version()} on Node {servers.node_version(asked.node)}"
    about = {"python": platform.python_version(), "peer": version, "requests": asked.requests, "connections": asked.connections}
    print(f"Grantway on Python {platform.python_version()} │ {version}: {', '.join(_named(each) for each in asked.id_tokens)}")
    print(f"{asked.requests} exchanges a round over {asked.connections} connections, one core each for server and generator")
    print("rate, p50, p99, the server's CPU an exchange; ratios of the rates")
    load = Load(asked.requests, asked.connections)
    turns = compare(load, asked.rounds, asked.warm_up, asked.people, asked.node, asked.id_tokens, on_postgres=asked.postgres)
    return 0 if report(turns, asked.id_tokens, asked.json, about, POSTGRES_BARS if asked.postgres else SQLITE_BARS) else 1


if __name__ == "__main__":
    sys.exit(main())
