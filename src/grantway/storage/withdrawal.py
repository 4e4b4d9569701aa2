"""Taking back: the one place where consents end and their tails are revoked, in whatever transaction needs it."""

from collections.abc import Sequence
from datetime import datetime

from grantway.storage.statements import Statement, Value, Work, audit, to_micros


def withdraw(where: str, values: Sequence[Value], now: datetime, reason: str) -> Work[None]:
    """Withdraw the living consents that `where` (over the columns of `consents`) names, and revoke their tails.

    Every grant below such a tail is dead with it, and so is every unused code, because a claim asks for a living consent. Nothing below
    a tail lives longer than the consent's own end, which stands in its caveat: so long the revocation is kept.
    """
    micros = to_micros(now)
    sql = f"""INSERT INTO revoked_tails (tail_digest, revoked_at, reason, keep_until)
        SELECT tail_digest, CAST(? AS BIGINT), CAST(? AS TEXT), not_after FROM consents
        WHERE {where} AND withdrawn_at IS NULL AND tail_digest IS NOT NULL ON CONFLICT DO NOTHING"""
    yield Statement(sql, (micros, reason, *values))
    yield Statement(f"UPDATE consents SET withdrawn_at = ? WHERE {where} AND withdrawn_at IS NULL", (micros, *values))


def reject_pending(where: str, values: Sequence[Value], now: datetime) -> Work[None]:
    """Reject the unanswered requests that `where` (over the columns of `requests`) names, so that no consent comes after `withdraw`.

    An approval runs row by row, and others may commit between its statements: what stands elsewhere, such as the account and the client,
    it would see as it was a moment ago. So both meet at the request, which each of them changes. Whoever is second sees what the first
    one did: an approval finds the request answered, and this, which is SERIALIZABLE, runs again and withdraws the consent.
    """
    sql = f"UPDATE requests SET status = 'rejected', answered_at = ? WHERE {where} AND status = 'pending'"
    yield Statement(sql, (to_micros(now), *values))


def delete_client(row_id: str, now: datetime) -> Work[None]:
    """Mark a client deleted, forget its secrets, reject what it asked for and revoke all that was issued to it."""
    micros = to_micros(now)
    yield Statement("UPDATE clients SET deleted_at = ?, is_active = 0, updated_at = ? WHERE row_id = ?", (micros, micros, row_id))
    # the row stays, and its client_id with it: none is ever given out twice
    yield Statement("DELETE FROM client_secrets WHERE client_row_id = ?", (row_id,))
    yield from reject_pending("client_row_id = ?", (row_id,), now)
    yield from withdraw("client_row_id = ?", (row_id,), now, "client_deleted")
    yield audit("client_deleted", now, client_row_id=row_id)
