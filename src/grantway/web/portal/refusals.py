"""Why was my app refused? The findings of an app as pages, one by one as a teacher would tell it, and a trace id looked up."""

from collections.abc import Mapping
from datetime import timedelta
from typing import NamedTuple

from grantway.clients.client import Client
from grantway.diagnosis import cause_words, shown
from grantway.diagnosis.check_words import WORDS
from grantway.diagnosis.finding import Fault, Finding, FindingQuery
from grantway.oauth_error import INVALID_REQUEST, NOT_FOUND, RefusedError
from grantway.trail import Outcome
from grantway.web import page
from grantway.web.answer import Answer
from grantway.web.call import Call, Endpoint
from grantway.web.findings import cause_named, switch
from grantway.web.portal import chart
from grantway.web.portal.place import CAUSES, FINDINGS, ONE, get, mine, path_of, refused, show
from grantway.web.side import DEVELOPERS

OF_APP = f"{ONE}/findings"
PAGE = 25
HOURS = {"1": "the last hour", "24": "the last 24 hours", "168": "the last 7 days"}
SENT_BY = {"true": "surely your app", "false": "maybe others"}
"""What `proved` means to a developer."""
KINDS = {
    "token": "a token request",
    "check": "a dry run",
    "request": "a request for consent",
    "consent": "the answer to a request for consent",
    "revoke": "a request to revoke a key",
    "introspect": "a question about a key",
    "integration": "a request for consent from an app of StorX",
}
OUTCOMES = {Outcome.PASSED: "passed", Outcome.FAILED: "failed", Outcome.NOT_REACHED: "not reached"}
_MOST_TRACE_ID = 100
_NOT_NARROWED = {"cause": "", "hours": "", "proved": "", "granted": "", "before": ""}


class Step(NamedTuple):
    """One check as a line: its outcome as a class and in words, what was checked, and what was seen where it failed."""

    outcome: str
    words: str
    text: str
    seen: dict[str, str]


class Mistake(NamedTuple):
    """One fault, how its cause comes about (text and code by turns), and what was seen."""

    fault: Fault
    pieces: list[str]
    seen: dict[str, str]


class Told(NamedTuple):
    """A finding as the template tells it. `what` is what kind of request it was."""

    found: Finding
    what: str
    steps: list[Step]
    faults: list[Mistake]
    facts: dict[str, str]


async def of_app(call: Call) -> Answer:
    """The findings of one app, the newest first, page by page."""
    client = await mine(call)
    query = _NOT_NARROWED | call.query
    found = await call.house.diagnosis.findings(_asked(call, client, query))
    usage = await call.house.diagnosis.usage(client.row_id, chart.since(call.now))
    return show(
        call,
        "portal/findings.html",
        app=client,
        path=path_of(client),
        found=found[:PAGE],
        older=found[PAGE - 1].trace_id if len(found) > PAGE else "",
        query=query,
        causes=sorted({cause.value for cause, _, _ in chart.by_cause(usage, call.now)} | {query["cause"]} - {""}),
        hours=HOURS,
        sent_by=SENT_BY,
        kinds=KINDS,
    )


async def one(call: Call) -> Answer:
    """One finding of an app."""
    client = await mine(call)
    found = await call.house.diagnosis.finding(call.parameters["trace_id"][:_MOST_TRACE_ID], call.account.id)
    if found is None or found.client_row_id != client.row_id:
        raise RefusedError(NOT_FOUND.saying("There is no such finding."))
    return explained(call, found, client)


async def looked_up(call: Call) -> Answer:
    """The finding under a trace id, whichever app's it is; also that of an app that is deleted."""
    trace_id = call.query.get("trace_id", "").strip()[:_MOST_TRACE_ID]
    found = await call.house.diagnosis.finding(trace_id, call.account.id) if trace_id else None
    if found is None:
        problem = "There is no such finding among those of your apps. They are kept for some days only." if trace_id else ""
        return show(call, "portal/lookup.html", status=404 if trace_id else 200, trace=trace_id, problem=problem)
    apps = await call.house.clients.of(call.account.id)
    client = next((app for app in apps if app.row_id == found.client_row_id), None)
    if client is None:
        return explained(call, found, None)
    return page.go(f"{path_of(client)}/findings/{found.trace_id}")


def explained(call: Call, found: Finding, client: Client | None) -> Answer:
    """A finding as a page: what happened, what was seen, what it means, what to do."""
    return show(call, "portal/finding.html", told=told(found), sent_by=SENT_BY, app=client, path=path_of(client) if client else "")


def told(found: Finding) -> Told:
    """A finding in words."""
    return Told(
        found=found,
        what=KINDS.get(found.endpoint, found.endpoint),
        steps=[Step(one.outcome.value, OUTCOMES[one.outcome], WORDS.get(one.name, one.name), _shown(one.evidence)) for one in found.checks],
        faults=[Mistake(fault, _in_pieces(cause_words.WORDS[fault.cause]), _shown(fault.evidence)) for fault in found.faults],
        facts=_shown(shown.facts(found.facts)),
    )


async def causes(call: Call) -> Answer:
    """Every cause by name: how it shows and what to do."""
    await page.session(call, DEVELOPERS)
    sections = {title: [(cause, _in_pieces(words)) for cause, words in section.items()] for title, section in cause_words.SECTIONS.items()}
    return show(call, "portal/causes.html", sections=sections)


def _asked(call: Call, client: Client, query: dict[str, str]) -> FindingQuery:
    """One more than a page has, so that it is known whether there are older ones."""
    if query.keys() != _NOT_NARROWED.keys():
        raise RefusedError(INVALID_REQUEST.saying("The query may have cause, hours, proved, granted and before."))
    if (hours := query["hours"]) and hours not in HOURS:
        raise RefusedError(INVALID_REQUEST.saying("hours is 1, 24 or 168."))
    return FindingQuery(
        developer_id=call.account.id,
        client_row_id=client.row_id,
        cause=cause_named(query["cause"] or None),
        proved=switch("proved", query["proved"] or None),
        since=call.now - timedelta(hours=int(hours)) if hours else None,
        refused_only=not query["granted"],
        before=query["before"][:_MOST_TRACE_ID] or None,
        limit=PAGE + 1,
    )


def _in_pieces(words: str) -> list[str]:
    """Text and code by turns, beginning with text."""
    return words.split("`")


def _shown(evidence: Mapping[str, object]) -> dict[str, str]:
    """Names and values for people; what is not known is left out."""
    words = {True: "yes", False: "no"}
    return {
        name.replace("_", " "): words[value] if isinstance(value, bool) else str(value)
        for name, value in evidence.items()
        if value is not None
    }


PAGES = (
    get(OF_APP, of_app, "Why an app was refused, the newest first"),
    get(f"{OF_APP}/{{trace_id}}", one, "One finding"),
    get(FINDINGS, looked_up, "Look a trace id up"),
    Endpoint(method="GET", path=CAUSES, handler=causes, summary="The causes of refusal by name", refused=refused),
)
