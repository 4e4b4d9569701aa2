"""The examination's judgements of what comes back, as tables: answers, other listeners, certificates, failures, trials."""

import json
import ssl
from typing import Any

import jwt
import pytest

from grantway import secret_token
from grantway.cli.examination import answer, failure, trials
from grantway.cli.examination.answer import Standing
from grantway.cli.examination.probe import Reply
from grantway.cli.examination.url import Target

GOOD = secret_token.make(secret_token.Kind.CLIENT_SECRET, bytes(32))
HEX = "2b4719e0" * 8


def reply(status: int, body: Any, **headers: str) -> Reply:
    text = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Reply(status=status, headers={"content-type": "application/json", **headers}, body=text)


CONTRACT = {
    "invalid_code": Standing.ACCEPTED,
    "code_expired": Standing.ACCEPTED,
    "invalid_redirect_uri": Standing.ACCEPTED,
    "invalid_client": Standing.REFUSED,
    "client_secret_expired": Standing.EXPIRED,
    "unauthorized": Standing.WANTS_SESSION,
    "server_error": Standing.SERVER_FAULT,
    "invalid_request": Standing.MALFORMED,
}
WORDS = {
    "code not found": Standing.ACCEPTED,
    "Invalid authorization code": Standing.ACCEPTED,
    "invalid code": Standing.ACCEPTED,
    "console: oauth2: code has expired": Standing.ACCEPTED,
    "CODE_ALREADY_USED": Standing.ACCEPTED,
    "client not found": Standing.UNKNOWN_CLIENT,
    "unknown client": Standing.UNKNOWN_CLIENT,
    "oauth client does not exist": Standing.UNKNOWN_CLIENT,
    "client is inactive": Standing.INACTIVE_CLIENT,
    "invalid client secret": Standing.REFUSED,
    "signature is invalid": Standing.REFUSED,
    "failed to parse jwt": Standing.REFUSED,
    "token is expired by 5m0s": Standing.EXPIRED,
    "client secret has expired": Standing.EXPIRED,
    "Token used before issued": Standing.TOO_EARLY,
    "http: named cookie not present": Standing.WANTS_SESSION,
    "Unauthorized": Standing.WANTS_SESSION,
    "status code invalid": Standing.UNCLEAR,
    "sql: no rows in result set": Standing.UNCLEAR,
    "internal server error": Standing.UNCLEAR,
}


@pytest.mark.parametrize("error", CONTRACT)
def test_standing_by_the_contract(error: str) -> None:
    assert answer.standing(reply(400, {"error": error, "error_description": "The client's code JWT signature session."})) is CONTRACT[error]


@pytest.mark.parametrize("words", WORDS)
@pytest.mark.parametrize(
    "body", [lambda words: {"error": words}, lambda words: {"message": words}, lambda words: {"error": {"message": words}}]
)
def test_standing_by_words(words: str, body: Any) -> None:
    assert answer.standing(reply(500, body(words))) is WORDS[words]


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        (429, {}, Standing.RATE_LIMITED),
        (503, b"<html>", Standing.SERVER_FAULT),
        (502, b"", Standing.SERVER_FAULT),
        (401, {}, Standing.REFUSED),
        (200, {"access_grant": "x"}, Standing.UNCLEAR),
        (400, b"[1]", Standing.UNCLEAR),
        (400, b"[" * 60_000, Standing.UNCLEAR),
        (400, b"1" * 60_000, Standing.UNCLEAR),
        (400, b"\xff\xfe", Standing.UNCLEAR),
        (400, {"error": ["invalid_code"]}, Standing.UNCLEAR),
    ],
)
def test_standing_of_anything(status: int, body: Any, expected: Standing) -> None:
    came = reply(status, body)
    assert answer.standing(came) is expected
    assert answer.in_words(came).startswith(str(status))


TARGET = Target(is_tls=False, host="auth.example", port=80, prefix="")
HTML = {"content-type": "text/html"}
S3 = b'<?xml version="1.0"?><Error><Code>MethodNotAllowed</Code></Error>'
LISTENERS: list[tuple[Reply, str | None]] = [
    (reply(400, {"error": "invalid_request"}), None),
    (reply(500, {"error": "anything"}), None),
    (reply(404, {"error": "not_found"}), "no token endpoint"),
    (reply(405, {"detail": "Method Not Allowed"}), "no token endpoint"),
    (reply(404, b"<html><title>404 Not Found</title>", **HTML, server="nginx/1.25"), "nginx"),
    (reply(200, b"<!DOCTYPE html><title>StorX Satellite</title>", **HTML), "console"),
    (reply(405, S3, **{"content-type": "application/xml"}), "S3"),
    (reply(301, b"", location="https://auth.example/api/v0/oauth2/token?a=b"), "301, to https://auth.example/api/v0/oauth2/token"),
    (reply(302, b"", location="/login"), "302, to /login"),
    (reply(302, b""), "nowhere"),
    (reply(200, b"hello"), "no JSON"),
    (reply(200, b""), "no JSON"),
]


@pytest.mark.parametrize(("came", "words"), LISTENERS)
def test_what_else_listens(came: Reply, words: str | None) -> None:
    wrong = answer.what_else_listens(came, TARGET)
    assert (wrong is None) if words is None else (wrong is not None and words in wrong.evidence and wrong.remedy)


def test_the_redirect_to_https_says_so() -> None:
    wrong = answer.what_else_listens(reply(308, b"", location="https://auth.example/"), TARGET)
    assert wrong is not None
    assert "https:// instead" in wrong.remedy


@pytest.mark.parametrize(
    ("value", "expected"),
    [("30", "after 30 s"), ("Wed, 21 Oct", "in a few minutes"), ("9" * 50, "in a few minutes"), ("", "in a few minutes")],
)
def test_retry_after(value: str, expected: str) -> None:
    assert answer.retry_after(reply(429, {}, **{"retry-after": value})) == expected


@pytest.mark.parametrize("value", ["abc-123", None, "a b", "x" * 65, "../..", 5])
def test_trace_id(value: object) -> None:
    assert answer.trace_id_of(reply(401, {"trace_id": value})) == ("abc-123" if value == "abc-123" else None)


@pytest.mark.parametrize(
    ("code", "words"), [(9, "not valid yet"), (19, "does not trust"), (20, "unknown"), (62, "not for a.b"), (99, "odd")]
)
def test_certificates(code: int, words: str) -> None:
    error = ssl.SSLCertVerificationError()
    error.verify_code, error.verify_message = code, "odd"
    assert words in failure.bad_certificate(error, "a.b").evidence


@pytest.mark.parametrize(
    ("errors", "words"),
    [
        ([OSError(101, "Network is unreachable")], "no route"),
        ([TimeoutError()], "firewall"),
        ([TimeoutError(), ConnectionRefusedError()], "refused"),
        ([PermissionError(13, "Permission denied")], "Permission denied"),
        ([], "failed"),
    ],
)
def test_no_connection(errors: list[OSError], words: str) -> None:
    assert words in failure.no_connection(errors, 80).evidence


def test_trials_are_few_and_each_is_said() -> None:
    for text in (GOOD, f' "{HEX}"\n', "a%2Bb" * 10, "YWJj" * 10):
        for client_id in ("app", " APP\n"):
            for skew in (None, 0.0, 500.0):
                made = trials.usual(text, client_id, skew)
                assert 0 < len(made) <= trials.MOST
                assert all(one.what and one.verdict and one.remedy for one in made)
                assert len({one.name for one in made}) == len(made)
                assert (made[0].name == "clock_corrected") is (skew == 500.0)
                assert all(text.strip() not in one.what + one.verdict + one.remedy + repr(one) for one in made)


def test_jwt_of_a_trial() -> None:
    made = trials.first(HEX, "app").jwt(1_700_000_000.9, b"\x01" * 16)
    claims = jwt.decode(made, HEX, algorithms=["HS256"], options={"verify_exp": False})
    assert claims == {"client_id": "app", "iat": 1_700_000_000, "exp": 1_700_000_300, "jti": "01" * 16}
    short = trials.usual(HEX, "app", -100.0)[-1].jwt(1_700_000_000, b"\x01" * 16)
    claims = jwt.decode(short, HEX, algorithms=["HS256"], options={"verify_exp": False})
    assert claims == {"client_id": "app", "exp": 1_699_999_960, "jti": "01" * 16}
