"""The pages under another host than the issuer's: each says so with a link to the same page there, and a refused form does, too."""

import html
import re
from pathlib import Path
from urllib.parse import urlencode

import httpx
import pytest
from tests.no_tls import NO_TLS
from tests.stories.running import PASSWORD, App, Server, running
from tests.stories.victims import FORMS, address, name_of

from grantway.web.call import Endpoint

NOTICE = "under another one its forms are refused"


def asking(app: App) -> str:
    fields = {"response_type": "code", "client_id": app.client_id, "redirect_uri": app.redirect_uri, "scope": "read"}
    return f"/oauth2/authorize?{urlencode({**fields, 'code_challenge': 'a' * 43, 'code_challenge_method': 'S256'})}"


def linked(text: str, words: str) -> str:
    """Where the link with these words leads."""
    found = re.search(rf'<a href="([^"]*)">{re.escape(words)}', text)
    assert found, text
    return html.unescape(found[1])


@pytest.mark.parametrize(
    "target",
    [
        "/sign-in",
        "/sign-in?next=/account",
        "/register?next=%2Foauth2%2Fauthorize%3Fscope%3Dread%26state%3D%2522%253Cb%253E",
        "/developer/sign-in",
        "/developer/causes",
        "/sign-in?x=%22%3E%3Cb%3E",
        '/sign-in?"><b>',
        "/%73ign-in",
    ],
)
def test_a_page_links_to_itself_under_the_issuer(server: Server, target: str) -> None:
    """`server.http` asks 127.0.0.1, and the issuer is localhost. No redirect: it could go round for ever."""
    answer = server.http.get(target)
    issuer = server.grantway.house.issuer
    assert (answer.status_code, NOTICE in answer.text, "<b>" in answer.text) == (200, True, False)
    link = linked(answer.text, "Open this page there")
    assert link.startswith(f"{issuer}/")
    with httpx.Client(verify=NO_TLS) as browser:
        there = browser.get(link)
    assert (there.status_code, NOTICE in there.text) == (200, False)
    assert link.partition("?")[2] == str(there.request.url).partition("?")[2]


@pytest.mark.parametrize("host", ["evil.example", "localhost.", '"><b>', "evil.example/", "::1", "[::1]"])
def test_whatever_host_is_sent_the_link_leads_to_the_issuer(server: Server, host: str) -> None:
    answer = server.http.get("/sign-in", headers={"Host": f"{host}:{server.url.rpartition(':')[2]}"})
    assert linked(answer.text, "Open this page there") == f"{server.grantway.house.issuer}/sign-in"
    assert host not in answer.text


def test_a_host_in_capitals_is_the_same(server: Server) -> None:
    answer = server.http.get("/sign-in", headers={"Host": server.grantway.house.issuer.removeprefix("http://").upper()})
    assert (answer.status_code, NOTICE in answer.text) == (200, False)


def test_behind_a_proxy_that_rewrites_host_nothing_is_said(tmp_path: Path) -> None:
    with running(tmp_path, issuer="https://login.example.org") as proxied:
        assert NOTICE not in proxied.http.get("/sign-in").text


@pytest.mark.parametrize(
    ("issuer", "origin"),
    [
        ("https://login.example.org", "https://login.example.org"),
        ("https://login.example.org:443", "https://login.example.org"),
        ("https://login.example.org:8443", "https://login.example.org:8443"),
        ("HTTPS://Login.Example.org", "https://login.example.org"),
        ("http://localhost:80", "http://localhost"),
        ("https://[2001:DB8::1]:443", "https://[2001:db8::1]"),
    ],
)
def test_however_the_issuer_is_written_its_origin_is_what_browsers_send(tmp_path: Path, issuer: str, origin: str) -> None:
    """Else every form would be refused, or a cookie of an https issuer travel unencrypted."""
    who = {"name": "Uma", "email": "uma@example.org", "password": PASSWORD}
    with running(tmp_path, issuer=issuer) as server:
        server.http.post("/api/v0/auth/register", json=who)
        answer = server.http.post("/api/v0/auth/token", json=who, headers={"Origin": origin})
        assert answer.status_code == 200, answer.text
        assert ("Secure" in answer.headers["set-cookie"]) == origin.startswith("https://")
        assert NOTICE not in server.http.get("/sign-in", headers={"Host": origin.partition("//")[2]}).text
        assert server.http.get("/.well-known/oauth-authorization-server").json()["issuer"] == issuer
        assert server.http.post("/api/v0/auth/token", json=who, headers={"Origin": "https://evil.example"}).status_code == 403


@pytest.mark.parametrize("form", FORMS, ids=name_of)
@pytest.mark.parametrize(
    ("referer", "leads_to"),
    [
        ("{url}/developer/apps/new?x=1", "/developer/apps/new?x=1"),
        ("{url}/sign-in?next=%2Faccount", "/sign-in?next=%2Faccount"),
        ('{url}/"><b>', "/%22%3E%3Cb%3E"),
        ("{url}//evil.example", "//evil.example"),
        ("{url}@evil.example/x", ""),
        ("{url}.evil.example/x", ""),
        ("https://evil.example/connected-apps/revoke", ""),
        ("//", ""),
        ("", ""),
    ],
)
def test_a_form_sent_from_another_host_is_refused_with_a_link(server: Server, form: Endpoint, referer: str, leads_to: str) -> None:
    origin = {"Origin": server.url, "Referer": referer.format(url=server.url)}
    answer = server.http.post(address(form), data={"csrf": "x"}, headers=origin)
    if answer.is_redirect or "signed out" in answer.text:  # to whoever is signed in alone
        return
    issuer = server.grantway.house.issuer
    home = "/developer/apps" if form.path.startswith("/developer/") else "/connected-apps"
    assert (answer.status_code, "came from elsewhere" in answer.text, "<b>" in answer.text) == (403, True, False)
    assert linked(answer.text, f"Open it under {issuer}") == issuer + (leads_to or home)


def test_an_app_sends_to_the_wrong_host_and_the_person_comes_back_to_its_request(server: Server, client: App) -> None:
    """From the notice on the sign-in page, and from the refused form, to the sign-in page that leads on to the app's request."""
    shown = server.http.get(asking(client), follow_redirects=True)
    noticed = linked(shown.text, "Open this page there")
    sent = {"Origin": server.url, "Referer": str(shown.url)}
    refused = server.http.post("/sign-in", data={"csrf": "x", "email": "uma@example.org", "password": "typed"}, headers=sent)
    assert linked(refused.text, "Open it under") == noticed
    with httpx.Client(verify=NO_TLS) as browser:
        there = browser.get(noticed)
    assert f'name="next" value="{html.escape(asking(client))}"' in there.text
