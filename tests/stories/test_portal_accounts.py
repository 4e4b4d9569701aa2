"""Developers sign in to their pages, beside users or not, and only the portal's own pages follow."""

import re
import secrets
from pathlib import Path
from urllib.parse import urlencode

import httpx
import pytest
from tests.no_tls import NO_TLS
from tests.stories.browser import Browser
from tests.stories.portal import created, developer_at, path, user_at
from tests.stories.running import PASSWORD, Person, Server, new_app, running


def test_signing_in_leads_where_one_was_going(server: Server) -> None:
    email = f"{secrets.token_hex(6)}@example.org"
    dana = developer_at(server, email)
    app = created(dana, server)
    dana.open("/developer/apps")
    dana.send("/developer/sign-out")
    assert "Sign in as a developer" in dana.page.text
    dana.open(f"{path(app)}/findings?hours=24")
    assert dana.page.url.path == "/developer/sign-in"
    dana.send("/developer/sign-in", email=email, password="wrong password")
    assert dana.page.status_code == 401
    dana.send("/developer/sign-in", email=email, password=PASSWORD)
    assert (dana.page.status_code, dana.page.url.raw_path) == (200, f"{path(app)}/findings?hours=24".encode())


def test_a_new_password_ends_the_session(server: Server) -> None:
    email = f"{secrets.token_hex(6)}@example.org"
    dana = developer_at(server, email)
    dana.open("/developer/password")
    dana.send("/developer/password", old=PASSWORD, new="another good password")
    assert "every session has ended" in dana.page.text
    dana.send("/developer/sign-in", email=email, password="another good password")
    assert "Your apps" in dana.page.text


ELSEWHERE = [
    "https://evil.example/",
    "//evil.example/developer/apps",
    r"/\evil.example",
    "/developer/apps/../../connected-apps",
    "/developer/apps/./x",
    "/developer/apps//evil.example",
    "/developer/apps/%2e%2e/x",
    "/developer/apps@evil.example",
    "/developer/apps\r\nset-cookie: a=b",
    "/developer/apps?x=\r\nset-cookie: a=b",
    "/developer/sign-out",
    "/connected-apps",
    "/oauth2/authorize?client_id=x",
    "javascript:alert(1)",
    "/developer/apps/x#frag",
    "",
]


@pytest.mark.parametrize("target", ELSEWHERE)
def test_after_sign_in_only_the_portal_follows(server: Server, dana: Browser, target: str) -> None:
    answer = dana.http.get("/developer/sign-in?" + urlencode({"next": target}))
    assert answer.status_code == 303
    assert re.fullmatch(r"/developer/apps(\?x=.*)?", answer.headers["location"])
    assert "a" not in dana.http.cookies


@pytest.mark.parametrize(
    "target", ["/developer/apps", "/developer/password", "/developer/findings?trace_id=x", "/developer/apps/a.b/edit?x=1"]
)
def test_after_sign_in_to_a_page_of_the_portal(dana: Browser, target: str) -> None:
    assert dana.http.get("/developer/sign-in?" + urlencode({"next": target})).headers["location"] == target


def test_a_users_session_opens_no_portal_and_a_developers_no_user_page(server: Server, dana: Browser) -> None:
    uma = user_at(server)
    assert uma.open("/developer/apps").url.path == "/developer/sign-in"
    assert dana.open("/connected-apps").url.path == "/sign-in"
    names = set(dana.http.cookies.keys()) | set(uma.http.cookies.keys())
    assert names >= {"grantway_visitor", "grantway_user", "grantway_developer"}
    # nor under the other one's name
    token = uma.http.cookies["grantway_user"]
    forged = httpx.get(f"{server.url}/developer/apps", cookies={"grantway_developer": token}, timeout=60, verify=NO_TLS)
    assert forged.status_code == 303


def test_both_can_be_signed_in_beside_each_other(server: Server) -> None:
    dana = developer_at(server)
    dana.open("/register")
    dana.register(f"{secrets.token_hex(6)}@example.org", PASSWORD)
    assert "No app has access" in dana.open("/connected-apps").text
    dana.open("/developer/apps")
    dana.send("/developer/sign-out")
    assert "No app has access" in dana.open("/connected-apps").text


def test_cookies_with_https(tmp_path: Path) -> None:
    with running(tmp_path, issuer="https://grants.example") as server:
        one = server.http
        page = one.get("/developer/register")
        visitor = page.headers["set-cookie"].partition(";")[0]
        token = re.findall(r'name="csrf" value="([^"]+)"', page.text)[0]
        sent = {"csrf": token, "name": "Dana", "email": "d@example.org", "password": PASSWORD, "again": PASSWORD}
        answer = one.post("/developer/register", data=sent, headers={"Origin": "https://grants.example", "Cookie": visitor})
        cookie = next(one for one in answer.headers.get_list("set-cookie") if one.startswith("__Host-grantway_developer=gw"))
    assert {"Path=/", "HttpOnly", "SameSite=Lax", "Secure"} <= {part.strip() for part in cookie.split(";")}


def test_new_app_and_person_of_the_api_are_the_same_as_the_pages(server: Server, developer: Person) -> None:
    """An app that was registered over the JSON API is on its developer's pages."""
    app = new_app(server, developer)
    dana = Browser(server.grantway.house.issuer)
    dana.open("/developer/sign-in")
    dana.send("/developer/sign-in", email=developer.email, password=PASSWORD)
    assert app.client_id in dana.page.text
