"""Project keys, revoked tails and the embedded satellite's identity."""

from collections.abc import Callable, Sequence
from datetime import datetime

from grantway.accounts.project import ProjectKey
from grantway.sealing import SATELLITE_IDENTITY
from grantway.storage.database import Database
from grantway.storage.sealing_check import Seals
from grantway.storage.statements import USUAL_CHAIN, Rows, Statement, Work, to_micros

_KEY = "SELECT project_id, head, sealed_secret, salt, version FROM project_keys"
_ASKED_AT_ONCE = 500


class SatelliteRecords:
    """Implements what `grantway.satellite` asks of storage."""

    def __init__(self, database: Database, seals: Seals) -> None:
        self._database = database
        self._seals = seals

    async def key_of_project(self, project_id: str) -> ProjectKey | None:
        """The project's root key; None when the project is gone."""
        return _key(await self._database.read(f"{_KEY} WHERE project_id = ?", project_id))

    async def key_by_head(self, head: bytes) -> ProjectKey | None:
        """The root key with that head; None when there is none, or no more."""
        return _key(await self._database.look_up(f"{_KEY} WHERE head = ?", head))

    async def revoked(self, tail_digests: Sequence[bytes]) -> frozenset[bytes]:
        """Those of the digests whose tails are revoked."""
        found: set[bytes] = set()
        for start in range(0, len(tail_digests), _ASKED_AT_ONCE):
            part = tail_digests[start : start + _ASKED_AT_ONCE]
            marks = ", ".join("?" * len(part))
            # each number of tails is a text of its own, and each text that is shared is remembered: long chains are rare
            ask = self._database.look_up if len(part) <= USUAL_CHAIN else self._database.read
            found.update(row[0] for row in await ask(f"SELECT tail_digest FROM revoked_tails WHERE tail_digest IN ({marks})", *part))
        return frozenset(found)

    async def identity(self, first: Callable[[], tuple[bytes, bytes]], now: datetime) -> tuple[bytes, bytes]:
        """This satellite's node id and sealed private key; `first()` makes them when there are none yet."""

        def work() -> Work[Rows]:
            # within the transaction: processes that start at once get one identity
            known = yield Statement("SELECT node_id, sealed_private_key FROM satellite_identity WHERE id = 1")
            if known:
                return known
            node_id, private_key = first()
            made = (node_id, (yield from self._seals.storable(private_key, SATELLITE_IDENTITY, "")))
            sql = "INSERT INTO satellite_identity (id, node_id, sealed_private_key, created_at) VALUES (1, ?, ?, ?)"
            yield Statement(sql, (*made, to_micros(now)))
            return [made]

        node_id, sealed_private_key = (await self._database.write(work))[0]
        return node_id, sealed_private_key


def _key(rows: Rows) -> ProjectKey | None:
    if not rows:
        return None
    project_id, head, sealed_secret, salt, version = rows[0]
    return ProjectKey(project_id=project_id, head=head, sealed_secret=sealed_secret, salt=salt, version=version)
