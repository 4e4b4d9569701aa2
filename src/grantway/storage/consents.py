"""Requests, consents and the codes that carry them."""

from datetime import datetime

from grantway.authorization import code
from grantway.authorization.code import AuthorizationCode
from grantway.authorization.consent import Consent
from grantway.authorization.request import AccessRequest, AnswerOutcome, Status
from grantway.clients import redirect_uri
from grantway.clients.client import Client
from grantway.storage import grants
from grantway.storage.clients import COLUMN_COUNT, COLUMNS, as_client
from grantway.storage.database import Database
from grantway.storage.memory import Memory
from grantway.storage.statements import (
    Row,
    Statement,
    Work,
    audit,
    from_free_text,
    from_list,
    from_micros,
    maybe_from_micros,
    to_free_text,
    to_list,
    to_micros,
)

CONSENT_COLUMNS = """consents.id, consents.request_id, consents.user_id, consents.client_row_id, consents.project_id, consents.scopes,
    consents.rejected_scopes, consents.caveat, consents.tail_digest, consents.created_at, consents.not_after, consents.withdrawn_at"""
CONSENT_COLUMN_COUNT = 12
LOOKED_AT = 1_000
"""How many of a person's latest consents to one client are looked at when it asks again: an app may ask, and give back, in a loop. So many
cost a millisecond or two. A consent lives for a year at most: an app that gives back less than twice a day hides nothing that it holds."""
LIVING_LOOKED_AT = 100
"""Of those, so many under which something is alive are enough: reading stops with them."""


class Consents:
    """Implements what asking and deciding ask of storage."""

    def __init__(self, database: Database, memory: Memory) -> None:
        self._database = database
        self._memory = memory

    async def client_by_id(self, client_id: str) -> Client | None:
        """The client with that client_id, unless it was deleted."""
        rows = await self._database.read(f"SELECT {COLUMNS} FROM clients WHERE client_id = ? AND deleted_at IS NULL", client_id)
        return as_client(rows[0]) if rows else None

    async def add_request(self, made: AccessRequest) -> bool:
        """Store a request, unless the person's account or the client was deleted: after that there must be none that could be approved."""
        sql = """INSERT INTO requests (id, client_row_id, user_id, redirect_uri, scopes, state, code_challenge, project_id, status,
            created_at, expires_at, session_digest, from_integration)
            SELECT ?, clients.row_id, accounts.id, ?, ?, ?, ?, ?, ?, ?, ?, ?, ? FROM accounts, clients WHERE accounts.id = ?
            AND accounts.deleted_at IS NULL AND clients.row_id = ? AND clients.deleted_at IS NULL RETURNING id"""
        asked = (made.redirect_uri, to_list(made.scopes), to_free_text(made.state), made.code_challenge, made.project_id, made.status.value)
        times = (to_micros(made.created_at), to_micros(made.expires_at))
        came = (made.session_digest, int(made.is_from_integration))
        return bool(await self._database.one(sql, made.id, *asked, *times, *came, made.user_id, made.client.row_id))

    async def request(self, request_id: str) -> AccessRequest | None:
        """The request with that id, with its client, unless that was deleted."""
        sql = f"""SELECT {COLUMNS}, requests.id, requests.user_id, requests.redirect_uri, requests.scopes, requests.state,
            requests.code_challenge, requests.project_id, requests.status, requests.created_at, requests.expires_at,
            requests.session_digest, requests.from_integration FROM requests JOIN clients ON clients.row_id = requests.client_row_id
            WHERE requests.id = ? AND clients.deleted_at IS NULL"""
        rows = await self._database.read(sql, request_id)
        return _request(rows[0]) if rows else None

    async def developer_name(self, developer_id: str) -> str:
        """The name of the developer behind a client."""
        rows = await self._database.read("SELECT full_name FROM accounts WHERE id = ?", developer_id)
        return str(rows[0][0]) if rows else ""

    async def record_rejection(self, request_id: str, now: datetime) -> AnswerOutcome:
        """Mark a pending request rejected, unless its client may not be answered there any more."""
        return await self._database.write_by_row(lambda: _answered(request_id, Status.REJECTED, now))

    async def record_approval(self, given: Consent, issued: AuthorizationCode) -> AnswerOutcome:
        """Mark the pending request approved, store consent and code, unless the client may not be answered there any more."""

        def work() -> Work[AnswerOutcome]:
            outcome = yield from _answered(given.request_id, Status.APPROVED, given.created_at)
            if outcome is AnswerOutcome.RECORDED:
                yield _insert_consent(given)
                yield _insert_code(issued)
                yield _consent_given(given)
            return outcome

        # not SERIALIZABLE, where answers to different requests undo each other (decision 0021)
        outcome = await self._database.write_by_row(work)
        if outcome is AnswerOutcome.RECORDED:
            self._memory.keep_code(issued)  # only what is stored: a claim would not find it
        return outcome

    async def live_scopes(self, user_id: str, client_row_id: str, now: datetime) -> list[tuple[str, ...]]:
        """The scopes of the latest consents of this user to this client under which something is alive, each list of scopes once."""
        # reading stops with so many under which something is alive
        sql = f"""SELECT scopes FROM (SELECT scopes, created_at FROM (SELECT id, project_id, scopes, created_at, not_after, withdrawn_at
            FROM consents WHERE user_id = ? AND client_row_id = ? ORDER BY created_at DESC LIMIT {LOOKED_AT}) AS consents
            WHERE withdrawn_at IS NULL AND not_after > ? AND {grants.SOMETHING_LEFT} LIMIT {LIVING_LOOKED_AT}) AS living
            GROUP BY scopes ORDER BY min(created_at)"""
        return [from_list(row[0]) for row in await self._database.read(sql, user_id, client_row_id, to_micros(now), to_micros(now))]


_ANSWER = """UPDATE requests SET status = ?, answered_at = ? WHERE id = ? AND status = 'pending' RETURNING redirect_uri,
    (SELECT redirect_uris FROM clients WHERE clients.row_id = requests.client_row_id AND clients.is_active = 1)"""
_UNANSWER = "UPDATE requests SET status = 'pending', answered_at = NULL WHERE id = ?"


def _answered(request_id: str, status: Status, now: datetime) -> Work[AnswerOutcome]:
    """Answer a pending request. The client is looked at in the same statement: whoever changed it before that is heard. If it may not be
    answered there any more the request waits again, which nobody notices: its row is ours until the commit."""
    rows = yield Statement(_ANSWER, (status.value, to_micros(now), request_id))
    if not rows:
        return AnswerOutcome.NOT_PENDING
    uri, registered = rows[0]
    if registered is not None and redirect_uri.is_registered(uri, from_list(registered)):
        return AnswerOutcome.RECORDED
    yield Statement(_UNANSWER, (request_id,))
    return AnswerOutcome.CLIENT_INACTIVE if registered is None else AnswerOutcome.REDIRECT_URI_GONE


def as_consent(row: Row) -> Consent:
    """A consent from a row of `CONSENT_COLUMNS`."""
    consent_id, request_id, user_id, client_row_id, project_id, scopes, rejected, caveat, tail, created, ends, withdrawn = row
    return Consent(
        id=consent_id,
        request_id=request_id,
        user_id=user_id,
        client_row_id=client_row_id,
        project_id=project_id,
        scopes=from_list(scopes),
        rejected_scopes=from_list(rejected),
        caveat=caveat,
        tail_digest=tail,
        created_at=from_micros(created),
        not_after=from_micros(ends),
        withdrawn_at=maybe_from_micros(withdrawn),
    )


def _request(row: Row) -> AccessRequest:
    request_id, user_id, uri, scopes, state, challenge, project_id, status, created, expires, digest, integrates = row[COLUMN_COUNT:]
    return AccessRequest(
        id=request_id,
        client=as_client(row),
        user_id=user_id,
        redirect_uri=uri,
        scopes=from_list(scopes),
        state=from_free_text(state),
        code_challenge=challenge,
        project_id=project_id,
        created_at=from_micros(created),
        expires_at=from_micros(expires),
        status=Status(status),
        session_digest=digest,
        is_from_integration=bool(integrates),
    )


def _insert_consent(given: Consent) -> Statement:
    sql = """INSERT INTO consents (id, request_id, user_id, client_row_id, project_id, scopes, rejected_scopes, caveat, tail_digest,
        created_at, not_after) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"""
    ids = (given.id, given.request_id, given.user_id, given.client_row_id, given.project_id)
    scopes = (to_list(given.scopes), to_list(given.rejected_scopes))
    return Statement(sql, (*ids, *scopes, given.caveat, given.tail_digest, to_micros(given.created_at), to_micros(given.not_after)))


def _consent_given(given: Consent) -> Statement:
    return audit("consent_given", given.created_at, account_id=given.user_id, client_row_id=given.client_row_id, subject=given.id)


def _insert_code(issued: AuthorizationCode) -> Statement:
    sql = """INSERT INTO codes (digest, consent_id, redirect_uri, code_challenge, issued_at, expires_at, keep_until,
        sealed_opening) VALUES (?, ?, ?, ?, ?, ?, ?, ?)"""
    bound = (issued.redirect_uri, issued.code_challenge)
    # kept beyond its end: one that comes late is answered `code_expired`, not `invalid_code`
    times = (issued.issued_at, issued.expires_at, issued.expires_at + code.REMEMBERED)
    return Statement(sql, (issued.digest, issued.consent.id, *bound, *map(to_micros, times), issued.sealed_opening))
