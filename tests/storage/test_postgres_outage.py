"""PostgreSQL cut off, killed, out of reach or newer: what was acknowledged is there, and what is told names no secret."""

import asyncio
import secrets
from collections.abc import Awaitable, Callable, Iterator

import asyncpg
import pytest
from tests.engines import postgres
from tests.postgres import Postgres
from tests.storage.things import taking, told

from grantway.oauth_error import UnavailableError
from grantway.storage import migrate, migrate_postgres
from grantway.storage.engine import PostgresEngine
from grantway.storage.migrate import NewerDatabaseError
from grantway.storage.postgres import PostgresDatabase
from grantway.storage.postgres_link import Outage
from grantway.storage.statements import Rows, Statement, Work

LATEST = migrate.all_migrations()[-1].version


@pytest.fixture(scope="module")
def durable() -> Iterator[Postgres]:
    """A server that these tests may kill."""
    server = Postgres(durable=True)
    yield server
    server.remove()


def test_connections_that_were_cut_are_made_again() -> None:
    async def story(one: PostgresDatabase, other: PostgresDatabase) -> None:
        await asyncio.gather(*(one.read("SELECT 1") for _ in range(8)))
        await one.change(taking("nobody", 1))
        others = "FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
        await other.read(f"SELECT count(pg_terminate_backend(pid, 9000)) {others}")  # once each has ended
        assert await asyncio.gather(*(one.read("SELECT 1") for _ in range(8))) == [[(1,)]] * 8
        await one.one("INSERT INTO things VALUES ('after', 0)")
        rows = [await _until_it_answers(lambda: one.change(taking("after", 7))) for _ in range(2)]
        assert rows == [[(1,)], []]

    told(story)


async def _until_it_answers(ask: Callable[[], Awaitable[Rows]]) -> Rows:
    """A change over a connection that was cut may be refused: whether it was stored could not be known."""
    try:
        return await ask()
    except UnavailableError:
        return await ask()


def test_the_database_is_killed_amid_work(durable: Postgres, caplog: pytest.LogCaptureFixture) -> None:
    """What was acknowledged is there, what was refused was not done twice, and all goes on when the database is back."""

    async def story(one: PostgresDatabase, other: PostgresDatabase) -> None:
        for turn in range(3):
            kept: list[str] = []
            doubtful: list[str] = []
            running = [asyncio.create_task(_add(who, turn, kept, doubtful)) for who in (one, other) for _ in range(8)]
            while len(kept) < 50 * (turn + 1):
                await asyncio.sleep(0)
                if all(task.done() for task in running):
                    break
            await asyncio.to_thread(durable.kill)
            await asyncio.gather(*running)
            with pytest.raises(UnavailableError):
                await one.read("SELECT 1")
            assert not await one.answers()
            caplog.clear()
            assert not await one.answers()
            assert caplog.text == ""  # it was said before, once
            await asyncio.to_thread(durable.start)
            there = {row[0] for row in await one.read("SELECT name FROM things")}
            assert "database: back" in caplog.text
            notes = [row[0] for row in await one.read("SELECT note FROM notes")]
            assert set(kept) <= there
            assert len(notes) == len(set(notes))
            assert {name for name in there if name.startswith(f"{turn} ")} <= set(kept) | set(doubtful)

    told(story, durable.new_database())


async def _add(database: PostgresDatabase, turn: int, kept: list[str], doubtful: list[str]) -> None:
    """Store names, each with its note, until the database is away."""
    for _ in range(2000):
        name = f"{turn} {secrets.token_hex(8)}"

        def work(name: str = name) -> Work[None]:
            yield Statement("INSERT INTO things VALUES (?, NULL)", (name,))
            yield Statement("INSERT INTO notes VALUES (?)", (name,))

        try:
            await database.write(work)
        except UnavailableError:
            doubtful.append(name)
            return
        kept.append(name)


def test_many_upgrade_at_once() -> None:
    async def tell() -> None:
        url = postgres().new_database()
        assert await migrate_postgres.version(url) == 0
        assert await asyncio.gather(*(migrate_postgres.upgrade(url) for _ in range(6))) == [LATEST] * 6
        assert await migrate_postgres.version(url) == LATEST
        connection = await asyncpg.connect(url)
        await connection.execute("INSERT INTO schema_version VALUES (9999)")
        await connection.close()
        with pytest.raises(NewerDatabaseError, match="9999"):
            await migrate_postgres.upgrade(url)

    asyncio.run(tell())


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://somebody:sesame@127.0.0.1:1/db",
        "postgresql://somebody:sesame@127.0.0.1:not-a-port/db",
        "postgresql://somebody:sesame@host.invalid/db",
        "postgresql://somebody:sesame@[::1/db",
    ],
)
def test_a_database_that_cannot_be_reached_is_said_without_its_password(url: str, caplog: pytest.LogCaptureFixture) -> None:
    with pytest.raises(UnavailableError) as refused:
        asyncio.run(migrate_postgres.upgrade(url))
    assert "sesame" not in str(refused.value) + caplog.text
    assert refused.value.__cause__ is None


def test_what_an_operator_can_mend_is_said_in_words() -> None:
    url = postgres().new_database()
    reader = f"reader_{url.rpartition('_')[2]}"
    postgres().sql(f"CREATE ROLE {reader} LOGIN PASSWORD 'sesame'")
    server, _, name = url.rpartition("/")
    address = server.rpartition("@")[2]
    for wrong, words in (
        (f"postgresql://{reader}:other@{address}/{name}", "does not take the user or the password"),
        (f"{server}/nothing_of_that_name", "there is no database of that name"),
        (f"postgresql://{reader}:sesame@{address}/{name}", "let the database belong to it"),
    ):
        with pytest.raises(UnavailableError, match=words):
            asyncio.run(migrate_postgres.upgrade(wrong))


@pytest.mark.parametrize(
    ("url", "place"),
    [
        ("postgresql://u:p@db.example:5433/grantway?password=q", "postgresql://db.example:5433/grantway"),
        ("postgres:///grantway", "postgresql:///grantway"),
        ("postgresql:///grantway?user=u&host=/run/postgresql&password=q", "postgresql:///grantway?host=/run/postgresql"),
        ("postgresql://u@db.example/g?sslmode=verify-full&passfile=p&port=5", "postgresql://db.example/g?sslmode=verify-full&port=5"),
        ("postgresql://db.example", "postgresql://db.example"),
    ],
)
def test_the_place_is_told_without_secrets(url: str, place: str) -> None:
    assert PostgresEngine(url).place == place
    assert "p@" not in repr(PostgresEngine(url))


def test_an_outage_is_told_by_its_first_cause_and_once(caplog: pytest.LogCaptureFixture) -> None:
    outage, locked_out = Outage(), ConnectionError("not the cause")
    locked_out.__cause__ = asyncpg.InvalidPasswordError("password authentication failed for user somebody")
    for _ in range(3):
        assert isinstance(outage.away(locked_out), UnavailableError)
    outage.ends()
    outage.ends()
    assert [record.getMessage() for record in caplog.records] == ["database: away (InvalidPasswordError)", "database: back"]
