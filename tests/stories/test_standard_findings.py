"""Why was it refused at the standard flow? Each row is one mistake in one way to authenticate; the finding must name it."""

import base64
import json
import re
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

import httpx
import pytest
from tests.stories import paragraph
from tests.stories.running import REDIRECT_URI, App, Person, Server, approved, new_app

from grantway.authorization import pkce
from grantway.clients import assertion
from grantway.clients.client import AuthMethod
from grantway.clients.draft import ClientDraft
from grantway.diagnosis.cause_words import WORDS
from grantway.web import standard

TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
VERIFIER = "v" * 43
JWT, BASIC, POST, NONE = (one.value for one in AuthMethod)


@dataclass
class Scene:
    """An app that is registered for one way to authenticate, and the form of a token request that would succeed without credentials."""

    server: Server
    developer: Person
    user: Person
    app: App
    headers: dict[str, str] = field(default_factory=dict)

    def form(self, **changes: str | None) -> dict[str, str]:
        fields = {"grant_type": "authorization_code", "code": "x" * 20, "redirect_uri": REDIRECT_URI, **changes}
        return {name: value for name, value in fields.items() if value is not None}

    def code(self, **extra: Any) -> str:
        return approved(self.user, self.app, **extra)

    def send(self, path: str | None = None, authorization: str | None = None, **changes: str | None) -> httpx.Response:
        headers = {} if authorization is None else {"Authorization": authorization}
        return self.server.http.post(path or "/oauth2/token", data=self.form(**changes), headers=headers)

    def asserted(self, secret: str | None = None, **claims: Any) -> dict[str, str]:
        """A client_assertion; claims given here replace its own, None leaves one out."""
        now = int(self.server.clock().timestamp())
        mine = {
            "iss": self.app.client_id,
            "sub": self.app.client_id,
            "aud": self.server.grantway.house.issuer,
            "exp": now + 60,
            "jti": secrets.token_hex(8),
            **claims,
        }
        text = assertion.sign({name: value for name, value in mine.items() if value is not None}, secret or self.app.client_secret)
        return {"client_assertion_type": TYPE, "client_assertion": text}


def pair(client_id: str, secret: str) -> str:
    return "Basic " + base64.b64encode(f"{client_id}:{secret}".encode()).decode()


Act = Callable[[Scene], httpx.Response]


def by_assertion(secret: Callable[[str], str] = str, **claims: Any) -> Act:
    def act(scene: Scene) -> httpx.Response:
        now = int(scene.server.clock().timestamp())
        given = {name: value(now) if callable(value) else value for name, value in claims.items()}
        return scene.send(client_id=scene.app.client_id, **scene.asserted(secret(scene.app.client_secret), **given))

    return act


def by_basic(secret: Callable[[str], str], **changes: str | None) -> Act:
    return lambda scene: scene.send(authorization=pair(scene.app.client_id, secret(scene.app.client_secret)), **changes)


def by_post(secret: Callable[[str], str]) -> Act:
    return lambda scene: scene.send(client_id=scene.app.client_id, client_secret=secret(scene.app.client_secret))


def with_header(header: str, **changes: str | None) -> Act:
    return lambda scene: scene.send(authorization=header, client_id=scene.app.client_id, **changes)


def alone(path: str = "/oauth2/token", **changes: str | None) -> Act:
    return lambda scene: scene.send(path, client_id=scene.app.client_id, **changes)


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


def raw(content: bytes, kind: str) -> Act:
    return lambda scene: scene.server.http.post(
        "/oauth2/token", content=content.replace(b"CLIENT", scene.app.client_id.encode()), headers={"Content-Type": kind}
    )


WITH_PKCE = {"code_challenge": pkce.challenge_of(VERIFIER), "code_challenge_method": "S256"}
FORM = "application/x-www-form-urlencoded"

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


def test_json_is_told_where_it_belongs(server: Server, developer: Person, user: Person) -> None:
    scene = Scene(server, developer, user, new_app(server, developer))
    for content, kind, is_json in ((b'{"client_id": "CLIENT"}', "application/json", True), (b"client_id=CLIENT", "text/plain", False)):
        found = developer.call("GET", f"/api/v0/developer/auth/oauth2/findings/{raw(content, kind)(scene).json()['trace_id']}").json()
        assert "Send the parameters as a form in the body" in found["remedy"]
        assert ("The JSON API is at /api/v0/oauth2/token." in found["remedy"]) is is_json


def test_the_audience_of_a_client_assertion_may_not_be_left_out(server: Server, developer: Person, user: Person) -> None:
    scene = Scene(server, developer, user, new_app(server, developer))
    answer = by_assertion(aud="https://elsewhere.example/token")(scene)
    found = developer.call("GET", f"/api/v0/developer/auth/oauth2/findings/{answer.json()['trace_id']}").json()
    assert found["remedy"] == "Set aud of a client_assertion to this server's issuer or token URL."


def test_one_mistake_is_one_fault(server: Server, developer: Person, user: Person) -> None:
    """What was left out because it may be is no fault beside another one."""
    scene = Scene(server, developer, user, new_app(server, developer, token_endpoint_auth_method=BASIC))
    public = Scene(server, developer, user, new_app(server, developer, token_endpoint_auth_method=NONE))
    answers = [act(scene) for act in (by_basic(lambda _: "x" * 40), by_assertion(lambda _: "x" * 40), alone())]
    for answer in (*answers, alone(code=None)(public)):
        found = developer.call("GET", f"/api/v0/developer/auth/oauth2/findings/{answer.json()['trace_id']}").json()
        assert len([one for one in found["faults"] if not one["cause"].startswith("code_")]) == 1, found["faults"]


def test_a_used_code_without_a_jwt_tells_what_was_revoked(server: Server, developer: Person, user: Person) -> None:
    scene = Scene(server, developer, user, new_app(server, developer, token_endpoint_auth_method=BASIC))
    code = scene.code()
    assert by_basic(str, code=code)(scene).status_code == 200
    found = developer.call("GET", f"/api/v0/developer/auth/oauth2/findings/{by_basic(str, code=code)(scene).json()['trace_id']}").json()
    listed = developer.call("GET", f"/api/v0/developer/auth/oauth2/clients/{scene.app.client_id}/findings").json()["findings"]
    assert found["faults"][0]["evidence"]["used_in"] == listed[-1]["trace_id"]
    assert found["faults"][0]["evidence"]["first_grant_revoked"] is True


def test_whoever_saw_a_public_clients_code_in_a_history_takes_nothing_back(server: Server, developer: Person, user: Person) -> None:
    """Its id is public, so only the verifier tells somebody who could have collected the code."""
    scene = Scene(server, developer, user, new_app(server, developer, token_endpoint_auth_method=NONE))
    code = scene.code(**WITH_PKCE)
    key = alone(code=code, code_verifier=VERIFIER)(scene).json()["access_token"]

    def is_alive() -> bool:
        held = user.call("GET", f"/api/v0/auth/developer-access/{scene.app.client_id}/grants").json()
        return [one["is_active"] for one in held] == [True]

    for verifier, lives in ((None, True), ("w" * 43, True), (VERIFIER, False)):
        answer = alone(code=code, code_verifier=verifier)(scene)
        assert (answer.json()["error"], key in answer.text) == ("invalid_grant", False)
        assert is_alive() is lives
        found = developer.call("GET", f"/api/v0/developer/auth/oauth2/findings/{answer.json()['trace_id']}").json()
        used = next(one for one in found["faults"] if one["cause"] == "code_already_used")
        assert used["evidence"].get("first_grant_revoked") is (None if lives else True)


@pytest.mark.parametrize(
    ("act", "where", "method"), [(by_basic(str), "by HTTP Basic,", BASIC), (by_post(str), "in client_secret,", POST)], ids=["Basic", "Post"]
)
def test_the_right_secret_at_a_client_of_jwts_has_two_ways_out(
    server: Server, developer: Person, user: Person, act: Act, where: str, method: str
) -> None:
    scene = Scene(server, developer, user, new_app(server, developer))
    found = developer.call("GET", f"/api/v0/developer/auth/oauth2/findings/{act(scene).json()['trace_id']}").json()
    (fault,) = [one for one in found["faults"] if not one["cause"].startswith("code_")]
    assert fault["verdict"].startswith(f"The secret itself came {where} not a JWT signed with it")
    assert "Send a JWT signed with the secret, and regenerate" in fault["remedy"]
    assert f"or change token_endpoint_auth_method of the client to {method}" in fault["remedy"]


@pytest.mark.parametrize(
    ("ahead", "lives", "causes"),
    [(7200, 3600, ["clock_ahead"]), (7200, 3900, ["exp_too_far", "clock_ahead"]), (0, 7200, ["exp_too_far"])],
    ids=["a clock", "a clock and a long life", "a long life"],
)
def test_a_clock_ahead_takes_exp_along(server: Server, developer: Person, user: Person, ahead: int, lives: int, causes: list[str]) -> None:
    scene = Scene(server, developer, user, new_app(server, developer))
    answer = by_assertion(iat=lambda now: now + ahead, exp=lambda now: now + ahead + lives)(scene)
    found = developer.call("GET", f"/api/v0/developer/auth/oauth2/findings/{answer.json()['trace_id']}").json()
    assert [one["cause"] for one in found["faults"] if not one["cause"].startswith("code_")] == causes


def test_without_iat_the_clock_may_be_why(server: Server, developer: Person, user: Person) -> None:
    scene = Scene(server, developer, user, new_app(server, developer))
    answer = by_assertion(exp=lambda now: now + 7200)(scene)
    found = developer.call("GET", f"/api/v0/developer/auth/oauth2/findings/{answer.json()['trace_id']}").json()
    assert "or the clock that signs is 60 min or more ahead" in found["verdict"]
    assert found["remedy"].startswith("Let the JWT end at most an hour ahead. If by your clock it does, set that clock")


def test_what_succeeds_leaves_a_short_one(server: Server, developer: Person, user: Person) -> None:
    scene = Scene(server, developer, user, new_app(server, developer))
    assert scene.send(client_id=scene.app.client_id, code=scene.code(), **scene.asserted()).status_code == 200
    assert scene.send("/oauth2/introspect", token="x", client_id=scene.app.client_id, **scene.asserted()).status_code == 200
    listed = developer.call("GET", f"/api/v0/developer/auth/oauth2/clients/{scene.app.client_id}/findings").json()["findings"]
    assert [(one["endpoint"], one["outcome"]) for one in listed] == [("token", "granted")]


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


@pytest.mark.parametrize(
    ("grant_type", "remedy"), [("client_credentials", "there is no other here"), ("refresh_token", "no refresh tokens")]
)
def test_another_grant_type_is_the_only_fault(server: Server, developer: Person, grant_type: str, remedy: str) -> None:
    """What belongs to it is another matter: no code is missing."""
    app = new_app(server, developer, token_endpoint_auth_method=BASIC)
    answer = server.http.post("/oauth2/token", data={"grant_type": grant_type}, auth=(app.client_id, app.client_secret))
    found = developer.call("GET", f"/api/v0/developer/auth/oauth2/findings/{answer.json()['trace_id']}").json()
    assert [one["cause"] for one in found["faults"]] == ["grant_type_unsupported"]
    assert remedy in found["remedy"]
