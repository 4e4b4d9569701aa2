"""Does a refusal's time tell why? Unknown client, wrong key and disabled client, interleaved on one connection."""

import argparse
import gc
import itertools
import json
import random
import secrets
import socket
import statistics
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass

import httpx

from bench import flow, postgres, servers
from bench.load import LoadError, answer_of, refusal

BAR = 0.05
WARM_UP = 150


@dataclass(frozen=True, slots=True)
class Cases:
    """The three apps that must be indistinguishable, by what is wrong with each."""

    port: int
    apps: dict[str, flow.App]

    def request(self, kind: str) -> bytes:
        """A token request of this kind, signed afresh; all kinds are equally long."""
        return flow.token_request(self.port, self.apps[kind], secrets.token_urlsafe(32))


@dataclass(frozen=True, slots=True)
class Timed:
    """One refusal: its kind and its time in microseconds."""

    kind: str
    took: float


def make_cases(port: int) -> Cases:
    """A client nobody registered, one whose secret is another, one that is disabled but signs rightly."""
    walk = flow.prepare(port)
    with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=30, trust_env=False) as client:
        disabled = flow.register_app(client, walk.developer, "Disabled")
        flow.disable(client, walk.developer, disabled)
    other_secret = secrets.token_urlsafe(64)[: len(walk.app.client_secret)]
    # Of the very shape that the server gives out.
    nobodys_id = walk.app.client_id[:-8] + secrets.token_hex(4)
    apps = {
        "unknown client": flow.App(nobodys_id, other_secret),
        "wrong key": flow.App(walk.app.client_id, other_secret),
        "disabled client": disabled,
    }
    return Cases(port, apps)


class Connection:
    """One keep-alive connection: a request out, an answer in, nothing under way beside it."""

    def __init__(self, port: int) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=10)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # or a request might wait for an acknowledgement
        self.answers: set[bytes] = set()

    def time(self, kind: str, request: bytes) -> Timed:
        """Send, wait for the whole answer, insist on the one 401."""
        began = time.perf_counter()
        self._socket.sendall(request)
        received = b""
        while (answer := answer_of(received)) is None:
            more = self._socket.recv(65536)
            if not more:
                raise LoadError("the server closed the connection")
            received += more
        took = time.perf_counter() - began
        self._note(kind, *answer)
        return Timed(kind, took * 1e6)

    def _note(self, kind: str, status: int, body: bytes) -> None:
        said = json.loads(body)
        if status != 401 or said.pop("error") != "invalid_client":
            raise LoadError(f"{kind}: {refusal(status, body)}")
        self.answers.add(body.replace(str(said.get("trace_id")).encode(), b""))
        if len(self.answers) > 1:
            raise LoadError(f"{kind}: the refusal differs in more than trace_id from those before")

    def close(self) -> None:
        """End the connection."""
        self._socket.close()


def measure(cases: Cases, count: int) -> list[Timed]:
    """`count` refusals, the kinds equally often and in random order."""
    kinds = [kind for kind, _ in zip(itertools.cycle(cases.apps), range(count), strict=False)]
    random.shuffle(kinds)
    connection = Connection(cases.port)
    warm_up = [kind for kind in cases.apps for _ in range(WARM_UP // len(cases.apps))]
    # Signed beforehand, so that the server isn't given different pauses.
    requests = [(kind, cases.request(kind)) for kind in warm_up + kinds]
    gc.disable()
    try:
        return [connection.time(kind, request) for kind, request in requests][len(warm_up) :]
    finally:
        gc.enable()
        connection.close()


def report(groups: dict[str, list[float]]) -> float:
    """Print each group's quartiles; the largest difference between two medians, as a share of the smaller."""
    for name, times in groups.items():
        lower, middle, upper = statistics.quantiles(times, n=4)
        print(f"  {name:16} {middle:7.1f} µs   (half of them between {lower:.1f} and {upper:.1f}; {len(times)} requests)")
    medians = [statistics.median(times) for times in groups.values()]
    spread = max(medians) / min(medians) - 1
    print(f"  largest difference between two medians: {spread:.1%}")
    return spread


def after(timed: Sequence[Timed], kinds: Sequence[str]) -> dict[str, list[float]]:
    """The times of the requests that came right after each kind: work done after an answer delays the next one."""
    pairs = list(itertools.pairwise(timed))
    return {f"after {kind}": [following.took for one, following in pairs if one.kind == kind] for kind in kinds}


def main() -> int:
    """Measure, print, and give 1 when the medians lie further apart than the bar."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--requests", type=int, default=2000)
    parser.add_argument("--postgres", action="store_true", help="on a real PostgreSQL in place of SQLite")
    asked = parser.parse_args()
    servers.pin_this_process()
    with (
        servers.data_directory() as data,
        postgres.url_if(asked.postgres, data) as url,
        servers.grantway(data / "grantway", settings={"GRANTWAY_DATABASE": url}) as server,
    ):
        cases = make_cases(server.port)
        timed = measure(cases, asked.requests)
    print("the refusal itself")
    spread = report({kind: [one.took for one in timed if one.kind == kind] for kind in cases.apps})
    print("the request that follows it on the same connection")
    report(after(timed, list(cases.apps)))
    print(f"bar: {BAR:.0%} for the refusal itself: {'met' if spread <= BAR else 'not met'}")
    return 0 if spread <= BAR else 1


if __name__ == "__main__":
    sys.exit(main())
