"""Refusals on the developers' pages: each explained, by cause, by time and page by page; and a request tried out."""

import html
import re
from urllib.parse import urlencode

import pytest
from tests.stories.browser import Browser
from tests.stories.portal import answered, created, path
from tests.stories.running import Person, Server, approved

from grantway.web.portal.refusals import PAGE


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
