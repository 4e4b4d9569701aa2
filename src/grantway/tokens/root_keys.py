"""Root keys from passphrases: off the event loop, a bounded number at once; those of the empty passphrase are remembered."""

import asyncio
from collections import OrderedDict

from grantway.access_grant import root_key
from grantway.accounts.use_cases import HardWork

REMEMBERED = 10_000


class RootKeys:
    """Derives root keys. The empty passphrase's key follows from the salt, which we keep anyway: remembering it gives nothing away."""

    def __init__(self, hard_work: HardWork) -> None:
        self._hard_work = hard_work
        self._of_empty: OrderedDict[bytes, asyncio.Task[bytes]] = OrderedDict()

    async def derive(self, passphrase: str, salt: bytes) -> bytes:
        """The root key, 32 bytes; UnavailableError when too many derivations wait already."""
        if passphrase:
            return await self._hard_work(root_key.derive, passphrase.encode(), salt)
        task = self._task_of_empty(salt)
        # shielded: a caller that gives up must not end it for others who wait for the same salt
        return task.result() if task.done() else await asyncio.shield(task)

    def _task_of_empty(self, salt: bytes) -> asyncio.Task[bytes]:
        """One derivation a salt, however many ask at once; a failed one is forgotten."""
        task = self._of_empty.get(salt)
        # one that failed would refuse everybody with this salt for good
        if task is None or (task.done() and (task.cancelled() or task.exception() is not None)):
            task = asyncio.ensure_future(self._derived_of_empty(salt))
            self._of_empty[salt] = task
        self._of_empty.move_to_end(salt)
        while len(self._of_empty) > REMEMBERED:
            self._of_empty.popitem(last=False)
        return task

    async def _derived_of_empty(self, salt: bytes) -> bytes:
        return await self._hard_work(root_key.derive, b"", salt)
