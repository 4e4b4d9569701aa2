"""Exchanges a second without a passphrase's Argon2: Grantway (durable) beside oidc-provider (in memory), interleaved."""

import argparse
import json
import platform
import secrets
import statistics
import sys
from dataclasses import asdict, dataclass
from pathlib import Path

from bench import flow, postgres, servers
from bench.load import Run, drive

SQLITE_BARS, POSTGRES_BARS = (1.5, 2.5), (2.0, 4.0)
"""The ratio that is asked for, and the one that is aimed at."""


@dataclass(frozen=True, slots=True)
class Round:
    """One side's figures in one round: latencies in milliseconds, the server's CPU in microseconds an exchange."""

    rate: float
    p50: float
    p99: float
    server_cpu: float
    generator_busy: float


@dataclass(frozen=True, slots=True)
class Load:
    """How much is asked of each side in each round."""

    requests: int
    connections: int


def _measure(server: servers.Server, requests: list[bytes], field: str, load: Load) -> Round:
    cpu = server.cpu_seconds()
    run: Run = drive(server.port, requests, connections=load.connections)
    cpu = server.cpu_seconds() - cpu
    flow.check_distinct(run.bodies, field)
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
    return _measure(peer.server, requests, "access_token", load)


def compare(load: Load, rounds: int, warm_up: int, people: int, node: str, *, on_postgres: bool, openid: str) -> list[tuple[Round, Round]]:
    """Pairs of rounds, Grantway's and the peer's, after `warm_up` pairs that don't count. Neither runs while the other does."""
    peer_app = flow.App(secrets.token_hex(16), secrets.token_hex(32))
    pairs = []
    with (
        servers.data_directory() as data,
        postgres.url_if(on_postgres, data) as url,
        servers.grantway(data / "grantway", settings={"GRANTWAY_DATABASE": url}) as server,
        servers.oidc_provider(node, peer_app.client_id, peer_app.client_secret, flow.REDIRECT_URI, openid=openid) as peer,
    ):
        print(f"4 KiB written and synced on this disk: {servers.sync_milliseconds(data):.2f} ms")
        walk = flow.prepare(server.port, people)
        for number in range(-warm_up, rounds):
            pair = grantway_round(server, walk, load), peer_round(peer, peer_app, load)
            print(_line("warm-up" if number < 0 else f"round {number + 1}", pair), flush=True)
            if number >= 0:
                pairs.append(pair)
    return pairs


def _line(label: str, pair: tuple[Round, Round]) -> str:
    figures = (f"{side.rate:7,.0f}/s {side.p50:6.2f} {side.p99:6.2f} ms {side.server_cpu:5.0f} µs" for side in pair)
    return f"{label:8} │ {' │ '.join(figures)} │ {pair[0].rate / pair[1].rate:5.2f}"


def _median(side: list[Round]) -> Round:
    return Round(*(statistics.median(values) for values in zip(*(asdict(one).values() for one in side), strict=True)))


def report(pairs: list[tuple[Round, Round]], path: Path | None, about: dict[str, object], bars: tuple[float, float]) -> bool:
    """Print the medians, write everything to `path`; whether the median ratio of the rates reaches the first of the bars."""
    medians = _median([ours for ours, _ in pairs]), _median([theirs for _, theirs in pairs])
    ratio = statistics.median(ours.rate / theirs.rate for ours, theirs in pairs)
    print(_line("median", medians))
    print(f"median ratio {ratio:.2f}; {_judged('bar', ratio, bars[0])}, {_judged('aim', ratio, bars[1])}")
    busiest = max(side.generator_busy for pair in pairs for side in pair)
    print(f"the load generator was busy {busiest:.0%} of the time at most")
    if path:
        figures = about | {
            "rounds": [_named(pair) for pair in pairs],
            "median": _named(medians),
            "median_ratio": ratio,
        }
        path.write_text(json.dumps(figures, indent=2) + "\n")
    return ratio >= bars[0]


def _judged(name: str, ratio: float, wanted: float) -> str:
    return f"{name} {wanted}: {'met' if ratio >= wanted else 'not met'}"


def _named(pair: tuple[Round, Round]) -> dict[str, object]:
    return {"grantway": asdict(pair[0]), "peer": asdict(pair[1])}


def main() -> int:
    """Measure, print, and give 1 when the bar isn't met."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--warm-up", type=int, default=4, help="pairs of rounds that don't count: the peer's compiler needs them")
    parser.add_argument("--requests", type=int, default=3000, help="exchanges a round; their codes live 30 s")
    parser.add_argument("--connections", type=int, default=32)
    parser.add_argument("--people", type=int, default=8, help="accounts that consent, each with a project of its own")
    parser.add_argument(
        "--postgres", action="store_true", help="Grantway on a real PostgreSQL, on the generator's core, in place of SQLite"
    )
    parser.add_argument("--openid", nargs="?", const="RS256", default="", choices=["RS256","ES256"], help="the peer signs too: an id_token with each access token")
    parser.add_argument("--node", default="node", help="the Node that runs the peer")
    parser.add_argument("--json", type=Path, help="write every figure here")
    asked = parser.parse_args()
    servers.pin_this_process()
    signs = ", with an id_token" if asked.openid else ""
    peer = f"oidc-provider {servers.peer_version()} on Node {servers.node_version(asked.node)}{signs}"
    about = {"python": platform.python_version(), "peer": peer, "requests": asked.requests, "connections": asked.connections}
    print(f"Grantway on Python {platform.python_version()} │ {peer}")
    print(f"{asked.requests} exchanges a round over {asked.connections} connections, one core each for server and generator")
    print("rate, p50, p99, the server's CPU an exchange; ratio of the rates")
    load = Load(asked.requests, asked.connections)
    pairs = compare(load, asked.rounds, asked.warm_up, asked.people, asked.node, on_postgres=asked.postgres, openid=asked.openid)
    return 0 if report(pairs, asked.json, about, POSTGRES_BARS if asked.postgres else SQLITE_BARS) else 1


if __name__ == "__main__":
    sys.exit(main())
