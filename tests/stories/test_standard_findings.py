"""Why was it refused at the standard flow? Each row is one mistake in one way to authenticate; the finding must name it."""

import base64
import json
import re
import secrets
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import httpx
import pytest
from tests.stories import paragraph
from tests.stories.running import REDIRECT_URI, App, Person, Server, approved, new_app
from tests.stories.standard_mistakes import (
    BASIC,
    FORM,
    JWT,
    NONE,
    POST,
    TYPE,
    WITH_PKCE,
    Act,
    Scene,
    alone,
    by_assertion,
    by_basic,
    by_post,
    pair,
    raw,
)

from grantway.clients.client import AuthMethod
from grantway.clients.draft import ClientDraft
from grantway.diagnosis.cause_words import WORDS
from grantway.web import standard


def with_header(header: str, **changes: str | None) -> Act:
    return lambda scene: scene.send(authorization=header, client_id=scene.app.client_id, **changes)


def regenerated(scene: Scene) -> httpx.Response:
    old = scene.app.client_secret
    path = f"/api/v0/developer/auth/oauth2/clients/{scene.app.client_id}/regenerate-secret"
    assert scene.developer.call("POST", path, {"overlap_seconds": 0}).status_code == 200
    return by_basic(lambda _: old)(scene)


def of_another(scene: Scene) -> httpx.Response:
    other = new_app(scene.server, scene.developer, name="Other")
    return scene.send(client_id=scene.app.client_id, client_secret=other.client_secret)


def imported(secret: str, sent: str, method: AuthMethod = AuthMethod.BASIC) -> Act:
    """An app whose secret came from elsewhere, sent by Basic as it should not be."""

    def act(scene: Scene) -> httpx.Response:
        async def make() -> str:
            clients = scene.server.grantway.house.clients
            mine = await clients.one(None, scene.app.client_id)
            draft = ClientDraft(name="Moved", redirect_uris=[REDIRECT_URI], auth_method=method)
            moved = f"moved-{secrets.token_hex(6)}"
            return (await clients.take_over(mine.developer_id, moved, secret, draft, scene.server.clock())).client.client_id

        return scene.send(authorization=pair(scene.server.wait_for(make()), sent))

    return act


def replayed(scene: Scene) -> httpx.Response:
    jwt = scene.asserted()
    first = scene.send(client_id=scene.app.client_id, code=scene.code(), **jwt)
    assert first.status_code == 200, first.text
    return scene.send(client_id=scene.app.client_id, code=scene.code(), **jwt)


def with_code(make: Callable[[Scene], dict[str, str | None]], **asked: Any) -> Act:
    def act(scene: Scene) -> httpx.Response:
        return scene.send(**{"client_id": scene.app.client_id, "code": scene.code(**asked), **scene.asserted(), **make(scene)})

    return act


def anothers_key(scene: Scene) -> httpx.Response:
    other = new_app(scene.server, scene.developer, name="Other")
    grant = other.exchange(approved(scene.user, other)).json()["access_grant"]
    return scene.send("/oauth2/revoke", token=grant, client_id=scene.app.client_id, **scene.asserted())


ROWS: dict[str, tuple[str, str, Act]] = {
    # client_assertion
    "another key": (JWT, "unknown_key", by_assertion(lambda _: "x" * 40)),
    "newline": (JWT, "secret_with_whitespace", by_assertion(lambda secret: secret + "\n")),
    "expired": (JWT, "assertion_expired", by_assertion(exp=lambda now: now - 10)),
    "half an hour is fine, two are too far": (JWT, "exp_too_far", by_assertion(exp=lambda now: now + 7200)),
    "no exp": (JWT, "exp_missing", by_assertion(exp=None)),
    "no aud": (JWT, "aud_missing", by_assertion(aud=None)),
    "another aud": (JWT, "aud_mismatch", by_assertion(aud="https://elsewhere.example/token")),
    "another iss": (JWT, "iss_mismatch", by_assertion(iss="https://myapp.com")),
    "another sub": (JWT, "sub_mismatch", by_assertion(sub="somebody")),
    "no iss": (JWT, "claim_missing", by_assertion(iss=None)),
    "no sub": (JWT, "claim_missing", by_assertion(sub=None)),
    "iat ahead": (JWT, "clock_ahead", by_assertion(iat=lambda now: now + 120)),
    "no JWT": (JWT, "assertion_malformed", alone(client_assertion_type=TYPE, client_assertion="x.y.z")),
    "the secret as a JWT": (
        JWT,
        "raw_secret_sent",
        lambda scene: scene.send(client_id=scene.app.client_id, client_assertion_type=TYPE, client_assertion=scene.app.client_secret),
    ),
    "no type": (JWT, "assertion_type_wrong", lambda scene: scene.send(client_assertion=scene.asserted()["client_assertion"])),
    "the id in sub alone": (JWT, "iss_mismatch", lambda scene: scene.send(**scene.asserted(iss="x"))),
    "used for another code": (JWT, "assertion_replayed", replayed),
    # Basic
    "another secret by Basic": (BASIC, "unknown_key", by_basic(lambda _: "x" * 40)),
    "a cut secret by Basic": (BASIC, "secret_truncated", by_basic(lambda secret: secret[:-1])),
    "a hash by Basic": (BASIC, "secret_with_whitespace", by_basic(lambda secret: secret + "%0A")),
    "a retired secret by Basic": (BASIC, "retired_secret", regenerated),
    "the id as the secret": (BASIC, "client_id_as_key", lambda scene: scene.send(authorization=pair(*[scene.app.client_id] * 2))),
    "not form-encoded": (BASIC, "basic_not_form_encoded", imported("abcdefgh+ijkl%41mnop", "abcdefgh+ijkl%41mnop")),
    "form-encoded twice": (
        BASIC, "secret_url_encoded", imported("abcdefgh+ijkl%41mnop", quote(quote("abcdefgh+ijkl%41mnop", safe=""), safe=""))
    ),
    "no base64": (BASIC, "basic_malformed", with_header("Basic !!!")),
    "no colon": (BASIC, "basic_malformed", with_header("Basic " + base64.b64encode(b"x").decode())),
    "a bearer token": (BASIC, "auth_method_mismatch", with_header("Bearer x")),
    "Basic, and a secret in the form": (
        BASIC,
        "multiple_auth_methods",
        lambda scene: scene.send(authorization=pair(scene.app.client_id, scene.app.client_secret), client_secret="x"),
    ),
    "another client_id in the form": (
        BASIC,
        "claim_client_id_mismatch",
        by_basic(str, client_id="x"),
    ),
    "by Basic, registered for Post": (POST, "auth_method_mismatch", by_basic(str)),
    "by Basic, registered for JWT": (JWT, "raw_secret_sent", by_basic(str)),
    # Post
    "another secret by Post": (POST, "unknown_key", by_post(lambda _: "x" * 40)),
    "another app's secret by Post": (POST, "secret_of_another_client_of_yours", of_another),
    "quotes by Post": (POST, "secret_quoted", by_post(lambda secret: f'"{secret}"')),
    "by Post, registered for Basic": (BASIC, "auth_method_mismatch", by_post(str)),
    "by Post, registered for JWT": (JWT, "raw_secret_sent", by_post(str)),
    "by Post, registered for none": (NONE, "auth_method_mismatch", by_post(str)),
    # none
    "nothing, registered for Basic": (BASIC, "no_credentials", alone()),
    "nothing, registered for JWT": (JWT, "no_credentials", alone()),
    "a public client's wrong code": (NONE, "code_unknown", alone()),
    "a public client's code without PKCE": (
        NONE,
        "pkce_missing",
        lambda scene: scene.send(client_id=scene.app.client_id, code=scene.code()),
    ),
    "a public client without a code": (NONE, "field_missing", alone(code=None)),
    "a public client introspects": (NONE, "auth_method_mismatch", alone("/oauth2/introspect", token="x")),
    # a JWT in client_secret, as in v0
    "another key in client_secret": (JWT, "unknown_key", lambda scene: alone(client_secret=scene.app.jwt(secret="x" * 40))(scene)),
    # the other endpoints
    "revoke with another key": (
        JWT,
        "unknown_key",
        lambda scene: scene.send("/oauth2/revoke", token="x", client_id=scene.app.client_id, **scene.asserted("x" * 40)),
    ),
    "introspect with another secret": (
        POST,
        "unknown_key",
        lambda scene: scene.send("/oauth2/introspect", token="x", client_id=scene.app.client_id, client_secret="x" * 40),
    ),
    "revoke another's key": (JWT, "token_of_another_client", anothers_key),
    # what comes with it
    "another redirect URI": (JWT, "redirect_uri_mismatch", with_code(lambda _: {"redirect_uri": REDIRECT_URI + "/"})),
    "no redirect URI and no PKCE": (JWT, "field_missing", with_code(lambda _: {"redirect_uri": None})),
    "no redirect URI, with PKCE": (JWT, "pkce_missing", with_code(lambda _: {"redirect_uri": None}, **WITH_PKCE)),
    "a prefix and no passphrase": (
        JWT, "passphrase_missing", with_code(lambda _: {}, scope=["read", "bucket:photos;2026"])
    ),
    "no code": (JWT, "field_missing", lambda scene: scene.send(client_id=scene.app.client_id, code=None, **scene.asserted())),
    "refresh": (JWT, "grant_type_unsupported", lambda scene: scene.send(grant_type="refresh_token", client_id=scene.app.client_id)),
    "twice": (JWT, "body_malformed", raw(b"grant_type=authorization_code&code=x&client_id=CLIENT&code=y", FORM)),
    "JSON": (JWT, "body_content_type", raw(b'{"client_id": "CLIENT", "code": "x"}', "application/json")),
    "a form under another name": (JWT, "body_content_type", raw(b"client_id=CLIENT&code=x", "text/plain")),
}  # fmt: skip


@pytest.mark.parametrize(("method", "cause", "act"), ROWS.values(), ids=ROWS)
def test_what_was_wrong(server: Server, developer: Person, user: Person, method: str, cause: str, act: Act) -> None:
    scene = Scene(server, developer, user, new_app(server, developer, token_endpoint_auth_method=method))
    answer = act(scene)
    assert answer.status_code in {400, 401}, answer.text
    answered = answer.json()
    found = developer.call("GET", f"/api/v0/developer/auth/oauth2/findings/{answered['trace_id']}")
    assert found.status_code == 200, found.text
    finding = found.json()
    assert finding["cause"] == cause, finding["faults"]
    assert (finding["status"], finding["error"]) == (answer.status_code, answered["error"])
    assert paragraph.names(cause, answer.status_code, answered["error"])
    assert finding["endpoint"] == answer.url.path.rpartition("/")[2]
    for sent in (scene.app.client_secret, scene.app.client_secret[:20], quote(scene.app.client_secret), "x" * 40):
        assert sent not in json.dumps(finding)


@pytest.mark.parametrize("error", standard._STANDARD)
def test_every_paragraph_that_names_an_answer_of_the_json_api_names_ours(error: str) -> None:
    ours = standard._STANDARD[error]
    told = [words for words in WORDS.values() if re.search(rf"`\d+ {error}`", words)]
    assert told
    assert [words for words in told if f"`{ours.status} {ours.code}`" not in words] == []


STRANGE: dict[str, tuple[str, Act]] = {
    "an unknown client by Basic": ("client_unknown", lambda scene: scene.send(authorization=pair("nobody-here", "x" * 40))),
    "nobody at all": ("field_missing", lambda scene: scene.send()),
    "an empty body": ("body_malformed", raw(b"", FORM)),
    "broken": ("body_content_type", raw(b"\xff\xfe", FORM)),
    "huge": ("body_too_large", raw(b"x" * 70_000, FORM)),
}


@pytest.mark.parametrize(("cause", "act"), STRANGE.values(), ids=STRANGE)
def test_what_belongs_to_no_client(server: Server, developer: Person, user: Person, client: App, cause: str, act: Act) -> None:
    trace_id = act(Scene(server, developer, user, client)).json()["trace_id"]
    found = server.wait_for(server.grantway.house.diagnosis.finding(trace_id, None))
    assert found.cause == cause, found.faults
    assert developer.call("GET", f"/api/v0/developer/auth/oauth2/findings/{trace_id}").status_code == 404
