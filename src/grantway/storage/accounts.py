"""Accounts, sessions and projects."""

from datetime import datetime

from grantway.accounts.account import Account, Kind
from grantway.accounts.project import WHAT, Project, ProjectKey, ProjectOutcome
from grantway.accounts.session import OpenedFrom, Opening, OpenSession, Session
from grantway.storage import withdrawal
from grantway.storage.database import Database
from grantway.storage.sealing_check import Seals
from grantway.storage.statements import Row, Statement, Work, audit, from_micros, to_micros

_ACCOUNT = "accounts.id, accounts.kind, accounts.email, accounts.full_name, accounts.password_hash, accounts.created_at"


MOST_SESSIONS = 100
"""Of one account: whoever signs in once more ends the oldest."""
_SURPLUS_SESSIONS = """DELETE FROM sessions WHERE account_id = ? AND digest NOT IN
    (SELECT digest FROM sessions WHERE account_id = ? ORDER BY created_at DESC, digest LIMIT ?)"""


class Accounts:
    """Implements what `grantway.accounts` asks of storage."""

    def __init__(self, database: Database, seals: Seals) -> None:
        self._database = database
        self._seals = seals

    async def add_account(self, account: Account, first: tuple[Project, ProjectKey] | None) -> bool:
        """Store an account, with its first project if any; False when its kind has that address already."""

        def work() -> Work[bool]:
            sql = """INSERT INTO accounts (id, kind, email, full_name, password_hash, created_at) VALUES (?, ?, ?, ?, ?, ?)
                ON CONFLICT DO NOTHING RETURNING id"""
            created = to_micros(account.created_at)
            row = (account.id, account.kind.value, account.email, account.full_name, account.password_hash, created)
            # decided by the index, not by a look before: of two at once one is told
            if not (yield Statement(sql, row)):
                return False
            yield audit("account_registered", account.created_at, account_id=account.id, subject=account.kind.value)
            if first is not None:
                yield from self._add_project(*first, most=1)
            return True

        return await self._database.write(work)

    async def account_by_email(self, kind: Kind, email: str) -> Account | None:
        """The account of that kind with that address, unless it was deleted."""
        rows = await self._database.read(f"SELECT {_ACCOUNT} FROM accounts WHERE kind = ? AND email = ?", kind.value, email)
        return _account(rows[0]) if rows else None

    async def accounts_of(self, kind: Kind) -> list[Account]:
        """Every account of that kind that is not deleted, the oldest first."""
        sql = f"SELECT {_ACCOUNT} FROM accounts WHERE kind = ? AND deleted_at IS NULL ORDER BY created_at, id"
        return [_account(row) for row in await self._database.read(sql, kind.value)]

    async def change_account(self, account_id: str, *, full_name: str | None = None, password_hash: str | None = None) -> None:
        """Change what is given; a new password ends every session."""

        def work() -> Work[None]:
            # what is left of a deleted account stays empty
            if full_name is not None:
                yield Statement("UPDATE accounts SET full_name = ? WHERE id = ? AND deleted_at IS NULL", (full_name, account_id))
            if password_hash is not None:
                yield Statement("UPDATE accounts SET password_hash = ? WHERE id = ? AND deleted_at IS NULL", (password_hash, account_id))
                yield Statement("DELETE FROM sessions WHERE account_id = ?", (account_id,))

        await self._database.write(work)

    async def replace_password(self, account_id: str, old_hash: str, new_hash: str) -> bool:
        """Change the password and end every session, if it still is the one that was checked."""

        def work() -> Work[bool]:
            sql = "UPDATE accounts SET password_hash = ? WHERE id = ? AND password_hash = ? RETURNING id"
            if not (yield Statement(sql, (new_hash, account_id, old_hash))):
                return False
            yield Statement("DELETE FROM sessions WHERE account_id = ?", (account_id,))
            return True

        return await self._database.write(work)

    async def delete_account(self, account: Account, now: datetime, *, if_password_stands: bool = False) -> bool:
        """Revoke everything under the account, forget its keys and sessions, wipe what is personal; if wanted, only while its password is
        the one that was read."""

        def work() -> Work[None]:
            if account.kind is Kind.DEVELOPER:
                rows = yield Statement("SELECT row_id FROM clients WHERE developer_id = ? AND deleted_at IS NULL", (account.id,))
                for (row_id,) in rows:
                    yield from withdrawal.delete_client(row_id, now)
            yield from withdrawal.reject_pending("user_id = ?", (account.id,), now)
            yield from withdrawal.withdraw("user_id = ?", (account.id,), now, "account_deleted")
            yield Statement("DELETE FROM sessions WHERE account_id = ?", (account.id,))
            # keys first, for they refer to the projects
            yield Statement("DELETE FROM project_keys WHERE project_id IN (SELECT id FROM projects WHERE owner_id = ?)", (account.id,))
            yield Statement("DELETE FROM projects WHERE owner_id = ?", (account.id,))
            # the row stays for what refers to it; its address is free, because NULLs of a unique index do not meet
            sql = "UPDATE accounts SET email = NULL, full_name = '', password_hash = '', deleted_at = ? WHERE id = ?"
            yield Statement(sql, (to_micros(now), account.id))
            yield audit("account_deleted", now, account_id=account.id)

        if if_password_stands:
            sql = "SELECT 1 FROM accounts WHERE id = ? AND password_hash = ?"
            # with this answer it is decided: a change that comes later is one of an account that is being deleted
            if not await self._database.read(sql, account.id, account.password_hash):
                return False
        # first and by themselves: whoever goes on making things with a session, and whoever is asked by an app, could have the work run
        # again until it is given up
        await self._database.one("DELETE FROM sessions WHERE account_id = ?", account.id)
        if account.kind is Kind.DEVELOPER:
            await self._database.one("UPDATE clients SET is_active = 0 WHERE developer_id = ? AND deleted_at IS NULL", account.id)
        await self._database.write(work)
        return True

    async def add_session(self, account: Account, made: OpenSession) -> bool:
        """Store a session under the digest of its token, unless the password has changed since it was checked."""
        sql = """INSERT INTO sessions (digest, account_id, created_at, expires_at, opened_from, browser)
            SELECT ?, id, ?, ?, ?, ? FROM accounts WHERE id = ? AND password_hash = ? AND deleted_at IS NULL RETURNING account_id"""
        times = (to_micros(made.created_at), to_micros(made.expires_at))
        opened = (made.opened.opened_from.value, made.opened.browser)

        def work() -> Work[bool]:
            if not (yield Statement(sql, (made.digest, *times, *opened, account.id, account.password_hash))):
                return False
            yield Statement(_SURPLUS_SESSIONS, (account.id, account.id, MOST_SESSIONS))
            return True

        return await self._database.write(work)

    async def session(self, digest: bytes, now: datetime) -> Session | None:
        """The session with that digest that has not ended."""
        sql = f"""SELECT {_ACCOUNT}, sessions.expires_at FROM sessions JOIN accounts ON accounts.id = sessions.account_id
            WHERE sessions.digest = ? AND sessions.expires_at > ? AND accounts.deleted_at IS NULL"""
        rows = await self._database.read(sql, digest, to_micros(now))
        return Session(digest=digest, account=_account(rows[0]), expires_at=from_micros(rows[0][6])) if rows else None

    async def end_session(self, digest: bytes) -> None:
        """Forget the session."""
        await self._database.one("DELETE FROM sessions WHERE digest = ?", digest)

    async def sessions_of(self, account_id: str, now: datetime) -> list[OpenSession]:
        """The account's sessions that have not ended, the latest first."""
        sql = """SELECT digest, created_at, expires_at, opened_from, browser FROM sessions
            WHERE account_id = ? AND expires_at > ? ORDER BY created_at DESC, digest"""
        return [_open_session(row) for row in await self._database.read(sql, account_id, to_micros(now))]

    async def end_other_sessions(self, account_id: str, kept: bytes) -> None:
        """Forget every session of the account but the one with that digest."""
        await self._database.one("DELETE FROM sessions WHERE account_id = ? AND digest <> ?", account_id, kept)

    async def add_project(self, made: Project, key: ProjectKey, most: int) -> ProjectOutcome:
        """Store a project together with its root key, unless its owner has `most` already, or is gone."""
        return await self._database.write(lambda: self._add_project(made, key, most))

    async def projects_of(self, owner_id: str) -> list[Project]:
        """The user's projects, the oldest first."""
        sql = "SELECT id, owner_id, name, created_at FROM projects WHERE owner_id = ? ORDER BY created_at, id"
        return [
            Project(id=project_id, owner_id=owner, name=name, created_at=from_micros(created))
            for project_id, owner, name, created in await self._database.read(sql, owner_id)
        ]

    async def delete_project(self, owner_id: str, project_id: str) -> bool:
        """Forget the project with its key; False when it is not the owner's."""

        def work() -> Work[bool]:
            rows = yield Statement("SELECT 1 FROM projects WHERE id = ? AND owner_id = ?", (project_id, owner_id))
            if rows:
                yield Statement("DELETE FROM project_keys WHERE project_id = ?", (project_id,))
                yield Statement("DELETE FROM projects WHERE id = ?", (project_id,))
            return bool(rows)

        return await self._database.write(work)

    def _add_project(self, made: Project, key: ProjectKey, most: int) -> Work[ProjectOutcome]:
        """Only where the owner's account stands: it may have been deleted since the session was read."""
        sql = """INSERT INTO projects (id, owner_id, name, created_at)
            SELECT ?, id, ?, ? FROM accounts WHERE id = ? AND deleted_at IS NULL
            AND (SELECT count(*) FROM projects WHERE projects.owner_id = accounts.id) < ? RETURNING id"""
        if not (yield Statement(sql, (made.id, made.name, to_micros(made.created_at), made.owner_id, most))):
            # which of the two it was: nothing can come between, this is the same transaction
            sql = "SELECT id FROM accounts WHERE id = ? AND deleted_at IS NULL"
            return ProjectOutcome.TOO_MANY if (yield Statement(sql, (made.owner_id,))) else ProjectOutcome.OWNER_GONE
        sealed = yield from self._seals.storable(key.sealed_secret, WHAT, made.id)
        sql = "INSERT INTO project_keys (project_id, head, sealed_secret, salt, version) VALUES (?, ?, ?, ?, ?)"
        yield Statement(sql, (key.project_id, key.head, sealed, key.salt, key.version))
        return ProjectOutcome.ADDED


def _open_session(row: Row) -> OpenSession:
    digest, created, expires, opened_from, browser = row
    opened = Opening(OpenedFrom(opened_from), browser)
    return OpenSession(digest=digest, created_at=from_micros(created), expires_at=from_micros(expires), opened=opened)


def _account(row: Row) -> Account:
    account_id, kind, email, full_name, password_hash, created = row[:6]
    return Account(
        id=account_id,
        kind=Kind(kind),
        email=email,
        full_name=full_name,
        password_hash=password_hash,
        created_at=from_micros(created),
    )
