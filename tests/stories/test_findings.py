"""What holds for every finding: several faults at once, who may read it, pages and filters, and faults that are ours."""

import hashlib
import secrets
from datetime import timedelta
from pathlib import Path

import pytest
from tests.stories.mistakes import key_of, now, signed, with_key
from tests.stories.running import REDIRECT_URI, App, Person, Server, new_app, person, running
from tests.stories.scene import CLIENTS, FINDINGS, TOKEN, Scene

from grantway.clients import secret


def test_independent_faults_are_all_found(scene: Scene) -> None:
    code = scene.code()
    jwt = signed(key_of(scene.app) + b"\n", scene.app, aud="https://elsewhere.example", exp=now(scene.app) - 5)
    with scene.server.clock.later(timedelta(seconds=40)):
        found = scene.finding(scene.app.exchange(code, client_secret=jwt, redirect_uri=REDIRECT_URI + "/"))
    causes = [one["cause"] for one in found["faults"]]
    assert causes[0] == "secret_with_whitespace"
    assert set(causes) == {"secret_with_whitespace", "assertion_expired", "aud_mismatch", "code_expired", "redirect_uri_mismatch"}
    assert "client_known" in found["right"]


def test_an_exchange_leaves_a_short_one(scene: Scene) -> None:
    code, iat = scene.code(), now(scene.app) - 3
    answer = scene.app.exchange(code, client_secret=scene.app.jwt(iat=iat))
    assert answer.status_code == 200
    latest = now(scene.app)
    newest = scene.developer.call("GET", f"{CLIENTS}/{scene.app.client_id}/findings").json()["findings"][0]
    assert (newest["outcome"], newest["cause"], newest["facts"]["secret_version"]) == ("granted", None, 1)
    assert newest["trace_id"] == answer.headers["grantway-trace-id"]
    assert iat - latest - 1 <= newest["facts"]["clock_skew_seconds"] <= -2


def test_only_its_developer_sees_it(scene: Scene) -> None:
    answer = with_key(lambda _: b"k" * 40)(scene)
    stranger = person(scene.server, "developer")
    theirs = stranger.call("GET", f"{FINDINGS}/{answer.json()['trace_id']}")
    none = stranger.call("GET", f"{FINDINGS}/{'0' * 32}")
    assert (theirs.status_code, theirs.json() | {"trace_id": ""}) == (none.status_code, none.json() | {"trace_id": ""})
    assert stranger.call("GET", f"{CLIENTS}/{scene.app.client_id}/findings").status_code == 404
    assert stranger.call("GET", FINDINGS).json() == {"findings": [], "next": None}


def test_pages_and_filters(scene: Scene) -> None:
    for _ in range(3):
        with_key(lambda _: b"k" * 40)(scene)
    scene.app.exchange("x" * 20)
    path = f"{CLIENTS}/{scene.app.client_id}/findings"
    first = scene.developer.call("GET", f"{path}?limit=3").json()
    rest = scene.developer.call("GET", f"{path}?limit=3&before={first['next']}").json()
    assert [one["cause"] for one in (*first["findings"], *rest["findings"])] == ["code_unknown", *["unknown_key"] * 3]
    assert rest["next"] is None
    stranger = person(scene.server, "developer")
    new_app(scene.server, stranger).exchange("x" * 20)
    assert stranger.call("GET", f"{FINDINGS}?before={first['next']}").json() == {"findings": [], "next": None}
    assert len(scene.developer.call("GET", f"{path}?cause=unknown_key").json()["findings"]) == 3
    assert scene.developer.call("GET", f"{path}?since=2199-01-01T00:00:00Z").json()["findings"] == []


@pytest.mark.parametrize(
    "query",
    [
        "limit=0",
        "limit=201",
        "limit=x",
        f"limit={'9' * 5000}",
        f"limit=000000001{'9' * 20}",
        "limit=00000000199999",
        "cause=nonsense",
        "since=yesterday",
        "since=2026-01-01",
        "limit=1&limit=2",
        "page=2",
    ],
)
def test_odd_queries(developer: Person, query: str) -> None:
    answer = developer.call("GET", f"{FINDINGS}?{query}")
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")


def test_too_many_requests(tmp_path: Path) -> None:
    with running(tmp_path, rate_limits=True, token_requests_per_minute=1) as server:
        answers = [server.http.post(TOKEN, json={}) for _ in range(2)]
        found = server.wait_for(server.grantway.house.diagnosis.finding(answers[1].json()["trace_id"], None))
    assert (found.cause, found.status) == ("rate_limited", 429)


def test_a_fault_of_ours_is_ours(tmp_path: Path) -> None:
    with running(tmp_path) as server:
        scene = Scene(server, (developer := person(server, "developer")), person(server), new_app(server, developer))
        code = scene.code()
        broken = "UPDATE client_secrets SET sealed = ? RETURNING 1"
        server.wait_for(server.grantway.database.one(broken, secrets.token_bytes(80)))
        answer = scene.app.exchange(code)
        assert (answer.status_code, answer.json()["error"]) == (503, "temporarily_unavailable")
        found = scene.finding(answer)
        assert found["cause"] == "server_fault"
        assert server.wait_for(server.grantway.self_test.run(None, server.clock())).failures


def test_what_is_stored_is_not_what_was_handed_out(tmp_path: Path) -> None:
    """The report's own defect: the server kept a hash, and verified with that."""
    with running(tmp_path) as server:
        app = new_app(server, person(server, "developer"))
        assert not server.wait_for(server.grantway.self_test.run(None, server.clock())).failures
        server.wait_for(_store_a_hash_instead(server, app))
        (failure,) = server.wait_for(server.grantway.self_test.run(None, server.clock())).failures
    assert (failure.client_id, failure.what) == (app.client_id, "it is not the secret that was handed out")


async def _store_a_hash_instead(server: Server, app: App) -> None:
    house = server.grantway.house
    known = await house.clients.one(None, app.client_id)
    hashed = hashlib.sha256(app.client_secret.encode()).hexdigest()
    wrong = secret.sealed(house.clients.sealing, known.row_id, 1, hashed, secrets.token_bytes(12))
    await server.grantway.database.one("UPDATE client_secrets SET sealed = ? WHERE client_row_id = ?", wrong.sealed, known.row_id)
