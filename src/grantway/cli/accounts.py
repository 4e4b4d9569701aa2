"""`grantway users` and `grantway developers`: what the operator does with accounts."""

from pathlib import Path
from typing import Annotated

import typer

from grantway.accounts.account import Account, Kind
from grantway.app import Grantway, utc_now
from grantway.cli.console import DataOption, JsonOption, print_json, secret_from
from grantway.cli.offline import with_grantway
from grantway.web.answer import iso

Email = Annotated[str, typer.Argument(metavar="EMAIL")]
PasswordFile = Annotated[Path | None, typer.Option("--password-file", help="Read the password from this file.", show_default=False)]
PasswordVariable = Annotated[
    str | None,
    typer.Option("--password-env", metavar="NAME", help="Read the password from this environment variable.", show_default=False),
]
Yes = Annotated[bool, typer.Option("--yes", help="Do not ask.")]


def _shown(account: Account) -> dict[str, str]:
    return {"id": account.id, "email": account.email, "name": account.full_name, "created_at": iso(account.created_at)}


def _group(kind: Kind, says: str) -> typer.Typer:
    group = typer.Typer(help=says, no_args_is_help=True)
    _add(group, kind)
    _list(group, kind)
    _reset_password(group, kind)
    _delete(group, kind)
    return group


def _add(group: typer.Typer, kind: Kind) -> None:
    @group.command("add")
    def add(
        email: Email,
        name: Annotated[str, typer.Option(help="The name that others see.")],
        password_file: PasswordFile = None,
        password_env: PasswordVariable = None,
        data: DataOption = None,
        json: JsonOption = False,
    ) -> None:
        """Add an account. Without --password-file or --password-env the password is asked for."""
        password = secret_from(password_file, password_env, "Password", confirm=True)

        async def work(grantway: Grantway) -> Account:
            return await grantway.house.accounts.register(kind, name, email, password, utc_now())

        account = with_grantway(data, work, must_exist=False)  # on an empty folder this is the first start
        if json:
            print_json(_shown(account))
        else:
            print(f"Added the {kind} {account.email} ({account.id}).")


def _list(group: typer.Typer, kind: Kind) -> None:
    @group.command("list")
    def list_all(data: DataOption = None, json: JsonOption = False) -> None:
        """List every account, the oldest first."""
        accounts = with_grantway(data, lambda grantway: grantway.house.accounts.every(kind))
        if json:
            print_json([_shown(account) for account in accounts])
            return
        for account in accounts:
            print(f"{account.created_at:%Y-%m-%d}  {account.email}  {account.full_name}")
        if not accounts:
            print(f"There is no {kind}.")


def _reset_password(group: typer.Typer, kind: Kind) -> None:
    @group.command("reset-password")
    def reset_password(
        email: Email, password_file: PasswordFile = None, password_env: PasswordVariable = None, data: DataOption = None
    ) -> None:
        """Set a new password and end every session of the account."""
        password = secret_from(password_file, password_env, "New password", confirm=True)

        async def work(grantway: Grantway) -> None:
            accounts = grantway.house.accounts
            await accounts.reset_password(await accounts.by_email(kind, email), password)

        with_grantway(data, work)
        print(f"The {kind} {email} has a new password; every session has ended.")


def _delete(group: typer.Typer, kind: Kind) -> None:
    @group.command("delete")
    def delete(email: Email, yes: Yes = False, data: DataOption = None) -> None:
        """Delete an account. Everything that it allowed, or that was issued to its apps, is revoked."""
        if not yes:
            typer.confirm(f"Delete the {kind} {email} and revoke everything under it?", abort=True)

        async def work(grantway: Grantway) -> None:
            accounts = grantway.house.accounts
            await accounts.delete(await accounts.by_email(kind, email), utc_now())

        with_grantway(data, work)
        print(f"Deleted the {kind} {email}; everything under it is revoked.")


users = _group(Kind.USER, "Users: people with projects, who allow apps to use them.")
developers = _group(Kind.DEVELOPER, "Developers: people who register apps.")
