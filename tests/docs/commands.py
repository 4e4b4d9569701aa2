"""The commands of the program, with their options."""

from collections.abc import Iterator
from typing import Any

import typer

from grantway.cli.main import app


def commands(group: Any, name: str) -> Iterator[tuple[str, Any]]:
    """Every command below a group with its whole name."""
    for word, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from commands(command, f"{name} {word}")
        else:
            yield f"{name} {word}", command


COMMANDS: dict[str, Any] = dict(commands(typer.main.get_command(app), "grantway"))


def parameters(command: Any) -> set[str]:
    named = (one.opts if one.param_type_name == "option" else [one.metavar] for one in command.params)
    return {name for names in named for name in names} - {"--help"}
