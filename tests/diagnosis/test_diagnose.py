"""Diagnosis without a server: nothing that is sent makes it fail, and its work is the same for everybody."""

import json
from base64 import b64encode, urlsafe_b64encode
from dataclasses import replace
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.authorization.cases import CLIENT
from tests.diagnosis.attempts import NOW, attempt
from tests.json_values import json_values

from grantway.diagnosis import loose_jwt, trial_keys
from grantway.diagnosis.attempt import NOTHING_KNOWN, ForeignSecret, Known, KnownSecret
from grantway.diagnosis.cause import Cause
from grantway.diagnosis.diagnose import diagnose
from grantway.tokens.claim import ClaimOutcome
from grantway.trail import Trail

NAMES = ("client_id", "client_secret", "redirect_uri", "code", "code_verifier", "scope", "request_id", "approved_scopes", "state", "other")
FORM_NAMES = ("grant_type", "client_assertion_type", "client_assertion", "token", "passphrase")


def secret(key: bytes, ended_at: datetime | None = None) -> KnownSecret:
    return KnownSecret(version=1, key=key, ended_at=ended_at)


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


@pytest.mark.parametrize("uri", ["http://localhost:5000/cb", "http://localhost/cb"])
def test_any_port_of_a_loopback_redirect_uri_is_registered(uri: str) -> None:
    """As the judge has it (RFC 8252 section 7.3)."""
    client = replace(CLIENT, redirect_uris=("http://localhost/cb",))
    asked = attempt(json.dumps({"client_id": CLIENT.client_id, "redirect_uri": uri, "scope": ["raed"]}).encode(), "request")
    assert [one.cause for one in diagnose(asked, Known(client=client), frozenset()).faults] == [Cause.SCOPE_UNKNOWN]
