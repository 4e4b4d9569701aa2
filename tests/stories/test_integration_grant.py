"""The access grant in the integration page's redirect, where the operator wants it there."""

from collections.abc import Iterator
from urllib.parse import urlencode

import pytest
from tests.stories.browser import Browser, came_back
from tests.stories.integration_page import link
from tests.stories.running import PASSWORD, REDIRECT_URI, Server, approved, new_app, person, running
from tests.stories.victims import somebody

from grantway.access_grant import AccessGrant, Action, Allowed


@pytest.fixture(scope="module")
def careless(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with running(tmp_path_factory.mktemp("data"), access_grant_in_redirect=True) as started:
        yield started


def test_an_access_grant_goes_back_where_the_operator_wants_it(careless: Server) -> None:
    client = new_app(careless, person(careless, "developer"))
    browser = somebody(careless)
    browser.open(link(client, state="s"))
    back = came_back(browser.send("/oauth2/consent", decision="allow", narrower="photos/2026", passphrase="open sesame"))
    assert set(back) == {"access_grant", "state", "iss"}
    grant = AccessGrant.parse(back["access_grant"])
    satellite = careless.grantway.satellite
    under = grant.encryption_access.encrypt_prefix(b"photos", b"2026/x.jpg")
    answers = [careless.wait_for(satellite.check(grant.api_key, Action.READ, b"photos", path, careless.clock())) for path in (under, b"x")]
    assert [isinstance(one, Allowed) for one in answers] == [True, False]
    browser.open("/connected-apps")
    browser.send("/connected-apps/revoke")
    again = careless.wait_for(satellite.check(grant.api_key, Action.READ, b"photos", under, careless.clock()))
    assert not isinstance(again, Allowed)


def test_without_a_passphrase_it_is_the_empty_one_as_at_storx(careless: Server) -> None:
    client = new_app(careless, person(careless, "developer"))
    browser = somebody(careless)
    browser.open(link(client))
    assert "the key of the empty passphrase" in browser.page.text
    grant = AccessGrant.parse(came_back(browser.send("/oauth2/consent", decision="allow"))["access_grant"])
    browser.open(link(client))
    assert "access_grant" in came_back(browser.send("/oauth2/consent", decision="allow", narrower="photos/2026"))  # nothing to warn of
    browser.open(link(client))
    other = AccessGrant.parse(came_back(browser.send("/oauth2/consent", decision="allow", passphrase="x"))["access_grant"])
    assert grant.encryption_access.serialise() != other.encryption_access.serialise()


def test_without_a_project_the_app_hears_why(careless: Server) -> None:
    client = new_app(careless, person(careless, "developer"))
    user = person(careless)
    browser = Browser(careless.grantway.house.issuer)
    browser.open("/sign-in")
    browser.send("/sign-in", email=user.email, password=PASSWORD)
    for project in user.call("GET", "/api/v0/projects").json():
        user.call("DELETE", f"/api/v0/projects/{project['id']}")
    browser.open(link(client, state="s"))
    back = came_back(browser.send("/oauth2/consent", decision="allow"))
    assert (back["error"], back["state"]) == ("no_project", "s")


def test_the_standard_flow_still_gives_a_code(careless: Server) -> None:
    client = new_app(careless, person(careless, "developer"), require_pkce=False)
    browser = somebody(careless)
    asked = {"client_id": client.client_id, "response_type": "code", "redirect_uri": REDIRECT_URI, "scope": "read"}
    browser.open("/oauth2/authorize?" + urlencode(asked))
    assert "code" in came_back(browser.send("/oauth2/consent", decision="allow"))
    user = person(careless)
    assert client.exchange(approved(user, client)).status_code == 200
    browser.open(link(client))
    assert came_back(browser.send("/oauth2/consent", decision="deny"))["error"] == "access_denied"
