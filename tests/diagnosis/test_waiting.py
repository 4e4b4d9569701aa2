"""What waits to be diagnosed is bounded, and in a flood nobody waits for what is none of theirs."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from tests.diagnosis.attempts import NOW, attempt

from grantway.diagnosis import use_cases, waiting
from grantway.diagnosis.attempt import Attempt
from grantway.diagnosis.finding import Finding, FindingQuery
from grantway.diagnosis.use_cases import Diagnosis
from grantway.sealing import Sealing

NOTHING: Any = None


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
