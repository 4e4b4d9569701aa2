"""What a person does with the access that apps have: see it, and take it back."""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from grantway.accounts.account import Account
from grantway.authorization.access import ClientAccess, IssuedGrant, RequestRecord
from grantway.oauth_error import NOT_FOUND, RefusedError

_NEVER_ASKED = NOT_FOUND.saying("This app has never asked you for access.")


class GivenAccessStorage(Protocol):
    """What seeing and taking back asks of storage."""

    async def access_of(self, user_id: str, now: datetime, skipped: int = 0, most: int | None = None) -> list[ClientAccess]:
        """What each client holds or held from this user, those that hold something first: no more than `most` after those `skipped`."""

    async def access_to(self, user_id: str, client_id: str, now: datetime) -> ClientAccess | None:
        """What this client holds or held from this user; None when there is nothing, or it is forgotten."""

    async def history(self, user_id: str, client_id: str, now: datetime) -> list[RequestRecord]:
        """What this client asked of this user, the latest first."""

    async def withdraw(self, user_id: str, client_id: str, now: datetime) -> bool:
        """In one transaction: withdraw every consent of this user to this client and revoke their tails, which kills all below;
        unanswered requests and unused codes of theirs die too. False when the client never asked this user."""

    async def grants_of(self, user_id: str, client_id: str) -> list[IssuedGrant]:
        """The access grants that this client collected from this user and that storage still knows, the latest first."""

    async def revoke_grant(self, user_id: str, client_id: str, grant_id: str, now: datetime) -> bool:
        """In one transaction: revoke the tail of this grant, and withdraw its consent when nothing alive is left under it.
        False when this user gave that client no such grant."""


@dataclass(frozen=True, slots=True)
class GivenAccess:
    """The verbs of seeing and taking back."""

    storage: GivenAccessStorage

    async def access_of(self, user: Account, now: datetime, skipped: int = 0, most: int | None = None) -> list[ClientAccess]:
        """Which apps hold, or held, access from this person, those that hold it first: no more than `most` after those `skipped`."""
        return await self.storage.access_of(user.id, now, skipped, most)

    async def access_to(self, user: Account, client_id: str, now: datetime) -> ClientAccess | None:
        """What one app holds, or held, from this person; None when there is nothing, or it is forgotten."""
        return await self.storage.access_to(user.id, client_id, now)

    async def history(self, user: Account, client_id: str, now: datetime) -> list[RequestRecord]:
        """What one app asked of this person; `not_found` when it never did."""
        records = await self.storage.history(user.id, client_id, now)
        if not records:
            raise RefusedError(_NEVER_ASKED)
        return records

    async def withdraw(self, user: Account, client_id: str, now: datetime) -> None:
        """Take back all that an app was allowed: when this returns, every key below is dead. `not_found` when it never asked."""
        if not await self.storage.withdraw(user.id, client_id, now):
            raise RefusedError(_NEVER_ASKED)

    async def grants_of(self, user: Account, client_id: str, now: datetime) -> list[IssuedGrant]:
        """Every access grant that one app collected, the latest first; `not_found` when it never asked."""
        # no list of grants tells an app that never asked from one that collected nothing
        await self.history(user, client_id, now)
        return await self.storage.grants_of(user.id, client_id)

    async def revoke_grant(self, user: Account, client_id: str, grant_id: str, now: datetime) -> None:
        """Take back one access grant: when this returns, it is dead with every key made from it; the app's others live on."""
        if not await self.storage.revoke_grant(user.id, client_id, grant_id, now):
            raise RefusedError(NOT_FOUND.saying("You gave this app no such access grant; it may have ended long ago."))
