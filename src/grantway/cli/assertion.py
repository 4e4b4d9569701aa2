"""`grantway assertion`: make the JWT that goes into `client_secret`, and look into one."""

import secrets
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any

import typer

from grantway.app import utc_now
from grantway.cli.console import JsonOption, fail, print_json, secret_from, standard_input
from grantway.clients import assertion, inspection
from grantway.clients.assertion import UnreadableAssertionError

app = typer.Typer(help="Assertions: the short-lived JWT that an app sends instead of its secret.", no_args_is_help=True)


@app.command("make")
def make(
    client_id: Annotated[str, typer.Option("--client-id", help="The app's client_id.")],
    secret_file: Annotated[Path | None, typer.Option(help="Read the secret from this file.", show_default=False)] = None,
    secret_env: Annotated[
        str | None, typer.Option(metavar="NAME", help="Read the secret from this environment variable.", show_default=False)
    ] = None,
    lifetime: Annotated[int, typer.Option(min=1, max=300, help="Seconds until it expires.")] = 300,
    json: JsonOption = False,
) -> None:
    """Make a fresh JWT for `client_secret`. The secret comes from a file, an environment variable or a prompt, never from an argument."""
    secret = secret_from(secret_file, secret_env, "The app's secret")
    if not secret:
        fail("the secret is empty", 2)
    now = utc_now()
    text = assertion.for_client(client_id, secret, now, secrets.token_bytes(16), timedelta(seconds=lifetime))
    if json:
        print_json({"client_secret": text, "expires_at": int(now.timestamp()) + lifetime})
    else:
        print(text)


@app.command("inspect")
def inspect(
    jwt: Annotated[str, typer.Argument(metavar="JWT", help="The JWT; - reads it from standard input.")] = "-",
    json: JsonOption = False,
) -> None:
    """Say what a JWT claims and what is odd about it. Needs no secret, and so cannot say whether the signature is right.

    Exit code 0 when nothing is odd, 1 when something is.
    """
    text = standard_input() if jwt == "-" else jwt
    odd = inspection.oddities(text, utc_now())
    header, claims = _parts(text.strip())
    if json:
        print_json({"header": header and dict(header), "claims": claims, "odd": odd})
    else:
        _print(header, claims, odd)
    raise typer.Exit(1 if odd else 0)


def _parts(text: str) -> tuple[Any, Any]:
    try:
        read = assertion.read(text)
    except UnreadableAssertionError:
        return None, None
    return read.header, read.claims


def _print(header: Any, claims: Any, odd: list[str]) -> None:
    for title, part in (("header", header), ("claims", claims)):
        for name, value in (part or {}).items():
            print(f"{title}  {name if name.isprintable() else repr(name)} = {_in_words(name, value)}")
    for sentence in odd:
        print(f"odd     {sentence}")
    print(
        "The signature was not checked: that takes the secret."
        if odd
        else "Nothing is odd. The signature was not checked: that takes the secret."
    )


def _in_words(name: str, value: object) -> str:
    text = repr(value)
    if name in {"exp", "iat", "nbf"} and isinstance(value, int | float) and 0 <= value < 253_402_300_800:
        return f"{text} ({datetime.fromtimestamp(value, UTC):%Y-%m-%d %H:%M:%S} UTC)"
    return text
