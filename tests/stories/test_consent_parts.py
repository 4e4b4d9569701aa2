"""Each of several places is narrowed by itself, as many as may be asked for; what is no part of one is told at its own field."""

import pytest
from tests.stories.browser import Browser, came_back
from tests.stories.consent_again import CONSENT, TYPED, answered, field, is_again
from tests.stories.running import App, Person, Server, new_app
from tests.stories.standard_flow import asking, redeem

from grantway.authorization.request import MAX_STATE

PARTS: dict[str, tuple[str, list[str], list[str], str]] = {
    "a part of the first": ("bucket:photos bucket:albums", [], ["photos/2026", ""], "bucket:photos;2026/ bucket:albums"),
    "a part of the second": ("bucket:photos bucket:albums", [], ["", "albums/a/b/"], "bucket:photos bucket:albums;a/b/"),
    "a part of each": ("bucket:photos bucket:albums;2026", [], ["photos/x", "albums/2026/may"], "bucket:photos;x/ bucket:albums;2026/may/"),
    "a part of one alone": ("bucket:photos bucket:albums", ["bucket:photos"], ["", "albums/x"], "bucket:albums;x/"),
    "all of one": ("bucket:photos bucket:albums", [], ["photos", "albums/"], "bucket:photos bucket:albums"),
    "within each other": ("bucket:photos bucket:photos;a", ["bucket:photos"], ["", "photos/a/b"], "bucket:photos;a/b/"),
    "the same part twice": ("bucket:photos bucket:photos;a", [], ["photos/a", ""], "bucket:photos;a/"),
    "bytes of every kind": ("bucket:a%2Cb;%2F%2F bucket:c", [], ["a,b///é;%", "c"], "bucket:a%2Cb;//%C3%A9%3B%25/ bucket:c"),
    "dots in what the app asked for": ("bucket:a;../.%2F%2F bucket:c", ["bucket:c"], ["a/.././/x"], "bucket:a;.././/x/"),
}


@pytest.mark.parametrize(("places", "untick", "narrower", "given"), PARTS.values(), ids=PARTS)
def test_each_place_is_narrowed_alone(
    server: Server, browser: Browser, client: App, places: str, untick: list[str], narrower: list[str], given: str
) -> None:
    browser.open(asking(client, scope=f"read {places}"))
    back = came_back(browser.send(CONSENT, *untick, decision="allow", narrower=narrower, passphrase=TYPED))
    assert redeem(server, client, back["code"]).json()["scope"] == f"read {given}"


NOT_IN_IT: dict[str, tuple[list[str], list[str], str, str]] = {
    "a folder of the other bucket": ([], ["albums/2026/x", ""], "narrower-1", 'the bucket photos; "albums/2026/x" lies outside it.'),
    "a bucket that nobody asked for": (
        [],
        ["", "music"],
        "narrower-2",
        'asked here for 2026/ in the bucket albums; "music" lies outside it.',
    ),
    "above the prefix": ([], ["", "albums"], "narrower-2", '"albums" lies outside it. Begin with "albums/2026/".'),
    "left out all the same": (["bucket:photos"], ["photos/x", ""], "narrower-1", "You left this place out, and named a part of it."),
    "64 of two": ([], ["photos/x"] + [""] * 63, "", "More places were named than the app asked for."),
}


@pytest.mark.parametrize(("untick", "narrower", "where", "sentence"), NOT_IN_IT.values(), ids=NOT_IN_IT)
def test_a_part_that_is_none(
    server: Server, browser: Browser, client: App, untick: list[str], narrower: list[str], where: str, sentence: str
) -> None:
    """It is said at its own field, which stands open with the focus in it; the other one keeps what was typed."""
    before = answered(server)
    browser.open(asking(client, scope="read bucket:photos bucket:albums;2026"))
    assert '<details class="less" open' not in browser.page.text
    is_again(browser.send(CONSENT, *untick, decision="allow", narrower=narrower, passphrase=TYPED), sentence)
    fields = {name: field(browser.page, name) for name in ("narrower-1", "narrower-2")}
    assert [name for name, one in fields.items() if 'aria-invalid="true"' in one and "autofocus" in one] == [where][: bool(where)]
    assert browser.page.text.count('<details class="less" open') == 1
    assert [value for name, value in browser.form(CONSENT).fields if name == "narrower"] == narrower[:2]
    assert answered(server) == before


def test_what_the_app_cannot_do_without_can_be_narrowed(server: Server, developer: Person, browser: Browser) -> None:
    """Left out it cannot be: the app would be told that the person denied it, who pressed Allow."""
    client = new_app(server, developer, scopes=["read", "bucket:photos", "bucket:albums"], required_scopes=["bucket:photos"])
    browser.open(asking(client, scope="read bucket:photos bucket:albums"))
    sent = browser.send(CONSENT, "bucket:photos", "bucket:albums", decision="allow", narrower=["photos/2026", ""], passphrase=TYPED)
    assert redeem(server, client, came_back(sent)["code"]).json()["scope"] == "read bucket:photos;2026/"


@pytest.mark.parametrize("count", [64, 99])
def test_as_many_places_as_may_be_asked_for(server: Server, browser: Browser, client: App, count: int) -> None:
    browser.open(asking(client, scope=" ".join(["read", *(f"bucket:b{at}" for at in range(count))])))
    narrower = [f"b{at}/x" if at % 2 else "" for at in range(count)]
    is_again(browser.send(CONSENT, decision="allow", narrower=["b1", *narrower[1:]], passphrase=TYPED), "the bucket b0;")
    back = came_back(browser.send(CONSENT, decision="allow", narrower=narrower, passphrase=TYPED))
    given = redeem(server, client, back["code"]).json()["scope"].split()
    assert given == ["read", *(f"bucket:b{at};x/" if at % 2 else f"bucket:b{at}" for at in range(count))]


def test_the_longest_request_can_be_answered_and_a_longer_one_is_refused_to_the_app(browser: Browser, client: App) -> None:
    """With all that the page's form holds: the places, of which each was cut by one letter, and where to go on with another account."""
    # in the form a percent sign takes three characters: 5 for each of these letters, and 19 for the rest of a place
    places = [f"bucket:b{at:02};{'%FE' * 89}" for at in range(51)]
    state = "s" * 4000
    for decision in ("allow", "deny"):
        browser.open(asking(client, scope=" ".join(["read", *places]), state=state))
        assert browser.page.status_code == 200
        sent = browser.send(CONSENT, decision=decision, passphrase="p" * 500, narrower=[f"b00/{'x' * 500}"] + [""] * 50)
        if decision == "allow":  # outside of what was asked, so the page comes again
            assert sent.status_code == 400
            sent = browser.send(CONSENT, decision=decision, passphrase="p" * 500, narrower=[""] * 51)
        assert came_back(sent)["state"] == state
    browser.open(asking(client, scope=" ".join(["read", *places, f"bucket:b52;{'%FE' * 89}"]), state=state))
    back = came_back(browser.page)
    assert (back["error"], back["state"]) == ("invalid_scope", state)
    assert "too long together" in back["error_description"]


def test_the_longest_state_leaves_room_for_an_answer(browser: Browser, client: App) -> None:
    state = "\U0001f4f7" * MAX_STATE
    browser.open(asking(client, state=state))
    assert browser.send(CONSENT, decision="").status_code == 200
    assert came_back(browser.send(CONSENT, decision="allow"))["state"] == state
