"""Why was it refused? Each row is a request as a developer would send it by mistake; the finding must name the mistake."""

import base64
import hashlib
import hmac
import json
import os
import re
import secrets
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.stories import paragraph
from tests.stories.running import REDIRECT_URI, App, Person, Server, approved, asked, new_app, person, running

from grantway.authorization import pkce
from grantway.cli import findings
from grantway.clients import secret
from grantway.clients.draft import ClientDraft
from grantway.web.portal import refusals

TOKEN = "/api/v0/oauth2/token"
CLIENTS = "/api/v0/developer/auth/oauth2/clients"
FINDINGS = "/api/v0/developer/auth/oauth2/findings"


@dataclass
class Scene:
    """Somebody with an app and a user."""

    server: Server
    developer: Person
    user: Person
    app: App

    def code(self, **extra: Any) -> str:
        return approved(self.user, self.app, **extra)

    def send(self, body: object, path: str = TOKEN, **more: Any) -> httpx.Response:
        return self.server.http.post(path, json=body, **more)

    def finding(self, answer: httpx.Response, who: Person | None = None) -> dict[str, Any]:
        found = (who or self.developer).call("GET", f"{FINDINGS}/{answer.json()['trace_id']}")
        assert found.status_code == 200, found.text
        result: dict[str, Any] = found.json()
        return result


@pytest.fixture
def scene(server: Server, developer: Person, user: Person) -> Scene:
    return Scene(server, developer, user, new_app(server, developer))


def signed(key: bytes, app: App, header: dict[str, Any] | None = None, digest: str = "sha256", **claims: Any) -> str:
    """A JWT made by hand, with any key, header and claims."""
    now = int(app.clock().timestamp())
    payload = {"client_id": app.client_id, "exp": now + 240, "jti": secrets.token_hex(8), **claims}
    kept = {name: value for name, value in payload.items() if value is not None}
    parts = [base64.urlsafe_b64encode(json.dumps(one).encode()).rstrip(b"=") for one in ({"alg": "HS256"} | (header or {}), kept)]
    text = b".".join(parts)
    return (text + b"." + base64.urlsafe_b64encode(hmac.digest(key, text, digest)).rstrip(b"=")).decode()


def key_of(app: App) -> bytes:
    return app.client_secret.encode()


def with_jwt(make: Callable[[App], str]) -> Callable[[Scene], httpx.Response]:
    """A token request whose only mistake is its JWT."""
    return lambda scene: scene.send(scene.app.body(scene.code(), client_secret=make(scene.app)))


def with_key(make: Callable[[App], bytes]) -> Callable[[Scene], httpx.Response]:
    return with_jwt(lambda app: signed(make(app), app))


def with_claims(**claims: Any) -> Callable[[Scene], httpx.Response]:
    return with_jwt(lambda app: signed(key_of(app), app, **claims))


def with_body(**changes: Any) -> Callable[[Scene], httpx.Response]:
    return lambda scene: scene.send(scene.app.body(scene.code(), **changes))


def raw(content: bytes, **headers: str) -> Callable[[Scene], httpx.Response]:
    return lambda scene: scene.server.http.post(TOKEN, content=content, headers=headers)


def lenient(secret: str) -> bytes:
    """As Node reads base64: in either alphabet, and a letter that is left over is dropped."""
    return base64.urlsafe_b64decode(secret[: len(secret) // 4 * 4])


def taken_over(handed_out: str, key: Callable[[str], bytes]) -> Callable[[Scene], httpx.Response]:
    """An app whose secret came from elsewhere, and a JWT signed with what became of it."""

    async def make(scene: Scene) -> App:
        clients = scene.server.grantway.house.clients
        mine = await clients.one(None, scene.app.client_id)
        draft = ClientDraft(name="Moved", redirect_uris=[REDIRECT_URI])
        new = await clients.take_over(mine.developer_id, f"moved-{secrets.token_hex(6)}", handed_out, draft, scene.server.clock())
        return App(scene.server.http, scene.server.clock, new.client.client_id, handed_out)

    def act(scene: Scene) -> httpx.Response:
        app = scene.server.wait_for(make(scene))
        return scene.send(app.body("x" * 20, client_secret=signed(key(handed_out), app)))

    return act


def retired(scene: Scene) -> httpx.Response:
    old = scene.app.client_secret
    made = scene.developer.call("POST", f"{CLIENTS}/{scene.app.client_id}/regenerate-secret", {"overlap_seconds": 0})
    assert made.status_code == 200
    return scene.send(scene.app.body("x" * 20, client_secret=signed(old.encode(), scene.app)))


def of_another(scene: Scene) -> httpx.Response:
    other = new_app(scene.server, scene.developer, name="Other")
    return scene.send(scene.app.body("x" * 20, client_secret=signed(key_of(other), scene.app)))


def replayed(scene: Scene) -> httpx.Response:
    jwt = scene.app.jwt()
    assert scene.app.exchange(scene.code(), client_secret=jwt).status_code == 200
    return scene.app.exchange(scene.code(), client_secret=jwt)


def used_twice(scene: Scene) -> httpx.Response:
    code = scene.code()
    assert scene.app.exchange(code).status_code == 200
    return scene.app.exchange(code)


def expired_code(scene: Scene) -> httpx.Response:
    code = scene.code()
    with scene.server.clock.later(timedelta(seconds=31)):
        return scene.app.exchange(code)


def code_of_a_clock_that_was_ahead(scene: Scene) -> httpx.Response:
    with scene.server.clock.later(timedelta(hours=2)):
        code = scene.code()
    return scene.app.exchange(code)


def of_another_client(scene: Scene) -> httpx.Response:
    return new_app(scene.server, scene.developer, name="Other").exchange(scene.code())


def request_id_as_code(scene: Scene) -> httpx.Response:
    return scene.app.exchange(asked(scene.user, scene.app)["request_id"])


def withdrawn(scene: Scene) -> httpx.Response:
    code = scene.code()
    assert scene.user.call("DELETE", f"/api/v0/auth/developer-access/{scene.app.client_id}/revoke").status_code == 200
    return scene.app.exchange(code)


def disabled(scene: Scene) -> httpx.Response:
    code = scene.code()
    scene.developer.call("PATCH", f"{CLIENTS}/{scene.app.client_id}/status", {"status": 0})
    return scene.app.exchange(code)


def deleted(scene: Scene) -> httpx.Response:
    scene.developer.call("DELETE", f"{CLIENTS}/{scene.app.client_id}")
    return scene.app.exchange("x" * 20)


def as_client(change: Callable[[Scene], str]) -> Callable[[Scene], httpx.Response]:
    def act(scene: Scene) -> httpx.Response:
        claimed = change(scene)
        return scene.send(
            scene.app.body("x" * 20, client_id=claimed, client_secret=signed(key_of(scene.app), scene.app, client_id=claimed))
        )

    return act


def row_id(scene: Scene) -> str:
    return str(scene.developer.call("GET", f"{CLIENTS}/{scene.app.client_id}").json()["id"])


def named_alone(scene: Scene) -> str:
    name = f"Photo Box {secrets.token_hex(3)}"
    scene.developer.call("PUT", f"{CLIENTS}/{scene.app.client_id}", {"name": name})
    return name


def swapped(text: str) -> str:
    """Two neighbours that differ, the other way round."""
    at = next(at for at in range(10, len(text)) if text[at] != text[at + 1] and "-" not in text[at : at + 2])
    return text[:at] + text[at + 1] + text[at] + text[at + 2 :]


def with_pkce(
    verifier: Callable[[str], str | None], challenge: Callable[[str], str] = pkce.challenge_of
) -> Callable[[Scene], httpx.Response]:
    def act(scene: Scene) -> httpx.Response:
        text = secrets.token_urlsafe(40)
        code = scene.code(code_challenge=challenge(text), code_challenge_method="S256")
        return scene.app.exchange(code, code_verifier=verifier(text))

    return act


def hex_challenge(text: str) -> str:
    return pkce.challenge_of(hashlib.sha256(text.encode()).hexdigest())


def moved(uri: str) -> Callable[[Scene], httpx.Response]:
    return lambda scene: scene.app.exchange(scene.code(), redirect_uri=uri)


def basic(scene: Scene) -> httpx.Response:
    pair = base64.b64encode(f"{scene.app.client_id}:{scene.app.client_secret}".encode()).decode()
    return scene.send(scene.app.body("x" * 20, client_secret=None), headers={"Authorization": f"Basic {pair}"})


def both(scene: Scene) -> httpx.Response:
    body = scene.app.body("x" * 20, client_secret=signed(b"k" * 32, scene.app))
    return scene.send(body, headers={"Authorization": "Basic eDp5"})


def form(scene: Scene) -> httpx.Response:
    return scene.server.http.post(TOKEN, data=scene.app.body("x" * 20))


def in_the_query(scene: Scene) -> httpx.Response:
    return scene.server.http.post(TOKEN, params={"client_id": scene.app.client_id}, json=scene.app.body("x" * 20, client_id=None))


def misnamed(scene: Scene) -> httpx.Response:
    body = scene.app.body("x" * 20)
    return scene.send({"clientId": body.pop("client_id"), **body})


def wrapped(scene: Scene) -> httpx.Response:
    return scene.send({"data": scene.app.body("x" * 20)})


def quoted(jwt: str) -> str:
    return f'"{jwt}"'


def now(app: App) -> int:
    return int(app.clock().timestamp())


def no_project(scene: Scene) -> httpx.Response:
    scene.user = person(scene.server)
    code = scene.code()
    for project in scene.user.call("GET", "/api/v0/projects").json():
        scene.user.call("DELETE", f"/api/v0/projects/{project['id']}")
    return scene.app.exchange(code)


ROWS: dict[str, tuple[str, Callable[[Scene], httpx.Response]]] = {
    "another key": ("unknown_key", with_key(lambda _: b"k" * 40)),
    "newline": ("secret_with_whitespace", with_key(lambda app: key_of(app) + b"\n")),
    "carriage return": ("secret_with_whitespace", with_key(lambda app: key_of(app) + b"\r\n")),
    "space before": ("secret_with_whitespace", with_key(lambda app: b" " + key_of(app))),
    "sha-256": ("hash_of_secret", with_key(lambda app: hashlib.sha256(key_of(app)).hexdigest().encode())),
    "quotes": ("secret_quoted", with_key(lambda app: b'"' + key_of(app) + b'"')),
    "last one missing": ("secret_truncated", with_key(lambda app: key_of(app)[:-1])),
    "32 characters": ("secret_truncated", with_key(lambda app: key_of(app)[:32])),
    "id as key": ("client_id_as_key", with_key(lambda app: app.client_id.encode())),
    "hex": ("secret_hex_decoded", taken_over("2b4719e00623ad66c4cde8681efc59e9d40bf96cdb43d4b9cf859e27d5252102", bytes.fromhex)),
    "base64 of ours": ("secret_base64_decoded", with_key(lambda app: lenient(app.client_secret))),
    "base64 encoded": ("secret_base64_encoded", with_key(lambda app: base64.b64encode(key_of(app)))),
    "base64 encoded with a newline": ("secret_base64_encoded", with_key(lambda app: base64.b64encode(key_of(app) + b"\n"))),
    "single quotes": ("secret_quoted", with_key(lambda app: b"'" + key_of(app) + b"'")),
    "no JWT at all": ("assertion_malformed", with_body(client_secret="another-secret")),
    "base64": ("secret_base64_decoded", taken_over("c2VjcmV0IG9mIGFuIGFwcCBvZiBvbGQ=", base64.b64decode)),
    "dollar": ("secret_dollar_stripped", taken_over("abcdefgh$HOMEXY.ijklmnop", lambda _: b"abcdefgh.ijklmnop")),
    "percent": ("secret_url_encoded", taken_over("abcdefgh+/ijklmnopqr==", lambda _: b"abcdefgh%2B%2Fijklmnopqr%3D%3D")),
    "retired": ("retired_secret", retired),
    "of another client": ("secret_of_another_client_of_yours", of_another),
    "raw secret": ("raw_secret_sent", with_jwt(lambda app: app.client_secret)),
    "raw secret with newline": ("raw_secret_sent", with_jwt(lambda app: app.client_secret + "\n")),
    "expired": ("assertion_expired", with_jwt(lambda app: app.jwt(exp=now(app) - 312))),
    "iat ahead": ("clock_ahead", with_jwt(lambda app: app.jwt(iat=now(app) + 120))),
    "nbf ahead": ("clock_ahead", with_jwt(lambda app: app.jwt(nbf=now(app) + 120))),
    "no exp": ("exp_missing", with_claims(exp=None)),
    "exp in ms": ("exp_in_milliseconds", with_jwt(lambda app: app.jwt(exp=(now(app) + 240) * 1000))),
    "exp far": ("exp_too_far", with_jwt(lambda app: app.jwt(exp=now(app) + 3600))),
    "exp text": ("exp_not_a_number", with_claims(exp="1751019815")),
    "HS512": ("alg_mismatch", with_jwt(lambda app: signed(key_of(app), app, {"alg": "HS512"}, "sha512"))),
    "none": ("alg_none", with_jwt(lambda app: signed(key_of(app), app, {"alg": "none"}).rpartition(".")[0] + ".")),
    "none, two parts": ("alg_none", with_jwt(lambda app: signed(key_of(app), app, {"alg": "none"}).rpartition(".")[0])),
    "RS256": ("alg_asymmetric", with_jwt(lambda app: signed(b"x", app, {"alg": "RS256"}))),
    "crit": ("crit_unsupported", with_jwt(lambda app: signed(key_of(app), app, {"crit": ["exp"]}))),
    "other id in the JWT": ("claim_client_id_mismatch", with_claims(client_id="somebody-else")),
    "iss and sub": ("claim_missing", with_claims(client_id=None, sub="x")),
    "aud": ("aud_mismatch", with_claims(aud="https://elsewhere.example/token")),
    "replayed": ("assertion_replayed", replayed),
    "basic": ("auth_method_mismatch", basic),
    "no secret": ("no_credentials", with_body(client_secret=None)),
    "empty secret": ("no_credentials", with_body(client_secret="")),
    "Bearer": ("bearer_prefix_in_field", with_jwt(lambda app: "Bearer " + app.jwt())),
    "form": ("body_content_type", form),
    "in the query": ("field_in_query_string", in_the_query),
    "misnamed": ("field_misnamed", misnamed),
    "wrapped": ("field_misnamed", wrapped),
    "missing": ("field_missing", with_body(redirect_uri=None)),
    "a number": ("field_wrong_type", with_body(redirect_uri=5)),
    "padding": ("assertion_malformed", with_jwt(lambda app: app.jwt() + "=")),
    "quoted": ("assertion_malformed", with_jwt(lambda app: quoted(app.jwt()))),
    "line break": ("assertion_malformed", with_jwt(lambda app: app.jwt()[:40] + "\n" + app.jwt()[40:])),
    "five parts": ("assertion_malformed", with_jwt(lambda _: "eyJhbGciOiJkaXIifQ.a.b.c.d")),
    "another path": ("redirect_uri_mismatch", moved(REDIRECT_URI + "2")),
    "slash": ("redirect_uri_mismatch", moved(REDIRECT_URI + "/")),
    "unknown code": ("code_unknown", lambda scene: scene.app.exchange("84feaa9c-6782-417b-b77c-f9642b5562ff")),
    "expired code": ("code_expired", expired_code),
    "code made before the clock was set back": ("code_expired", code_of_a_clock_that_was_ahead),
    "used code": ("code_already_used", used_twice),
    "code of another": ("code_of_another_client", of_another_client),
    "request_id": ("code_not_approved", request_id_as_code),
    "cut code": ("code_truncated", lambda scene: scene.app.exchange(scene.code()[:-3])),
    "code with state": ("code_truncated", lambda scene: scene.app.exchange(scene.code() + "&state=x")),
    "withdrawn": ("consent_ended", withdrawn),
    "no project": ("project_missing", no_project),
    "no verifier": ("pkce_missing", with_pkce(lambda _: None)),
    "unexpected verifier": ("pkce_unexpected", lambda scene: scene.app.exchange(scene.code(), code_verifier="v" * 43)),
    "other verifier": ("pkce_mismatch", with_pkce(lambda text: text[::-1])),
    "challenge": ("pkce_verifier_is_challenge", with_pkce(pkce.challenge_of)),
    "hex digest": ("pkce_hex_digest", with_pkce(lambda text: text, hex_challenge)),
    "disabled": ("client_disabled", disabled),
    "white space": ("client_id_whitespace", as_client(lambda scene: scene.app.client_id + " ")),
    "case": ("client_id_case", as_client(lambda scene: scene.app.client_id.upper())),
    "row id": ("client_id_is_row_id", as_client(row_id)),
    "name": ("client_id_is_name", as_client(named_alone)),
    "mistyped": ("client_id_mistyped", as_client(lambda scene: swapped(scene.app.client_id))),
    "cut": ("client_id_mistyped", as_client(lambda scene: scene.app.client_id[:-1])),
}


@pytest.mark.parametrize(("cause", "act"), ROWS.values(), ids=ROWS)
def test_token_requests(scene: Scene, cause: str, act: Callable[[Scene], httpx.Response]) -> None:
    answer = act(scene)
    assert answer.status_code in {400, 401}, answer.text
    found = scene.finding(answer)
    assert found["cause"] == cause, found["faults"]
    assert paragraph.names(cause, answer.status_code, answer.json()["error"])
    assert found["outcome"] == "refused"
    assert found["remedy"]
    assert scene.app.client_secret not in json.dumps(found)


def test_a_form_is_told_where_it_belongs(scene: Scene) -> None:
    assert scene.finding(form(scene))["remedy"].endswith("an OAuth library, which sends forms, wants /oauth2/token.")
    asked = scene.server.http.post(
        "/api/v0/oauth2/request", data={"client_id": scene.app.client_id}, headers={"Authorization": f"Bearer {scene.user.token}"}
    )
    assert scene.finding(asked)["remedy"] == "Send the body as JSON (Content-Type: application/json)."


def test_the_fingerprint_is_made_as_the_remedy_says(scene: Scene) -> None:
    found = scene.finding(with_key(lambda _: b"k" * 40)(scene))
    (command,) = re.findall(r"printf %s .+ \| sha256sum", found["remedy"])
    printed = subprocess.run(
        ["/bin/sh", "-c", command], env={"SECRET": scene.app.client_secret, "PATH": os.environ["PATH"]}, capture_output=True, check=True
    )
    assert found["faults"][0]["evidence"]["fingerprint_of_secret"] == printed.stdout.decode()[:8]


def test_a_deleted_client(scene: Scene) -> None:
    assert scene.finding(deleted(scene))["cause"] == "client_deleted"


STRANGE: dict[str, tuple[str, Callable[[Scene], httpx.Response]]] = {
    "not registered": ("client_unknown", as_client(lambda _: "nobody-here")),
    "xml": ("body_content_type", raw(b"<token/>")),
    "multipart": ("body_content_type", raw(b"--x\r\nContent-Disposition: form-data\r\n")),
    "single quotes": ("body_malformed", raw(b"{'client_id': 'x'}")),
    "a list": ("body_malformed", raw(b"[]")),
    "empty": ("body_malformed", raw(b"")),
    "twice": ("body_malformed", raw(b'{"code":"a","code":"b"}')),
    "huge": ("body_too_large", raw(b'{"code":"' + b"x" * 70_000)),
}


@pytest.mark.parametrize(("cause", "act"), STRANGE.values(), ids=STRANGE)
def test_what_belongs_to_no_client_is_for_the_operator(scene: Scene, cause: str, act: Callable[[Scene], httpx.Response]) -> None:
    trace_id = act(scene).json()["trace_id"]
    found = scene.server.wait_for(scene.server.grantway.house.diagnosis.finding(trace_id, None))
    assert found.cause == cause, found.faults
    assert scene.developer.call("GET", f"{FINDINGS}/{trace_id}").status_code == 404


def asking(**changes: Any) -> Callable[[Scene], httpx.Response]:
    def act(scene: Scene) -> httpx.Response:
        body = {"client_id": scene.app.client_id, "redirect_uri": REDIRECT_URI, "scope": ["read"], **changes}
        return scene.user.call("POST", "/api/v0/oauth2/request", body)

    return act


def beyond(scene: Scene) -> httpx.Response:
    scene.app = new_app(scene.server, scene.developer, scopes=["read"])
    return asking(scope=["read", "write"])(scene)


def deciding(**changes: Any) -> Callable[[Scene], httpx.Response]:
    def act(scene: Scene) -> httpx.Response:
        body = {"request_id": asked(scene.user, scene.app, ["read", "bucket:photos"])["request_id"], "approved_scopes": ["read"], **changes}
        return scene.user.call("POST", "/api/v0/oauth2/consent", body)

    return act


ASKED: dict[str, tuple[str, Callable[[Scene], httpx.Response]]] = {
    "scope unknown": ("scope_unknown", asking(scope=["read", "admin"])),
    "scope syntax": ("scope_syntax", asking(scope=["read", "bucket:a/b"])),
    "no permission": ("scope_no_permission", asking(scope=["bucket:photos"])),
    "not registered": ("scope_not_registered", beyond),
    "redirect": ("redirect_uri_mismatch", asking(redirect_uri="https://myapp.com/Callback")),
    "plain": ("pkce_method_plain", asking(code_challenge="v" * 43, code_challenge_method="plain")),
    "hex": ("pkce_hex_digest", asking(code_challenge="ab" * 32, code_challenge_method="S256")),
    "short": ("pkce_challenge_malformed", asking(code_challenge="abc", code_challenge_method="S256")),
    "state": ("state_too_long", asking(state="x" * 5000)),
    "project": ("project_not_owned", asking(project_id="not-mine")),
    "response_type": ("scope_unknown", asking(scope=["admin"], response_type="code")),
    "scopes for scope": ("field_misnamed", asking(scope=None, scopes=["read"])),
    "101 scopes": ("scopes_too_long", asking(scope=[f"bucket:b{at}" for at in range(101)])),
    "long places": ("scopes_too_long", asking(scope=["read", *(f"bucket:b{at};{'%FE' * 200}" for at in range(50))])),
    "no scope in the list": ("field_missing", asking(scope=[])),
    "scopes beside an empty scope": ("field_misnamed", asking(scope=[], scopes=["read"])),
}


@pytest.mark.parametrize(("cause", "act"), ASKED.values(), ids=ASKED)
def test_requests(scene: Scene, cause: str, act: Callable[[Scene], httpx.Response]) -> None:
    answer = act(scene)
    assert answer.status_code in {400, 403}, answer.text
    found = scene.finding(answer)
    assert found["cause"] == cause, found["faults"]
    assert paragraph.names(cause, answer.status_code, answer.json()["error"])


def test_scopes_with_commas_between_them_are_told_to_stand_apart(scene: Scene) -> None:
    found = scene.finding(asking(scope=["read,list,bucket:photos"])(scene))
    assert found["verdict"] == "read,list,bucket:photos is taken for one scope: there are commas between several."
    assert found["remedy"].startswith("Send each scope apart")
    assert scene.finding(asking(scope=["read,profile"])(scene))["verdict"] == "There is no scope read,profile."


def test_a_request_without_a_bucket_is_told_to_ask_for_all_of_them(scene: Scene) -> None:
    app = new_app(scene.server, scene.developer, scopes=["read", "bucket:photos"])
    found = scene.finding(
        scene.user.call("POST", "/api/v0/oauth2/request", {"client_id": app.client_id, "redirect_uri": REDIRECT_URI, "scope": ["read"]})
    )
    assert (found["cause"], found["faults"][0]["evidence"]["beyond"]) == ("scope_not_registered", "the whole project")
    assert "names no bucket" in found["verdict"]


def test_scope_as_text_is_told_to_be_a_list(scene: Scene) -> None:
    answer = asking(scope="read list")(scene)
    assert answer.json()["error_description"] == "scope must be a list, not a string."
    found = scene.finding(answer)
    assert [(one["cause"], one["verdict"]) for one in found["faults"]] == [("field_wrong_type", "scope must be a list, not a string.")]
    assert found["remedy"] == 'Send scope as a list of strings, such as ["read", "list"].'


def answered(scene: Scene) -> httpx.Response:
    request_id = asked(scene.user, scene.app)["request_id"]
    body = {"request_id": request_id, "approved_scopes": ["read"]}
    assert scene.user.call("POST", "/api/v0/oauth2/consent", body).status_code == 200
    return scene.user.call("POST", "/api/v0/oauth2/consent", body)


def too_late(scene: Scene) -> httpx.Response:
    body = {"request_id": asked(scene.user, scene.app)["request_id"], "approved_scopes": ["read"]}
    with scene.server.clock.later(timedelta(seconds=61)):
        return scene.user.call("POST", "/api/v0/oauth2/consent", body)


def by_somebody_else(scene: Scene) -> httpx.Response:
    body = {"request_id": asked(scene.user, scene.app)["request_id"], "approved_scopes": ["read"]}
    return person(scene.server).call("POST", "/api/v0/oauth2/consent", body)


def to_a_closed_address(scene: Scene) -> httpx.Response:
    app = new_app(scene.server, scene.developer)
    body = {"request_id": asked(scene.user, app)["request_id"], "approved_scopes": ["read"]}
    path = f"/api/v0/developer/auth/oauth2/clients/{app.client_id}"
    assert scene.developer.call("PUT", path, {"redirect_uris": ["https://new.example/cb"]}).status_code == 200
    answer = scene.user.call("POST", "/api/v0/oauth2/consent", body)
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_redirect_uri")
    return answer


def disabled_meanwhile(scene: Scene) -> httpx.Response:
    body = {"request_id": asked(scene.user, scene.app)["request_id"], "approved_scopes": ["read"], "project_id": "not-mine"}
    assert scene.developer.call("PATCH", f"{CLIENTS}/{scene.app.client_id}/status", {"status": 0}).status_code == 200
    return scene.user.call("POST", "/api/v0/oauth2/consent", body)


def narrowed_meanwhile(scene: Scene) -> httpx.Response:
    body = {"request_id": asked(scene.user, scene.app)["request_id"], "approved_scopes": ["read"]}
    assert scene.developer.call("PUT", f"{CLIENTS}/{scene.app.client_id}", {"scopes": ["write"]}).status_code == 200
    return scene.user.call("POST", "/api/v0/oauth2/consent", body)


OF_THE_PERSON: dict[str, tuple[str, Callable[[Scene], httpx.Response]]] = {
    "beyond": ("scope_not_requested", deciding(approved_scopes=["read", "write", "bucket:photos"])),
    "no place left": ("scope_not_requested", deciding(approved_scopes=["read"])),
    "unknown scope": ("scope_unknown", deciding(approved_scopes=["admin"])),
    "both": ("scope_contradiction", deciding(approved_scopes=["read", "bucket:photos"], rejected_scopes=["read"])),
    "unknown request": ("request_unknown", deciding(request_id="nothing")),
    "somebody else's": ("request_not_yours", by_somebody_else),
    "another's project": ("project_not_owned", deciding(approved_scopes=["read", "bucket:photos"], project_id="not-mine")),
    "a consent of a second": ("field_wrong_type", deciding(expires_in=1)),
    "a consent of two years": ("field_wrong_type", deciding(expires_in=63_072_000)),
    "an end in words": ("field_wrong_type", deciding(expires_in="a month")),
    "scopes as text": ("field_wrong_type", deciding(approved_scopes="read")),
    "no request": ("field_missing", deciding(request_id=None)),
}


@pytest.mark.parametrize(("cause", "act"), OF_THE_PERSON.values(), ids=OF_THE_PERSON)
def test_a_decision_that_is_refused_for_what_the_person_chose_is_told_to_no_developer(
    scene: Scene, cause: str, act: Callable[[Scene], httpx.Response]
) -> None:
    trace_id = act(scene).json()["trace_id"]
    found = scene.server.wait_for(scene.server.grantway.house.diagnosis.finding(trace_id, None))
    assert (found.cause, found.client_id, found.developer_id) == (cause, None, None), found.faults
    assert scene.developer.call("GET", f"{FINDINGS}/{trace_id}").status_code == 404
    assert scene.developer.call("GET", f"{CLIENTS}/{scene.app.client_id}/findings").json()["findings"] == []


NAMING: dict[str, dict[str, Any]] = {
    "beyond the request": {"approved_scopes": ["read", "delete"]},
    "unknown": {"approved_scopes": ["raed"]},
    "another's project": {"approved_scopes": ["read"], "project_id": "another's"},
    "no list": {"approved_scopes": "read"},
    "another's request": {"approved_scopes": ["read"], "request_id": "another's"},
}


@pytest.mark.parametrize("name", ["client_id", "clientId"])
@pytest.mark.parametrize("wrong", NAMING.values(), ids=NAMING)
def test_a_decision_that_names_the_app_besides_tells_it_nothing(scene: Scene, wrong: dict[str, Any], name: str) -> None:
    """As a program may send it that has the id at hand: what the person chose is not the developer's affair."""
    request_id = asked(scene.user, scene.app)["request_id"]
    answer = scene.user.call("POST", "/api/v0/oauth2/consent", {"request_id": request_id, name: scene.app.client_id, **wrong})
    found = scene.server.wait_for(scene.server.grantway.house.diagnosis.finding(answer.json()["trace_id"], None))
    assert (found.endpoint, found.client_id, found.developer_id, found.claimed) == ("consent", None, None, "")
    assert scene.developer.call("GET", f"{CLIENTS}/{scene.app.client_id}/findings").json()["findings"] == []


OF_THE_APP: dict[str, tuple[str, Callable[[Scene], httpx.Response]]] = {
    "answered": ("request_not_pending", answered),
    "too late": ("request_expired", too_late),
    "disabled": ("client_disabled", disabled_meanwhile),
    "redirect URI taken off": ("redirect_uri_mismatch", to_a_closed_address),
    "scopes taken off": ("scope_not_registered", narrowed_meanwhile),
}


@pytest.mark.parametrize(("cause", "act"), OF_THE_APP.values(), ids=OF_THE_APP)
def test_a_decision_that_is_refused_because_of_the_app_is_told_to_its_developer_without_what_was_chosen(
    scene: Scene, cause: str, act: Callable[[Scene], httpx.Response]
) -> None:
    answer = act(scene)
    found = scene.finding(answer)
    assert [one["cause"] for one in found["faults"]] == [cause]
    assert (found["endpoint"], found["status"], found["error"]) == ("consent", answer.status_code, answer.json()["error"])
    assert not [one["name"] for one in found["checks"] if one["name"] in {"project_owned", "within_the_request", "not_contradictory"}]
    assert ("scopes_registered" in {one["name"] for one in found["checks"]}) == (cause == "scope_not_registered")
    stranger = person(scene.server, "developer")
    assert stranger.call("GET", f"{FINDINGS}/{answer.json()['trace_id']}").status_code == 404


def test_independent_faults_are_all_found(scene: Scene) -> None:
    code = scene.code()
    jwt = signed(key_of(scene.app) + b"\n", scene.app, aud="https://elsewhere.example", exp=now(scene.app) - 5)
    with scene.server.clock.later(timedelta(seconds=40)):
        found = scene.finding(scene.app.exchange(code, client_secret=jwt, redirect_uri=REDIRECT_URI + "/"))
    causes = [one["cause"] for one in found["faults"]]
    assert causes[0] == "secret_with_whitespace"
    assert set(causes) == {"secret_with_whitespace", "assertion_expired", "aud_mismatch", "code_expired", "redirect_uri_mismatch"}
    assert "client_known" in found["right"]


@pytest.mark.parametrize("scheme", ["Bearer ", "", "JWT "])
def test_a_jwt_in_the_header_is_told_to_be_one(scene: Scene, scheme: str) -> None:
    header = {"Authorization": f"{scheme}{scene.app.jwt()}"}
    found = scene.finding(scene.send(scene.app.body("x" * 20, client_secret=None), headers=header))
    assert found["verdict"] == "The JWT stands in the Authorization header, not in client_secret."
    assert found["cause"] == "auth_method_mismatch"
    # nothing else names the app
    form = {"grant_type": "authorization_code", "code": "x" * 20}
    found = scene.finding(scene.server.http.post("/oauth2/token", data=form, headers=header))
    assert found["remedy"].startswith("Send the JWT in the form, as client_assertion")
    assert "introspect" not in found["remedy"]


@contextmanager
def findings_held(scene: Scene) -> Iterator[None]:
    """Meanwhile no finding is made: what is refused waits for it."""
    working = scene.server.grantway.house.diagnosis._working

    async def let_go() -> None:
        working.release()

    scene.server.wait_for(working.acquire())
    try:
        yield
    finally:
        scene.server.wait_for(let_go())


@pytest.mark.parametrize("was_active", [True, False])
def test_what_the_developer_changes_right_after_a_refusal_is_no_part_of_its_finding(scene: Scene, was_active: bool) -> None:
    """A finding is made a moment after the answer, and storage asked then: the app is disabled, or enabled again, in between."""
    path = f"{CLIENTS}/{scene.app.client_id}/status"
    scene.developer.call("PATCH", path, {"status": int(was_active)})
    with findings_held(scene):
        refused = scene.send(scene.app.body("gwc_no_code"))
        assert scene.developer.call("PATCH", path, {"status": int(not was_active)}).status_code == 200
    assert [one["cause"] for one in scene.finding(refused)["faults"]] == [
        *([] if was_active else ["client_disabled"]),
        "code_truncated",
    ]


SINCE: dict[str, tuple[Callable[[Scene], httpx.Response], list[str]]] = {
    "a code": (lambda scene: scene.send(scene.app.body("gwc_no_code")), ["code_truncated"]),
    "a redirect URI": (with_body(redirect_uri="https://other.example/"), ["redirect_uri_mismatch"]),
    "a JWT's end": (
        lambda scene: scene.send(scene.app.body("gwc_no_code", client_secret=scene.app.jwt(exp=1))),
        ["assertion_expired", "code_truncated"],
    ),
    "a request": (
        lambda scene: scene.user.call(
            "POST",
            "/api/v0/oauth2/request",
            {"client_id": scene.app.client_id, "redirect_uri": "https://other.example/", "scope": ["read"]},
        ),
        ["redirect_uri_mismatch"],
    ),
    # what its secrets would tell went with them
    "a signature": (with_key(lambda app: key_of(app) + b"\n"), ["client_deleted"]),
    "a method": (
        lambda scene: scene.server.http.post(
            "/oauth2/token",
            data={"grant_type": "authorization_code", "code": scene.code(), "redirect_uri": REDIRECT_URI},
            auth=(scene.app.client_id, scene.app.client_secret),
        ),
        ["client_deleted"],
    ),
}


@pytest.mark.parametrize(("act", "causes"), SINCE.values(), ids=SINCE)
def test_a_client_that_is_deleted_right_after_a_refusal_was_there_when_it_was_refused(
    scene: Scene, act: Callable[[Scene], httpx.Response], causes: list[str]
) -> None:
    with findings_held(scene):
        refused = act(scene)
        assert scene.developer.call("DELETE", f"{CLIENTS}/{scene.app.client_id}").status_code == 204
    assert [one["cause"] for one in scene.finding(refused)["faults"]] == causes
    # from then on it is not
    later = scene.finding(scene.send(scene.app.body("gwc_no_code")))
    assert [one["cause"] for one in later["faults"]] == ["client_deleted"]


def test_every_field_that_is_missing_is_told(scene: Scene) -> None:
    found = scene.finding(scene.send({"client_id": scene.app.client_id}))
    assert [(one["cause"], one["evidence"].get("field")) for one in found["faults"]] == [
        ("no_credentials", None), ("field_missing", "redirect_uri"), ("field_missing", "code"),
    ]  # fmt: skip


CLOCKS: dict[str, tuple[int | None, int, list[str]]] = {
    "5 min ahead, good for 4": (300, 540, ["clock_ahead"]),
    "5 min ahead, good for 5": (300, 600, ["clock_ahead"]),
    "70 s ahead, good for 5 min": (70, 370, ["clock_ahead"]),
    "a day ahead": (86_400, 86_640, ["clock_ahead"]),
    "5 min ahead, good for an hour": (300, 3900, ["exp_too_far", "clock_ahead"]),
    "a little ahead, good for 10 min": (30, 630, ["exp_too_far"]),
    "exp alone": (None, 540, ["exp_too_far"]),
    "iat after exp": (1000, 540, ["exp_too_far", "clock_ahead"]),
}


@pytest.mark.parametrize(("issued", "ends", "causes"), CLOCKS.values(), ids=CLOCKS)
def test_a_clock_that_runs_ahead(scene: Scene, issued: int | None, ends: int, causes: list[str]) -> None:
    at = now(scene.app)
    claims = {"iat": None if issued is None else at + issued, "exp": at + ends}
    found = scene.finding(with_claims(**claims)(scene))
    assert [one["cause"] for one in found["faults"]] == causes


@pytest.mark.parametrize(
    ("issued", "ends", "told"),
    [
        (None, 540, "The JWT lives too long, or the clock that signs is 4 min or more ahead: without iat nothing tells which."),
        (None, 14 * 3600, "or the clock that signs is 14 h or more ahead"),
        (None, 15 * 3600, None),
        (0, 540, None),
    ],
    ids=["minutes", "hours", "further than clocks are off", "with iat"],
)
def test_without_iat_the_clock_may_be_why(scene: Scene, issued: int | None, ends: int, told: str | None) -> None:
    at = now(scene.app)
    found = scene.finding(with_claims(iat=None if issued is None else at, exp=at + ends)(scene))
    assert (found["cause"], "the clock" in found["verdict"]) == ("exp_too_far", told is not None)
    assert (told or "") in found["verdict"]
    assert ("set that clock (NTP); send iat" in found["remedy"]) == (told is not None)


ONE_MISTAKE: dict[str, tuple[str, Callable[[Scene], httpx.Response]]] = {
    "no redirect_uri": ("field_missing", with_body(redirect_uri=None)),
    "an empty redirect_uri": ("field_missing", with_body(redirect_uri="")),
    "redirect_uri is a number": ("field_wrong_type", with_body(redirect_uri=5)),
    "redirect_url": ("field_misnamed", with_body(redirect_uri=None, redirect_url=REDIRECT_URI)),
    "no client_id": ("field_missing", with_body(client_id=None)),
    "client_id in the query": ("field_in_query_string", in_the_query),
}


@pytest.mark.parametrize(("cause", "act"), ONE_MISTAKE.values(), ids=ONE_MISTAKE)
def test_one_mistake_is_one_fault(scene: Scene, cause: str, act: Callable[[Scene], httpx.Response]) -> None:
    trace_id = act(scene).json()["trace_id"]
    found = scene.server.wait_for(scene.server.grantway.house.diagnosis.finding(trace_id, None))
    assert [one.cause for one in found.faults if one.cause != "code_unknown"] == [cause]


def test_a_misnamed_client_id_is_compared_as_what_it_means(scene: Scene) -> None:
    body = scene.app.body(scene.code())
    del body["client_id"]
    right = scene.finding(scene.send({"clientId": scene.app.client_id, **body}))
    assert [one["cause"] for one in right["faults"]] == ["field_misnamed"]
    other = new_app(scene.server, scene.developer, name="Other")
    wrong = scene.finding(scene.send({"clientId": other.client_id, **body}))
    assert [one["cause"] for one in wrong["faults"]][:2] == ["field_misnamed", "claim_client_id_mismatch"]
    assert wrong["faults"][1]["evidence"]["in_body"] == other.client_id


def test_a_used_code_tells_what_was_revoked_and_where_it_was_used(scene: Scene) -> None:
    code, jwt = scene.code(), scene.app.jwt()
    assert scene.app.exchange(code, client_secret=jwt).status_code == 200
    first = scene.developer.call("GET", f"{CLIENTS}/{scene.app.client_id}/findings").json()["findings"][0]["trace_id"]
    dry = scene.developer.call("POST", f"{TOKEN}/check", scene.app.body(code)).json()["faults"][0]
    retry, unsigned, again = (
        scene.finding(scene.app.exchange(code, client_secret=one))["faults"]
        for one in (jwt, scene.app.jwt(secret="x" * 40), scene.app.jwt())
    )
    told = [dry, retry[0], next(one for one in unsigned if one["cause"] == "code_already_used"), again[0]]
    assert {one["cause"] for one in told} == {"code_already_used"}
    assert {one["evidence"]["used_in"] for one in told} == {first}
    assert [one["evidence"].get("first_grant_revoked") for one in told] == [None, False, None, True]
    assert ["revoked" in one["verdict"] for one in told] == [False, True, False, True]
    assert "this is a retry, and nothing was revoked" in retry[0]["verdict"]
    assert "the access grant that it gave there was revoked" in again[0]["verdict"]
    assert ("twice" in again[0]["remedy"], "twice" in retry[0]["remedy"]) == (True, False)


def test_a_code_of_another_client_tells_nothing_of_its_use(scene: Scene) -> None:
    code = scene.code()
    assert scene.app.exchange(code).status_code == 200
    (fault,) = scene.finding(new_app(scene.server, scene.developer, name="Other").exchange(code))["faults"]
    assert (fault["cause"], fault["evidence"]) == ("code_of_another_client", {})


def test_an_exchange_leaves_a_short_one(scene: Scene) -> None:
    code, iat = scene.code(), now(scene.app) - 3
    answer = scene.app.exchange(code, client_secret=scene.app.jwt(iat=iat))
    assert answer.status_code == 200
    latest = now(scene.app)
    newest = scene.developer.call("GET", f"{CLIENTS}/{scene.app.client_id}/findings").json()["findings"][0]
    assert (newest["outcome"], newest["cause"], newest["facts"]["secret_version"]) == ("granted", None, 1)
    assert newest["trace_id"] == answer.headers["grantway-trace-id"]
    assert iat - latest - 1 <= newest["facts"]["clock_skew_seconds"] <= -2


def test_people_are_told_the_age_of_a_jwt_and_not_a_skew(scene: Scene) -> None:
    answer = with_claims(iat=now(scene.app) - 3600, exp=now(scene.app) - 3300)(scene)
    assert scene.finding(answer)["facts"]["clock_skew_seconds"] <= -3600
    found = scene.server.wait_for(scene.server.grantway.house.diagnosis.finding(answer.json()["trace_id"], None))
    assert "Known: age of the JWT: 60 min" in findings.page(found, found.at).notes
    assert refusals.told(found).facts == {"age of the JWT": "60 min"}


def test_only_its_developer_sees_it(scene: Scene) -> None:
    answer = with_key(lambda _: b"k" * 40)(scene)
    stranger = person(scene.server, "developer")
    theirs = stranger.call("GET", f"{FINDINGS}/{answer.json()['trace_id']}")
    none = stranger.call("GET", f"{FINDINGS}/{'0' * 32}")
    assert (theirs.status_code, theirs.json() | {"trace_id": ""}) == (none.status_code, none.json() | {"trace_id": ""})
    assert stranger.call("GET", f"{CLIENTS}/{scene.app.client_id}/findings").status_code == 404
    assert stranger.call("GET", FINDINGS).json() == {"findings": [], "next": None}


def test_pages_and_filters(scene: Scene) -> None:
    for _ in range(3):
        with_key(lambda _: b"k" * 40)(scene)
    scene.app.exchange("x" * 20)
    path = f"{CLIENTS}/{scene.app.client_id}/findings"
    first = scene.developer.call("GET", f"{path}?limit=3").json()
    rest = scene.developer.call("GET", f"{path}?limit=3&before={first['next']}").json()
    assert [one["cause"] for one in (*first["findings"], *rest["findings"])] == ["code_unknown", *["unknown_key"] * 3]
    assert rest["next"] is None
    stranger = person(scene.server, "developer")
    new_app(scene.server, stranger).exchange("x" * 20)
    assert stranger.call("GET", f"{FINDINGS}?before={first['next']}").json() == {"findings": [], "next": None}
    assert len(scene.developer.call("GET", f"{path}?cause=unknown_key").json()["findings"]) == 3
    assert scene.developer.call("GET", f"{path}?since=2199-01-01T00:00:00Z").json()["findings"] == []


@pytest.mark.parametrize(
    "query",
    [
        "limit=0",
        "limit=201",
        "limit=x",
        f"limit={'9' * 5000}",
        f"limit=000000001{'9' * 20}",
        "limit=00000000199999",
        "cause=nonsense",
        "since=yesterday",
        "since=2026-01-01",
        "limit=1&limit=2",
        "page=2",
    ],
)
def test_odd_queries(developer: Person, query: str) -> None:
    answer = developer.call("GET", f"{FINDINGS}?{query}")
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")


def test_a_dry_run_uses_nothing_up(scene: Scene) -> None:
    body = scene.app.body(scene.code())
    tried = [scene.developer.call("POST", f"{TOKEN}/check", body) for _ in range(2)]
    assert [one.json()["outcome"] for one in tried] == ["granted", "granted"]
    assert {check["outcome"] for check in tried[0].json()["checks"]} == {"passed"}
    assert scene.send(body).status_code == 200
    again = scene.developer.call("POST", f"{TOKEN}/check", body).json()
    assert (again["cause"], again["error"]) == ("code_already_used", "code_already_used")


def test_a_dry_run_does_not_take_the_session_for_a_credential(scene: Scene) -> None:
    wrong = scene.app.body(scene.code(), client_secret=signed(b"k" * 40, scene.app))
    found = scene.developer.call("POST", f"{TOKEN}/check", wrong).json()
    assert [one["cause"] for one in found["faults"]] == ["unknown_key"]
    missing = scene.developer.call("POST", f"{TOKEN}/check", scene.app.body("x" * 20, client_secret=None))
    assert scene.finding(missing)["cause"] == "no_credentials"


def test_a_dry_run_knows_no_other_developers_client(scene: Scene) -> None:
    stranger = person(scene.server, "developer")
    found = stranger.call("POST", f"{TOKEN}/check", scene.app.body(scene.code())).json()
    nobody = stranger.call("POST", f"{TOKEN}/check", scene.app.body("x" * 20) | {"client_id": scene.app.client_id[::-1]}).json()
    assert found["cause"] == nobody["cause"] == "client_unknown"
    assert [(one["name"], one["outcome"]) for one in found["checks"]][:5] == [(one["name"], one["outcome"]) for one in nobody["checks"]][:5]


def test_too_many_requests(tmp_path: Path) -> None:
    with running(tmp_path, rate_limits=True, token_requests_per_minute=1) as server:
        answers = [server.http.post(TOKEN, json={}) for _ in range(2)]
        found = server.wait_for(server.grantway.house.diagnosis.finding(answers[1].json()["trace_id"], None))
    assert (found.cause, found.status) == ("rate_limited", 429)


def test_a_fault_of_ours_is_ours(tmp_path: Path) -> None:
    with running(tmp_path) as server:
        scene = Scene(server, (developer := person(server, "developer")), person(server), new_app(server, developer))
        code = scene.code()
        broken = "UPDATE client_secrets SET sealed = ? RETURNING 1"
        server.wait_for(server.grantway.database.one(broken, secrets.token_bytes(80)))
        answer = scene.app.exchange(code)
        assert (answer.status_code, answer.json()["error"]) == (503, "temporarily_unavailable")
        found = scene.finding(answer)
        assert found["cause"] == "server_fault"
        assert server.wait_for(server.grantway.self_test.run(None, server.clock())).failures


def test_what_is_stored_is_not_what_was_handed_out(tmp_path: Path) -> None:
    """The report's own defect: the server kept a hash, and verified with that."""
    with running(tmp_path) as server:
        app = new_app(server, person(server, "developer"))
        assert not server.wait_for(server.grantway.self_test.run(None, server.clock())).failures
        server.wait_for(_store_a_hash_instead(server, app))
        (failure,) = server.wait_for(server.grantway.self_test.run(None, server.clock())).failures
    assert (failure.client_id, failure.what) == (app.client_id, "it is not the secret that was handed out")


async def _store_a_hash_instead(server: Server, app: App) -> None:
    house = server.grantway.house
    known = await house.clients.one(None, app.client_id)
    hashed = hashlib.sha256(app.client_secret.encode()).hexdigest()
    wrong = secret.sealed(house.clients.sealing, known.row_id, 1, hashed, secrets.token_bytes(12))
    await server.grantway.database.one("UPDATE client_secrets SET sealed = ? WHERE client_row_id = ?", wrong.sealed, known.row_id)
