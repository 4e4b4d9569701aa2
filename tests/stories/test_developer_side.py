"""The developer's side of the contract (section 3): clients and their secrets."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from tests.stories.running import REDIRECT_URI, App, Person, Server, approved, new_app, person

CLIENTS = "/api/v0/developer/auth/oauth2/clients"

BAD_CLIENTS: dict[str, tuple[dict[str, Any], int, str]] = {
    "name missing": ({"name": None}, 400, "invalid_request"),
    "name empty": ({"name": "  "}, 400, "invalid_request"),
    "name with a control character": ({"name": "a\x07"}, 400, "invalid_request"),
    "no redirect URI": ({"redirect_uris": []}, 400, "invalid_redirect_uri"),
    "redirect URI plain http": ({"redirect_uris": ["http://myapp.com/"]}, 400, "invalid_redirect_uri"),
    "redirect URI javascript": ({"redirect_uris": "javascript:alert(1)"}, 400, "invalid_redirect_uri"),
    "redirect URI a number": ({"redirect_uris": 7}, 400, "invalid_request"),
    "21 redirect URIs": ({"redirect_uris": [f"https://a.example/{number}" for number in range(21)]}, 400, "invalid_redirect_uri"),
    "scope unknown": ({"scopes": ["everything"]}, 400, "invalid_scope"),
    "scopes give nothing": ({"scopes": ["bucket:a"]}, 400, "invalid_scope"),
    "required beyond scopes": ({"scopes": ["read"], "required_scopes": ["write"]}, 400, "invalid_scope"),
    "description endless": ({"description": "x" * 1001}, 400, "invalid_request"),
}


@pytest.mark.parametrize(("change", "status", "code"), BAD_CLIENTS.values(), ids=BAD_CLIENTS)
def test_clients_that_cannot_be(developer: Person, client: App, change: dict[str, Any], status: int, code: str) -> None:
    body = {name: value for name, value in {"name": "App", "redirect_uris": REDIRECT_URI, **change}.items() if value is not None}
    for method, path in (("POST", CLIENTS), ("PUT", f"{CLIENTS}/{client.client_id}")):
        if method == "PUT" and "name" in change and change["name"] is None:
            continue  # what a change leaves out stays
        answer = developer.call(method, path, body)
        assert (answer.status_code, answer.json()["error"]) == (status, code)


def test_what_is_shown_of_a_client(developer: Person, client: App) -> None:
    shown = developer.call("GET", f"{CLIENTS}/{client.client_id}").json()
    assert set(shown) == {
        "id", "client_id", "name", "description", "redirect_uris", "scopes", "required_scopes", "token_endpoint_auth_method",
        "require_pkce", "status", "created_at", "updated_at",
    }  # fmt: skip
    assert developer.call("GET", f"{CLIENTS}/{shown['id']}").json() == shown
    assert shown in developer.call("GET", CLIENTS).json()
    assert client.client_secret not in developer.call("GET", CLIENTS).text


def test_what_a_change_leaves_out_stays_as_another_one_made_at_once_has_it(server: Server, developer: Person, client: App) -> None:
    one = f"{CLIENTS}/{client.client_id}"
    with ThreadPoolExecutor(2) as both:
        for number in range(20):
            said: list[dict[str, Any]] = [{"name": f"App {number}"}, {"redirect_uris": [f"https://myapp.com/{number}"]}]
            assert [answer.status_code for answer in both.map(lambda body: developer.call("PUT", one, body), said)] == [200, 200]
            shown = developer.call("GET", one).json()
            assert (shown["name"], shown["redirect_uris"]) == (f"App {number}", [f"https://myapp.com/{number}"])


def test_another_developers_client_is_not_found(server: Server, client: App) -> None:
    stranger = person(server, "developer")
    one = f"{CLIENTS}/{client.client_id}"
    answers = [
        stranger.call("GET", one),
        stranger.call("PUT", one, {"name": "Mine"}),
        stranger.call("PATCH", f"{one}/status", {"status": 0}),
        stranger.call("POST", f"{one}/regenerate-secret"),
        stranger.call("DELETE", one),
        stranger.call("GET", f"{CLIENTS}/nothing"),
    ]
    assert {(answer.status_code, answer.json()["error"]) for answer in answers} == {(404, "not_found")}


def test_a_change_keeps_what_it_leaves_out(developer: Person, client: App) -> None:
    one = f"{CLIENTS}/{client.client_id}"
    before = developer.call("GET", one).json()
    assert developer.call("PUT", one, {"scopes": before["scopes"]}).json()["scopes"] == before["scopes"]  # as it was read
    after = developer.call("PUT", one, {"redirect_uris": ["https://new.example/cb"], "scopes": ["read"]}).json()
    emptied = {"name": "App", "redirect_uris": REDIRECT_URI, "scopes": []}  # which would open everything
    for method, path in (("POST", CLIENTS), ("PUT", one)):
        assert developer.call(method, path, emptied).json()["error"] == "invalid_scope"
    assert (after["redirect_uris"], after["scopes"], after["name"]) == (["https://new.example/cb"], ["read"], before["name"])


def test_disabled_and_enabled_again(user: Person, developer: Person, client: App) -> None:
    status = f"{CLIENTS}/{client.client_id}/status"
    for wrong in (2, True, "1", None):
        assert developer.call("PATCH", status, {"status": wrong}).json()["error"] == "invalid_request"
    code = approved(user, client)
    assert developer.call("PATCH", status, {"status": 0}).json()["status"] == 0
    assert client.exchange(code).status_code == 401
    assert developer.call("PATCH", status, {"status": 1}).json()["status"] == 1
    assert client.exchange(code).status_code == 200


def test_a_new_secret_overlaps_with_the_old_one(server: Server, user: Person, developer: Person, client: App) -> None:
    old = client.client_secret
    made = developer.call("POST", f"{CLIENTS}/{client.client_id}/regenerate-secret")
    assert made.status_code == 200
    client.client_secret = made.json()["client_secret"]
    assert client.client_secret != old
    for secret in (old, client.client_secret):
        assert client.exchange(approved(user, client), client_secret=client.jwt(secret=secret)).status_code == 200
    with server.clock.later(timedelta(hours=24)):
        assert client.exchange(approved(user, client), client_secret=client.jwt(secret=old)).json()["error"] == "invalid_client"
        assert client.exchange(approved(user, client)).status_code == 200


@pytest.mark.parametrize(("overlap", "status"), [(0, 200), (3600, 200), (-1, 400), (31 * 86_400, 400), (10**30, 400), ("0", 400)])
def test_the_overlap_is_said(user: Person, developer: Person, client: App, overlap: object, status: int) -> None:
    answer = developer.call("POST", f"{CLIENTS}/{client.client_id}/regenerate-secret", {"overlap_seconds": overlap})
    assert answer.status_code == status
    if overlap == 0:
        assert client.exchange(approved(user, client)).json()["error"] == "invalid_client"


def test_an_old_secret_stays_good_as_long_as_was_promised(server: Server, user: Person, developer: Person, client: App) -> None:
    path, secrets = f"{CLIENTS}/{client.client_id}/regenerate-secret", [client.client_secret]

    def good() -> list[bool]:
        answers = [client.exchange(approved(user, client), client_secret=client.jwt(secret=secret)) for secret in secrets]
        return [answer.status_code == 200 for answer in answers]

    # 1. two are good, and a third would end the first before its time
    secrets.append(developer.call("POST", path).json()["client_secret"])
    refused = developer.call("POST", path)
    assert (refused.status_code, refused.json()["error"]) == (409, "already_exists")
    assert "overlap_seconds 0" in refused.json()["error_description"]
    assert good() == [True, True]
    # 2. whoever means it ends both
    secrets.append(developer.call("POST", path, {"overlap_seconds": 0}).json()["client_secret"])
    assert good() == [False, False, True]
    # 3. after the promised time there is room again
    secrets.append(developer.call("POST", path, {"overlap_seconds": 60}).json()["client_secret"])
    assert developer.call("POST", path).status_code == 409
    with server.clock.later(timedelta(seconds=61)):
        assert developer.call("POST", path).status_code == 200


def test_a_deleted_client_is_gone_and_its_id_stays_taken(server: Server, developer: Person) -> None:
    gone = new_app(server, developer)
    answer = developer.call("DELETE", f"{CLIENTS}/{gone.client_id}")
    assert (answer.status_code, answer.content) == (204, b"")
    assert not {"content-length", "content-type", "transfer-encoding"} & set(answer.headers)
    assert developer.call("GET", f"{CLIENTS}/{gone.client_id}").status_code == 404
    assert gone.client_id not in developer.call("GET", CLIENTS).text


def test_a_loopback_redirect_uri_may_have_any_port(server: Server, user: Person, developer: Person) -> None:
    client = new_app(server, developer, redirect_uris=["http://127.0.0.1/callback"])
    client.redirect_uri = "http://127.0.0.1:49152/callback"
    code = approved(user, client)
    assert client.exchange(code, redirect_uri="http://127.0.0.1/callback").json()["error"] == "invalid_redirect_uri"
    assert client.exchange(code).status_code == 200


def test_what_is_registered_bounds_what_is_asked(server: Server, user: Person, developer: Person) -> None:
    client = new_app(server, developer, scopes=["read", "bucket:photos"])
    for scope, status in (
        (["read", "bucket:photos;2024"], 200),
        (["read"], 400),
        (["read", "bucket:other"], 400),
        (["write", "bucket:photos"], 400),
    ):
        body = {"client_id": client.client_id, "redirect_uri": REDIRECT_URI, "scope": scope}
        assert user.call("POST", "/api/v0/oauth2/request", body).status_code == status
