"""A secret of free form, or a passphrase, put into each wrong place: it is in no finding, no row and no answer."""

import secrets
from base64 import b64encode
from collections.abc import Callable
from typing import Any
from urllib.parse import quote, urlencode

import pytest
from tests.stories.running import REDIRECT_URI, App, Person, Server, approved, new_app

from grantway.clients import assertion
from grantway.clients.draft import ClientDraft

SECRET, OTHER_SECRET, OLDER = "Tr0ub4dor-and-3-imported!", "An0ther-0ne-of-mine_imported?yes", "The-0lder-of-tw0-imported"
PASSPHRASE = "open sesame, 1001"
TOKEN, CHECK, REQUEST = "/api/v0/oauth2/token", "/api/v0/oauth2/token/check", "/api/v0/oauth2/request"
FINDINGS = "/api/v0/developer/auth/oauth2/findings"
PLACES = ("client_id", "redirect_uri", "code", "code_verifier", "scope", "state", "grant_type", "client_assertion_type", "request_id")


def taken_over(server: Server, developer: Person, handed_out: str) -> App:
    """An app whose client_id and secret come from elsewhere."""

    other = new_app(server, developer)

    async def make() -> App:
        clients = server.grantway.house.clients
        mine = await clients.one(None, other.client_id)
        draft = ClientDraft(name=f"Moved {secrets.token_hex(4)}", redirect_uris=[REDIRECT_URI])
        made = await clients.take_over(mine.developer_id, f"moved-{secrets.token_hex(6)}", handed_out, draft, server.clock())
        return App(server.http, server.clock, made.client.client_id, handed_out)

    app: App = server.wait_for(make())
    return app


def bodies(app: App, value: str, code: str) -> list[dict[str, Any]]:
    """Token requests with this value where it does not belong."""
    right = app.body(code)
    wrong = [app.body(code, **{name: value}) for name in (*PLACES, "client_secret", "passphrase", value)]
    wrong += [app.body(code, client_secret=app.jwt(**{claim: value})) for claim in ("client_id", "aud", "iss", "sub", "jti", "iat", "exp")]
    wrong += [app.body(code, client_secret=app.jwt(aud=[f"https://elsewhere.example/{value}"], iss=value, client_id=value))]
    # swapped, both the same, both in the JWT
    wrong += [{**right, "client_id": value, "client_secret": one} for one in (app.client_id, value, app.jwt(client_id=value))]
    wrong += [{**right, "client_id": value, "client_secret": assertion.sign({"client_id": value, "exp": 1}, app.client_id)}]
    for spoilt in (
        f" {value}\n",
        f'"{value}"',
        value.upper(),
        quote(value, safe=""),
        value[:-1],
        f"{app.client_id}:{value}",
        "x" * 90 + value,
    ):
        wrong += [app.body(code, client_id=spoilt), app.body(code, client_secret=app.jwt(aud=spoilt, client_id=spoilt))]
    wrong += [app.body(code, redirect_uri=f"{REDIRECT_URI}/{one}") for one in (value, quote(value), f"{value}?x", f"{value}#x")]
    # near misses of the client, whose secret is then not the claimed client's
    for near in (f"{app.client_id} ", app.client_id.upper(), app.client_id[:-1]):
        wrong += [app.body(code, client_id=near, client_secret=app.jwt(aud=value, client_id=value))]
    return wrong


def forms(app: App, value: str, code: str) -> list[tuple[dict[str, str], dict[str, str]]]:
    """The same at the standard flow, with headers."""
    right = {
        "grant_type": "authorization_code",
        "code": code,
        "client_id": app.client_id,
        "client_secret": app.jwt(),
        "redirect_uri": REDIRECT_URI,
    }
    basic = {"Authorization": "Basic " + b64encode(f"{value}:{app.client_id}".encode()).decode()}
    wrong: list[tuple[dict[str, str], dict[str, str]]] = [({**right, name: value}, {}) for name in (*PLACES, value)]
    signed = app.jwt(iss=value, sub=value, aud=value)
    asserted = {"client_assertion": signed, "client_assertion_type": value, "client_id": app.client_id}
    wrong += [(right, basic), ({**right, "client_id": value}, basic), ({"grant_type": value, "code": code}, basic)]
    wrong += [({"grant_type": "authorization_code", "code": code, **asserted}, {}), (right, {"Authorization": value})]
    return [*wrong, ({**right, "client_id": value}, {"Content-Type": f"text/plain; x={value}"})]


def asking(app: App, value: str) -> list[dict[str, Any]]:
    """Requests for consent with this value where it does not belong."""
    right = {"client_id": app.client_id, "redirect_uri": REDIRECT_URI, "scope": ["read"]}
    names = ("client_id", "redirect_uri", "state", "code_challenge", "code_challenge_method", "project_id", "client_secret", value)
    wrong: list[dict[str, Any]] = [{**right, name: value} for name in names]
    return wrong + [{**right, "scope": [one]} for one in (value, f"bucket:{value}", f"bucket:a;b;{value}")]


def send_all(server: Server, developer: Person, user: Person, app: App, value: str, more: dict[str, Any]) -> list[str]:
    """Every mistake; what the answers said. `more` goes into each token request."""
    code = approved(user, app)
    said = []
    for body in bodies(app, value, code):
        said += [server.http.post(TOKEN, json={**body, **more}).text, developer.call("POST", CHECK, {**body, **more}).text]
    for form, headers in forms(app, value, code):
        for path in ("token", "revoke", "introspect"):
            sent = {"Content-Type": "application/x-www-form-urlencoded", **headers}
            said.append(server.http.post(f"/oauth2/{path}", content=urlencode({**form, "token": "x", **more}), headers=sent).text)
    for asked in asking(app, value):
        said.append(user.call("POST", REQUEST, {**asked, **more}).text)
        query = urlencode({**asked, "response_type": "code", "scope": " ".join(asked["scope"])})
        if not more:  # a passphrase is no parameter of this page, so nothing tells that it is one
            server.http.get(f"/oauth2/authorize?{query}")  # the page repeats to the person what the person's browser asked
    return said


def written(server: Server, developer: Person) -> str:
    """All findings as they are kept, and as the developer reads them."""
    read = developer.call("GET", f"{FINDINGS}?limit=200").text
    rows = server.rows("SELECT * FROM findings")
    assert len(rows) > 20
    return read + "".join(bytes(one).decode() if isinstance(one, bytes | memoryview) else str(one) for row in rows for one in row)


def traces_of(value: str, text: str) -> set[str]:
    """Where a good part of the value stands, in any case, with some letters around it."""
    folded = text.casefold()
    parts = {part.casefold() for part in (value, quote(value, safe=""), value[:13], value[-13:])}
    return {text[max(0, at - 60) : at + 80] for part in parts if (at := folded.find(part)) >= 0}


Case = Callable[[Server, Person], tuple[App, str, dict[str, Any]]]


def own_secret(server: Server, developer: Person) -> tuple[App, str, dict[str, Any]]:
    return taken_over(server, developer, SECRET), SECRET, {}


def secret_of_another_app(server: Server, developer: Person) -> tuple[App, str, dict[str, Any]]:
    app = taken_over(server, developer, SECRET)
    taken_over(server, developer, OTHER_SECRET)
    return app, OTHER_SECRET, {}


def ended_secret(server: Server, developer: Person) -> tuple[App, str, dict[str, Any]]:
    app = taken_over(server, developer, OLDER)
    path = f"/api/v0/developer/auth/oauth2/clients/{app.client_id}/regenerate-secret"
    app.client_secret = developer.call("POST", path, {"overlap_seconds": 0}).json()["client_secret"]
    return app, OLDER, {}


def passphrase(server: Server, developer: Person) -> tuple[App, str, dict[str, Any]]:
    return new_app(server, developer), PASSPHRASE, {"passphrase": PASSPHRASE}


def short_passphrase(server: Server, developer: Person) -> tuple[App, str, dict[str, Any]]:
    return new_app(server, developer), "Zq7&", {"passphrase": "Zq7&"}


def longest_secret(server: Server, developer: Person) -> tuple[App, str, dict[str, Any]]:
    value = "".join(f"{number:03}/" for number in range(256))
    return taken_over(server, developer, value), value, {}


@pytest.mark.parametrize("case", [own_secret, secret_of_another_app, ended_secret, passphrase, short_passphrase, longest_secret])
def test_it_is_written_nowhere(server: Server, developer: Person, user: Person, case: Case) -> None:
    app, value, more = case(server, developer)
    said = send_all(server, developer, user, app, value, more)
    assert traces_of(value, written(server, developer)) == set()
    assert traces_of(value, "".join(said)) == set()
