"""Explain what was refused, keep the findings, show them to those to whom they belong."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from grantway.authorization.code import AuthorizationCode
from grantway.clients.client import Client
from grantway.clients.secret import ClientSecret
from grantway.diagnosis.attempt import AssertionUse
from grantway.diagnosis.cause import Cause
from grantway.diagnosis.finding import Finding


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimedClient:
    """The client under a claimed client_id, a deleted one too, with all its secrets that are kept, the newest first."""

    client: Client
    is_deleted: bool
    secrets: tuple[ClientSecret, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SealedSecret:
    """The current secret of a client, sealed."""

    client: Client
    secret: ClientSecret


@dataclass(frozen=True, slots=True, kw_only=True)
class FindingQuery:
    """Which findings are asked for, the newest first. None: any. `before` is the trace_id after which the page goes on."""

    developer_id: str | None = None
    client_row_id: str | None = None
    cause: Cause | None = None
    since: datetime | None = None
    until: datetime | None = None
    refused_only: bool = False
    before: str | None = None
    limit: int = 50


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


class FindingStorage(Protocol):
    """Where findings are kept."""

    async def keep(self, findings: Sequence[Finding]) -> None:
        """Store findings, all in one transaction, and drop what is more than the quotas allow."""

    async def finding(self, trace_id: str, developer_id: str | None) -> Finding | None:
        """The finding under that trace_id, if this developer may see it (None: the operator, who may see all)."""

    async def findings(self, query: FindingQuery) -> list[Finding]:
        """The findings that the query asks for, the newest first."""
