"""PostgreSQL itself: what is shared between processes, what is asked together, and what is tried again."""

import asyncio
import secrets
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.engines import postgres
from tests.storage.things import taking, told
from tests.storage.world import NOW, World

from grantway import app
from grantway.config import Config
from grantway.oauth_error import UnavailableError
from grantway.storage.postgres import PostgresDatabase
from grantway.storage.postgres_sql import gathered, numbered
from grantway.storage.statements import Change, Statement, Work, from_free_text, to_free_text
from grantway.tokens.claim import ClaimOutcome


def test_marks_are_numbered_but_not_in_text() -> None:
    assert numbered("SELECT '?' , ? FROM x WHERE y = ? AND z = CAST(? AS BLOB)") == (
        "SELECT '?' , $1 FROM x WHERE y = $2 AND z = CAST($3 AS BYTEA)"
    )
    assert "asked.v1" in gathered("SELECT 1 WHERE 1 = ?", ["int8"])


@pytest.mark.parametrize("text", [None, "", "a", "a\0b", "\0", "\x1a", "\x1a0", "\x1a\0", "\x1a1", "\0\x1a1\0"])
def test_free_text_comes_back_as_it_came(text: str | None) -> None:
    stored = to_free_text(text)
    assert "\0" not in (stored or "")
    assert from_free_text(stored) == text


def test_text_that_is_none_finds_nothing_and_harms_nobody() -> None:
    async def story(one: PostgresDatabase, _: PostgresDatabase) -> None:
        await one.one("INSERT INTO things VALUES ('a', 1)")
        look_up = "SELECT number FROM things WHERE name = ?"
        odd = ("a\0", "a\ud800", "\udfffa", "\ud83d\ude00"[:1])
        answers = await asyncio.gather(one.look_up(look_up, "a"), *(ask(look_up, text) for text in odd for ask in (one.look_up, one.read)))
        assert answers == [[(1,)], *([[]] * 8)]

    told(story)


def test_what_is_asked_together_goes_back_to_whom_it_answers() -> None:
    async def story(one: PostgresDatabase, _: PostgresDatabase) -> None:
        for number in range(50):
            await one.one("INSERT INTO things VALUES (?, ?)", str(number), number)
        asked = [str(number) for number in (*range(60), *range(60))]
        found = await asyncio.gather(*(one.look_up("SELECT number, name FROM things WHERE name = ?", name) for name in asked))
        assert found == [[(int(name), name)] if int(name) < 50 else [] for name in asked]

    told(story)


def test_two_kinds_of_change_take_turns() -> None:
    """As claims and revocations do: each shares a statement with its own kind, over the one connection that changes have."""

    async def story(one: PostgresDatabase, _: PostgresDatabase) -> None:
        await one.one("CREATE TABLE others (name TEXT PRIMARY KEY)")
        add = "INSERT INTO others SELECT name FROM unnest(CAST($1 AS TEXT[])) WITH ORDINALITY AS each (name, n) RETURNING 1, name"
        note = Statement("INSERT INTO notes (note) VALUES (?)", ("",))
        kinds = [
            Change(Statement("INSERT INTO others VALUES (?) RETURNING 1", (str(number),)), note, Statement(add, (str(number),)))
            for number in range(40)
        ]
        asked = [ask for number, kind in enumerate(kinds) for ask in (one.change(kind), one.change(taking(f"thing {number}", number + 1)))]
        await asyncio.gather(*asked)
        assert await one.read("SELECT count(*) FROM others") == [(40,)]

    told(story)


def test_one_of_many_takes_it() -> None:
    """Over two engines, fifty at once each: one row, one note."""

    async def story(one: PostgresDatabase, other: PostgresDatabase) -> None:
        for turn in range(20):
            name = f"thing {turn}"
            await one.one("INSERT INTO things VALUES (?, 0)", name)
            answers = await asyncio.gather(*(who.change(taking(name, 100 + turn)) for who in (one, other) for _ in range(50)))
            assert sorted(map(len, answers)) == [0] * 99 + [1]
        assert await one.read("SELECT count(*), count(DISTINCT note) FROM notes") == [(20, 20)]

    told(story)


def test_one_change_that_cannot_be_stored_does_not_stop_the_others() -> None:
    """Two take the same number for different names: the second one meets the unique index."""

    async def story(one: PostgresDatabase, _: PostgresDatabase) -> None:
        for name in "abc":
            await one.one("INSERT INTO things VALUES (?, NULL)", name)
        await one.one("UPDATE things SET number = 0 WHERE name = 'a'")
        await one.change(taking("a", 1))
        await one.one("UPDATE things SET number = 0 WHERE name = 'b'")
        taken, clash = await asyncio.gather(one.change(taking("b", 1)), one.change(taking("c", 5)), return_exceptions=True)
        assert isinstance(taken, UnavailableError)
        assert clash == []
        assert await one.read("SELECT number FROM things ORDER BY name") == [(1,), (0,), (None,)]

    told(story)


def test_a_failing_piece_undoes_itself_alone() -> None:
    async def story(one: PostgresDatabase, _: PostgresDatabase) -> None:
        def adding(name: str, error: Exception | None = None) -> Callable[[], Work[str]]:
            def work() -> Work[str]:
                yield Statement("INSERT INTO things VALUES (?, NULL)", (name,))
                if error is not None:
                    raise error
                return name

            return work

        made = [adding("a"), adding("b", KeyError("mine")), adding("a"), adding("c")]
        first, second, third, fourth = await asyncio.gather(*(one.write(make) for make in made), return_exceptions=True)
        assert (first, fourth) == ("a", "c")
        assert isinstance(second, KeyError)
        assert isinstance(third, UnavailableError)
        assert await one.read("SELECT name FROM things ORDER BY name") == [("a",), ("c",)]

    told(story)


def test_work_that_met_other_work_is_done_again_and_once() -> None:
    """Read, then write what was read and one: without SERIALIZABLE and another try some would be lost."""

    async def story(one: PostgresDatabase, other: PostgresDatabase) -> None:
        await one.one("INSERT INTO things VALUES ('count', 0)")

        def count() -> Work[int]:
            ((number,),) = yield Statement("SELECT number FROM things WHERE name = 'count'")
            yield Statement("UPDATE things SET number = ? WHERE name = 'count'", (number + 1,))
            return int(number)

        async def often(who: PostgresDatabase) -> list[int]:
            return [await who.write(count) for _ in range(40)]

        seen = await asyncio.gather(often(one), often(other))
        assert sorted(seen[0] + seen[1]) == list(range(80))
        assert await one.read("SELECT number FROM things") == [(80,)]

    told(story)


def test_what_went_wrong_in_a_try_that_was_undone_is_forgotten() -> None:
    """A piece is refused, but what it saw is undone with the batch; in the next try it is stored, and its asker is told so."""

    async def story(one: PostgresDatabase, other: PostgresDatabase) -> None:
        await one.one("INSERT INTO things VALUES ('count', 0)")
        loop, tries = asyncio.get_running_loop(), 0

        def careful() -> Work[str]:
            if not (yield Statement("SELECT 1 FROM things WHERE name = 'needed'")):
                raise KeyError("needed")
            yield Statement("INSERT INTO notes VALUES ('stored')")
            return "stored"

        def disturbed() -> Work[None]:
            nonlocal tries
            tries += 1
            if tries == 1:
                meanwhile = loop.create_task(_both(other))
                while not meanwhile.done():
                    yield Statement("SELECT 1")
            yield Statement("UPDATE things SET number = number + 1 WHERE name = 'count'")

        answers = await asyncio.gather(one.write(careful), one.write(disturbed), return_exceptions=True)
        assert list(answers) == ["stored", None]
        assert tries == 2
        assert await one.read("SELECT note FROM notes") == [("stored",)]

    told(story)


async def _both(database: PostgresDatabase) -> None:
    def work() -> Work[None]:
        yield Statement("INSERT INTO things VALUES ('needed', NULL)")
        yield Statement("UPDATE things SET number = number + 1 WHERE name = 'count'")

    await database.write(work)


def test_two_processes_claim_one_code(tmp_path: Path) -> None:
    """And with one JWT two codes: what one process has used, the other one knows."""

    async def tell() -> None:
        config = Config(data=tmp_path, port=0, database=postgres().new_database())
        async with app.opened(config, lambda: NOW) as here, app.opened(config, lambda: NOW) as there:
            one, other = World(here), World(there)
            user, client = await one.account(), await one.app()
            for _ in range(10):
                first, second = await one.code(user, client), await one.code(user, client)
                claims = [await one.claim_of(first, by=secrets.token_bytes(32)) for _ in range(10)]
                outcomes = await asyncio.gather(*((one, other)[at % 2].tokens.claim(claim) for at, claim in enumerate(claims)))
                assert outcomes.count(ClaimOutcome.CLAIMED) == 1
                assert outcomes.count(ClaimOutcome.USED_BY_ANOTHER) == 9
                winner = claims[outcomes.index(ClaimOutcome.CLAIMED)]
                again = await one.claim_of(second, by=winner.assertion_digest)
                assert await other.tokens.claim(again) is ClaimOutcome.ASSERTION_USED_ELSEWHERE
                both = [await one.claim_of(code, by=b"same" * 8) for code in (await one.code(user, client), second)]
                outcomes = [*await asyncio.gather(one.tokens.claim(both[0]), other.tokens.claim(both[1]))]
                assert ClaimOutcome.CLAIMED in outcomes or ClaimOutcome.ASSERTION_USED_ELSEWHERE in outcomes
                assert outcomes.count(ClaimOutcome.CLAIMED) <= 1

    asyncio.run(tell())
