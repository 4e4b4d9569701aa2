"""Who has access, and taking it back."""

from datetime import datetime

from grantway.authorization.access import ClientAccess, IssuedGrant, RequestRecord
from grantway.authorization.request import Status
from grantway.storage import client_access, grants, withdrawal
from grantway.storage.database import Database
from grantway.storage.grants import LOOKED_BACK
from grantway.storage.housekeeping import USE_KEPT
from grantway.storage.statements import Row, Statement, Work, audit, from_list, from_micros, maybe_from_micros, to_micros

_EVERY = 2**31  # a LIMIT that both engines take
_UNSURE = 2**63 - 1
_NEVER_AFTER = f"""(SELECT max(CASE WHEN used_at IS NULL AND expires_at > issued_at THEN expires_at ELSE {_UNSURE} END)
    FROM codes WHERE codes.consent_id = consents.id)"""
"""Of a consent: from when on it is sure that nobody collects, and none where its code is gone. Codes of a database that was put back end
with their beginning: they may have been used since the copy."""


class GivenAccess:
    """Implements what seeing and taking back ask of storage."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def access_of(self, user_id: str, now: datetime, skipped: int = 0, most: int | None = None) -> list[ClientAccess]:
        """What each client holds or held from this user, those that hold something first: no more than `most` after those `skipped`."""
        return await client_access.read_all(self._database, user_id, now, skipped, _EVERY if most is None else most)

    async def access_to(self, user_id: str, client_id: str, now: datetime) -> ClientAccess | None:
        """What this client holds or held from this user; None when there is nothing, or it is forgotten."""
        return await client_access.read_one(self._database, user_id, client_id, now)

    async def history(self, user_id: str, client_id: str, now: datetime) -> list[RequestRecord]:
        """What this client asked of this user, the latest first, no more than `LOOKED_BACK`."""
        # `answered_at` is younger than the table; of an approval from before it the consent tells the time
        sql = f"""SELECT requests.id, clients.client_id, clients.name, requests.scopes, requests.status, requests.created_at,
            requests.expires_at, coalesce(requests.answered_at, consents.created_at), coalesce(consents.scopes, '[]'),
            consents.not_after, consents.withdrawn_at, {_NEVER_AFTER}
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


def _record(row: Row, now: datetime) -> RequestRecord:
    request_id, client_id, name, scopes, status, created, expires, answered, approved, ends, withdrawn, never_after = row
    # a request that was never answered is rejected when its app's access is taken back, which is no denial
    answered_late = status == Status.REJECTED.value and answered is not None and answered >= expires
    if answered_late or (status == Status.PENDING.value and to_micros(now) >= expires):
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
        is_uncollected=ends is not None and _is_uncollected(ends, never_after, now),
    )


def _is_uncollected(ends: int, never_after: int | None, now: datetime) -> bool:
    """Whether it is sure that nothing was ever collected under a consent. A used code stays until its grant has ended, with the consent:
    before that one that is gone was never used."""
    if never_after is None:
        return to_micros(now - USE_KEPT) < ends
    return to_micros(now) >= never_after
