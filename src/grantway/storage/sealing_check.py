"""One sealed row that every start opens: it tells a wrong master key before anything is served, and which key seals in this database.

All processes on a database, wherever they run, thus seal under one key at a time, whatever order their own keys are in: what is
stored is sealed under the key that this row is sealed under when the storing transaction reads it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from grantway.oauth_error import UnavailableError
from grantway.sealing import HEADER_BYTES, NONCE_BYTES, MasterKeyError, SealBrokenError, Sealing, key_name
from grantway.storage.database import Database
from grantway.storage.statements import Statement, Work, audit

WHAT = "sealing check"
SEALED = Statement("SELECT sealed FROM sealing_check WHERE id = 1")

_PLAINTEXT = b"this is the master key of this database"


@dataclass(frozen=True, slots=True)
class Seals:
    """Sees to it that nothing is stored under another master key than the one that seals now. `random(n)` gives n random bytes."""

    sealing: Sealing
    random: Callable[[int], bytes]

    async def check(self, database: Database) -> None:
        """Open the row, or store it at first start. MasterKeyError when the database was sealed under other keys than ours."""
        nonce = self.random(NONCE_BYTES)

        def work() -> Work[bytes | None]:
            rows = yield SEALED
            if rows:
                return bytes(rows[0][0])
            sealed = self.sealing.seal(_PLAINTEXT, WHAT, "", nonce)
            yield Statement("INSERT INTO sealing_check (id, sealed) VALUES (1, ?)", (sealed,))
            return None

        sealed = await database.write(work)
        try:
            if sealed is not None:
                self.sealing.unseal(sealed, WHAT, "")
        except SealBrokenError:
            raise MasterKeyError("this master key is not the one that the database was sealed with; put that one back") from None

    def storable(self, sealed: bytes, what: str, whose: str) -> Work[bytes]:
        """`sealed` as this transaction may store it: under the key that seals now.

        The master key may have been rotated since it was sealed, and what was under the old key then is re-sealed and looked for only once.
        """
        rows = yield SEALED
        try:
            return self.sealing.resealed(sealed, bytes(rows[0][0])[:HEADER_BYTES], what, whose, self.random(NONCE_BYTES))
        except SealBrokenError:
            raise UnavailableError("the master key that seals in this database is none of ours") from None

    def begin_rotation(self, now: datetime) -> Work[bool]:
        """Let the first of our keys seal from now on; False when it does already.

        Once this is committed nothing is stored under another key any more: whoever stores something sealed reads this row.
        """
        header = self.sealing.headers()[0]
        rows = yield SEALED
        sealed = bytes(rows[0][0])
        if sealed[:HEADER_BYTES] == header:
            return False
        resealed = self.sealing.resealed(sealed, header, WHAT, "", self.random(NONCE_BYTES))
        yield Statement("UPDATE sealing_check SET sealed = ? WHERE id = 1", (resealed,))
        yield audit("master_key_changed", now, subject=key_name(header))
        return True
