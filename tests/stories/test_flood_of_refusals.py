"""A client_id is public: a stranger who sends it hundreds of times, signed with nothing, hides no refusal of the app itself."""

import asyncio
import json
import secrets
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.stories.running import App, Person, Server, new_app, person, running

from grantway.clients import secret
from grantway.diagnosis import waiting
from grantway.diagnosis.finding import Finding
from grantway.diagnosis.use_cases import LOOKED_UP_A_ROUND
from grantway.storage import findings

FINDINGS = "/api/v0/developer/auth/oauth2/findings"
MANY = 300


def sent(server: Server, app: App, address: str, **changes: Any) -> httpx.Response:
    body = app.body("x" * 20, **changes)
    return server.http.post("/api/v0/oauth2/token", json=body, headers={"X-Forwarded-For": address})


def flooded(server: Server, body: dict[str, Any]) -> set[int]:
    """Send it again and again from one address; the statuses that came."""
    connection = HTTPConnection(server.url.removeprefix("http://"), timeout=60)
    statuses, text = set(), json.dumps(body).encode()
    for _ in range(MANY):
        connection.request("POST", "/api/v0/oauth2/token", text, {"X-Forwarded-For": "198.51.100.7"})
        answer = connection.getresponse()
        answer.read()
        statuses.add(answer.status)
    connection.close()
    return statuses


def first_page(developer: Person, **narrowed: str) -> list[dict[str, Any]]:
    page: list[dict[str, Any]] = developer.call("GET", FINDINGS, params=narrowed).json()["findings"]
    return page


@pytest.mark.slow
def test_a_stranger_sends_hundreds_and_the_apps_own_refusals_are_found(tmp_path: Path) -> None:
    with running(tmp_path, trusted_proxies="127.0.0.1") as server:
        developer = person(server, "developer")
        app = new_app(server, developer)
        now = int(server.clock().timestamp())
        mistakes = {
            "secret_with_whitespace": sent(server, app, "192.0.2.1", client_secret=app.jwt(app.client_secret + "\n")),
            "assertion_expired": sent(server, app, "192.0.2.1", client_secret=app.jwt(exp=now - 5)),
            "unknown_key": sent(server, app, "192.0.2.1", client_secret=app.jwt("of another environment" * 2)),
        }
        forged = app.body("x" * 20, client_secret=app.jwt("k" * 40))
        assert flooded(server, forged) == {401}
        page = first_page(developer)
        for cause, refused in mistakes.items():
            trace_id = refused.json()["trace_id"]
            found = developer.call("GET", f"{FINDINGS}/{trace_id}")
            assert (found.status_code, found.json()["cause"]) == (200, cause)
            assert found.json()["proved"] is (cause != "unknown_key")
            assert trace_id in {one["trace_id"] for one in page}
        assert sum(one["seen"] for one in page) == MANY + 3
        assert len(page) == findings.REFUSED_KEPT // findings.SHARE + 3
        assert [one["cause"] for one in first_page(developer, proved="true")] == ["assertion_expired", "secret_with_whitespace"]
        assert not any(one["proved"] for one in first_page(developer, proved="false"))


def test_a_refusal_that_comes_in_the_middle_of_a_flood_is_explained(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """More waits for its finding than is looked up; what comes from elsewhere is looked up all the same."""
    monkeypatch.setattr(waiting, "MOST_LOOKED_UP", 100)
    with running(tmp_path, trusted_proxies="127.0.0.1") as server:
        developer = person(server, "developer")
        app = new_app(server, developer)
        house = server.grantway.house
        forged = app.body("x" * 20, client_secret=app.jwt("k" * 40))
        headers = {"X-Forwarded-For": "198.51.100.7"}

        async def flood() -> None:
            transport = httpx.ASGITransport(app=server.grantway.asgi(), client=("198.51.100.7", 1))
            async with httpx.AsyncClient(transport=transport, base_url=server.url) as stranger:
                for _ in range(140):
                    await stranger.post("/api/v0/oauth2/token", json=forged, headers=headers)

        async def amid() -> httpx.Response:
            async with house.diagnosis._working:  # so that all of them wait
                await flood()
                transport = httpx.ASGITransport(app=server.grantway.asgi(), client=("192.0.2.1", 1))
                async with httpx.AsyncClient(transport=transport, base_url=server.url) as mine:
                    answer = await mine.post("/api/v0/oauth2/token", json=app.body("x" * 20, client_secret=app.jwt("of elsewhere" * 3)))
                await flood()
                return answer

        trace_id = server.wait_for(amid()).json()["trace_id"]
        found = developer.call("GET", f"{FINDINGS}/{trace_id}")
        assert (found.status_code, found.json()["cause"]) == (200, "unknown_key")


def test_a_refusal_of_the_flood_itself_is_looked_up_for_whoever_reads_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An app in a loop is a flood too, and its developer has the trace id of one refusal."""
    monkeypatch.setattr(waiting, "MOST_LOOKED_UP", 10)
    with running(tmp_path) as server:
        developer = person(server, "developer")
        app = new_app(server, developer)
        diagnosis = server.grantway.house.diagnosis

        async def loop() -> Finding | None:
            transport = httpx.ASGITransport(app=server.grantway.asgi(), client=("192.0.2.1", 1))
            async with diagnosis._working, httpx.AsyncClient(transport=transport, base_url=server.url) as mine:
                wrong = app.body("x" * 20, client_secret=app.jwt("of elsewhere" * 3))
                answers = [await mine.post("/api/v0/oauth2/token", json=wrong) for _ in range(200)]
                # asked for while all of them wait
                read = asyncio.create_task(diagnosis.finding(answers[150].json()["trace_id"], None))
                await asyncio.sleep(0)
            return await read

        found = server.wait_for(loop())
        assert (found.cause, found.client_id) == ("unknown_key", app.client_id)


def test_who_proved_a_secret(tmp_path: Path) -> None:
    """What only the app can make is proved; what anybody can who knows the client_id is not."""
    with running(tmp_path) as server:
        developer = person(server, "developer")
        app = new_app(server, developer)
        public = new_app(server, developer, token_endpoint_auth_method="none")
        as_client_id = sent(server, app, "192.0.2.1", client_secret=app.jwt(app.client_id.ljust(16)))
        form = {"grant_type": "authorization_code", "code": "x" * 20, "redirect_uri": app.redirect_uri, "code_verifier": "v" * 43}
        rows = [
            (sent(server, app, "192.0.2.1"), True),  # a code that there is not
            (sent(server, app, "192.0.2.1", client_secret=app.jwt(app.client_secret[:-1])), True),
            (sent(server, app, "192.0.2.1", client_secret=secrets.token_hex(20)), False),
            (sent(server, app, "192.0.2.1", client_secret=app.client_secret), True),
            (sent(server, app, "192.0.2.1", client_secret="gws_" + secrets.token_hex(20)), False),
            (as_client_id, False),
            (server.http.post("/oauth2/token", data={**form, "client_id": public.client_id}), False),
            (server.http.post("/oauth2/token", data=form, auth=(app.client_id, app.client_secret)), True),
            (server.http.post("/oauth2/token", data=form, auth=(app.client_id, "guessed")), False),
        ]
        for answer, is_proved in rows:
            found = developer.call("GET", f"{FINDINGS}/{answer.json()['trace_id']}").json()
            assert found["proved"] is is_proved, found


def secrets_of(server: Server, developer: Person, app: App, count: int) -> None:
    for _ in range(count - 1):
        path = f"/api/v0/developer/auth/oauth2/clients/{app.client_id}/regenerate-secret"
        assert developer.call("POST", path, {"overlap_seconds": 0}).status_code == 200


def test_refusals_that_mention_clients_with_many_secrets_get_no_more_time_than_others(tmp_path: Path) -> None:
    """Whoever crafts them has fewer of them looked up in a round; the others come in the next rounds, and all are explained."""
    with running(tmp_path) as server:
        developer = person(server, "developer")
        apps = [new_app(server, developer, name="Mentioned") for _ in range(6)]
        for app in apps:
            secrets_of(server, developer, app, secret.MOST_KEPT)
        lone = new_app(server, person(server, "developer"))
        diagnosis = server.grantway.house.diagnosis
        claims = {name: app.client_id for name, app in zip(("client_id", "iss", "sub"), apps, strict=False)}
        crafted = apps[0].body("x" * 20, client_id="Mentioned", client_secret=apps[0].jwt("k" * 40, **claims))
        plain = lone.body("x" * 20, client_secret=lone.jwt("k" * 40))

        async def made_in_one_round(body: dict[str, Any]) -> int:
            await diagnosis.drain()
            async with diagnosis._working:
                transport = httpx.ASGITransport(app=server.grantway.asgi(), client=("198.51.100.7", 1))
                async with httpx.AsyncClient(transport=transport, base_url=server.url) as stranger:
                    for _ in range(LOOKED_UP_A_ROUND + 10):
                        assert (await stranger.post("/api/v0/oauth2/token", json=body)).status_code == 401
                made = await diagnosis._made(LOOKED_UP_A_ROUND)
                diagnosis._unkept += made
            await diagnosis.drain()
            assert not diagnosis._waiting
            return len(made)

        assert server.wait_for(made_in_one_round(plain)) == LOOKED_UP_A_ROUND
        assert 1 < server.wait_for(made_in_one_round(crafted)) <= LOOKED_UP_A_ROUND // 2
        seen = server.rows("SELECT sum(seen) FROM findings")
    assert seen[0][0] == 2 * (LOOKED_UP_A_ROUND + 10)
