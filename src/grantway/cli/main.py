"""The `grantway` command: the table of its groups."""

import sys

import typer

from grantway import __version__
from grantway.cli import access, accounts, assertion, clients, config, db, demo, doctor, findings, keys, self_test, serve
from grantway.cli.console import open_what_is_closed, print_whatever_comes, refuse_what_is_no_text, whole_output
from grantway.cli.exit_code import refusals_told

app = typer.Typer(
    name="grantway",
    help="The OAuth 2.0 authorization server for StorX and Storj storage: an app gets an access grant, never a password.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,  # importing Rich takes as long as all else that a small command does (decision 0023)
    pretty_exceptions_enable=False,
)
app.command("serve")(serve.serve)
app.command("demo")(demo.demo)
app.add_typer(keys.app, name="keys")
app.add_typer(db.app, name="db")
app.add_typer(clients.app, name="clients")
app.add_typer(accounts.users, name="users")
app.add_typer(accounts.developers, name="developers")
app.add_typer(assertion.app, name="assertion")
app.add_typer(access.app, name="access")
app.command("config")(config.show)
app.command("findings")(findings.findings)
app.command("explain")(findings.explain)
app.command("doctor")(doctor.doctor)
app.command("self-test")(self_test.self_test)


@app.callback(invoke_without_command=True)
def version(show: bool = typer.Option(False, "--version", help="Print the version and end.")) -> None:
    """Grantway: the OAuth 2.0 authorization server for StorX and Storj storage."""
    if show:
        typer.echo(f"grantway {__version__}")
        raise typer.Exit


def main() -> None:
    """Run the command line. Exit codes: 0 done, 1 refused or not found, 2 wrong usage, 3 the server's own trouble."""
    open_what_is_closed()
    print_whatever_comes()
    refuse_what_is_no_text(sys.argv[1:])
    with refusals_told(), whole_output():
        app()


if __name__ == "__main__":
    main()
