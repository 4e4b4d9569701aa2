"""The developers' pages over HTTP: register, create an app, use what the page prints, change it, read why it was refused, delete it."""

import html
import json
import re
import secrets
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import urlencode

import httpx
import pytest
from tests.no_tls import NO_TLS
from tests.stories.browser import Browser, came_back
from tests.stories.portal import NEW, answered, created, developer_at, path, shown, user_at
from tests.stories.running import PASSWORD, REDIRECT_URI, App, Person, Server, approved, asked, new_app, running

from grantway.web.portal.refusals import PAGE

needs_curl = pytest.mark.skipif(shutil.which("curl") is None, reason="the machine has no curl")


# accounts


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


# apps


def test_an_app_from_its_creation_to_its_end(server: Server, dana: Browser, user: Person) -> None:
    app = created(dana, server, description="Shows photos.", scope="read", places="bucket:photos", required="read")
    assert answered(app) == "invalid_code"
    assert "Photo Box" in dana.open("/developer/apps").text
    assert app.client_id in dana.page.text

    key = app.exchange(approved(user, app, ["read", "bucket:photos"])).json()["access_grant"]
    assert key

    dana.open(f"{path(app)}/edit")
    assert "bucket:photos</textarea>" in dana.page.text
    dana.send(
        f"{path(app)}/edit", name="Picture Box", redirect_uris=f"{REDIRECT_URI}\r\n\r\n https://two.example/ \r\n", places="bucket:photos"
    )
    assert "Saved." in dana.page.text
    assert "https://two.example/" in dana.page.text
    app.redirect_uri = "https://two.example/"
    assert asked(user, app, ["read", "bucket:photos"])["request_id"]

    dana.send(f"{path(app)}/status")
    assert "disabled" in dana.page.text
    assert answered(app) == "invalid_client"
    dana.send(f"{path(app)}/status")
    assert answered(app) == "invalid_code"

    dana.open(f"{path(app)}/delete")
    dana.send(f"{path(app)}/delete", name="Photo Box")
    assert dana.page.status_code == 400
    assert answered(app) == "invalid_code"
    dana.send(f"{path(app)}/delete", name=" Picture Box ")
    assert "Deleted." in dana.page.text
    assert answered(app) == "invalid_client"
    assert dana.open(path(app)).status_code == 404


def test_what_is_wrong_is_said_next_to_its_field_and_what_was_typed_is_kept(dana: Browser) -> None:
    dana.open(NEW)
    typed = {
        "name": "x" * 101,
        "description": "d" * 1001,
        "redirect_uris": "http://photos.example/\nhttps://photos.example/#x\nhttps://photos.example/fine",
        "scope": "read",
        "places": "bucket:a/b",
        "required": "write",
    }
    text = dana.send(NEW, **typed).text
    assert dana.page.status_code == 400
    for field in ("name", "description", "redirect_uris", "scopes"):
        assert f'id="{field}-problem"' in text, field
    assert "<code>http://photos.example/</code>: A redirect URI must use https" in text
    assert "<code>https://photos.example/#x</code>: A redirect URI must not have a fragment." in text
    assert "<code>https://photos.example/fine</code>" not in text
    assert 'value="read" checked' in text
    assert "bucket:a/b</textarea>" in text
    assert "x" * 101 in text
    assert "d" * 1001 in text


def test_asking_without_pkce(server: Server, dana: Browser) -> None:
    """An app with a secret may be let off it and stays so when something else is edited; one without a secret may not."""
    app = created(dana, server, no_pkce="1")
    edit = f"{path(app)}/edit"
    dana.open(edit)
    dana.send(edit, name="Picture Box")
    told = server.http.get(f"/oauth2/authorize?response_type=code&client_id={app.client_id}&redirect_uri={REDIRECT_URI}&scope=read")
    assert told.headers["location"].startswith("/sign-in")
    dana.open(edit)
    refused = dana.send(edit, auth_method="none")
    assert refused.status_code == 400
    assert 'id="require_pkce-problem"' in refused.text
    assert dana.open(edit).text.count("checked") == 2


def test_the_secret_is_shown_once(server: Server) -> None:
    """The same form again, as a reload or a second click sends it: no second app, and the secret is not there again."""
    dana = developer_at(server)
    dana.open(NEW)
    sent = {**dict(dana.form(NEW).fields), "name": "Photo Box", "redirect_uris": REDIRECT_URI}
    with ThreadPoolExecutor(6) as threads:
        cookies, origin = dict(dana.http.cookies), {"Origin": dana.issuer}
        send = lambda _: httpx.post(f"{dana.issuer}{NEW}", data=sent, headers=origin, cookies=cookies, timeout=60, verify=NO_TLS)  # noqa: E731
        answers = list(threads.map(send, range(6)))
    assert sorted(one.status_code for one in answers) == [201, 409, 409, 409, 409, 409]
    first = next(one for one in answers if one.status_code == 201)
    secret = re.findall(r"gws_[\w-]+", first.text)[0]
    assert first.headers["cache-control"] == "no-store"
    assert secret not in str(first.headers)
    links = re.findall(r"/developer/apps/[0-9a-f-]{36}", dana.open("/developer/apps").text)
    pages = [dana.open(one).text for one in ("/developer/apps", *links)]
    assert len(pages) == 2
    again = dana.http.post(NEW, data=sent, headers=origin)
    assert all(secret not in text for text in (*pages, again.text, *(one.text for one in answers if one is not first)))
    # after the app is deleted, the old form makes none either
    app = App(server.http, server.clock, re.findall(r"[0-9a-f-]{36}", pages[0])[0], secret)
    dana.open(f"{path(app)}/delete")
    dana.send(f"{path(app)}/delete", name="Photo Box")
    assert dana.http.post(NEW, data=sent, headers=origin).status_code == 409
    assert "You have no app yet" in dana.open("/developer/apps").text


def test_a_form_of_another_session_makes_another_client_id(server: Server, dana: Browser) -> None:
    """Nobody can take the client_id that somebody else's form will make."""
    other = developer_at(server)
    ids = set()
    for one in (dana, other):
        one.open(NEW)
        one.send(NEW, form_id="the same", name="x", redirect_uris=REDIRECT_URI)
        ids.add(shown(one, server).client_id)
    assert len(ids) == 2


@pytest.mark.parametrize(("overlap", "old_answer"), [("0", "invalid_client"), ("3600", "invalid_code"), ("2592000", "invalid_code")])
def test_a_new_secret(server: Server, dana: Browser, overlap: str, old_answer: str) -> None:
    app = created(dana, server)
    dana.open(f"{path(app)}/secret")
    form = dict(dana.form(f"{path(app)}/secret").fields)
    dana.send(f"{path(app)}/secret", overlap=overlap)
    fresh = shown(dana, server)
    assert fresh.client_secret != app.client_secret
    assert (answered(fresh), answered(app)) == ("invalid_code", old_answer)
    # a reload
    again = dana.http.post(f"{path(app)}/secret", data={**form, "overlap": "0"}, headers={"Origin": dana.issuer})
    assert again.status_code == 409
    assert "gws_" not in again.text
    assert (answered(fresh), answered(app)) == ("invalid_code", old_answer)


@pytest.mark.parametrize(
    "values", [{"overlap": "2592001"}, {"overlap": "-1"}, {"overlap": "9" * 400}, {"overlap": "x"}, {"version": "7"}, {"version": "9" * 30}]
)
def test_a_new_secret_that_is_not_made(server: Server, dana: Browser, values: dict[str, str]) -> None:
    app = created(dana, server)
    dana.open(f"{path(app)}/secret")
    answer = dana.send(f"{path(app)}/secret", **{"overlap": "0", **values})
    assert answer.status_code in {400, 409}
    assert answered(app) == "invalid_code"


# what the page prints


def blocks(page: str) -> list[str]:
    return [html.unescape(one) for one in re.findall(r"<pre[^>]*><code>(.*?)</code></pre>", page, re.DOTALL)]


def a_code(server: Server, page: str) -> str:
    """What a user does with the printed link."""
    link = html.unescape(re.findall(r'href="([^"]+/oauth2/authorize[^"]+)"', page)[0])
    uma = user_at(server)
    uma.open(link.removeprefix(uma.issuer))
    return came_back(uma.send("/oauth2/consent", decision="allow"))["code"]


AWKWARD = [REDIRECT_URI, "https://app.example/it's/$HOME/(a)?b=%22c%22&d=!e;", "com.example.app:/back"]


PRINTED = {
    "client_secret_jwt": ("/api/v0/oauth2/token", "invalid_code", "JWT=", "def jwt():"),
    "client_secret_basic": ("/oauth2/token", "invalid_grant", '--user "$CLIENT_ID:$CLIENT_SECRET"', '"Authorization": "Basic "'),
    "client_secret_post": ("/oauth2/token", "invalid_grant", "client_secret@-", '"client_secret": CLIENT_SECRET'),
    "none": ("/oauth2/token", "invalid_grant", '"client_id=$CLIENT_ID"', '"client_id": CLIENT_ID'),
}
"""By method: the endpoint that is called, the answer without a code, and how commands and program say who they are."""


@needs_curl
@pytest.mark.parametrize("method", PRINTED)
@pytest.mark.parametrize("redirect_uri", AWKWARD)
def test_the_printed_commands_run_as_they_stand(server: Server, dana: Browser, method: str, redirect_uri: str, tmp_path: Path) -> None:
    """In the way that the app was registered for, and in no other."""
    app = created(dana, server, redirect_uris=redirect_uri, auth_method=method)
    shell, program = blocks(dana.page.text)
    where, error, in_shell, in_python = PRINTED[method]
    given = "access_grant" if error == "invalid_code" else "access_token"
    assert f"{server.grantway.house.issuer}{where}" in shell
    assert f'"{server.grantway.house.issuer}{where}"' in program
    assert (in_shell in shell, in_python in program) == (True, True)
    assert [(app.client_secret in text) for text in (shell, program)] == [method != "none"] * 2
    assert f"<code>{error}</code>" in dana.page.text
    file = tmp_path / "exchange.py"
    file.write_text(program)

    def ran(*command: str, **environment: str) -> subprocess.CompletedProcess[str]:
        python3 = tmp_path / "python3"
        if not python3.exists():
            python3.symlink_to(sys.executable)
        env = {"PATH": f"{tmp_path}:/usr/bin:/bin", **environment}
        return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False, env=env)

    assert json.loads(ran("bash", "-c", shell).stdout)["error"] == error
    refused = ran("python3", str(file))
    assert (refused.returncode, json.loads(refused.stderr)["error"]) == (1, error)
    code = a_code(server, dana.page.text)
    assert json.loads(ran("bash", "-c", shell, CODE=code).stdout)[given]
    granted = ran("python3", str(file), a_code(server, dana.page.text))
    assert (granted.returncode, granted.stderr) == (0, "")
    assert granted.stdout[:1] == "1" if given == "access_grant" else json.loads(granted.stdout)[given]


# findings


def test_a_refusal_explained(server: Server, dana: Browser) -> None:
    app = created(dana, server)
    refused = app.exchange("gwc_no_code", client_secret=app.jwt(f"{app.client_secret}\n")).json()
    page = dana.open(f"{path(app)}/findings").text
    assert refused["trace_id"] in page
    assert "a token request <small><code>/api/v0/oauth2/token</code></small>" in page
    page = dana.open(f"{path(app)}/findings/{refused['trace_id']}").text
    assert "401 invalid_client" in page
    assert "a token request came to <code>POST /api/v0/oauth2/token</code> with the client_id" in page
    assert "white space around it" in page
    assert "Strip white space and line ends" in page
    assert '/developer/causes#secret_with_whitespace"' in page
    assert re.search(r'class="failed"><div><strong>failed</strong> <span>the JWT is signed', page)
    assert re.search(r'class="passed"><div><strong>passed</strong> <span>the client_id is registered', page)
    assert 'id="secret_with_whitespace"' in dana.open("/developer/causes").text
    assert '<span class="tag">surely your app</span> Whoever sent this has a secret of yours' in page
    stranger = app.exchange("gwc_no_code", client_secret=app.jwt("k" * 40)).json()
    assert '<span class="tag">maybe others</span>' in dana.open(f"{path(app)}/findings/{stranger['trace_id']}").text
    # under another app of the same developer there is none
    assert dana.open(f"{path(created(dana, server))}/findings/{refused['trace_id']}").status_code == 404
    # the trace id alone leads there, with white space around it too
    dana.open("/developer/findings?" + urlencode({"trace_id": f" {refused['trace_id']} "}))
    assert dana.page.url.path == f"{path(app)}/findings/{refused['trace_id']}"


def test_a_deleted_apps_findings_can_still_be_looked_up(server: Server, dana: Browser) -> None:
    app = created(dana, server)
    refused = app.exchange("gwc_no_code").json()
    dana.open(f"{path(app)}/delete")
    dana.send(f"{path(app)}/delete", name="Photo Box")
    assert "Why this was refused" in dana.open(f"/developer/findings?trace_id={refused['trace_id']}").text


def test_findings_by_cause_by_time_and_page_by_page(server: Server, dana: Browser, user: Person) -> None:
    app = created(dana, server)
    wrong = {answered(app, client_secret=app.client_secret) for _ in range(PAGE + 3)}
    assert wrong == {"invalid_client"}
    app.exchange("gwc_no_code")
    app.exchange(approved(user, app, ["read"]))

    def rows(query: str) -> list[str]:
        text = dana.open(f"{path(app)}/findings{query}").text
        assert dana.page.status_code == 200
        return re.findall(r"/findings/([0-9a-f]{32})\"", text)

    first = rows("")
    older = html.unescape(re.findall(r'href="[^"]*(\?[^"]*before=\w+)" rel="next"', dana.page.text)[0])
    rest = rows(older)
    assert (len(first), len(rest)) == (PAGE, 4)
    assert not set(first) & set(rest)
    assert len(rows("?cause=raw_secret_sent")) == PAGE
    assert len(rows("?cause=raw_secret_sent&hours=&granted=")) == PAGE
    assert rows("?granted=1")[0] not in first
    assert "granted" in dana.page.text
    assert len(rows("?cause=code_truncated")) == len(rows("?cause=code_truncated&hours=1")) == 1
    assert rows("?cause=alg_none") == []
    assert rows("?before=nothing") == []
    # who sent it: the secret itself proves the app, and so does a JWT that is signed right
    app.exchange("gwc_no_code", client_secret=app.jwt("k" * 40))
    assert len(rows("?proved=false")) == 1
    assert "maybe others</option>" in dana.page.text
    assert dana.page.text.count('<span class="tag">surely your app</span>') == 0
    assert len(rows("?proved=true&granted=")) == PAGE
    assert dana.page.text.count('<span class="tag">surely your app</span>') == PAGE
    older = html.unescape(re.findall(r'href="[^"]*(\?[^"]*before=\w+)" rel="next"', dana.page.text)[0])
    assert "proved=true" in older
    assert len(rows(older)) == 4
    # the usage on the app's page
    page = dana.open(path(app)).text
    assert f"The last 24 hours: {PAGE + 6} answered, {PAGE + 5} of them refused" in page
    assert re.search(rf'cause=raw_secret_sent">[^/]*</a></th><td class="number">{PAGE + 3}</td>', page)


@pytest.mark.parametrize(
    "query", ["cause=nonsense", "hours=7", "hours=-1", "x=1", "cause=a&cause=b", "granted=%ff", "before=" + "x" * 5000]
)
def test_queries_that_are_refused_or_find_nothing(server: Server, dana: Browser, query: str) -> None:
    app = created(dana, server)
    assert dana.open(f"{path(app)}/findings?{query}").status_code in {400, 200}
    assert "Traceback" not in dana.page.text


def test_the_dry_run(server: Server, dana: Browser, user: Person) -> None:
    app = created(dana, server)
    code = approved(user, app, ["read"])
    check = f"{path(app)}/check"
    dana.open(check)
    page = dana.send(check, client_secret=app.jwt(exp=1), code=code).text
    assert "It would be refused: 401 client_secret_expired." in page
    assert "Sign a fresh JWT" in page
    jwt = app.jwt()
    page = dana.send(check, client_secret=f" {jwt}\n", code=code).text
    assert "It would be granted." in page
    assert jwt not in page
    assert code not in page
    assert app.exchange(code, client_secret=jwt).status_code == 200  # nothing was used up
    dana.send(check, client_secret=app.client_secret, code=code)
    assert app.client_secret not in dana.page.text
    assert "regenerate the secret now" in dana.page.text


BODIES = {
    "nothing": ("{}", "field_missing"),
    "no JSON": ("'x'", "body_malformed"),
    "other names": ('{"clientId": "x"}', "field_misnamed"),
    "wrong types": ('{"client_id": 1, "client_secret": "a", "redirect_uri": "b", "code": "c"}', "field_wrong_type"),
    "lone surrogates": (r'{"client_id": "\ud800", "client_secret": "a", "redirect_uri": "b", "code": "c"}', ""),
    "nested": ('{"a":' * 5000, "body_malformed"),
    "tags": ('{"client_id": "<script>alert(1)</script>", "client_secret": "<b>", "redirect_uri": "<i>", "code": "<u>"}', "client_unknown"),
}


@pytest.mark.parametrize(("body", "cause"), BODIES.values(), ids=BODIES)
def test_the_dry_run_of_a_whole_body(server: Server, dana: Browser, body: str, cause: str) -> None:
    app = created(dana, server)
    dana.open(f"{path(app)}/check")
    page = dana.send(f"{path(app)}/check", body=body).text
    assert dana.page.status_code == 200
    assert "It would be refused" in page
    assert f"causes#{cause}" in page
    assert "<script" not in page


def test_the_dry_run_with_nothing_typed(server: Server, dana: Browser) -> None:
    app = created(dana, server)
    dana.open(f"{path(app)}/check")
    assert "causes#no_credentials" in dana.send(f"{path(app)}/check").text


def test_new_app_and_person_of_the_api_are_the_same_as_the_pages(server: Server, developer: Person) -> None:
    """An app that was registered over the JSON API is on its developer's pages."""
    app = new_app(server, developer)
    dana = Browser(server.grantway.house.issuer)
    dana.open("/developer/sign-in")
    dana.send("/developer/sign-in", email=developer.email, password=PASSWORD)
    assert app.client_id in dana.page.text
