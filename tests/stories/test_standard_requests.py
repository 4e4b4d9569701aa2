"""What an app asks for at /oauth2/authorize: what is wrong is told on a page or goes back to the app, and PKCE may be left out by few."""

import pytest
from tests.stories.browser import Browser, came_back
from tests.stories.running import REDIRECT_URI, App, Person, Server, new_app
from tests.stories.standard_flow import allowed_code, asking, redeem

PAGE = {
    "no client": {"client_id": None},
    "an unknown client": {"client_id": "nobody"},
    "another redirect URI": {"redirect_uri": "https://evil.example/"},
    "a path behind": {"redirect_uri": REDIRECT_URI + "/../x"},
    "a query behind": {"redirect_uri": REDIRECT_URI + "?x=1"},
    "a fragment": {"redirect_uri": REDIRECT_URI + "#x"},
    "user information": {"redirect_uri": "https://myapp.com@evil.example/callback"},
    "a backslash": {"redirect_uri": "https://myapp.com\\@evil.example/callback"},
    "encoded": {"redirect_uri": "https://myapp.com%2Fcallback"},
    "a look-alike host": {"redirect_uri": "https://myаpp.com/callback"},
    "a line break": {"redirect_uri": REDIRECT_URI + "\r\nSet-Cookie: a=b"},
}


@pytest.mark.parametrize("changes", PAGE.values(), ids=PAGE)
def test_what_never_goes_back_to_an_app(browser: Browser, client: App, changes: dict[str, str | None]) -> None:
    answer = browser.open(asking(client, **changes))
    assert answer.status_code == 400
    assert "location" not in answer.headers
    assert "set-cookie" not in answer.headers
    assert "Trace id" in answer.text
    person, developer = answer.text.split("<main")[1].split('<div class="note apart">')
    assert ("The app" in person or "the app" in person, "send them what stands below" in person) == (True, True)
    assert [word for word in ("client_id", "redirect_uri", "invalid_", "race id") if word in person] == []
    assert "For the app&#39;s developer: invalid_" in developer


BACK: dict[str, tuple[dict[str, str | None], str]] = {
    "no response_type": ({"response_type": None}, "unsupported_response_type"),
    "an implicit grant": ({"response_type": "token"}, "unsupported_response_type"),
    "no challenge": ({"code_challenge": None}, "invalid_request"),
    "no method": ({"code_challenge_method": None}, "invalid_request"),
    "plain": ({"code_challenge_method": "plain"}, "invalid_request"),
    "a short challenge": ({"code_challenge": "x"}, "invalid_request"),
    "no scope": ({"scope": None}, "invalid_scope"),
    "an unknown scope": ({"scope": "read everything"}, "invalid_scope"),
    "only a bucket": ({"scope": "bucket:photos"}, "invalid_scope"),
}


@pytest.mark.parametrize(("changes", "error"), BACK.values(), ids=BACK)
def test_what_goes_back_to_the_app_before_anybody_signs_in(server: Server, client: App, changes: dict[str, str | None], error: str) -> None:
    back = came_back(Browser(server.grantway.house.issuer).open(asking(client, **changes)))
    assert (back["error"], back["state"], back["iss"]) == (error, "st%te &", server.grantway.house.issuer)


def test_a_parameter_twice_gets_a_page(browser: Browser, client: App) -> None:
    assert browser.open(asking(client) + "&state=2").status_code == 400


def test_a_confidential_client_without_pkce(server: Server, browser: Browser, developer: Person) -> None:
    """It may ask without a challenge; then the redirect URI must come back, and a verifier must not. With a challenge it is held to it."""
    client = new_app(server, developer, require_pkce=False)
    without: dict[str, str | None] = {"code_challenge": None, "code_challenge_method": None}
    code = allowed_code(browser, client, **without)
    for changes in ({"redirect_uri": None, "code_verifier": None}, {}):
        assert redeem(server, client, code, **changes).json()["error"] == "invalid_grant"
    assert redeem(server, client, code, code_verifier=None).status_code == 200
    held = allowed_code(browser, client)
    assert redeem(server, client, held, code_verifier=None).json()["error"] == "invalid_grant"
    assert redeem(server, client, held).status_code == 200
    assert came_back(browser.open(asking(client, code_challenge_method=None)))["error"] == "invalid_request"


def test_a_public_client_never_goes_without_pkce(developer: Person, server: Server) -> None:
    path = "/api/v0/developer/auth/oauth2/clients"
    body = {"name": "A", "redirect_uris": [REDIRECT_URI], "require_pkce": False}
    refused = developer.call("POST", path, {**body, "token_endpoint_auth_method": "none"})
    assert (refused.status_code, refused.json()["error"]) == (400, "invalid_request")
    client_id = developer.call("POST", path, body).json()["client_id"]
    assert developer.call("GET", f"{path}/{client_id}").json()["require_pkce"] is False
    change = developer.call("PUT", f"{path}/{client_id}", {"token_endpoint_auth_method": "none"})
    assert change.json()["error"] == "invalid_request"
    both = developer.call("PUT", f"{path}/{client_id}", {"token_endpoint_auth_method": "none", "require_pkce": True})
    assert both.json()["require_pkce"] is True


def test_one_registered_redirect_uri_may_be_left_out(browser: Browser, client: App) -> None:
    browser.open(asking(client, redirect_uri=None))
    assert browser.send("/oauth2/consent", decision="deny").headers["location"].startswith(REDIRECT_URI + "?")


def test_the_page_lets_forms_end_at_this_app_only(browser: Browser, client: App) -> None:
    policy = browser.open(asking(client)).headers["content-security-policy"]
    assert "form-action 'self' https://myapp.com;" in policy
    assert "frame-ancestors 'none'" in policy
    assert "default-src 'none'" in policy


def test_names_are_text_and_nothing_else(server: Server, browser: Browser, developer: Person) -> None:
    name = '<script>alert("x")</script>'
    client = new_app(server, developer, name=name)
    browser.open(asking(client))
    assert name not in browser.page.text
    assert "&lt;script&gt;" in browser.page.text
