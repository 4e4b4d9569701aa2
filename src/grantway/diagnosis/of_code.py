"""What is wrong with a code, and with what must come back with it: redirect_uri and code_verifier."""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import replace
from urllib.parse import SplitResult, unquote, urlsplit

from grantway import secret_token
from grantway.authorization import pkce
from grantway.authorization.code import LIFETIME, AuthorizationCode
from grantway.clients.client import Client
from grantway.diagnosis import shown
from grantway.diagnosis.attempt import Attempt, Known
from grantway.diagnosis.cause import Cause
from grantway.diagnosis.finding import Fault
from grantway.diagnosis.of_body import fault
from grantway.diagnosis.sent import Sent, Way
from grantway.diagnosis.veil import Veil
from grantway.scopes.meaning import meaning_of


def faults(attempt: Attempt, sent: Sent, client: Client, known: Known) -> Iterator[Fault]:
    """What is wrong with a code that this client presents. Nothing is told of a code that is another's."""
    text = sent.text("code")
    if not text:
        return
    if known.code is None:
        yield _unknown(text, known)
    elif known.code.consent.client_row_id != client.row_id:
        yield fault(Cause.CODE_OF_ANOTHER_CLIENT, "The code was issued to another client.")
    else:
        yield from _time(attempt, sent, known, known.code)
        if not sent.text("redirect_uri"):
            yield from _left_out(known.code) if attempt.is_standard else ()  # else the body's fields tell it
        elif sent.text("redirect_uri") != known.code.redirect_uri:
            yield redirect_uri(sent.veil, sent.text("redirect_uri"), [known.code.redirect_uri], "the code was issued for")
        if known.code.code_challenge is None and sent.way is Way.NONE:
            yield _unbound()
        yield from _pkce(sent.fields.get("code_verifier"), known.code.code_challenge)
        yield from _what_it_gives(known.code)


def redirect_uri(veil: Veil, sent: str, expected: Sequence[str], what: str) -> Fault:
    """Which component of a redirect URI differs from the nearest of those expected; the query's values are not shown."""
    named = min((_differing(sent, one) for one in expected), key=len, default=["it"])
    verdict = f"redirect_uri is not one that {what}: {' and '.join(named)} differ{'s' if len(named) == 1 else ''}."
    differs = ", ".join(named)
    # masked for what its query holds too
    shown_as = shown.MASK if veil.text(sent, 200) == shown.MASK else veil.value(_without_query(sent), 200)
    nearest = min(expected, key=lambda one: len(_differing(sent, one)), default="")
    return fault(Cause.REDIRECT_URI_MISMATCH, verdict, differs=differs, sent=shown_as, expected=shown.text(_without_query(nearest), 200))


def _unknown(text: str, known: Known) -> Fault:
    if known.request_status is not None:
        verdict = f"The code is the id of a consent request ({known.request_status}), not the code that the user's approval made."
        return fault(Cause.CODE_NOT_APPROVED, verdict, request=known.request_status)
    bare = unquote(text).strip()
    if bare.startswith(f"{secret_token.Kind.CODE}_"):
        # no code of ours has a character that a URL would encode
        if bare != text or any(mark in bare for mark in "&?#"):
            return fault(Cause.CODE_TRUNCATED, "The code has something of the URL around it, or is percent-encoded.", characters=len(text))
        if not secret_token.is_intact(text, secret_token.Kind.CODE):
            return fault(Cause.CODE_TRUNCATED, "The code is not whole: its checksum does not hold.", characters=len(text))
        return fault(Cause.CODE_UNKNOWN, "The code is well formed but unknown: too old, or from another server.")
    return fault(Cause.CODE_UNKNOWN, "This is no code of this server.", characters=len(text))


def used(attempt: Attempt, known: Known, when: str, *, may_revoke: bool = True, **evidence: str | float | bool | None) -> Fault:
    """The code was used up before: by whom, where, and what became of the access grant that it gave. `may_revoke`: whoever shows it now
    has shown what it takes to collect it."""
    use = known.code_use
    if use is not None and use.trace_id is not None:
        evidence["used_in"] = use.trace_id
    if use is not None and use.by_same_assertion:
        verdict = f"The code was used {when}, with this very JWT: this is a retry, and nothing was revoked."
        return replace(fault(Cause.CODE_ALREADY_USED, verdict, **evidence, first_grant_revoked=False), remedy=_OF_A_RETRY)
    by = f"The code was used {when} by another request"
    if may_revoke and _is_leak(attempt):
        verdict = f"{by}; because it came again, the access grant that it gave there was revoked."
        return fault(Cause.CODE_ALREADY_USED, verdict, **evidence, first_grant_revoked=True)
    return fault(Cause.CODE_ALREADY_USED, f"{by}.", **evidence)


def claimed_as(attempt: Attempt) -> str:
    """What the claim met, in lower case; empty where none was tried."""
    checks = attempt.trail.checks if attempt.trail else []
    return next((str(check.evidence.get("outcome", "")) for check in checks if check.name == "code_claimed"), "")


def _is_leak(attempt: Attempt) -> bool:
    """Whether the answer revoked what the code gave: it does when an authenticated client shows the code again, but for a retry."""
    if attempt.endpoint != "token" or attempt.is_dry_run or attempt.trail is None:
        return False
    return attempt.trail.first_failed == "code_unused" or claimed_as(attempt) == "used_by_another"


_OF_A_RETRY = "Keep to what the first request was answered; if that answer got lost, ask the user again."


def _time(attempt: Attempt, sent: Sent, known: Known, code: AuthorizationCode) -> Iterator[Fault]:
    # used since then is no fault of this request: the code was looked up after the answer
    if code.used_at is not None and code.used_at <= attempt.at:
        ago = (attempt.at - code.used_at).total_seconds()
        may_revoke = sent.way is not Way.NONE or pkce.proves(sent.text("code_verifier"), code.code_challenge)
        yield used(attempt, known, f"{shown.seconds(max(ago, 0))} before", may_revoke=may_revoke, used_seconds_before=round(ago, 1))
    elif not code.is_fresh(attempt.at):
        age, lifetime = (attempt.at - code.issued_at).total_seconds(), LIFETIME.total_seconds()
        verdict = f"The code was {shown.seconds(age)} old; it lives {lifetime:.0f} s."
        if age < 0:
            verdict = f"The code was made {shown.seconds(-age)} after the time that it is here now: the server's clock was set back."
        yield fault(Cause.CODE_EXPIRED, verdict, age_seconds=round(age, 1), lifetime_seconds=lifetime)
    if not code.consent.is_alive(attempt.at):
        yield fault(Cause.CONSENT_ENDED, "The user's consent was withdrawn or has ended.")


def _left_out(code: AuthorizationCode) -> Iterator[Fault]:
    if code.code_challenge is None:
        verdict = "redirect_uri is missing; it may be left out only where the request had a code_challenge."
        yield fault(Cause.FIELD_MISSING, verdict, field="redirect_uri")


def _unbound() -> Fault:
    verdict = "The client proves nothing but its name, and the request had no code_challenge: nothing says that the code is its own."
    remedy = "Ask for consent with a code_challenge (S256), and send its code_verifier here."
    return replace(fault(Cause.PKCE_MISSING, verdict), remedy=remedy)


def _pkce(verifier: object, challenge: str | None) -> Iterator[Fault]:
    if challenge is None:
        if verifier is not None:
            yield fault(Cause.PKCE_UNEXPECTED, "There is a code_verifier, but the request had no code_challenge.")
        return
    if verifier is None:
        yield fault(Cause.PKCE_MISSING, "The request had a code_challenge, and code_verifier is missing.")
    elif not isinstance(verifier, str) or not pkce.proves(verifier, challenge):
        yield _mismatch(verifier if isinstance(verifier, str) else "", challenge)


def _mismatch(verifier: str, challenge: str) -> Fault:
    if verifier == challenge:
        return fault(Cause.PKCE_VERIFIER_IS_CHALLENGE, "code_verifier is the code_challenge itself.")
    digest = hashlib.sha256(verifier.encode("utf-8", "replace")).hexdigest()
    # of the digest in hex, encoded once more or cut to a challenge's length
    if pkce.challenge_of(digest) == challenge or digest[:43] == challenge:
        return fault(Cause.PKCE_HEX_DIGEST, "The code_challenge was made from the hex digest of the verifier.")
    return fault(Cause.PKCE_MISMATCH, "code_verifier does not belong to the code_challenge of the request.", characters=len(verifier))


def _what_it_gives(code: AuthorizationCode) -> Iterator[Fault]:
    if code.consent.project_id is None or not code.has_project:
        yield fault(Cause.PROJECT_MISSING, "The user has no project to give access to.")
    if not meaning_of(code.consent.scopes).gives_a_permission:
        yield fault(Cause.SCOPE_NO_PERMISSION, "The user approved nothing that gives a permission.")


def _differing(sent: str, expected: str) -> list[str]:
    if sent.strip() == expected.strip():
        return ["white space around it"]
    if unquote(sent) == unquote(expected):
        return ["the percent-encoding"]
    try:
        mine, theirs = urlsplit(sent.strip()), urlsplit(expected)
        named = [name for name, (one, other) in _components(mine, theirs).items() if one != other]
    except ValueError:
        return ["it"]
    if named == ["path"] and mine.path.rstrip("/") == theirs.path.rstrip("/"):
        return ["the slash at the end of the path"]
    if named == ["host"] and (mine.hostname or "") == (theirs.hostname or ""):
        return ["the host's case"]
    return named or ["it"]


def _components(mine: SplitResult, theirs: SplitResult) -> dict[str, tuple[object, object]]:
    return {
        "scheme": (mine.scheme, theirs.scheme),
        "host": (_host(mine), _host(theirs)),
        "port": (mine.port, theirs.port),
        "path": (mine.path, theirs.path),
        "query": (mine.query, theirs.query),
        "fragment": (mine.fragment, theirs.fragment),
    }


def _host(parts: SplitResult) -> str:
    """The host as it was written: `hostname` folds its case."""
    return parts.netloc.rpartition("@")[2].partition(":")[0] if "[" not in parts.netloc else (parts.hostname or "")


def _without_query(uri: str) -> str:
    base, mark, _ = uri.partition("?")
    return base.partition("#")[0] + ("?…" if mark else "")
