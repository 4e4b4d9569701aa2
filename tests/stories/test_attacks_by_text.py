"""Text that would like to be more than text: scripts in names, line breaks in headers, addresses that lead elsewhere."""

import secrets
from urllib.parse import quote, urlencode, urljoin, urlsplit

import httpx
import pytest
from tests.no_tls import NO_TLS
from tests.stories.browser import Browser, came_back
from tests.stories.running import PASSWORD, REDIRECT_URI, App, Person, Server, new_app
from tests.stories.victims import dangers, somebody

from grantway.authorization import pkce

SCRIPT = "<script>alert(1)</script>"
PAYLOADS = {
    "a script": SCRIPT,
    "out of an attribute": '"><img src=x onerror=alert(1)>',
    "out of an attribute, single": "' autofocus onfocus='alert(1)",
    "out of a title": "</title></textarea></style><script>alert(1)</script>",
    "a template": "{{ 1111*1111 }}{% raw %}${1111*1111}<%= 1111*1111 %>",
    "entities": "&lt;script&gt;&#x3c;script&#x3e;",
    "a comment": "<!--><script>alert(1)</script-->",
    "a link": "javascript:alert(1)",
    "fancy brackets": "＜script＞ ﹤script﹥",
}
VERIFIER = "v" * 43


def asking(client: App, **changes: str) -> str:
    sent = {
        "response_type": "code",
        "client_id": client.client_id,
        "redirect_uri": client.redirect_uri,
        "scope": "read list",
        "code_challenge": pkce.challenge_of(VERIFIER),
        "code_challenge_method": "S256",
        **changes,
    }
    return "/oauth2/authorize?" + urlencode(sent)


def shown(page: httpx.Response, *payloads: str) -> None:
    """The page has nothing of the payload but its text."""
    assert dangers(page.text) == []
    for payload in payloads:
        if any(letter in payload for letter in "<>\"'"):
            assert payload not in page.text
    assert "1234321" not in page.text


@pytest.mark.parametrize("payload", PAYLOADS.values(), ids=PAYLOADS)
def test_names_descriptions_and_scopes_are_text(server: Server, developer: Person, payload: str) -> None:
    """On every page that shows them: of the app, its developer, the person, buckets and prefixes, browsers."""
    developer.call("PATCH", "/api/v0/developer/auth/account", {"name": payload})
    client = new_app(server, developer, name=payload[:100], description=payload)
    browser = Browser(server.grantway.house.issuer)
    browser.http.headers["User-Agent"] = payload.encode("ascii", "replace").decode() + " Firefox/1"
    browser.open("/register")
    browser.send("/register", name=payload, email=f"{secrets.token_hex(6)}@example.org", password=PASSWORD)
    scope = f"read bucket:{quote(payload.replace('/', '|'), safe='')} bucket:photos;{quote(payload, safe='')}"
    shown(browser.open(asking(client, scope=scope)), payload)
    shown(browser.send("/oauth2/consent", decision="allow"), payload)  # a prefix without a passphrase is warned of once
    code = came_back(browser.send("/oauth2/consent", decision="allow"))["code"]
    assert client.exchange(code, code_verifier=VERIFIER).status_code == 200
    shown(browser.open(asking(client, scope=scope)), payload)  # now with what was allowed before
    shown(browser.open("/connected-apps"), payload)
    shown(browser.open(f"/connected-apps/{client.client_id}"), payload)
    shown(browser.open("/account"), payload)
    assert "Firefox" in browser.page.text
    developer.call("PATCH", "/api/v0/developer/auth/account", {"name": "Dana"})


@pytest.mark.parametrize("payload", PAYLOADS.values(), ids=PAYLOADS)
def test_what_was_sent_is_text_on_error_pages(server: Server, developer: Person, client: App, payload: str) -> None:
    """In each parameter of the authorization request, in forms that come back, and in the address of a page."""
    browser = somebody(server)
    for name in ("client_id", "redirect_uri", "scope", "state", "response_type", "code_challenge", "code_challenge_method", payload):
        answer = browser.open(asking(client, **{name: payload}))
        if answer.is_redirect:
            assert urlsplit(answer.headers["location"]).netloc == "myapp.com"
            continue
        shown(answer, payload)
    shown(browser.open(f"/connected-apps/{quote(payload, safe='')}"), payload)
    assert browser.page.status_code == 404
    stranger = Browser(server.grantway.house.issuer)
    shown(stranger.open("/sign-in?" + urlencode({"next": payload})), payload)
    shown(stranger.send("/sign-in", email=payload, password=payload), payload)
    stranger.open("/register")
    shown(stranger.send("/register", name=payload, email=payload, password=payload), payload)


@pytest.mark.parametrize("name", ["\u202eevil", "a\x00b", "a\nb", "\u200b", "\ud800", "\x1b[31m", "x" * 101])
def test_names_that_cannot_be_shown_truly_are_not_taken(developer: Person, name: str) -> None:
    """Letters that turn the direction, or that nobody sees, are refused at registration."""
    body = (
        '{"name": "' + name.encode("unicode_escape").decode().replace("\\x", "\\u00") + '", "redirect_uris": ["https://x.example/cb"]}'
    ).encode()
    answer = developer.http.post(
        "/api/v0/developer/auth/oauth2/clients", content=body, headers={"Authorization": f"Bearer {developer.token}"}
    )
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")


def test_the_redirect_host_is_told_as_it_is(server: Server, developer: Person) -> None:
    """Not decoded to look like another, and with everything in it that tells it from another."""
    for uri, host in (
        ("https://xn--pypal-4ve.com/cb", "xn--pypal-4ve.com"),
        ("https://myapp.com.evil.example/cb", "myapp.com.evil.example"),
        ("https://evil.example/https://myapp.com", "evil.example"),
        ("com.evil.app:/myapp.com", "com.evil.app:"),
    ):
        client = new_app(server, developer, redirect_uris=[uri])
        client.redirect_uri = uri
        page = somebody(server).open(asking(client))
        assert f"and will go back to <strong>{host}</strong>" in page.text


# headers

BREAKS = ["a\r\nSet-Cookie: planted=1", "a\nX-Planted: 1", "a\r\n\r\n<script>", "a\x00b", "a\u2028b", "å\u010a\u010d"]


@pytest.mark.parametrize("text", BREAKS)
def test_no_line_break_reaches_a_header(server: Server, client: App, text: str) -> None:
    """`state` in the redirect to the app, allowed, denied and refused; `next`, an app's id, a form's fields."""
    browser = somebody(server)
    answers = []
    for decision in ("allow", "deny"):
        browser.open(asking(client, state=text))
        answers.append(browser.send("/oauth2/consent", decision=decision))
        assert came_back(answers[-1])["state"] == text
    answers.append(browser.open(asking(client, state=text, response_type="x")))
    assert came_back(answers[-1])["state"] == text
    answers.append(browser.http.get("/sign-in", params={"next": text}))
    answers.append(browser.http.get(f"/connected-apps/{quote(text, safe='')}"))
    # to the sign-in page and back
    answers.append(httpx.get(f"{server.url}/connected-apps/{quote(text, safe='')}", timeout=60, verify=NO_TLS))
    browser.open("/connected-apps")
    csrf = dict(browser.form("/sign-out").fields)["csrf"]
    form = {"csrf": csrf, "client_id": text, "grant_id": text, "session": text}
    for action in ("/connected-apps/revoke", "/connected-apps/revoke-grant", "/account/end-session"):
        answers.append(browser.http.post(action, data=form, headers={"Origin": browser.issuer}))
        assert answers[-1].status_code == 404
    for answer in answers:
        assert not {"x-planted", "set-cookie"} & set(answer.headers)
        raw = b"\n".join(name + b": " + value for name, value in answer.headers.raw)
        assert raw.isascii()
        assert raw.count(b"\n") == len(answer.headers.raw) - 1


# addresses that lead elsewhere

ELSEWHERE = [
    "https://evil.example",
    "https:evil.example",
    "//evil.example",
    "///evil.example",
    "/\\evil.example",
    "\\\\evil.example",
    "/\t/evil.example",
    "\t//evil.example",
    " //evil.example",
    "/%2Fevil.example",
    "/%5Cevil.example",
    "/.//evil.example",
    "/account/..//evil.example",
    "/account//evil.example",
    "/account@evil.example",
    "/account\\@evil.example",
    "/account?x\r\nLocation: https://evil.example",
    "/account#@evil.example",
    "/connected-apps/../..//evil.example",
    "/connected-apps/%2F%2Fevil.example/..",
    "/connected-apps/..",
    "http://localhost@evil.example/account",
    "https://evil。example",
    "／／evil.example",
    "/\u200b/evil.example",
    "//xn--80ak6aa92e.example",
    "javascript:alert(1)",
    "data:text/html,x",
    "account",
    "/sign-out",
    "/oauth2/consent",
    "/style.css",
    "",
    "x" * 5000,
]


@pytest.mark.parametrize("target", ELSEWHERE)
def test_after_signing_in_one_is_on_our_own_pages(server: Server, target: str) -> None:
    """Whether one is signed in already, signs in, or registers: the next page is ours, and one that there is."""
    browser = somebody(server)
    email = browser.page.text.split('class="who">')[1].split("<")[0]
    locations = [browser.http.get("/sign-in", params={"next": target}).headers["location"]]
    browser.send("/sign-out")
    for action, who in (("/sign-in", {"email": email}), ("/register", {"name": "Uma", "email": f"{secrets.token_hex(6)}@example.org"})):
        browser.http.cookies.delete("grantway_user") if "grantway_user" in browser.http.cookies else None
        browser.page = browser.http.get(action)
        csrf = dict(browser.form(action).fields)["csrf"]
        form = {"csrf": csrf, "password": PASSWORD, "again": PASSWORD, "next": target, **who}
        locations.append(browser.http.post(action, data=form, headers={"Origin": browser.issuer}).headers["location"])
    for location in locations:
        led = urlsplit(urljoin(f"{browser.issuer}/sign-in", location))
        assert f"{led.scheme}://{led.netloc}" == browser.issuer
        assert led.path in {"/connected-apps", "/account"} or led.path.startswith("/connected-apps/%2F"), location
        assert location.startswith("/")
        assert not location.startswith(("//", "/\\"))


REDIRECTS = [
    "https://evil.example/callback",
    "https://myapp.com.evil.example/callback",
    "https://myapp.com:444/callback",
    "https://myapp.com:443/callback",
    "https://MYAPP.com/callback",
    "HTTPS://myapp.com/callback",
    "http://myapp.com/callback",
    "https://myapp.com./callback",
    "https://myapp.com/callback/",
    "https://myapp.com//callback",
    "https://myapp.com/./callback",
    "https://myapp.com/x/../callback",
    "https://myapp.com/callback/%2e%2e/x",
    "https://myapp.com/callback%2f..%2fx",
    "https://myapp.com/callback;x",
    "https://myapp.com/callback?",
    "https://myapp.com/callback#",
    "https://myapp.com/callback%00",
    "https://myapp.com/callback%0d%0aSet-Cookie:x=y",
    "https://myapp.com/callback ",
    " https://myapp.com/callback",
    "https://myapp.com/c%61llback",
    "https://myapp.com@evil.example/callback",
    "https://evil.example\\@myapp.com/callback",
    "https://evil.example%5c@myapp.com/callback",
    "https://evil.example#@myapp.com/callback",
    "https://evil.example?@myapp.com/callback",
    "https:/myapp.com/callback",
    "https:myapp.com/callback",
    "//myapp.com/callback",
    "\\\\myapp.com\\callback",
    "https://myapp。com/callback",
    "https://ｍyapp.com/callback",
    "https://xn--mypp-loa.com/callback",
    "http://localhost/callback",
    "javascript:alert(1)",
    "data:text/html,x",
]


@pytest.fixture(scope="module")
def cookies(server: Server) -> httpx.Cookies:
    """Of somebody who is signed in."""
    return somebody(server).http.cookies


@pytest.mark.parametrize("uri", REDIRECTS)
def test_nobody_is_sent_to_a_redirect_uri_that_is_not_registered(server: Server, client: App, cookies: httpx.Cookies, uri: str) -> None:
    """Neither with an error nor with a code, signed in or not; and the page does not link there."""
    assert client.redirect_uri == REDIRECT_URI
    out, signed_in = Browser(server.grantway.house.issuer), Browser(server.grantway.house.issuer)
    signed_in.http.cookies = cookies
    for browser in (out, signed_in):
        for changes in ({}, {"response_type": "x"}, {"scope": "nothing"}):
            answer = browser.open(asking(client, redirect_uri=uri, **changes))
            assert answer.status_code == 400
            assert "location" not in answer.headers
            assert "refresh" not in answer.headers
            assert dangers(answer.text) == []
            assert "evil.example" not in answer.text
