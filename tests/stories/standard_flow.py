"""The standard flow as an app and a person go through it: the URL, the code, the exchange, and what the key opens."""

from urllib.parse import urlencode

import httpx
from tests.stories.browser import Browser, came_back
from tests.stories.running import REDIRECT_URI, App, Server

from grantway.access_grant import Action, Allowed, ApiKey
from grantway.authorization import pkce

VERIFIER = "v" * 43
STANDARD: dict[str, str] = {
    "response_type": "code",
    "redirect_uri": REDIRECT_URI,
    "scope": "read list",
    "state": "st%te &",
    "code_challenge": pkce.challenge_of(VERIFIER),
    "code_challenge_method": "S256",
}


def asking(client: App, **changes: str | None) -> str:
    """The URL that the app sends a person to; None leaves a parameter out."""
    parameters = {"client_id": client.client_id, **STANDARD, **changes}
    return "/oauth2/authorize?" + urlencode({name: value for name, value in parameters.items() if value is not None})


def redeem(server: Server, client: App, code: str, /, **changes: str | None) -> httpx.Response:
    """The exchange of a code; None leaves a parameter out."""
    parameters = {
        "grant_type": "authorization_code",
        "code": code,
        "client_id": client.client_id,
        "client_secret": client.jwt(),
        "redirect_uri": REDIRECT_URI,
        "code_verifier": VERIFIER,
        **changes,
    }
    return server.http.post("/oauth2/token", data={name: value for name, value in parameters.items() if value is not None})


def allowed_code(browser: Browser, client: App, **changes: str | None) -> str:
    browser.open(asking(client, **changes))
    return came_back(browser.send("/oauth2/consent", decision="allow"))["code"]


def may(server: Server, key: ApiKey, bucket: bytes = b"photos", path: bytes = b"") -> bool:
    satellite = server.grantway.satellite
    return isinstance(server.wait_for(satellite.check(key, Action.LIST, bucket, path, server.clock())), Allowed)
