"""Addresses, names and passwords: what can be one, and in which form it is kept."""

import pytest
from argon2.profiles import RFC_9106_LOW_MEMORY

from argon2 import extract_parameters
from grantway.accounts import password
from grantway.accounts.account import normal_email, normal_name


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("uma@example.org", "uma@example.org"),
        (" Uma@Example.ORG\n", "uma@example.org"),
        ("uma+tag@example.org", "uma+tag@example.org"),
        ("üma@bücher.example", "üma@bücher.example"),
        ("a@b", "a@b"),
        ("x" * 242 + "@example.org", "x" * 242 + "@example.org"),
    ],
)
def test_addresses(text: str, expected: str) -> None:
    assert normal_email(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "uma",
        "@example.org",
        "uma@",
        "@",
        "u ma@example.org",
        "uma@exa\tmple.org",
        "uma@example.org\x00",
        "uma\u200b@example.org",
        "\ud800@x.org",
        "x" * 243 + "@example.org",
    ],
)
def test_no_addresses(text: str) -> None:
    assert normal_email(text) is None


@pytest.mark.parametrize(("text", "expected"), [(" Uma User ", "Uma User"), ("写真", "写真"), ("x" * 200, "x" * 200)])
def test_names(text: str, expected: str) -> None:
    assert normal_name(text) == expected


@pytest.mark.parametrize("text", ["", "  ", "x" * 201, "a\nb", "a\x1b[2J", "a\u202eb", "a\ud800"])
def test_no_names(text: str) -> None:
    assert normal_name(text) is None


@pytest.mark.parametrize(
    ("text", "expected"), [("x" * 7, False), ("x" * 8, True), ("x" * 1024, True), ("x" * 1025, False), (" " * 8, True)]
)
def test_which_passwords(text: str, expected: bool) -> None:
    assert password.is_acceptable(text) is expected


def test_a_password_and_its_hash() -> None:
    stored = password.hashed("correct horse")
    assert stored.startswith("$argon2id$")
    assert "correct" not in stored
    assert password.matches("correct horse", stored)
    assert not password.matches("Correct horse", stored)


@pytest.mark.usefixtures("passwords_at_full_cost")
def test_what_a_password_costs() -> None:
    """RFC 9106 section 4, the second choice; and as much where there is no account, else the time would tell."""
    hashes = (password.hashed("correct horse"), password._NOBODYS)
    assert [extract_parameters(one) for one in hashes] == [RFC_9106_LOW_MEMORY] * 2


@pytest.mark.parametrize("stored", [None, "", "none", "$argon2id$v=19$m=65536,t=3,p=4$x"])
def test_nothing_matches_what_is_no_hash(stored: str | None) -> None:
    assert not password.matches("correct horse", stored)
