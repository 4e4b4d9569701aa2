"""`grantway doctor`: why is an app refused? Looks from outside, at this server or any other that speaks the contract."""

import json as json_module
import sys
from pathlib import Path
from typing import Annotated

import typer

from grantway.app import utc_now
from grantway.cli.console import JsonOption, fail, secret_from, text_of
from grantway.cli.examination import PLACEHOLDER_URI, Examined, Question, examine
from grantway.cli.page import print_page, printable


def doctor(
    url: Annotated[str, typer.Option(help="The server's URL, with or without the path of its token endpoint.")],
    client_id: Annotated[str, typer.Option("--client-id", help="The app's client_id.")],
    secret_file: Annotated[Path | None, typer.Option(help="Read the secret from this file.", show_default=False)] = None,
    secret_env: Annotated[
        str | None, typer.Option(metavar="NAME", help="Read the secret from this environment variable.", show_default=False)
    ] = None,
    redirect_uri: Annotated[str, typer.Option(help="A redirect URI of the app, for servers that look at it early.")] = PLACEHOLDER_URI,
    no_trials: Annotated[bool, typer.Option("--no-trials", help="Make one attempt only, for servers that lock out.")] = False,
    session: Annotated[bool, typer.Option("--session", help="Ask for a developer's session token, to fetch the server's finding.")] = False,
    session_file: Annotated[Path | None, typer.Option(help="Read the session token from this file.", show_default=False)] = None,
    session_env: Annotated[
        str | None, typer.Option(metavar="NAME", help="Read the session token from this environment variable.", show_default=False)
    ] = None,
    timeout: Annotated[float, typer.Option(min=0.1, max=300, help="Seconds that each request may take.")] = 10.0,
    json: JsonOption = False,
) -> None:
    """Find out why an app is refused: is the server reachable and the right one, are the clocks right, is the client accepted?

    Nothing is used up or issued: the code that is presented cannot exist. The secret comes from a file, an environment variable or a
    prompt, never from an argument, and is not sent. Exit code 0: the client is accepted; 1: it is refused, or something else is wrong;
    2: wrong usage; 3: the server cannot be reached or is in trouble.
    """
    secret = secret_from(secret_file, secret_env, "The app's secret", may_be_spoiled=True)
    if not secret or not client_id:
        fail(f"the {'client_id' if secret else 'secret'} is empty", 2)
    if not timeout > 0:  # NaN, which older Typers take: it is neither below `min` nor above `max`
        fail("the timeout is no number of seconds", 2)
    question = Question(
        url=url,
        client_id=client_id,
        secret=secret,
        redirect_uri=redirect_uri,
        session=_session_token(session, session_file, session_env),
        with_trials=not no_trials,
        timeout=timeout,
        notes=_of_file(secret_file, secret),
    )
    examined = examine(question, utc_now, _announce)
    if json:
        _print_json(examined)
    else:
        print_page(examined.page)
    raise typer.Exit(examined.code)


def _session_token(is_asked_for: bool, file: Path | None, variable: str | None) -> str | None:
    """What goes into the header, without white space around it; None where no session is wanted."""
    if not is_asked_for and file is None and variable is None:
        return None
    token = secret_from(file, variable, "The developer's session token").strip()
    if not (token and token.isascii() and token.isprintable()):
        fail("the session token is empty, or holds what no token has", 2)
    return token


def _of_file(file: Path | None, secret: str) -> list[str]:
    if file is None or text_of(file) == secret:
        return []
    return ["The file ends in a line end, which was left out here. See that your app leaves it out too."]


def _announce(what: str) -> None:
    print(printable(f"trying {what} ..."), file=sys.stderr)


def _print_json(examined: Examined) -> None:
    """The page for programs; in ASCII, so that every standard output can hold it."""
    page = examined.page
    told = {
        "title": printable(page.title),
        "verdict": printable(page.verdict),
        "exit_code": examined.code,
        "checks": [
            {"name": printable(line.text), "outcome": line.mark.name.lower(), "evidence": printable(line.evidence)} for line in page.lines
        ],
        "remedy": printable(page.remedy),
        "notes": [printable(note) for note in page.notes],
        "trace_id": examined.trace_id,
        "finding": examined.finding,
    }
    print(json_module.dumps(told, indent=2))
