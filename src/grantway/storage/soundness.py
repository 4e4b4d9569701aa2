"""Is what is stored sound? What must hold between the rows of a database, whatever its engine, told step by step."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime

from grantway.oauth_error import UnavailableError
from grantway.sealing import MasterKeyError, SealBrokenError
from grantway.storage import migrate, sealed_rows
from grantway.storage.database import Database
from grantway.storage.sealing_check import SEALED, WHAT, Seals
from grantway.storage.statements import Value, to_micros

SHOWN = 5
"""How many of the rows that are wrong are named."""


@dataclass(frozen=True, slots=True)
class Step:
    """One check: what must hold, and what is wrong, in words; None for one that could not be made."""

    what: str
    faults: tuple[str, ...] | None

    @property
    def result(self) -> str:
        """`passed`, `failed` or `not reached`."""
        return "not reached" if self.faults is None else "failed" if self.faults else "passed"


@dataclass(frozen=True, slots=True)
class _Rule:
    """What must hold of every row: a SELECT of one column, the ids of those of which it does not."""

    what: str
    sql: str


_WHOSE = """JOIN clients ON clients.row_id = {0}.client_row_id JOIN accounts ON accounts.id = {0}.user_id
    WHERE (clients.deleted_at IS NOT NULL OR accounts.deleted_at IS NOT NULL)"""
"""Of consents or requests: those whose app or person is deleted."""

_RULES = (
    _Rule(
        "every app that is not deleted has one current secret",
        """SELECT client_id FROM clients WHERE deleted_at IS NULL AND (SELECT count(*) FROM client_secrets
            WHERE client_secrets.client_row_id = clients.row_id AND client_secrets.live_until IS NULL) <> 1""",
    ),
    _Rule(
        "every app that is not deleted has its developer",
        """SELECT client_id FROM clients LEFT JOIN accounts ON accounts.id = clients.developer_id AND accounts.deleted_at IS NULL
            WHERE clients.deleted_at IS NULL AND accounts.id IS NULL""",
    ),
    _Rule(
        "every project has its root key and its owner",
        """SELECT projects.id FROM projects LEFT JOIN project_keys ON project_keys.project_id = projects.id
            LEFT JOIN accounts ON accounts.id = projects.owner_id AND accounts.deleted_at IS NULL
            WHERE project_keys.project_id IS NULL OR accounts.id IS NULL""",
    ),
    _Rule(
        "every consent's app, person and request are there",
        """SELECT consents.id FROM consents LEFT JOIN clients ON clients.row_id = consents.client_row_id
            LEFT JOIN accounts ON accounts.id = consents.user_id LEFT JOIN requests ON requests.id = consents.request_id
            WHERE clients.row_id IS NULL OR accounts.id IS NULL OR requests.id IS NULL""",
    ),
    _Rule(
        "every used code has its consent, its JWT and its access grant's caveat and tail",
        """SELECT codes.consent_id FROM codes LEFT JOIN consents ON consents.id = codes.consent_id
            WHERE codes.used_at IS NOT NULL AND (codes.used_by IS NULL OR codes.grant_tail_digest IS NULL OR codes.grant_caveat IS NULL
            OR consents.id IS NULL)""",
    ),
    _Rule(
        "no unused code has an access grant",
        "SELECT consent_id FROM codes WHERE used_at IS NULL AND (used_by IS NOT NULL OR grant_tail_digest IS NOT NULL)",
    ),
    _Rule(
        "for no deleted app, and no deleted person, is a consent alive or a request unanswered",
        f"""SELECT consents.id FROM consents {_WHOSE.format("consents")} AND consents.withdrawn_at IS NULL
            UNION ALL SELECT requests.id FROM requests {_WHOSE.format("requests")} AND requests.status = 'pending'""",
    ),
)
_WITHDRAWN = _Rule(
    "every consent that was withdrawn before its end is revoked",
    """SELECT id FROM consents WHERE withdrawn_at IS NOT NULL AND not_after > ? AND tail_digest IS NOT NULL
        AND NOT EXISTS (SELECT 1 FROM revoked_tails WHERE revoked_tails.tail_digest = consents.tail_digest)""",
)


async def schema(database: Database) -> int:
    """The version of the database's schema. UnavailableError: it cannot be read, or is none of ours."""
    return int((await database.read("SELECT coalesce(max(version), 0) FROM schema_version"))[0][0])


async def rows_by_table(database: Database) -> dict[str, int]:
    """How many rows each table has that the database's schema knows."""
    version = await schema(database)
    tables = sorted(table for step in migrate.all_migrations()[:version] for table in step.tables)
    return {table: int((await database.read(f"SELECT count(*) FROM {table}"))[0][0]) for table in tables}


async def check(database: Database, seals: Callable[[], Seals], now: datetime) -> list[Step]:
    """Check everything, in order; what depends on a failed step is not reached. `seals` may raise MasterKeyError."""
    steps = [await _schema_step(database)]
    # the rules name columns that another schema may not have
    if steps[0].faults:
        later = ("the master key opens it", "everything sealed opens", *(rule.what for rule in _RULES), _WITHDRAWN.what)
        return [*steps, *(Step(what, None) for what in later)]
    steps += await _sealed_steps(database, seals)
    steps += [await _rule_step(database, rule) for rule in _RULES]
    return [*steps, await _rule_step(database, _WITHDRAWN, to_micros(now))]


async def _schema_step(database: Database) -> Step:
    what, known = "the schema is this program's", migrate.all_migrations()[-1].version
    try:
        found = await schema(database)
    except UnavailableError:
        return Step(what, ("there is none: this is no database of Grantway's, or it cannot be read",))
    return Step(what, () if found == known else (f"it has schema {found}, this program knows {known}",))


async def _sealed_steps(database: Database, seals: Callable[[], Seals]) -> list[Step]:
    what, then = "the master key opens it", "everything sealed opens"
    rows = await database.read(SEALED.sql)
    try:
        ours = seals()
        if rows:
            ours.sealing.unseal(bytes(rows[0][0]), WHAT, "")
    except MasterKeyError as error:
        return [Step(what, (str(error),)), Step(then, None)]
    except SealBrokenError:
        return [Step(what, ("this master key is not the one that the database was sealed with",)), Step(then, None)]
    return [Step(what, () if rows else ("the row to try it on is gone",)), Step(then, await _guarded(lambda: _broken(database, ours)))]


async def _rule_step(database: Database, rule: _Rule, *values: Value) -> Step:
    async def faults() -> list[str]:
        return [str(row[0]) for row in await database.read(rule.sql, *values)]

    return Step(rule.what, await _guarded(faults))


async def _guarded(faults: Callable[[], Awaitable[list[str]]]) -> tuple[str, ...]:
    """What is wrong; that nothing can be read there is wrong too."""
    try:
        found = await faults()
    except UnavailableError:
        return ("it cannot be read",)
    more = len(found) - SHOWN
    return tuple(found) if more <= 0 else (*found[:SHOWN], f"and {more:,} more")


async def _broken(database: Database, seals: Seals) -> list[str]:
    """The names of sealed values that do not open."""
    broken = []
    for column in sealed_rows.COLUMNS:
        async for rows in sealed_rows.values(database, column):
            for row in rows:
                try:
                    seals.sealing.unseal(bytes(row[-1]), column.what, column.whose(*row[:-1]))
                except SealBrokenError:
                    broken.append(column.name(row))
    return broken
