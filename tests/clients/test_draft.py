"""What a developer may say about a client: each row changes one thing about a draft that stands."""

from dataclasses import replace
from typing import Any

import pytest

from grantway.clients import secret
from grantway.clients.client import AuthMethod, is_client_id
from grantway.clients.draft import ClientDraft
from grantway.oauth_error import RefusedError
from grantway.sealing import SealBrokenError, Sealing

DRAFT = ClientDraft(name="Photo Box", redirect_uris=["https://app.example/cb"])

STANDS: dict[str, dict[str, Any]] = {
    "nothing changed": {},
    "name of one letter": {"name": "x"},
    "name of 100 letters": {"name": "x" * 100},
    "name in another script": {"name": "写真箱"},
    "description on several lines": {"description": "One.\nTwo.\tThree."},
    "description of 1,000 letters": {"description": "x" * 1000},
    "20 redirect URIs": {"redirect_uris": [f"https://app.example/{n}" for n in range(20)]},
    "21 redirect URIs, two of them the same": {"redirect_uris": [f"https://app.example/{n % 20}" for n in range(21)]},
    "scopes": {"scopes": ["read", "write", "list", "delete", "lock", "bucket:a", "bucket:b;c"]},
    "required without scopes": {"required_scopes": ["read", "bucket:a"]},
    "required within scopes": {"scopes": ["read", "write", "bucket:a"], "required_scopes": ["read", "bucket:a;x"]},
    "required actions only": {"scopes": ["read", "bucket:a"], "required_scopes": ["read"]},
    "a public client": {"auth_method": AuthMethod.NONE},
    "a confidential client without PKCE": {"auth_method": AuthMethod.BASIC, "require_pkce": False},
}

REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "name empty": ({"name": ""}, "invalid_request"),
    "name of white space": ({"name": " \t"}, "invalid_request"),
    "name of 101 letters": ({"name": "x" * 101}, "invalid_request"),
    "name with a newline": ({"name": "a\nb"}, "invalid_request"),
    "name with an escape": ({"name": "a\x1b[2Jb"}, "invalid_request"),
    "name that turns the direction": ({"name": "a\u202eb"}, "invalid_request"),
    "description of 1,001 letters": ({"description": "x" * 1001}, "invalid_request"),
    "description with an escape": ({"description": "\x1b[2J"}, "invalid_request"),
    "no redirect URI": ({"redirect_uris": []}, "invalid_redirect_uri"),
    "21 redirect URIs": ({"redirect_uris": [f"https://app.example/{n}" for n in range(21)]}, "invalid_redirect_uri"),
    "one bad redirect URI among good ones": ({"redirect_uris": ["https://app.example", "http://app.example"]}, "invalid_redirect_uri"),
    "scope unknown": ({"scopes": ["read", "admin"]}, "invalid_scope"),
    "scope malformed": ({"scopes": ["read", "bucket:"]}, "invalid_scope"),
    "places alone": ({"scopes": ["bucket:a"]}, "invalid_scope"),
    "101 scopes": ({"scopes": ["read", *(f"bucket:b{n}" for n in range(100))]}, "invalid_scope"),
    "101 required scopes": ({"required_scopes": ["read", *(f"bucket:b{n}" for n in range(100))]}, "invalid_scope"),
    "required scope unknown": ({"required_scopes": ["admin"]}, "invalid_scope"),
    "required beyond scopes": ({"scopes": ["read"], "required_scopes": ["write"]}, "invalid_scope"),
    "required place beyond scopes": ({"scopes": ["read", "bucket:a"], "required_scopes": ["bucket:b"]}, "invalid_scope"),
    "required place wider than scopes": ({"scopes": ["read", "bucket:a;x"], "required_scopes": ["bucket:a"]}, "invalid_scope"),
    "a public client without PKCE": ({"auth_method": AuthMethod.NONE, "require_pkce": False}, "invalid_request"),
}


@pytest.mark.parametrize("name", STANDS)
def test_stands(name: str) -> None:
    replace(DRAFT, **STANDS[name]).checked()


def test_is_trimmed_and_each_thing_once() -> None:
    draft = ClientDraft(
        name="  Photo Box ",
        description=" x ",
        redirect_uris=["https://b.example", "https://a.example", "https://b.example"],
        scopes=["write", "read", "write"],
        required_scopes=["read", "read"],
    ).checked()
    assert (draft.name, draft.description) == ("Photo Box", "x")
    assert list(draft.redirect_uris) == ["https://b.example", "https://a.example"]
    assert (list(draft.scopes), list(draft.required_scopes)) == (["write", "read"], ["read"])


@pytest.mark.parametrize("name", REFUSED)
def test_refused(name: str) -> None:
    changes, code = REFUSED[name]
    with pytest.raises(RefusedError) as refusal:
        replace(DRAFT, **changes).checked()
    assert refusal.value.error.code == code


FAULTS: dict[str, tuple[dict[str, Any], list[tuple[str, str]]]] = {
    "none": ({}, []),
    "each text": ({"name": "", "description": "\x1b"}, [("name", ""), ("description", "")]),
    "each bad URI": (
        {"redirect_uris": ["http://a.example", "https://b.example", "https://c.example/#d"]},
        [("redirect_uris", "http://a.example"), ("redirect_uris", "https://c.example/#d")],
    ),
    "each list of scopes": ({"scopes": ["x"], "required_scopes": ["read", "y"]}, [("scopes", "x"), ("required_scopes", "y")]),
    "required beyond scopes": ({"scopes": ["read"], "required_scopes": ["write"]}, [("required_scopes", "")]),
    "places alone, and required beyond": ({"scopes": ["bucket:a"], "required_scopes": ["read"]}, [("scopes", ""), ("required_scopes", "")]),
    "all at once": ({"name": "", "redirect_uris": [], "scopes": ["x"]}, [("name", ""), ("redirect_uris", ""), ("scopes", "x")]),
}


@pytest.mark.parametrize("name", FAULTS)
def test_all_faults_at_once_each_with_its_field(name: str) -> None:
    changes, faults = FAULTS[name]
    assert [(one.field, one.value) for one in replace(DRAFT, **changes).faults()] == faults


@pytest.mark.parametrize("name", REFUSED)
def test_the_first_fault_is_what_is_refused(name: str) -> None:
    changes, code = REFUSED[name]
    assert replace(DRAFT, **changes).faults()[0].error.code == code


@pytest.mark.parametrize("text", ["a", "e45fa79a-05f5-4f00-bbfe-bd0a14aead0a", "x" * 100, "a:b/c?"])
def test_can_be_a_client_id(text: str) -> None:
    assert is_client_id(text)


@pytest.mark.parametrize("text", ["", "x" * 101, "a b", "a\n", "é", "\x7f", "\ud800"])
def test_cannot_be_a_client_id(text: str) -> None:
    assert not is_client_id(text)


@pytest.mark.parametrize("text", ["x" * 16, "x" * 1024, "2b4719e0" * 8, '"\\{}~!' * 4])
def test_can_be_a_secret(text: str) -> None:
    assert secret.is_acceptable(text)


@pytest.mark.parametrize("text", ["", "x" * 15, "x" * 1025, "x" * 20 + " ", "x" * 20 + "\n", "é" * 20, "\x00" * 20])
def test_cannot_be_a_secret(text: str) -> None:
    assert not secret.is_acceptable(text)


def test_a_sealed_secret_opens_for_its_client_and_version_only() -> None:
    sealing = Sealing.under(b"k" * 32)
    sealed = secret.sealed(sealing, "row", 1, "s" * 64, b"n" * 12)
    assert sealing.unseal(sealed.sealed, secret.WHAT, secret.whose("row", 1)) == b"s" * 64
    assert "sealed=" not in repr(sealed)
    for row, version in (("row", 2), ("other", 1), ("", 1)):
        with pytest.raises(SealBrokenError):
            sealing.unseal(sealed.sealed, secret.WHAT, secret.whose(row, version))
