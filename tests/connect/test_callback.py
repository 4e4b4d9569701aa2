"""The way back: what is believed, what is refused, and what is told."""

from typing import Any
from urllib.parse import urlencode

import pytest
from tests.connect.cases import ISSUER, KEEP, REDIRECT_URI

from grantway.connect import CallbackError, DeniedError, RefusedError
from grantway.connect.callback import MAX_ISSUER, code_of

RIGHT = {"code": "gwc_abc", "state": KEEP["state"], "iss": ISSUER}


def query(**changes: str | None) -> str:
    return urlencode({name: value for name, value in {**RIGHT, **changes}.items() if value is not None})


@pytest.mark.parametrize(
    "callback",
    [
        query(),
        f"{REDIRECT_URI}?{query()}",
        f"/callback?{query()}",
        f"{REDIRECT_URI}?{query()}#fragment",
        f"{REDIRECT_URI}?page=1&page=2&{query()}&empty=",
    ],
)
def test_a_code(callback: str) -> None:
    assert code_of(callback, KEEP, ISSUER) == ("gwc_abc", KEEP["code_verifier"])


@pytest.mark.parametrize(
    "callback",
    {
        "nothing": "",
        "no query": REDIRECT_URI,
        "no state": query(state=None),
        "an empty state": query(state=""),
        "another's state": query(state="t" * 43),
        "half a state": query(state=KEEP["state"][:-1]),
        "no iss": query(iss=None),
        "another's iss": query(iss="https://evil.example"),
        "an iss with a slash": query(iss=ISSUER + "/"),
        "an iss in capitals": query(iss=ISSUER.upper()),
        "no code": query(code=None),
        "an empty code": query(code=""),
        "a code with a line end": query(code="gwc\n"),
        "a code with a blank": query(code="gwc abc"),
        "an endless code": query(code="c" * 2000),
        "two codes": query() + "&code=other",
        "two states": query() + "&state=" + KEEP["state"],
        "two issuers": query() + "&iss=" + ISSUER,
        "the same code twice": query() + "&code=gwc_abc",
        "an error of another session": query(code=None, error="access_denied", state="x"),
        "an error of another server": query(code=None, error="access_denied", iss="https://evil.example"),
        "broken UTF-8": query() + "&error=%ff",
        "a lone surrogate": query(state=None) + "&state=\ud800",
        "a NUL": query(state=KEEP["state"] + "\0"),
        "an endless query": query() + "&x=" + "x" * 20_000,
        "endless fields": query() + "&x" * 200,
    }.items(),
    ids=lambda case: case[0],
)
def test_what_does_not_answer_this_session(callback: tuple[str, str]) -> None:
    with pytest.raises(CallbackError) as told:
        code_of(callback[1], KEEP, ISSUER)
    assert told.value.error == "invalid_callback"
    assert "gwc" not in str(told.value)
    assert KEEP["state"][:20] not in str(told.value)


@pytest.mark.parametrize(
    ("came", "told"),
    [
        ("https://evil.example", "'https://evil.example'"),
        (ISSUER + "/", f"'{ISSUER}/'"),
        ("https://evil.example?code=gwc_abc", "'https://evil.example…'"),
        ("https://evil.example&code=gwc_abc", "'https://evil.example…'"),
        ("https://evil.example\x1b[2J\u202e\r\nINFO all is well", "'https://evil.example [2J…'"),
        ("h" * 5000, f"'{'h' * MAX_ISSUER}…'"),
        ("\N{CYRILLIC SMALL LETTER A}", "'\N{CYRILLIC SMALL LETTER A}'"),
    ],
)
def test_another_issuer_is_told_with_the_right_one(came: str, told: str) -> None:
    with pytest.raises(CallbackError) as refused:
        code_of(query(iss=came), KEEP, ISSUER)
    assert refused.value.description.startswith(f"iss is {told}, and the issuer that was asked is '{ISSUER}';")


def test_a_missing_issuer_is_told() -> None:
    with pytest.raises(CallbackError, match=f"iss is missing; the issuer that was asked is '{ISSUER}'"):
        code_of(query(iss=None), KEEP, ISSUER)


@pytest.mark.parametrize(
    "keep",
    [
        None,
        {},
        "kept",
        [],
        {"state": KEEP["state"]},
        {"code_verifier": KEEP["code_verifier"]},
        {**KEEP, "state": ""},
        {**KEEP, "state": None},
        {**KEEP, "state": 1},
        {**KEEP, "code_verifier": "short"},
        {**KEEP, "code_verifier": "v" * 42 + "\n"},
    ],
)
def test_a_session_that_asked_for_nothing(keep: Any) -> None:
    with pytest.raises(CallbackError, match="asked for nothing"):
        code_of(query(), keep, ISSUER)


def test_an_empty_state_is_equal_to_nothing() -> None:
    with pytest.raises(CallbackError):
        code_of(query(state=None), {**KEEP, "state": ""}, ISSUER)


def test_denied() -> None:
    with pytest.raises(DeniedError, match="did not allow"):
        code_of(query(code=None, error="access_denied"), KEEP, ISSUER)


@pytest.mark.parametrize(
    ("came", "told"),
    [
        ({"error": "invalid_scope", "error_description": "No.", "trace_id": "t-1"}, "invalid_scope: No. (trace_id t-1)"),
        ({"error": "invalid_scope"}, "invalid_scope: "),
        ({"error": "<script>", "error_description": "\x1b[31mred\r\nline"}, "unknown_error: [31mred  line"),
        ({"error": "", "trace_id": "a b"}, "unknown_error: "),
        ({"error": "x", "error_description": "d" * 400}, "x: " + "d" * 300),
        ({"error": "invalid_scope", "code": "gwc_abc"}, "invalid_scope: "),
    ],
)
def test_refused(came: dict[str, str], told: str) -> None:
    with pytest.raises(RefusedError) as refused:
        code_of(query(**{"code": None, **came}), KEEP, ISSUER)
    assert str(refused.value).strip() == told.strip()
