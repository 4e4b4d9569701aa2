"""The developers' pages under attack: another developer's, forged forms, tags in every text, awkward paths and bodies."""

import re
import secrets
from typing import Any
from urllib.parse import quote

import httpx
import pytest
from tests.stories.browser import Browser
from tests.stories.portal import NEW, answered, created, developer_at, path
from tests.stories.running import PASSWORD, REDIRECT_URI, App, Server

from grantway.clients.draft import ClientDraft
from grantway.web.portal import PAGES

# another developer's


def without_trace_id(answer: httpx.Response) -> str:
    return re.sub(r"[0-9a-f]{32}|name=\"csrf\" value=\"[^\"]+\"", "", answer.text)


def test_what_is_anothers_is_as_if_it_never_was(server: Server, dana: Browser) -> None:
    mallory = developer_at(server)
    app, own = created(dana, server), created(mallory, server)
    trace_id = app.exchange("gwc_no_code").json()["trace_id"]
    nobody = App(server.http, server.clock, "00000000-0000-4000-8000-000000000000", "")
    for tail in ("", "/findings", f"/findings/{trace_id}", "/check", "/edit", "/secret", "/delete"):
        answer, never = mallory.http.get(f"{path(app)}{tail}"), mallory.http.get(f"{path(nobody)}{tail}")
        assert (answer.status_code, never.status_code) == (404, 404)
        assert without_trace_id(answer) == without_trace_id(never)
    # nor under an app of one's own, nor looked up
    answer, never = mallory.http.get(f"{path(own)}/findings/{trace_id}"), mallory.http.get(f"{path(own)}/findings/{'0' * 32}")
    assert (answer.status_code, without_trace_id(answer)) == (404, without_trace_id(never))
    answer, never = (mallory.http.get(f"/developer/findings?trace_id={one}") for one in (trace_id, "0" * 32))
    assert (answer.status_code, without_trace_id(answer)) == (404, without_trace_id(never))
    assert trace_id not in mallory.http.get(f"{path(own)}/findings?before={trace_id}").text.replace(f"before={trace_id}", "")
    # nor can it be changed
    mallory.open(f"{path(own)}/secret")
    token = dict(mallory.form(f"{path(own)}/secret").fields)["csrf"]
    sent = {"csrf": token, "version": "1", "overlap": "0", "status": "0", "name": "Photo Box", "redirect_uris": REDIRECT_URI}
    for tail in ("/edit", "/secret", "/status", "/delete", "/check"):
        assert mallory.http.post(f"{path(app)}{tail}", data=sent, headers={"Origin": mallory.issuer}).status_code == 404
    assert answered(app) == "invalid_code"
    # nor judged: its client is an unknown one
    mallory.open(f"{path(own)}/check")
    page = mallory.send(f"{path(own)}/check", client_id=app.client_id, client_secret=app.jwt(), code="x").text
    assert "causes#client_unknown" in page
    assert "is registered</span>" in page
    assert re.search(r'class="failed"><div><strong>failed</strong> <span>the client_id is registered', page)


# attacks


FORMS = sorted({(one.method, one.path) for one in PAGES if one.method == "POST"})


@pytest.mark.parametrize("form", [one for _, one in FORMS])
@pytest.mark.parametrize(
    "forged", ["missing", "another session's", "the user's in the same browser", "an old session's", "from elsewhere", "without Origin"]
)
def test_no_form_can_be_forged(server: Server, dana: Browser, form: str, forged: str) -> None:
    app = created(dana, server)
    action = form.format(either_id=app.client_id)
    dana.open(NEW)
    token, origin = dict(dana.form(NEW).fields)["csrf"], dana.issuer
    if forged == "missing":
        token = ""
    elif forged == "another session's":
        other = developer_at(server)
        other.open(NEW)
        token = dict(other.form(NEW).fields)["csrf"]
    elif forged == "the user's in the same browser":
        dana.open("/register")
        dana.register(f"{secrets.token_hex(6)}@example.org", PASSWORD)
        token = dict(dana.form("/sign-out").fields)["csrf"]
    elif forged == "an old session's":
        dana = developer_at(server)
        dana.open(NEW)
        token = dict(dana.form(NEW).fields)["csrf"]
        dana.send("/developer/sign-out")
        dana.open("/developer/register")
        dana.send("/developer/register", name="Dana", email=f"{secrets.token_hex(6)}@example.org", password=PASSWORD)
    else:
        origin = "https://evil.example" if forged == "from elsewhere" else ""
    sent = {
        "csrf": token,
        "form_id": "x",
        "name": "Photo Box",
        "redirect_uris": "https://evil.example/",
        "version": "1",
        "overlap": "0",
        "status": "0",
        "email": "e@example.org",
        "password": PASSWORD,
        "old": PASSWORD,
        "new": PASSWORD,
    }
    answer = dana.http.post(action, data=sent, headers={"Origin": origin} if origin else {})
    assert answer.status_code == 403
    assert "gws_" not in answer.text
    assert answered(app) == "invalid_code"


@pytest.mark.parametrize("page", PAGES, ids=[f"{one.method} {one.path}" for one in PAGES])
def test_nothing_is_shown_or_done_for_strangers(server: Server, dana: Browser, page: Any) -> None:
    app = created(dana, server)
    stranger = Browser(server.grantway.house.issuer)
    target = page.path.format(either_id=app.client_id, trace_id="0" * 32)
    answer = stranger.http.request(
        page.method, target, data={"csrf": "x", "status": "0"} if page.method == "POST" else None, headers={"Origin": stranger.issuer}
    )
    if page.path in {"/developer/sign-in", "/developer/register", "/developer/causes"} and page.method == "GET":
        assert answer.status_code == 200
    elif answer.status_code == 303:
        assert answer.headers["location"].startswith(("/developer/sign-in", "/developer/apps"))
    else:
        assert answer.status_code == 403
    assert app.client_id not in answer.text
    policy = answer.headers.get("content-security-policy", "default-src 'none'")
    assert "default-src 'none'" in policy


TAGS = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>{{7*7}}"


def test_names_and_descriptions_are_text(server: Server, dana: Browser) -> None:
    app = created(dana, server, name=TAGS, description=TAGS, redirect_uris="com.example.app:/'(x)?a=b&c=d")
    app.exchange(TAGS, redirect_uri=TAGS, client_secret=app.jwt(aud=TAGS, sub=TAGS))
    app.exchange("x", client_id=f"{app.client_id}{TAGS}"[:60])
    app.exchange("gwc_x", redirect_uri=TAGS)
    texts = [dana.page.text, dana.open("/developer/apps").text]
    texts += [dana.open(f"{path(app)}{tail}").text for tail in ("", "/edit", "/secret", "/delete", "/check", "/findings?granted=1")]
    texts += [dana.open(f"{path(app)}/findings/{one}").text for one in re.findall(r"/findings/([0-9a-f]{32})", texts[-1])]
    dana.open(f"{path(app)}/edit")
    texts.append(dana.send(f"{path(app)}/edit", name=TAGS, description=TAGS, redirect_uris=TAGS, places=TAGS).text)
    assert len(texts) >= 10
    for text in texts:
        assert "<script" not in text
        assert "<img" not in text
        assert "49" not in re.findall(r"<title>(.*?)</title>", text)[0]


AWKWARD_PATHS = ["x%0d%0aset-cookie:%20a=b", "%00", "%ff%fe", "..%2f..%2f", "x" * 3000, "%3Cscript%3E", "{either_id}", "%7B0.__class__%7D"]


@pytest.mark.parametrize("segment", AWKWARD_PATHS)
@pytest.mark.parametrize("is_signed_in", [True, False])
def test_awkward_paths(server: Server, dana: Browser, segment: str, is_signed_in: bool) -> None:
    who = dana if is_signed_in else Browser(server.grantway.house.issuer)
    for target in (f"/developer/apps/{segment}", f"/developer/apps/{segment}/findings/{segment}"):
        answer = who.http.get(target)
        assert answer.status_code in {303, 404}
        assert "a" not in who.http.cookies
        assert "<script" not in answer.text


BAD_FORMS: dict[str, bytes] = {
    "empty": b"",
    "not a form": b"\x00\xff",
    "broken UTF-8": b"csrf=%ff&name=%c3%28",
    "a field twice": b"csrf=a&csrf=b",
    "NUL": b"csrf=%00&name=%00&redirect_uris=%00&status=0&form_id=%00",
    "huge": b"name=" + b"x" * 70_000,
    "many fields": b"&".join(b"scope=read" for _ in range(300)),
    "surrogates": b"csrf=%ed%a0%80",
}


@pytest.mark.parametrize("body", BAD_FORMS.values(), ids=BAD_FORMS)
@pytest.mark.parametrize("form", [one for _, one in FORMS])
def test_bad_forms(server: Server, dana: Browser, form: str, body: bytes) -> None:
    app = created(dana, server)
    headers = {"Origin": dana.issuer, "Content-Type": "application/x-www-form-urlencoded"}
    answer = dana.http.post(form.format(either_id=app.client_id), content=body, headers=headers)
    assert answer.status_code in {400, 403}
    assert "text/html" in answer.headers["content-type"]


@pytest.mark.parametrize("field", ["name", "description", "redirect_uris", "places", "required_places", "form_id"])
@pytest.mark.parametrize("value", ["\x00", "a\r\nSet-Cookie: a=b", "\u202egnp", "\ufffe", "x" * 20_000, "\u2028"])
def test_awkward_text_in_fields(dana: Browser, field: str, value: str) -> None:
    dana.open(NEW)
    answer = dana.send(NEW, **{"name": "Photo Box", "redirect_uris": REDIRECT_URI, field: value})
    assert answer.status_code in {201, 400}
    assert "a" not in dana.http.cookies


def test_an_app_whose_client_id_is_no_segment_of_a_path(server: Server) -> None:
    """Apps are taken over with ids of any form; their pages are at the row id."""
    dana = developer_at(server)
    clients = server.grantway.house.clients
    owner = server.wait_for(clients.one(None, created(dana, server).client_id)).developer_id
    for client_id in ("a/b?c=d", "new", "..", "%41"):
        draft = ClientDraft(name="Old", redirect_uris=[REDIRECT_URI])
        server.wait_for(clients.take_over(owner, client_id, "x" * 20, draft, server.clock()))
    links = re.findall(r'<th scope="row"><a href="([^"]+)"', dana.open("/developer/apps").text)
    assert len(links) == 5
    assert {dana.open(link).status_code for link in links} == {200}


def test_the_whole_path_is_quoted_on_the_way_through_sign_in(server: Server) -> None:
    answer = server.http.get("/developer/apps/a%26b%3Dc/edit")
    assert answer.headers["location"] == "/developer/sign-in?next=" + quote(quote("/developer/apps/a&b=c/edit", safe="/"), safe="")
