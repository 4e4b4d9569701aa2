"""What storage knows of what an attempt names: the client, its secrets, the code, the JWT; the same look-ups whoever is meant."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from grantway import secret_token
from grantway.authorization.code import AuthorizationCode
from grantway.clients import assertion, secret
from grantway.clients.assertion import UnreadableAssertionError
from grantway.clients.client import Client
from grantway.clients.secret import ClientSecret
from grantway.diagnosis import of_client
from grantway.diagnosis import sent as sending
from grantway.diagnosis.attempt import AssertionUse, Attempt, CodeUse, ForeignSecret, Known, KnownSecret
from grantway.diagnosis.cause import Cause
from grantway.diagnosis.evidence import ClaimedClient, SealedSecret
from grantway.diagnosis.finding import Finding, FindingQuery
from grantway.diagnosis.sent import Sent
from grantway.sealing import SealBrokenError, Sealing

_SECRETS = secret.MOST_KEPT
_FOREIGN = 3
_NEAR = 5
_MENTIONED = 4
_SKEWS = 5


class EvidenceStorage(Protocol):
    """What a diagnosis looks up."""

    async def claimed_client(self, client_id: str) -> ClaimedClient | None:
        """The client under that client_id."""

    async def near_clients(self, claimed: str, limit: int) -> tuple[Client, ...]:
        """Clients, not deleted, that the claimed id may mean: equal once trimmed, in any case, by row id, by name, or up to two
        characters off; the nearest first."""

    async def secrets_of_developer(self, developer_id: str, limit: int) -> tuple[SealedSecret, ...]:
        """The current secrets of this developer's clients, the newest clients first."""

    async def code(self, digest: bytes) -> AuthorizationCode | None:
        """The code with that digest, used or not, with its consent."""

    async def request_status(self, request_id: str) -> str | None:
        """What became of the consent request with that id; None when there is none."""

    async def assertion_use(self, digest: bytes) -> AssertionUse | None:
        """What the assertion with that digest was used for."""

    async def is_exposed(self, digest: bytes) -> bool:
        """Whether the assertion with that digest stood in the URL of the integration page."""


class LastFindings(Protocol):
    """What a diagnosis asks of the findings that were kept before."""

    async def findings(self, query: FindingQuery) -> list[Finding]:
        """The findings that the query asks for, the newest first."""


@dataclass(frozen=True, slots=True)
class LookUp:
    """Looks up what a diagnosis needs. UnavailableError: the database is away."""

    evidence: EvidenceStorage
    kept: LastFindings
    sealing: Sealing

    async def known(self, attempt: Attempt, sent: Sent, for_developer: str | None) -> Known:
        """Everything that storage knows. For a developer, clients of others are unknown ones."""
        claimed = sent.claimed
        # 1. the client that was claimed, and those that may be meant
        found = await self.evidence.claimed_client(claimed)
        # asked for a known client too: the same look-ups whoever is meant (decision 0009)
        near = await self.evidence.near_clients(claimed, _NEAR)
        if for_developer is not None:
            found = found if found and found.client.developer_id == for_developer else None
            near = tuple(client for client in near if client.developer_id == for_developer)
        # one more, because the client's own is among them
        foreign = await self.evidence.secrets_of_developer(found.client.developer_id if found else "", _FOREIGN + 1)
        # 2. the code and the JWT
        text, presented = sent.text("code"), _assertion_digest(sent)
        code = await self.evidence.code(secret_token.digest(text)) if text else None
        near = () if found else near
        # 3. what is known of them
        return Known(
            client=found.client if found else None,
            is_deleted=bool(found and found.is_deleted),
            near=near,
            secrets=self._unsealed(found, attempt.at) if found else (),
            foreign=self._foreign(found, foreign) if found else (),
            veiled=await self._veiled(found, near, code, sent, attempt.at, for_developer),
            code=code,
            code_use=await self._code_use(code, presented),
            # no id of ours is as long
            request_status=await self.evidence.request_status(text[:100]) if text else None,
            assertion_use=await self.evidence.assertion_use(presented) if presented else None,
            is_exposed=await self.evidence.is_exposed(presented) if presented else False,
            skews=await self._skews(found.client.row_id if found else ""),
        )

    async def _veiled(
        self,
        found: ClaimedClient | None,
        near: Sequence[Client],
        code: AuthorizationCode | None,
        sent: Sent,
        now: datetime,
        who: str | None,
    ) -> tuple[bytes, ...]:
        """Secrets of the clients that were meant, or are mentioned, as far as whoever sees the finding owns them."""
        ids = [client.client_id for client in near] + list(sending.mentioned(sent)[:_MENTIONED])
        if code is not None and found is None:
            ids += [client.client_id for client in await self.evidence.near_clients(code.consent.client_row_id, 1)]
        others = [one for client_id in dict.fromkeys(ids) if (one := await self.evidence.claimed_client(client_id)) is not None]
        meant = None if found or not near else of_client.meant(sent.claimed, Known(near=tuple(near)))
        owner = who or (found.client.developer_id if found else meant[0].developer_id if meant else None)
        # a mask tells that a guess was right: nobody learns that of another developer's secret
        owned = [one for one in others if owner in {None, one.client.developer_id}]
        also = await self.evidence.secrets_of_developer(meant[0].developer_id if meant else "", _FOREIGN + 1)
        keys = [known.key for one in owned for known in self._unsealed(one, now)]
        return (*keys, *(key for one in also if (key := self._opened(one.client.row_id, one.secret))))

    async def _code_use(self, code: AuthorizationCode | None, presented: bytes | None) -> CodeUse | None:
        if code is None or code.used_by is None:
            return None
        use = await self.evidence.assertion_use(code.used_by)
        return CodeUse(trace_id=use.trace_id if use else None, by_same_assertion=code.used_by == presented)

    async def _skews(self, client_row_id: str) -> tuple[float, ...]:
        last = await self.kept.findings(FindingQuery(client_row_id=client_row_id, cause=Cause.CLOCK_AHEAD, limit=_SKEWS))
        skews = [one.facts.get("clock_skew_seconds") for one in last]
        return tuple(skew for skew in skews if isinstance(skew, float | int))

    def _unsealed(self, found: ClaimedClient, now: datetime) -> tuple[KnownSecret, ...]:
        opened = ((one, self._opened(found.client.row_id, one)) for one in found.secrets[:_SECRETS])
        return tuple(
            KnownSecret(version=one.version, key=key, ended_at=None if one.is_live(now) else one.live_until) for one, key in opened if key
        )

    def _foreign(self, found: ClaimedClient, others: Sequence[SealedSecret]) -> tuple[ForeignSecret, ...]:
        kept = [one for one in others if one.client.row_id != found.client.row_id][:_FOREIGN]
        opened = ((one, self._opened(one.client.row_id, one.secret)) for one in kept)
        return tuple(ForeignSecret(client_id=one.client.client_id, key=key) for one, key in opened if key)

    def _opened(self, row_id: str, one: ClientSecret) -> bytes | None:
        """The secret's bytes; None for one that does not open, which the exchange answers as a fault of ours."""
        try:
            return self.sealing.unseal(one.sealed, secret.WHAT, secret.whose(row_id, one.version))
        except SealBrokenError:
            return None


def _assertion_digest(sent: Sent) -> bytes | None:
    try:
        return assertion.read(sent.text("client_secret")).digest
    except UnreadableAssertionError:
        return None
