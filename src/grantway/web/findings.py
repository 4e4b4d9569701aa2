"""Why was my app refused? A developer's findings, and the dry run (docs/findings.md)."""

from datetime import datetime

import msgspec

from grantway.accounts.account import Kind
from grantway.diagnosis.cause import Cause
from grantway.diagnosis.finding import Evidence, Fault, Finding, FindingQuery
from grantway.oauth_error import INVALID_REQUEST, NOT_FOUND, RefusedError
from grantway.tokens.token_request import Refused
from grantway.trail import Outcome
from grantway.web.afterwards import attempt
from grantway.web.answer import Answer, iso, refusal
from grantway.web.call import Call, Endpoint
from grantway.web.clients import ONE
from grantway.web.rate_limits import Limited
from grantway.web.sign_in import BASE
from grantway.web.token import TokenBody, token_request

PATH = f"{BASE[Kind.DEVELOPER]}/oauth2/findings"
CHECK_PATH = "/api/v0/oauth2/token/check"
MOST, USUAL = 200, 50


class FaultBody(msgspec.Struct):
    """One thing that was wrong."""

    cause: str
    verdict: str
    remedy: str
    evidence: dict[str, Evidence]


class CheckBody(msgspec.Struct):
    """One check: `passed`, `failed` or `not_reached`."""

    name: str
    outcome: str
    evidence: dict[str, Evidence]


class FindingBody(msgspec.Struct):
    """One answer explained. `cause`, `verdict` and `remedy` are those of the first fault; null when it was granted."""

    trace_id: str
    at: str
    endpoint: str
    method: str
    path: str
    status: int
    error: str | None
    outcome: str
    claimed: str
    client_id: str | None
    client_name: str | None
    cause: str | None
    verdict: str | None
    remedy: str | None
    faults: tuple[FaultBody, ...]
    checks: tuple[CheckBody, ...]
    right: tuple[str, ...]
    facts: dict[str, Evidence]
    proved: bool
    seen: int


class FindingsBody(msgspec.Struct):
    """A page of findings, the newest first; `next` is what `before` must be for the page after it."""

    findings: tuple[FindingBody, ...]
    next: str | None


def finding_body(finding: Finding) -> FindingBody:
    """A finding as our JSON has it."""
    first = finding.faults[0] if finding.faults else None
    return FindingBody(
        trace_id=finding.trace_id,
        at=iso(finding.at),
        endpoint=finding.endpoint,
        method=finding.method,
        path=finding.path,
        status=finding.status,
        error=finding.error,
        outcome="granted" if first is None else "refused",
        claimed=finding.claimed,
        client_id=finding.client_id,
        client_name=finding.client_name,
        cause=first.cause.value if first else None,
        verdict=first.verdict if first else None,
        remedy=first.remedy if first else None,
        faults=tuple(map(_fault, finding.faults)),
        checks=tuple(CheckBody(one.name, one.outcome.value, _evidence(one.evidence)) for one in finding.checks),
        right=tuple(one.name for one in finding.checks if one.outcome is Outcome.PASSED),
        facts=dict(finding.facts),
        proved=finding.proved,
        seen=finding.seen,
    )


async def of_mine(call: Call) -> Answer:
    """All findings that this developer may see."""
    return await _page(call, None)


async def of_client(call: Call) -> Answer:
    """The findings of one client of this developer's."""
    known = await call.house.clients.one(call.account.id, call.parameters["either_id"])
    return await _page(call, known.row_id)


async def one(call: Call) -> Answer:
    """One finding; another developer's is as if there were none."""
    found = await call.house.diagnosis.finding(call.parameters["trace_id"], call.account.id)
    if found is None:
        raise RefusedError(NOT_FOUND.saying("There is no such finding."))
    return Answer(body=finding_body(found))


async def check(call: Call) -> Answer:
    """Judge a token request without using anything up: what would be answered, and why."""
    return Answer(body=finding_body(await dry_run(call)))


async def dry_run(call: Call) -> Finding:
    """What the token request in `call.body` would be answered, and why; another developer's client is an unknown one."""
    outcome = await call.house.tokens.check(token_request(call), call.account.id, call.now)
    call.trail = outcome.trail
    answer = refusal(outcome.error, call.trace_id) if isinstance(outcome, Refused) else Answer()
    return await call.house.diagnosis.explain(attempt(call, "check", answer), call.account.id)


async def _page(call: Call, client_row_id: str | None) -> Answer:
    query = call.query
    unknown = query.keys() - {"cause", "proved", "since", "until", "before", "limit"}
    if unknown:
        raise RefusedError(INVALID_REQUEST.saying("The query may have cause, proved, since, until, before and limit."))
    asked = FindingQuery(
        developer_id=call.account.id,
        client_row_id=client_row_id,
        cause=cause_named(query.get("cause")),
        proved=switch("proved", query.get("proved")),
        since=_moment("since", query.get("since")),
        until=_moment("until", query.get("until")),
        before=query.get("before"),
        limit=_limit(query.get("limit")),
    )
    found = await call.house.diagnosis.findings(asked)
    following = found[-1].trace_id if len(found) == asked.limit else None
    return Answer(body=FindingsBody(tuple(map(finding_body, found)), following))


def cause_named(text: str | None) -> Cause | None:
    """The cause of that name; `invalid_request` when there is none."""
    if text is None:
        return None
    found = Cause.__members__.get(text.upper())
    if found is None:
        raise RefusedError(INVALID_REQUEST.saying("cause is none of the causes in docs/causes.md."))
    return found


def switch(name: str, text: str | None) -> bool | None:
    """What a parameter of that name says, if it is there; `invalid_request` for anything but true and false."""
    if text not in {None, "true", "false"}:
        raise RefusedError(INVALID_REQUEST.saying(f"{name} must be true or false."))
    return None if text is None else text == "true"


def _moment(name: str, text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        moment = None
    # a time without an offset would mean another moment on each machine
    if moment is None or moment.tzinfo is None:
        raise RefusedError(INVALID_REQUEST.saying(f"{name} must be a time as RFC 3339 has it, such as 2026-01-31T12:00:00Z."))
    return moment


def _limit(text: str | None) -> int:
    if text is None:
        return USUAL
    # its length first: `int` fails with thousands of digits, and takes other digits than ours
    if not (len(text) <= len(str(MOST)) and text.isascii() and text.isdigit() and 1 <= int(text) <= MOST):
        raise RefusedError(INVALID_REQUEST.saying(f"limit must be 1 to {MOST}."))
    return int(text)


def _fault(one: Fault) -> FaultBody:
    return FaultBody(one.cause.value, one.verdict, one.remedy, dict(one.evidence))


def _evidence(evidence: object) -> dict[str, Evidence]:
    return msgspec.convert(evidence, dict[str, Evidence])


ENDPOINTS = (
    Endpoint(
        method="GET",
        path=PATH,
        handler=of_mine,
        summary="Why my apps were refused, the newest first",
        answer=FindingsBody,
        signed_in=Kind.DEVELOPER,
        errors=(INVALID_REQUEST,),
    ),
    Endpoint(
        method="GET",
        path=f"{PATH}/{{trace_id}}",
        handler=one,
        summary="One finding",
        answer=FindingBody,
        signed_in=Kind.DEVELOPER,
        errors=(NOT_FOUND,),
    ),
    Endpoint(
        method="GET",
        path=f"{ONE}/findings",
        handler=of_client,
        summary="Why one app was refused, the newest first",
        answer=FindingsBody,
        signed_in=Kind.DEVELOPER,
        errors=(INVALID_REQUEST, NOT_FOUND),
    ),
    Endpoint(
        method="POST",
        path=CHECK_PATH,
        handler=check,
        summary="Try a token request: nothing is used up, nothing issued",
        body=TokenBody,
        answer=FindingBody,
        signed_in=Kind.DEVELOPER,
        limited=Limited.CHANGE,
        diagnosed="check",
    ),
)
