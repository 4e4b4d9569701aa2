"""Findings are kept within quotas: a loop cannot fill the disk, and strangers cannot drive the real ones out."""

import asyncio
import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from tests.storage.world import world

from grantway.diagnosis.cause import Cause
from grantway.diagnosis.finding import Fault, Finding, FindingQuery, Usage
from grantway.storage import findings, migrate
from grantway.storage.findings import Findings
from grantway.trail import Check, Outcome

NOW = datetime(2026, 1, 31, 12, tzinfo=UTC)


def finding(
    number: int, cause: Cause | None = Cause.UNKNOWN_KEY, client: str | None = "c1", source: str | None = None, *, proved: bool = False
) -> Finding:
    faults = (Fault(cause=cause, verdict="v", remedy="r", evidence={"a": 1, "b": None, "c": 1.5, "d": "x"}),) if cause else ()
    return Finding(
        trace_id=f"{cause}-{client}-{number:032}{source or ''}",
        at=NOW + timedelta(seconds=number),
        endpoint="token",
        status=401,
        error="invalid_client",
        claimed="x",
        client_row_id=client,
        developer_id=client and "d1",
        faults=faults,
        checks=(Check("signature_valid", Outcome.FAILED, {"age": 1}),),
        proved=proved or cause is None,
        source=f"{number}" if source is None else source,
    )


def test_round_trip(tmp_path: Path) -> None:
    async def story() -> None:
        async with world(tmp_path) as there:
            kept = Findings(there.grantway.database)
            await kept.keep([finding(1), finding(1)])
            assert await kept.finding(finding(1).trace_id, "d1") == finding(1)
            assert await kept.finding(finding(1).trace_id, "d2") is None

    asyncio.run(story())


def test_a_flood_keeps_within_its_quota_and_drives_no_other_cause_out(tmp_path: Path) -> None:
    async def story() -> None:
        async with world(tmp_path) as there:
            kept = Findings(there.grantway.database)
            await kept.keep([finding(0, Cause.SECRET_WITH_WHITESPACE)])
            for start in range(1, 400, 50):
                await kept.keep([finding(number) for number in range(start, start + 50)])
            left = await kept.findings(FindingQuery(client_row_id="c1", limit=1000))
            assert len(left) == findings.REFUSED_KEPT + 1
            assert left[-1].cause is Cause.SECRET_WITH_WHITESPACE
            assert sum(one.seen for one in left) == 401

    asyncio.run(story())


def flood(count: int, sources: int, *, proved: bool = False) -> list[Finding]:
    """Newer ones than any other of a story, from so many sources."""
    return [finding(1000 + number, source=f"s{number % sources}", proved=proved) for number in range(count)]


APART: dict[str, tuple[list[Finding], list[Finding], int, int]] = {
    # what was there, what comes, how many of each are left
    "one stranger and another": ([finding(1, source="mine")], flood(400, 1), 1, 20),
    "one stranger and the tries of another": ([finding(number, source="mine") for number in range(15)], flood(400, 1), 15, 20),
    "five and another": ([finding(number, source="mine") for number in range(15)], flood(400, 5), 15, 85),
    "ninety-nine and another": ([finding(1, source="mine")], flood(400, 99), 1, 99),
    "a thousand and the app": ([finding(number, source=f"jwt{number}", proved=True) for number in range(100)], flood(2000, 1000), 100, 100),
    "a JWT that is sent again and the app": (
        [finding(number, source=f"jwt{number}", proved=True) for number in range(60)], flood(400, 1, proved=True), 60, 20,
    ),
}  # fmt: skip


@pytest.mark.parametrize(("before", "coming", "left_before", "left_coming"), APART.values(), ids=APART)
def test_whoever_sends_thousands_takes_a_share(
    tmp_path: Path, before: list[Finding], coming: list[Finding], left_before: int, left_coming: int
) -> None:
    async def story() -> None:
        async with world(tmp_path) as there:
            kept = Findings(there.grantway.database)
            await kept.keep(before)
            for start in range(0, len(coming), 70):
                await kept.keep(coming[start : start + 70])
            left = await kept.findings(FindingQuery(client_row_id="c1", limit=1000))
            mine = {one.trace_id for one in before}
            assert sum(one.trace_id in mine for one in left) == left_before
            assert len(left) == left_before + left_coming
            assert sum(one.seen for one in left) == len(before) + len(coming)
            assert left[0].trace_id == coming[-1].trace_id  # the newest stays always

    asyncio.run(story())


def test_what_was_kept_before_sources_were_known_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, steps = tmp_path / "x.db", migrate.all_migrations()
    at = next(number for number, step in enumerate(steps) if any("ADD COLUMN source" in one for one in step.statements))
    monkeypatch.setattr(migrate, "all_migrations", lambda: steps[:at])
    migrate.upgrade(path)
    sql = "INSERT INTO findings (trace_id, at, cause, client_row_id, seen, finding) VALUES (?, ?, ?, 'c1', 1, '')"
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.executemany(sql, [("a", 1, "alg_none"), ("b", 2, "alg_none"), ("c", 3, "")])
    monkeypatch.undo()
    migrate.upgrade(path)
    with closing(sqlite3.connect(path)) as connection:
        kept = connection.execute("SELECT trace_id, proved, source FROM findings ORDER BY at").fetchall()
    assert kept == [("a", 0, "a"), ("b", 0, "b"), ("c", 0, "")]


def test_those_of_no_client_have_a_quota_of_their_own(tmp_path: Path) -> None:
    async def story() -> None:
        async with world(tmp_path) as there:
            kept = Findings(there.grantway.database)
            await kept.keep([finding(number, Cause.CLIENT_UNKNOWN, None) for number in range(findings.UNKNOWN_KEPT + 20)])
            assert len(await kept.findings(FindingQuery(limit=1000))) == findings.UNKNOWN_KEPT

    asyncio.run(story())


def test_they_end(tmp_path: Path) -> None:
    async def story() -> None:
        async with world(tmp_path) as there:
            kept = Findings(there.grantway.database)
            await kept.keep([finding(1)])
            await there.grantway.tidy(NOW + timedelta(days=13))
            assert await kept.findings(FindingQuery())
            await there.grantway.tidy(NOW + timedelta(days=15))
            assert not await kept.findings(FindingQuery())

    asyncio.run(story())


def test_usage_counts_what_findings_leave_out_and_ends_with_them(tmp_path: Path) -> None:
    async def story() -> None:
        async with world(tmp_path) as there:
            kept = Findings(there.grantway.database)
            for start in range(0, 400, 50):
                await kept.keep([finding(number) for number in range(start, start + 50)])
            await kept.keep([finding(3600), finding(3601, None), finding(3601, None), finding(1, client="c2"), finding(1, client=None)])
            first, second = (NOW + timedelta(hours=hours) for hours in range(2))
            granted = Usage(hour=second, cause=None, answers=1)  # the same finding twice counts once
            wrong = [Usage(hour=first, cause=Cause.UNKNOWN_KEY, answers=400), Usage(hour=second, cause=Cause.UNKNOWN_KEY, answers=1)]
            assert await kept.usage("c1", NOW) == [wrong[0], granted, wrong[1]]
            assert await kept.usage("c1", second) == [granted, wrong[1]]
            assert await kept.usage("", NOW) == []
            await there.grantway.tidy(first + timedelta(days=14, minutes=1))
            assert await kept.usage("c1", NOW) == [granted, wrong[1]]
            await there.grantway.tidy(first + timedelta(days=15))
            assert await kept.usage("c1", NOW) == []

    asyncio.run(story())


def test_usage_begins_with_the_findings_that_there_are(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, steps = tmp_path / "x.db", migrate.all_migrations()
    at = next(number for number, step in enumerate(steps) if any("CREATE TABLE usage" in one for one in step.statements))
    monkeypatch.setattr(migrate, "all_migrations", lambda: steps[:at])
    migrate.upgrade(path)
    hour = 3_600_000_000
    kept = [("a", hour + 1, "alg_none", "c1", 3), ("b", hour + 2, "alg_none", "c1", 1), ("c", 2 * hour, "", "c1", 1), ("d", 0, "x", "", 9)]
    sql = "INSERT INTO findings (trace_id, at, cause, client_row_id, seen, finding) VALUES (?, ?, ?, ?, ?, '')"
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.executemany(sql, kept)
    monkeypatch.undo()
    migrate.upgrade(path)
    with closing(sqlite3.connect(path)) as connection:
        counted = connection.execute("SELECT client_row_id, hour, cause, answers FROM usage ORDER BY hour").fetchall()
    assert counted == [("c1", hour, "alg_none", 4), ("c1", 2 * hour, "", 1)]


NEAR = {
    "its own id": ("{id}", True),
    "upper case": ("{ID}", True),
    "spaces": (" {id}\n", True),
    "one off": ("{id}x", True),
    "two cut": ("{cut}", True),
    "its name": ("photo box", True),
    "three cut": ("{cut3}", False),
    "short": ("x", False),
    "nothing": ("", False),
    "percent signs": ("%%%%%%%%", False),
}


@pytest.mark.parametrize(("claimed", "is_near"), NEAR.values(), ids=NEAR)
def test_near_clients(tmp_path: Path, claimed: str, is_near: bool) -> None:
    async def story() -> None:
        async with world(tmp_path) as there:
            made = await there.app()
            text = made.client.client_id
            text = claimed.format(id=text, ID=text.upper(), cut=text[:-2], cut3=text[:-3])
            near = await Findings(there.grantway.database).near_clients(text, 5)
            assert (made.client in near) is is_near

    asyncio.run(story())
