"""What commands print: plain lines for people, JSON for programs, errors on standard error."""

import os
import sys
from pathlib import Path
from typing import Annotated, Any, NoReturn

import msgspec
import typer

DataOption = Annotated[Path | None, typer.Option("--data", help="Folder of the database and the master key.", show_default=False)]
DatabaseOption = Annotated[
    str | None,
    typer.Option(
        "--database",
        help="postgresql:// URL, instead of SQLite in the data folder. One with a password belongs in GRANTWAY_DATABASE.",
        show_default=False,
    ),
]
LONGEST_SHOWN = 40
"""Characters of a file's name that is repeated wherever it may be: no secret of ours is so short."""
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")]


def fail(message: str, code: int) -> NoReturn:
    """End with a message on standard error and that exit code."""
    print(f"grantway: {message}", file=sys.stderr)
    raise SystemExit(code)


def print_json(value: Any) -> None:
    """Print a value as indented JSON."""
    print(msgspec.json.format(msgspec.json.encode(value), indent=2).decode())


def standard_input() -> str:
    """All of standard input as text; bytes that are no UTF-8 become replacement characters, which no JWT and no grant has."""
    return sys.stdin.buffer.read().decode("utf-8", "replace")


def text_of(file: Path) -> str:
    """The text of a file that the command line names; ends with a clear message when it cannot be read."""
    try:
        return file.read_text("utf-8")
    except OSError as error:
        fail(f"cannot read {_shown(file)}: {error.strerror or type(error).__name__}", 2)
    except UnicodeDecodeError:
        fail(f"cannot read {file}: it is no text in UTF-8", 2)


def _shown(file: Path) -> str:
    """The name of a file, unless it may be what ought to have been in one: an access grant, a JWT, a secret."""
    text = str(file)
    is_usual = len(text) <= LONGEST_SHOWN or (file.parent.name and os.path.isdir(file.parent))
    return text if is_usual else f"the file whose name was given: it has {len(text)} characters. A secret belongs in a file or a pipe"


def secret_from(file: Path | None, variable: str | None, prompt: str, *, confirm: bool = False) -> str:
    """A secret from a file (a newline at its end is not part of it), an environment variable, or a prompt that shows nothing."""
    if file is not None:
        return text_of(file).rstrip("\r\n")
    if variable is not None:
        if variable not in os.environ:
            fail(f"the environment variable {variable} is not set", 2)
        return os.environ[variable]
    if not sys.stdin.isatty():
        fail(f"{prompt} must come from a file or an environment variable when nobody is there to type it", 2)
    return str(typer.prompt(prompt, hide_input=True, confirmation_prompt=confirm))
