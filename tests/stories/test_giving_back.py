"""An app gives back at /oauth2/revoke what it holds: a key and all below it, and nothing else."""

import httpx
from tests.stories.browser import Browser
from tests.stories.running import App, Person, Server, new_app
from tests.stories.standard_flow import allowed_code, may, redeem

from grantway.access_grant import ApiKey, Caveat


def given_back(server: Server, client: App, token: str, **changes: str) -> httpx.Response:
    return server.http.post(
        "/oauth2/revoke", data={"token": token, "client_id": client.client_id, "client_secret": client.jwt(), **changes}
    )


def test_an_app_revokes_one_key_and_all_below_it(server: Server, browser: Browser, client: App) -> None:
    first, second = (ApiKey.parse(redeem(server, client, allowed_code(browser, client)).json()["access_token"]) for _ in range(2))
    below = first.restrict(Caveat(disallow_writes=True, nonce=b"n"))
    aside = first.restrict(Caveat(disallow_writes=True, nonce=b"m"))
    assert (given_back(server, client, below.serialise()).status_code, may(server, below)) == (200, False)
    assert (may(server, first), may(server, aside)) == (True, True)
    answer = given_back(server, client, first.serialise(), token_type_hint="access_token")
    assert (answer.status_code, answer.content) == (200, b"")
    assert (may(server, first), may(server, aside), may(server, second)) == (False, False, True)
    assert given_back(server, client, first.serialise()).status_code == 200


def test_an_access_grant_can_be_given_back(server: Server, browser: Browser, client: App) -> None:
    body = redeem(server, client, allowed_code(browser, client), passphrase="x").json()
    assert given_back(server, client, body["access_grant"]).status_code == 200
    assert not may(server, ApiKey.parse(body["access_token"]))


def test_what_is_not_revoked(server: Server, browser: Browser, client: App, developer: Person) -> None:
    token = redeem(server, client, allowed_code(browser, client)).json()["access_token"]
    key = ApiKey.parse(token)
    stranger = new_app(server, developer)
    forged = ApiKey(head=key.head, caveats=key.caveats, tail=b"x" * 32).serialise()
    assert given_back(server, stranger, token).json()["error"] == "invalid_request"
    assert given_back(server, client, token, client_secret=client.jwt(secret="x" * 40)).json()["error"] == "invalid_client"
    for nothing in ("x", forged, "1" * 60_000):
        assert given_back(server, client, nothing).status_code == 200
    assert given_back(server, client, "").json()["error"] == "invalid_request"
    assert may(server, key)
