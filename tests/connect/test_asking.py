"""The way out: the URL, what is kept, and what an app cannot be."""

import hashlib
from base64 import urlsafe_b64encode
from urllib.parse import parse_qsl, urlsplit

import pytest
from tests.connect.cases import APP, ISSUER, REDIRECT_URI, SECRET

from grantway.connect import AsyncClient, Client, bucket
from grantway.connect.asking import RANDOM_BYTES, asked
from grantway.connect.registration import Registration
from grantway.scopes.scope import Place, parse

RANDOM = bytes(range(2 * RANDOM_BYTES))


def test_the_url_and_what_is_kept() -> None:
    out = asked(APP, ["read", "list"], RANDOM)
    url, query = out.url.split("?")
    challenge = urlsafe_b64encode(hashlib.sha256(out.keep["code_verifier"].encode()).digest()).rstrip(b"=").decode()
    assert url == f"{ISSUER}/oauth2/authorize"
    assert dict(parse_qsl(query)) == {
        "response_type": "code",
        "client_id": "app",
        "redirect_uri": REDIRECT_URI,
        "scope": "read list",
        "state": out.keep["state"],
        "code_challenge": challenge,
        "code_challenge_method": "S256",
    }
    assert {len(value) for value in out.keep.values()} == {43}
    assert out.keep["state"] != out.keep["code_verifier"]
    assert out.keep["code_verifier"] not in repr(out)


def test_each_asking_has_secrets_of_its_own() -> None:
    client = Client(ISSUER, "app", SECRET, REDIRECT_URI)
    one, other = client.ask("read"), client.ask("read")
    assert not set(one.keep.values()) & set(other.keep.values())


@pytest.mark.parametrize(
    ("scopes", "sent"),
    [
        ("read list", "read list"),
        (["read"], "read"),
        (("read", "bucket:photos"), "read bucket:photos"),
        (iter(["read", "list"]), "read list"),
    ],
)
def test_scopes(scopes: str | list[str], sent: str) -> None:
    assert dict(parse_qsl(urlsplit(asked(APP, scopes, RANDOM).url).query))["scope"] == sent


@pytest.mark.parametrize("scopes", ["", [], [""], ["read list"], ["bucket:my photos"], ["bucket:été"], ['"'], ["read\n"]])
def test_scopes_that_cannot_be_sent(scopes: str | list[str]) -> None:
    with pytest.raises(ValueError, match=r"must ask for something|percent-encoded"):
        asked(APP, scopes, RANDOM)


@pytest.mark.parametrize(
    ("name", "prefix"),
    [("photos", ""), ("photos", "2026/"), ("photos", "2026"), ("my photos", "été; & 100%"), ("photos", "a//"), ("b;c,d", "e,f;g")],
)
def test_the_scope_of_a_bucket_means_that_bucket(name: str, prefix: str) -> None:
    assert parse(bucket(name, prefix)) == Place(name.encode(), prefix.encode().removesuffix(b"/"))


@pytest.mark.parametrize("name", ["", "a/b"])
def test_no_bucket(name: str) -> None:
    with pytest.raises(ValueError, match="name without a slash"):
        bucket(name)


@pytest.mark.parametrize(
    "issuer", [ISSUER, "https://example.org:8443/auth", "http://localhost:10002", "http://127.0.0.1:10002", "http://[::1]:10002"]
)
def test_issuers(issuer: str) -> None:
    assert asked(Registration(issuer, "app", SECRET, REDIRECT_URI), "read", RANDOM).url.startswith(f"{issuer}/oauth2/authorize?")


@pytest.mark.parametrize(
    "wrong",
    {
        "empty": {"issuer": ""},
        "no scheme": {"issuer": "auth.example.org"},
        "another scheme": {"issuer": "ftp://auth.example.org"},
        "plain http": {"issuer": "http://auth.example.org"},
        "a name that begins like this machine's": {"issuer": "http://localhost.example.org"},
        "a slash at its end": {"issuer": ISSUER + "/"},
        "a query": {"issuer": ISSUER + "?x=1"},
        "a user": {"issuer": "https://localhost@example.org"},
        "a backslash": {"issuer": "https://example.org\\@localhost"},
        "white space": {"issuer": " " + ISSUER},
        "a line end": {"issuer": ISSUER + "\r\nHost: x"},
        "a port that is none": {"issuer": ISSUER + ":port"},
        "no client_id": {"client_id": ""},
        "an empty secret": {"client_secret": ""},
        "a secret that is no text": {"client_secret": SECRET + "\udcff"},
        "a client_id that is no text": {"client_id": "\udcff"},
        "no redirect URI": {"redirect_uri": ""},
        "half a redirect URI": {"redirect_uri": "/callback"},
        "no time": {"timeout": 0},
        "endless time": {"timeout": float("inf")},
        "a time that is none": {"timeout": float("nan")},
    }.items(),
    ids=lambda case: case[0],
)
@pytest.mark.parametrize("kind", [Client, AsyncClient])
def test_what_an_app_cannot_be(kind: type[Client], wrong: tuple[str, dict[str, object]]) -> None:
    right: dict[str, object] = {"issuer": ISSUER, "client_id": "app", "client_secret": SECRET, "redirect_uri": REDIRECT_URI}
    kind(**right)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=r"the \w+") as told:
        kind(**{**right, **wrong[1]})  # type: ignore[arg-type]
    assert SECRET not in repr(told.value)
    assert told.value.__cause__ is None


def test_the_secret_is_not_shown() -> None:
    assert SECRET not in repr(Client(ISSUER, "app", SECRET, REDIRECT_URI)) + str(APP)
