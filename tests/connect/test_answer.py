"""What the server answers: an access, a refusal, or nothing that can be used."""

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from tests.connect.cases import GRANT, GRANTED, NOW, granted, reply

from grantway.access_grant import Action, Allowance, SharePrefix
from grantway.connect import Allows, NoAnswerError, Place, RefusedError, answer, bucket
from grantway.connect.message import reply as read
from grantway.scopes import scope

HIDDEN = ["gwc_code", "p&ss"]


def test_an_access() -> None:
    access = answer.access(reply(GRANTED), NOW, HIDDEN)
    assert (access.access_grant, access.api_key) == (GRANT.serialise(), GRANT.api_key.serialise())
    assert access.scopes == ("read", "bucket:photos;2026/")
    assert access.expires_at == NOW + timedelta(hours=1)
    assert access.allows.actions == ("read",)
    assert access.allows.places == (Place("photos", "2026/"),)
    assert bucket(*access.allows.places[0]) in access.scopes
    assert GRANT.serialise()[:20] not in repr(access)
    assert GRANT.api_key.serialise()[:20] not in repr(access)


def test_without_a_passphrase_there_is_an_api_key_alone() -> None:
    access = answer.access(reply(granted(access_grant=None)), NOW, HIDDEN)
    assert access.access_grant is None
    assert access.allows.places == (Place("photos"),)


@pytest.mark.parametrize("name", ["my photos/é;?", "\udcff\udc80", "a\nb", "%41"])
def test_a_place_is_text_and_its_scope_is_what_was_asked_for(name: str) -> None:
    place = SharePrefix(name.replace("/", "").encode("utf-8", "surrogateescape"), name.encode("utf-8", "surrogateescape"))
    allowance = Allowance(
        actions=frozenset({Action.LIST, Action.PROJECT_INFO, Action.LOCK}), places=(place,), not_before=None, not_after=NOW
    )
    allows = Allows.of(allowance)
    assert allows.actions == ("list", "lock")
    assert allows.places == ((name.replace("/", ""), f"{name}/"),)
    asked = scope.parse(bucket(*allows.places[0]))
    assert asked == scope.Place(place.bucket, place.prefix)
    assert Allows.of(replace(allowance, places=None)).places is None


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 200),
        (b"<html>", 200),
        (b"\xff", 200),
        (b"[" * 100_000, 200),
        (b'"text"', 200),
        (json.dumps(GRANTED)[:-1].encode() + b', "scope": "read"}', 200),
        ({}, 200),
        (granted(access_token=None), 200),
        (granted(access_token=1), 200),
        (granted(access_token="1nonsense"), 200),
        (granted(access_grant="1nonsense"), 200),
        (granted(access_token=GRANT.api_key.restrict(b"").serialise()), 200),
        (granted(access_grant=["x"]), 200),
        (granted(scope=None), 200),
        (granted(expires_in="3600"), 200),
        (granted(expires_in=True), 200),
        (granted(expires_in=-1), 200),
        (granted(expires_in=10**12), 200),
        (granted(expires_in=1.5), 200),
        (GRANTED, 302),
        (b"", 302),
        ({"error": "invalid_grant"}, 200),
        ({"error": ["invalid_grant"]}, 400),
        ({"message": "no"}, 404),
        (b"<h1>Bad gateway</h1>", 502),
    ],
)
def test_what_is_no_answer(body: Any, status: int) -> None:
    with pytest.raises(NoAnswerError, match=f"status {status}") as told:
        answer.access(reply(body, status), NOW, HIDDEN)
    assert told.value.status == status


@pytest.mark.parametrize(
    ("body", "status", "told"),
    [
        ({"error": "invalid_grant", "error_description": "Expired.", "trace_id": "t_1-x"}, 400, "invalid_grant: Expired. (trace_id t_1-x)"),
        ({"error": "invalid_client", "trace_id": "../../etc"}, 401, "invalid_client: "),
        ({"error": "server_error", "error_description": {"x": 1}}, 500, "server_error: "),
        ({"error": "invalid_grant", "error_description": "gwc_code and p&ss"}, 400, "invalid_grant: ... and ..."),
        ({"error": "gwc_code"}, 400, "unknown_error: "),
        ({"error": "p&ss"}, 400, "unknown_error: "),
        ({"error": "x", "trace_id": "gwc_code"}, 400, "x: "),
        ({"error": "x", "error_description": "a\x00b\u202ec\nd"}, 400, "x: a b c d"),
    ],
)
def test_a_refusal(body: dict[str, Any], status: int, told: str) -> None:
    with pytest.raises(RefusedError) as refused:
        answer.access(reply(body, status), NOW, HIDDEN)
    assert str(refused.value) == told
    assert refused.value.status == status


@pytest.mark.parametrize(("header", "seconds"), [("7", 7), ("999999", 86_400), ("soon", None), ("-1", None), ("", None), ("٣", None)])
def test_when_to_come_back(header: str, seconds: int | None) -> None:
    with pytest.raises(RefusedError) as refused:
        answer.nothing(reply({"error": "rate_limited"}, 429, **{"retry-after": header}), HIDDEN)
    assert refused.value.retry_after == seconds


def test_a_revocation_says_nothing() -> None:
    answer.nothing(reply(b"", 200), HIDDEN)


BODY = json.dumps(GRANTED).encode()


@pytest.mark.parametrize(
    "data",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(BODY), BODY),
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n0\r\n\r\n" % (len(BODY), BODY),
        b"HTTP/1.0 200 OK\r\n\r\n" + BODY,
        b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" + BODY,
    ],
)
def test_answers_as_bytes(data: bytes) -> None:
    assert (read(data).status, read(data).body) == (200, BODY)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"SSH-2.0-OpenSSH\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nshort",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nff\r\nshort",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"HTTP/1.1 xyz OK\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 1000 + b"\r\n",
        b"HTTP/1.1 200 OK\r\nX: " + b"y" * 100_000,
        b"\x15\x03\x01\x00\x02\x02\x16",
    ],
)
def test_bytes_that_are_no_answer(data: bytes) -> None:
    with pytest.raises(NoAnswerError):
        read(data)
