"""Places that lie in each other: what is left out but allowed all the same is told before anything is decided."""

import re
from html import unescape

import pytest
from tests.stories.browser import Browser, came_back
from tests.stories.consent_again import CONSENT, TYPED, answered, is_again
from tests.stories.running import App, Person, Server, new_app
from tests.stories.standard_flow import asking, redeem

from grantway.access_grant import AccessGrant, Action, Allowed, ApiKey
from grantway.scopes.meaning import meaning_of

NESTED = "bucket:photos bucket:photos;2024 bucket:photos;2024/may"
ALL_THE_SAME = "which you allow: the app could use it all the same. Tick this, "
UNDONE: dict[str, tuple[list[str], list[str], str, str]] = {
    "left out": (["bucket:photos;2024/"], ["", "", ""], "place-2", f"lies in the bucket photos, {ALL_THE_SAME}leave that out too, or"),
    "the innermost left out": (["bucket:photos;2024/may/"], ["", "", ""], "place-3", "lies in the bucket photos, which you allow"),
    "left out of the second": (
        ["bucket:photos", "bucket:photos;2024/may/"],
        ["", "", ""],
        "place-3",
        "lies in 2024/ in the bucket photos, which you allow",
    ),
    "left out of what was typed": (
        ["bucket:photos;2024/", "bucket:photos;2024/may/"],
        ["photos/2024", "", ""],
        "place-2",
        "lies in 2024/ in the bucket photos, which you allow",
    ),
    "less of it": ([], ["", "photos/2024/june", ""], "narrower-2", "no less: all of it lies in the bucket photos, which you allow. Empty"),
    "less of it, and of the first": (
        [],
        ["photos/2024", "photos/2024/june", ""],
        "narrower-2",
        "no less: all of it lies in 2024/ in the bucket photos, which you allow.",
    ),
    "less of the second, and a little more around it by the first": (
        [],
        ["photos/2024/jan", "photos/2024/jan/1", ""],
        "narrower-2",
        "This changes nothing: all of it lies in 2024/jan/ in the bucket photos, which you allow.",
    ),
}
"""What was unticked and typed; where it is said, and how."""


@pytest.mark.parametrize(("untick", "narrower", "where", "sentence"), UNDONE.values(), ids=UNDONE)
def test_what_is_left_out_but_allowed_all_the_same(
    server: Server, browser: Browser, client: App, untick: list[str], narrower: list[str], where: str, sentence: str
) -> None:
    """It is said at its row, before anything is decided: the row says so from the beginning, and Allow says it again."""
    before = answered(server)
    browser.open(asking(client, scope=f"read {NESTED}"))
    rows = unescape(browser.page.text).count("While you allow all of ")
    assert rows == 2
    assert "all of the bucket photos or of 2024/ in the bucket photos, you allow all of this too" in unescape(browser.page.text)
    is_again(browser.send(CONSENT, *untick, decision="allow", narrower=narrower, passphrase=TYPED), sentence)
    assert f'id="{where}-problem"' in browser.page.text
    found = re.findall(r"<input[^>]* autofocus[^>]*>", browser.page.text)
    assert [f'aria-describedby="{where}-problem' in one for one in found] == [True]
    assert answered(server) == before


DONE: dict[str, tuple[list[str], list[str], str]] = {
    "all of it": ([], ["", "", ""], "bucket:photos bucket:photos;2024 bucket:photos;2024/may"),
    "the widest left out": (["bucket:photos"], ["", "", ""], "bucket:photos;2024/ bucket:photos;2024/may/"),
    "only the innermost": (["bucket:photos", "bucket:photos;2024/"], ["", "", ""], "bucket:photos;2024/may/"),
    "less of the widest, and the others left out": (
        ["bucket:photos;2024/", "bucket:photos;2024/may/"],
        ["photos/x", "", ""],
        "bucket:photos;x/",
    ),
    "less of each": ([], ["photos/x", "photos/2024/june", ""], "bucket:photos;x/ bucket:photos;2024/june/ bucket:photos;2024/may/"),
}


@pytest.mark.parametrize(("untick", "narrower", "given"), DONE.values(), ids=DONE)
def test_what_is_left_out_and_not_allowed(
    server: Server, browser: Browser, client: App, untick: list[str], narrower: list[str], given: str
) -> None:
    browser.open(asking(client, scope=f"read {NESTED}"))
    back = came_back(browser.send(CONSENT, *untick, decision="allow", narrower=narrower, passphrase=TYPED))
    body = redeem(server, client, back["code"]).json()
    assert meaning_of(body["scope"].split()) == meaning_of(f"read {given}".split())


def test_a_prefix_of_a_bucket_that_is_allowed_whole_takes_no_passphrase(server: Server, browser: Browser, client: App) -> None:
    """Neither the page warns of it, nor is the exchange refused: it is the bucket that was allowed."""
    browser.open(asking(client, scope="read bucket:photos;2024 bucket:photos"))
    code = came_back(browser.send(CONSENT, decision="allow"))["code"]
    key = ApiKey.parse(redeem(server, client, code).json()["access_token"])
    for bucket, may in ((b"photos", True), (b"albums", False)):
        check = server.grantway.satellite.check(key, Action.READ, bucket, b"x", server.clock())
        assert isinstance(server.wait_for(check), Allowed) is may


@pytest.mark.parametrize("places", ["bucket:photos;2024 bucket:photos", "bucket:photos;2024 bucket:photos;2024/may bucket:albums"])
def test_what_lies_in_each_other_opens_with_the_passphrase(server: Server, browser: Browser, client: App, places: str) -> None:
    browser.open(asking(client, scope=f"read {places}"))
    code = came_back(browser.send(CONSENT, decision="allow", passphrase=TYPED))["code"]
    grant = AccessGrant.parse(redeem(server, client, code).json()["access_grant"])
    path = grant.encryption_access.encrypt_prefix(b"photos", b"2024/may/1.jpg")
    check = server.grantway.satellite.check(grant.api_key, Action.READ, b"photos", path, server.clock())
    assert isinstance(server.wait_for(check), Allowed)


def test_what_lies_in_a_required_place(server: Server, developer: Person, browser: Browser) -> None:
    """That one cannot be left out, and the page does not say that it can; less of it can be allowed."""
    client = new_app(server, developer, scopes=["read", "bucket:photos"], required_scopes=["bucket:photos"])
    browser.open(asking(client, scope="read bucket:photos bucket:photos;2024"))
    is_again(browser.send(CONSENT, "bucket:photos;2024/", decision="allow", passphrase=TYPED), f"{ALL_THE_SAME}or allow less of that.")
    back = came_back(browser.send(CONSENT, decision="allow", narrower=["photos/2025", ""], passphrase=TYPED))
    assert redeem(server, client, back["code"]).json()["scope"] == "read bucket:photos;2025/"
