"""The grammar of scopes, as a table, and their meaning."""

import pytest

from grantway.scopes import meaning, wording
from grantway.scopes.scope import ActionScope, Place, ScopeError, parse

UNDERSTOOD = {
    "read": ActionScope.READ,
    "write": ActionScope.WRITE,
    "list": ActionScope.LIST,
    "delete": ActionScope.DELETE,
    "lock": ActionScope.LOCK,
    "bucket:photos": Place(b"photos"),
    "bucket:photos;2024": Place(b"photos", b"2024"),
    "bucket:photos;2024/": Place(b"photos", b"2024"),
    "bucket:photos;2024//": Place(b"photos", b"2024/"),
    "bucket:photos;prefix:2024/summer/": Place(b"photos", b"2024/summer"),
    "bucket:photos;prefix%3A2024": Place(b"photos", b"prefix:2024"),
    "bucket:photos;": Place(b"photos"),
    "bucket:photos;/": Place(b"photos"),
    "bucket:photos;/a": Place(b"photos", b"/a"),
    "bucket:photos;a%2Cb%3Bc%20d": Place(b"photos", b"a,b;c d"),
    "bucket:photos;%C3%A9t%C3%A9": Place(b"photos", "été".encode()),
    "bucket:photos;%FF%00": Place(b"photos", b"\xff\x00"),
}

REFUSED = {
    "": "scope_unknown",
    "READ": "scope_unknown",
    " read": "scope_unknown",
    "read,write": "scope_unknown",
    "admin": "scope_unknown",
    "bucket": "scope_unknown",
    "Bucket:photos": "scope_unknown",
    "bucket:": "scope_syntax",
    "bucket:;a": "scope_syntax",
    "bucket:photos/": "scope_syntax",
    "bucket:photos%2Fa": "scope_syntax",
    "bucket:photos;a;b": "scope_syntax",
    "bucket:photos;a,b": "scope_syntax",
    "bucket:photos;a b": "scope_syntax",
    "bucket:photos;été": "scope_syntax",
    "bucket:photos;%": "scope_syntax",
    "bucket:photos;%4": "scope_syntax",
    "bucket:photos;%zz": "scope_syntax",
    "bucket:photos\n": "scope_syntax",
    "bucket:pho\x00tos": "scope_syntax",
}


@pytest.mark.parametrize(("text", "expected"), UNDERSTOOD.items())
def test_understood(text: str, expected: ActionScope | Place) -> None:
    assert parse(text) == expected


@pytest.mark.parametrize("text", UNDERSTOOD)
def test_written_and_read_again(text: str) -> None:
    assert parse(str(parse(text))) == parse(text)


@pytest.mark.parametrize(("text", "cause"), REFUSED.items())
def test_refused(text: str, cause: str) -> None:
    with pytest.raises(ScopeError) as refusal:
        parse(text)
    assert refusal.value.cause == cause


WITHIN = [
    (["read"], ["read", "write"], True),
    (["read", "write"], ["read"], False),
    (["read"], ["read", "bucket:a"], False),
    (["read", "bucket:a"], ["read"], True),
    (["read", "bucket:a"], ["read", "bucket:a"], True),
    (["read", "bucket:a"], ["read", "bucket:b"], False),
    (["read", "bucket:a", "bucket:b"], ["read", "bucket:a"], False),
    (["read", "bucket:a;x"], ["read", "bucket:a"], True),
    (["read", "bucket:a"], ["read", "bucket:a;x"], False),
    (["read", "bucket:a;x/y"], ["read", "bucket:a;x/"], True),
    (["read", "bucket:a;xy"], ["read", "bucket:a;x"], False),
    (["read", "bucket:a;x"], ["read", "bucket:a;prefix:x/"], True),
    (["read", "bucket:%61"], ["read", "bucket:a"], True),
    (["read", "bucket:a;x//y"], ["read", "bucket:a;x//"], True),
    (["read", "bucket:a;x"], ["read", "bucket:a;x//"], False),
    (["bucket:a"], ["read", "bucket:a"], True),
    ([], ["read", "bucket:a"], False),
]


@pytest.mark.parametrize(("inner", "outer", "expected"), WITHIN)
def test_within_compares_meaning(inner: list[str], outer: list[str], expected: bool) -> None:
    assert meaning.meaning_of(inner).within(meaning.meaning_of(outer)) is expected


COVERED = [
    (["read"], "read", ["read", "write"], True),
    (["read"], "write", ["read", "write"], False),
    (["read", "bucket:a"], "read", ["read"], False),
    (["read", "bucket:a"], "read", ["read", "bucket:a;x"], True),
    (["read", "bucket:a"], "bucket:a;x", ["read", "bucket:a;x"], True),
    (["read", "bucket:a"], "bucket:b", ["read", "bucket:b"], False),
    (["bucket:a"], "bucket:a", ["read", "bucket:a"], False),
]


@pytest.mark.parametrize(("granted", "wanted", "among", "expected"), COVERED)
def test_what_is_covered_already(granted: list[str], wanted: str, among: list[str], expected: bool) -> None:
    assert meaning.covers(meaning.meaning_of(granted), wanted, meaning.meaning_of(among)) is expected


def test_lock_opens_what_an_app_does_to_objects_and_nothing_else() -> None:
    with_lock = meaning.permission(meaning.meaning_of(["lock"]))
    opened = {name for name in with_lock.__slots__ if getattr(with_lock, name) is True}
    assert opened == {
        "lock",
        "put_retention",
        "get_retention",
        "put_legal_hold",
        "get_legal_hold",
        "get_bucket_object_lock_configuration",
    }


@pytest.mark.parametrize(("scope", "field"), [("read", "download"), ("write", "upload"), ("list", "list"), ("delete", "delete")])
def test_an_action_opens_one_permission(scope: str, field: str) -> None:
    permission = meaning.permission(meaning.meaning_of([scope]))
    assert {name for name in permission.__slots__ if getattr(permission, name) is True} == {field}


def test_words() -> None:
    assert wording.sentences(["write", "read", "bucket:photos;2024/", "bucket:b"]) == [
        "It may download and read your files.",
        "It may upload files, which may replace ones that are there if it may delete too.",
        "Only under 2024/ in the bucket photos, and in the bucket b.",
    ]
    nested = ["read", "bucket:b;x/y", "bucket:b;x", "bucket:b;xy", "bucket:b;x/y/z"]
    assert wording.sentences(nested)[-1] == "Only under x/ in the bucket b, and under xy/ in the bucket b."
    assert wording.sentences(["list"])[-1] == "In every bucket of the project."
    assert wording.place_in_words(Place(b"b", b"\xff\x1b[2J")) == "under \\xff\\x1b[2J/ in the bucket b"
