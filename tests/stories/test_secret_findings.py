"""Why was it refused? The secret, as developers mistake it: each finding must name the mistake."""

import base64
import hashlib
import os
import re
import secrets
import subprocess
from collections.abc import Callable

import httpx
import pytest
from tests.stories.mistakes import key_of, signed, with_jwt, with_key
from tests.stories.running import REDIRECT_URI, App, new_app
from tests.stories.scene import CLIENTS, Scene, is_explained

from grantway.clients.draft import ClientDraft


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
    "base64": ("secret_base64_decoded", taken_over("c2VjcmV0IG9mIGFuIGFwcCBvZiBvbGQ=", base64.b64decode)),
    "dollar": ("secret_dollar_stripped", taken_over("abcdefgh$HOMEXY.ijklmnop", lambda _: b"abcdefgh.ijklmnop")),
    "percent": ("secret_url_encoded", taken_over("abcdefgh+/ijklmnopqr==", lambda _: b"abcdefgh%2B%2Fijklmnopqr%3D%3D")),
    "retired": ("retired_secret", retired),
    "of another client": ("secret_of_another_client_of_yours", of_another),
    "raw secret": ("raw_secret_sent", with_jwt(lambda app: app.client_secret)),
    "raw secret with newline": ("raw_secret_sent", with_jwt(lambda app: app.client_secret + "\n")),
}


@pytest.mark.parametrize(("cause", "act"), ROWS.values(), ids=ROWS)
def test_token_requests(scene: Scene, cause: str, act: Callable[[Scene], httpx.Response]) -> None:
    is_explained(scene, act(scene), cause)


def test_the_fingerprint_is_made_as_the_remedy_says(scene: Scene) -> None:
    found = scene.finding(with_key(lambda _: b"k" * 40)(scene))
    (command,) = re.findall(r"printf %s .+ \| sha256sum", found["remedy"])
    printed = subprocess.run(
        ["/bin/sh", "-c", command], env={"SECRET": scene.app.client_secret, "PATH": os.environ["PATH"]}, capture_output=True, check=True
    )
    assert found["faults"][0]["evidence"]["fingerprint_of_secret"] == printed.stdout.decode()[:8]
