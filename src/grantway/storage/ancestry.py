"""What a presented key descends from: the consent among its tails, with the client and the grant, and whether a tail is revoked."""

from collections.abc import Sequence
from dataclasses import replace

from grantway.storage.clients import COLUMN_COUNT, COLUMNS, as_client
from grantway.storage.consents import CONSENT_COLUMN_COUNT, CONSENT_COLUMNS, as_consent
from grantway.storage.database import Database
from grantway.storage.statements import USUAL_CHAIN, maybe_from_micros
from grantway.tokens.token_state import Ancestry

_ASKED_AT_ONCE = 500
_REVOKED = "EXISTS (SELECT 1 FROM revoked_tails WHERE revoked_tails.tail_digest IN ({}))"


class Ancestries:
    """Implements what introspection asks of storage."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def ancestry(self, tail_digests: Sequence[bytes]) -> Ancestry | None:
        """The consent that has one of these tails, unless its client was deleted or its project is gone; withdrawn ones too."""
        parts = [tail_digests[start : start + _ASKED_AT_ONCE] for start in range(0, len(tail_digests), _ASKED_AT_ONCE)]
        for part in parts:
            if (found := await self._among(part)) is not None:
                # a revoked tail kills all below it, in whichever part it stands
                is_revoked = found.is_revoked or any([await self._is_revoked(other) for other in parts if other is not part])
                return replace(found, is_revoked=is_revoked)
        return None

    async def _among(self, tail_digests: Sequence[bytes]) -> Ancestry | None:
        marks = ", ".join("?" * len(tail_digests))
        # a chain has one consent, and LIMIT makes the planner begin with it: beginning with the client it would go through all of its
        sql = f"""SELECT {COLUMNS}, {CONSENT_COLUMNS}, codes.grant_tail_digest, codes.used_at, {_REVOKED.format(marks)}
            FROM (SELECT * FROM consents WHERE tail_digest IN ({marks}) LIMIT 1) AS consents
            JOIN clients ON clients.row_id = consents.client_row_id AND clients.deleted_at IS NULL
            JOIN projects ON projects.id = consents.project_id
            LEFT JOIN codes ON codes.consent_id = consents.id AND codes.grant_tail_digest IN ({marks}) LIMIT 1"""
        ask = self._database.look_up if len(tail_digests) <= USUAL_CHAIN else self._database.read
        rows = await ask(sql, *tail_digests, *tail_digests, *tail_digests)
        if not rows:
            return None
        grant_tail, used_at, is_revoked = rows[0][COLUMN_COUNT + CONSENT_COLUMN_COUNT :]
        return Ancestry(
            client=as_client(rows[0]),
            consent=as_consent(rows[0][COLUMN_COUNT : COLUMN_COUNT + CONSENT_COLUMN_COUNT]),
            is_revoked=bool(is_revoked),
            grant_tail_digest=grant_tail,
            issued_at=maybe_from_micros(used_at),
        )

    async def _is_revoked(self, tail_digests: Sequence[bytes]) -> bool:
        marks = ", ".join("?" * len(tail_digests))
        return bool((await self._database.read(f"SELECT {_REVOKED.format(marks)}", *tail_digests))[0][0])
