"""What people do with their accounts: register, sign in and out, change, leave; and their projects."""

import hashlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import ParamSpec, Protocol, TypeVar

from grantway import record_id, secret_token
from grantway.accounts import password, project, session
from grantway.accounts.account import Account, Kind, normal_email, normal_name
from grantway.accounts.project import MOST_OF_A_USER, Project, ProjectKey, ProjectOutcome
from grantway.accounts.session import NewSession, Opening, OpenSession, Session
from grantway.oauth_error import ACCOUNT_DELETED, ALREADY_EXISTS, INVALID_REQUEST, NOT_FOUND, WRONG_CREDENTIALS, RefusedError

P = ParamSpec("P")
T = TypeVar("T")
_SOMEWHERE = Opening()


class AccountStorage(Protocol):
    """What accounts ask of storage."""

    async def add_account(self, account: Account, first: tuple[Project, ProjectKey] | None) -> bool:
        """Store a new account, with its first project if any; False, and nothing stored, when its kind has that address already."""

    async def account_by_email(self, kind: Kind, email: str) -> Account | None:
        """The account of that kind with that address, unless it was deleted."""

    async def accounts_of(self, kind: Kind) -> list[Account]:
        """Every account of that kind that is not deleted, the oldest first."""

    async def change_account(self, account_id: str, *, full_name: str | None = None, password_hash: str | None = None) -> None:
        """Change what is given. A new password ends every session of the account in the same transaction."""

    async def replace_password(self, account_id: str, old_hash: str, new_hash: str) -> bool:
        """Change the password, and end every session of the account in the same transaction, if it still is the one that was checked;
        False, and nothing changed, when somebody else was first."""

    async def delete_account(self, account: Account, now: datetime, *, if_password_stands: bool = False) -> bool:
        """End its sessions and disable its clients; then in one transaction: withdraw its consents or delete its clients, revoke every tail
        under them, reject what nobody has answered, forget its projects and their keys, and wipe what is personal. If wanted, only while
        the account's password is the one that was read; False, and nothing changed, when it is another by now."""


class SessionStorage(Protocol):
    """What sessions ask of storage."""

    async def add_session(self, account: Account, made: OpenSession) -> bool:
        """Store a session under the digest of its token; False, and nothing stored, when the account's password is another by now, or
        the account is deleted: a password change ends every session, also one that is being opened."""

    async def session(self, digest: bytes, now: datetime) -> Session | None:
        """The session with that digest that has not ended."""

    async def end_session(self, digest: bytes) -> None:
        """Forget the session; no error when there is none."""

    async def sessions_of(self, account_id: str, now: datetime) -> list[OpenSession]:
        """The account's sessions that have not ended, the latest first."""

    async def end_other_sessions(self, account_id: str, kept: bytes) -> None:
        """Forget every session of the account but the one with that digest."""


class ProjectStorage(Protocol):
    """What projects ask of storage."""

    async def add_project(self, made: Project, key: ProjectKey, most: int) -> ProjectOutcome:
        """Store a project together with its root key; nothing, when its owner has `most` already, or an account that is deleted."""

    async def projects_of(self, owner_id: str) -> list[Project]:
        """The user's projects, the oldest first."""

    async def delete_project(self, owner_id: str, project_id: str) -> bool:
        """Forget the project with its key, which kills every access grant under it; False when it is not the owner's."""


class ProjectKeys(Protocol):
    """What projects ask of the satellite."""

    def new_key(self, project_id: str) -> ProjectKey:
        """A fresh root key and salt for a project, ready to be stored."""


class HardWork(Protocol):
    """Where Argon2 runs: off the event loop, a bounded number at once; UnavailableError when too many wait already."""

    def __call__(self, work: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Awaitable[T]:
        """The result of `work(*args, **kwargs)`."""


_PASSWORD_WRONG = WRONG_CREDENTIALS.saying("The password is wrong.")
_OLD_PASSWORD_WRONG = WRONG_CREDENTIALS.saying("The old password is wrong.")


@dataclass(frozen=True, slots=True)
class Accounts:
    """The verbs of accounts and sessions. `random(n)` gives n random bytes."""

    accounts: AccountStorage
    sessions: SessionStorage
    projects: "Projects"
    hard_work: HardWork
    random: Callable[[int], bytes]

    async def register(self, kind: Kind, full_name: str, email: str, plain_password: str, now: datetime) -> Account:
        """Make an account, for a user with a first project. Refuses with `invalid_request` or `already_exists`."""
        address, name = normal_email(email), normal_name(full_name)
        if address is None:
            raise RefusedError(INVALID_REQUEST.saying("email is not an e-mail address."))
        if name is None:
            raise RefusedError(INVALID_REQUEST.saying("The name must be 1 to 200 printable characters."))
        account = Account(
            id=record_id.make(now, self.random(record_id.RANDOM_BYTES)),
            kind=kind,
            email=address,
            full_name=name,
            password_hash=await self._hashed(plain_password),
            created_at=now,
        )
        # without a project a user's first consent would give nothing (`no_project`)
        first = self.projects.new(account, project.FIRST_NAME, now) if kind is Kind.USER else None
        if not await self.accounts.add_account(account, first):
            raise RefusedError(ALREADY_EXISTS.saying("This e-mail address is registered already."))
        return account

    async def sign_in(self, kind: Kind, email: str, plain_password: str, now: datetime, opened: Opening = _SOMEWHERE) -> NewSession:
        """Open a session. A wrong password and an unknown address are refused alike, in bytes and in time."""
        address = normal_email(email)
        account = await self.accounts.account_by_email(kind, address) if address else None
        right = await self.hard_work(password.matches, plain_password, account.password_hash if account else None)
        if account is None or not right:
            raise RefusedError(WRONG_CREDENTIALS)
        token = secret_token.make(secret_token.Kind.SESSION, self.random(secret_token.RANDOM_BYTES))
        expires_at = now + session.LIFETIME
        digest = secret_token.digest(token)
        made = OpenSession(digest=digest, created_at=now, expires_at=expires_at, opened=opened)
        # the password was changed, or the account deleted, while this one was being checked
        if not await self.sessions.add_session(account, made):
            raise RefusedError(WRONG_CREDENTIALS)
        return NewSession(token=token, expires_at=expires_at)

    async def session(self, kind: Kind, token: str, now: datetime) -> Session | None:
        """The session that a token opens for this kind of account, if any."""
        found = await self.sessions.session(secret_token.digest(token), now)
        return found if found and found.account.kind is kind else None

    async def sign_out(self, signed_in: Session) -> None:
        """End this session; its token opens nothing any more."""
        await self.sessions.end_session(signed_in.digest)

    async def sessions_of(self, account: Account, now: datetime) -> list[OpenSession]:
        """Everywhere where this person is signed in, the latest first."""
        return await self.sessions.sessions_of(account.id, now)

    async def end_session(self, account: Account, handle: str, now: datetime) -> None:
        """End one of this person's sessions by its public handle; `not_found` when it is nobody's, another's or over."""
        # a handle leads to no digest, so all are looked through: 100 at most
        for one in await self.sessions.sessions_of(account.id, now):
            if one.handle == handle:
                return await self.sessions.end_session(one.digest)
        raise RefusedError(NOT_FOUND.saying("There is no such session; it may have ended already."))

    async def end_other_sessions(self, signed_in: Session) -> None:
        """End every session of this person but this one."""
        await self.sessions.end_other_sessions(signed_in.account.id, signed_in.digest)

    async def rename(self, account: Account, full_name: str) -> None:
        """Change the name that others see; `invalid_request` for one that cannot be shown."""
        name = normal_name(full_name)
        if name is None:
            raise RefusedError(INVALID_REQUEST.saying("The name must be 1 to 200 printable characters."))
        await self.accounts.change_account(account.id, full_name=name)

    async def reset_password(self, account: Account, plain_password: str) -> None:
        """Set a new password and end every session of the account."""
        await self.accounts.change_account(account.id, password_hash=await self._hashed(plain_password))

    async def change_password(self, account: Account, old: str, new: str) -> None:
        """Set a new password after the old one, and end every session of the account, this one too."""
        if not await self.hard_work(password.matches, old, account.password_hash):
            raise RefusedError(_OLD_PASSWORD_WRONG)
        # of two changes at once one wins: hashing takes its time between the look and the write
        if not await self.accounts.replace_password(account.id, account.password_hash, await self._hashed(new)):
            raise RefusedError(_OLD_PASSWORD_WRONG)

    async def leave(self, account: Account, plain_password: str, now: datetime) -> None:
        """Delete one's own account, after its password: everything that it allowed is revoked first."""
        if not await self.hard_work(password.matches, plain_password, account.password_hash):
            raise RefusedError(_PASSWORD_WRONG)
        # it may have been changed while it was being checked: whoever knows only the old one deletes nothing
        if not await self.accounts.delete_account(account, now, if_password_stands=True):
            raise RefusedError(_PASSWORD_WRONG)

    async def delete(self, account: Account, now: datetime) -> None:
        """Delete an account as the operator, without its password."""
        await self.accounts.delete_account(account, now)

    async def password_mark(self, kind: Kind, email: str) -> str:
        """Tells the account's present password from each other one, of this account or any; empty when there is no such account."""
        address = normal_email(email)
        account = await self.accounts.account_by_email(kind, address) if address else None
        # a hash has its own salt, so that equal passwords of two accounts differ (decision 0015)
        return hashlib.sha256(account.password_hash.encode()).hexdigest() if account else ""

    async def every(self, kind: Kind) -> list[Account]:
        """Every account of that kind, for the operator, the oldest first."""
        return await self.accounts.accounts_of(kind)

    async def by_email(self, kind: Kind, email: str) -> Account:
        """The account with that address, for the operator; `not_found` when there is none."""
        address = normal_email(email)
        account = await self.accounts.account_by_email(kind, address) if address else None
        if account is None:
            raise RefusedError(NOT_FOUND.saying(f"There is no {kind} with this e-mail address."))
        return account

    async def _hashed(self, plain_password: str) -> str:
        if not password.is_acceptable(plain_password):
            raise RefusedError(INVALID_REQUEST.saying(f"The password must have {password.MIN_LENGTH} to {password.MAX_LENGTH} characters."))
        return await self.hard_work(password.hashed, plain_password)


@dataclass(frozen=True, slots=True)
class Projects:
    """The verbs of projects."""

    storage: ProjectStorage
    keys: ProjectKeys
    random: Callable[[int], bytes]

    async def make(self, owner: Account, name: str, now: datetime) -> Project:
        """Make a project with a root key of its own; `invalid_request` for a name that cannot be shown, and for one project too many."""
        shown = normal_name(name)
        if shown is None:
            raise RefusedError(INVALID_REQUEST.saying("The name must be 1 to 200 printable characters."))
        made, key = self.new(owner, shown, now)
        outcome = await self.storage.add_project(made, key, MOST_OF_A_USER)
        if outcome is ProjectOutcome.OWNER_GONE:
            raise RefusedError(ACCOUNT_DELETED)
        if outcome is ProjectOutcome.TOO_MANY:
            raise RefusedError(INVALID_REQUEST.saying(f"There are {MOST_OF_A_USER} projects already; delete one first."))
        return made

    def new(self, owner: Account, name: str, now: datetime) -> tuple[Project, ProjectKey]:
        """A project and its root key, ready to be stored together."""
        made = Project(id=record_id.make(now, self.random(record_id.RANDOM_BYTES)), owner_id=owner.id, name=name, created_at=now)
        return made, self.keys.new_key(made.id)

    async def of(self, owner: Account) -> list[Project]:
        """The user's projects, the oldest first."""
        return await self.storage.projects_of(owner.id)

    async def delete(self, owner: Account, project_id: str) -> None:
        """Delete a project: its key dies, and with it every access grant below. `not_found` when it is not the owner's."""
        if not await self.storage.delete_project(owner.id, project_id):
            raise RefusedError(NOT_FOUND)
