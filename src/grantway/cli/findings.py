"""`grantway findings` and `grantway explain`: why apps were refused, for the operator."""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Annotated

import typer

from grantway.app import Grantway, utc_now
from grantway.cli.console import DataOption, JsonOption, fail, print_json
from grantway.cli.offline import with_grantway
from grantway.cli.page import Line, Mark, Page, print_page, printable
from grantway.config import MOST_DAYS
from grantway.diagnosis import shown
from grantway.diagnosis.cause import Cause
from grantway.diagnosis.check_words import WORDS
from grantway.diagnosis.finding import Finding, FindingQuery
from grantway.trail import Check, Outcome
from grantway.web.findings import finding_body

_MARKS = {Outcome.PASSED: Mark.PASSED, Outcome.FAILED: Mark.FAILED, Outcome.NOT_REACHED: Mark.NOT_REACHED}

TraceId = Annotated[str, typer.Argument(metavar="TRACE_ID", help="The trace_id of a refusal.")]
Client = Annotated[str | None, typer.Option("--client", metavar="CLIENT_ID", help="Only this client's.", show_default=False)]
Limit = Annotated[int, typer.Option(min=1, max=1000, help="How many, the newest.")]


def findings(
    client: Client = None,
    cause: Annotated[str | None, typer.Option(help="Only this cause (docs/causes.md).", show_default=False)] = None,
    hours: Annotated[
        float | None, typer.Option(min=0, max=24 * MOST_DAYS, help="Only of the last so many hours.", show_default=False)
    ] = None,
    proved: Annotated[
        bool | None,
        typer.Option(
            "--proved/--not-proved", help="Only where a secret of the client's was proved; or only where none was.", show_default=False
        ),
    ] = None,
    granted: Annotated[bool, typer.Option("--granted", help="Those of exchanges that succeeded too.")] = False,
    limit: Limit = 50,
    data: DataOption = None,
    json: JsonOption = False,
) -> None:
    """List why apps were refused, the newest first."""
    wanted = _named(cause)

    async def work(grantway: Grantway) -> tuple[list[Finding], bool]:
        named, is_deleted = (None, False) if client is None else await grantway.house.clients.one_ever(client)
        query = FindingQuery(
            client_row_id=None if named is None else named.row_id,
            cause=wanted,
            proved=proved,
            since=None if hours is None else utc_now() - timedelta(hours=hours),
            refused_only=not granted,
            limit=limit,
        )
        return await grantway.house.diagnosis.findings(query), is_deleted

    found, is_deleted = with_grantway(data, work)
    if json:
        print_json({"findings": [finding_body(one) for one in found], **({} if client is None else {"client_is_deleted": is_deleted})})
        return
    if is_deleted:
        print("This client is deleted; its findings are kept as others are.")
    for one in found:
        print(_in_a_row(one))
    if not found:
        print("Nothing was refused." if not granted else "There are no findings.")


def _named(cause: str | None) -> Cause | None:
    """The cause of that name; ends with a clear message where there is none."""
    if cause is None:
        return None
    if cause.upper() not in Cause.__members__:
        fail(f"there is no cause {cause!r}; they are in docs/causes.md", 2)
    return Cause[cause.upper()]


def _in_a_row(one: Finding) -> str:
    what = one.cause.value if one.cause else "granted"
    times = (" (proved)" if one.cause and one.proved else "") + (f" ×{one.seen}" if one.seen > 1 else "")
    answered = f"{one.called or one.endpoint:25} {one.status}"
    return f"{one.at:%Y-%m-%d %H:%M:%S}Z  {one.trace_id}  {answered}  {what}{times}  {printable(one.claimed)}"


def explain(trace_id: TraceId, data: DataOption = None, json: JsonOption = False) -> None:
    """Explain one answer: what was checked, what was wrong, what to do."""

    async def work(grantway: Grantway) -> Finding | None:
        return await grantway.house.diagnosis.finding(trace_id, None)

    found = with_grantway(data, work)
    if found is None:
        fail("there is no finding under this trace_id; findings are kept for some days only (GRANTWAY_FINDINGS_DAYS)", 1)
    if json:
        print_json(finding_body(found))
    else:
        print_page(page(found, utc_now()))


def page(found: Finding, now: datetime) -> Page:
    """A finding as a page."""
    first = found.faults[0] if found.faults else None
    return Page(
        title=_title(found, now),
        verdict=f"{first.verdict} [{first.cause.value}]" if first else "The request was granted.",
        lines=[_line(one) for one in found.checks],
        remedy=first.remedy if first else "nothing.",
        notes=list(_notes(found)),
    )


def _line(one: Check) -> Line:
    """What was seen is worth its room where the check failed."""
    seen = _told(one.evidence) if one.outcome is Outcome.FAILED else ""
    return Line(mark=_MARKS[one.outcome], text=WORDS.get(one.name, one.name), evidence=seen)


def _title(found: Finding, now: datetime) -> str:
    about = f"{found.client_name} ({found.client_id})" if found.client_id else found.claimed or "no client"
    answered = f"{found.status} {found.error}" if found.error else str(found.status)
    ago = shown.seconds(max((now - found.at).total_seconds(), 0))
    return f"{found.called or found.endpoint} answered {answered} to {about}, {ago} ago ({found.at:%Y-%m-%d %H:%M:%S} UTC)"


def _notes(found: Finding) -> Iterator[str]:
    if found.faults and (seen := _told(found.faults[0].evidence)):
        yield f"Seen: {seen}"
    for one in found.faults[1:]:
        yield f"Also: {one.verdict} {one.remedy} [{one.cause.value}]"
    if known := _told(shown.facts(found.facts)):
        yield f"Known: {known}"
    if found.faults and found.proved:
        yield "Proved: whoever sent this has a secret of the client's, or had."
    if found.seen > 1:
        yield f"This stands for {found.seen} answers of the kind."


def _told(evidence: Mapping[str, object]) -> str:
    return ", ".join(f"{name.replace('_', ' ')}: {value}" for name, value in evidence.items() if value is not None)
