"""Requests of the standard flow, by each way to authenticate, of which one thing is wrong."""

import base64
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import httpx
from tests.stories.running import REDIRECT_URI, App, Person, Server, approved

from grantway.authorization import pkce
from grantway.clients import assertion
from grantway.clients.client import AuthMethod

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


def alone(path: str = "/oauth2/token", **changes: str | None) -> Act:
    return lambda scene: scene.send(path, client_id=scene.app.client_id, **changes)


def raw(content: bytes, kind: str) -> Act:
    return lambda scene: scene.server.http.post(
        "/oauth2/token", content=content.replace(b"CLIENT", scene.app.client_id.encode()), headers={"Content-Type": kind}
    )


WITH_PKCE = {"code_challenge": pkce.challenge_of(VERIFIER), "code_challenge_method": "S256"}
FORM = "application/x-www-form-urlencoded"
