"""Every row of the contract's error table, from the outside: what is sent, what is answered, and what is used up."""

import secrets
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import httpx
import pytest
from tests.stories.running import App, Person, Server, approved, asked, new_app, person

Row = Callable[[Server, Person, Person, App], httpx.Response]

VERIFIER = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
CHALLENGE = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"


def now(server: Server) -> int:
    return int(server.clock().timestamp())


def changed(**changes: Any) -> Row:
    """A good request, but for these fields."""
    return lambda _server, user, _developer, client: client.exchange(approved(user, client), **changes)


def claims(**changes: Callable[[Server], Any]) -> Row:
    """A good request, but for these claims."""

    def send(server: Server, user: Person, _developer: Person, client: App) -> httpx.Response:
        made = {name: make(server) for name, make in changes.items()}
        return client.exchange(approved(user, client), client_secret=client.jwt(**made))

    return send


def wrong_key(_server: Server, user: Person, _developer: Person, client: App) -> httpx.Response:
    return client.exchange(approved(user, client), client_secret=client.jwt(secret="another secret than the app's own"))


def raw_secret(_server: Server, user: Person, _developer: Person, client: App) -> httpx.Response:
    return client.exchange(approved(user, client), client_secret=client.client_secret)


def unknown_client(_server: Server, user: Person, _developer: Person, client: App) -> httpx.Response:
    return client.exchange(approved(user, client), client_id="nobody", client_secret=client.jwt(client_id="nobody"))


def disabled_client(_server: Server, user: Person, developer: Person, client: App) -> httpx.Response:
    code = approved(user, client)
    developer.call("PATCH", f"/api/v0/developer/auth/oauth2/clients/{client.client_id}/status", {"status": 0})
    return client.exchange(code)


def deleted_client(_server: Server, user: Person, developer: Person, client: App) -> httpx.Response:
    code = approved(user, client)
    assert developer.call("DELETE", f"/api/v0/developer/auth/oauth2/clients/{client.client_id}").status_code == 204
    return client.exchange(code)


def replayed_jwt(_server: Server, user: Person, _developer: Person, client: App) -> httpx.Response:
    jwt = client.jwt()
    assert client.exchange(approved(user, client), client_secret=jwt).status_code == 200
    return client.exchange(approved(user, client), client_secret=jwt)


def other_clients_jwt(server: Server, user: Person, developer: Person, client: App) -> httpx.Response:
    other = new_app(server, developer)
    return client.exchange(approved(user, client), client_secret=other.jwt())


def expired(server: Server, user: Person, _developer: Person, client: App) -> httpx.Response:
    return client.exchange(approved(user, client), client_secret=client.jwt(exp=now(server) - 1))


def foreign_code(server: Server, user: Person, developer: Person, client: App) -> httpx.Response:
    return client.exchange(approved(user, new_app(server, developer)))


def rejected_request(_server: Server, user: Person, _developer: Person, client: App) -> httpx.Response:
    request_id = asked(user, client)["request_id"]
    answer = user.call(
        "POST", "/api/v0/oauth2/consent", {"request_id": request_id, "approved_scopes": [], "rejected_scopes": ["read", "write"]}
    )
    assert "error=access_denied" in answer.json()["redirect_uri"]
    assert "code" not in answer.json()
    return client.exchange(request_id)


def late_code(server: Server, user: Person, _developer: Person, client: App) -> httpx.Response:
    code = approved(user, client)
    with server.clock.later(timedelta(seconds=30)):
        return client.exchange(code)


def used_code(_server: Server, user: Person, _developer: Person, client: App) -> httpx.Response:
    code = approved(user, client)
    assert client.exchange(code).status_code == 200
    return client.exchange(code)


def withdrawn(_server: Server, user: Person, _developer: Person, client: App) -> httpx.Response:
    code = approved(user, client)
    assert user.call("DELETE", f"/api/v0/auth/developer-access/{client.client_id}/revoke").status_code == 200
    return client.exchange(code)


def verifier_missing(_server: Server, user: Person, _developer: Person, client: App) -> httpx.Response:
    return client.exchange(approved(user, client, code_challenge=CHALLENGE, code_challenge_method="S256"))


def verifier_wrong(_server: Server, user: Person, _developer: Person, client: App) -> httpx.Response:
    code = approved(user, client, code_challenge=CHALLENGE, code_challenge_method="S256")
    return client.exchange(code, code_verifier=VERIFIER[::-1])


def nothing_that_permits(_server: Server, user: Person, _developer: Person, client: App) -> httpx.Response:
    scope = ["read", "bucket:photos"]
    return client.exchange(approved(user, client, scope, {"approved_scopes": ["bucket:photos"], "rejected_scopes": ["read"]}))


def lost_project(server: Server, _user: Person, _developer: Person, client: App) -> httpx.Response:
    user = person(server)
    code = approved(user, client)
    project = user.call("GET", "/api/v0/projects").json()[0]
    assert user.call("DELETE", f"/api/v0/projects/{project['id']}").status_code == 204
    return client.exchange(code)


def no_project(server: Server, _user: Person, _developer: Person, client: App) -> httpx.Response:
    user = person(server)
    project = user.call("GET", "/api/v0/projects").json()[0]
    user.call("DELETE", f"/api/v0/projects/{project['id']}")
    return client.exchange(approved(user, client))


def raw(body: bytes, **headers: str) -> Row:
    return lambda server, _user, _developer, _client: server.http.post("/api/v0/oauth2/token", content=body, headers=headers)


TABLE: dict[str, tuple[Row, int, str]] = {
    "body not JSON": (raw(b"client_id=x"), 400, "invalid_request"),
    "body empty": (raw(b""), 400, "invalid_request"),
    "body an array": (raw(b"[]"), 400, "invalid_request"),
    "body null": (raw(b"null"), 400, "invalid_request"),
    "body broken UTF-8": (raw(b'{"client_id": "\xff"}'), 400, "invalid_request"),
    "body lone surrogate": (raw(rb'{"client_id": "\ud800"}'), 400, "invalid_request"),
    "body nested deeply": (raw(b'{"x":' + b"[" * 30_000), 400, "invalid_request"),
    "body cut off": (raw(b'{"client_id": "a", "code'), 400, "invalid_request"),
    "body too large": (raw(b'{"client_id": "' + b"a" * 65_536 + b'"}'), 400, "invalid_request"),
    "field twice": (raw(b'{"client_id":"a","client_id":"b","client_secret":"c","redirect_uri":"d","code":"e"}'), 400, "invalid_request"),
    **{
        f"{name} missing": (changed(**{name: None}), 400, "invalid_request")
        for name in ("client_id", "client_secret", "redirect_uri", "code")
    },
    **{f"{name} empty": (changed(**{name: ""}), 400, "invalid_request") for name in ("client_id", "client_secret", "redirect_uri", "code")},
    **{
        f"{name} a number": (changed(**{name: 7}), 400, "invalid_request")
        for name in ("client_id", "client_secret", "redirect_uri", "code")
    },
    "passphrase a number": (changed(passphrase=7), 400, "invalid_request"),
    "passphrase a list": (changed(passphrase=["a"]), 400, "invalid_request"),
    "JWT unreadable": (changed(client_secret="not.a.jwt"), 401, "invalid_client"),
    "JWT with four parts": (changed(client_secret="a.b.c.d"), 401, "invalid_client"),
    "the secret itself": (raw_secret, 401, "invalid_client"),
    "algorithm none": (changed(client_secret="eyJhbGciOiJub25lIn0.e30."), 401, "invalid_client"),
    "claim client_id missing": (claims(client_id=lambda _: None), 401, "invalid_client"),
    "claim exp missing": (claims(exp=lambda _: None), 401, "invalid_client"),
    "exp a string": (claims(exp=lambda server: str(now(server) + 60)), 401, "invalid_client"),
    "exp in milliseconds": (claims(exp=lambda server: (now(server) + 60) * 1000), 401, "invalid_client"),
    "exp too far ahead": (claims(exp=lambda server: now(server) + 400), 401, "invalid_client"),
    "exp beyond all calendars": (claims(exp=lambda _: 10**30), 401, "invalid_client"),
    "iat in the future": (claims(iat=lambda server: now(server) + 120), 401, "invalid_client"),
    "nbf in the future": (claims(nbf=lambda server: now(server) + 120), 401, "invalid_client"),
    "aud another server": (claims(aud=lambda _: "https://elsewhere.example"), 401, "invalid_client"),
    "client_ids differ": (claims(client_id=lambda _: "another"), 401, "invalid_client"),
    "client unknown": (unknown_client, 401, "invalid_client"),
    "client disabled": (disabled_client, 401, "invalid_client"),
    "client deleted": (deleted_client, 401, "invalid_client"),
    "signature wrong": (wrong_key, 401, "invalid_client"),
    "JWT of another client": (other_clients_jwt, 401, "invalid_client"),
    "JWT replayed": (replayed_jwt, 401, "invalid_client"),
    "JWT expired": (expired, 401, "client_secret_expired"),
    "code unknown": (changed(code="84feaa9c-6782-417b-b77c-f9642b5562ff"), 400, "invalid_code"),
    "code not approved": (rejected_request, 400, "invalid_code"),
    "code of another client": (foreign_code, 400, "invalid_code"),
    "consent withdrawn": (withdrawn, 400, "invalid_code"),
    "code past its time": (late_code, 400, "code_expired"),
    "code presented before": (used_code, 400, "code_already_used"),
    "code_verifier missing": (verifier_missing, 400, "invalid_code"),
    "code_verifier unexpected": (changed(code_verifier=VERIFIER), 400, "invalid_code"),
    "code_verifier wrong": (verifier_wrong, 400, "invalid_code"),
    "redirect_uri differs": (changed(redirect_uri="https://myapp.com/callback/"), 400, "invalid_redirect_uri"),
    "nothing approved that permits": (nothing_that_permits, 400, "invalid_scope"),
    "project lost": (lost_project, 400, "no_project"),
    "no project": (no_project, 400, "no_project"),
}


@pytest.mark.parametrize(("send", "status", "code"), TABLE.values(), ids=TABLE)
def test_refusal(server: Server, user: Person, developer: Person, client: App, send: Row, status: int, code: str) -> None:
    answer = send(server, user, developer, client)
    assert (answer.status_code, answer.json()["error"]) == (status, code)
    assert set(answer.json()) == {"error", "error_description", "trace_id"}
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["cache-control"] == "no-store"


KEEPS_THE_CODE: dict[str, dict[str, Any]] = {
    "redirect_uri": {"redirect_uri": "https://myapp.com/other"},
    "code_verifier": {"code_verifier": "x" * 43},
    "client_secret": {"client_secret": "not.a.jwt"},
}


@pytest.mark.parametrize("fault", KEEPS_THE_CODE.values(), ids=KEEPS_THE_CODE)
def test_a_refused_request_may_be_corrected_and_sent_again(user: Person, client: App, fault: dict[str, Any]) -> None:
    code = approved(user, client, code_challenge=CHALLENGE, code_challenge_method="S256")
    jwt = client.jwt()
    good = {"code_verifier": VERIFIER, "client_secret": jwt}
    assert client.exchange(code, **{**good, **fault}).status_code in {400, 401}
    assert client.exchange(code, **good).status_code == 200


GOOD: dict[str, Callable[[Server], dict[str, Any]]] = {
    "iat now": lambda server: {"iat": now(server)},
    "iat a minute ahead": lambda server: {"iat": now(server) + 59},
    "nbf now": lambda server: {"nbf": now(server)},
    "exp five minutes ahead": lambda server: {"exp": now(server) + 300},
    "exp with a fraction": lambda server: {"exp": now(server) + 60.5},
    "iss of the report's trials": lambda _server: {"iss": "storx-client"},
    "aud our issuer": lambda server: {"aud": server.grantway.house.issuer},
    "aud our token URL among others": lambda server: {"aud": ["x", f"{server.grantway.house.issuer}/api/v0/oauth2/token"]},
    "a claim of their own": lambda _server: {"purpose": {"nested": [1, 2]}},
}


@pytest.mark.parametrize("make", GOOD.values(), ids=GOOD)
def test_what_a_jwt_may_say_besides(server: Server, user: Person, client: App, make: Callable[[Server], dict[str, Any]]) -> None:
    answer = client.exchange(approved(user, client), client_secret=client.jwt(**make(server)))
    assert answer.status_code == 200, answer.text


@pytest.mark.parametrize("content_type", ["text/plain", "application/x-www-form-urlencoded", "application/json; charset=utf-8", ""])
def test_json_is_read_whatever_the_content_type_says(server: Server, user: Person, client: App, content_type: str) -> None:
    body = httpx.Request("POST", "http://x", json=client.body(approved(user, client))).content
    assert server.http.post("/api/v0/oauth2/token", content=body, headers={"Content-Type": content_type}).status_code == 200


def test_a_passphrase_of_any_characters(user: Person, client: App) -> None:
    answer = client.exchange(approved(user, client), passphrase="Schlüssel ключ 鍵 \U0001f511 \0 \u202e")
    assert answer.status_code == 200
    assert "warnings" not in answer.json()


def test_an_absent_passphrase_is_the_empty_one_and_is_warned_of(user: Person, client: App) -> None:
    answer = client.exchange(approved(user, client), passphrase=None)
    assert answer.json()["warnings"] == ["empty_passphrase"]


def test_random_bytes_never_make_a_500(server: Server) -> None:
    for _ in range(200):
        answer = server.http.post("/api/v0/oauth2/token", content=secrets.token_bytes(secrets.randbelow(300)))
        assert answer.status_code == 400
