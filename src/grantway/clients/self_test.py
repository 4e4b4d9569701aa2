"""Does every stored secret still do what it is for? What is stored must be what was handed out: the report's defect was that it wasn't."""

import hmac
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from grantway import secret_token
from grantway.clients import assertion, authentication, secret
from grantway.clients.authentication import Authenticated, LiveSecret, Presented
from grantway.clients.client import Client
from grantway.clients.secret import ClientSecret
from grantway.sealing import SealBrokenError, Sealing

_NONCE_BYTES = 16


@dataclass(frozen=True, slots=True)
class Failure:
    """What is wrong with a stored secret: whose, which version, and what, in one safe sentence."""

    client_id: str
    version: int
    what: str


@dataclass(frozen=True, slots=True)
class Tested:
    """How many secrets were tested, and those that failed."""

    count: int
    failures: tuple[Failure, ...]


class SecretStorage(Protocol):
    """What the self-test asks of storage."""

    async def live_secrets(self, limit: int | None, now: datetime) -> Sequence[tuple[Client, ClientSecret]]:
        """The secrets that authenticate now, with their clients, the newest first; at most `limit`."""


@dataclass(frozen=True, slots=True)
class SelfTest:
    """Tests stored secrets with the very judge that requests meet. `random(n)` gives n random bytes."""

    storage: SecretStorage
    sealing: Sealing
    random: Callable[[int], bytes]

    async def run(self, limit: int | None, now: datetime) -> Tested:
        """Test the newest live secrets, or all (None)."""
        stored = await self.storage.live_secrets(limit, now)
        failed = ((client, one, self._fault(client, one, now)) for client, one in stored)
        return Tested(len(stored), tuple(Failure(client.client_id, one.version, what) for client, one, what in failed if what is not None))

    def _fault(self, client: Client, one: ClientSecret, now: datetime) -> str | None:
        # 1. it unseals
        try:
            key = self.sealing.unseal(one.sealed, secret.WHAT, secret.whose(client.row_id, one.version))
        except SealBrokenError:
            return "it does not unseal: the row was altered or belongs to another master key"
        # 2. it is what was handed out
        if one.handed_out_digest is not None and not hmac.compare_digest(secret.digest(key), one.handed_out_digest):
            return "it is not the secret that was handed out"
        # 3. it is whole
        text = key.decode("utf-8", "replace")
        # one that was taken over has no checksum
        kind = secret_token.Kind.CLIENT_SECRET
        if text.startswith(f"{kind}_") and not secret_token.is_intact(text, kind):
            return "its checksum does not hold"
        # 4. what is signed with it is accepted
        return None if self._authenticates(client, text, one.version, now) else "a JWT signed with it is not accepted"

    def _authenticates(self, client: Client, text: str, version: int, now: datetime) -> bool:
        """Whether the judge takes a JWT made with it; a disabled client counts as if it were enabled."""
        read = assertion.read(assertion.for_client(client.client_id, text, now, self.random(_NONCE_BYTES)))
        presented = Presented(client_id=client.client_id, assertion=read, code_digest=b"")
        judged = authentication.judge(presented, client, [LiveSecret(version=version, key=text.encode())], None, frozenset(), now)
        return isinstance(judged, Authenticated) or judged.trail.first_failed == "client_active"
