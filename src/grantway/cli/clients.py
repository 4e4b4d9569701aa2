"""`grantway clients`: what the operator does with registered apps."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from grantway.accounts.account import Kind
from grantway.app import Grantway, utc_now
from grantway.cli.console import DataOption, JsonOption, delivered, print_json, secret_from
from grantway.cli.offline import with_grantway
from grantway.clients.client import AuthMethod, Client
from grantway.clients.draft import ClientDraft
from grantway.clients.use_cases import Clients, NewClient
from grantway.oauth_error import UnavailableError
from grantway.web.answer import iso

app = typer.Typer(help="Clients: apps that developers registered.", no_args_is_help=True)

Developer = Annotated[str, typer.Option("--developer", metavar="EMAIL", help="The developer who owns the app.")]
RedirectUris = Annotated[list[str], typer.Option("--redirect-uri", metavar="URI", help="Where users are sent back; may be given again.")]
Description = Annotated[str, typer.Option(help="What the app does, for users to read.")]
Scopes = Annotated[
    list[str] | None,
    typer.Option("--scope", help="What it may ask for; may be given again. Left out: anything.", show_default=False),
]
Required = Annotated[list[str] | None, typer.Option("--required-scope", help="What it cannot do without.", show_default=False)]
NoPkce = Annotated[bool, typer.Option("--no-pkce", help="It may ask without PKCE at the standard flow.")]
Method = Annotated[AuthMethod, typer.Option("--auth-method", help="How it authenticates at the standard token endpoint.")]
Either = Annotated[str, typer.Argument(metavar="CLIENT_ID")]


@app.command("register")
def register(
    name: Annotated[str, typer.Option(help="The app's name, for users to read.")],
    developer: Developer,
    redirect_uri: RedirectUris,
    description: Description = "",
    scope: Scopes = None,
    required_scope: Required = None,
    auth_method: Method = AuthMethod.JWT,
    no_pkce: NoPkce = False,
    data: DataOption = None,
    json: JsonOption = False,
) -> None:
    """Register an app. Its secret is printed this once; where it cannot be, the app is removed again."""
    draft = _draft(name, description, redirect_uri, scope, required_scope, auth_method, no_pkce)

    async def work(grantway: Grantway) -> None:
        clients = grantway.house.clients
        owner = await grantway.house.accounts.by_email(Kind.DEVELOPER, developer)
        new = await clients.register(owner.id, draft, utc_now())
        try:
            with delivered():
                _tell(new, json)
        except OSError as error:
            raise await _taken_back(clients, new.client, error) from None

    with_grantway(data, work)


@app.command("import")
def take_over(
    client_id: Annotated[str, typer.Option("--client-id", help="The client_id that the app has already.")],
    developer: Developer,
    redirect_uri: RedirectUris,
    secret_file: Annotated[Path | None, typer.Option(help="Read the app's secret from this file.", show_default=False)] = None,
    secret_env: Annotated[
        str | None, typer.Option(metavar="NAME", help="Read the app's secret from this environment variable.", show_default=False)
    ] = None,
    name: Annotated[str | None, typer.Option(help="The app's name; left out: its client_id.", show_default=False)] = None,
    description: Description = "",
    scope: Scopes = None,
    required_scope: Required = None,
    auth_method: Method = AuthMethod.JWT,
    no_pkce: NoPkce = False,
    data: DataOption = None,
    json: JsonOption = False,
) -> None:
    """Take over an app with the client_id and secret that it has, so that it moves here without a change.

    The secret comes from a file, an environment variable or a prompt, never from an argument.
    """
    secret = secret_from(secret_file, secret_env, "The app's secret")
    draft = _draft(name or client_id, description, redirect_uri, scope, required_scope, auth_method, no_pkce)

    async def work(grantway: Grantway) -> NewClient:
        owner = await grantway.house.accounts.by_email(Kind.DEVELOPER, developer)
        return await grantway.house.clients.take_over(owner.id, client_id, secret, draft, utc_now())

    new = with_grantway(data, work)
    if json:
        print_json(_shown(new.client))
    else:
        print(f"Took over {new.client.client_id} with the secret that it has.")


@app.command("list")
def list_all(data: DataOption = None, json: JsonOption = False) -> None:
    """List every app, the oldest first."""

    async def work(grantway: Grantway) -> list[Client]:
        return await grantway.house.clients.of(None)

    clients = with_grantway(data, work)
    if json:
        print_json([_shown(client) for client in clients])
        return
    for client in clients:
        print(f"{client.client_id}  {_status(client):8}  {client.name}")
    if not clients:
        print("No app is registered.")


@app.command("show")
def show(client_id: Either, data: DataOption = None, json: JsonOption = False) -> None:
    """Show one app; never its secret."""
    client = with_grantway(data, lambda grantway: grantway.house.clients.one(None, client_id))
    shown = _shown(client)
    if json:
        print_json(shown)
        return
    for name, value in shown.items():
        none = "(any)" if name == "scopes" else "(none)"
        print(f"{name:26}  {', '.join(value) or none if isinstance(value, list) else value}")


@app.command("disable")
def disable(client_id: Either, data: DataOption = None) -> None:
    """Disable an app: it gets nothing new; what it has lives on."""
    _set_active(data, client_id, False)
    print(f"Disabled {client_id}: it gets nothing new; what it has lives on.")


@app.command("enable")
def enable(client_id: Either, data: DataOption = None) -> None:
    """Enable an app again."""
    _set_active(data, client_id, True)
    print(f"Enabled {client_id}.")


@app.command("delete")
def delete(client_id: Either, yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False, data: DataOption = None) -> None:
    """Delete an app; every access grant that was issued to it is revoked."""
    if not yes:
        typer.confirm(f"Delete {client_id} and revoke everything that was issued to it?", abort=True)

    async def work(grantway: Grantway) -> None:
        clients = grantway.house.clients
        await clients.delete(await clients.one(None, client_id), utc_now())

    with_grantway(data, work)
    print(f"Deleted {client_id}; everything that was issued to it is revoked.")


def _tell(new: NewClient, json: bool) -> None:
    if json:
        print_json({"client_id": new.client.client_id, "client_secret": new.client_secret})
    else:
        print(f"client_id      {new.client.client_id}\nclient_secret  {new.client_secret}\nThe secret is shown this once.")


async def _taken_back(clients: Clients, client: Client, error: OSError) -> UnavailableError:
    """Remove an app whose secret nobody has or will have; what is to be said of it."""
    why = f"its secret cannot be written: {error.strerror}"
    try:
        await clients.delete(client, utc_now())
    except UnavailableError as away:
        return UnavailableError(f"{why}. Nor can the app be removed again ({away}): `grantway clients delete {client.client_id}` does it")
    return UnavailableError(f"no app was registered, for {why}")


def _set_active(data: Path | None, client_id: str, is_active: bool) -> None:
    async def work(grantway: Grantway) -> None:
        clients = grantway.house.clients
        await clients.set_active(await clients.one(None, client_id), is_active, utc_now())

    with_grantway(data, work)


def _draft(
    name: str,
    description: str,
    redirect_uris: Sequence[str],
    scopes: Sequence[str] | None,
    required: Sequence[str] | None,
    auth_method: AuthMethod,
    no_pkce: bool,
) -> ClientDraft:
    return ClientDraft(
        name=name,
        description=description,
        redirect_uris=redirect_uris,
        scopes=scopes or (),
        required_scopes=required or (),
        auth_method=auth_method,
        require_pkce=not no_pkce,
    )


def _status(client: Client) -> str:
    return "active" if client.is_active else "disabled"


def _shown(client: Client) -> dict[str, Any]:
    return {
        "id": client.row_id,
        "client_id": client.client_id,
        "name": client.name,
        "description": client.description,
        "developer_id": client.developer_id,
        "redirect_uris": list(client.redirect_uris),
        "scopes": list(client.scopes),
        "required_scopes": list(client.required_scopes),
        "token_endpoint_auth_method": client.auth_method.value,
        "require_pkce": client.require_pkce,
        "status": _status(client),
        "created_at": iso(client.created_at),
        "updated_at": iso(client.updated_at),
    }
