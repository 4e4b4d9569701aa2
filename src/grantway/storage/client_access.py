"""What each client holds, or held, from one person: over all consents that are alive, or the latest one."""

import asyncio
from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple

from grantway.authorization.access import ClientAccess
from grantway.storage import grants
from grantway.storage.clients import COLUMN_COUNT, COLUMNS, as_client
from grantway.storage.database import Database
from grantway.storage.statements import Row, Rows, from_list, from_micros, maybe_from_micros, to_micros

SHOWN_OF_A_CLIENT = 500
"""From how many consents it is told what a client holds: the latest, those first under which something is alive. What is given back in
a loop must not hide what is kept."""

_IS_ALIVE = f"withdrawn_at IS NULL AND not_after > ? AND {grants.SOMETHING_LEFT}"
_CLIENT = f"SELECT {COLUMNS}, accounts.full_name, coalesce(accounts.email, '')"
_BY = "JOIN accounts ON accounts.id = clients.developer_id"
_ALL = f"""{_CLIENT} FROM (SELECT client_row_id, max(created_at) AS latest FROM consents WHERE user_id = ? GROUP BY client_row_id) AS apps
    JOIN clients ON clients.row_id = apps.client_row_id {_BY} ORDER BY CASE WHEN EXISTS (SELECT 1 FROM consents
    WHERE user_id = ? AND client_row_id = apps.client_row_id AND {_IS_ALIVE}) THEN 0 ELSE 1 END, latest DESC, client_row_id
    LIMIT ? OFFSET ?"""
_ONE = f"{_CLIENT} FROM clients {_BY} WHERE clients.client_id = ?"


class _Told(NamedTuple):
    """One consent, as much of it as is told; times in microseconds."""

    id: str
    project_id: str | None
    scopes: str
    rejected: str
    created: int
    ends: int
    is_alive: int
    collected: int
    last_collected: int | None


async def read_all(database: Database, user_id: str, now: datetime, skipped: int, most: int) -> list[ClientAccess]:
    """Each client's, those that hold something first, then the latest consent first: no more than `most`, after as many as are
    `skipped`."""
    micros = to_micros(now)
    return await _read(database, await database.read(_ALL, user_id, user_id, micros, micros, most, skipped), user_id, now)


async def read_one(database: Database, user_id: str, client_id: str, now: datetime) -> ClientAccess | None:
    """That client's; None when this person never allowed it anything, or that was forgotten."""
    found = await _read(database, await database.read(_ONE, client_id), user_id, now)
    return found[0] if found else None


async def _read(database: Database, clients: Rows, user_id: str, now: datetime) -> list[ClientAccess]:
    found = []
    for row in clients:
        told = await _told(database, user_id, row[0], now)
        if told:  # there may be none: never any, or what had ended was removed meanwhile
            found.append(_client_access(row, told))
        # where reading is done on the event loop, others get their turn
        await asyncio.sleep(0)
    return found


async def _told(database: Database, user_id: str, row_id: str, now: datetime) -> list[_Told]:
    """The consents to one client of which it is told, the latest first."""
    micros = to_micros(now)
    latest = [_Told(*row) for row in await database.read(_consents(""), micros, micros, user_id, row_id)]
    if len(latest) < SHOWN_OF_A_CLIENT or all(one.is_alive for one in latest):
        return latest
    # older ones may be alive. Asked after the others: what is given between the two would be told as ended
    alive = f" AND {_IS_ALIVE}"
    living = [_Told(*row) for row in await database.read(_consents(alive), micros, micros, user_id, row_id, micros, micros)]
    known = {one.id for one in living}
    others = (one._replace(is_alive=0) for one in latest if one.id not in known)
    return sorted([*living, *others][:SHOWN_OF_A_CLIENT], key=lambda one: (-one.created, one.id))


def _consents(which: str) -> str:
    """Reads the latest consents of one user to one client. The limit stops: what is left under all others is not asked."""
    return f"""SELECT id, project_id, scopes, rejected_scopes, created_at, not_after, CASE WHEN {_IS_ALIVE} THEN 1 ELSE 0 END,
        (SELECT count(used_at) FROM codes WHERE codes.consent_id = consents.id),
        (SELECT max(used_at) FROM codes WHERE codes.consent_id = consents.id)
        FROM (SELECT * FROM consents WHERE user_id = ? AND client_row_id = ?{which}
        ORDER BY created_at DESC, id LIMIT {SHOWN_OF_A_CLIENT}) AS consents ORDER BY created_at DESC, id"""


def _client_access(row: Row, told: list[_Told]) -> ClientAccess:
    """One line for a client from all its consents, the latest first."""
    alive = [one for one in told if one.is_alive]
    shown = alive or told[:1]
    approved = _together(one.scopes for one in reversed(shown))
    ends = _ends(shown)
    return ClientAccess(
        client=as_client(row),
        developer_name=row[COLUMN_COUNT],
        developer_email=row[COLUMN_COUNT + 1],
        approved_scopes=approved,
        allowed=tuple(from_list(text) for text in dict.fromkeys(one.scopes for one in shown)),
        rejected_scopes=tuple(text for text in _together(one.rejected for one in shown) if text not in approved),
        granted_at=from_micros(shown[0].created),
        last_access_at=maybe_from_micros(max((one.last_collected for one in told if one.last_collected is not None), default=None)),
        ends_at=from_micros(max(ends)),
        first_ends_at=from_micros(min(ends)),
        is_active=bool(alive),
        grants=sum(one.collected for one in told),
    )


def _ends(consents: Iterable[_Told]) -> list[int]:
    """When each thing that was allowed ends: of what was allowed twice for one project, only the later end counts."""
    latest: dict[tuple[str | None, frozenset[str]], int] = {}
    for one in consents:
        what = one.project_id, frozenset(from_list(one.scopes))
        latest[what] = max(latest.get(what, one.ends), one.ends)
    return list(latest.values())


def _together(lists: Iterable[str]) -> tuple[str, ...]:
    """The scopes of all these stored lists, each once; many of the lists are the same."""
    return tuple(dict.fromkeys(scope for text in dict.fromkeys(lists) for scope in from_list(text)))
