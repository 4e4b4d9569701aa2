"""JWTs that stood in a URL: remembered by digest until they have expired."""

from datetime import datetime

from grantway.storage.database import Database
from grantway.storage.statements import to_micros


class Exposures:
    """Implements what the integration page asks of storage."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def expose(self, assertion_digest: bytes, until: datetime) -> None:
        """Remember that no token request may use this assertion any more."""
        # a page that is loaded again costs a read, not a commit
        if not await self._database.read("SELECT 1 FROM exposed_assertions WHERE digest = ?", assertion_digest):
            sql = "INSERT INTO exposed_assertions (digest, expires_at) VALUES (?, ?) ON CONFLICT DO NOTHING"
            await self._database.one(sql, assertion_digest, to_micros(until))
