"""What commands print: plain lines for people, JSON for programs, errors on standard error."""

import contextlib
import errno
import io
import json
import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated, Any, NoReturn

import msgspec
import typer

from grantway.cli.page import printable

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
MOST_READ = 256 * 1024
"""Characters of a file or of standard input: more than any access grant, JWT or secret has. `/dev/zero` has no end."""
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")]


def open_what_is_closed() -> None:
    """Give each standard stream that was closed before we began (`>&-`) an end that is always there, so that no other file gets its number.

    What is printed there is lost, as its owner wants it; what is read there is empty.
    """
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: SIM115 - stays open to the end


def print_whatever_comes() -> None:
    """Let both outputs write as an escape what their encoding lacks, instead of breaking off."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


@contextlib.contextmanager
def delivered() -> Iterator[None]:
    """Around printing: see that standard output takes it. OSError: it does not, and what is left of it is dropped."""
    try:
        yield
        sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # else Python would try once more, and complain, at its end
        raise


@contextlib.contextmanager
def whole_output() -> Iterator[None]:
    """Around a command: end with a clear message where not all of its output can be written, silently where nobody reads it any more."""
    try:
        yield
    finally:
        try:
            with delivered():
                pass
        except OSError as error:
            if error.errno == errno.EPIPE:
                raise SystemExit(1) from None
            fail(f"the output cannot be written: {error.strerror}", 3)


def refuse_what_is_no_text(arguments: Sequence[str]) -> None:
    """End where an argument has bytes that are no text: Python makes surrogates of them, which no database, JSON or JWT takes."""
    for at, argument in enumerate(arguments, 1):
        if not _is_text(argument):
            fail(f"argument {at} is no text in {sys.getfilesystemencoding().upper()}", 2)


def fail(message: str, code: int) -> NoReturn:
    """End with a message on standard error and that exit code; what a terminal would obey is written as an escape."""
    print("\n".join(map(printable, f"grantway: {message}".split("\n"))), file=sys.stderr)
    raise SystemExit(code)


def print_json(value: Any) -> None:
    """Print a value as indented JSON, with JSON's own escapes where the output's encoding lacks a letter."""
    text, encoding = msgspec.json.format(msgspec.json.encode(value), indent=2).decode(), sys.stdout.encoding or "utf-8"
    is_whole = text.encode(encoding, "ignore").decode(encoding) == text
    print(text if is_whole else json.dumps(json.loads(text), indent=2))


def standard_input() -> str:
    """All of standard input as text; bytes that are no UTF-8 become replacement characters, which no JWT and no grant has.

    Ends with a clear message after MOST_READ bytes.
    """
    return _within_bounds(sys.stdin.buffer.read(MOST_READ + 1).decode("utf-8", "replace"), "standard input")


def text_of(file: Path) -> str:
    """The text of a file that the command line names; ends with a clear message when it cannot be read or goes on after MOST_READ."""
    try:
        with file.open(encoding="utf-8") as opened:
            text = opened.read(MOST_READ + 1)
    except OSError as error:
        fail(f"cannot read {_shown(file)}: {error.strerror or type(error).__name__}", 2)
    except UnicodeDecodeError:
        fail(f"cannot read {file}: it is no text in UTF-8", 2)
    return _within_bounds(text, _shown(file))


def _within_bounds(text: str, where: str) -> str:
    if len(text) > MOST_READ:
        fail(f"{where} is too long: no access grant, no JWT and no secret has more than {MOST_READ // 1024} KiB", 2)
    return text


def _is_text(text: str) -> bool:
    return text.encode("utf-8", "ignore").decode() == text


def _shown(file: Path) -> str:
    """The name of a file, unless it may be what ought to have been in one: an access grant, a JWT, a secret."""
    text = str(file)
    is_usual = len(text) <= LONGEST_SHOWN or (file.parent.name and os.path.isdir(file.parent))
    return text if is_usual else f"the file whose name was given: it has {len(text)} characters. A secret belongs in a file or a pipe"


def secret_from(file: Path | None, variable: str | None, prompt: str, *, confirm: bool = False, may_be_spoiled: bool = False) -> str:
    """A secret from a file (a newline at its end is not part of it), an environment variable, or a prompt that shows nothing.

    Whoever examines what is wrong with a secret takes one that `may_be_spoiled`, with bytes that are no text.
    """
    if file is not None and variable is not None:
        fail(f"{prompt} comes from a file or from an environment variable; give one of them", 2)
    if file is not None:
        return text_of(file).rstrip("\r\n")
    if variable is not None:
        if variable not in os.environ:
            fail(f"the environment variable {variable} is not set", 2)
        if not may_be_spoiled and not _is_text(os.environ[variable]):
            fail(f"the environment variable {variable} holds no text in {sys.getfilesystemencoding().upper()}", 2)
        return os.environ[variable]
    if not sys.stdin.isatty():
        fail(f"{prompt} must come from a file or an environment variable when nobody is there to type it", 2)
    return str(typer.prompt(prompt, hide_input=True, confirmation_prompt=confirm))
