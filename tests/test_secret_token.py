"""Tokens that we hand out: their form, their digest, and whether one came back whole."""

import hashlib

import pytest

from grantway.secret_token import Kind, digest, is_intact, make

RANDOM = bytes(range(32))
TOKEN = make(Kind.CODE, RANDOM)


@pytest.mark.parametrize("kind", Kind)
def test_form(kind: Kind) -> None:
    token = make(kind, RANDOM)
    assert token.startswith(f"{kind}_")
    assert len(token) == len(f"{kind}_") + 43 + 6
    assert is_intact(token, kind)
    assert {other for other in Kind if is_intact(token, other)} == {kind}


def test_is_the_same_in_every_version() -> None:
    assert TOKEN == "gwc_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8p37uPA"
    assert digest(TOKEN) == hashlib.sha256(TOKEN.encode()).digest()


NOT_INTACT = {
    "empty": "",
    "prefix alone": "gwc_",
    "cut": TOKEN[:-1],
    "padded": TOKEN + "=",
    "space after": TOKEN + " ",
    "newline after": TOKEN + "\n",
    "one letter changed": TOKEN[:10] + ("A" if TOKEN[10] != "A" else "B") + TOKEN[11:],
    "two letters swapped": TOKEN[:9] + TOKEN[10] + TOKEN[9] + TOKEN[11:],
    "checksum changed": TOKEN[:-1] + ("A" if TOKEN[-1] != "A" else "B"),
    "upper case": TOKEN.upper(),
    "not ASCII": TOKEN[:10] + "é" + TOKEN[11:],
    "lone surrogate": TOKEN[:10] + "\ud800" + TOKEN[11:],
}


@pytest.mark.parametrize("name", NOT_INTACT)
def test_not_intact(name: str) -> None:
    assert not is_intact(NOT_INTACT[name], Kind.CODE)


@pytest.mark.parametrize("length", [0, 16, 31, 33])
def test_takes_32_random_bytes(length: int) -> None:
    with pytest.raises(ValueError, match="32"):
        make(Kind.CODE, b"x" * length)
