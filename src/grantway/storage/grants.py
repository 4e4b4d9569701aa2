"""The access grants that apps collected, as their giver sees them; and taking back one of them."""

from datetime import datetime

from grantway.authorization.access import IssuedGrant
from grantway.storage import withdrawal
from grantway.storage.database import Database
from grantway.storage.statements import Row, Statement, Work, audit, from_list, from_micros, maybe_from_micros, to_micros

LOOKED_BACK = 500
"""So many of an app's grants, and of its requests, are looked back on: the latest."""

# a grant is dead with its own tail or with its consent's, whichever was revoked first
_GRANTS = """SELECT codes.claimed_in, consents.scopes, coalesce(projects.name, ''), codes.used_at, codes.keep_until,
    revoked.revoked_at, consents.withdrawn_at FROM consents JOIN clients ON clients.row_id = consents.client_row_id
    JOIN codes ON codes.consent_id = consents.id LEFT JOIN projects ON projects.id = consents.project_id
    LEFT JOIN revoked_tails AS revoked ON revoked.tail_digest = codes.grant_tail_digest
    WHERE consents.user_id = ? AND clients.client_id = ? AND codes.claimed_in IS NOT NULL
    ORDER BY codes.used_at DESC, codes.claimed_in LIMIT ?"""

# `claimed_in`: a person's page names a grant by the trace id of its exchange, which opens nothing
_ONE = """SELECT codes.grant_tail_digest, codes.keep_until, consents.id, consents.client_row_id FROM consents
    JOIN clients ON clients.row_id = consents.client_row_id JOIN codes ON codes.consent_id = consents.id
    WHERE consents.user_id = ? AND clients.client_id = ? AND codes.claimed_in = ? AND codes.grant_tail_digest IS NOT NULL"""

_REVOKE = """INSERT INTO revoked_tails (tail_digest, revoked_at, reason, keep_until) VALUES (?, ?, 'grant_revoked', ?)
    ON CONFLICT DO NOTHING RETURNING tail_digest"""

SOMETHING_LEFT = """EXISTS (SELECT 1 FROM projects WHERE projects.id = consents.project_id) AND EXISTS (
    SELECT 1 FROM codes LEFT JOIN revoked_tails AS dead ON dead.tail_digest = codes.grant_tail_digest
    WHERE codes.consent_id = consents.id AND dead.tail_digest IS NULL
    AND CASE WHEN codes.used_at IS NULL THEN codes.expires_at ELSE codes.keep_until END > ?)"""
"""Of a consent: whether anything may still come of it, or did and lives: a code that is not used yet, or a grant that is not revoked.
Without its project there is nothing that it could open."""

_LEFT = f"SELECT 1 FROM consents WHERE id = ? AND {SOMETHING_LEFT}"


async def read(database: Database, user_id: str, client_id: str) -> list[IssuedGrant]:
    """What this client collected from this user, but for what ended and was removed; the latest first."""
    return [_grant(row) for row in await database.read(_GRANTS, user_id, client_id, LOOKED_BACK)]


def revoke(user_id: str, client_id: str, grant_id: str, now: datetime) -> Work[bool]:
    """Revoke the tail of one grant; a consent under which nothing is left is withdrawn too. False when there is no such grant."""
    rows = yield Statement(_ONE, (user_id, client_id, grant_id))
    if not rows:
        return False
    tail_digest, ends, consent_id, row_id = rows[0]
    # noted once: of two at one moment the second one gets no row
    if (yield Statement(_REVOKE, (tail_digest, to_micros(now), ends))):
        yield audit("grant_revoked", now, account_id=user_id, client_row_id=row_id, subject=consent_id)
    # also when it was dead before: what an app gave back itself left its consent as it was
    if not (yield Statement(_LEFT, (consent_id, to_micros(now)))):
        yield from withdrawal.withdraw("id = ?", (consent_id,), now, "grant_revoked")
    return True


def _grant(row: Row) -> IssuedGrant:
    grant_id, scopes, project_name, issued, ends, revoked, withdrawn = row
    first = min((micros for micros in (revoked, withdrawn) if micros is not None), default=None)
    return IssuedGrant(
        id=grant_id,
        scopes=from_list(scopes),
        project_name=project_name,
        issued_at=from_micros(issued),
        ends_at=from_micros(ends),
        revoked_at=maybe_from_micros(first),
    )
