"""The exchange: a code and a JWT in, an access grant out, and every refusal with its trail."""

import hashlib
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from grantway import secret_token
from grantway.access_grant import ApiKey
from grantway.authorization import opening
from grantway.authorization.code import AuthorizationCode
from grantway.authorization.opening import Opening
from grantway.clients import assertion, authentication
from grantway.clients.assertion import Assertion, UnreadableAssertionError
from grantway.clients.authentication import Authenticated, NotAuthenticated, Presented
from grantway.clients.client import AuthMethod, Client
from grantway.oauth_error import INVALID_REQUEST, INVALID_SCOPE, NO_PROJECT, UnavailableError
from grantway.scopes.meaning import Meaning, meaning_of
from grantway.sealing import SealBrokenError
from grantway.tokens import exchange, issue, presented_key
from grantway.tokens.claim import REFUSED_AS, Claim, ClaimOutcome
from grantway.tokens.exchange import CodeExchange, Issue, Refusal
from grantway.tokens.issue import IssuedGrant, ParentKey
from grantway.tokens.live_secrets import LiveSecrets
from grantway.tokens.token_request import Checked, Granted, KnownClient, Refused, TokenRequest
from grantway.trail import Trail


class TokenStorage(Protocol):
    """What the exchange asks of storage."""

    async def known_client(self, client_id: str, assertion_digest: bytes) -> KnownClient:
        """The client with that client_id, its secrets (newest first, ended ones too), and what the assertion was used for."""

    async def code(self, digest: bytes) -> AuthorizationCode | None:
        """The code with that digest, used or not, with its consent."""

    async def claim(self, claim: Claim) -> ClaimOutcome:
        """In one transaction: mark the code used, consume the assertion, record the grant; only if the code is unused, the assertion
        was used for no other code and stood in no URL, and client, secret, consent and project are alive: nothing that was read or
        remembered before is trusted. What isn't recorded is never handed out."""

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


class ProjectKeys(Protocol):
    """What the exchange asks of the satellite."""

    async def project(self, project_id: str) -> ParentKey | None:
        """The project's parent key, salt and satellite address; None when the project is gone."""

    async def tail_digests(self, api_key: ApiKey) -> tuple[bytes, ...]:
        """SHA-256 of every tail in the chain of a genuine API key, the root's first and its own last; empty for one that is not."""


class RootKeyDerivation(Protocol):
    """Argon2, off the event loop and bounded."""

    def derive(self, passphrase: str, salt: bytes) -> Awaitable[bytes]:
        """The root key, 32 bytes."""


NOT_ISSUED_TO_YOU = INVALID_REQUEST.saying("This token was not issued to this client.")
NO_KEY = INVALID_SCOPE.saying("A prefix was approved, and no passphrase is known to encrypt it with.")

_NOBODY = KnownClient(client=None, secrets=(), consumed_by=None)


@dataclass(frozen=True, slots=True)
class Tokens:
    """The verbs of tokens. `audiences` are what a JWT's `aud` may name."""

    storage: TokenStorage
    memory: TokenMemory
    keys: ProjectKeys
    root_keys: RootKeyDerivation
    secrets: LiveSecrets
    random: Callable[[int], bytes]
    audiences: frozenset[str]

    async def exchange(self, request: TokenRequest, now: datetime) -> Granted | Refused:
        """Exchange a code for an access grant. Nothing is used up by a refusal, and nothing handed out that isn't recorded.

        What is remembered can only say yes: whatever comes of it but a grant, storage is asked.
        """
        if (granted := await self._from_memory(request, now)) is not None:
            return granted
        client = await self.authenticate(request, now)
        if isinstance(client, NotAuthenticated):
            return Refused(client.error, client.trail)
        decision = await self._judged(request, client, now)
        if isinstance(decision, Refusal):
            # the code is in two hands: what it gave the first is taken back (RFC 6749 section 4.1.2)
            if decision.leaked:
                await self.storage.revoke_yield(secret_token.digest(request.code), now)
            return Refused(decision.error, client.trail)
        return await self._collect(request, client, decision, now)

    async def _from_memory(self, request: TokenRequest, now: datetime) -> Granted | None:
        """The grant, when the client as it is remembered and the code as it was issued yield one, and the claim finds all of it still so.

        A client that isn't remembered is judged as well, so that no refusal tells by its time who came here lately. With a passphrase
        nothing is: its derivation would come before the refusal, and tell that the code is a living one.
        """
        if request.method is not AuthMethod.JWT or request.passphrase:
            return None
        presented = _presented(request)
        try:
            client = self._judge(request, presented, self.memory.client(request.client_id) or _NOBODY, now)
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
        outcome = await self._collect(request, client, decision, now)
        return outcome if isinstance(outcome, Granted) else None

    async def check(self, request: TokenRequest, developer_id: str, now: datetime) -> Refused | Checked:
        """Judge as `exchange` does, for the client's developer: nothing is used up, revoked or issued. Another developer's client is
        answered as an unknown one."""
        client = await self.authenticate(request, now, developer_id)
        if isinstance(client, NotAuthenticated):
            return Refused(client.error, client.trail)
        decision = await self._judged(request, client, now)
        if isinstance(decision, Refusal):
            return Refused(decision.error, client.trail)
        # an exchange meets these as it collects, which a dry run does not do
        if await self.keys.project(decision.project_id) is None:
            client.trail.check("project_there", False)
            return Refused(NO_PROJECT, client.trail)
        is_known = request.passphrase is not None or decision.code.sealed_opening is not None
        if not client.trail.check("key_known", is_known or not opening.has_prefixes(meaning_of(decision.consent.scopes))):
            return Refused(NO_KEY, client.trail)
        return Checked(client.client, client.trail)

    async def revoke(self, request: TokenRequest, now: datetime) -> Refused | None:
        """Revoke the API key or access grant that is in the place of the code, for the client that it was issued to (RFC 7009).

        Every key made from it is dead with it. What is no key of ours, or is dead already, needs nothing.
        """
        client = await self.authenticate(request, now)
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
        nonce = self._nonce(now)
        identified = Authenticated(client=client, secret_version=0, assertion_digest=nonce, trail=Trail())
        decision = await self._judged(request, identified, now)
        if isinstance(decision, Refusal):
            return Refused(decision.error, identified.trail)
        return await self._collect(request, identified, decision, now)

    async def _judged(self, request: TokenRequest, client: Authenticated, now: datetime) -> Issue | Refusal:
        digest = secret_token.digest(request.code)
        return _decision(request, client, await self.storage.code(digest), now)

    async def authenticate(self, request: TokenRequest, now: datetime, developer_id: str | None = None) -> Authenticated | NotAuthenticated:
        """Whether the request comes from the client that it claims; nothing is used up. With `developer_id`, other developers' clients
        are answered as unknown ones."""
        if request.method is not AuthMethod.JWT:
            return await self._authenticate_plain(request, now, developer_id)
        presented = _presented(request)
        # some digest in any case: what cannot be read takes the same query
        looked_up = presented.assertion.digest if presented.assertion else presented.code_digest
        known = _seen_by(developer_id, await self.storage.known_client(request.client_id, looked_up))
        return self._judge(request, presented, known, now)

    def _judge(self, request: TokenRequest, presented: Presented, known: KnownClient, now: datetime) -> Authenticated | NotAuthenticated:
        row_id = known.client.row_id if known.client else ""
        secrets = self.secrets.of(request.client_id, row_id, known.secrets, now)
        return authentication.judge(presented, known.client, secrets, known.consumed_by, self.audiences, now)

    async def _authenticate_plain(
        self, request: TokenRequest, now: datetime, developer_id: str | None = None
    ) -> Authenticated | NotAuthenticated:
        nonce = self._nonce(now)
        # there is no JWT: the same query is asked with a digest that nobody has
        known = _seen_by(developer_id, await self.storage.known_client(request.client_id, nonce))
        secrets = self.secrets.of(request.client_id, known.client.row_id if known.client else "", known.secrets, now)
        return authentication.judge_plain(request.method, request.client_secret.encode(), known.client, secrets, nonce)

    def _nonce(self, now: datetime) -> bytes:
        """What a use without a JWT is remembered by: unlike any other."""
        return assertion.handle(int(now.timestamp()), hashlib.sha256(self.random(secret_token.RANDOM_BYTES)).digest())

    async def _opening(self, request: TokenRequest, decision: Issue, meaning: Meaning, salt: bytes) -> Opening | None:
        """What the person's passphrase opens if one was given at consent, else what the request's opens; None without any."""
        if decision.code.sealed_opening is not None:
            try:
                return opening.unsealed(decision.code.sealed_opening, request.code)
            except SealBrokenError as error:
                # the code is the right one, so what is broken is ours
                raise UnavailableError(str(error)) from None
        if request.passphrase is None:
            return None
        return opening.of(meaning, await self.root_keys.derive(request.passphrase, salt))

    async def _collect(self, request: TokenRequest, client: Authenticated, decision: Issue, now: datetime) -> Granted | Refused:
        """Make the grant first, then claim the code: nothing slow happens while the transaction is open."""
        # 1. what the grant descends from
        parent = await self.keys.project(decision.project_id)
        if parent is None:
            client.trail.check("project_there", False)
            return Refused(NO_PROJECT, client.trail)
        # 2. the encryption keys, if any are known: never a whole bucket's in the place of a prefix's
        meaning = meaning_of(decision.consent.scopes)
        opened = await self._opening(request, decision, meaning, parent.salt)
        if not client.trail.check("key_known", opened is not None or not opening.has_prefixes(meaning)):
            return Refused(NO_KEY, client.trail)
        # 3. the grant, which is arithmetic
        nonce = self.random(issue.NONCE_BYTES)
        issued = issue.issue(parent, decision.caveat, opened, nonce, now, decision.consent.not_after)
        # 4. the code is claimed and the grant recorded: what is not recorded could not be revoked
        outcome = await self.storage.claim(_claim(client, decision, issued, request.trace_id, now))
        if not client.trail.check("code_claimed", outcome is ClaimOutcome.CLAIMED, outcome=outcome.name.lower()):
            return Refused(REFUSED_AS[outcome], client.trail)
        return Granted(
            api_key=issued.api_key,
            access_grant=issued.access_grant,
            scopes=decision.consent.scopes,
            expires_in=int((issued.not_after - now).total_seconds()),
            # None is no warning: nobody gave a passphrase, and no encryption key was made
            warnings=("empty_passphrase",) if decision.code.sealed_opening is None and request.passphrase == "" else (),
            client=client.client,
            trail=client.trail,
        )


def _seen_by(developer_id: str | None, known: KnownClient) -> KnownClient:
    """The same, or nobody where it is another developer's client; None: whoever asks."""
    return known if developer_id is None or known.client is None or known.client.developer_id == developer_id else _NOBODY


def _presented(request: TokenRequest) -> Presented:
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


def _decision(request: TokenRequest, client: Authenticated, code: AuthorizationCode | None, now: datetime) -> Issue | Refusal:
    presented = CodeExchange(
        client=client,
        redirect_uri=request.redirect_uri,
        code_verifier=request.code_verifier,
        is_public=request.method is AuthMethod.NONE,
    )
    return exchange.judge(presented, code, now)


def _claim(client: Authenticated, decision: Issue, issued: IssuedGrant, trace_id: str, now: datetime) -> Claim:
    return Claim(
        code_digest=decision.code.digest,
        consent_id=decision.consent.id,
        assertion_digest=client.assertion_digest,
        secret_version=client.secret_version,
        caveat=issued.caveat,
        tail_digest=hashlib.sha256(issued.tail).digest(),
        not_after=issued.not_after,
        trace_id=trace_id,
        now=now,
    )
