"""The token endpoint of the standard flow: each client's own way to authenticate, and every refusal in RFC 6749's words."""

import base64
import secrets
from typing import Any

import httpx
import pytest
from tests.stories.browser import Browser
from tests.stories.running import App, Person, Server, new_app
from tests.stories.standard_flow import VERIFIER, allowed_code, may, redeem

from grantway.access_grant import ApiKey
from grantway.clients import assertion


def rfc7523(client: App, issuer: str, **claims: Any) -> str:
    now = int(client.clock().timestamp())
    said = {"iss": client.client_id, "sub": client.client_id, "aud": issuer, "exp": now + 60, "jti": secrets.token_hex(8), **claims}
    return assertion.sign({name: value for name, value in said.items() if value is not None}, client.client_secret)


TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
NO_TEXT: list[Any] = [["x"], {"x": []}]
UNFIT: tuple[dict[str, Any], ...] = (
    *({claim: value} for claim in ("iss", "sub", "aud", "exp") for value in NO_TEXT),
    *({"aud": None}, {"aud": "https://other.example"}, {"iss": "somebody"}, {"sub": "somebody"}, {"sub": None}, {"exp": 1}),
)


def test_client_secret_jwt(server: Server, browser: Browser, client: App) -> None:
    code, issuer = allowed_code(browser, client), server.grantway.house.issuer
    asserted: dict[str, str | None] = {"client_id": None, "client_secret": None, "client_assertion_type": TYPE}
    for wrong in UNFIT:
        answer = redeem(server, client, code, **asserted, client_assertion=rfc7523(client, issuer, **wrong))
        assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client"), wrong
    right = rfc7523(client, issuer)
    assert redeem(server, client, code, **asserted, client_assertion=right).status_code == 200
    again = redeem(server, client, allowed_code(browser, client), **asserted, client_assertion=right)
    assert again.json()["error"] == "invalid_client"


def basic(client: App, secret: str | None = None) -> dict[str, str]:
    text = f"{client.client_id}:{secret or client.client_secret}"
    return {"Authorization": "Basic " + base64.b64encode(text.encode()).decode()}


def test_each_client_uses_its_own_method(server: Server, browser: Browser, developer: Person) -> None:
    """Who is registered for Basic may not post its secret, and the reverse; a confidential client must not come without any."""
    for method in ("client_secret_jwt", "client_secret_basic", "client_secret_post", "none"):
        client = new_app(server, developer, token_endpoint_auth_method=method)
        code = allowed_code(browser, client)
        for way in ("client_secret_basic", "client_secret_post", "none"):
            if way != method:
                assert by(way, server, client, code).json()["error"] == "invalid_client", (method, way)
        assert by(method, server, client, code).status_code == 200, method


def by(way: str, server: Server, client: App, code: str) -> httpx.Response:
    """Redeem the code in one way to authenticate."""
    if way == "client_secret_basic":
        data = {"grant_type": "authorization_code", "code": code, "code_verifier": VERIFIER}
        return server.http.post("/oauth2/token", data=data, headers=basic(client))
    secrets_sent = {"client_secret_jwt": client.jwt(), "client_secret_post": client.client_secret, "none": None}
    return redeem(server, client, code, client_secret=secrets_sent[way])


def test_a_wrong_basic_secret_is_challenged(server: Server, browser: Browser, developer: Person) -> None:
    client = new_app(server, developer, token_endpoint_auth_method="client_secret_basic")
    data = {"grant_type": "authorization_code", "code": allowed_code(browser, client), "code_verifier": VERIFIER}
    answer = server.http.post("/oauth2/token", data=data, headers=basic(client, "wrong"))
    assert (answer.status_code, answer.headers["www-authenticate"]) == (401, 'Basic realm="grantway"')


TOKEN: dict[str, tuple[dict[str, str | None], int, str]] = {
    "another grant type": ({"grant_type": "client_credentials"}, 400, "unsupported_grant_type"),
    "no grant type": ({"grant_type": None}, 400, "invalid_request"),
    "no code": ({"code": None}, 400, "invalid_request"),
    "an unknown code": ({"code": "x"}, 400, "invalid_grant"),
    "another redirect URI": ({"redirect_uri": "https://other.example"}, 400, "invalid_grant"),
    "no verifier": ({"code_verifier": None}, 400, "invalid_grant"),
    "a wrong verifier": ({"code_verifier": "w" * 43}, 400, "invalid_grant"),
    "no client": ({"client_id": None, "client_secret": None}, 401, "invalid_client"),
    "two ways at once": ({"client_assertion": "x.y.z", "client_assertion_type": TYPE}, 400, "invalid_request"),
    "another assertion type": ({"client_secret": None, "client_assertion": "x.y.z", "client_assertion_type": "x"}, 400, "invalid_request"),
    "broken UTF-8": ({"code": "\udcff"}, 400, "invalid_request"),
}


@pytest.mark.parametrize(("changes", "status", "error"), TOKEN.values(), ids=TOKEN)
def test_refusals(server: Server, browser: Browser, client: App, changes: dict[str, str | None], status: int, error: str) -> None:
    """Each in the words of RFC 6749 section 5.2; and the code is still good afterwards."""
    code = allowed_code(browser, client)
    if changes.get("code") == "\udcff":
        answer = server.http.post(
            "/oauth2/token",
            content=b"grant_type=authorization_code&code=%FF",
            headers={"Content-Type": "application/x-www-form-urlencoded"},
        )
    else:
        answer = redeem(server, client, code, **changes)
    assert (answer.status_code, answer.json()["error"]) == (status, error), answer.text
    assert redeem(server, client, code, redirect_uri=None).status_code == 200


def test_a_parameter_that_is_missing_is_named_in_plain_words(server: Server) -> None:
    answer = server.http.post("/oauth2/token", data={"code": "x"})
    assert answer.json()["error_description"] == "grant_type is missing."


def test_other_bodies_and_duplicates(server: Server) -> None:
    for content, kind in (
        (b"{}", "application/json"),
        (b"grant_type=a&grant_type=b", "application/x-www-form-urlencoded"),
        (b"&".join([b"a=b"] * 300), "application/x-www-form-urlencoded"),
        (b"\xff\xfe", "application/x-www-form-urlencoded"),
        (b"grant_type=authorization_code", "text/plain"),
    ):
        answer = server.http.post("/oauth2/token", content=content, headers={"Content-Type": kind})
        assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")


def test_a_code_shown_twice_revokes_what_it_yielded(server: Server, browser: Browser, client: App) -> None:
    code = allowed_code(browser, client)
    key = ApiKey.parse(redeem(server, client, code).json()["access_token"])
    assert may(server, key)
    assert redeem(server, client, code).json()["error"] == "invalid_grant"
    assert not may(server, key)
