"""Forms that a person did not send, pages in frames, planted cookies. A new page is attacked as soon as it is in the table."""

import re
import secrets
from pathlib import Path

import httpx
import msgspec
import pytest
from tests.no_tls import NO_TLS
from tests.stories.browser import Browser
from tests.stories.running import PASSWORD, Server, running
from tests.stories.victims import FORMS, GETS, address, name_of, somebody, token_of

from grantway.web import page
from grantway.web.call import Endpoint
from grantway.web.side import DEVELOPERS, USERS

TEMPLATES = sorted((Path(page.__file__).parent / "templates").rglob("*.html"))


@pytest.fixture(scope="module")
def victim(server: Server) -> httpx.Cookies:
    """The cookies of a browser in which somebody is signed in."""
    return somebody(server, is_developer=True).http.cookies


@pytest.fixture(scope="module")
def anothers(server: Server) -> str:
    """A good token of somebody else's session in another browser."""
    return token_of(somebody(server))


def sent(server: Server, victim: httpx.Cookies, form: Endpoint, csrf: str, origin: str | None) -> httpx.Response:
    issuer = server.grantway.house.issuer
    with httpx.Client(base_url=issuer, cookies=victim, timeout=60, verify=NO_TLS) as browser:
        headers = {} if origin is None else {"Origin": origin or issuer}
        return browser.request(form.method, address(form), data={"csrf": csrf}, headers=headers)


def stale(server: Server, victim: httpx.Cookies) -> str:
    """The token of the same browser before its person signed in."""
    visitor = victim[page._VISITOR]
    return page.csrf(visitor, "")


def other_session(victim: httpx.Cookies) -> str:
    """What an attacker can make who planted the visitor's cookie, but has only a session of his own."""
    return page.csrf(victim[page._VISITOR], "gwt_" + "a" * 49)


@pytest.mark.parametrize("form", FORMS, ids=name_of)
def test_every_form_wants_its_token(server: Server, victim: httpx.Cookies, anothers: str, form: Endpoint) -> None:
    """Missing, somebody else's, of before signing in, of another session, too long, no ASCII: refused before anything else is looked at."""
    tokens = [
        "",
        anothers,
        stale(server, victim),
        other_session(victim),
        "x" * 5000,
        "é",
        "\ud800".encode("utf-8", "replace").decode(),
    ]
    for token in tokens:
        answer = sent(server, victim, form, token, "")
        assert (answer.status_code, "too old" in answer.text) == (403, True), token[:50]
        assert "location" not in answer.headers


@pytest.mark.parametrize("form", FORMS, ids=name_of)
@pytest.mark.parametrize("origin", ["https://evil.example", "null", None, "http://localhost", "http://localhost:1", "HTTP://LOCALHOST"])
def test_every_form_wants_its_origin(server: Server, victim: httpx.Cookies, form: Endpoint, origin: str | None) -> None:
    """With the right token too: another port of this host is the same site, and sends the cookies."""
    good = token_of_cookies(victim, form)
    answer = sent(server, victim, form, good, origin)
    assert (answer.status_code, "came from elsewhere" in answer.text) == (403, True)


def token_of_cookies(victim: httpx.Cookies, form: Endpoint) -> str:
    side = DEVELOPERS if form.path.startswith(DEVELOPERS.prefix) else USERS
    return page.csrf(victim[page._VISITOR], victim[side.cookie])


@pytest.mark.parametrize("form", FORMS, ids=name_of)
def test_the_right_token_is_not_what_is_refused(server: Server, form: Endpoint) -> None:
    """Else the tests above would pass for a form that nobody can send."""
    mine = somebody(server, is_developer=form.path.startswith(DEVELOPERS.prefix)).http.cookies
    answer = sent(server, mine, form, token_of_cookies(mine, form), "")
    assert "too old" not in answer.text
    assert "came from elsewhere" not in answer.text


def test_the_attacks_changed_nothing(server: Server, victim: httpx.Cookies) -> None:
    with httpx.Client(base_url=server.grantway.house.issuer, cookies=victim, timeout=60, verify=NO_TLS) as browser:
        assert "<h1>Your account</h1>" in browser.get("/account").text


@pytest.mark.parametrize("form", FORMS, ids=name_of)
def test_forms_are_forms(server: Server, victim: httpx.Cookies, form: Endpoint) -> None:
    """A page elsewhere can send text/plain and JSON-like bodies without asking; a link is a GET."""
    assert form.body is not None
    assert "csrf" in {field.name for field in msgspec.structs.fields(form.body)}
    issuer = server.grantway.house.issuer
    with httpx.Client(base_url=issuer, cookies=victim, timeout=60, verify=NO_TLS) as browser:
        for kind in ("text/plain", "application/json", "multipart/form-data; boundary=x"):
            headers = {"Origin": issuer, "Content-Type": kind}
            assert browser.request(form.method, address(form), content=b'{"csrf":"x"}', headers=headers).status_code == 400
        if not any(one.path == form.path for one in GETS):
            assert browser.get(address(form), params={"csrf": token_of_cookies(victim, form)}).status_code in {404, 405}


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: path.name)
def test_every_form_on_a_page_carries_the_token(template: Path) -> None:
    paths = {form.path for form in FORMS}
    for head, inside in re.findall(r"<form([^>]*)>(.*?)</form>", template.read_text("utf-8"), re.DOTALL):
        if 'method="post"' not in head:
            continue
        assert '<input type="hidden" name="csrf" value="{{ csrf }}">' in inside
        action = re.findall(r'action="([^"]*)"', head)[0].replace("{{ path }}", DEVELOPERS.home + "/x")
        for name in ("prefix", "sign_in", "password", "account"):
            action = action.replace(f"{{{{ side.{name} }}}}", getattr(USERS, name))
        assert action in {re.sub(r"\{\w+\}", "x", path) for path in paths}


# frames, and what a browser must not do with a page


@pytest.mark.parametrize("shown", GETS, ids=name_of)
def test_no_page_can_be_framed_cached_or_shared(server: Server, victim: httpx.Cookies, shown: Endpoint) -> None:
    with (
        httpx.Client(base_url=server.grantway.house.issuer, cookies=victim, timeout=60, verify=NO_TLS) as signed_in,
        httpx.Client(base_url=server.url, timeout=60, verify=NO_TLS) as out,
    ):
        for browser in (signed_in, out):
            answer = browser.get(address(shown))
            assert answer.headers["cache-control"] == "no-store"
            assert answer.headers["x-content-type-options"] == "nosniff"
            assert not [name for name in answer.headers if name.startswith("access-control")]
            if answer.is_redirect:
                continue
            assert answer.headers["x-frame-options"] == "DENY"
            assert answer.headers["referrer-policy"] in {"same-origin", "no-referrer"}
            policy = dict(part.strip().partition(" ")[::2] for part in answer.headers["content-security-policy"].split(";"))
            assert (policy["frame-ancestors"], policy["default-src"], policy["base-uri"]) == ("'none'", "'none'", "'none'")
            assert policy["style-src"] == "'self'"
            assert policy["form-action"] == "'self'"
            assert "script-src" not in policy
            assert "unsafe" not in str(policy)


def test_refusals_cannot_be_framed_either(server: Server, victim: httpx.Cookies) -> None:
    for form in FORMS:
        answer = sent(server, victim, form, "", "")
        assert answer.headers["x-frame-options"] == "DENY", form.path
        assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]


# cookies


def test_with_https_no_neighbour_can_plant_a_cookie(tmp_path: Path) -> None:
    """Every cookie of the pages is `__Host-`, `Secure`, `HttpOnly`, for all of this host and no other; without its prefix it is nothing."""
    with (
        running(tmp_path, issuer="https://grantway.example") as server,
        httpx.Client(base_url=server.url, timeout=60, verify=NO_TLS) as http,
    ):
        opened = http.get("/register")
        csrf = re.findall(r'name="csrf" value="([^"]+)"', opened.text)[0]
        visitor = cookies_of(opened)
        jar = {"Cookie": "; ".join(visitor), "Origin": "https://grantway.example"}
        form = {"csrf": csrf, "name": "Uma", "email": "uma@example.org", "password": PASSWORD, "again": PASSWORD}
        made = http.post("/register", data=form, headers=jar)
        assert made.status_code == 303, made.text
        signed_in = cookies_of(made)
        assert {one.split("=")[0] for one in visitor + signed_in} == {
            "__Host-grantway_visitor",
            "__Host-grantway_user",
            "__Host-grantway_known",
        }
        assert http.get("/account", headers={"Cookie": "; ".join(signed_in)}).status_code == 200
        for one in signed_in:
            planted = one.removeprefix("__Host-")
            assert http.get("/account", headers={"Cookie": planted}).status_code == 303
        both = [*signed_in, "grantway_user=gwt_planted"]
        assert http.get("/account", headers={"Cookie": "; ".join(both)}).status_code == 200


def cookies_of(answer: httpx.Response) -> list[str]:
    """Name and value of each cookie that was set, whose attributes are as they must be."""
    found = []
    for line in answer.headers.get_list("set-cookie"):
        pair, *attributes = [part.strip() for part in line.split(";")]
        names = {one.partition("=")[0].lower(): one.partition("=")[2] for one in attributes}
        assert pair.startswith("__Host-")
        assert {"path", "httponly", "samesite", "secure"} <= set(names)
        assert (names["path"], names["samesite"]) == ("/", "Lax")
        assert "domain" not in names
        found.append(pair)
    return found


@pytest.mark.parametrize("order", [0, 1])
def test_a_session_that_is_there_twice_is_nobodys(server: Server, order: int) -> None:
    """With http a neighbouring port or host can set a second cookie of that name: nobody is signed in as the attacker unawares."""
    mine, attackers = (somebody(server).http.cookies["grantway_user"] for _ in range(2))
    pair = [f"grantway_user={mine}", f"grantway_user={attackers}"][:: 1 if order else -1]
    url = f"{server.url}/account"
    assert httpx.get(url, headers={"Cookie": "; ".join(pair)}, timeout=60, verify=NO_TLS).headers["location"].startswith("/sign-in")
    assert httpx.get(url, headers={"Cookie": f"grantway_user={mine}; grantway_user={mine}"}, timeout=60, verify=NO_TLS).status_code == 200


@pytest.mark.parametrize("name", ["_tokenKey", "grantway_visitor", "grantway_known", "Grantway_user", "grantway_user2"])
def test_other_cookies_sign_nobody_in(server: Server, name: str) -> None:
    token = somebody(server).http.cookies["grantway_user"]
    answer = httpx.get(f"{server.url}/account", headers={"Cookie": f"{name}={token}"}, timeout=60, verify=NO_TLS)
    assert answer.status_code == 303


# fixation


def test_nothing_of_before_signing_in_is_a_session_afterwards(server: Server) -> None:
    """Planted session, visitor and known-browser cookies: signing in makes new tokens, and the attacker's copies open nothing."""
    attacker = Browser(server.grantway.house.issuer)
    attacker.open("/sign-in")
    planted = dict(attacker.http.cookies)
    victim = Browser(server.grantway.house.issuer)
    for name, value in {**planted, "grantway_user": "gwt_" + "p" * 49}.items():
        victim.http.cookies.set(name, value, domain="localhost.local", path="/")
    victim.open("/register")
    victim.register(f"{secrets.token_hex(6)}@example.org", PASSWORD)
    assert "<h1>Connected apps</h1>" in victim.page.text
    assert "<h1>Sign in</h1>" in attacker.open("/account").text
    # the attacker knows the visitor's cookie; the forms are bound to the session as well
    guessed = page.csrf(planted["grantway_visitor"], "gwt_" + "p" * 49)
    assert sent(server, victim.http.cookies, next(one for one in FORMS if one.path == "/sign-out"), guessed, "").status_code == 403


def test_each_sign_in_is_a_new_session(server: Server) -> None:
    browser = somebody(server)
    first = browser.http.cookies["grantway_user"]
    email = browser.page.text.split('class="who">')[1].split("<")[0]
    browser.send("/sign-out")
    browser.send("/sign-in", email=email, password=PASSWORD)
    assert browser.http.cookies["grantway_user"] != first
    assert httpx.get(f"{server.url}/account", headers={"Cookie": f"grantway_user={first}"}, timeout=60, verify=NO_TLS).status_code == 303


# reset


def test_there_is_no_reset_by_mail(server: Server) -> None:
    """Not a page, not an endpoint, not a link: the operator's command is the way."""
    paths = [*server.http.get("/openapi.json").json()["paths"], *(one.path for one in (*GETS, *FORMS))]
    assert not [path for path in paths if re.search(r"reset|forgot|recover", path)]
    for path in ("/forgot-password", "/reset", "/password/reset", "/api/v0/auth/forgot-password"):
        assert server.http.get(path).status_code == 404
    assert not re.search(r"forgot|reset", server.http.get("/sign-in").text, re.IGNORECASE)
