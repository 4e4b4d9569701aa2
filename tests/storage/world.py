"""A whole Grantway over a real database, without HTTP: people, an app and codes, made the short way."""

import asyncio
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from tests.engines import database_settings

from grantway import app, secret_token
from grantway.accounts.account import Account, Kind
from grantway.app import Grantway
from grantway.authorization.consent import Decision
from grantway.authorization.request import Asked
from grantway.clients import assertion
from grantway.clients.draft import ClientDraft
from grantway.clients.use_cases import NewClient
from grantway.config import Config
from grantway.oauth_error import RefusedError
from grantway.storage import soundness
from grantway.storage.memory import Memory
from grantway.storage.tokens import Tokens
from grantway.tokens.claim import Claim
from grantway.tokens.token_request import Granted, Refused, TokenRequest

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
REDIRECT_URI = "https://app.example/cb"
SCOPES = ["read", "list", "bucket:photos;2024/"]


@dataclass
class World:
    """The house, and one moment at which all happens unless told otherwise."""

    grantway: Grantway
    now: datetime = NOW

    @property
    def house(self) -> Any:
        return self.grantway.house

    @property
    def tokens(self) -> Tokens:
        return Tokens(self.grantway.database, Memory())

    async def account(self, kind: Kind = Kind.USER, email: str | None = None) -> Account:
        """Somebody new; without the work of a password."""
        made = Account(
            id=str(uuid4()),
            kind=kind,
            email=email or f"{secrets.token_hex(6)}@example.org",
            full_name="Somebody",
            password_hash="none",
            created_at=self.now,
        )
        first = self.grantway.house.projects.new(made, "My project", self.now) if kind is Kind.USER else None
        assert await self.grantway.house.accounts.accounts.add_account(made, first)
        return made

    async def app(self, developer: Account | None = None, **changes: Any) -> NewClient:
        owner = developer or await self.account(Kind.DEVELOPER)
        draft = ClientDraft(**{"name": "Photo Box", "redirect_uris": [REDIRECT_URI], **changes})
        return await self.grantway.house.clients.register(owner.id, draft, self.now)

    async def asked(self, user: Account, new: NewClient, scopes: list[str] | None = None) -> str:
        asked = Asked(client_id=new.client.client_id, redirect_uri=REDIRECT_URI, scopes=scopes or SCOPES)
        return (await self.grantway.house.authorization.ask(user, asked, self.now)).request.id

    async def code(self, user: Account, new: NewClient, scopes: list[str] | None = None, **changes: Any) -> str:
        """Asked and approved: a code."""
        request_id = await self.asked(user, new, scopes)
        decision = Decision(request_id=request_id, approved=scopes or SCOPES, rejected=(), **changes)
        decided = await self.grantway.house.authorization.decide(user, decision, self.now)
        assert decided.code is not None
        return decided.code

    def jwt(self, new: NewClient, secret: str | None = None) -> str:
        return assertion.for_client(new.client.client_id, secret or new.client_secret, self.now, secrets.token_bytes(16))

    async def exchange(self, new: NewClient, code: str, jwt: str | None = None, **changes: Any) -> Granted | Refused:
        request = {"client_id": new.client.client_id, "client_secret": jwt or self.jwt(new), "redirect_uri": REDIRECT_URI, "code": code}
        return await self.grantway.house.tokens.exchange(TokenRequest(**{**request, **changes}), self.now)

    async def claim_of(self, code: str, by: bytes = b"assertion", tail: bytes | None = None) -> Claim:
        """A claim of that code with an assertion of that digest."""
        found = await self.tokens.code(secret_token.digest(code))
        assert found is not None
        return Claim(
            code_digest=found.digest,
            consent_id=found.consent.id,
            assertion_digest=by,
            secret_version=1,
            caveat=b"caveat",
            tail_digest=tail or secrets.token_bytes(32),
            not_after=found.consent.not_after,
            trace_id="00" * 16,
            now=self.now,
        )

    async def rows(self, sql: str, *values: Any) -> list[Any]:
        return [tuple(row) for row in await self.grantway.database.read(sql, *values)]


@asynccontextmanager
async def world(data: Path, **settings: Any) -> AsyncIterator[World]:
    """The world over that folder."""
    async with app.opened(Config(**{"data": data, "port": 0, **database_settings(str(data)), **settings}), lambda: NOW) as grantway:
        yield World(grantway)


Story = Callable[[World], Awaitable[None]]


def told(story: Story, data: Path) -> None:
    """Tell it over that folder, with a server that starts for it and ends with it."""

    async def tell() -> None:
        async with world(data) as there:
            await story(there)

    asyncio.run(tell())


def told_by_two(story: Callable[[World, World], Awaitable[None]], data: Path) -> None:
    """Tell it over that folder with two servers, as in two processes."""

    async def tell() -> None:
        async with world(data) as here, world(data) as elsewhere:
            await story(here, elsewhere)

    asyncio.run(tell())


async def refused(work: Awaitable[Any]) -> str:
    """The error with which a room refuses."""
    with pytest.raises(RefusedError) as refusal:
        await work
    return refusal.value.error.code


async def faults(there: World) -> list[str]:
    """The names of the checks of `db check` that fail."""
    steps = await soundness.check(there.grantway.database, lambda: there.grantway.seals, NOW)
    return [step.what for step in steps if step.faults]
