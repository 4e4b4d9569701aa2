"""Reading a JWT strictly: every malformation by its name, one spelling for one JWT, and agreement with other people's JWT software."""

import hashlib
import hmac
import json
from base64 import urlsafe_b64encode
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt as pyjwt
import pytest
from joserfc import jwt as joserfc_jwt
from joserfc.jwk import OctKey

from grantway.clients import assertion
from grantway.clients.assertion import UnreadableAssertionError

SECRET = "0123456789abcdef" * 4
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
CLAIMS = {"client_id": "app", "exp": int(NOW.timestamp()) + 240}
GOOD = assertion.sign(CLAIMS, SECRET)
HEADER, BODY, SIGNATURE = GOOD.split(".")

REPORT_JWT = (
    "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJjbGllbnRfaWQiOiJlNDVmYTc5YS0wNWY1LTRmMDAtYmJmZS1iZDBhMTRhZWFkMGEiLCJleHAiOjE3NTEwMTk4"
    "MTV9.X8xRZ2WRJxT4e3GG5dvZMt7D_LJQ6glEoIaDDsA514Y"
)
REPORT_CLIENT_ID = "e45fa79a-05f5-4f00-bbfe-bd0a14aead0a"
REPORT_SECRET = "2b4719e00623ad66c4cde8681efc59e9d40bf96cdb43d4b9cf859e27d5252102"


def encoded(data: bytes | str) -> str:
    return urlsafe_b64encode(data if isinstance(data, bytes) else data.encode()).rstrip(b"=").decode()


def with_claims(text: bytes | str) -> str:
    """Well signed, whatever the claims are."""
    signed = f"{HEADER}.{encoded(text)}"
    return f"{signed}.{encoded(hmac.digest(SECRET.encode(), signed.encode(), 'sha256'))}"


def test_what_is_signed_is_read() -> None:
    read = assertion.read(GOOD)
    assert read.header == {"alg": "HS256", "typ": "JWT"}
    assert read.claims == CLAIMS
    assert read.is_signed_with(SECRET.encode())
    assert not read.is_signed_with(bytes.fromhex(SECRET))
    assert not read.is_signed_with(b"")
    assert read.digest == assertion.handle(int(NOW.timestamp()) + 240, hashlib.sha256(f"{HEADER}.{BODY}".encode()).digest())
    assert GOOD not in repr(read)


def test_the_reports_jwt_verifies_under_its_secret() -> None:
    read = assertion.read(REPORT_JWT)
    assert read.claims == {"client_id": REPORT_CLIENT_ID, "exp": 1751019815}
    assert read.is_signed_with(REPORT_SECRET.encode())


def other_trailing_bits(part: str) -> str:
    """The same bytes for a lenient reader: the last character's unused bits are set."""
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    return part[:-1] + alphabet[alphabet.index(part[-1]) + 1]


DEEP = '{"client_id":' + "[" * 100_000 + "]" * 100_000 + "}"
UNREADABLE = {
    "empty": "",
    "one part": HEADER,
    "two parts": f"{HEADER}.{BODY}",
    "four parts": f"{GOOD}.{SIGNATURE}",
    "five parts, as a JWE": f"{GOOD}..",
    "dots alone": "..",
    "header empty": f".{BODY}.{SIGNATURE}",
    "claims empty": f"{HEADER}..{SIGNATURE}",
    "signature empty": f"{HEADER}.{BODY}.",
    "signature padded": f"{GOOD}=",
    "header padded": f"{HEADER}=.{BODY}.{SIGNATURE}",
    "plus": f"{HEADER}.{BODY}.{SIGNATURE[:-4]}+AAA",
    "slash": f"{HEADER}.{BODY}.{SIGNATURE[:-4]}/AAA",
    "space inside": f"{HEADER}. {BODY}.{SIGNATURE}",
    "space before": f" {GOOD}",
    "space after": f"{GOOD} ",
    "newline after": f"{GOOD}\n",
    "newline inside": f"{HEADER}.{BODY[:4]}\n{BODY[4:]}.{SIGNATURE}",
    "carriage return after": f"{GOOD}\r",
    "quotes": f'"{GOOD}"',
    "zero byte": f"{GOOD}\0",
    "Bearer": f"Bearer {GOOD}",
    "not ASCII": f"{HEADER}.{BODY}.{SIGNATURE[:-1]}é",
    "full-width digit": f"{HEADER}.{BODY}.{SIGNATURE[:-1]}１",
    "lone surrogate": f"{HEADER}.{BODY}.\ud800",
    "cut by one, an impossible length": f"{HEADER}.{BODY}.{SIGNATURE[:-2]}",
    "signature spelled differently": f"{HEADER}.{BODY}.{other_trailing_bits(SIGNATURE)}",
    "header is no JSON": f"{encoded('x')}.{BODY}.{SIGNATURE}",
    "header is an array": f"{encoded('[]')}.{BODY}.{SIGNATURE}",
    "header is null": f"{encoded('null')}.{BODY}.{SIGNATURE}",
    "claims are a string": with_claims('"x"'),
    "claims are a number": with_claims("1"),
    "claims are an array": with_claims("[]"),
    "claims are null": with_claims("null"),
    "claims are cut": with_claims('{"client_id":"app"'),
    "claims have a tail": with_claims('{"client_id":"app"} x'),
    "claims twice": with_claims('{"client_id":"app"}{"client_id":"app"}'),
    "single quotes": with_claims("{'client_id':'app'}"),
    "comma at the end": with_claims('{"client_id":"app",}'),
    "the same name twice": with_claims('{"client_id":"other","client_id":"app"}'),
    "the same name twice, one escaped": with_claims('{"client_id":"other","client\\u005fid":"app"}'),
    "the same name twice, deeper": with_claims('{"client_id":"app","x":[{"a":1,"a":2}]}'),
    "the same name twice in the header": encoded('{"alg":"none","alg":"HS256"}') + f".{BODY}.{SIGNATURE}",
    "lone high surrogate": with_claims('{"client_id":"\\ud800"}'),
    "lone low surrogate": with_claims('{"client_id":"\\udc00"}'),
    "surrogate as a name": with_claims('{"\\ud800":1}'),
    "broken UTF-8": with_claims(b'{"client_id":"\xff"}'),
    "surrogate in UTF-8": with_claims(b'{"client_id":"\xed\xa0\x80"}'),
    "UTF-16": with_claims('{"client_id":"app"}'.encode("utf-16")),
    "byte order mark": with_claims(b'\xef\xbb\xbf{"client_id":"app"}'),
    "NaN": with_claims('{"exp":NaN}'),
    "Infinity": with_claims('{"exp":Infinity}'),
    "a number with leading zero": with_claims('{"exp":01}'),
    "a number beyond every float": with_claims('{"exp":1e999}'),
    "a number with more digits than Python reads": with_claims('{"exp":' + "9" * 5000 + "}"),
    "nested without end": with_claims(DEEP),
    "control character in a string": with_claims('{"client_id":"a\nb"}'),
}


@pytest.mark.parametrize("name", UNREADABLE)
def test_unreadable(name: str) -> None:
    with pytest.raises(UnreadableAssertionError) as refusal:
        assertion.read(UNREADABLE[name])
    said = str(refusal.value)
    assert len(said) < 300
    for part in (BODY, SIGNATURE, "client_id"):
        assert part not in said


@pytest.mark.parametrize("position", range(3))
def test_one_spelling_each(position: int) -> None:
    """Every other character at the end of a part is refused or changes what is read."""
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    parts, read = GOOD.split("."), []
    for letter in alphabet:
        spelled = [*parts]
        spelled[position] = parts[position][:-1] + letter
        try:
            read.append(assertion.read(".".join(spelled)))
        except UnreadableAssertionError:
            continue
    seen = {(repr(one.header), repr(one.claims), one.signature) for one in read}
    assert len(seen) == len(read)


@pytest.mark.parametrize("number", ["253402300800", "9" * 30, "-" + "9" * 30, "1e300", "1.5", "-0", "1E+2"])
def test_numbers_that_json_may_hold(number: str) -> None:
    assert assertion.read(with_claims(f'{{"exp":{number}}}')).claims["exp"] == json.loads(number)


def test_what_pyjwt_makes_we_read() -> None:
    made = pyjwt.encode({**CLAIMS, "iss": "storx-client"}, SECRET, algorithm="HS256")
    read = assertion.read(made)
    assert read.claims == {**CLAIMS, "iss": "storx-client"}
    assert read.is_signed_with(SECRET.encode())


def test_what_we_make_pyjwt_verifies() -> None:
    options: Any = {"verify_exp": False}
    assert pyjwt.decode(GOOD, SECRET, algorithms=["HS256"], options=options) == CLAIMS


def test_what_joserfc_makes_we_read() -> None:
    made = joserfc_jwt.encode({"alg": "HS256", "typ": "JWT"}, dict(CLAIMS), OctKey.import_key(SECRET))
    read = assertion.read(made)
    assert read.claims == CLAIMS
    assert read.is_signed_with(SECRET.encode())


def test_what_we_make_joserfc_verifies() -> None:
    assert joserfc_jwt.decode(GOOD, OctKey.import_key(SECRET), algorithms=["HS256"]).claims == CLAIMS


def test_for_client() -> None:
    made = assertion.for_client("app", SECRET, NOW + timedelta(microseconds=999_999), b"\1" * 16, timedelta(seconds=90))
    issued = int(NOW.timestamp())
    assert assertion.read(made).claims == {"client_id": "app", "iat": issued, "exp": issued + 90, "jti": "01" * 16}


MINUTE = 1_767_225_600


ENDS = [MINUTE, 0, 59, 60, -1, 2**31, 2**32 * 60 - 1, 2**32 * 60, 10**40, -(10**40), 1.5, "soon", None, True, [MINUTE]]


@pytest.mark.parametrize("exp", ENDS)
def test_every_jwt_has_a_handle_whatever_its_end_says(exp: object) -> None:
    read = assertion.read(assertion.sign({"exp": exp, "jti": "x"}, "a secret of some length"))
    assert len(read.digest) == 32
    assert read.digest[4:] == hashlib.sha256(read.signed).digest()[:28]


def test_handles_of_the_same_time_lie_together() -> None:
    made = [assertion.handle(MINUTE + seconds, hashlib.sha256(b"%d" % seconds).digest()) for seconds in range(0, 3600, 60)]
    assert made == sorted(made)
    assert len({one[:4] for one in made}) == 60
    assert assertion.handle(MINUTE, b"x" * 32)[:4] == assertion.handle(MINUTE + 59, b"y" * 32)[:4]


MEANT = {
    "a JWT": (assertion.sign({"client_id": "a"}, SECRET), True),
    "with Bearer before it": ("Bearer " + assertion.sign({"client_id": "a"}, SECRET), True),
    "its beginning cut off": (assertion.sign({"client_id": "a"}, SECRET)[5:], True),
    "its signature cut off": (assertion.sign({"client_id": "a"}, SECRET).rpartition(".")[0] + ".", True),
    "a secret of ours": ("gws_" + "x" * 43, False),
    "an imported secret with two dots": ("my.imported.secret-of-2019", False),
    "one with three": ("my.e.imported.secret", False),
    "nothing": ("", False),
}


@pytest.mark.parametrize("name", MEANT)
def test_a_secret_with_dots_is_no_jwt(name: str) -> None:
    text, is_meant = MEANT[name]
    assert assertion.is_meant(text) is is_meant
