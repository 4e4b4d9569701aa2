"""Tell a wrong master key at start, before anything is served: one sealed row that must open."""

from collections.abc import Callable

from grantway.sealing import NONCE_BYTES, MasterKeyError, SealBrokenError, Sealing
from grantway.storage.database import Database
from grantway.storage.statements import Statement, Work

_WHAT = "sealing check"
_PLAINTEXT = b"this is the master key of this database"


async def check(database: Database, sealing: Sealing, random: Callable[[int], bytes]) -> None:
    """Open the row, or store it at first start. MasterKeyError when the database was sealed under another key."""

    def work() -> Work[bytes | None]:
        rows = yield Statement("SELECT sealed FROM sealing_check WHERE id = 1")
        if rows:
            return bytes(rows[0][0])
        yield Statement("INSERT INTO sealing_check (id, sealed) VALUES (1, ?)", (sealing.seal(_PLAINTEXT, _WHAT, "", random(NONCE_BYTES)),))
        return None

    sealed = await database.write(work)
    try:
        if sealed is not None:
            sealing.unseal(sealed, _WHAT, "")
    except SealBrokenError:
        raise MasterKeyError("this master key is not the one that the database was sealed with; put that one back") from None
