"""Where settings come from: the command line's flags, then the environment or the files that it names, then the defaults."""

import os
import stat
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path

from grantway.config import FILE_SUFFIX, PREFIX, Config, SettingError

MOST_IN_A_FILE = 64 * 1024
"""Bytes that the file of a secret may hold."""

_ENDS = {"environment": "", "file": FILE_SUFFIX}
_SWITCH = {"on": True, "true": True, "1": True, "yes": True, "off": False, "false": False, "0": False, "no": False}


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Where a setting's value came from: `flag`, `environment`, `file` or `default`."""

    name: str
    variable: str
    help: str
    is_secret: bool
    came_from: str


def load(environment: Mapping[str, str], **flags: object) -> tuple[Config, list[Origin]]:
    """Read every setting; a flag that is None was not given. SettingError for a value that cannot be."""
    origins: list[Origin] = []
    try:
        return Config(**_values(environment, flags, origins)), origins  # type: ignore[arg-type]  # each was parsed by its default's type
    except SettingError as error:
        variables = {one.name: one.variable + _ENDS[one.came_from] for one in origins if one.came_from in _ENDS}
        raise SettingError(error.setting, error.problem, variables.get(error.setting, "")) from None


def unknown(environment: Mapping[str, str]) -> list[str]:
    """The variables that are named like settings and are none, as a misspelt one is."""
    known = {PREFIX + one.name.upper() for one in fields(Config)}
    known |= {PREFIX + one.name.upper() + FILE_SUFFIX for one in fields(Config) if one.metadata["secret"]}
    return sorted(name for name in environment if name.startswith(PREFIX) and name not in known)


def _values(environment: Mapping[str, str], flags: Mapping[str, object], origins: list[Origin]) -> dict[str, object]:
    """What is given, by flags, variables and files. Where each came from goes to `origins` before its value is read."""
    values: dict[str, object] = {}
    for one in fields(Config):
        variable, is_secret = PREFIX + one.name.upper(), one.metadata["secret"]
        came_from = "flag" if flags.get(one.name) is not None else _source(one.name, variable, environment, may_be_in_file=is_secret)
        # before the value is read, so that `load` can name what gave one that is refused
        origins.append(Origin(name=one.name, variable=variable, help=one.metadata["help"], is_secret=is_secret, came_from=came_from))
        if came_from == "flag":
            values[one.name] = flags[one.name]
        elif came_from != "default":
            text = environment[variable] if came_from == "environment" else _secret_in(environment[variable + FILE_SUFFIX], one.name)
            values[one.name] = _parsed(one.name, text, one.default)
    return values


def _source(name: str, variable: str, environment: Mapping[str, str], *, may_be_in_file: bool) -> str:
    """What the environment gives a setting by; one that is set to nothing is not set."""
    text, path = environment.get(variable, ""), environment.get(variable + FILE_SUFFIX, "") if may_be_in_file else ""
    if text and path:
        raise SettingError(name, f" is given twice, by {variable} and by {variable}{FILE_SUFFIX}; set only one")
    if path:
        return "file"
    return "environment" if text else "default"


def _secret_in(path: str, name: str) -> str:
    """The one line of that file, without the line break at its end. SettingError names setting and path, never what is in it."""

    def refused(why: str) -> SettingError:
        return SettingError(name, f": {path} {why}")

    try:
        if not stat.S_ISREG(os.stat(path).st_mode):
            raise refused("is not a regular file")  # a pipe could be waited for without end
        with open(path, "rb") as file:
            raw = file.read(MOST_IN_A_FILE + 1)
    except OSError as error:
        raise refused(f"cannot be read: {error.strerror or type(error).__name__}") from None
    if len(raw) > MOST_IN_A_FILE:
        raise refused(f"holds more than {MOST_IN_A_FILE // 1024} KiB")
    try:
        line = raw.decode("utf-8").removesuffix("\n").removesuffix("\r")
    except UnicodeDecodeError:
        raise refused("is no text in UTF-8") from None
    if not line:
        raise refused("is empty")
    if not line.isprintable():
        raise refused("must hold one line without control characters")
    return line


def _parsed(name: str, text: str, default: object) -> object:
    if isinstance(default, bool):
        if text.lower() not in _SWITCH:
            raise SettingError(name, " must be on or off")
        return _SWITCH[text.lower()]
    if isinstance(default, int):
        try:
            return int(text)
        except ValueError:
            raise SettingError(name, " must be a whole number") from None
    return Path(text) if isinstance(default, Path) else text
