"""The user's side of the contract (section 2): accounts, projects, request, consent, who has access."""

from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from tests.no_tls import NO_TLS
from tests.stories.running import PASSWORD, REDIRECT_URI, App, Person, Server, approved, asked, new_app, person

REGISTER = {"fullName": "Somebody", "email": "fresh@example.org", "password": PASSWORD}

BAD_REGISTRATIONS: dict[str, tuple[dict[str, Any], int, str]] = {
    "no name": ({"fullName": None}, 400, "invalid_request"),
    "empty name": ({"fullName": " "}, 400, "invalid_request"),
    "name with NUL": ({"fullName": "a\0b"}, 400, "invalid_request"),
    "name with a line break": ({"fullName": "a\nb"}, 400, "invalid_request"),
    "no e-mail": ({"email": None}, 400, "invalid_request"),
    "e-mail without domain": ({"email": "somebody@"}, 400, "invalid_request"),
    "e-mail with a space": ({"email": "some body@example.org"}, 400, "invalid_request"),
    "e-mail a list": ({"email": ["a@b"]}, 400, "invalid_request"),
    "short password": ({"password": "1234567"}, 400, "invalid_request"),
    "endless password": ({"password": "x" * 2000}, 400, "invalid_request"),
}


@pytest.mark.parametrize("base", ["/api/v0/auth", "/api/v0/developer/auth"])
@pytest.mark.parametrize(("change", "status", "code"), BAD_REGISTRATIONS.values(), ids=BAD_REGISTRATIONS)
def test_registrations_that_cannot_be(server: Server, base: str, change: dict[str, Any], status: int, code: str) -> None:
    body = {name: value for name, value in {**REGISTER, **change}.items() if value is not None}
    answer = server.http.post(f"{base}/register", json=body)
    assert (answer.status_code, answer.json()["error"]) == (status, code)


def test_an_address_is_taken_once_for_each_kind(server: Server) -> None:
    for base in ("/api/v0/auth", "/api/v0/developer/auth"):
        who = {"name": "Somebody", "email": "Twice@Example.org", "password": PASSWORD}
        assert server.http.post(f"{base}/register", json=who).status_code == 201
        taken = server.http.post(f"{base}/register", json={**who, "email": " twice@example.ORG "})
        assert (taken.status_code, taken.json()["error"]) == (409, "already_exists")


def test_registering_makes_one_project_and_more_can_be_made(server: Server) -> None:
    user = person(server)
    assert [one["name"] for one in user.call("GET", "/api/v0/projects").json()] == ["My project"]
    assert user.call("POST", "/api/v0/projects", {"name": "Holiday"}).status_code == 201
    assert [one["name"] for one in user.call("GET", "/api/v0/projects").json()] == ["My project", "Holiday"]
    assert user.call("POST", "/api/v0/projects", {"name": ""}).json()["error"] == "invalid_request"


def test_signing_out_ends_this_session_only(server: Server) -> None:
    user = person(server)
    other = server.http.post("/api/v0/auth/token", json={"email": user.email, "password": PASSWORD}).json()["token"]
    server.http.cookies.clear()
    assert user.call("POST", "/api/v0/auth/logout").status_code == 200
    assert user.call("GET", "/api/v0/auth/account").json()["error"] == "unauthorized"
    assert Person(server.http, other, user.email).call("GET", "/api/v0/auth/account").status_code == 200


def test_a_session_ends_by_itself(server: Server) -> None:
    user = person(server)
    with server.clock.later(timedelta(days=7)):
        assert user.call("GET", "/api/v0/auth/account").status_code == 401


def test_a_users_session_is_no_developers(server: Server, user: Person, developer: Person) -> None:
    refused = user.call("GET", "/api/v0/developer/auth/account")
    assert (refused.status_code, refused.headers["www-authenticate"]) == (401, 'Bearer realm="grantway"')
    assert developer.call("GET", "/api/v0/auth/account").status_code == 401


ORIGINS: dict[str, tuple[dict[str, str], int]] = {
    "our own": ({"Origin": "http://localhost:{port}"}, 201),
    "none": ({}, 403),
    "another port": ({"Origin": "http://localhost:1"}, 403),
    "another site": ({"Origin": "https://evil.example"}, 403),
    "null": ({"Origin": "null"}, 403),
}


@pytest.mark.parametrize(("headers", "status"), ORIGINS.values(), ids=ORIGINS)
def test_a_cookie_needs_our_own_origin(server: Server, headers: dict[str, str], status: int) -> None:
    user = person(server)
    with httpx.Client(base_url=server.url, timeout=60, verify=NO_TLS) as browser:
        signed_in = browser.post("/api/v0/auth/token", json={"email": user.email, "password": PASSWORD})
        cookie = signed_in.headers["set-cookie"]
        assert "_tokenKey=" in cookie
        assert all(word in cookie for word in ("HttpOnly", "SameSite=Lax", "Path=/"))
        own = {name: value.format(port=server.grantway.config.port) for name, value in headers.items()}
        assert browser.post("/api/v0/projects", json={"name": "One more"}, headers=own).status_code == status
        assert browser.get("/api/v0/projects").status_code == 200


@pytest.mark.parametrize("order", [0, 1])
def test_of_two_session_cookies_that_differ_none_counts(server: Server, order: int) -> None:
    """With http a neighbouring port can plant a second one: nobody works in an attacker's account unawares."""
    pair = [f"_tokenKey={person(server).token}" for _ in range(2)][:: 1 if order else -1]
    assert server.http.get("/api/v0/projects", headers={"Cookie": "; ".join(pair)}).status_code == 401
    assert server.http.get("/api/v0/projects", headers={"Cookie": pair[0]}).status_code == 200


def test_a_page_elsewhere_cannot_sign_its_visitor_in(server: Server, user: Person) -> None:
    answer = server.http.post(
        "/api/v0/auth/token", json={"email": user.email, "password": PASSWORD}, headers={"Origin": "https://evil.example"}
    )
    assert answer.status_code == 403
    assert "set-cookie" not in answer.headers


BAD_REQUESTS: dict[str, tuple[dict[str, Any], int, str]] = {
    "client unknown": ({"client_id": "nobody"}, 400, "invalid_client_id"),
    "client_id missing": ({"client_id": None}, 400, "invalid_request"),
    "redirect_uri elsewhere": ({"redirect_uri": "https://evil.example/callback"}, 400, "invalid_redirect_uri"),
    "redirect_uri longer": ({"redirect_uri": REDIRECT_URI + "/more"}, 400, "invalid_redirect_uri"),
    "scope a string": ({"scope": "read"}, 400, "invalid_request"),
    "scope empty": ({"scope": []}, 400, "invalid_request"),
    "scope unknown": ({"scope": ["read", "admin"]}, 400, "invalid_scope"),
    "scope only places": ({"scope": ["bucket:photos"]}, 400, "invalid_scope"),
    "101 scopes": ({"scope": ["read", *(f"bucket:b{number}" for number in range(100))]}, 400, "invalid_scope"),
    "challenge plain": ({"code_challenge": "x" * 43, "code_challenge_method": "plain"}, 400, "invalid_request"),
    "challenge short": ({"code_challenge": "x", "code_challenge_method": "S256"}, 400, "invalid_request"),
    "method without challenge": ({"code_challenge_method": "S256"}, 400, "invalid_request"),
    "state endless": ({"state": "x" * 5000}, 400, "invalid_request"),
    "project of another": ({"project_id": "11111111-1111-4111-8111-111111111111"}, 403, "forbidden"),
}


@pytest.mark.parametrize(("change", "status", "code"), BAD_REQUESTS.values(), ids=BAD_REQUESTS)
def test_requests_that_cannot_be(user: Person, client: App, change: dict[str, Any], status: int, code: str) -> None:
    body = {"client_id": client.client_id, "redirect_uri": REDIRECT_URI, "scope": ["read"], **change}
    answer = user.call("POST", "/api/v0/oauth2/request", {name: value for name, value in body.items() if value is not None})
    assert (answer.status_code, answer.json()["error"]) == (status, code)


def test_asking_needs_a_session_and_an_active_client(server: Server, user: Person, developer: Person) -> None:
    disabled = new_app(server, developer)
    developer.call("PATCH", f"/api/v0/developer/auth/oauth2/clients/{disabled.client_id}/status", {"status": 0})
    body = {"client_id": disabled.client_id, "redirect_uri": REDIRECT_URI, "scope": ["read"]}
    assert server.http.post("/api/v0/oauth2/request", json=body).json()["error"] == "unauthorized"
    assert user.call("POST", "/api/v0/oauth2/request", body).json()["error"] == "client_inactive"


def test_what_is_held_and_what_is_new(server: Server, developer: Person) -> None:
    user, client = person(server), new_app(server, developer, scopes=["read", "write", "list"], required_scopes=["read"])
    first = asked(user, client, ["read", "write"])
    assert (first["current_access"], first["needed_access"]) == ([], ["read", "write"])
    assert (first["required_scopes"], first["optional_scopes"]) == (["read"], ["write"])
    assert first["client_name"] == "Photo Box"
    approved(user, client, ["read"])
    second = asked(user, client, ["read", "write"])
    assert (second["current_access"], second["needed_access"]) == (["read"], ["write"])


BAD_CONSENTS: dict[str, tuple[dict[str, Any], int, str]] = {
    "request unknown": ({"request_id": "nothing"}, 400, "invalid_request_id"),
    "request_id missing": ({"request_id": None}, 400, "invalid_request"),
    "more than requested": ({"approved_scopes": ["read", "delete"]}, 400, "invalid_scope"),
    "a place beyond": ({"approved_scopes": ["read", "bucket:other"]}, 400, "invalid_scope"),
    "a wider place": ({"approved_scopes": ["read", "bucket:photos"]}, 400, "invalid_scope"),
    "the last place rejected": ({"approved_scopes": ["read"], "rejected_scopes": ["bucket:photos;2024/"]}, 400, "invalid_scope"),
    "unknown scope": ({"approved_scopes": ["admin"]}, 400, "invalid_scope"),
    "both approved and rejected": ({"rejected_scopes": ["read"]}, 400, "invalid_request"),
    "expires too soon": ({"expires_in": 59}, 400, "invalid_request"),
    "expires too late": ({"expires_in": 365 * 86_400 + 1}, 400, "invalid_request"),
    "expires a string": ({"expires_in": "3600"}, 400, "invalid_request"),
    "approve a string": ({"approve": "yes"}, 400, "invalid_request"),
    "project of another": ({"project_id": "11111111-1111-4111-8111-111111111111"}, 403, "forbidden"),
}


@pytest.mark.parametrize(("change", "status", "code"), BAD_CONSENTS.values(), ids=BAD_CONSENTS)
def test_consents_that_cannot_be(user: Person, client: App, change: dict[str, Any], status: int, code: str) -> None:
    scope = ["read", "write", "bucket:photos;2024/"]
    body = {"request_id": asked(user, client, scope)["request_id"], "approved_scopes": scope, **change}
    answer = user.call("POST", "/api/v0/oauth2/consent", {name: value for name, value in body.items() if value is not None})
    assert (answer.status_code, answer.json()["error"]) == (status, code)


def test_consent_comes_in_time_once_and_from_whom_it_was_asked(server: Server, user: Person, client: App) -> None:
    body = {"request_id": asked(user, client)["request_id"], "approved_scopes": ["read"]}
    assert person(server).call("POST", "/api/v0/oauth2/consent", body).json()["error"] == "forbidden"
    with server.clock.later(timedelta(seconds=60)):
        assert user.call("POST", "/api/v0/oauth2/consent", body).json()["error"] == "request_expired"
    assert user.call("POST", "/api/v0/oauth2/consent", body).status_code == 200
    assert user.call("POST", "/api/v0/oauth2/consent", body).json()["error"] == "request_not_pending"


def test_the_redirect_carries_code_state_and_issuer(server: Server, user: Person, client: App) -> None:
    request_id = asked(user, client, state="a b&c=d#é")["request_id"]
    answer = user.call("POST", "/api/v0/oauth2/consent", {"request_id": request_id, "approved_scopes": ["read"]}).json()
    parts = urlsplit(answer["redirect_uri"])
    assert f"{parts.scheme}://{parts.netloc}{parts.path}" == REDIRECT_URI
    assert parse_qs(parts.query) == {"code": [answer["code"]], "state": ["a b&c=d#é"], "iss": [server.grantway.house.issuer]}


@pytest.mark.parametrize(
    "decision",
    [
        {"approved_scopes": [], "rejected_scopes": ["read", "write"]},
        {"approved_scopes": ["read", "write"], "approve": False},
        {"approved_scopes": ["write"], "rejected_scopes": ["read"]},
    ],
    ids=["all rejected", "approve false", "a required one rejected"],
)
def test_a_no_is_a_redirect_without_a_code(server: Server, user: Person, developer: Person, decision: dict[str, Any]) -> None:
    client = new_app(server, developer, required_scopes=["read"])
    request_id = asked(user, client, state="s")["request_id"]
    answer = user.call("POST", "/api/v0/oauth2/consent", {"request_id": request_id, **decision})
    assert answer.status_code == 200
    assert "code" not in answer.json()
    assert parse_qs(urlsplit(answer.json()["redirect_uri"]).query)["error"] == ["access_denied"]


def test_a_narrower_place_may_be_approved(user: Person, client: App) -> None:
    scope = ["read", "bucket:photos"]
    code = approved(user, client, scope, {"approved_scopes": ["read", "bucket:photos;2024/"]})
    assert client.exchange(code).json()["scopes"] == ["read", "bucket:photos;2024/"]


def test_who_has_access_and_what_was_asked(server: Server, developer: Person) -> None:
    user, client = person(server), new_app(server, developer, description="Shows photos.")
    asked(user, client, ["delete"])
    assert client.exchange(approved(user, client, ["read", "list"], {"approved_scopes": ["read"]})).status_code == 200
    (listed,) = user.call("GET", "/api/v0/auth/developer-access").json()
    assert {name: listed[name] for name in ("client_id", "application_name", "application_description", "developer_email")} == {
        "client_id": client.client_id,
        "application_name": "Photo Box",
        "application_description": "Shows photos.",
        "developer_email": developer.email,
    }
    assert (listed["approved_scopes"], listed["rejected_scopes"]) == (["read"], ["list"])
    assert (listed["is_active"], listed["total_requests"]) == (True, 1)
    path = f"/api/v0/auth/developer-access/{client.client_id}/history"
    assert [(one["status"], one["scopes"]) for one in user.call("GET", path).json()] == [
        ("approved", ["read", "list"]),
        ("pending", ["delete"]),
    ]
    with server.clock.later(timedelta(minutes=2)):
        assert [one["status"] for one in user.call("GET", path).json()] == ["approved", "expired"]
    assert user.call("GET", "/api/v0/auth/developer-access/nobody/history").status_code == 404
