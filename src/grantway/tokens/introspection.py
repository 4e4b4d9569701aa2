"""Introspection: what an API key or access grant is worth now, told to the client that it was issued to, or to a resource server."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from grantway.access_grant import ApiKey
from grantway.clients.authentication import NotAuthenticated
from grantway.clients.client import AuthMethod
from grantway.oauth_error import INVALID_CLIENT
from grantway.tokens import presented_key, token_state
from grantway.tokens.client_authentication import Authenticate
from grantway.tokens.token_request import Refused, TokenRequest
from grantway.tokens.token_state import Alive, Ancestry, Chain


class AncestryStorage(Protocol):
    """What introspection asks of storage."""

    async def ancestry(self, tail_digests: Sequence[bytes]) -> Ancestry | None:
        """The consent that has one of these tails, unless its client was deleted or its project is gone; withdrawn ones too."""


class Chains(Protocol):
    """What introspection asks of the satellite."""

    async def tails(self, api_key: ApiKey) -> tuple[bytes, ...]:
        """Every tail in the chain of a genuine API key, the root's first and its own last; empty for one that is not. What is remembered
        will do: the project may be gone since."""


@dataclass(frozen=True, slots=True)
class Introspection:
    """The verbs of introspection (RFC 7662). `authenticate` is the token endpoint's."""

    storage: AncestryStorage
    chains: Chains
    authenticate: Authenticate

    async def for_client(self, request: TokenRequest, now: datetime) -> Alive | Refused | None:
        """What the token in the place of the code is worth, for the client that it was issued to; None: nothing that it may know of.

        A public client may not ask: anybody can send its client_id.
        """
        # a JWT that asks is not used up: only the claim of a code does that
        client = await self.authenticate(request, now)
        if isinstance(client, NotAuthenticated):
            return Refused(client.error, client.trail)
        if not client.trail.check("client_confidential", request.method is not AuthMethod.NONE):
            return Refused(INVALID_CLIENT, client.trail)
        alive = await self.state(request.code, now)
        # another client's key is answered as none (RFC 7662 section 2.2)
        return alive if alive and alive.ancestry.client.row_id == client.client.row_id else None

    async def state(self, token: str, now: datetime) -> Alive | None:
        """What a token is worth, whoever it was issued to; None: nothing, for whatever reason."""
        api_key = presented_key.read(token)
        if api_key is None or len(api_key.caveats) > token_state.MOST_CAVEATS:
            return None
        digests = tuple(hashlib.sha256(tail).digest() for tail in await self.chains.tails(api_key))
        if not digests:
            return None
        return token_state.judge(Chain(api_key=api_key, tail_digests=digests), await self.storage.ancestry(digests), now)
