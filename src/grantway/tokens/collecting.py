"""Collecting: for a code that may be exchanged, the access grant is made, then the code is claimed."""

import hashlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from grantway.authorization import opening
from grantway.authorization.opening import Opening
from grantway.clients.authentication import Authenticated
from grantway.oauth_error import INVALID_SCOPE, NO_PROJECT, UnavailableError
from grantway.scopes.meaning import Meaning, meaning_of
from grantway.sealing import SealBrokenError
from grantway.tokens import issue
from grantway.tokens.claim import REFUSED_AS, Claim, ClaimOutcome
from grantway.tokens.exchange import Issue
from grantway.tokens.issue import IssuedGrant, ParentKey
from grantway.tokens.token_request import Granted, Refused, TokenRequest

NO_KEY = INVALID_SCOPE.saying("A prefix was approved, and no passphrase is known to encrypt it with.")


class ClaimStorage(Protocol):
    """What collecting asks of storage."""

    async def claim(self, claim: Claim) -> ClaimOutcome:
        """In one transaction: mark the code used, consume the assertion, record the grant; only if the code is unused, the assertion
        was used for no other code and stood in no URL, and client, secret, consent and project are alive: nothing that was read or
        remembered before is trusted. What isn't recorded is never handed out."""


class ParentKeys(Protocol):
    """What collecting asks of the satellite."""

    async def project(self, project_id: str) -> ParentKey | None:
        """The project's parent key, salt and satellite address; None when the project is gone."""


class RootKeyDerivation(Protocol):
    """Argon2, off the event loop and bounded."""

    def derive(self, passphrase: str, salt: bytes) -> Awaitable[bytes]:
        """The root key, 32 bytes."""


@dataclass(frozen=True, slots=True)
class Collecting:
    """The second half of an exchange. `random` makes the nonces of caveats, which are no secrets."""

    storage: ClaimStorage
    keys: ParentKeys
    root_keys: RootKeyDerivation
    random: Callable[[int], bytes]

    async def collect(self, request: TokenRequest, client: Authenticated, decision: Issue, now: datetime) -> Granted | Refused:
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
        if not client.trail.check("code_claimed", outcome is ClaimOutcome.CLAIMED, outcome=str(outcome)):
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

    async def check(self, request: TokenRequest, client: Authenticated, decision: Issue) -> Refused | None:
        """What `collect` would refuse it for before the claim, found without a derivation; None: nothing."""
        if await self.keys.project(decision.project_id) is None:
            client.trail.check("project_there", False)
            return Refused(NO_PROJECT, client.trail)
        is_known = request.passphrase is not None or decision.code.sealed_opening is not None
        if not client.trail.check("key_known", is_known or not opening.has_prefixes(meaning_of(decision.consent.scopes))):
            return Refused(NO_KEY, client.trail)
        return None

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
