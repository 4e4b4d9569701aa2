"""The embedded satellite: makes each project's root key, hands out what grants descend from, and answers whether a key may act."""

import hashlib
import hmac
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from grantway.access_grant import Action, Allowed, ApiKey, Denied, check
from grantway.access_grant.node_url import format_node_id
from grantway.access_grant.satellite_check import VERSION_OBJECT_LOCK
from grantway.accounts.project import WHAT, ProjectKey
from grantway.oauth_error import UnavailableError
from grantway.satellite import identity
from grantway.sealing import NONCE_BYTES, SATELLITE_IDENTITY, SealBrokenError, Sealing
from grantway.tokens.issue import ParentKey

HEAD_BYTES = SECRET_BYTES = 32
SALT_BYTES = 16
REMEMBERED = 10_000


class SatelliteStorage(Protocol):
    """What the embedded satellite asks of storage."""

    async def key_of_project(self, project_id: str) -> ProjectKey | None:
        """The project's root key; None when the project is gone."""

    async def key_by_head(self, head: bytes) -> ProjectKey | None:
        """The root key with that head; None when there is none, or no more."""

    async def revoked(self, tail_digests: Sequence[bytes]) -> frozenset[bytes]:
        """Those of the digests whose tails are revoked."""

    async def identity(self, first: Callable[[], tuple[bytes, bytes]], now: datetime) -> tuple[bytes, bytes]:
        """This satellite's node id and sealed private key. When there are none, `first()` makes them, unless another process was first."""


@dataclass(frozen=True, slots=True)
class EmbeddedSatellite:
    """A satellite for API keys only: it stores no files. `address` is its node URL, as it stands in every grant."""

    storage: SatelliteStorage
    sealing: Sealing
    random: Callable[[int], bytes]
    address: str
    _remembered: dict[str, ParentKey] = field(default_factory=dict, repr=False)
    _roots: dict[bytes, ApiKey] = field(default_factory=dict, repr=False)
    """By their heads."""

    def new_key(self, project_id: str) -> ProjectKey:
        """A fresh root key and salt for a project, ready to be stored."""
        sealed = self.sealing.seal(self.random(SECRET_BYTES), WHAT, project_id, self.random(NONCE_BYTES))
        salt, head = self.random(SALT_BYTES), self.random(HEAD_BYTES)
        # StorX's OAuth flows make keys of version 0, for which its scope `lock` has no effect
        return ProjectKey(project_id=project_id, head=head, sealed_secret=sealed, salt=salt, version=VERSION_OBJECT_LOCK)

    async def parent_key(self, project_id: str) -> ApiKey | None:
        """The project's root API key; None when the project is gone."""
        key = await self.storage.key_of_project(project_id)
        return None if key is None else ApiKey.new(self._secret(key), key.head)

    async def salt(self, project_id: str) -> bytes | None:
        """The salt of the project's encryption; None when the project is gone."""
        key = await self.storage.key_of_project(project_id)
        return None if key is None else key.salt

    async def project(self, project_id: str) -> ParentKey | None:
        """The project's root API key with the salt of its encryption and our address; None when the project is gone.

        A project's key never changes, so it is remembered. That of a project that was deleted since opens nothing: `check` asks storage.
        """
        known = self._remembered.get(project_id)
        if known is None:
            key = await self.storage.key_of_project(project_id)
            if key is None:
                return None
            known = ParentKey(api_key=ApiKey.new(self._secret(key), key.head), salt=key.salt, satellite_address=self.address)
            if len(self._remembered) >= REMEMBERED:
                # a bound, no more: what is forgotten is read again
                self._remembered.clear()
            self._remembered[project_id] = known
        return known

    async def tail_digests(self, api_key: ApiKey) -> tuple[bytes, ...]:
        """SHA-256 of every tail in the chain of a genuine API key, the root's first and its own last; empty for one that is not."""
        key = await self.storage.key_by_head(api_key.head)
        if key is None:
            return ()
        tails = api_key.tails(self._secret(key))
        # a forged key reads like a genuine one: only its last tail tells
        return tuple(hashlib.sha256(tail).digest() for tail in tails) if hmac.compare_digest(tails[-1], api_key.tail) else ()

    async def tails(self, api_key: ApiKey) -> tuple[bytes, ...]:
        """Every tail in the chain of a genuine API key, the root's first and its own last; empty for one that is not.

        A root key never changes, so it is remembered: its project may be gone since.
        """
        root = self._roots.get(api_key.head)
        if root is None:
            key = await self.storage.key_by_head(api_key.head)
            if key is None:
                return ()
            if len(self._roots) >= REMEMBERED:
                self._roots.clear()
            root = self._roots[api_key.head] = ApiKey.new(self._secret(key), key.head)
        tails = api_key.tails_below(root)
        return tails if hmac.compare_digest(tails[-1], api_key.tail) else ()

    async def check(self, api_key: ApiKey, action: Action, bucket: bytes, encrypted_path: bytes, now: datetime) -> Allowed | Denied:
        """May this API key do that? The satellite's whole answer: known, genuine, not revoked, and every caveat allows it."""
        key = await self.storage.key_by_head(api_key.head)
        if key is None:
            return Denied("unknown_key")
        secret = self._secret(key)
        # storage knows tails by their digests only (decision 0005)
        digests = {hashlib.sha256(tail).digest(): tail for tail in api_key.tails(secret)}
        revoked = await self.storage.revoked(tuple(digests))
        return check(
            api_key,
            secret=secret,
            version=key.version,
            action=action,
            bucket=bucket,
            encrypted_path=encrypted_path,
            now=now,
            revoked={digests[digest] for digest in revoked},
        )

    def _secret(self, key: ProjectKey) -> bytes:
        try:
            return self.sealing.unseal(key.sealed_secret, WHAT, key.project_id)
        except SealBrokenError as error:
            # the row or the master key is at fault, never who asks
            raise UnavailableError(str(error)) from None


async def address(storage: SatelliteStorage, sealing: Sealing, random: Callable[[int], bytes], host: str, now: datetime) -> str:
    """This satellite's node URL, `ID@host:port`, making its identity at first start."""

    def first() -> tuple[bytes, bytes]:
        node_id, private_key = identity.make()
        return node_id, sealing.seal(private_key, SATELLITE_IDENTITY, "", random(NONCE_BYTES))

    # of several processes that start together one makes it, and all get that one
    node_id, _ = await storage.identity(first, now)
    return f"{format_node_id(node_id)}@{host}"
