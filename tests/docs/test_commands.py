"""Every command has its section and every option its row, and no page gives one that there is not."""

import re
import shlex
from collections.abc import Iterator

import pytest
from tests.docs.commands import COMMANDS, parameters
from tests.docs.pages import NAMES, rows, text_of


def test_every_command_has_its_section() -> None:
    assert re.findall(r"^### `(.+)`$", text_of("docs/cli.md"), re.MULTILINE) == sorted(COMMANDS, key=list(COMMANDS).index)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_option_has_its_row(name: str) -> None:
    documented = [row[0].strip("`") for row in rows("docs/cli.md", f"### `{name}`") if row[0].startswith("`")]
    assert len(documented) == len(set(documented))
    assert set(documented) == parameters(COMMANDS[name])


@pytest.mark.parametrize("name", COMMANDS)
def test_required_options_are_said(name: str) -> None:
    documented = {row[0].strip("`") for row in rows("docs/cli.md", f"### `{name}`") if row[1].startswith("required")}
    required = [one for one in COMMANDS[name].params if one.required]
    assert documented == {one.opts[0] if one.param_type_name == "option" else one.metavar for one in required}


def test_defaults_of_options() -> None:
    lifetime = next(one for one in COMMANDS["grantway assertion make"].params if one.name == "lifetime")
    assert (lifetime.min, lifetime.max, lifetime.default) == (1, 300, 300)
    assert "1 to 300; default 300" in text_of("docs/cli.md")


def calls(text: str) -> Iterator[list[str]]:
    """The words behind every `grantway` in a shell block or inline code, to the end of that command."""
    inline = re.findall(r"`(grantway [^`\n]+)`", text)
    shell = "".join(re.findall(r"^```sh\n(.*?)^```", text, re.DOTALL | re.MULTILINE)).replace("\\\n", " ")
    found = re.findall(r"\bgrantway ((?:assertion|clients|users|developers|access|serve|demo|config|keys|db)\b[^\n|)]*)", shell)
    for call in [*(one.removeprefix("grantway ") for one in inline), *found]:
        yield shlex.split(call)


@pytest.mark.parametrize("name", NAMES)
def test_no_page_gives_a_command_or_option_that_there_is_not(name: str) -> None:
    for words in calls(text_of(name)):
        if words == ["--version"] or any(known.startswith(f"grantway {words[0]} ") and len(words) == 1 for known in COMMANDS):
            continue
        whole = next(
            (f"grantway {' '.join(words[:length])}" for length in (2, 1) if f"grantway {' '.join(words[:length])}" in COMMANDS), ""
        )
        assert whole, words
        assert {word for word in words if word.startswith("--")} <= parameters(COMMANDS[whole]), words
