"""What is this key worth now? Asked by the app that it was issued to, by others, and by a resource server (RFC 7662)."""

import base64
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import httpx
import pytest
from tests.stories.running import App, Person, Server, approved, new_app, person, running

from grantway.access_grant import AccessGrant, AllowedPath, ApiKey, Caveat, Timestamp
from grantway.clients import assertion
from grantway.tokens import token_state

INTROSPECT = "/oauth2/introspect"
RESOURCE_SERVER = "the token of the resource servers"
INACTIVE = b'{"active":false}'
NARROWER = Caveat(disallow_writes=True, nonce=b"n")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with running(tmp_path_factory.mktemp("data"), introspection_token=RESOURCE_SERVER) as started:
        yield started


def issued(user: Person, client: App, scopes: list[str] | None = None) -> AccessGrant:
    answer = client.exchange(approved(user, client, scopes or ["read", "write"]))
    assert answer.status_code == 200, answer.text
    return AccessGrant.parse(answer.json()["access_grant"])


def asked(client: App, token: str, **changes: str | None) -> httpx.Response:
    fields = {"token": token, "client_id": client.client_id, "client_secret": client.jwt(), **changes}
    return client.http.post(INTROSPECT, data={name: value for name, value in fields.items() if value is not None})


def asked_by_resource_server(server: Server, token: str, presented: str = RESOURCE_SERVER, **fields: str) -> httpx.Response:
    return server.http.post(INTROSPECT, data={"token": token, **fields}, headers={"Authorization": f"Bearer {presented}".strip()})


def is_active(answer: httpx.Response) -> bool:
    assert answer.status_code == 200, answer.text
    return bool(answer.json()["active"])


def test_its_own_key(server: Server, user: Person, client: App) -> None:
    grant = issued(user, client, ["list", "read", "bucket:photos"])
    answer = asked(client, grant.api_key.serialise())
    assert answer.headers["cache-control"] == "no-store"
    told = answer.json()
    me = user.call("GET", "/api/v0/auth/account").json()
    now = server.clock().timestamp()
    assert told.pop("exp") - now == pytest.approx(30 * 86400, abs=29)
    assert told.pop("nbf") - now == pytest.approx(-60, abs=29)
    assert told.pop("iat") - now == pytest.approx(0, abs=29)
    assert told == {
        "active": True,
        "scope": "list read bucket:photos",
        "client_id": client.client_id,
        "sub": me["id"],
        "token_type": "Bearer",
        "iss": server.grantway.house.issuer,
    }
    assert asked(client, grant.serialise(), token_type_hint="refresh_token").json()["active"]
    for word in (user.email, me.get("fullName", user.email)):
        assert word not in answer.text


def test_keys_that_the_app_made_of_it(server: Server, user: Person, client: App) -> None:
    """Nobody told the server of them: their ancestors' tails do."""
    key = issued(user, client).api_key
    ends = Timestamp(int(server.clock().timestamp()) + 60)
    below = key.restrict(NARROWER).restrict(Caveat(allowed_paths=(AllowedPath(b"photos", b""),), not_after=ends))
    told = asked(client, below.serialise()).json()
    assert (told["scope"], told["exp"]) == ("read bucket:photos", ends.seconds)
    assert "iat" in told
    hidden = key.restrict(Caveat(allowed_paths=(AllowedPath(b"photos", b"\2encrypted"),)))
    assert "scope" not in asked(client, hidden.serialise()).json()
    with server.clock.later(timedelta(seconds=62)):
        assert asked(client, below.serialise()).content == INACTIVE
        assert is_active(asked(client, key.serialise()))


def test_what_is_none_of_its_business(server: Server, user: Person, client: App, developer: Person) -> None:
    """Another client's, forged, of another server, or no key at all: always the same bytes."""
    key = issued(user, client).api_key
    stranger = new_app(server, developer)
    assert asked(stranger, key.serialise()).content == INACTIVE
    forged = ApiKey(head=key.head, caveats=key.caveats, tail=b"x" * 32)
    elsewhere = ApiKey.new(b"s" * 32, b"h" * 32).restrict(NARROWER)
    deep = key
    while len(deep.caveats) < token_state.MOST_CAVEATS:
        deep = deep.restrict(b"")
    assert is_active(asked(client, deep.serialise()))
    unreadable = key.restrict(b"\xff")
    for token in (
        *(one.serialise() for one in (forged, elsewhere, unreadable, deep.restrict(b""))),
        "x", "1" * 60_000, "\0", "ключ", "%", " " + key.serialise(), user.token, client.jwt(), client.client_secret,
    ):  # fmt: skip
        answer = asked(client, token)
        assert (answer.status_code, answer.content) == (200, INACTIVE), token[:20]


def test_what_was_taken_back(server: Server, user: Person, client: App) -> None:
    first, second = (issued(user, client).api_key for _ in range(2))
    below = first.restrict(NARROWER)
    aside = first.restrict(Caveat(disallow_writes=True, nonce=b"m"))
    revoked = client.http.post(
        "/oauth2/revoke", data={"token": below.serialise(), "client_id": client.client_id, "client_secret": client.jwt()}
    )
    assert revoked.status_code == 200
    assert asked(client, below.serialise()).content == INACTIVE
    assert is_active(asked(client, first.serialise()))
    client.http.post("/oauth2/revoke", data={"token": first.serialise(), "client_id": client.client_id, "client_secret": client.jwt()})
    assert asked(client, first.serialise()).content == INACTIVE
    assert asked(client, aside.serialise()).content == INACTIVE
    assert is_active(asked(client, second.serialise()))
    user.call("DELETE", f"/api/v0/auth/developer-access/{client.client_id}/revoke")
    assert asked(client, second.serialise()).content == INACTIVE


def test_what_a_leaked_code_yielded(user: Person, client: App) -> None:
    code = approved(user, client)
    key = AccessGrant.parse(client.exchange(code).json()["access_grant"]).api_key
    assert is_active(asked(client, key.serialise()))
    client.exchange(code)
    assert asked(client, key.serialise()).content == INACTIVE


def test_before_and_after_its_time(server: Server, user: Person, client: App) -> None:
    key = issued(user, client).api_key
    begins = Timestamp(int(server.clock().timestamp()) + 100)
    later = key.restrict(Caveat(not_before=begins))
    assert asked(client, later.serialise()).content == INACTIVE
    with server.clock.later(timedelta(seconds=101)):
        assert asked(client, later.serialise()).json()["nbf"] == begins.seconds
    with server.clock.later(timedelta(days=30, seconds=1)):
        assert asked(client, key.serialise()).content == INACTIVE
    with server.clock.later(timedelta(minutes=-2)):
        assert asked(client, key.serialise()).content == INACTIVE


def test_when_the_project_is_gone(server: Server, developer: Person) -> None:
    """An account that is deleted takes its projects' keys with it; for those, everybody's answer is the same."""
    user, client = person(server), new_app(server, developer)
    key = issued(user, client).api_key
    assert user.call("DELETE", "/api/v0/auth/account", {"password": "correct horse battery"}).status_code in {200, 204}
    assert asked(client, key.serialise()).content == INACTIVE
    assert asked_by_resource_server(server, key.serialise()).content == INACTIVE


def test_when_only_the_project_is_gone(server: Server, user: Person, client: App) -> None:
    """The root of the key is remembered from the first time that it was asked about."""
    project = user.call("POST", "/api/v0/projects", {"name": "For a while"}).json()
    key = AccessGrant.parse(client.exchange(approved(user, client, project_id=project["id"])).json()["access_grant"]).api_key
    assert is_active(asked(client, key.serialise()))
    assert user.call("DELETE", f"/api/v0/projects/{project['id']}").status_code in {200, 204}
    assert asked(client, key.serialise()).content == INACTIVE
    assert asked_by_resource_server(server, key.serialise()).content == INACTIVE


def test_a_tail_far_down_that_was_revoked(user: Person, client: App) -> None:
    """Further below the consent than is asked of the database at once."""
    chain = [issued(user, client).api_key]
    for number in range(620):
        chain.append(chain[-1].restrict(Caveat(nonce=number.to_bytes(2))))
    assert is_active(asked(client, chain[-1].serialise()))
    revoking = {"token": chain[560].serialise(), "client_id": client.client_id, "client_secret": client.jwt()}
    assert client.http.post("/oauth2/revoke", data=revoking).status_code == 200
    assert asked(client, chain[-1].serialise()).content == INACTIVE
    assert is_active(asked(client, chain[559].serialise()))


def test_a_resource_server_sees_every_key(server: Server, user: Person, client: App, developer: Person) -> None:
    key = issued(user, client).api_key
    told = asked_by_resource_server(server, key.restrict(NARROWER).serialise()).json()
    assert (told["client_id"], told["scope"]) == (client.client_id, "read")
    for token in ("x", ApiKey.new(b"s" * 32, b"h" * 32).serialise()):
        assert asked_by_resource_server(server, token).content == INACTIVE
    developer.call("PATCH", f"/api/v0/developer/auth/oauth2/clients/{client.client_id}/status", {"status": 0})
    assert is_active(asked_by_resource_server(server, key.serialise()))  # a disabled client gets nothing new; what it has lives on
    developer.call("DELETE", f"/api/v0/developer/auth/oauth2/clients/{client.client_id}")
    assert asked_by_resource_server(server, key.serialise()).content == INACTIVE


@pytest.mark.parametrize("presented", ["", "x", RESOURCE_SERVER[:-1], RESOURCE_SERVER + "x", "тайна".encode().decode("latin-1")])
def test_who_is_no_resource_server(server: Server, presented: str) -> None:
    answer = server.http.post(
        INTROSPECT, data={"token": "x"}, headers=[(b"Authorization", f"Bearer {presented}".strip().encode("latin-1"))]
    )
    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")
    assert answer.headers["www-authenticate"] == 'Bearer realm="grantway"'


def test_without_the_setting_nobody_is_a_resource_server(tmp_path: Any) -> None:
    with running(tmp_path) as server:
        for presented in ("", "x"):
            answer = server.http.post(INTROSPECT, data={"token": "x"}, headers={"Authorization": f"Bearer {presented}".strip()})
            assert answer.status_code == 401
        said = server.http.get("/.well-known/oauth-authorization-server").json()
        assert "Bearer" not in said["introspection_endpoint_auth_methods_supported"]


def test_every_way_to_authenticate(server: Server, user: Person, developer: Person) -> None:
    issuer = server.grantway.house.issuer
    for method in ("client_secret_jwt", "client_secret_basic", "client_secret_post"):
        client = new_app(server, developer, token_endpoint_auth_method=method)
        pair = base64.b64encode(f"{client.client_id}:{client.client_secret}".encode()).decode()
        now = int(server.clock().timestamp())
        claims = {"iss": client.client_id, "sub": client.client_id, "aud": issuer + "/oauth2/token", "exp": now + 60}
        token = issued(user, client).api_key.serialise()
        ways: dict[str, tuple[dict[str, str], dict[str, str]]] = {
            "client_secret_jwt": (
                {
                    "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
                    "client_assertion": assertion.sign(claims, client.client_secret),
                },
                {},
            ),
            "client_secret_basic": ({}, {"Authorization": f"Basic {pair}"}),
            "client_secret_post": ({"client_id": client.client_id, "client_secret": client.client_secret}, {}),
        }
        for way, (fields, headers) in ways.items():
            answer = server.http.post(INTROSPECT, data={"token": token, **fields}, headers=headers)
            assert answer.status_code == (200 if way in {method, "client_secret_jwt"} else 401), (method, way)
            assert answer.status_code == 401 or answer.json()["active"]


def test_a_public_client_may_not_ask(server: Server, user: Person, developer: Person) -> None:
    """Its client_id is public, so anybody could ask in its name."""
    client = new_app(server, developer, token_endpoint_auth_method="none")
    token = issued(user, client).api_key.serialise()
    answers = [
        server.http.post(INTROSPECT, data={"token": token, "client_id": client.client_id}),
        server.http.post(INTROSPECT, data={"token": token, "client_id": "nobody"}),
        server.http.post(INTROSPECT, data={"token": token}),
        asked(client, token, client_secret=client.jwt(secret="x" * 40)),
        asked(client, token, client_secret=client.jwt(exp=1)),
    ]
    assert {one.status_code for one in answers} == {401}
    assert len({one.text.replace(one.json()["trace_id"], "") for one in answers}) == 1


def test_a_jwt_that_asks_is_not_used_up(user: Person, client: App) -> None:
    code, jwt = approved(user, client), client.jwt()
    for _ in range(2):
        assert asked(client, "x", client_secret=jwt).content == INACTIVE
    assert client.exchange(code, client_secret=jwt).status_code == 200
    assert asked(client, "x", client_secret=jwt).status_code == 401


def test_malformed_requests(server: Server, client: App) -> None:
    form = {"client_id": client.client_id, "client_secret": client.jwt()}
    kind = "application/x-www-form-urlencoded"
    for content, content_type in (
        (b"token=a&token=b", kind),
        (b"", kind),
        (b"token=", kind),
        (b"token=%ff", kind),
        (b'{"token": "x"}', "application/json"),
        (b"x" * 70_000, kind),
    ):
        answer = server.http.post(INTROSPECT, content=content, headers={"Content-Type": content_type})
        assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request"), content[:20]
    assert server.http.post(INTROSPECT, data=form).json()["error"] == "invalid_request"
    assert server.http.get(INTROSPECT, params={"token": "x", **form}).status_code == 405
    both = server.http.post(INTROSPECT, data={"token": "x", **form}, headers={"Authorization": "Basic eDp5"})
    assert both.json()["error"] == "invalid_request"


def test_it_is_limited_like_the_token_endpoint(tmp_path: Any) -> None:
    with running(tmp_path, rate_limits=True, token_requests_per_minute=3) as server:
        statuses = [server.http.post(INTROSPECT, data={"token": "x", "client_id": "nobody"}).status_code for _ in range(4)]
    assert statuses == [401, 401, 401, 429]


def test_the_metadata_lead_there(server: Server) -> None:
    said = server.http.get("/.well-known/oauth-authorization-server").json()
    assert said["introspection_endpoint"] == server.grantway.house.issuer + INTROSPECT
    methods = ["client_secret_jwt", "client_secret_basic", "client_secret_post", "Bearer"]
    assert said["introspection_endpoint_auth_methods_supported"] == methods
