"""What is odd about a JWT, told without the secret: a table of oddities."""

import json
from datetime import UTC, datetime

import pytest

from grantway import base64url, secret_token
from grantway.clients import assertion
from grantway.clients.inspection import oddities

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
SECOND = int(NOW.timestamp())


def made(**claims: object) -> str:
    all_claims = {"client_id": "app", "exp": SECOND + 240, **claims}
    return assertion.sign({name: value for name, value in all_claims.items() if value is not None}, "s" * 64)


def with_header(header: str) -> str:
    from_one = made().split(".")
    return ".".join([base64url.encoded(header.encode()), *from_one[1:]])


FINE = {
    "nothing odd": made(),
    "a newline at its end": made() + "\n",
    "exp 6 minutes ahead": made(exp=SECOND + 360),
    "iat a minute ahead": made(iat=SECOND + 60),
}


@pytest.mark.parametrize("name", FINE)
def test_nothing_is_odd(name: str) -> None:
    assert oddities(FINE[name], NOW) == []


GOOD = made()
ODD = {
    "white space before": (" " + GOOD, ["white space around"]),
    "white space after": (GOOD + " \n", ["white space around"]),
    "Bearer": ("Bearer " + GOOD, ["begins with “Bearer ”"]),
    "quotes": (f'"{GOOD}"', ["quotes around"]),
    "single quotes": (f"'{GOOD}'\n", ["quotes around"]),
    "the secret itself": (secret_token.make(secret_token.Kind.CLIENT_SECRET, b"x" * 32), ["It is the secret itself", "has 1"]),
    "a code": (secret_token.make(secret_token.Kind.CODE, b"x" * 32), ["the field code", "has 1"]),
    "another's secret itself": ("2b4719e0" * 8, ["If it is the secret itself", "has 1"]),
    "cut": (GOOD[:-10].rpartition(".")[0], ["has 2"]),
    "empty": ("", ["There is nothing", "has 1"]),
    "newline inside": (GOOD[:10] + "\n" + GOOD[10:], ["not base64url"]),
    "padded": (GOOD + "=", ["not base64url"]),
    "alg none": (with_header('{"alg":"none"}'), ["alg is 'none'"]),
    "alg missing": (with_header('{"typ":"JWT"}'), ["alg is None"]),
    "crit": (with_header('{"alg":"HS256","crit":["exp"]}'), ["crit header"]),
    "client_id missing": (made(client_id=None), ["client_id is missing"]),
    "a client_assertion": (made(client_id=None, iss="app", sub="app"), ["a client_assertion for /oauth2/token"]),
    "client_id a number": (made(client_id=7), ["client_id is missing, or not a string"]),
    "exp missing": (made(exp=None), ["exp is missing"]),
    "exp a string": (made(exp=str(SECOND)), ["exp is not a number"]),
    "exp a boolean": (made(exp=True), ["exp is not a number"]),
    "exp in milliseconds": (made(exp=(SECOND + 240) * 1000), ["milliseconds"]),
    "exp now": (made(exp=SECOND), ["expired 0 s ago"]),
    "exp an hour ago": (made(exp=SECOND - 3600), ["expired 3600 s ago"]),
    "exp 361 s ahead": (made(exp=SECOND + 361), ["361 s ahead; at most 300 s"]),
    "exp 1e300": (made(exp=1e300), ["milliseconds"]),
    "iat ahead": (made(iat=SECOND + 61), ["iat lies 61 s in the future"]),
    "iat a string": (made(iat="now"), ["iat is not a number"]),
    "iat a boolean": (made(iat=True), ["iat is not a number"]),
    "nbf ahead": (made(nbf=SECOND + 3600), ["nbf lies 3600 s in the future"]),
    "several at once": (
        " " + made(client_id=None, exp=SECOND - 1, iat=SECOND + 99),
        ["white space", "client_id", "expired 1 s", "iat lies"],
    ),
}


@pytest.mark.parametrize("name", ODD)
def test_odd(name: str) -> None:
    text, expected = ODD[name]
    told = oddities(text, NOW)
    assert len(told) == len(expected), told
    for part, sentence in zip(expected, told, strict=True):
        assert part in sentence
        assert len(text) < 20 or text not in sentence


@pytest.mark.parametrize("moment", [10**400, -(10**400), 1e300], ids=["long", "long ago", "float"])
def test_a_time_that_no_calendar_holds_is_odd(moment: float) -> None:
    claims = {"client_id": "app", "exp": moment, "iat": moment, "nbf": moment}
    parts = (json.dumps(one).encode() for one in ({"alg": "HS256"}, claims))
    jwt = ".".join([*(base64url.encoded(part) for part in parts), "AAAA"])
    assert oddities(jwt, NOW)
