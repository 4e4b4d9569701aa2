"""Diagnosis without a server: nothing that is sent makes it fail, and its work is the same for everybody."""

import asyncio
import itertools
import json
import re
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.authorization.cases import CLIENT
from tests.json_values import json_values

from grantway.authorization import consent, request
from grantway.clients import authentication
from grantway.diagnosis import cause_words, loose_jwt, shown, trial_keys, use_cases, waiting
from grantway.diagnosis.attempt import NOTHING_KNOWN, Attempt, ForeignSecret, Known, KnownSecret
from grantway.diagnosis.cause import Cause
from grantway.diagnosis.check_words import WORDS
from grantway.diagnosis.diagnose import diagnose
from grantway.diagnosis.finding import Finding, FindingQuery
from grantway.diagnosis.use_cases import Diagnosis
from grantway.sealing import Sealing
from grantway.tokens import exchange
from grantway.tokens.claim import ClaimOutcome
from grantway.trail import Trail

NOTHING: Any = None
NOW = datetime(2026, 1, 31, 12, tzinfo=UTC)
ROOT = Path(__file__).resolve().parents[2]
NAMES = ("client_id", "client_secret", "redirect_uri", "code", "code_verifier", "scope", "request_id", "approved_scopes", "state", "other")
_NUMBERS = itertools.count(1)
FORM_NAMES = ("grant_type", "client_assertion_type", "client_assertion", "token", "passphrase")


def attempt(text: bytes, endpoint: str = "token", **more: Any) -> Attempt:
    return Attempt(trace_id=f"{next(_NUMBERS):032}", at=NOW, endpoint=endpoint, status=400, error="invalid_request", text=text, **more)


@given(st.binary(), st.sampled_from(["token", "check", "request", "consent"]), st.text(), st.text())
def test_any_bytes(text: bytes, endpoint: str, query: str, authorization: str) -> None:
    found = diagnose(attempt(text, endpoint, query=query, authorization=authorization), NOTHING_KNOWN, frozenset())
    assert found.cause is not None


@given(st.dictionaries(st.sampled_from([*NAMES, *FORM_NAMES]), st.text()), st.sampled_from(["token", "revoke", "introspect"]), st.text())
def test_any_form(fields: dict[str, str], endpoint: str, credentials: str) -> None:
    text = urlencode(fields, errors="replace").encode()
    for authorization in ("", f"Basic {credentials}", "Basic " + b64encode(credentials.encode("utf-8", "replace")).decode()):
        sent = attempt(text, endpoint, is_standard=True, authorization=authorization, content_type="application/x-www-form-urlencoded")
        for known in (NOTHING_KNOWN, Known(client=CLIENT, secrets=(secret(b"s" * 40),))):
            assert diagnose(sent, known, frozenset()).faults


@given(st.binary(), st.text(), st.text())
def test_any_bytes_as_a_form(text: bytes, content_type: str, authorization: str) -> None:
    sent = attempt(text, is_standard=True, authorization=authorization, content_type=content_type)
    assert diagnose(sent, NOTHING_KNOWN, frozenset()).cause is not None


@given(st.dictionaries(st.sampled_from(NAMES), json_values), st.sampled_from(["token", "check", "request", "consent"]))
def test_any_fields(fields: dict[str, Any], endpoint: str) -> None:
    found = diagnose(attempt(json.dumps(fields).encode(), endpoint), NOTHING_KNOWN, frozenset({"https://here.example"}))
    assert found.faults


@given(st.text(alphabet="eyJhbGciOiJ9.-_=+/ \n\"'0{}"))
def test_any_jwt(text: str) -> None:
    loose_jwt.read(text)


CLAIMS = st.dictionaries(st.sampled_from(["client_id", "exp", "iat", "nbf", "aud", "iss", "jti"]), json_values)


@given(CLAIMS, st.dictionaries(st.sampled_from(["alg", "crit", "typ"]), json_values))
def test_any_claims(claims: dict[str, Any], header: dict[str, Any]) -> None:
    jwt = ".".join(urlsafe_b64encode(json.dumps(one).encode()).rstrip(b"=").decode() for one in (header, claims)) + ".AAAA"
    body = {"client_id": "a", "client_secret": jwt, "redirect_uri": "b", "code": "c"}
    assert diagnose(attempt(json.dumps(body).encode()), NOTHING_KNOWN, frozenset({"https://here.example"})).faults


def secret(key: bytes, ended_at: datetime | None = None) -> KnownSecret:
    return KnownSecret(version=1, key=key, ended_at=ended_at)


@pytest.mark.parametrize(
    "known",
    [
        NOTHING_KNOWN,
        Known(secrets=(secret(b"s" * 40),)),
        Known(secrets=(secret(b"ab" * 32), secret(b"o" * 40, NOW), secret(b"p" * 40, NOW))),
        Known(secrets=(secret(b"s$HOME" * 8),), foreign=tuple(ForeignSecret(client_id="x", key=bytes([n]) * 32) for n in range(3))),
        Known(secrets=(secret(b"o" * 40, NOW),)),
    ],
)
def test_as_many_trials_for_everybody(known: Known) -> None:
    assert len(trial_keys.trial_keys(known, "claimed")) == trial_keys.TRIALS


def test_variants_for_the_developers_side() -> None:
    named = dict(trial_keys.variants(" 2b4719e00623ad66 \n"))
    assert named["whitespace_stripped"] == b"2b4719e00623ad66"
    assert named["hex_decoded"] == bytes.fromhex("2b4719e00623ad66")
    assert len(set(named.values())) == len(named)


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


CAUSE_OF_OUTCOME = {
    ClaimOutcome.USED_BY_THIS_ASSERTION: Cause.CODE_ALREADY_USED,
    ClaimOutcome.USED_BY_ANOTHER: Cause.CODE_ALREADY_USED,
    ClaimOutcome.ASSERTION_USED_ELSEWHERE: Cause.ASSERTION_REPLAYED,
    ClaimOutcome.CLIENT_ENDED: Cause.CLIENT_DISABLED,
    ClaimOutcome.SECRET_ENDED: Cause.RETIRED_SECRET,
    ClaimOutcome.CONSENT_ENDED: Cause.CONSENT_ENDED,
    ClaimOutcome.PROJECT_GONE: Cause.PROJECT_MISSING,
}


@pytest.mark.parametrize("outcome", [one for one in ClaimOutcome if one is not ClaimOutcome.CLAIMED], ids=lambda outcome: outcome.name)
def test_what_a_claim_met_is_explained(outcome: ClaimOutcome) -> None:
    trail = Trail()
    trail.check("code_claimed", False, outcome=outcome.name.lower())
    sent = b'{"client_id": "a", "client_secret": "a.b.c", "redirect_uri": "https://app.example/cb", "code": "c"}'
    found = diagnose(attempt(sent, trail=trail), NOTHING_KNOWN, frozenset())
    assert CAUSE_OF_OUTCOME[outcome] in {one.cause for one in found.faults}
    assert any("was revoked" in one.verdict for one in found.faults) == (outcome is ClaimOutcome.USED_BY_ANOTHER)


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


def test_what_waits_is_bounded() -> None:
    lost: list[int] = []
    diagnosis = Diagnosis(NOTHING, NOTHING, Sealing.under(b"k" * 32), frozenset(), lost=lost.append)
    for _ in range(waiting.MOST_BYTES // 64_000 + 5):
        diagnosis.record(attempt(b"x" * 64_000))
    assert sum(lost) == 5


@pytest.mark.parametrize("name", ["query", "authorization"])
def test_what_stands_beside_the_body_weighs_as_much(name: str) -> None:
    lost: list[int] = []
    diagnosis = Diagnosis(NOTHING, NOTHING, Sealing.under(b"k" * 32), frozenset(), lost=lost.append)
    for _ in range(waiting.MOST_BYTES // 16_000 + 5):
        diagnosis.record(attempt(b"", **{name: "x" * 16_000}))
    assert sum(lost) == 5


def test_a_source_with_few_waiting_has_room_in_a_flood_and_no_more() -> None:
    lost: list[int] = []
    diagnosis = Diagnosis(NOTHING, NOTHING, Sealing.under(b"k" * 32), frozenset(), lost=lost.append)
    for number in range(waiting.MOST_WAITING + 7):
        diagnosis.record(attempt(b"", source=f"flood {number % 3}"))
    assert sum(lost) == 7
    for _ in range(waiting.FEW_FROM_ONE + 3):
        diagnosis.record(attempt(b"", source="elsewhere"))
    assert sum(lost) == 10
    for number in range(2 * waiting.MOST_WAITING):
        diagnosis.record(attempt(b"", source=f"one of thousands {number}"))
    assert len(diagnosis._waiting) == 2 * waiting.MOST_WAITING


@pytest.mark.parametrize("error", ["method_not_allowed", "unauthorized"])
def test_of_what_no_limit_stands_before_few_wait_of_one_source(error: str) -> None:
    lost: list[int] = []
    diagnosis = Diagnosis(NOTHING, NOTHING, Sealing.under(b"k" * 32), frozenset(), lost=lost.append)
    for source in ("flood", "elsewhere"):
        for _ in range(waiting.FEW_FROM_ONE + 7):
            diagnosis.record(replace(attempt(b"", "request", source=source), error=error))
    assert len(diagnosis._waiting) == 2 * waiting.FEW_FROM_ONE
    assert sum(lost) == 14
    diagnosis.record(attempt(b"", source="flood"))  # its other refusals wait all the same
    assert sum(lost) == 14


def test_requests_that_wait_go_before_each_finding_of_a_refusal() -> None:
    """Also where so many wait that nothing is looked up."""
    diagnosis = Diagnosis(NOTHING, NOTHING, Sealing.under(b"k" * 32), frozenset())
    for _ in range(waiting.MOST_LOOKED_UP + 100):
        diagnosis.record(attempt(b"", source="flood"))

    async def turns() -> tuple[int, int]:
        making, count = asyncio.create_task(diagnosis._made(use_cases.LOOKED_UP_A_ROUND)), 0
        while not making.done():
            count += 1
            await asyncio.sleep(0)
        return count, len(making.result())

    count, made = asyncio.run(turns())
    assert count >= made >= 100


class _Kept:
    """Findings as they would be stored."""

    def __init__(self) -> None:
        self.all: list[Finding] = []

    async def keep(self, findings: Sequence[Finding]) -> None:
        self.all += findings

    async def finding(self, trace_id: str, _developer_id: str | None) -> Finding | None:
        return next((one for one in self.all if one.trace_id == trace_id), None)

    async def findings(self, _query: FindingQuery) -> list[Finding]:
        return list(self.all)


def flooded(*own: Attempt) -> Diagnosis:
    """What waits in a flood of one source, with what else came in the middle of it."""
    storage: Any = _Kept()
    diagnosis = Diagnosis(NOTHING, storage, Sealing.under(b"k" * 32), frozenset())
    for one in [attempt(b"", source="flood") for _ in range(2_000)]:
        diagnosis.record(one)
    for one in [*own, *(attempt(b"", source="flood") for _ in range(2_000))]:
        diagnosis.record(one)
    return diagnosis


def test_whoever_reads_in_a_flood_waits_for_what_is_none_of_it() -> None:
    own = [attempt(b"", source="own") for _ in range(3)]
    found = asyncio.run(flooded(*own).findings(FindingQuery()))
    assert {one.trace_id for one in own} <= {one.trace_id for one in found}
    assert len(found) == waiting.FEW_FROM_ONE + len(own)


def test_whoever_reads_one_finding_waits_for_that_alone() -> None:
    own = attempt(b"", source="flood")
    diagnosis = flooded(own)

    async def read() -> tuple[Finding | None, list[Finding]]:
        found = await diagnosis.finding(own.trace_id, None)
        kept: Any = diagnosis._kept
        return found, list(kept.all)

    found, made = asyncio.run(read())
    assert [found] == made
    assert found is not None
    assert found.trace_id == own.trace_id


def test_a_round_is_cut_short_for_whoever_reads() -> None:
    diagnosis = flooded()

    async def read() -> int:
        round_of_nobody = asyncio.create_task(diagnosis._round(use_cases.LOOKED_UP_A_ROUND))
        await asyncio.sleep(0)
        assert await diagnosis.finding("none", None) is None
        await round_of_nobody
        kept: Any = diagnosis._kept
        return len(kept.all)

    assert asyncio.run(read()) == use_cases.LOOKED_UP_A_ROUND


def test_readers_who_come_together_have_it_made_once() -> None:
    diagnosis = flooded()

    async def read() -> list[int]:
        found = await asyncio.gather(*(diagnosis.findings(FindingQuery()) for _ in range(5)))
        return [len(one) for one in found]

    assert asyncio.run(read()) == [waiting.FEW_FROM_ONE] * 5


def test_of_many_exchanges_at_once_a_few_get_findings_and_all_are_counted() -> None:
    kept, counted = _Kept(), list[int]()
    storage: Any = kept
    diagnosis = Diagnosis(NOTHING, storage, Sealing.under(b"k" * 32), frozenset(), found=lambda one: counted.append(one.seen))
    asked = 0

    def granted() -> Attempt:
        nonlocal asked
        asked += 1
        return Attempt(trace_id=f"{asked:032}", at=NOW, endpoint="token", status=200, error=None)

    for _ in range(3 * use_cases.GRANTED_IN_ONE_GO + 7):
        diagnosis.record_granted("", granted)
    asyncio.run(diagnosis.drain())
    assert len(kept.all) == len(counted) == use_cases.GRANTED_IN_ONE_GO
    assert sum(one.seen for one in kept.all) == sum(counted) == 3 * use_cases.GRANTED_IN_ONE_GO + 7
    assert asked == use_cases.GRANTED_IN_ONE_GO
    diagnosis.record_granted("", granted)
    asyncio.run(diagnosis.drain())
    assert kept.all[-1].seen == 1


class _Flooded(_Kept):
    """Findings as they would be stored, while the next refusal comes already."""

    diagnosis: Diagnosis

    async def keep(self, findings: Sequence[Finding]) -> None:
        await super().keep(findings)
        if len(self.all) < 100:  # or a drain that waits for its end would never end
            self.diagnosis.record(attempt(b"", source="flood"))


def test_a_server_that_stops_makes_all_that_came_before_and_does_not_wait_for_the_end_of_a_flood() -> None:
    kept = _Flooded()
    storage: Any = kept
    kept.diagnosis = Diagnosis(NOTHING, storage, Sealing.under(b"k" * 32), frozenset())
    for _ in range(use_cases.MOST_IN_ONE_GO + 1):
        kept.diagnosis.record(attempt(b"", source="flood"))
    asyncio.run(kept.diagnosis.drain())
    assert len(kept.all) >= use_cases.MOST_IN_ONE_GO + 1
    kept.all.clear()
    asyncio.run(kept.diagnosis.drain())
    assert len(kept.all) <= 2


@pytest.mark.parametrize("uri", ["http://localhost:5000/cb", "http://localhost/cb"])
def test_any_port_of_a_loopback_redirect_uri_is_registered(uri: str) -> None:
    """As the judge has it (RFC 8252 section 7.3)."""
    client = replace(CLIENT, redirect_uris=("http://localhost/cb",))
    asked = attempt(json.dumps({"client_id": CLIENT.client_id, "redirect_uri": uri, "scope": ["raed"]}).encode(), "request")
    assert [one.cause for one in diagnose(asked, Known(client=client), frozenset()).faults] == [Cause.SCOPE_UNKNOWN]


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
