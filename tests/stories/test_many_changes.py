"""Whoever is signed in changes so much a minute, from wherever; reading, and taking back, never has to wait."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from tests.stories.browser import BROWSERS
from tests.stories.portal import NEW, created, developer_at, user_at
from tests.stories.running import Person, Server, approved, new_app, person, running

CLIENTS = "/api/v0/developer/auth/oauth2/clients"
MOST = 4


@pytest.fixture
def limited(tmp_path: Path) -> Iterator[Server]:
    with running(tmp_path, rate_limits=True, changes_per_minute=MOST) as server:
        yield server
    while BROWSERS:
        BROWSERS.pop().http.close()


def is_refused(answer: httpx.Response) -> bool:
    if answer.status_code != 429:
        return False
    assert answer.json()["error"] == "rate_limited"
    assert 1 <= int(answer.headers["retry-after"]) <= 60
    return True


def renamed(who: Person, number: int) -> httpx.Response:
    return who.call("PATCH", "/api/v0/developer/auth/account", {"name": f"Dev {number}"})


def test_a_developer(limited: Server) -> None:
    developer, other = person(limited, "developer"), person(limited, "developer")
    app = new_app(limited, developer)
    one = f"{CLIENTS}/{app.client_id}"
    assert [is_refused(renamed(developer, number)) for number in range(MOST)] == [False] * (MOST - 1) + [True]
    refused = [
        developer.call("POST", CLIENTS, {"name": "Second", "redirect_uris": [app.redirect_uri]}),
        developer.call("PUT", one, {"name": "Changed"}),
        developer.call("PATCH", f"{one}/status", {"status": 0}),
        developer.call("POST", f"{one}/regenerate-secret", {"overlap_seconds": 0}),
        developer.call("POST", "/api/v0/oauth2/token/check", app.body("x" * 20)),
    ]
    assert all(map(is_refused, refused))
    read = developer.call("GET", one)
    assert (read.status_code, read.json()["name"], read.json()["status"]) == (200, "Photo Box", 1)
    assert renamed(other, 1).status_code == 200
    assert developer.call("DELETE", one).status_code == 204
    assert developer.call("POST", "/api/v0/developer/auth/logout").status_code == 200


def test_a_user(limited: Server) -> None:
    developer, user = person(limited, "developer"), person(limited)
    app = new_app(limited, developer)
    approved(user, app)
    approved(user, app)
    assert is_refused(user.call("POST", "/api/v0/projects", {"name": "more"}))
    body = {"client_id": app.client_id, "redirect_uri": app.redirect_uri, "scope": ["read"]}
    assert is_refused(user.call("POST", "/api/v0/oauth2/request", body))
    assert is_refused(user.call("POST", "/api/v0/oauth2/consent", {"request_id": "x"}))
    assert user.call("DELETE", f"/api/v0/auth/developer-access/{app.client_id}/revoke").status_code == 200
    assert user.call("POST", "/api/v0/auth/logout").status_code == 200


def test_the_pages_count_for_the_same_account(limited: Server) -> None:
    browser = developer_at(limited)
    app = created(browser, limited)
    token = browser.http.cookies["grantway_developer"]
    dana = Person(limited.http, token, "")
    assert [renamed(dana, number).status_code for number in range(MOST)] == [200] * (MOST - 1) + [429]
    browser.open(NEW)
    page = browser.send(NEW, name="Second", redirect_uris=app.redirect_uri)
    assert (page.status_code, "Too many tries" in page.text) == (429, True)
    assert 1 <= int(page.headers["retry-after"]) <= 60
    path = f"/developer/apps/{app.client_id}/delete"
    browser.open(path)
    browser.send(path, name="Photo Box")
    assert limited.rows("SELECT count(*) FROM clients WHERE client_id = ? AND deleted_at IS NULL", app.client_id) == [(0,)]


def test_the_consent_page(limited: Server) -> None:
    app = new_app(limited, person(limited, "developer"), require_pkce=False)
    browser = user_at(limited)
    asked = f"/oauth2/authorize?response_type=code&client_id={app.client_id}&scope=read&redirect_uri={app.redirect_uri}"
    for _ in range(MOST):
        browser.open(asked)
        assert "code=" in browser.send("/oauth2/consent", decision="allow", passphrase="x").headers["location"]
    browser.open(asked)
    assert browser.send("/oauth2/consent", decision="allow", passphrase="x").status_code == 429
