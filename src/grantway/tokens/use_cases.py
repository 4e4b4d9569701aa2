"""The exchange: a code and a JWT in, an access grant out, and every refusal with its trail."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from grantway import secret_token
from grantway.access_grant import ApiKey
from grantway.authorization.code import AuthorizationCode
from grantway.clients.authentication import Authenticated, NotAuthenticated
from grantway.clients.client import AuthMethod, Client
from grantway.oauth_error import INVALID_REQUEST, UnavailableError
from grantway.tokens import exchange, presented_key
from grantway.tokens.client_authentication import NOBODY, ClientAuthentication, presented_by
from grantway.tokens.collecting import Collecting, ParentKeys
from grantway.tokens.exchange import CodeExchange, Issue, Refusal
from grantway.tokens.token_request import Checked, Granted, KnownClient, Refused, TokenRequest
from grantway.trail import Trail


class CodeStorage(Protocol):
    """What the verbs ask of storage, besides what authenticating and collecting do."""

    async def code(self, digest: bytes) -> AuthorizationCode | None:
        """The code with that digest, used or not, with its consent."""

    async def revoke_below(self, client_row_id: str, tail_digests: Sequence[bytes], now: datetime) -> bool:
        """Revoke the last of the tails if one above it is a consent's to this client; else False, and nothing is revoked."""

    async def revoke_yield(self, code_digest: bytes, now: datetime) -> None:
        """Revoke the tail of the grant that this code yielded."""


class TokenMemory(Protocol):
    """What this process has read or written lately, without asking storage. It may be out of date: only a claim tells."""

    def client(self, client_id: str) -> KnownClient | None:
        """The client with that client_id as it was known last, its `consumed_by` None."""

    def code(self, digest: bytes) -> AuthorizationCode | None:
        """The code with that digest as it was issued here."""


class ProjectKeys(ParentKeys, Protocol):
    """What the verbs ask of the satellite."""

    async def tail_digests(self, api_key: ApiKey) -> tuple[bytes, ...]:
        """SHA-256 of every tail in the chain of a genuine API key, the root's first and its own last; empty for one that is not."""


NOT_ISSUED_TO_YOU = INVALID_REQUEST.saying("This token was not issued to this client.")


@dataclass(frozen=True, slots=True)
class Tokens:
    """The verbs of tokens."""

    storage: CodeStorage
    memory: TokenMemory
    keys: ProjectKeys
    clients: ClientAuthentication
    collecting: Collecting

    async def exchange(self, request: TokenRequest, now: datetime) -> Granted | Refused:
        """Exchange a code for an access grant. Nothing is used up by a refusal, and nothing handed out that isn't recorded.

        What is remembered can only say yes: whatever comes of it but a grant, storage is asked.
        """
        if (granted := await self._from_memory(request, now)) is not None:
            return granted
        client = await self.clients.authenticate(request, now)
        if isinstance(client, NotAuthenticated):
            return Refused(client.error, client.trail)
        decision = await self._judged(request, client, now)
        if isinstance(decision, Refusal):
            # the code is in two hands: what it gave the first is taken back (RFC 6749 section 4.1.2)
            if decision.leaked:
                await self.storage.revoke_yield(secret_token.digest(request.code), now)
            return Refused(decision.error, client.trail)
        return await self.collecting.collect(request, client, decision, now)

    async def _from_memory(self, request: TokenRequest, now: datetime) -> Granted | None:
        """The grant, when the client as it is remembered and the code as it was issued yield one, and the claim finds all of it still so.

        A client that isn't remembered is judged as well, so that no refusal tells by its time who came here lately. With a passphrase
        nothing is: its derivation would come before the refusal, and tell that the code is a living one.
        """
        if request.method is not AuthMethod.JWT or request.passphrase:
            return None
        presented = presented_by(request)
        try:
            client = self.clients.judge(request, presented, self.memory.client(request.client_id) or NOBODY, now)
        except UnavailableError:  # sealed under a master key that has gone since
            return None
        if isinstance(client, NotAuthenticated):
            return None
        # not remembered where another process issued it, or on PostgreSQL by workers (decision 0022)
        code = self.memory.code(presented.code_digest) or await self.storage.code(presented.code_digest)
        decision = _decision(request, client, code, now)
        if isinstance(decision, Refusal):
            return None
        # a refusal by the claim is not answered either: storage says what it is
        outcome = await self.collecting.collect(request, client, decision, now)
        return outcome if isinstance(outcome, Granted) else None

    async def check(self, request: TokenRequest, developer_id: str, now: datetime) -> Refused | Checked:
        """Judge as `exchange` does, for the client's developer: nothing is used up, revoked or issued. Another developer's client is
        answered as an unknown one."""
        client = await self.clients.authenticate(request, now, developer_id)
        if isinstance(client, NotAuthenticated):
            return Refused(client.error, client.trail)
        decision = await self._judged(request, client, now)
        if isinstance(decision, Refusal):
            return Refused(decision.error, client.trail)
        return await self.collecting.check(request, client, decision) or Checked(client.client, client.trail)

    async def revoke(self, request: TokenRequest, now: datetime) -> Refused | None:
        """Revoke the API key or access grant that is in the place of the code, for the client that it was issued to (RFC 7009).

        Every key made from it is dead with it. What is no key of ours, or is dead already, needs nothing.
        """
        client = await self.clients.authenticate(request, now)
        if isinstance(client, NotAuthenticated):
            return Refused(client.error, client.trail)
        api_key = presented_key.read(request.code)
        digests = await self.keys.tail_digests(api_key) if api_key else ()
        # what is no key of ours is as good as revoked: no error (RFC 7009 section 2.2)
        if digests and not await self.storage.revoke_below(client.client.row_id, digests, now):
            client.trail.check("issued_to_client", False)
            return Refused(NOT_ISSUED_TO_YOU, client.trail)
        return None

    async def exchange_for(self, client: Client, request: TokenRequest, now: datetime) -> Granted | Refused:
        """Exchange a code as `exchange` does, for a client that was identified otherwise."""
        nonce = self.clients.use_without_assertion(now)
        identified = Authenticated(client=client, secret_version=0, assertion_digest=nonce, trail=Trail())
        decision = await self._judged(request, identified, now)
        if isinstance(decision, Refusal):
            return Refused(decision.error, identified.trail)
        return await self.collecting.collect(request, identified, decision, now)

    async def _judged(self, request: TokenRequest, client: Authenticated, now: datetime) -> Issue | Refusal:
        digest = secret_token.digest(request.code)
        return _decision(request, client, await self.storage.code(digest), now)


def _decision(request: TokenRequest, client: Authenticated, code: AuthorizationCode | None, now: datetime) -> Issue | Refusal:
    presented = CodeExchange(
        client=client,
        redirect_uri=request.redirect_uri,
        code_verifier=request.code_verifier,
        is_public=request.method is AuthMethod.NONE,
    )
    return exchange.judge(presented, code, now)
