"""Every setting has its row with its default, and no page names one that there is not."""

import re
from dataclasses import fields

import pytest
from tests.deploy.known import FILES, VARIABLES
from tests.docs.pages import NAMES, rows, text_of

from grantway.config import PREFIX, Config


def shown(value: object) -> str:
    if isinstance(value, bool):
        return "`on`" if value else "`off`"
    return f"`{value}`" if str(value) else "(empty)"


def test_every_setting_has_its_row_with_its_default() -> None:
    documented = [tuple(row[:2]) for row in rows("docs/configuration.md", "## Settings") if row[0].startswith(f"`{PREFIX}")]
    assert documented == [(f"`{PREFIX}{one.name.upper()}`", shown(one.default)) for one in fields(Config)]


@pytest.mark.parametrize("name", NAMES)
def test_no_page_names_a_setting_that_there_is_not(name: str) -> None:
    assert set(re.findall(rf"\b{PREFIX}[A-Z0-9_]+", text_of(name))) <= VARIABLES


def test_every_secret_that_may_be_in_a_file_has_its_row() -> None:
    documented = {row[0].strip("`"): row[1].strip("`") for row in rows("docs/configuration.md", "## Secrets from files")}
    assert {variable: setting for variable, setting in documented.items() if variable.startswith(PREFIX)} == FILES
