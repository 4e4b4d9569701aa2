"""One app's keys, on the person's page and over the JSON API: which there are, and how each ended."""

import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from tests.stories.person_pages import ACCESS, MOMENT, browser_of, may, words
from tests.stories.running import App, Person, Server, approved, asked, person

from grantway.web.connected_app import SHOWN


def test_one_key_over_the_json_api(server: Server, client: App) -> None:
    user = person(server)
    first, second = (client.exchange(approved(user, client, ["read"])).json()["access_grant"] for _ in range(2))
    path = f"{ACCESS}/{client.client_id}/grants"
    listed = user.call("GET", path).json()
    assert [(one["scopes"], one["revoked_at"], one["is_active"]) for one in listed] == [(["read"], None, True)] * 2
    answer = user.call("DELETE", f"{path}/{listed[0]['id']}")
    assert (answer.status_code, answer.json()) == (200, {"message": "Access grant revoked"})
    assert sorted([may(server, first), may(server, second)]) == [False, True]
    after = user.call("GET", path).json()
    assert [one["is_active"] for one in after] == [False, True]
    assert after[0]["revoked_at"] is not None
    assert user.call("DELETE", f"{path}/{'0' * 32}").json()["error"] == "not_found"
    assert person(server).call("GET", path).json()["error"] == "not_found"
    assert person(server).call("DELETE", f"{path}/{listed[1]['id']}").json()["error"] == "not_found"


def test_keys_of_a_project_that_is_gone(server: Server, client: App) -> None:
    user = person(server)
    client.exchange(approved(user, client, ["read"]))
    project = user.call("GET", "/api/v0/projects").json()[0]["id"]
    assert user.call("DELETE", f"/api/v0/projects/{project}").status_code == 204
    browser = browser_of(server, user)
    browser.open(f"/connected-apps/{client.client_id}")
    assert "Dead: its project was deleted." in browser.page.text
    assert "/connected-apps/revoke-grant" not in browser.page.text


def test_only_the_latest_are_on_the_page(server: Server, client: App) -> None:
    user = person(server)
    for _ in range(SHOWN + 1):
        asked(user, client, ["read"])
    text = words(browser_of(server, user).open(f"/connected-apps/{client.client_id}").text)
    assert text.count("It asked to download") == SHOWN
    assert f"These are the latest {SHOWN} of {SHOWN + 1}." in text


def test_what_was_never_collected(server: Server, client: App) -> None:
    """Once its code has ended the history says that the app never had access, and not until when it would have had."""
    user = person(server)
    browser = browser_of(server, user)
    approved(user, client, ["read"], {"expires_in": 3600})
    approved(user, client, ["write"], {"approved_scopes": ["write", "bucket:photos"], "expires_in": 3600})
    path = f"/connected-apps/{client.client_id}"
    text = words(browser.open(path).text)
    assert (text.count(", until "), "never had access" in text) == (2, False)
    with server.clock.later(timedelta(minutes=1)):
        text = words(browser.open(path).text)
    assert (text.count(", until "), text.count("The app did not come for its key in time, so it never had access.")) == (0, 2)
    assert "What it may do Nothing. Allowed" in text
    assert "Last key handed outnever Endedat once, because the app did not come for its key Its keys It has none." in text
    with server.clock.later(timedelta(minutes=1)):
        assert "but it never came for its key" in words(browser.open("/connected-apps").text)
    with server.clock.later(timedelta(hours=3)):
        assert "Last key handed outnot known any more" in words(browser.open(path).text)
        assert "never came" not in words(browser.open("/connected-apps").text)


def given_back(server: Server, user: Person, client: App, grant: str) -> None:
    assert server.http.post(
        "/oauth2/revoke", data={"token": grant, "client_id": client.client_id, "client_secret": client.jwt()}
    ).is_success


def taken_back(server: Server, user: Person, client: App, grant: str) -> None:
    assert user.call("DELETE", f"{ACCESS}/{client.client_id}/revoke").is_success


def nothing_done(server: Server, user: Person, client: App, grant: str) -> None:
    """It ends by itself."""


HOW_IT_ENDED = {
    "revoked": (taken_back, timedelta(0), MOMENT),
    "given back": (given_back, timedelta(0), "with the last of its keys"),
    "by itself": (nothing_done, timedelta(hours=2), MOMENT),
}


@pytest.mark.parametrize(("end", "later", "told"), HOW_IT_ENDED.values(), ids=HOW_IT_ENDED)
def test_how_it_ended(server: Server, client: App, end: Callable[[Server, Person, App, str], None], later: timedelta, told: str) -> None:
    user = person(server)
    browser = browser_of(server, user)
    code = approved(user, client, ["read"], {"expires_in": 3600})
    end(server, user, client, client.exchange(code).json()["access_grant"])
    with server.clock.later(later):
        text = words(browser.open(f"/connected-apps/{client.client_id}").text)
    assert "What it may do Nothing any more." in text
    assert re.search(rf" Ended{told} Its keys", text), text


def test_keys_of_one_minute_are_told_apart(server: Server, client: App) -> None:
    """Each has a name of its own, also on the button that revokes it, and that button revokes this one."""
    user = person(server)
    browser = browser_of(server, user)
    grants = [client.exchange(approved(user, client, ["read"])).json()["access_grant"] for _ in range(3)]
    with server.clock.later(timedelta(minutes=5)):
        grants.append(client.exchange(approved(user, client, ["read"])).json()["access_grant"])
        page = browser.open(f"/connected-apps/{client.client_id}").text
        names = re.findall(r'name="grant_id" value="(\w+)">\s*<button class="danger">Revoke the key of ([^<]+)</button>', page)
        assert len({name for _, name in names}) == len(names) == 4
        assert re.fullmatch(MOMENT, names[0][1])
        for grant_id, name in names[1:]:
            assert re.fullmatch(rf"[0-9]+ [A-Z][a-z]+ [0-9]{{4}}, [0-9:]{{8}} UTC( \(…{grant_id[-6:]}\))?", name)
            assert page.count(name) == 3  # its row, the question and the button
        for untrue in (names[-1][0], "1", "x" * 200):
            assert "no longer work" not in browser.open(f"/connected-apps/{client.client_id}?revoked={untrue}").text
        browser.send("/connected-apps/revoke-grant", grant_id=names[-1][0])
        assert f"Revoked. The key of {names[-1][1]} and every key made from it no longer work." in browser.page.text
        assert [may(server, one) for one in grants] == [False, True, True, True]
