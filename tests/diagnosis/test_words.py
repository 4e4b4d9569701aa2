"""What a finding says and shows: every cause and check has its words, secrets are masked, and what is shown is short."""

import json
import re
from base64 import urlsafe_b64encode
from pathlib import Path

import pytest
from tests.diagnosis.attempts import attempt

from grantway.authorization import consent, request
from grantway.clients import authentication
from grantway.diagnosis import cause_words, shown
from grantway.diagnosis.attempt import NOTHING_KNOWN
from grantway.diagnosis.cause import Cause
from grantway.diagnosis.check_words import WORDS
from grantway.diagnosis.diagnose import diagnose
from grantway.tokens import exchange

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize(
    "text", ["gws_abc", "x gwc_abc", "eyJhbGciOiJIUzI1NiJ9.eyJjbGllbnRfaWQiOiJ4In0.AAAA", "a:" + "2b4719e0" * 8, "$2a$10$1JlVavTr/PhNtYLk"]
)
def test_what_looks_like_a_secret_is_masked(text: str) -> None:
    assert shown.text(text) == shown.MASK


def test_what_is_shown_is_short_and_printable() -> None:
    assert shown.text("a\x00\x1b[1m" + "x" * 200) == "a\ufffd\ufffd[1m" + "x" * 94 + "…"


@pytest.mark.parametrize(
    ("skew", "told"),
    [
        (-312.4, {"age of the JWT": "5 min"}),
        (0, {"age of the JWT": "0.0 s"}),
        (120.0, {"lead of the clock that signed": "120 s"}),
        (None, {"clock_skew_seconds": None}),
    ],
)
def test_how_far_iat_is_off_is_called_what_it_is(skew: float | None, told: dict[str, object]) -> None:
    assert shown.facts({"secret_version": 1, "clock_skew_seconds": skew}) == {"secret_version": 1, **told}


def test_every_cause_has_its_section_and_its_remedy() -> None:
    page = (ROOT / "docs" / "causes.md").read_text("utf-8")
    sections = dict(re.findall(r"^### `(\w+)`\n\n.+\n\n\*\*What to do:\*\* (.+)$", page, re.MULTILINE))
    assert sections == {cause.value: cause.remedy for cause in Cause}


def test_every_cause_is_told_in_the_words_of_its_section() -> None:
    page = (ROOT / "docs" / "causes.md").read_text("utf-8")
    chapters = {}
    for chapter in page.split("\n## ")[1:]:
        told = re.findall(r"^### `(\w+)`\n\n(.+)\n\n\*\*What to do:", chapter, re.MULTILINE)
        chapters[chapter.partition("\n")[0]] = dict(told)
    sections = {title: {cause.value: words for cause, words in section.items()} for title, section in cause_words.SECTIONS.items()}
    assert sections == chapters
    assert set(cause_words.WORDS) == set(Cause)
    assert all(words.count("`") % 2 == 0 for words in cause_words.WORDS.values())


def test_every_check_has_its_words() -> None:
    judged = "".join(Path(module.__file__).read_text("utf-8") for module in (authentication, exchange, request, consent) if module.__file__)
    named = set(re.findall(r'trail\.check\(\s*"(\w+)"', judged)) | set(exchange.ANSWER) | set(request.ANSWER) | set(consent.ANSWER)
    named |= {"iat_not_ahead", "nbf_not_ahead", "code_claimed", "key_known", "client_confidential", "issued_to_client"}
    assert set(WORDS) == named


@pytest.mark.parametrize(
    "text", ["g" * 60_000, "a" * 60_000, ("a" * 47 + "x") * 1200, "a." * 30_000, "aaaaaaaa." + "b" * 60_000, " " * 60_000]
)
def test_long_text_is_looked_through_in_one_pass(text: str) -> None:
    assert len(shown.text(text)) <= shown.MOST + 1


@pytest.mark.parametrize("header", ["a-secret-of-the-operator", "0123456789abcdef0123 x", "gws_x", "Token a-secret", "\tBearer a-secret"])
@pytest.mark.parametrize("endpoint", ["token", "revoke", "introspect"])
def test_nothing_of_a_header_without_a_known_scheme_is_in_a_finding(header: str, endpoint: str) -> None:
    found = diagnose(attempt(b"token=x&client_id=y", endpoint, authorization=header, is_standard=True), NOTHING_KNOWN, frozenset())
    told = repr(found.faults).lower()
    assert "no scheme that is known" in told
    assert not [word for word in header.lower().split() if len(word) > 5 and word != "bearer" and word in told]


@pytest.mark.parametrize("issued", [10**400, -(10**400), 1e300, 253402300800], ids=["long", "long ago", "float", "year 10000"])
def test_a_time_that_no_calendar_holds_is_a_long_skew(issued: float) -> None:
    claims = json.dumps({"client_id": "a", "exp": issued, "iat": issued, "nbf": issued}).encode()
    jwt = ".".join(urlsafe_b64encode(one).rstrip(b"=").decode() for one in (b'{"alg":"HS256"}', claims)) + ".AAAA"
    body = {"client_id": "a", "client_secret": jwt, "redirect_uri": "b", "code": "c"}
    skew = diagnose(attempt(json.dumps(body).encode()), NOTHING_KNOWN, frozenset()).facts["clock_skew_seconds"]
    assert skew in {1e9, -1e9}
