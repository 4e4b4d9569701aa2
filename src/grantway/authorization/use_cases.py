"""What people and apps do with consent: ask and decide."""

import hashlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from urllib.parse import urlencode

from grantway import record_id, secret_token
from grantway.access_grant import ApiKey
from grantway.accounts.account import Account
from grantway.accounts.project import Project
from grantway.authorization import code, consent, opening, request
from grantway.authorization.code import AuthorizationCode
from grantway.authorization.consent import Approved, Consent, Decision, NotDecidable, Rejected
from grantway.authorization.request import AccessRequest, AnswerOutcome, Askable, Asked, NotAskable, Status
from grantway.clients import redirect_uri
from grantway.clients.client import Client
from grantway.oauth_error import ACCOUNT_DELETED, INVALID_CLIENT_ID, RefusedError
from grantway.scopes.meaning import covers, meaning_of
from grantway.sealing import NONCE_BYTES


class RequestStorage(Protocol):
    """What asking and deciding ask of storage."""

    async def client_by_id(self, client_id: str) -> Client | None:
        """The client with that client_id, unless it was deleted."""

    async def add_request(self, made: AccessRequest) -> bool:
        """Store a request; False, and nothing stored, when the person's account or the client is deleted."""

    async def request(self, request_id: str) -> AccessRequest | None:
        """The request with that id, with its client, unless that was deleted."""

    async def developer_name(self, developer_id: str) -> str:
        """The name of the developer behind a client."""

    async def record_rejection(self, request_id: str, now: datetime) -> AnswerOutcome:
        """Mark a pending request rejected. Nothing is stored when it was answered before, or its client was disabled, or lost the
        request's redirect URI, since the decision was judged."""

    async def record_approval(self, given: Consent, issued: AuthorizationCode) -> AnswerOutcome:
        """In one transaction: mark the pending request approved, store consent and code; nothing, as with a rejection."""


class OwnedProjects(Protocol):
    """What asking and deciding ask of accounts' storage."""

    async def projects_of(self, owner_id: str) -> list[Project]:
        """The user's projects, the oldest first."""


class LiveConsents(Protocol):
    """What asking asks of what was allowed before."""

    async def live_scopes(self, user_id: str, client_row_id: str, now: datetime) -> list[tuple[str, ...]]:
        """The scopes of the consents of this user to this client that are alive, each list of scopes once."""


class ParentKeys(Protocol):
    """What consent asks of the satellite."""

    async def parent_key(self, project_id: str) -> ApiKey | None:
        """The API key that everything of this project descends from; None when the project is gone."""

    async def salt(self, project_id: str) -> bytes | None:
        """The salt of the project's encryption (16 bytes); None when the project is gone."""


class RootKeyDerivation(Protocol):
    """Argon2, off the event loop and bounded."""

    def derive(self, passphrase: str, salt: bytes) -> Awaitable[bytes]:
        """The root key, 32 bytes; UnavailableError when too many derivations wait already."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AskedAnswer:
    """What the person's side learns of a request: its id, who asks, what is held, what is new, what cannot be left out."""

    request: AccessRequest
    current_access: tuple[str, ...]
    held: tuple[tuple[str, ...], ...]
    """What is held, consent by consent."""
    needed_access: tuple[str, ...]
    required_scopes: tuple[str, ...]
    optional_scopes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Decided:
    """Where to send the person now, the code when there is one, and the request that was decided."""

    redirect_uri: str
    code: str | None
    request: AccessRequest


@dataclass(frozen=True, slots=True)
class Authorization:
    """The verbs of asking and consenting. `random(n)` gives n random bytes; `issuer` is what `iss` says (RFC 9207)."""

    requests: RequestStorage
    consents: LiveConsents
    projects: OwnedProjects
    keys: ParentKeys
    root_keys: RootKeyDerivation
    random: Callable[[int], bytes]
    issuer: str

    async def examine(self, asked: Asked) -> Askable | NotAskable:
        """Whether an app may ask for this at all, of anybody: before it is known who the person is."""
        return request.judge(asked, await self.requests.client_by_id(asked.client_id), ())

    async def client(self, client_id: str) -> Client | None:
        """The client with that client_id, unless it was deleted."""
        return await self.requests.client_by_id(client_id)

    async def asker(self, request_id: str) -> Client | None:
        """The client that made this request; None when there is no such request."""
        known = await self.requests.request(request_id)
        return known.client if known else None

    async def developer_name(self, client: Client) -> str:
        """Who is behind a client."""
        return await self.requests.developer_name(client.developer_id)

    async def ask(self, user: Account, asked: Asked, now: datetime, session_digest: bytes | None = None) -> AskedAnswer:
        """Put an app's request before the person. Refuses with the errors of the contract's section 2, without a redirect.

        `session_digest` is that of the browser session whose page asks: only there the request can be answered, and it has longer.
        """
        # 1. may it be asked?
        client = await self.requests.client_by_id(asked.client_id)
        owned = {project.id for project in await self.projects.projects_of(user.id)}
        decision = request.judge(asked, client, owned)
        if isinstance(decision, NotAskable):
            raise RefusedError(decision.error, decision.trail)
        # 2. it is stored, unless what it hangs on was deleted meanwhile
        made = AccessRequest(
            id=self._new_id(now),
            client=decision.client,
            user_id=user.id,
            redirect_uri=asked.redirect_uri,
            scopes=tuple(dict.fromkeys(asked.scopes)),
            state=asked.state,
            code_challenge=asked.code_challenge,
            project_id=asked.project_id,
            created_at=now,
            expires_at=now + (request.LIFETIME if session_digest is None else request.PAGE_LIFETIME),
            status=Status.PENDING,
            session_digest=session_digest,
            is_from_integration=asked.is_from_integration,
        )
        if not await self.requests.add_request(made):
            # the person's account or the client: the answer names the one that is gone
            is_known = await self.requests.client_by_id(asked.client_id) is not None
            raise RefusedError(ACCOUNT_DELETED if is_known else INVALID_CLIENT_ID)
        # 3. what the person is to know
        return await self._answer(made, now)

    async def undecided(self, user: Account, request_id: str, session_digest: bytes, now: datetime) -> AskedAnswer:
        """A request once more, for a page that is shown again: nothing is decided or used up.

        Refuses as `decide` would, when this person cannot answer the request in this session now.
        """
        # a denial meets all checks of a decision but those of what is approved
        denial = Decision(request_id=request_id, approved=(), rejected=(), approve=False, session_digest=session_digest)
        known = await self.requests.request(request_id)
        owned = [project.id for project in await self.projects.projects_of(user.id)]
        verdict = consent.judge(denial, known, user.id, owned, now)
        if isinstance(verdict, NotDecidable):
            raise RefusedError(verdict.error, verdict.trail)
        return await self._answer(verdict.request, now)

    async def decide(self, user: Account, decision: Decision, now: datetime) -> Decided:
        """Take the person's decision. Refuses with the errors of the contract's section 2."""
        known = await self.requests.request(decision.request_id)
        owned = [project.id for project in await self.projects.projects_of(user.id)]
        verdict = consent.judge(decision, known, user.id, owned, now)
        if isinstance(verdict, NotDecidable):
            raise RefusedError(verdict.error, verdict.trail)
        if isinstance(verdict, Rejected):
            return await self._reject(verdict, now)
        return await self._approve(verdict, decision.passphrase, now)

    async def _answer(self, made: AccessRequest, now: datetime) -> AskedAnswer:
        held = await self.consents.live_scopes(made.user_id, made.client.row_id, now)
        meanings, among = [meaning_of(scopes) for scopes in held], meaning_of(made.scopes)
        required = request.required_of(made.scopes, made.client)
        return AskedAnswer(
            request=made,
            held=tuple(held),
            current_access=tuple(dict.fromkeys(text for scopes in held for text in scopes)),
            needed_access=tuple(text for text in made.scopes if not any(covers(one, text, among) for one in meanings)),
            required_scopes=required,
            optional_scopes=tuple(text for text in made.scopes if text not in required),
        )

    async def _reject(self, verdict: Rejected, now: datetime) -> Decided:
        outcome = await self.requests.record_rejection(verdict.request.id, now)
        if outcome is not AnswerOutcome.RECORDED:
            raise consent.not_recorded(outcome)
        return Decided(self._redirect(verdict.request, error="access_denied"), None, verdict.request)

    async def _approve(self, verdict: Approved, passphrase: str | None, now: datetime) -> Decided:
        given = await self._consent(verdict, now)
        text = secret_token.make(secret_token.Kind.CODE, self.random(secret_token.RANDOM_BYTES))
        issued = AuthorizationCode(
            digest=secret_token.digest(text),
            consent=given,
            redirect_uri=verdict.request.redirect_uri,
            code_challenge=verdict.request.code_challenge,
            issued_at=now,
            expires_at=now + code.LIFETIME,
            sealed_opening=await self._sealed_opening(verdict, passphrase, text),
        )
        outcome = await self.requests.record_approval(given, issued)
        if outcome is not AnswerOutcome.RECORDED:
            raise consent.not_recorded(outcome)
        return Decided(self._redirect(verdict.request, code=text), text, verdict.request)

    async def _sealed_opening(self, verdict: Approved, passphrase: str | None, code_text: str) -> bytes | None:
        """What the passphrase opens, narrowed to what was approved and sealed under the code; None without passphrase or project."""
        salt = await self.keys.salt(verdict.project_id) if verdict.project_id and passphrase is not None else None
        if salt is None or passphrase is None:
            return None
        # before anything is stored: nothing slow happens while a transaction is open
        opened = opening.of(verdict.meaning, await self.root_keys.derive(passphrase, salt))
        return opening.sealed(opened, code_text, self.random(NONCE_BYTES))

    async def _consent(self, verdict: Approved, now: datetime) -> Consent:
        """The consent with its caveat and the digest of the tail that the caveat makes: the handle by which it is withdrawn."""
        parent = await self.keys.parent_key(verdict.project_id) if verdict.project_id else None
        # without a project there is nothing to descend from; the exchange says so (`no_project`)
        made = consent.caveat(verdict.meaning, verdict.not_after, self.random(consent.NONCE_BYTES)) if parent else None
        return Consent(
            id=self._new_id(now),
            request_id=verdict.request.id,
            user_id=verdict.request.user_id,
            client_row_id=verdict.request.client.row_id,
            project_id=verdict.project_id,
            scopes=verdict.scopes,
            rejected_scopes=verdict.rejected,
            caveat=made,
            tail_digest=hashlib.sha256(parent.restrict(made).tail).digest() if parent and made else None,
            created_at=now,
            not_after=verdict.not_after,
        )

    def _redirect(self, answered: AccessRequest, **parameters: str) -> str:
        state = {} if answered.state is None else {"state": answered.state}
        return redirect_uri.with_parameters(answered.redirect_uri, urlencode({**parameters, **state, "iss": self.issuer}))

    def _new_id(self, now: datetime) -> str:
        return record_id.make(now, self.random(record_id.RANDOM_BYTES))
