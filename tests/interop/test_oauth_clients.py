"""OAuth clients that others wrote walk the whole standard flow: two from PyPI, two from npm, each with every method that they have."""

import json
import os
import secrets
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from authlib.integrations.requests_client import OAuth2Session as AuthlibSession
from authlib.oauth2.rfc7523 import ClientSecretJWT
from requests_oauthlib import OAuth2Session
from tests.stories.browser import BROWSERS, Browser
from tests.stories.running import PASSWORD, REDIRECT_URI, App, Person, Server, new_app

from grantway.access_grant import Action, Allowed, ApiKey

NODE = Path(__file__).parent / "node"
METHODS = ["client_secret_jwt", "client_secret_basic", "client_secret_post", "none"]
needs_node = pytest.mark.skipif(
    not (NODE / "node_modules").is_dir() or shutil.which("node") is None, reason="the machine has no Node.js with npm"
)

Walk = Callable[[str, App, str, Callable[[str], str]], dict[str, Any]]
"""Issuer, app, method, and the person: a URL to open in, the URL that they come back to out. The token answer;
`introspection` in it is what the library learnt of the token then, where it can ask and the client may."""


@pytest.fixture
def visit(server: Server) -> Iterator[Callable[[str], str]]:
    """Somebody who opens a URL, signs in, allows, and tells where they were sent."""
    browser = Browser(server.grantway.house.issuer)
    browser.open("/register")
    browser.register(f"{secrets.token_hex(6)}@example.org", PASSWORD)

    def allow(url: str) -> str:
        browser.open(url)
        return browser.send("/oauth2/consent", decision="allow").headers["location"]

    yield allow
    while BROWSERS:
        BROWSERS.pop().http.close()


def authlib(issuer: str, app: App, method: str, visit: Callable[[str], str]) -> dict[str, Any]:
    verifier = secrets.token_urlsafe(40)
    with AuthlibSession(
        app.client_id,
        app.client_secret,
        scope="read list",
        redirect_uri=REDIRECT_URI,
        token_endpoint_auth_method=method,
        code_challenge_method="S256",
    ) as client:
        if method == "client_secret_jwt":
            client.register_client_auth_method(ClientSecretJWT(issuer + "/oauth2/token"))
        url, state = client.create_authorization_url(issuer + "/oauth2/authorize", code_verifier=verifier)
        token: dict[str, Any] = client.fetch_token(
            issuer + "/oauth2/token", authorization_response=visit(url), state=state, code_verifier=verifier
        )
        if method == "none":
            return token
        return {**token, "introspection": client.introspect_token(issuer + "/oauth2/introspect", token=token["access_token"]).json()}


def requests_oauthlib(issuer: str, app: App, method: str, visit: Callable[[str], str]) -> dict[str, Any]:
    with OAuth2Session(app.client_id, redirect_uri=REDIRECT_URI, scope="read list", pkce="S256") as session:
        url, _ = session.authorization_url(issuer + "/oauth2/authorize")
        secret = None if method == "none" else app.client_secret
        token: dict[str, Any] = session.fetch_token(
            issuer + "/oauth2/token",
            authorization_response=visit(url),
            client_secret=secret,
            include_client_id=method != "client_secret_basic",
        )
        return token


def of_node(script: str) -> Walk:
    def walk(issuer: str, app: App, method: str, visit: Callable[[str], str]) -> dict[str, Any]:
        named = {"ISSUER": issuer, "CLIENT_ID": app.client_id, "CLIENT_SECRET": app.client_secret, "METHOD": method}
        with subprocess.Popen(
            ["node", script],
            cwd=NODE,
            env={**os.environ, **named, "REDIRECT_URI": REDIRECT_URI},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        ) as process:
            assert process.stdout is not None
            url = process.stdout.readline().strip()
            out, err = process.communicate(visit(url) + "\n" if url else "", timeout=60)
        assert process.returncode == 0, err
        answer: dict[str, Any] = json.loads(out)
        return answer

    return walk


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(
    "walk",
    [
        pytest.param(authlib, id="Authlib"),
        pytest.param(requests_oauthlib, id="requests-oauthlib"),
        pytest.param(of_node("openid_client.mjs"), id="openid-client", marks=needs_node),
        pytest.param(of_node("oauth4webapi.mjs"), id="oauth4webapi", marks=needs_node),
    ],
)
def test_the_whole_flow(
    server: Server, developer: Person, visit: Callable[[str], str], walk: Walk, method: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if walk is requests_oauthlib and method == "client_secret_jwt":
        walk, app_method = _with_v0_jwt, "client_secret_jwt"  # the library has no such method; the v0 JWT goes where it sends a secret
    else:
        app_method = method
    monkeypatch.setenv("OAUTHLIB_INSECURE_TRANSPORT", "1")  # to localhost
    app = new_app(server, developer, token_endpoint_auth_method=app_method)
    token = walk(server.grantway.house.issuer, app, method, visit)
    assert token["token_type"].lower() == "bearer"
    key = ApiKey.parse(token["access_token"])
    answer = server.wait_for(server.grantway.satellite.check(key, Action.LIST, b"photos", b"", server.clock()))
    assert isinstance(answer, Allowed)
    if walk not in (requests_oauthlib, _with_v0_jwt) and method != "none":
        told = token["introspection"]
        assert (told["active"], told["scope"], told["client_id"]) == (True, "read list", app.client_id)


def _with_v0_jwt(issuer: str, app: App, method: str, visit: Callable[[str], str]) -> dict[str, Any]:
    signed = App(app.http, app.clock, app.client_id, app.jwt())
    return requests_oauthlib(issuer, signed, "client_secret_post", visit)
