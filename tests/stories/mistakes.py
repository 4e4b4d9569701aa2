"""Token requests of which one thing is wrong: the JWT and its key, a claim, a field of the body."""

import base64
import hmac
import json
import secrets
from collections.abc import Callable
from typing import Any

import httpx
from tests.stories.running import App
from tests.stories.scene import Scene


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


def as_client(change: Callable[[Scene], str]) -> Callable[[Scene], httpx.Response]:
    """A token request that is signed right, under another client_id."""

    def act(scene: Scene) -> httpx.Response:
        claimed = change(scene)
        return scene.send(
            scene.app.body("x" * 20, client_id=claimed, client_secret=signed(key_of(scene.app), scene.app, client_id=claimed))
        )

    return act


def now(app: App) -> int:
    return int(app.clock().timestamp())
