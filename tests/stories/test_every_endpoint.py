"""What holds for every URL: bad input is answered in the contract's form, never with a 500; the OpenAPI document tells the truth."""

import json
from typing import Any

import httpx
import jsonschema
import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator
from tests.no_tls import NO_TLS
from tests.stories.running import Person, Server

from grantway.accounts.account import Kind
from grantway.web.call import Endpoint
from grantway.web.openapi import possible_errors
from grantway.web.routes import ENDPOINTS, PAGES

WITH_BODY = [endpoint for endpoint in ENDPOINTS if endpoint.body is not None]
SIGNED_IN = [endpoint for endpoint in ENDPOINTS if endpoint.signed_in is not None]

BODIES: dict[str, bytes] = {
    "empty": b"",
    "white space": b" \n",
    "not JSON": b"\x00\x01",
    "null": b"null",
    "a number": b"1e400",
    "an array": b"[]",
    "a string": b'"x"',
    "broken UTF-8": b'{"name": "\xc3\x28"}',
    "UTF-16": '{"name": "x"}'.encode("utf-16"),
    "a byte order mark": b"\xef\xbb\xbf{}",
    "lone surrogates": rb'{"name": "\udfff", "email": "\ud800"}',
    "nested deeply": b'{"a":' * 20_000,
    "a name twice": b'{"name": "a", "name": "b"}',
    "huge": b'{"name": "' + b"x" * 70_000 + b'"}',
    "numbers for strings": b'{"name":1,"email":2,"password":3,"client_id":4,"request_id":5,"status":1.5,"scope":[1],"redirect_uris":[1]}',
    "nulls": b'{"name":null,"email":null,"password":null,"client_id":null,"request_id":null,"status":null}',
    "NUL in strings": rb'{"name":"a\u0000","email":"a\u0000@b","password":"\u0000","client_id":"\u0000","redirect_uri":"\u0000",'
    rb'"redirect_uris":"\u0000","scope":["\u0000"],"code":"\u0000","client_secret":"\u0000","request_id":"\u0000","project_id":"\u0000"}',
}


def name_of(endpoint: Endpoint) -> str:
    return f"{endpoint.method} {endpoint.path}"


def send(server: Server, user: Person, developer: Person, endpoint: Endpoint, body: bytes) -> httpx.Response:
    who = {Kind.USER: user, Kind.DEVELOPER: developer, None: None}[endpoint.signed_in]
    headers = {"Authorization": f"Bearer {who.token}"} if who else {}
    path = endpoint.path.format(either_id="x", client_id="x", project_id="x", trace_id="x", grant_id="x")
    return server.http.request(endpoint.method, path, content=body, headers=headers)


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
@pytest.mark.parametrize("endpoint", WITH_BODY, ids=name_of)
def test_bad_bodies(server: Server, user: Person, developer: Person, endpoint: Endpoint, body: bytes) -> None:
    answer = send(server, user, developer, endpoint, body)
    if endpoint.path.endswith("/check") and answer.status_code == 200:  # the dry run answers with what it found
        assert answer.json()["outcome"] == "refused"
        return
    assert answer.status_code in {400, 401, 404}
    assert answer.json()["error"] in {error.code for error in possible_errors(endpoint)}


@pytest.mark.parametrize("endpoint", SIGNED_IN, ids=name_of)
@pytest.mark.parametrize("authorization", ["", "Bearer", "Bearer nonsense", "Basic dTpw", "Bearer \xff", "bearer a b"])
def test_without_a_session(server: Server, endpoint: Endpoint, authorization: str) -> None:
    path = endpoint.path.format(either_id="x", client_id="x", project_id="x", trace_id="x", grant_id="x")
    answer = server.http.request(endpoint.method, path, content=b"{}", headers=[(b"Authorization", authorization.encode("latin-1"))])
    assert (answer.status_code, answer.json()["error"]) == (401, "unauthorized")


@pytest.mark.parametrize("endpoint", SIGNED_IN, ids=name_of)
def test_a_session_of_the_other_kind_is_as_none_and_told_which_is_wanted(
    server: Server, user: Person, developer: Person, endpoint: Endpoint
) -> None:
    path = endpoint.path.format(either_id="x", client_id="x", project_id="x", trace_id="x", grant_id="x")
    other = developer if endpoint.signed_in is Kind.USER else user
    headers = ({"Authorization": f"Bearer {token}"} for token in (other.token, "nonsense"))
    told = [server.http.request(endpoint.method, path, content=b"{}", headers=one).json() for one in headers]
    assert told[0] | {"trace_id": ""} == told[1] | {"trace_id": ""}
    assert f"the {endpoint.signed_in}'s session that this endpoint wants" in told[0]["error_description"]


@pytest.mark.parametrize("path", sorted({endpoint.path for endpoint in ENDPOINTS}))
def test_other_methods(server: Server, path: str) -> None:
    allowed = {endpoint.method for endpoint in ENDPOINTS if endpoint.path == path}
    for method in {"GET", "PUT", "PATCH", "DELETE", "TRACE"} - allowed:
        answer = server.http.request(method, path.format(either_id="x", client_id="x", project_id="x", trace_id="x", grant_id="x"))
        assert (answer.status_code, answer.json()["error"]) == (405, "method_not_allowed")
        assert allowed <= set(answer.headers["allow"].split(", "))


@pytest.mark.parametrize(
    "path", ["/api", "/api/v0/oauth2/token/", "/api/v0/oauth2/Token", "/..%2f..%2fetc/passwd", "/%00", "//evil.example"]
)
def test_urls_that_there_are_not(server: Server, path: str) -> None:
    with httpx.Client(follow_redirects=False, timeout=60, verify=NO_TLS) as http:
        answer = http.get(server.url + path)
    assert (answer.status_code, answer.json()["error"]) == (404, "not_found")


BROWSER = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}


@pytest.mark.parametrize(
    ("path", "home"), [("/conected-apps", "/connected-apps"), ("/developer/app", "/developer/apps"), ("/%00<b>", "/connected-apps")]
)
def test_a_browser_gets_a_page_where_there_is_nothing(server: Server, path: str, home: str) -> None:
    for method in ("GET", "HEAD", "POST"):
        answer = server.http.request(method, path, headers=BROWSER)
        assert (answer.status_code, answer.headers["content-type"]) == (404, "text/html; charset=utf-8")
    text = server.http.get(path, headers=BROWSER).text
    assert "There is nothing here" in text
    assert f'class="brand" href="{home}"' in text
    assert "<b>" not in text


OF_JSON = {endpoint.path for endpoint in ENDPOINTS} - {endpoint.path for endpoint in ENDPOINTS if endpoint.method == "GET"}
OF_SIGHT = {page.path for page in PAGES} - {page.path for page in PAGES if page.method == "POST"} - {"/style.css"}
OF_FORMS = {page.path for page in PAGES} - {page.path for page in PAGES if page.method == "GET"}


@pytest.mark.parametrize("path", sorted(OF_FORMS))
def test_a_browser_gets_a_page_where_only_forms_are_taken(server: Server, path: str) -> None:
    shown = path.format(either_id="x", client_id="x", trace_id="x")
    home = "/developer/apps" if path.startswith("/developer/") else "/connected-apps"
    for method in ("GET", "HEAD"):
        answer = server.http.request(method, shown, headers=BROWSER)
        assert (answer.status_code, answer.headers["content-type"]) == (405, "text/html; charset=utf-8")
        assert (answer.headers["allow"], answer.headers["x-frame-options"]) == ("OPTIONS, POST", "DENY")
    text = server.http.get(shown, headers=BROWSER).text
    assert "<h1>Nothing to see at this address</h1>" in text
    assert f'egin here: <a href="{home}">' in text
    assert "Trace id" not in text
    for method, headers in (("PUT", BROWSER), ("GET", {"Accept": "*/*"})):
        assert server.http.request(method, shown, headers=headers).json()["error"] == "method_not_allowed"


@pytest.mark.parametrize("path", sorted(OF_SIGHT))
def test_a_browser_gets_a_page_where_no_form_is_taken(server: Server, path: str) -> None:
    shown = path.format(either_id="x", client_id="x", trace_id="x")
    answer = server.http.post(shown, data={"scope": "read", "x": "<b>"}, headers=BROWSER)
    assert (answer.status_code, answer.headers["content-type"]) == (405, "text/html; charset=utf-8")
    assert (answer.headers["allow"], answer.headers["x-frame-options"]) == ("GET, HEAD, OPTIONS", "DENY")
    assert "<b>" not in answer.text
    is_of_apps = path in {"/oauth2/authorize", "/oauth2-integration"}
    title = "This did not work" if is_of_apps else "Nothing to send to this address"
    assert f"<h1>{title}</h1>" in answer.text
    told = "For the app&#39;s developer: method_not_allowed. This URL takes GET, not POST."
    assert ("Trace id" in answer.text, told in answer.text) == (is_of_apps, is_of_apps)
    home = "/developer/apps" if path.startswith("/developer") else "/connected-apps"
    assert (f'Begin here: <a href="{home}">' in answer.text) != is_of_apps
    assert server.http.post(shown, data={}, headers={"Accept": "*/*"}).json()["error"] == "method_not_allowed"


def test_a_redirect_has_no_content_and_so_no_type(server: Server) -> None:
    answer = server.http.get("/")
    assert (answer.status_code, answer.headers["content-length"], "content-type" in answer.headers) == (303, "0", False)


@pytest.mark.parametrize("path", sorted(OF_JSON))
def test_a_browser_gets_json_where_only_programs_call(server: Server, path: str) -> None:
    answer = server.http.get(path.format(either_id="x", client_id="x", project_id="x", trace_id="x", grant_id="x"), headers=BROWSER)
    assert (answer.status_code, answer.json()["error"]) == (405, "method_not_allowed")


def test_there_are_urls_of_both_kinds() -> None:
    assert {"/oauth2/consent", "/sign-out", "/connected-apps/revoke", "/account/end-session", "/developer/sign-out"} <= OF_FORMS
    assert {"/oauth2/token", "/api/v0/oauth2/consent"} <= OF_JSON


@pytest.mark.parametrize(("method", "path"), [("GET", "/api/v0/nothing"), ("PUT", "/nothing"), ("OPTIONS", "/nothing")])
def test_a_browser_that_asks_for_no_page_gets_json(server: Server, method: str, path: str) -> None:
    answer = server.http.request(method, path, headers=BROWSER)
    assert (answer.status_code, answer.json()["error"]) == (404, "not_found")


def test_cors_only_where_it_belongs(server: Server) -> None:
    preflight = server.http.options("/api/v0/oauth2/token", headers={"Origin": "https://app.example"})
    assert preflight.headers["access-control-allow-origin"] == "*"
    assert "access-control-allow-credentials" not in preflight.headers
    refused = server.http.post("/api/v0/oauth2/token", headers={"Origin": "https://app.example"}, json={})
    assert refused.headers["access-control-expose-headers"] == "grantway-trace-id, retry-after"
    elsewhere = server.http.options("/api/v0/oauth2/consent", headers={"Origin": "https://app.example"})
    assert not [name for name in elsewhere.headers if name.startswith("access-control")]


def test_the_document_is_openapi(server: Server) -> None:
    document = server.http.get("/openapi.json").json()
    OpenAPIV31SpecValidator(document).validate()
    described = {(method.upper(), path) for path, operations in document["paths"].items() for method in operations}
    assert described == {(endpoint.method, endpoint.path) for endpoint in ENDPOINTS}


def test_answers_are_as_the_document_says(server: Server, user: Person, developer: Person) -> None:
    document = server.http.get("/openapi.json").json()
    for endpoint in ENDPOINTS:
        answer = send(server, user, developer, endpoint, b"{}")
        responses = document["paths"][endpoint.path][endpoint.method.lower()]["responses"]
        assert str(answer.status_code) in responses, (name_of(endpoint), answer.text)
        if answer.content and endpoint.handler.__name__ != "leave":
            _validate(document, responses[str(answer.status_code)], answer.json())


def _validate(document: dict[str, Any], response: dict[str, Any], value: object) -> None:
    schema = response["content"]["application/json"]["schema"]
    jsonschema.validate(value, {**schema, "components": document["components"]}, jsonschema.Draft202012Validator)


def test_a_head_is_a_get_without_a_body(server: Server) -> None:
    answer = server.http.head("/health/ready")
    assert (answer.status_code, answer.content) == (200, b"")


def test_a_body_that_never_ends_is_cut(server: Server) -> None:
    def endless() -> Any:
        for _ in range(1000):
            yield b" " * 1024

    answer = server.http.post("/api/v0/oauth2/token", content=endless())
    assert json.loads(answer.content)["error"] == "invalid_request"
