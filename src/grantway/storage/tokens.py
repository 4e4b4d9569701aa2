"""What the exchange reads and writes: the client behind a claimed id, the code, and the claim in one transaction."""

from collections.abc import Sequence
from datetime import datetime

from grantway.authorization.code import AuthorizationCode
from grantway.clients.client import MAX_CLIENT_ID
from grantway.clients.secret import ClientSecret
from grantway.storage.clients import COLUMN_COUNT, COLUMNS, as_client
from grantway.storage.consents import CONSENT_COLUMN_COUNT, CONSENT_COLUMNS, as_consent
from grantway.storage.database import Database
from grantway.storage.memory import Memory
from grantway.storage.statements import USUAL_CHAIN, Change, Statement, Work, audit, from_micros, maybe_from_micros, to_micros
from grantway.tokens.claim import Claim, ClaimOutcome
from grantway.tokens.token_request import KnownClient

# What stands in place of an unknown client's columns: looked up with the same one statement, so that it costs what a known one does. The
# claimed id is among it, so that it is as new as a known client's row would be.
_SOMEBODY = """'', CAST(? AS TEXT), '', '', '', '["https://app.example/callback"]', '[]', '[]', 0, 0, 0, 'client_secret_jwt', 1"""
_CLIENT = ", ".join(f"coalesce({column}, {somebodys})" for column, somebodys in zip(COLUMNS.split(","), _SOMEBODY.split(", "), strict=True))

_NOBODYS = 0  # the version of a secret where there is none
_KNOWN = f"""SELECT {_CLIENT}, coalesce(client_secrets.version, {_NOBODYS}), coalesce(client_secrets.sealed, CAST('' AS BLOB)),
    client_secrets.live_until,
    coalesce((SELECT digest FROM codes WHERE used_by = ?), (SELECT digest FROM exposed_assertions WHERE digest = ?))
    FROM (SELECT 1) AS always LEFT JOIN clients ON clients.client_id = ? AND clients.deleted_at IS NULL
    LEFT JOIN client_secrets ON client_secrets.client_row_id = clients.row_id"""

# a code whose project is gone is still found: it is answered `no_project`, not `invalid_code`
_CODE = f"""SELECT {CONSENT_COLUMNS}, codes.redirect_uri, codes.code_challenge, codes.issued_at, codes.expires_at,
    codes.used_at, codes.used_by, codes.sealed_opening, projects.id FROM codes JOIN consents ON consents.id = codes.consent_id
    LEFT JOIN projects ON projects.id = consents.project_id WHERE codes.digest = ?"""

# version 0 is that of a public client, which has no secret that could have ended
_SIGNS_STILL = """(? = 0 OR EXISTS (SELECT 1 FROM client_secrets WHERE client_secrets.client_row_id = clients.row_id
    AND client_secrets.version = ? AND (client_secrets.live_until IS NULL OR client_secrets.live_until > ?)))"""

# All that the judges took for true is looked at once more, in the statement that uses the code up: it may have been remembered, and
# others change it (decision 0022). A JWT that another code has used is looked for too: the unique index would fail the whole piece.
# Deleted clients need no condition: they are not active.
_CLAIM = f"""UPDATE codes SET used_at = ?, used_by = ?, keep_until = ?, grant_tail_digest = ?, grant_caveat = ?, claimed_in = ?,
    sealed_opening = NULL
    WHERE digest = ? AND used_at IS NULL AND NOT EXISTS (SELECT 1 FROM codes AS other WHERE other.used_by = ?)
    AND NOT EXISTS (SELECT 1 FROM exposed_assertions WHERE exposed_assertions.digest = ?) AND EXISTS (
    SELECT 1 FROM consents JOIN clients ON clients.row_id = consents.client_row_id JOIN projects ON projects.id = consents.project_id
    WHERE consents.id = codes.consent_id AND consents.withdrawn_at IS NULL AND clients.is_active = 1 AND {_SIGNS_STILL})
    RETURNING consent_id"""

# The same for many at once, with their lines of the audit. Of two that present one code just one is answered with a row: in another
# process too, where the update waits for who holds the row and then looks again. A JWT that two codes are claimed with meets the unique
# index. A consent that ends at this moment takes the grant below it along.
_CLAIM_TOGETHER = """WITH asked AS (SELECT * FROM unnest(CAST($1 AS BIGINT[]), CAST($2 AS BYTEA[]), CAST($3 AS BIGINT[]),
    CAST($4 AS BYTEA[]), CAST($5 AS BYTEA[]), CAST($6 AS TEXT[]), CAST($7 AS BYTEA[]), CAST($8 AS BIGINT[]), CAST($9 AS TEXT[]))
    WITH ORDINALITY AS each (now, used_by, keep_until, tail_digest, caveat, claimed_in, digest, secret_version, consent_id, n)),
    claimed AS (UPDATE codes SET used_at = asked.now, used_by = asked.used_by, keep_until = asked.keep_until,
    grant_tail_digest = asked.tail_digest, grant_caveat = asked.caveat, claimed_in = asked.claimed_in, sealed_opening = NULL FROM asked
    WHERE codes.digest = asked.digest AND codes.used_at IS NULL
    AND NOT EXISTS (SELECT 1 FROM codes AS other WHERE other.used_by = asked.used_by)
    AND NOT EXISTS (SELECT 1 FROM exposed_assertions WHERE exposed_assertions.digest = asked.used_by) AND EXISTS (
    SELECT 1 FROM consents JOIN clients ON clients.row_id = consents.client_row_id JOIN projects ON projects.id = consents.project_id
    WHERE consents.id = codes.consent_id AND consents.withdrawn_at IS NULL AND clients.is_active = 1
    AND (asked.secret_version = 0 OR EXISTS (SELECT 1 FROM client_secrets
    WHERE client_secrets.client_row_id = clients.row_id AND client_secrets.version = asked.secret_version
    AND (client_secrets.live_until IS NULL OR client_secrets.live_until > asked.now)))) RETURNING asked.n, codes.consent_id),
    noted AS (INSERT INTO audit (happened_at, event, account_id, client_row_id, subject)
    SELECT now, 'grant_issued', NULL, NULL, consent_id FROM asked WHERE n IN (SELECT n FROM claimed))
    SELECT n, consent_id FROM claimed"""

# as the claim's conditions, but each told by itself
_WHY_NOT = f"""SELECT clients.is_active, {_SIGNS_STILL}, codes.used_by,
    coalesce((SELECT digest FROM codes AS other WHERE other.used_by = ?), (SELECT digest FROM exposed_assertions WHERE digest = ?)),
    consents.withdrawn_at IS NULL, projects.id IS NOT NULL
    FROM codes JOIN consents ON consents.id = codes.consent_id JOIN clients ON clients.row_id = consents.client_row_id
    LEFT JOIN projects ON projects.id = consents.project_id WHERE codes.digest = ?"""

_REVOKE_YIELD = """INSERT INTO revoked_tails (tail_digest, revoked_at, reason, keep_until)
    SELECT grant_tail_digest, CAST(? AS BIGINT), 'code_leaked', keep_until FROM codes WHERE digest = ? AND grant_tail_digest IS NOT NULL
    ON CONFLICT DO NOTHING RETURNING tail_digest"""

_REVOKE = """INSERT INTO revoked_tails (tail_digest, revoked_at, reason, keep_until) VALUES (?, ?, 'by_client', ?)
    ON CONFLICT DO NOTHING RETURNING tail_digest"""

# The same for many at once, with their lines of the audit. Always in one order: two processes that name the same tails do not deadlock.
_REVOKE_TOGETHER = """WITH asked AS (SELECT * FROM unnest(CAST($1 AS BYTEA[]), CAST($2 AS BIGINT[]), CAST($3 AS BIGINT[]),
    CAST($4 AS TEXT[])) WITH ORDINALITY AS each (tail_digest, now, keep_until, client_row_id, n)),
    revoked AS (INSERT INTO revoked_tails (tail_digest, revoked_at, reason, keep_until)
    SELECT tail_digest, now, 'by_client', keep_until FROM asked ORDER BY tail_digest ON CONFLICT DO NOTHING RETURNING tail_digest),
    noted AS (INSERT INTO audit (happened_at, event, account_id, client_row_id, subject)
    SELECT now, 'grant_revoked_by_client', NULL, client_row_id, NULL FROM asked WHERE tail_digest IN (SELECT tail_digest FROM revoked))
    SELECT n, tail_digest FROM asked WHERE tail_digest IN (SELECT tail_digest FROM revoked)"""


class Tokens:
    """Implements what `grantway.tokens` asks of storage."""

    def __init__(self, database: Database, memory: Memory) -> None:
        self._database = database
        self._memory = memory

    async def known_client(self, client_id: str, assertion_digest: bytes) -> KnownClient:
        """The client with that client_id, its secrets, and what the assertion was used for."""
        # cut where it is only echoed: nothing longer can be a client_id, and 64 KiB of it would come back in each row
        asked = (client_id[:MAX_CLIENT_ID], assertion_digest, assertion_digest, client_id)
        rows = await self._database.look_up(_KNOWN, *asked)
        client = as_client(rows[0])
        secrets = [
            ClientSecret(version=version, sealed=sealed, live_until=maybe_from_micros(live_until))
            for version, sealed, live_until in (row[COLUMN_COUNT:-1] for row in rows)
        ]
        secrets.sort(key=lambda one: one.version, reverse=True)  # a look-up's rows come in any order
        theirs = tuple(one for one in secrets if one.version != _NOBODYS)
        known = KnownClient(client=client if client.row_id else None, secrets=theirs, consumed_by=rows[0][-1])
        self._memory.keep_client(client_id, known)
        return known

    async def code(self, digest: bytes) -> AuthorizationCode | None:
        """The code with that digest, used or not, with its consent."""
        return await read_code(self._database, digest)

    async def claim(self, claim: Claim) -> ClaimOutcome:
        """Mark the code used by the assertion and record the grant: all of it or nothing."""
        # whatever comes of it: it is good once, and whoever presents it again is judged by what is stored
        self._memory.forget_code(claim.code_digest)
        if await self._database.change(_claimed(claim)):
            return ClaimOutcome.CLAIMED
        return await self._database.write(lambda: _why_not(claim))  # a transaction: it may revoke

    async def revoke_below(self, client_row_id: str, tail_digests: Sequence[bytes], now: datetime) -> bool:
        """Revoke the last of the tails if one above it is a consent's to this client; else False, and nothing is revoked.

        Whose a consent is, and its end, never change: they can be asked for before the transaction.
        """
        ask = self._database.look_up if len(tail_digests) <= USUAL_CHAIN else self._database.read
        above = consents_above(tail_digests)
        ends = [not_after for whose, not_after in await ask(above.sql, *above.values) if whose == client_row_id]
        if ends:
            await self._database.change(_revoked(tail_digests[-1], client_row_id, max(ends), now))
        return bool(ends)

    async def revoke_yield(self, code_digest: bytes, now: datetime) -> None:
        """Revoke the tail of the grant that this code yielded."""
        await self._database.write(lambda: _revoke_yield(code_digest, now))


def consents_above(tail_digests: Sequence[bytes]) -> Statement:
    """Client and end of the consents that have one of these tails. Not narrowed to a client: its consents may be many, these are one."""
    marks = ", ".join("?" * len(tail_digests))
    return Statement(f"SELECT client_row_id, not_after FROM consents WHERE tail_digest IN ({marks})", tail_digests)


async def read_code(database: Database, digest: bytes) -> AuthorizationCode | None:
    """The code with that digest, used or not, with its consent."""
    rows = await database.look_up(_CODE, digest)
    if not rows:
        return None
    uri, challenge, issued, expires, used_at, used_by, sealed_opening, project_id = rows[0][CONSENT_COLUMN_COUNT:]
    return AuthorizationCode(
        digest=digest,
        consent=as_consent(rows[0][:CONSENT_COLUMN_COUNT]),
        redirect_uri=uri,
        code_challenge=challenge,
        issued_at=from_micros(issued),
        expires_at=from_micros(expires),
        used_at=maybe_from_micros(used_at),
        used_by=used_by,
        has_project=project_id is not None,
        sealed_opening=sealed_opening,
    )


def _claimed(claim: Claim) -> Change:
    now, used_by, version = to_micros(claim.now), claim.assertion_digest, claim.secret_version
    used = (now, used_by, to_micros(claim.not_after), claim.tail_digest, claim.caveat, claim.trace_id, claim.code_digest)
    return Change(
        made=Statement(_CLAIM, (*used, used_by, used_by, version, version, now)),
        noted=audit("grant_issued", claim.now, subject=claim.consent_id),
        together=Statement(_CLAIM_TOGETHER, (*used, version, claim.consent_id)),
    )


def _revoked(tail_digest: bytes, client_row_id: str, keep_until: int, now: datetime) -> Change:
    """The tail revoked by that client; what is revoked already stays as it is, and is not noted again."""
    values = (tail_digest, to_micros(now), keep_until)
    return Change(
        made=Statement(_REVOKE, values),
        noted=audit("grant_revoked_by_client", now, client_row_id=client_row_id),
        together=Statement(_REVOKE_TOGETHER, (*values, client_row_id)),
    )


def _why_not(claim: Claim) -> Work[ClaimOutcome]:
    """Why nothing was claimed; a code that was collected with another JWT has leaked, and what it yielded is revoked.

    Whether it is still the client comes first, as at the judge: whoever holds a secret that has ended revokes nothing.
    """
    version, used_by = claim.secret_version, claim.assertion_digest
    rows = yield Statement(_WHY_NOT, (version, version, to_micros(claim.now), used_by, used_by, claim.code_digest))
    is_active, is_live, collected_by, used_for, *alive = rows[0] if rows else (True, True, None, None, False, True)
    if not (is_active and is_live):
        return ClaimOutcome.SECRET_ENDED if is_active else ClaimOutcome.CLIENT_ENDED
    # the very same JWT with the very same code is a retry: nothing is revoked (contract, section 1)
    if collected_by == used_by:
        return ClaimOutcome.USED_BY_THIS_ASSERTION
    # and with another code it proves nothing
    if used_for is not None:
        return ClaimOutcome.ASSERTION_USED_ELSEWHERE
    if collected_by is not None:
        yield from _revoke_yield(claim.code_digest, claim.now)
        return ClaimOutcome.USED_BY_ANOTHER
    ended = (ClaimOutcome.CONSENT_ENDED, ClaimOutcome.PROJECT_GONE)  # else the client was disabled for a moment
    return next((outcome for outcome, is_alive in zip(ended, alive, strict=True) if not is_alive), ClaimOutcome.CLIENT_ENDED)


def _revoke_yield(code_digest: bytes, now: datetime) -> Work[None]:
    revoked = yield Statement(_REVOKE_YIELD, (to_micros(now), code_digest))
    if revoked:
        yield audit("grant_revoked_code_leaked", now)
