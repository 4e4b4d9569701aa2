"""May this client collect this code? Each row changes one thing about an exchange that may."""

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import pytest
from tests.authorization.cases import CLIENT, NOW

from grantway.authorization import pkce
from grantway.authorization.code import AuthorizationCode
from grantway.authorization.consent import Consent
from grantway.clients.authentication import Authenticated
from grantway.tokens import exchange
from grantway.tokens.exchange import CodeExchange, Issue, Refusal, judge
from grantway.trail import Outcome, Trail

VERIFIER = "v" * 43
CONSENT = Consent(
    id="consent",
    request_id="request",
    user_id="user",
    client_row_id="row",
    project_id="project",
    scopes=("read", "bucket:photos"),
    rejected_scopes=(),
    caveat=b"caveat",
    tail_digest=b"t" * 32,
    created_at=NOW,
    not_after=NOW + timedelta(days=30),
)
CODE = AuthorizationCode(
    digest=b"c" * 32,
    consent=CONSENT,
    redirect_uri="https://app.example/cb",
    code_challenge=None,
    issued_at=NOW - timedelta(seconds=10),
    expires_at=NOW + timedelta(seconds=20),
)


@dataclass(frozen=True, kw_only=True)
class Case:
    code: AuthorizationCode | None = CODE
    redirect_uri: str | None = "https://app.example/cb"
    verifier: str | None = None
    is_public: bool = False

    def judged(self) -> tuple[Issue | Refusal, Trail]:
        trail = Trail()
        client = Authenticated(client=CLIENT, secret_version=1, assertion_digest=b"mine", trail=trail)
        presented = CodeExchange(
            client=client,
            redirect_uri=self.redirect_uri,
            code_verifier=self.verifier,
            is_public=self.is_public,
        )
        return judge(presented, self.code, NOW), trail


def code(**changes: Any) -> AuthorizationCode:
    return replace(CODE, **changes)


def consent(**changes: Any) -> AuthorizationCode:
    return replace(CODE, consent=replace(CONSENT, **changes))


WITH_PKCE = code(code_challenge=pkce.challenge_of(VERIFIER))

ISSUED = {
    "nothing changed": Case(),
    "a moment before its end": Case(code=code(expires_at=NOW + timedelta(microseconds=1))),
    "made by a clock that is ahead by as much as it lives": Case(
        code=code(issued_at=NOW + timedelta(seconds=30), expires_at=NOW + timedelta(seconds=60))
    ),
    "with PKCE": Case(code=WITH_PKCE, verifier=VERIFIER),
    "a public client with PKCE": Case(code=WITH_PKCE, verifier=VERIFIER, is_public=True),
    "with PKCE, the redirect URI left out": Case(code=WITH_PKCE, verifier=VERIFIER, redirect_uri=None),
}


@pytest.mark.parametrize("name", ISSUED)
def test_issued(name: str) -> None:
    decision, trail = ISSUED[name].judged()
    assert trail.passed
    assert decision == Issue(ISSUED[name].code or CODE, CONSENT, "project", b"caveat")


REFUSED = {
    "unknown": (Case(code=None), ["code_known"], "invalid_code", False),
    "another client's": (Case(code=consent(client_row_id="other")), ["code_known"], "invalid_code", False),
    "another client's, and used": (Case(code=replace(consent(client_row_id="other"), used_at=NOW)), ["code_known"], "invalid_code", False),
    "used with the same JWT": (Case(code=code(used_at=NOW, used_by=b"mine")), ["code_unused"], "code_already_used", False),
    "used with another JWT": (Case(code=code(used_at=NOW, used_by=b"other")), ["code_unused"], "code_already_used", True),
    "consent withdrawn": (Case(code=consent(withdrawn_at=NOW)), ["consent_alive"], "invalid_code", False),
    "consent ended": (Case(code=consent(not_after=NOW)), ["consent_alive"], "invalid_code", False),
    "code made later than that, before the clock was set back": (
        Case(code=code(issued_at=NOW + timedelta(seconds=31), expires_at=NOW + timedelta(seconds=61))),
        ["code_fresh"],
        "code_expired",
        False,
    ),
    "code expired now": (Case(code=code(expires_at=NOW)), ["code_fresh"], "code_expired", False),
    "another redirect URI": (Case(redirect_uri="https://app.example/cb/"), ["redirect_uri_equal"], "invalid_redirect_uri", False),
    "redirect URI left out, and no PKCE": (Case(redirect_uri=None), ["redirect_uri_equal"], "invalid_redirect_uri", False),
    "loopback port changed": (
        Case(code=code(redirect_uri="http://localhost:1/cb"), redirect_uri="http://localhost:2/cb"),
        ["redirect_uri_equal"],
        "invalid_redirect_uri",
        False,
    ),
    "verifier missing": (Case(code=WITH_PKCE), ["pkce_proved"], "invalid_code", False),
    "verifier wrong": (Case(code=WITH_PKCE, verifier="w" * 43), ["pkce_proved"], "invalid_code", False),
    "verifier unexpected": (Case(verifier=VERIFIER), ["pkce_proved"], "invalid_code", False),
    "verifier unexpected and empty": (Case(verifier=""), ["pkce_proved"], "invalid_code", False),
    "a public client without PKCE": (Case(is_public=True), ["pkce_proved"], "invalid_code", False),
    "no project": (Case(code=consent(project_id=None, caveat=None)), ["project_there"], "no_project", False),
    "no permission": (Case(code=consent(scopes=("bucket:a",), caveat=None)), ["permission_given"], "invalid_scope", False),
    "no scope": (Case(code=consent(scopes=(), caveat=None)), ["permission_given"], "invalid_scope", False),
    "used and expired": (
        Case(code=code(used_at=NOW, used_by=b"other", expires_at=NOW)),
        ["code_unused", "code_fresh"],
        "code_already_used",
        True,
    ),
    "used, by another JWT, and nothing else right": (
        Case(code=replace(consent(withdrawn_at=NOW), used_at=NOW, used_by=b"other"), redirect_uri="x", verifier="x"),
        ["code_unused", "consent_alive", "redirect_uri_equal", "pkce_proved"],
        "code_already_used",
        True,
    ),
    "a public client's, used, with the verifier": (
        Case(code=replace(WITH_PKCE, used_at=NOW, used_by=b"other"), verifier=VERIFIER, is_public=True),
        ["code_unused"],
        "code_already_used",
        True,
    ),
    "a public client's, used, and seen by somebody without the verifier": (
        Case(code=replace(WITH_PKCE, used_at=NOW, used_by=b"other"), is_public=True),
        ["code_unused", "pkce_proved"],
        "code_already_used",
        False,
    ),
    "a public client's, used, and a wrong verifier": (
        Case(code=replace(WITH_PKCE, used_at=NOW, used_by=b"other"), verifier="w" * 43, is_public=True),
        ["code_unused", "pkce_proved"],
        "code_already_used",
        False,
    ),
    "withdrawn and expired": (
        Case(code=replace(consent(withdrawn_at=NOW), expires_at=NOW)),
        ["consent_alive", "code_fresh"],
        "invalid_code",
        False,
    ),
    "expired and another redirect URI": (
        Case(code=code(expires_at=NOW), redirect_uri="x"),
        ["code_fresh", "redirect_uri_equal"],
        "code_expired",
        False,
    ),
    "another redirect URI and no proof": (
        Case(code=WITH_PKCE, redirect_uri="x"),
        ["redirect_uri_equal", "pkce_proved"],
        "invalid_redirect_uri",
        False,
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refused(name: str) -> None:
    case, failed, error, leaked = REFUSED[name]
    decision, trail = case.judged()
    assert isinstance(decision, Refusal)
    assert [check.name for check in trail.checks if check.outcome is Outcome.FAILED] == failed
    assert (decision.error.code, decision.leaked) == (error, leaked)


def test_the_callers_trail_is_continued_and_every_check_has_an_answer() -> None:
    _, trail = Case().judged()
    assert [check.name for check in trail.checks] == list(exchange.ANSWER)
    _, unknown = Case(code=None).judged()
    assert {check.name for check in unknown.checks} == set(exchange.ANSWER)
