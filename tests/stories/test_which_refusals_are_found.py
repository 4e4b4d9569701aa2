"""Which refusals leave a finding, for every endpoint; and that a trace id leads at least to a line in the server's log."""

import logging
from typing import Any

import httpx
import pytest
from tests.stories.running import App, Person, Server, new_app

from grantway.accounts.account import Kind
from grantway.diagnosis.finding import Finding
from grantway.web.call import Endpoint
from grantway.web.routes import ENDPOINTS, PAGES

FINDINGS = "/api/v0/developer/auth/oauth2/findings"
CLIENTS = "/api/v0/developer/auth/oauth2/clients"
REQUEST = "/api/v0/oauth2/request"
METHODS = {"GET", "PUT", "PATCH", "DELETE", "TRACE"}
DIAGNOSED = {endpoint.path for endpoint in (*ENDPOINTS, *PAGES) if endpoint.diagnosed}


def at(path: str) -> str:
    return path.format(either_id="x", client_id="x", project_id="x", trace_id="x", grant_id="x")


def name_of(endpoint: Endpoint) -> str:
    return f"{endpoint.method} {endpoint.path}"


def kept(server: Server, answer: httpx.Response) -> Finding | None:
    """What the operator finds under the answer's trace id."""
    found: Finding | None = server.wait_for(server.grantway.house.diagnosis.finding(answer.json()["trace_id"], None))
    return found


def logged(caplog: pytest.LogCaptureFixture, answer: httpx.Response) -> bool:
    fields: list[dict[str, Any]] = [getattr(record, "fields", {}) for record in caplog.records]
    return answer.json()["trace_id"] in {one.get("trace_id") for one in fields}


@pytest.mark.parametrize("path", sorted({endpoint.path for endpoint in (*ENDPOINTS, *PAGES)}))
def test_another_method(server: Server, caplog: pytest.LogCaptureFixture, path: str) -> None:
    taken = sorted({endpoint.method for endpoint in (*ENDPOINTS, *PAGES) if endpoint.path == path})
    method = min(METHODS - set(taken))
    with caplog.at_level(logging.INFO):
        answer = server.http.request(method, at(path))
        found = kept(server, answer)
    assert (answer.status_code, answer.json()["error_description"]) == (405, f"This URL takes {' or '.join(taken)}, not {method}.")
    assert (found.cause if found else None) == ("method_not_allowed" if path in DIAGNOSED else None)
    assert logged(caplog, answer)


@pytest.mark.parametrize("endpoint", [one for one in ENDPOINTS if one.signed_in], ids=name_of)
def test_nobody_signed_in(server: Server, caplog: pytest.LogCaptureFixture, endpoint: Endpoint) -> None:
    with caplog.at_level(logging.INFO):
        answer = server.http.request(endpoint.method, at(endpoint.path), content=b"{}")
        found = kept(server, answer)
    assert answer.status_code == 401
    assert (found.cause if found else None) == ("session_missing" if endpoint.path == REQUEST else None)
    assert logged(caplog, answer)


@pytest.mark.parametrize("endpoint", [one for one in ENDPOINTS if one.body], ids=name_of)
def test_a_body_that_cannot_be_read(
    server: Server, user: Person, developer: Person, caplog: pytest.LogCaptureFixture, endpoint: Endpoint
) -> None:
    who = {Kind.USER: user, Kind.DEVELOPER: developer, None: None}[endpoint.signed_in]
    headers = {"Authorization": f"Bearer {who.token}"} if who else {}
    with caplog.at_level(logging.INFO):
        answer = server.http.request(endpoint.method, at(endpoint.path), content=b"[]", headers=headers)
        found = kept(server, answer)
    assert answer.status_code == 400
    assert (found is not None) == (endpoint.diagnosed is not None)
    assert logged(caplog, answer)


NOWHERE = {
    "/api/v0/oauth2/token/gws_a_secret_in_a_path": "/api/v0/oauth2/token/*",
    "/oauth/token": "/oauth/token",
    "/oauth2/token/": "/oauth2/token/",
    "/api/v0/oauth2/toekn": "/api/v0/oauth2/*",
    "/.well-known/openid-configuration": "/.well-known/openid-configuration",
    "/gws_secret/token?code=gws_secret": "/*/token",
    "/a/b/c/d/e/f/g/h/i": "/*/*/*/*/*/*/*/*",
    "//token": "//token",
    "/%74oken/%2e%2e": "/token/*",
    "/{either_id}/{trace_id}": "/*/*",
}


@pytest.mark.parametrize(("url", "told"), NOWHERE.items())
def test_a_url_that_there_is_not(server: Server, caplog: pytest.LogCaptureFixture, url: str, told: str) -> None:
    """The operator reads which method came and which words of ours stand in the path; all else might be a secret."""
    with caplog.at_level(logging.INFO):
        answers = [server.http.request(method, server.url + url, content=b"{}") for method in ("POST", "PROPFIND")]
    assert [answer.status_code for answer in answers] == [404, 404]
    assert kept(server, answers[0]) is None
    lines = [getattr(record, "fields", {}) for record in caplog.records if record.getMessage() == "answered"]
    assert [(one["method"], one["path"], one["trace_id"]) for one in lines[:2]] == [
        (method, told, answer.json()["trace_id"]) for method, answer in zip(("POST", "other"), answers, strict=True)
    ]
    assert "gws_" not in str([record.__dict__ for record in caplog.records if record.name.startswith("grantway")])


@pytest.mark.parametrize("path", ["/oauth/token", "/oauth2/token/", "/token", "/oauth2/access_token", "/api/v1/oauth2/tokens"])
def test_another_token_endpoint_is_answered_with_ours(server: Server, path: str) -> None:
    """There is no finding of it: nobody looks whose app it is."""
    told = server.http.post(path, data={"client_id": "x"}).json()["error_description"]
    assert told == "This is no token endpoint. /oauth2/token takes forms, and /api/v0/oauth2/token takes JSON."
    assert "token endpoint" not in server.http.post(f"{path}x", data={}).json()["error_description"]


@pytest.mark.parametrize("path", ["/oauth/authorize", "/authorize", "/oauth2/auth", "/oauth2/authorise/"])
def test_another_address_to_send_people_to_is_answered_with_ours(server: Server, path: str) -> None:
    said = "Apps that ask for access send people to /oauth2/authorize."
    assert said in server.http.get(path, headers={"Accept": "text/html"}).text
    assert said not in server.http.get(f"{path}x", headers={"Accept": "text/html"}).text


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"name": "X", "redirect_uris": ["http://x.example/cb"]}, "http"),
        ({"name": "X", "redirect_uris": ["https://x.example/#f"]}, "fragment"),
        ({"name": "X", "redirect_uris": ["https://x.example/"], "scopes": ["admin"]}, "scope"),
        ({"name": "", "redirect_uris": ["https://x.example/"]}, "name"),
    ],
)
def test_a_registration_that_is_refused_says_all_to_whoever_sent_it(
    server: Server, developer: Person, client: App, body: dict[str, Any], said: str
) -> None:
    sent = [("POST", CLIENTS), ("PUT", f"{CLIENTS}/{client.client_id}")]
    for method, path in sent:
        answer = developer.call(method, path, body)
        assert answer.status_code == 400
        assert said in answer.json()["error_description"]
        assert kept(server, answer) is None


def test_the_apps_developer_finds_another_method(server: Server, developer: Person) -> None:
    app = new_app(server, developer)
    fields = {"client_id": app.client_id, "client_secret": app.client_secret, "code": "gwc_x", "redirect_uri": app.redirect_uri}
    answers = {
        "This URL takes POST, not GET.": server.http.get("/oauth2/token", params=fields),
        "This URL takes POST, not PUT.": server.http.put("/api/v0/oauth2/token", json=fields),
        "This URL takes GET, not POST.": server.http.post("/oauth2/authorize", data=fields),
        "This URL takes POST, not another method.": server.http.request("PROPFIND", "/api/v0/oauth2/token", json=fields),
        "This URL takes POST, not DELETE.": server.http.request("DELETE", "/oauth2/revoke", data=fields, auth=(app.client_id, "y")),
    }
    for said, answer in answers.items():
        found = developer.call("GET", f"{FINDINGS}/{answer.json()['trace_id']}")
        assert found.status_code == 200, said
        assert (found.json()["client_id"], found.json()["cause"], found.json()["verdict"]) == (app.client_id, "method_not_allowed", said)
        assert len(found.json()["faults"]) == 1
        assert app.client_secret not in found.text


def test_a_finding_says_what_was_called(server: Server, developer: Person) -> None:
    """Two endpoints take codes, and a developer may not know which one a library calls. Nothing of a URL is in it."""
    app = new_app(server, developer)
    form = {"client_id": app.client_id, "grant_type": "authorization_code", "code": "gwc_x", "redirect_uri": app.redirect_uri}
    rows = [
        (server.http.post("/api/v0/oauth2/token", json=form), ("POST", "/api/v0/oauth2/token"), "POST /api/v0/oauth2/token"),
        (server.http.post("/oauth2/token?code=gwc_y", data=form), ("POST", "/oauth2/token"), "POST /oauth2/token"),
        (server.http.post("/oauth2/revoke", data=form), ("POST", "/oauth2/revoke"), "POST /oauth2/revoke"),
        (server.http.get("/oauth2/token", params=form), ("GET", "/oauth2/token"), "GET /oauth2/token"),
        (server.http.request("PROPFIND", "/oauth2/token", data=form), ("other", "/oauth2/token"), "/oauth2/token"),
    ]
    for answer, called, in_words in rows:
        found = developer.call("GET", f"{FINDINGS}/{answer.json()['trace_id']}").json()
        assert (found["method"], found["path"]) == called
        kept_as = kept(server, answer)
        assert kept_as is not None
        assert kept_as.called == in_words


def test_a_long_body_with_another_method_is_another_method(server: Server) -> None:
    answer = server.http.put("/api/v0/oauth2/token", content=b"x" * 70_000)
    assert answer.status_code == 405
    assert kept(server, answer) is not None


def test_the_apps_developer_finds_a_request_without_a_session(server: Server, developer: Person, user: Person) -> None:
    app = new_app(server, developer)
    body = {"client_id": app.client_id, "redirect_uri": app.redirect_uri, "scope": ["read"], "project_id": "no-ones"}
    from_elsewhere = {"Cookie": f"_tokenKey={user.token}", "Origin": "https://x.example"}
    rows = [
        (server.http.post(REQUEST, json=body), "session_missing"),
        (server.http.post(REQUEST, json=body, headers={"Authorization": "Bearer gwu_ended"}), "session_missing"),
        (developer.call("POST", REQUEST, body), "session_missing"),
        (
            server.http.post(REQUEST, json=body, headers=from_elsewhere),
            "origin_foreign",
        ),
    ]
    told = []
    for answer, cause in rows:
        found = developer.call("GET", f"{FINDINGS}/{answer.json()['trace_id']}").json()
        assert (found["client_id"], found["cause"], found["error"]) == (app.client_id, cause, answer.json()["error"])
        told.append({name: value for name, value in found.items() if name not in {"trace_id", "at"}})
    assert told[0] == told[1] == told[2]  # none, one that ended and one of another kind are told apart to nobody
