"""The examination's judgements of what is typed, as tables: URLs, secrets and client_ids."""

import jwt
import pytest

from grantway import secret_token
from grantway.cli.examination import secret, url
from grantway.cli.examination.url import BadUrl, Target

GOOD = secret_token.make(secret_token.Kind.CLIENT_SECRET, bytes(32))
HEX = "2b4719e0" * 8
URLS = {
    "http://localhost:10002": (False, "localhost", 10002, ""),
    "https://auth.example": (True, "auth.example", 443, ""),
    "https://auth.example/": (True, "auth.example", 443, ""),
    "https://auth.example/api/v0": (True, "auth.example", 443, ""),
    "https://auth.example/api/v0/oauth2/": (True, "auth.example", 443, ""),
    "https://auth.example/api/v0/oauth2/token": (True, "auth.example", 443, ""),
    "https://auth.example/api/v0/oauth2/token/": (True, "auth.example", 443, ""),
    "http://auth.example/storage/api/v0/oauth2/token": (False, "auth.example", 80, "/storage"),
    "http://auth.example/storage": (False, "auth.example", 80, "/storage"),
    "HTTP://[::1]:80": (False, "::1", 80, ""),
    "https://büro.example": (True, "xn--bro-hoa.example", 443, ""),
}


@pytest.mark.parametrize("text", URLS)
def test_url(text: str) -> None:
    target = url.read(text)
    assert isinstance(target, Target)
    assert (target.is_tls, target.host, target.port, target.prefix) == URLS[text]


BAD_URLS = {
    "localhost:10002": "scheme",
    "": "scheme",
    "ftp://auth.example": "ftp",
    "http://": "host",
    "http://:80": "host",
    "http://auth.example:0": "host",
    "http://auth.example:99999": "port",
    "http://auth.example:port": "port",
    "http://[::1": "host",
    "http://user:hunter22@auth.example": "password",
    "http://auth.example/?a=b": "query",
    "http://auth.example/#x": "fragment",
    " http://auth.example": "white space",
    "http://auth.example\n": "white space",
    '"http://auth.example"': "quotes",
    "http://auth.example/a/../b": "path",
    "http://auth.example//x": "path",
    "http://auth.example/é": "path",
    f"http://{'ü' * 70}.example": "host",
}


@pytest.mark.parametrize("text", BAD_URLS)
def test_bad_url(text: str) -> None:
    bad = url.read(text)
    assert isinstance(bad, BadUrl)
    assert BAD_URLS[text] in bad.evidence
    assert "hunter22" not in bad.evidence + bad.remedy + url.shown(text)


def test_authority() -> None:
    for text, base in (("https://a.example:443", "https://a.example"), ("http://[::1]:10002", "http://[::1]:10002")):
        target = url.read(text)
        assert isinstance(target, Target)
        assert target.base == base
    assert [
        isinstance(one, Target) and one.is_loopback for one in map(url.read, ("http://127.9.9.9", "http://localhost", "http://a.b"))
    ] == [
        True,
        True,
        False,
    ]


ODD_SECRETS = {
    f"{GOOD}\n": "white space",
    f" {GOOD}": "white space",
    f"{GOOD[:20]} {GOOD[20:]}": "within",
    f'"{GOOD}"': "quotes",
    f"'{HEX}'": "quotes",
    GOOD[:-1]: "checksum",
    GOOD[:-1] + "x": "checksum",
    f"{HEX}é": "ASCII",
    "$2b$12$C6UzMDM.H6dfI/f/IKcEeO7ZzQ0nqVY3Q1QZ5vXJH1Zb2B1z9vG3K": "hash",
    "$argon2id$v=19$m=65536,t=1,p=8$c2FsdHNhbHQ$aGFzaGhhc2g": "hash",
    "{SSHA}W6ph5Mm5Pz8GgiULbPgzG37mj9g=": "hash",
    jwt.encode({"client_id": "a"}, HEX, algorithm="HS256"): "JWT",
    "abcd%2Befgh%3D": "percent",
    "changeme": "placeholder",
    "<secret>": "placeholder",
    "${SECRET}": "placeholder",
    "$SECRET": "placeholder",
    "xxx": "placeholder",
    "your-client-secret": "placeholder",
    "undefined": "placeholder",
    secret_token.make(secret_token.Kind.SESSION, bytes(32)): "session token",
    "app-1": "client_id",
}


@pytest.mark.parametrize("text", ODD_SECRETS)
def test_odd_secret(text: str) -> None:
    found = secret.oddities(text, "app-1")
    assert any(ODD_SECRETS[text] in one.sentence and one.is_fault and one.remedy for one in found), found
    assert all(text.strip() not in one.sentence + one.remedy for one in found if len(text) > 20)


@pytest.mark.parametrize("text", [GOOD, "correct-horse_battery.staple", "q" * 40, "p%q$r" * 8])
def test_secret_that_is_not_odd(text: str) -> None:
    assert secret.oddities(text, "app-1") == []


@pytest.mark.parametrize(("text", "words"), [(HEX, "hex of 32 bytes"), ("c2VjcmV0IHNlY3JldCBzZWNyZXQ=", "base64")])
def test_good_to_know(text: str, words: str) -> None:
    [found] = secret.oddities(text, "app-1")
    assert words in found.sentence
    assert not found.is_fault


def test_client_id() -> None:
    odd = {
        " app": "white space",
        "app\n": "white space",
        GOOD: "secret",
        "a b": "printable",
        "é": "printable",
        "<client_id>": "placeholder",
    }
    for text, words in odd.items():
        assert words in secret.of_client_id(text)[0].sentence
    for text in ("e45fa79a-05f5-4f00-bbfe-bd0a14aead0a", "my.app"):
        assert secret.of_client_id(text) == []


def test_masked() -> None:
    sent = jwt.encode({"client_id": "a"}, HEX, algorithm="HS256")
    shown = secret.masked(f"got {sent} and {sent[:30]} for {HEX} or {GOOD}", HEX, None, "")
    assert shown == "got (masked) and (masked) for (masked) or (masked)"
