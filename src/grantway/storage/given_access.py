"""Who has access, and taking it back."""

from collections.abc import Iterable
from datetime import datetime

from grantway.authorization.access import ClientAccess, IssuedGrant, RequestRecord
from grantway.authorization.consent import Consent
from grantway.authorization.request import Status
from grantway.storage import grants, withdrawal
from grantway.storage.clients import COLUMN_COUNT, COLUMNS, as_client
from grantway.storage.consents import CONSENT_COLUMN_COUNT, CONSENT_COLUMNS, as_consent
from grantway.storage.database import Database
from grantway.storage.grants import LOOKED_BACK
from grantway.storage.statements import Row, Rows, Statement, Work, audit, from_list, from_micros, maybe_from_micros, to_micros

SHOWN_OF_A_CLIENT = 500
"""From how many consents it is told what a client holds: the latest, those first under which something is alive. What is given back in
a loop must not hide what is kept."""

_APPS = "SELECT client_row_id FROM consents WHERE user_id = ? GROUP BY client_row_id ORDER BY max(created_at) DESC, client_row_id"
_ID, _CREATED, _IS_ALIVE = COLUMN_COUNT, COLUMN_COUNT + 9, COLUMN_COUNT + CONSENT_COLUMN_COUNT


def _consents(which: str, *, are_alive: bool) -> str:
    """Reads the latest consents of one user to one client. The limit stops: what is left under all others is not asked."""
    return f"""SELECT {COLUMNS}, {CONSENT_COLUMNS}, {int(are_alive)}, accounts.full_name, coalesce(accounts.email, ''),
        (SELECT count(used_at) FROM codes WHERE codes.consent_id = consents.id),
        (SELECT max(used_at) FROM codes WHERE codes.consent_id = consents.id)
        FROM (SELECT * FROM consents WHERE user_id = ? AND client_row_id = ?{which}
        ORDER BY created_at DESC, id LIMIT {SHOWN_OF_A_CLIENT}) AS consents
        JOIN clients ON clients.row_id = consents.client_row_id JOIN accounts ON accounts.id = clients.developer_id"""


class GivenAccess:
    """Implements what seeing and taking back ask of storage."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def access_of(self, user_id: str, now: datetime) -> list[ClientAccess]:
        """What each client holds or held from this user, the latest consent first."""
        apps = [await self._consents_to(row_id, user_id, now) for (row_id,) in await self._database.read(_APPS, user_id)]
        return [_client_access(rows) for rows in apps if rows]  # none: what had ended was removed meanwhile

    async def _consents_to(self, row_id: str, user_id: str, now: datetime) -> Rows:
        """The consents to one client of which it is told, the latest first."""
        whose, micros = (user_id, row_id), to_micros(now)
        alive = f" AND withdrawn_at IS NULL AND not_after > ? AND {grants.SOMETHING_LEFT}"
        # what is alive comes second: a consent that is given between the two would be told as ended
        latest = await self._database.read(_consents("", are_alive=False), *whose)
        living = await self._database.read(_consents(alive, are_alive=True), *whose, micros, micros)
        known = {row[_ID] for row in living}
        told = [*living, *(row for row in latest if row[_ID] not in known)][:SHOWN_OF_A_CLIENT]
        return sorted(told, key=lambda row: (-row[_CREATED], row[_ID]))

    async def history(self, user_id: str, client_id: str, now: datetime) -> list[RequestRecord]:
        """What this client asked of this user, the latest first, no more than `LOOKED_BACK`."""
        # `answered_at` is younger than the table; of an approval from before it the consent tells the time
        sql = """SELECT requests.id, clients.client_id, clients.name, requests.scopes, requests.status, requests.created_at,
            requests.expires_at, coalesce(requests.answered_at, consents.created_at), coalesce(consents.scopes, '[]'),
            consents.not_after, consents.withdrawn_at
            FROM requests JOIN clients ON clients.row_id = requests.client_row_id
            LEFT JOIN consents ON consents.request_id = requests.id
            WHERE requests.user_id = ? AND clients.client_id = ? ORDER BY requests.created_at DESC, requests.id LIMIT ?"""
        return [_record(row, now) for row in await self._database.read(sql, user_id, client_id, LOOKED_BACK)]

    async def withdraw(self, user_id: str, client_id: str, now: datetime) -> bool:
        """Withdraw every consent of this user to this client and revoke their tails; False when the client never asked this user."""

        def work() -> Work[bool]:
            sql = """SELECT clients.row_id FROM clients JOIN requests ON requests.client_row_id = clients.row_id
                WHERE clients.client_id = ? AND requests.user_id = ? LIMIT 1"""
            # by the requests, not the consents: what is still unanswered is taken back, too
            rows = yield Statement(sql, (client_id, user_id))
            if not rows:
                return False
            row_id = rows[0][0]
            yield from withdrawal.reject_pending("user_id = ? AND client_row_id = ?", (user_id, row_id), now)
            yield from withdrawal.withdraw("user_id = ? AND client_row_id = ?", (user_id, row_id), now, "consent_withdrawn")
            yield audit("consent_withdrawn", now, account_id=user_id, client_row_id=row_id)
            return True

        return await self._database.write(work)

    async def grants_of(self, user_id: str, client_id: str) -> list[IssuedGrant]:
        """The access grants that this client collected from this user, but for those that ended, the latest first."""
        return await grants.read(self._database, user_id, client_id)

    async def revoke_grant(self, user_id: str, client_id: str, grant_id: str, now: datetime) -> bool:
        """Revoke one grant's tail; False when this user gave that client no such grant."""
        return await self._database.write(lambda: grants.revoke(user_id, client_id, grant_id, now))


def _client_access(rows: Rows) -> ClientAccess:
    """One line for a client from all its consents, the latest first."""
    consents = [as_consent(row[_ID:_IS_ALIVE]) for row in rows]
    alive = [one for one, row in zip(consents, rows, strict=True) if row[_IS_ALIVE]]
    shown = alive or consents[:1]
    approved = _together(one.scopes for one in reversed(shown))
    name, email = rows[0][-4:-2]
    ends = _ends(shown)
    used = [row[-1] for row in rows if row[-1] is not None]
    return ClientAccess(
        client=as_client(rows[0]),
        developer_name=name,
        developer_email=email,
        approved_scopes=approved,
        allowed=tuple(dict.fromkeys(one.scopes for one in shown)),
        rejected_scopes=tuple(text for text in _together(one.rejected_scopes for one in shown) if text not in approved),
        granted_at=shown[0].created_at,
        last_access_at=from_micros(max(used)) if used else None,
        ends_at=max(ends),
        first_ends_at=min(ends),
        is_active=bool(alive),
        grants=sum(row[-2] for row in rows),
    )


def _ends(consents: Iterable[Consent]) -> list[datetime]:
    """When each thing that was allowed ends: of what was allowed twice for one project, only the later end counts."""
    latest: dict[tuple[str | None, frozenset[str]], datetime] = {}
    for one in consents:
        what = one.project_id, frozenset(one.scopes)
        latest[what] = max(latest.get(what, one.not_after), one.not_after)
    return list(latest.values())


def _together(lists: Iterable[tuple[str, ...]]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(text for scopes in lists for text in scopes))


def _record(row: Row, now: datetime) -> RequestRecord:
    request_id, client_id, name, scopes, status, created, expires, answered, approved, ends, withdrawn = row
    if status == Status.PENDING.value and to_micros(now) >= expires:
        status = "expired"
    return RequestRecord(
        request_id=request_id,
        client_id=client_id,
        client_name=name,
        scopes=from_list(scopes),
        status="revoked" if withdrawn is not None else status,
        created_at=from_micros(created),
        approved_scopes=from_list(approved),
        answered_at=maybe_from_micros(answered),
        ends_at=maybe_from_micros(ends),
        revoked_at=maybe_from_micros(withdrawn),
    )
