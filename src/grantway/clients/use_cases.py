"""What developers do with their clients: register, take over, read, change, disable, give a new secret, delete."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Protocol
from uuid import UUID

from grantway import record_id, secret_token
from grantway.clients import assertion, secret
from grantway.clients.client import MAX_CLIENT_ID, Client, Registration, is_client_id
from grantway.clients.draft import MOST_OF_A_DEVELOPER, ClientDraft
from grantway.clients.secret import ClientSecret, Renewal
from grantway.oauth_error import ACCOUNT_DELETED, ALREADY_EXISTS, INVALID_REQUEST, NOT_FOUND, RefusedError
from grantway.sealing import NONCE_BYTES, Sealing

NO_SUCH_CLIENT = NOT_FOUND.saying("There is no such client.")
TWO_SECRETS = ALREADY_EXISTS.saying(
    "Two secrets are good already, as was promised: wait for the older one's end, or end both now with overlap_seconds 0."
)


class ClientStorage(Protocol):
    """What clients ask of storage."""

    async def add_client(self, new: Client, first: ClientSecret, most: int | None = None) -> Registration:
        """Store a client with its secret; nothing, when its client_id is or was taken, or its developer has `most` already (None: no
        bound), or an account that is deleted."""

    async def client(self, developer_id: str | None, either_id: str) -> Client | None:
        """The client with that row id or client_id, if it is this developer's (None: anybody's) and not deleted."""

    async def deleted_client(self, either_id: str) -> Client | None:
        """The client with that row id or client_id, whoever's it was, if it is deleted."""

    async def clients_of(self, developer_id: str | None) -> list[Client]:
        """The developer's clients (None: everybody's), the oldest first."""

    async def change_client(self, row_id: str, changed: Callable[[Client], Client]) -> Client | None:
        """In one transaction: read the client, store what a developer may change of what `changed` makes of it, and return that; None when
        it is deleted. Of two changes the second one begins with what the first one stored; a status is not touched."""

    async def set_active(self, row_id: str, is_active: bool, now: datetime) -> None:
        """Store the status, and nothing else."""

    async def add_secret(
        self, client_row_id: str, new: ClientSecret, old_live_until: datetime, purge_at: datetime, now: datetime, is_promise_kept: bool
    ) -> Renewal:
        """Store a new current secret and let every older live one end by `old_live_until`; at most one older one stays live. Nothing is
        stored when that version exists, nor with `is_promise_kept` while one from before the current one is live."""

    async def delete_client(self, row_id: str, now: datetime) -> None:
        """Disable it; then in one transaction: mark it deleted, forget its secrets, reject what it asked for and nobody has answered,
        withdraw its consents and revoke their tails."""

    async def last_secret_version(self, client_row_id: str) -> int:
        """The version of the current secret."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewClient:
    """A client, and its secret to be shown this once."""

    client: Client
    client_secret: str


@dataclass(frozen=True, slots=True)
class Clients:
    """The verbs of clients. `random(n)` gives n random bytes."""

    storage: ClientStorage
    sealing: Sealing
    random: Callable[[int], bytes]

    async def register(self, developer_id: str, draft: ClientDraft, now: datetime, client_id: str | None = None) -> NewClient:
        """Register an app with ids and a secret of ours. Refuses what the contract refuses (section 3).

        With a `client_id` that belongs to one form, the form registers one app however often it is sent: `already_exists`. It must
        be one that nobody could have chosen. None: a random one. `invalid_request` for one app too many.
        """
        text = secret_token.make(secret_token.Kind.CLIENT_SECRET, self.random(secret_token.RANDOM_BYTES))
        its_id = client_id or str(UUID(bytes=self.random(16), version=4))
        return await self._add(developer_id, its_id, text, draft, now, MOST_OF_A_DEVELOPER)

    async def take_over(self, developer_id: str, client_id: str, client_secret: str, draft: ClientDraft, now: datetime) -> NewClient:
        """Register an app under a client_id and a secret that it has already, so that it moves over without a change."""
        if not is_client_id(client_id):
            raise RefusedError(
                INVALID_REQUEST.saying(f"A client_id has 1 to {MAX_CLIENT_ID} printable ASCII characters and no white space.")
            )
        if not secret.is_acceptable(client_secret):
            sentence = f"A secret has {secret.MIN_LENGTH} to {secret.MAX_LENGTH} printable ASCII characters and no white space."
            raise RefusedError(INVALID_REQUEST.saying(sentence))
        if assertion.is_meant(client_secret):  # also, `client_secret_post` would take it for one
            raise RefusedError(INVALID_REQUEST.saying("This is a JWT, signed with a secret; import the secret itself."))
        # no bound: only the operator takes apps over, at the command line
        return await self._add(developer_id, client_id, client_secret, draft, now)

    async def of(self, developer_id: str | None) -> list[Client]:
        """The developer's clients, or everybody's for the operator (None)."""
        return await self.storage.clients_of(developer_id)

    async def one(self, developer_id: str | None, either_id: str) -> Client:
        """The client with that row id or client_id; `not_found` also when it is another developer's."""
        found = await self.storage.client(developer_id, either_id)
        if found is None:
            raise RefusedError(NO_SUCH_CLIENT)
        return found

    async def one_ever(self, either_id: str) -> tuple[Client, bool]:
        """For the operator: the client with that row id or client_id, and whether it is deleted; `not_found` if there never was one."""
        living = await self.storage.client(None, either_id)
        found = living or await self.storage.deleted_client(either_id)
        if found is None:
            raise RefusedError(NO_SUCH_CLIENT)
        return found, living is None

    async def change(self, known: Client, drafted: Callable[[Client], ClientDraft], now: datetime) -> Client:
        """Change what a developer says about a client. Consents that were given stay as they are.

        `drafted` makes the draft of the client as it is when that is stored: what a change leaves out stays as another one, made at the
        same time, has it.
        """

        def changed(stored: Client) -> Client:
            ids = {"row_id": stored.row_id, "client_id": stored.client_id, "developer_id": stored.developer_id}
            # `is_active` as it was read, for the answer only: storage does not store it
            return replace(drafted(stored).checked().as_client(**ids, now=now), is_active=stored.is_active, created_at=stored.created_at)

        changed(known)  # what is refused anyway waits for no transaction
        stored = await self.storage.change_client(known.row_id, changed)
        if stored is None:
            raise RefusedError(NO_SUCH_CLIENT)
        return stored

    async def set_active(self, known: Client, is_active: bool, now: datetime) -> Client:
        """Enable or disable: a disabled client gets nothing new, and what it has lives on."""
        await self.storage.set_active(known.row_id, is_active, now)
        return replace(known, is_active=is_active, updated_at=now)

    async def secret_version(self, known: Client) -> int:
        """The version of the current secret: they are counted from 1."""
        return await self.storage.last_secret_version(known.row_id)

    async def regenerate_secret(
        self, known: Client, overlap: timedelta, now: datetime, after: int | None = None, *, is_promise_kept: bool = False
    ) -> NewClient:
        """Give a new secret; the old one stays good for `overlap`. `invalid_request` for more than 30 days.

        `after` is the version that it is to follow: `already_exists` when there is a later one. None: whichever is the current one.
        At most two are good at a time: one from before the old one ends at once, but with `is_promise_kept` that is `already_exists`
        while its own overlap lasts, unless `overlap` is zero.
        """
        # 1. the old one may stay good for so long
        if not timedelta(0) <= overlap <= secret.MAX_OVERLAP:
            sentence = f"overlap_seconds must be 0 to {int(secret.MAX_OVERLAP.total_seconds())}."
            raise RefusedError(INVALID_REQUEST.saying(sentence))
        # 2. the new one; whoever else makes one now takes the same number, of which one is stored
        text = secret_token.make(secret_token.Kind.CLIENT_SECRET, self.random(secret_token.RANDOM_BYTES))
        version = (await self.secret_version(known) if after is None else after) + 1
        new = secret.sealed(self.sealing, known.row_id, version, text, self.random(NONCE_BYTES))
        # 3. it is stored, unless somebody was first or it would break a promise; overlap 0 ends all, as was asked
        ends = now + overlap
        spared = is_promise_kept and overlap > timedelta(0)
        outcome = await self.storage.add_secret(known.row_id, new, ends, ends + secret.KEPT_FOR_DIAGNOSIS, now, spared)
        if outcome is Renewal.OVERTAKEN:
            raise RefusedError(ALREADY_EXISTS.saying("The secret is being regenerated by another request."))
        if outcome is Renewal.PROMISED:
            raise RefusedError(TWO_SECRETS)
        return NewClient(client=known, client_secret=text)

    async def delete(self, known: Client, now: datetime) -> None:
        """Delete a client; every access grant that was issued to it is revoked."""
        await self.storage.delete_client(known.row_id, now)

    async def _add(
        self, developer_id: str, client_id: str, text: str, draft: ClientDraft, now: datetime, most: int | None = None
    ) -> NewClient:
        new = draft.checked().as_client(row_id=self._new_id(now), client_id=client_id, developer_id=developer_id, now=now)
        first = secret.sealed(self.sealing, new.row_id, 1, text, self.random(NONCE_BYTES))
        outcome = await self.storage.add_client(new, first, most)
        if outcome is Registration.DEVELOPER_GONE:
            raise RefusedError(ACCOUNT_DELETED)
        if outcome is Registration.TOO_MANY:
            raise RefusedError(INVALID_REQUEST.saying(f"There are {most} clients already; delete one first."))
        if outcome is Registration.TAKEN:
            raise RefusedError(ALREADY_EXISTS.saying("This client_id is or was taken."))
        return NewClient(client=new, client_secret=text)

    def _new_id(self, now: datetime) -> str:
        return record_id.make(now, self.random(record_id.RANDOM_BYTES))
