"""The walk up to a token request, over HTTP: a developer, an app, people, codes; and the token requests themselves as bytes."""

import base64
import hashlib
import json
import secrets
import time
import urllib.parse
import urllib.request
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast

import httpx
import jwt

from bench.load import LoadError, Run, drive, post, refusal

TOKEN_PATH = "/api/v0/oauth2/token"
DEVELOPER = "/api/v0/developer/auth"
REDIRECT_URI = "https://app.example/callback"
SCOPES = ["read", "write", "list", "bucket:photos"]
JWT_LIFE = 240
VERIFIER = secrets.token_urlsafe(48)
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()
ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


@dataclass(frozen=True, slots=True)
class App:
    """A registered client and its secret."""

    client_id: str
    client_secret: str


@dataclass(frozen=True, slots=True)
class Walk:
    """A set-up server: a developer with an app, and the session tokens of people who can consent to it."""

    port: int
    app: App
    developer: str
    people: tuple[str, ...]


def call(client: httpx.Client, method: str, path: str, body: object = None, *, bearer: str = "") -> Any:
    """One set-up request; its JSON, or a failure that says what was refused."""
    headers = {"Authorization": f"Bearer {bearer}"} if bearer else {}
    answer = client.request(method, path, json=body, headers=headers)
    if not answer.is_success:
        raise LoadError(f"{method} {path}: {refusal(answer.status_code, answer.content)}")
    return answer.json() if answer.content else None


def _account(client: httpx.Client, prefix: str, name: str) -> str:
    """Register somebody and sign in; the session token."""
    who = {"email": f"{name}-{secrets.token_hex(6)}@bench.example", "password": secrets.token_urlsafe(18)}
    call(client, "POST", f"{prefix}/register", who | {"name": name})
    return str(call(client, "POST", f"{prefix}/token", who)["token"])


def register_app(client: httpx.Client, developer: str, name: str = "Bench") -> App:
    """A client of this developer's that may ask for anything."""
    made = call(client, "POST", f"{DEVELOPER}/oauth2/clients", {"name": name, "redirect_uris": [REDIRECT_URI]}, bearer=developer)
    return App(made["client_id"], made["client_secret"])


def disable(client: httpx.Client, developer: str, app: App) -> None:
    """Make a client inactive."""
    call(client, "PATCH", f"{DEVELOPER}/oauth2/clients/{app.client_id}/status", {"status": 0}, bearer=developer)


def prepare(port: int, people: int = 1) -> Walk:
    """Everything that a consent needs."""
    with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=30, trust_env=False) as client:
        developer = _account(client, DEVELOPER, "developer")
        app = register_app(client, developer)
        return Walk(port, app, developer, tuple(_account(client, "/api/v0/auth", f"person-{n}") for n in range(people)))


def _json(run: Run) -> list[dict[str, Any]]:
    return [json.loads(body) for body in run.bodies]


def codes(walk: Walk, count: int, connections: int = 32, apps: Sequence[App] = (), *, challenge: str = "") -> list[str]:
    """`count` fresh codes, each from its own request and consent, shared out evenly among the people. They live 30 s.

    They are for the walk's app, or for `apps` by turns.
    """
    wishes = [wish(app, challenge) for app in apps or (walk.app,)]
    bearers = [walk.people[index % len(walk.people)] for index in range(count)]
    asking = [post(walk.port, "/api/v0/oauth2/request", wishes[index % len(wishes)], bearer=bearer) for index, bearer in enumerate(bearers)]
    asked = _json(drive(walk.port, asking, connections=connections))
    consenting = [
        post(walk.port, "/api/v0/oauth2/consent", approval(request["request_id"]), bearer=bearer)
        for request, bearer in zip(asked, bearers, strict=True)
    ]
    return [str(consent["code"]) for consent in _json(drive(walk.port, consenting, connections=connections))]


def wish(app: App, challenge: str = "") -> bytes:
    """What the person's side sends when the app asks, with a PKCE challenge if there is one."""
    asked_for = {"client_id": app.client_id, "redirect_uri": REDIRECT_URI, "scope": SCOPES}
    proof = {"code_challenge": challenge, "code_challenge_method": "S256"} if challenge else {}
    return json.dumps(asked_for | proof).encode()


def approval(request_id: str) -> bytes:
    """What the person's side sends when the person allows all of it."""
    return json.dumps({"request_id": request_id, "approved_scopes": SCOPES, "rejected_scopes": [], "approve": True}).encode()


def client_jwt(app: App) -> str:
    """A fresh client JWT as Grantway wants it: HS256 over the secret string's bytes."""
    claims = {"client_id": app.client_id, "exp": int(time.time()) + JWT_LIFE, "jti": secrets.token_hex(16)}
    return jwt.encode(claims, app.client_secret, algorithm="HS256")


def token_request(port: int, app: App, code: str, passphrase: str = "", *, verifier: str = "") -> bytes:
    """A token request to Grantway, signed just now, with the verifier of a code that has a challenge."""
    proof = {"code_verifier": verifier} if verifier else {}
    body = {
        "client_id": app.client_id,
        "client_secret": client_jwt(app),
        "redirect_uri": REDIRECT_URI,
        "code": code,
        "passphrase": passphrase,
    }
    return post(port, TOKEN_PATH, json.dumps(body | proof).encode())


def peer_codes(seed_port: int, count: int) -> list[str]:
    """`count` codes with `CHALLENGE` minted by oidc-provider's own models."""
    with urllib.request.urlopen(f"http://127.0.0.1:{seed_port}/codes?count={count}&challenge={CHALLENGE}", timeout=60) as answer:
        return cast("list[str]", json.load(answer)["codes"])


def peer_token_request(port: int, app: App, code: str) -> bytes:
    """A token request to oidc-provider: the same exchange with a `client_assertion` (client_secret_jwt)."""
    now = int(time.time())
    claims = {
        "iss": app.client_id,
        "sub": app.client_id,
        "aud": f"http://127.0.0.1:{port}",
        "iat": now,
        "exp": now + JWT_LIFE,
        "jti": secrets.token_hex(16),
    }
    form = {
        "grant_type": "authorization_code",
        "code": code,
        "code_verifier": VERIFIER,
        "redirect_uri": REDIRECT_URI,
        "client_assertion_type": ASSERTION_TYPE,
        "client_assertion": jwt.encode(claims, app.client_secret, algorithm="HS256"),
    }
    return post(port, "/token", urllib.parse.urlencode(form).encode(), content_type="application/x-www-form-urlencoded")


def check_there(bodies: Sequence[bytes], field: str) -> None:
    """Every answer has a non-empty `field`. Two may be equal: those of one person and second are, where the signature is no random one."""
    if not all(json.loads(body).get(field) for body in bodies):
        raise LoadError(f"an answer with status 200 but without {field}")


def check_distinct(bodies: Sequence[bytes], field: str) -> None:
    """Every answer holds its own non-empty `field`; else the load measured something else than exchanges."""
    values = [json.loads(body).get(field) for body in bodies]
    if not all(isinstance(value, str) and value for value in values):
        raise LoadError(f"an answer with status 200 but without {field}")
    if len(set(values)) != len(values):
        raise LoadError(f"two answers with the same {field}")
