"""The standard flow, walked by a person in a browser: sign in, read, narrow, allow, take back; and every way to go wrong."""

import base64
import secrets
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest
from tests.stories.browser import Browser, came_back
from tests.stories.running import PASSWORD, REDIRECT_URI, App, Person, Server, new_app

from grantway.access_grant import AccessGrant, Action, Allowed, ApiKey, Caveat
from grantway.authorization import pkce
from grantway.authorization.request import PAGE_LIFETIME
from grantway.clients import assertion

VERIFIER = "v" * 43
STANDARD: dict[str, str] = {
    "response_type": "code",
    "redirect_uri": REDIRECT_URI,
    "scope": "read list",
    "state": "st%te &",
    "code_challenge": pkce.challenge_of(VERIFIER),
    "code_challenge_method": "S256",
}


def asking(client: App, **changes: str | None) -> str:
    """The URL that the app sends a person to; None leaves a parameter out."""
    parameters = {"client_id": client.client_id, **STANDARD, **changes}
    return "/oauth2/authorize?" + urlencode({name: value for name, value in parameters.items() if value is not None})


@pytest.fixture
def browser(server: Server) -> Browser:
    """Somebody new, registered and signed in."""
    one = Browser(server.grantway.house.issuer)
    one.open("/register")
    one.register(f"{secrets.token_hex(6)}@example.org", PASSWORD)
    assert one.page.status_code == 200
    return one


def redeem(server: Server, client: App, code: str, /, **changes: str | None) -> httpx.Response:
    parameters = {
        "grant_type": "authorization_code",
        "code": code,
        "client_id": client.client_id,
        "client_secret": client.jwt(),
        "redirect_uri": REDIRECT_URI,
        "code_verifier": VERIFIER,
        **changes,
    }
    return server.http.post("/oauth2/token", data={name: value for name, value in parameters.items() if value is not None})


def allowed_code(browser: Browser, client: App, **changes: str | None) -> str:
    browser.open(asking(client, **changes))
    return came_back(browser.send("/oauth2/consent", decision="allow"))["code"]


def may(server: Server, key: ApiKey, bucket: bytes = b"photos", path: bytes = b"") -> bool:
    satellite = server.grantway.satellite
    return isinstance(server.wait_for(satellite.check(key, Action.LIST, bucket, path, server.clock())), Allowed)


def test_the_whole_story(server: Server, client: App) -> None:
    """From the app to sign-in, registration, consent, back, exchange, and Revoke."""
    browser = Browser(server.grantway.house.issuer)
    browser.open(asking(client))
    assert "<h1>Sign in</h1>" in browser.page.text
    browser.open("/register?" + urlencode({"next": dict(browser.form("/sign-in").fields)["next"]}))
    browser.register(f"{secrets.token_hex(6)}@example.org", PASSWORD)
    assert "download and read your files" in browser.page.text
    assert "myapp.com" in browser.page.text
    back = came_back(browser.send("/oauth2/consent", decision="allow"))
    assert (back["state"], back["iss"]) == ("st%te &", server.grantway.house.issuer)

    answer = redeem(server, client, back["code"])
    assert answer.status_code == 200, answer.text
    body = answer.json()
    assert set(body) == {"access_token", "token_type", "expires_in", "scope"}
    assert (body["token_type"], body["scope"]) == ("Bearer", "read list")
    assert answer.headers["cache-control"] == "no-store"
    key = ApiKey.parse(body["access_token"])
    assert may(server, key)

    browser.open("/connected-apps")
    assert "download and read your files" in browser.page.text
    browser.send("/connected-apps/revoke")
    assert "no longer works" in browser.page.text
    assert not may(server, key)


def test_deny(browser: Browser, client: App) -> None:
    browser.open(asking(client))
    back = came_back(browser.send("/oauth2/consent", decision="deny"))
    assert back["error"] == "access_denied"
    assert back["state"] == "st%te &"


def test_a_person_allows_less(server: Server, browser: Browser, client: App) -> None:
    browser.open(asking(client))
    back = came_back(browser.send("/oauth2/consent", "read", decision="allow", narrower="photos", lifetime="hour"))
    body = redeem(server, client, back["code"]).json()
    assert body["scope"] == "list bucket:photos"
    assert 3500 < body["expires_in"] <= 3600
    key = ApiKey.parse(body["access_token"])
    assert (may(server, key, b"photos"), may(server, key, b"taxes")) == (True, False)


def test_the_passphrase_of_the_consent_page_opens_just_what_was_allowed(server: Server, browser: Browser, client: App) -> None:
    """It comes before the app's own `passphrase`, and nothing of it is left when the code is used."""
    browser.open(asking(client))
    values = {"decision": "allow", "narrower": "photos/2026", "passphrase": "open sesame"}
    code = came_back(browser.send("/oauth2/consent", **values))["code"]
    assert len(server.rows("SELECT 1 FROM codes WHERE sealed_opening IS NOT NULL")) == 1
    grant = AccessGrant.parse(redeem(server, client, code, passphrase="another").json()["access_grant"])
    assert not server.rows("SELECT 1 FROM codes WHERE sealed_opening IS NOT NULL")
    # the keys that v0's passphrase gives for the same project
    whole = allowed_code(browser, client)
    other = AccessGrant.parse(redeem(server, client, whole, passphrase="open sesame").json()["access_grant"])
    under = other.encryption_access.encrypt_prefix(b"photos", b"2026/x.jpg")
    assert grant.encryption_access.encrypt_prefix(b"photos", b"2026/x.jpg") == under
    assert (may(server, grant.api_key, path=under), may(server, grant.api_key, path=b"elsewhere")) == (True, False)


def test_what_a_passphrase_opened_does_not_outlive_its_code(server: Server, browser: Browser, client: App) -> None:
    browser.open(asking(client))
    came_back(browser.send("/oauth2/consent", decision="allow", passphrase="open sesame"))
    server.wait_for(server.grantway.tidy(server.clock() + timedelta(minutes=1)))
    assert not server.rows("SELECT 1 FROM codes WHERE sealed_opening IS NOT NULL")


def test_a_prefix_without_a_passphrase_gives_nothing(server: Server, browser: Browser, client: App) -> None:
    """Never a bucket-wide key instead; and the code is still good for a request that brings the passphrase."""
    browser.open(asking(client))
    browser.send("/oauth2/consent", decision="allow", narrower="photos/2026")
    code = came_back(browser.send("/oauth2/consent", decision="allow"))["code"]  # warned, and on without it
    refused = redeem(server, client, code)
    assert (refused.status_code, refused.json()["error"]) == (400, "invalid_scope")
    assert "access_grant" in redeem(server, client, code, passphrase="x").json()


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


# forms


def consent_form(browser: Browser, client: App) -> dict[str, Any]:
    browser.open(asking(client))
    form = browser.form("/oauth2/consent")
    return {**dict(form.fields), "scope": [value for name, value in form.ticked if name == "scope"], "decision": "allow"}


def post(browser: Browser, data: dict[str, Any], origin: str | None = "") -> httpx.Response:
    headers = {} if origin is None else {"Origin": origin or browser.issuer}
    return browser.http.post("/oauth2/consent", data=data, headers=headers)


def test_forms_from_elsewhere(server: Server, browser: Browser, client: App) -> None:
    sent = consent_form(browser, client)
    other = Browser(server.grantway.house.issuer)
    other.open("/register")
    stranger = dict(other.form("/register").fields)["csrf"]
    assert post(browser, {**sent, "csrf": ""}).status_code == 403
    assert post(browser, {**sent, "csrf": stranger}).status_code == 403
    assert post(browser, sent, origin="https://evil.example").status_code == 403
    assert post(browser, sent, origin="null").status_code == 403
    assert post(browser, sent, origin=None).status_code == 403
    assert came_back(post(browser, sent))["code"]


def test_a_token_of_before_signing_in_is_stale(server: Server, client: App) -> None:
    browser = Browser(server.grantway.house.issuer)
    browser.open("/register")
    before = dict(browser.form("/register").fields)["csrf"]
    browser.register(f"{secrets.token_hex(6)}@example.org", PASSWORD)
    assert post(browser, {**consent_form(browser, client), "csrf": before}).status_code == 403


def test_a_request_belongs_to_its_session(server: Server, browser: Browser, client: App) -> None:
    """The same person, signed in twice: a request of one browser cannot be answered in the other."""
    sent = consent_form(browser, client)
    other = Browser(server.grantway.house.issuer)
    other.http.cookies.update(browser.http.cookies)
    other.http.cookies.delete("grantway_user")
    email = browser.page.text.split('class="who">')[1].split("<")[0]
    other.open("/sign-in")
    other.send("/sign-in", email=email, password=PASSWORD)
    assert post(other, {**consent_form(other, client), "request_id": sent["request_id"]}).status_code == 403


def test_a_late_answer_and_a_second_one(server: Server, browser: Browser, client: App) -> None:
    sent = consent_form(browser, client)
    with server.clock.later(PAGE_LIFETIME):
        assert "has to ask again" in post(browser, sent).text
    assert post(browser, sent).status_code == 303
    assert "answered already" in post(browser, sent).text


@pytest.mark.parametrize(
    "target", ["https://evil.example", "//evil.example", "/\\evil.example", "/sign-out", "/oauth2/authorize?a\r\nx: y", "javascript:x"]
)
def test_signing_in_leads_to_our_own_pages_only(browser: Browser, target: str) -> None:
    answer = browser.http.get("/sign-in", params={"next": target})
    assert answer.headers["location"] == "/connected-apps"


def test_a_wrong_password_and_an_unknown_address_look_alike(server: Server, browser: Browser) -> None:
    email = browser.page.text.split('class="who">')[1].split("<")[0]
    other = Browser(server.grantway.house.issuer)
    pages = []
    for address in (email, "nobody@example.org"):
        other.open("/sign-in")
        answer = other.send("/sign-in", email=address, password="wrong password")
        pages.append((answer.status_code, answer.text.replace(address, "")))
    assert pages[0] == pages[1]
    assert pages[0][0] == 401


def test_signing_out_ends_the_session(browser: Browser) -> None:
    token = browser.http.cookies["grantway_user"]
    browser.open("/connected-apps")
    browser.send("/sign-out")
    browser.http.cookies.set("grantway_user", token)
    assert "<h1>Sign in</h1>" in browser.open("/connected-apps").text


def test_a_new_password_ends_every_session(server: Server, browser: Browser) -> None:
    email = browser.page.text.split('class="who">')[1].split("<")[0]
    other = Browser(server.grantway.house.issuer)
    other.open("/sign-in")
    other.send("/sign-in", email=email, password=PASSWORD)
    browser.open("/password")
    assert browser.send("/password", old="wrong password", new="a new password").status_code == 401
    assert browser.send("/password", old=PASSWORD, new="short").status_code == 400
    assert "every session has ended" in browser.send("/password", old=PASSWORD, new="a new password").text
    assert "<h1>Sign in</h1>" in other.open("/connected-apps").text
    assert other.send("/sign-in", email=email, password=PASSWORD).status_code == 401
    assert "<h1>Connected apps</h1>" in other.send("/sign-in", email=email, password="a new password").text


def test_a_planted_session_is_not_taken_over(server: Server) -> None:
    """Signing in makes a new token, and one that somebody else chose opens nothing."""
    browser = Browser(server.grantway.house.issuer)
    planted = {"Cookie": "grantway_user=planted"}
    assert browser.http.get("/connected-apps", headers=planted).headers["location"].startswith("/sign-in")
    browser.open("/register")
    browser.register(f"{secrets.token_hex(6)}@example.org", PASSWORD)
    assert browser.http.cookies["grantway_user"] != "planted"
    assert browser.http.get("/connected-apps", headers=planted).headers["location"].startswith("/sign-in")


# the token endpoint


def rfc7523(client: App, issuer: str, **claims: Any) -> str:
    now = int(client.clock().timestamp())
    said = {"iss": client.client_id, "sub": client.client_id, "aud": issuer, "exp": now + 60, "jti": secrets.token_hex(8), **claims}
    return assertion.sign({name: value for name, value in said.items() if value is not None}, client.client_secret)


TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
NO_TEXT: list[Any] = [["x"], {"x": []}]
UNFIT: tuple[dict[str, Any], ...] = (
    *({claim: value} for claim in ("iss", "sub", "aud", "exp") for value in NO_TEXT),
    *({"aud": None}, {"aud": "https://other.example"}, {"iss": "somebody"}, {"sub": "somebody"}, {"sub": None}, {"exp": 1}),
)


def test_client_secret_jwt(server: Server, browser: Browser, client: App) -> None:
    code, issuer = allowed_code(browser, client), server.grantway.house.issuer
    asserted: dict[str, str | None] = {"client_id": None, "client_secret": None, "client_assertion_type": TYPE}
    for wrong in UNFIT:
        answer = redeem(server, client, code, **asserted, client_assertion=rfc7523(client, issuer, **wrong))
        assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client"), wrong
    right = rfc7523(client, issuer)
    assert redeem(server, client, code, **asserted, client_assertion=right).status_code == 200
    again = redeem(server, client, allowed_code(browser, client), **asserted, client_assertion=right)
    assert again.json()["error"] == "invalid_client"


def basic(client: App, secret: str | None = None) -> dict[str, str]:
    text = f"{client.client_id}:{secret or client.client_secret}"
    return {"Authorization": "Basic " + base64.b64encode(text.encode()).decode()}


def test_each_client_uses_its_own_method(server: Server, browser: Browser, developer: Person) -> None:
    """Who is registered for Basic may not post its secret, and the reverse; a confidential client must not come without any."""
    for method in ("client_secret_jwt", "client_secret_basic", "client_secret_post", "none"):
        client = new_app(server, developer, token_endpoint_auth_method=method)
        code = allowed_code(browser, client)
        for way in ("client_secret_basic", "client_secret_post", "none"):
            if way != method:
                assert by(way, server, client, code).json()["error"] == "invalid_client", (method, way)
        assert by(method, server, client, code).status_code == 200, method


def by(way: str, server: Server, client: App, code: str) -> httpx.Response:
    """Redeem the code in one way to authenticate."""
    if way == "client_secret_basic":
        data = {"grant_type": "authorization_code", "code": code, "code_verifier": VERIFIER}
        return server.http.post("/oauth2/token", data=data, headers=basic(client))
    secrets_sent = {"client_secret_jwt": client.jwt(), "client_secret_post": client.client_secret, "none": None}
    return redeem(server, client, code, client_secret=secrets_sent[way])


def test_a_wrong_basic_secret_is_challenged(server: Server, browser: Browser, developer: Person) -> None:
    client = new_app(server, developer, token_endpoint_auth_method="client_secret_basic")
    data = {"grant_type": "authorization_code", "code": allowed_code(browser, client), "code_verifier": VERIFIER}
    answer = server.http.post("/oauth2/token", data=data, headers=basic(client, "wrong"))
    assert (answer.status_code, answer.headers["www-authenticate"]) == (401, 'Basic realm="grantway"')


TOKEN: dict[str, tuple[dict[str, str | None], int, str]] = {
    "another grant type": ({"grant_type": "client_credentials"}, 400, "unsupported_grant_type"),
    "no grant type": ({"grant_type": None}, 400, "invalid_request"),
    "no code": ({"code": None}, 400, "invalid_request"),
    "an unknown code": ({"code": "x"}, 400, "invalid_grant"),
    "another redirect URI": ({"redirect_uri": "https://other.example"}, 400, "invalid_grant"),
    "no verifier": ({"code_verifier": None}, 400, "invalid_grant"),
    "a wrong verifier": ({"code_verifier": "w" * 43}, 400, "invalid_grant"),
    "no client": ({"client_id": None, "client_secret": None}, 401, "invalid_client"),
    "two ways at once": ({"client_assertion": "x.y.z", "client_assertion_type": TYPE}, 400, "invalid_request"),
    "another assertion type": ({"client_secret": None, "client_assertion": "x.y.z", "client_assertion_type": "x"}, 400, "invalid_request"),
    "broken UTF-8": ({"code": "\udcff"}, 400, "invalid_request"),
}


@pytest.mark.parametrize(("changes", "status", "error"), TOKEN.values(), ids=TOKEN)
def test_refusals(server: Server, browser: Browser, client: App, changes: dict[str, str | None], status: int, error: str) -> None:
    """Each in the words of RFC 6749 section 5.2; and the code is still good afterwards."""
    code = allowed_code(browser, client)
    if changes.get("code") == "\udcff":
        answer = server.http.post(
            "/oauth2/token",
            content=b"grant_type=authorization_code&code=%FF",
            headers={"Content-Type": "application/x-www-form-urlencoded"},
        )
    else:
        answer = redeem(server, client, code, **changes)
    assert (answer.status_code, answer.json()["error"]) == (status, error), answer.text
    assert redeem(server, client, code, redirect_uri=None).status_code == 200


def test_a_parameter_that_is_missing_is_named_in_plain_words(server: Server) -> None:
    answer = server.http.post("/oauth2/token", data={"code": "x"})
    assert answer.json()["error_description"] == "grant_type is missing."


def test_other_bodies_and_duplicates(server: Server) -> None:
    for content, kind in (
        (b"{}", "application/json"),
        (b"grant_type=a&grant_type=b", "application/x-www-form-urlencoded"),
        (b"&".join([b"a=b"] * 300), "application/x-www-form-urlencoded"),
        (b"\xff\xfe", "application/x-www-form-urlencoded"),
        (b"grant_type=authorization_code", "text/plain"),
    ):
        answer = server.http.post("/oauth2/token", content=content, headers={"Content-Type": kind})
        assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")


def test_a_code_shown_twice_revokes_what_it_yielded(server: Server, browser: Browser, client: App) -> None:
    code = allowed_code(browser, client)
    key = ApiKey.parse(redeem(server, client, code).json()["access_token"])
    assert may(server, key)
    assert redeem(server, client, code).json()["error"] == "invalid_grant"
    assert not may(server, key)


def test_the_metadata(server: Server) -> None:
    issuer = server.grantway.house.issuer
    said = server.http.get("/.well-known/oauth-authorization-server").json()
    assert (said["issuer"], said["token_endpoint"]) == (issuer, issuer + "/oauth2/token")
    assert said["code_challenge_methods_supported"] == ["S256"]


# the diagnosis


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


# giving back


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
