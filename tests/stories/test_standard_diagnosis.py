"""Refusals of the standard flow leave findings, also those that go back to the app in the redirect."""

import pytest
from tests.stories.browser import Browser, came_back
from tests.stories.running import REDIRECT_URI, App, Person, Server, new_app
from tests.stories.standard_flow import allowed_code, asking, redeem


def causes(server: Server, developer: Person, trace_id: str) -> set[str]:
    found = developer.call("GET", f"/api/v0/developer/auth/oauth2/findings/{trace_id}")
    assert found.status_code == 200, found.text
    return {fault["cause"] for fault in found.json()["faults"]}


def test_refusals_leave_findings(server: Server, browser: Browser, client: App, developer: Person) -> None:
    """Those of a JWT in `client_secret`, and those of the request, are explained as in the JSON API."""
    code = allowed_code(browser, client)
    wrong = client.jwt(secret="x" * 40)
    for changes, cause in (
        ({"client_secret": wrong}, "unknown_key"),
        ({"client_secret": client.jwt(exp=1)}, "assertion_expired"),
        ({"code_verifier": "w" * 43}, "pkce_mismatch"),
    ):
        answer = redeem(server, client, code, **changes).json()
        found = causes(server, developer, answer["trace_id"])
        assert cause in found, (cause, found)
    page = browser.open(asking(client, redirect_uri=REDIRECT_URI + "x"))
    trace_id = page.text.split("Trace id: <code>")[1].split("<")[0]
    assert "redirect_uri_mismatch" in causes(server, developer, trace_id)


def test_errors_in_the_redirect_leave_findings_too(server: Server, browser: Browser, client: App, developer: Person) -> None:
    """They have no trace id there: the client's list has them."""
    for changes in ({"response_type": "token"}, {"code_challenge": None, "code_challenge_method": None}, {"scope": "admin"}):
        assert "error" in came_back(browser.open(asking(client, **changes)))
    listed = developer.call("GET", f"/api/v0/developer/auth/oauth2/clients/{client.client_id}/findings").json()["findings"]
    assert [one["cause"] for one in listed] == ["scope_unknown", "pkce_challenge_malformed", "response_type_unsupported"]


@pytest.mark.parametrize(
    ("method", "changes", "verdict", "remedy"),
    [
        (
            "client_secret_basic",
            {"code_challenge": None, "code_challenge_method": None},
            "code_challenge is missing",
            "require_pkce: false",
        ),
        ("none", {"code_challenge": None, "code_challenge_method": None}, "code_challenge is missing", "and code_challenge_method S256."),
        ("none", {"code_challenge_method": None}, "code_challenge_method is missing", "Send code_challenge_method S256 beside"),
        ("none", {"code_challenge_method": "S512"}, "code_challenge_method is S512", "Send code_challenge_method S256 beside"),
        ("none", {"code_challenge": "abc"}, "code_challenge has 3 characters", "Send a code_challenge of 43 base64url characters"),
    ],
    ids=["with a secret", "without a secret", "no method", "another method", "a short one"],
)
def test_what_of_pkce_is_missing_is_told(
    server: Server, browser: Browser, developer: Person, method: str, changes: dict[str, str | None], verdict: str, remedy: str
) -> None:
    back = came_back(browser.open(asking(new_app(server, developer, token_endpoint_auth_method=method), **changes)))
    (fault,) = developer.call("GET", f"/api/v0/developer/auth/oauth2/findings/{back['trace_id']}").json()["faults"]
    assert (fault["cause"], verdict in fault["verdict"], remedy in fault["remedy"]) == ("pkce_challenge_malformed", True, True), fault
    assert ("require_pkce" in fault["remedy"]) is (method != "none")


@pytest.mark.parametrize("scope", [None, "", " "], ids=["missing", "empty", "blank"])
def test_a_scope_that_was_left_out_is_told_as_that(browser: Browser, client: App, developer: Person, scope: str | None) -> None:
    back = came_back(browser.open(asking(client, scope=scope)))
    assert (back["error"], back["error_description"].partition(";")[0]) == ("invalid_scope", "scope is missing or empty")
    found = developer.call("GET", f"/api/v0/developer/auth/oauth2/findings/{back['trace_id']}").json()
    assert [(one["cause"], one["evidence"]) for one in found["faults"]] == [("field_missing", {"field": "scope"})]


def test_what_the_page_answers_first_is_found_first(browser: Browser, client: App, developer: Person) -> None:
    back = came_back(browser.open(asking(client, scope=None, response_type=None)))
    found = developer.call("GET", f"/api/v0/developer/auth/oauth2/findings/{back['trace_id']}").json()
    assert [one["cause"] for one in found["faults"]] == ["response_type_unsupported", "field_missing"]
