"""What an app posts: never its secret, and a JWT that the server's own judge and another library accept."""

import re

import jwt as pyjwt
import pytest
from tests.connect.cases import APP, ISSUER, NOW, REDIRECT_URI, SECRET

from grantway.connect import forms
from grantway.connect.message import post
from grantway.connect.registration import Registration

NONCE = bytes(range(16))
PUBLIC = Registration(ISSUER, "app", None, REDIRECT_URI)


def test_the_exchange() -> None:
    form = forms.exchange(APP, "code", "verifier", None, NOW, NONCE)
    assertion = form.pop("client_assertion")
    assert form == {
        "grant_type": "authorization_code",
        "code": "code",
        "redirect_uri": REDIRECT_URI,
        "code_verifier": "verifier",
        "client_id": "app",
        "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
    }
    claims = pyjwt.decode(assertion, SECRET, ["HS256"], options={"verify_exp": False, "verify_iat": False}, audience=ISSUER, issuer="app")
    issued = int(NOW.timestamp())
    assert claims == {"iss": "app", "sub": "app", "aud": ISSUER, "iat": issued, "exp": issued + 300, "jti": NONCE.hex()}


def test_each_jwt_is_unlike_any_other() -> None:
    one, other = (forms.exchange(APP, "c", "v", None, NOW, bytes(16 * [number]))["client_assertion"] for number in (1, 2))
    assert one != other


@pytest.mark.parametrize(("passphrase", "sent"), [(None, None), ("", None), ("open sesame", "open sesame"), (" ", " ")])
def test_the_passphrase(passphrase: str | None, sent: str | None) -> None:
    assert forms.exchange(APP, "c", "v", passphrase, NOW, NONCE).get("passphrase") == sent


def test_texts_that_cannot_be_sent() -> None:
    """Without the text in the error, which Python's own would have."""
    with pytest.raises(ValueError, match="the passphrase holds") as told:
        forms.exchange(APP, "c", "v", "open\udcff", NOW, NONCE)
    assert "open" not in repr(told.value)
    with pytest.raises(ValueError, match="the token holds"):
        forms.revocation(APP, "1\ud800", NOW, NONCE)


def test_a_public_client_only_says_its_name() -> None:
    assert forms.revocation(PUBLIC, "1abc", NOW, NONCE) == {"token": "1abc", "client_id": "app"}


def test_the_revocation() -> None:
    assert set(forms.revocation(APP, "1abc", NOW, NONCE)) == {"token", "client_id", "client_assertion_type", "client_assertion"}


@pytest.mark.parametrize("form", [forms.exchange(APP, "c", "v", "p", NOW, NONCE), forms.revocation(APP, "1abc", NOW, NONCE)])
def test_the_secret_stays_at_home(form: dict[str, str]) -> None:
    assert SECRET not in str(form)


@pytest.mark.parametrize(
    ("url", "to", "host"),
    [
        ("https://auth.example.org/oauth2/token", ("auth.example.org", 443, True), "auth.example.org"),
        ("https://auth.example.org:8443/x/oauth2/token", ("auth.example.org", 8443, True), "auth.example.org:8443"),
        ("http://[::1]:10002/oauth2/token", ("::1", 10002, False), "[::1]:10002"),
    ],
)
def test_the_request(url: str, to: tuple[str, int, bool], host: str) -> None:
    request = post(url, {"passphrase": "ä & b\r\nX: y", "code": "c"})
    head, body = request.content.split(b"\r\n\r\n")
    assert (request.host, request.port, request.is_tls) == to
    assert body == b"passphrase=%C3%A4+%26+b%0D%0AX%3A+y&code=c"
    assert f"Host: {host}" in head.decode().split("\r\n")
    assert re.search(rb"Content-Length: (\d+)", head)[1] == str(len(body)).encode()  # type: ignore[index]
    assert b"passphrase" not in repr(request).encode()
