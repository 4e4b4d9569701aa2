"""Many at the same moment, and the process killed between any two steps: one code never yields two grants, nor one unrecorded."""

import asyncio
import hashlib
import random
import secrets
import signal
import threading
import time
from collections import Counter
from pathlib import Path

import httpx
import pytest
from tests.engines import IS_POSTGRES, rows_in
from tests.no_tls import NO_TLS
from tests.stories.process import serving
from tests.stories.running import PASSWORD, REDIRECT_URI, App, Clock, Person, Server, approved, asked

from grantway.access_grant import AccessGrant, Action, Denied

AT_ONCE = 64


async def _present(url: str, bodies: list[dict[str, str]]) -> list[httpx.Response]:
    limits = httpx.Limits(max_connections=len(bodies))
    async with httpx.AsyncClient(base_url=url, limits=limits, timeout=60, verify=NO_TLS) as http:
        return await asyncio.gather(*(http.post("/api/v0/oauth2/token", json=body) for body in bodies))


def present(server: Server, bodies: list[dict[str, str]]) -> tuple[Counter[str], str]:
    """Present all at the same moment: what was answered how often, and the satellite's word on the one grant that was issued."""
    answers = asyncio.run(_present(server.url, bodies))
    outcomes = Counter(answer.json().get("error", "granted") for answer in answers)
    grant = next(AccessGrant.parse(answer.json()["access_grant"]) for answer in answers if answer.status_code == 200)
    verdict = server.wait_for(server.grantway.satellite.check(grant.api_key, Action.READ, b"photos", b"", server.clock()))
    return outcomes, verdict.reason if isinstance(verdict, Denied) else "allowed"


def distinct(server: Server, user: Person, client: App) -> None:
    code = approved(user, client)
    outcomes, verdict = present(server, [client.body(code) for _ in range(AT_ONCE)])
    assert outcomes == {"granted": 1, "code_already_used": AT_ONCE - 1}
    assert verdict == "revoked"


def copies(server: Server, user: Person, client: App) -> None:
    outcomes, verdict = present(server, [client.body(approved(user, client))] * AT_ONCE)
    assert outcomes == {"granted": 1, "code_already_used": AT_ONCE - 1}
    assert verdict == "allowed"


def test_one_code_with_64_jwts(server: Server, user: Person, client: App) -> None:
    distinct(server, user, client)


def test_64_copies_of_one_request(server: Server, user: Person, client: App) -> None:
    copies(server, user, client)


def test_one_jwt_with_64_codes(server: Server, user: Person, client: App) -> None:
    jwt = client.jwt()
    outcomes, verdict = present(server, [client.body(approved(user, client), client_secret=jwt) for _ in range(AT_ONCE)])
    assert outcomes == {"granted": 1, "invalid_client": AT_ONCE - 1}
    assert verdict == "allowed"


def test_one_consent_decided_64_times(server: Server, user: Person, client: App) -> None:
    request_id = asked(user, client)["request_id"]

    async def decide() -> list[httpx.Response]:
        headers = {"Authorization": f"Bearer {user.token}"}
        async with httpx.AsyncClient(base_url=server.url, timeout=60, headers=headers, verify=NO_TLS) as http:
            body = {"request_id": request_id, "approved_scopes": ["read"]}
            return await asyncio.gather(*(http.post("/api/v0/oauth2/consent", json=body) for _ in range(AT_ONCE)))

    outcomes = Counter(answer.json().get("error", "code") for answer in asyncio.run(decide()))
    assert outcomes == {"code": 1, "request_not_pending": AT_ONCE - 1}


@pytest.mark.slow
def test_200_times_one_code_with_64_jwts(server: Server, user: Person, client: App) -> None:
    for _ in range(200):
        distinct(server, user, client)


@pytest.mark.slow
def test_200_times_64_copies_of_one_request(server: Server, user: Person, client: App) -> None:
    for _ in range(200):
        copies(server, user, client)


def killed_amid_an_exchange(data: Path, wait: float) -> None:
    """Start, kill with 16 exchanges under way, then look at what the disk holds. Codes and grants handed out are compared with it."""
    handed_out: dict[str, str] = {}
    with serving(data) as process, httpx.Client(base_url=process.url, timeout=60, verify=NO_TLS) as http:
        client, codes = _sixteen_codes(http)
        threads = [threading.Thread(target=_collect, args=(process.url, client, code, handed_out)) for code in codes]
        for thread in threads:
            thread.start()
        time.sleep(wait)
        process.stop(signal.SIGKILL)
        for thread in threads:
            thread.join()
    with serving(data) as process:
        process.stop()  # a restart: what the log holds is folded into the database
    if not IS_POSTGRES:
        assert rows_in(data, "PRAGMA integrity_check") == [("ok",)]
        assert rows_in(data, "PRAGMA foreign_key_check") == []
    used = {row[0] for row in rows_in(data, "SELECT digest FROM codes WHERE used_at IS NOT NULL")}
    recorded = {row[0]: row[1] for row in rows_in(data, "SELECT digest, grant_tail_digest FROM codes WHERE grant_tail_digest IS NOT NULL")}
    consumed = {row[0] for row in rows_in(data, "SELECT digest FROM codes WHERE used_by IS NOT NULL")}
    assert used == set(recorded) == consumed
    for code, grant in handed_out.items():
        tail = AccessGrant.parse(grant).api_key.tail
        assert recorded[hashlib.sha256(code.encode()).digest()] == hashlib.sha256(tail).digest()


def _sixteen_codes(http: httpx.Client) -> tuple[App, list[str]]:
    who = {"name": "Somebody", "email": f"{secrets.token_hex(6)}@example.org", "password": PASSWORD}
    people = {}
    for base in ("/api/v0/developer/auth", "/api/v0/auth"):
        assert http.post(f"{base}/register", json=who).status_code == 201
        people[base] = Person(http, http.post(f"{base}/token", json=who).json()["token"], who["email"])
        http.cookies.clear()
    made = people["/api/v0/developer/auth"].call(
        "POST", "/api/v0/developer/auth/oauth2/clients", {"name": "App", "redirect_uris": REDIRECT_URI}
    )
    client = App(http, Clock(), made.json()["client_id"], made.json()["client_secret"])
    assert client.exchange(approved(people["/api/v0/auth"], client)).status_code == 200  # from now on its root key is remembered
    return client, [approved(people["/api/v0/auth"], client) for _ in range(16)]


def _collect(url: str, client: App, code: str, handed_out: dict[str, str]) -> None:
    try:
        answer = httpx.post(f"{url}/api/v0/oauth2/token", json=client.body(code), timeout=60, verify=NO_TLS)
    except httpx.TransportError:
        return
    if answer.status_code == 200:
        handed_out[code] = answer.json()["access_grant"]


def test_killed_amid_an_exchange(tmp_path: Path) -> None:
    killed_amid_an_exchange(tmp_path, 0.03)


@pytest.mark.slow
def test_killed_100_times_at_any_moment_of_an_exchange(tmp_path: Path) -> None:
    for _ in range(100):
        killed_amid_an_exchange(tmp_path, random.uniform(0.0, 0.15))
