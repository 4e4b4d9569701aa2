"""Who asks: a request's client is looked up, and the first judge decides whether the request comes from it."""

import hashlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from grantway import secret_token
from grantway.clients import assertion, authentication
from grantway.clients.assertion import Assertion, UnreadableAssertionError
from grantway.clients.authentication import Authenticated, NotAuthenticated, Presented
from grantway.clients.client import AuthMethod
from grantway.tokens.live_secrets import LiveSecrets
from grantway.tokens.token_request import KnownClient, TokenRequest

NOBODY = KnownClient(client=None, secrets=(), consumed_by=None)
"""What is known of a client_id that nobody has."""

Authenticate = Callable[[TokenRequest, datetime], Awaitable[Authenticated | NotAuthenticated]]
"""`ClientAuthentication.authenticate`, for all that ask no more of it."""


class KnownClients(Protocol):
    """What is asked of storage."""

    async def known_client(self, client_id: str, assertion_digest: bytes) -> KnownClient:
        """The client with that client_id, its secrets (newest first, ended ones too), and what the assertion was used for."""


@dataclass(frozen=True, slots=True)
class ClientAuthentication:
    """The token endpoints' authentication of clients, by every method. `audiences` are what a JWT's `aud` may name."""

    storage: KnownClients
    secrets: LiveSecrets
    random: Callable[[int], bytes]
    audiences: frozenset[str]

    async def authenticate(self, request: TokenRequest, now: datetime, developer_id: str | None = None) -> Authenticated | NotAuthenticated:
        """Whether the request comes from the client that it claims; nothing is used up. With `developer_id`, other developers' clients
        are answered as unknown ones."""
        if request.method is not AuthMethod.JWT:
            return await self._authenticate_plain(request, now, developer_id)
        presented = presented_by(request)
        # some digest in any case: what cannot be read takes the same query
        looked_up = presented.assertion.digest if presented.assertion else presented.code_digest
        known = _seen_by(developer_id, await self.storage.known_client(request.client_id, looked_up))
        return self.judge(request, presented, known, now)

    def judge(self, request: TokenRequest, presented: Presented, known: KnownClient, now: datetime) -> Authenticated | NotAuthenticated:
        """The same by what is known of the client already. UnavailableError: its secret is sealed under a master key that has gone."""
        row_id = known.client.row_id if known.client else ""
        secrets = self.secrets.of(request.client_id, row_id, known.secrets, now)
        return authentication.judge(presented, known.client, secrets, known.consumed_by, self.audiences, now)

    async def _authenticate_plain(self, request: TokenRequest, now: datetime, developer_id: str | None) -> Authenticated | NotAuthenticated:
        nonce = self.use_without_assertion(now)
        # there is no JWT: the same query is asked with a digest that nobody has
        known = _seen_by(developer_id, await self.storage.known_client(request.client_id, nonce))
        secrets = self.secrets.of(request.client_id, known.client.row_id if known.client else "", known.secrets, now)
        return authentication.judge_plain(request.method, request.client_secret.encode(), known.client, secrets, nonce)

    def use_without_assertion(self, now: datetime) -> bytes:
        """What a code's use without a JWT is remembered by: unlike any other."""
        return assertion.handle(int(now.timestamp()), hashlib.sha256(self.random(secret_token.RANDOM_BYTES)).digest())


def _seen_by(developer_id: str | None, known: KnownClient) -> KnownClient:
    """The same, or nobody where it is another developer's client; None: whoever asks."""
    return known if developer_id is None or known.client is None or known.client.developer_id == developer_id else NOBODY


def presented_by(request: TokenRequest) -> Presented:
    """What the request brings for the judge, its JWT read if it can be."""
    read: Assertion | None = None
    unreadable: str | None = None
    try:
        read = assertion.read(request.client_secret)
    except UnreadableAssertionError as error:
        unreadable = str(error)
    return Presented(
        client_id=request.client_id,
        assertion=read,
        unreadable=unreadable,
        code_digest=secret_token.digest(request.code),
        is_rfc7523=request.is_rfc7523,
        is_in_url=request.is_in_url,
    )
