"""The database is killed while apps exchange codes: every answer is right or 503, and all goes on when it is back."""

import hashlib
import secrets
import threading
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from tests.no_tls import NO_TLS
from tests.postgres import Postgres
from tests.stories.running import App, Server, approved, new_app, person, running

from grantway.access_grant import AccessGrant

CODES = 36


@pytest.fixture(scope="module")
def durable() -> Iterator[Postgres]:
    server = Postgres(durable=True)
    yield server
    server.remove()


@pytest.mark.slow
def test_the_database_is_killed_amid_exchanges(tmp_path: Path, durable: Postgres) -> None:
    with running(tmp_path, database=durable.new_database()) as server:
        user, client = person(server), new_app(server, person(server, "developer"))
        for _ in range(3):
            given_at = server.clock()
            codes = [approved(user, client) for _ in range(CODES)]
            outcomes, handed_out = _exchanged_while_it_dies(server, client, codes, durable)
            assert set(outcomes) <= {200, 503}
            away = server.http.get("/health/ready")
            assert (away.status_code, away.json()["error"]) == (503, "temporarily_unavailable")
            assert "retry-after" in away.headers
            assert server.http.get("/health/live").status_code == 200
            durable.start()
            assert server.http.get("/health/ready").status_code == 200
            with server.clock.later(given_at - server.clock()):  # codes end soon, and a database may take its time to come back
                _nothing_is_wrong(server, client, codes, handed_out)


def _exchanged_while_it_dies(server: Server, client: App, codes: list[str], database: Postgres) -> tuple[Counter[int], dict[str, str]]:
    """The statuses, and the access grants by code."""
    outcomes: Counter[int] = Counter()
    handed_out: dict[str, str] = {}
    some, dead = threading.Event(), threading.Event()

    def collect(part: list[str]) -> None:
        with httpx.Client(base_url=server.url, timeout=60, verify=NO_TLS) as http:
            for number, code in enumerate(part, 1):
                if number == len(part):  # the last ones find nobody, however quick the others were
                    dead.wait(60)
                answer = http.post("/api/v0/oauth2/token", json=client.body(code))
                outcomes[answer.status_code] += 1
                if answer.status_code == 200:
                    handed_out[code] = answer.json()["access_grant"]
                if len(handed_out) >= 8:
                    some.set()

    threads = [threading.Thread(target=collect, args=(codes[start::6],)) for start in range(6)]
    for thread in threads:
        thread.start()
    some.wait(60)
    database.kill()
    dead.set()
    for thread in threads:
        thread.join()
    return outcomes, handed_out


def _nothing_is_wrong(server: Server, client: App, codes: list[str], handed_out: dict[str, str]) -> None:
    """What was handed out is recorded; a code that yielded nothing may still be collected, or was used by what nobody got."""
    recorded = {row[0]: row[1] for row in server.rows("SELECT digest, grant_tail_digest FROM codes WHERE used_at IS NOT NULL")}
    for code, grant in handed_out.items():
        tail = AccessGrant.parse(grant).api_key.tail
        assert recorded[hashlib.sha256(code.encode()).digest()] == hashlib.sha256(tail).digest()
    left = [code for code in codes if hashlib.sha256(code.encode()).digest() not in recorded]
    assert len(left) + len(handed_out) + 6 >= len(codes)  # of each connection one commit may have been lost sight of
    again = client.exchange(left[0], client_secret=client.jwt(jti=secrets.token_hex(8)))
    assert again.status_code == 200, again.text
