"""Reading what stands in rows: the same however long it is, and of what anybody may write only so much is remembered."""

import pytest

from grantway.scopes import meaning
from grantway.storage import clients, statements
from grantway.storage.clients import COLUMN_COUNT, as_client
from grantway.storage.statements import MOST_REMEMBERED, from_list, to_list

SHORT, LONG = ("read", "list"), tuple(f"bucket:{number:0100}" for number in range(90))


def row(scopes: tuple[str, ...], description: str = "") -> tuple[object, ...]:
    made = (
        "r",
        "c",
        "d",
        "name",
        description,
        to_list(("https://app.example/cb",)),
        to_list(scopes),
        "[]",
        1,
        0,
        0,
        "client_secret_jwt",
        1,
    )
    assert len(made) == COLUMN_COUNT
    return made


@pytest.mark.parametrize(("scopes", "is_remembered"), [(SHORT, True), (LONG, False)], ids=["short", "long"])
def test_what_is_remembered_has_a_bound(scopes: tuple[str, ...], is_remembered: bool) -> None:
    statements._usual_list.cache_clear()
    assert from_list(to_list(scopes)) == scopes
    assert statements._usual_list.cache_info().currsize == is_remembered
    clients._client.cache_clear()
    assert as_client(row(scopes)).scopes == scopes
    assert clients._client.cache_info().currsize == is_remembered
    meaning._meaning_of.cache_clear()
    assert len(meaning.meaning_of(scopes).places) == len([one for one in scopes if ":" in one])
    assert meaning._meaning_of.cache_info().currsize == is_remembered


def test_a_long_description_counts_too() -> None:
    clients._client.cache_clear()
    assert as_client(row(SHORT, "x" * MOST_REMEMBERED)).description == "x" * MOST_REMEMBERED
    assert clients._client.cache_info().currsize == 0
