"""A passphrase that a prefix needs, or that was typed before, is missed once: then the person may go on without."""

import pytest
from tests.stories.browser import Browser, came_back
from tests.stories.consent_again import CONSENT, TYPED, answered, field, is_again
from tests.stories.running import App, Server
from tests.stories.standard_flow import asking, redeem

PREFIXES = {
    "typed": ("read", {"narrower": "albums/2026"}),
    "typed below a bucket": ("read bucket:albums", {"narrower": "albums/2026"}),
    "asked for": ("read bucket:albums;2026", {}),
    "one of several": ("read bucket:photos bucket:albums;2026", {}),
}
WARNING = "Without your passphrase the app gets nothing, unless it brings the passphrase itself."


@pytest.mark.parametrize(("scope", "values"), PREFIXES.values(), ids=PREFIXES)
def test_a_prefix_without_a_passphrase_is_warned_of_once(
    server: Server, browser: Browser, client: App, scope: str, values: dict[str, str]
) -> None:
    """Then the person may go on: the app can bring the passphrase to its token request, as at v0."""
    before = answered(server)
    assert 'name="without"' not in browser.open(asking(client, scope=scope)).text
    is_again(browser.send(CONSENT, decision="allow", **values), WARNING, "press Allow once more to go on without")
    assert "autofocus" in field(browser.page, "passphrase")
    assert 'aria-describedby="passphrase-problem without"' in field(browser.page, "passphrase")
    assert answered(server) == before
    code = came_back(browser.send(CONSENT, decision="allow"))["code"]
    assert redeem(server, client, code).json()["error"] == "invalid_scope"
    assert "access_grant" in redeem(server, client, code, passphrase="x").json()


@pytest.mark.parametrize(("scope", "values"), PREFIXES.values(), ids=PREFIXES)
def test_a_prefix_with_a_passphrase_at_the_second_press(
    server: Server, browser: Browser, client: App, scope: str, values: dict[str, str]
) -> None:
    browser.open(asking(client, scope=scope))
    browser.send(CONSENT, decision="allow", **values)
    code = came_back(browser.send(CONSENT, decision="allow", passphrase=TYPED))["code"]
    assert "access_grant" in redeem(server, client, code).json()


def test_no_warning_where_no_prefix_is_allowed(browser: Browser, client: App) -> None:
    for scope, untick, narrower in (
        ("read", "", ""),
        ("read", "", "photos"),
        ("read bucket:photos bucket:albums;2026", "bucket:albums;2026/", ""),
    ):
        browser.open(asking(client, scope=scope))
        assert "code" in came_back(browser.send(CONSENT, untick, decision="allow", narrower=narrower))


def test_what_was_typed_before_is_missed_like_what_never_was(browser: Browser, client: App) -> None:
    """A passphrase typed beside another error does not count as a warning; having been warned excuses no other error."""
    browser.open(asking(client, scope="read bucket:albums"))
    browser.send(CONSENT, decision="allow", narrower="music/2026", passphrase=TYPED)
    assert WARNING not in browser.page.text
    is_again(browser.send(CONSENT, decision="allow", narrower="albums/2026"), WARNING)
    is_again(browser.send(CONSENT, decision="allow", narrower="music/2026"), '"music/2026" lies outside it.')
    is_again(browser.send(CONSENT, "read", decision="allow", narrower="albums/2026"), "Tick at least one")


def test_the_warning_is_not_spent_on_a_place_that_is_refused(server: Server, browser: Browser, client: App) -> None:
    """It is given for what would be allowed, when nothing else is wrong; a place that was refused since is warned of anew."""
    before = answered(server)
    browser.open(asking(client, scope="read bucket:albums"))
    for narrower in ("music/2026", "albums/../2026"):
        is_again(browser.send(CONSENT, decision="allow", narrower=narrower), f'"{narrower}"')
        assert WARNING not in browser.page.text
    is_again(browser.send(CONSENT, decision="allow", narrower="albums/2026"), WARNING)
    is_again(browser.send(CONSENT, decision="allow", narrower="music/2026"), '"music/2026"')
    is_again(browser.send(CONSENT, decision="allow", narrower="albums/2027"), WARNING)
    assert answered(server) == before
    assert "code" in came_back(browser.send(CONSENT, decision="allow"))


MISSED = "The passphrase that you typed before was not kept."


@pytest.mark.parametrize("values", [{"narrower": "music"}, {"decision": "again"}])
def test_a_passphrase_that_is_not_typed_again_is_missed_once(server: Server, browser: Browser, client: App, values: dict[str, str]) -> None:
    """Whoever typed it once may believe that it was kept."""
    before = answered(server)
    browser.open(asking(client, scope="read bucket:photos"))
    browser.send(CONSENT, **{"decision": "allow", "passphrase": TYPED, **values})
    assert MISSED not in browser.page.text
    is_again(browser.send(CONSENT, decision="allow", narrower="photos"), MISSED, "press Allow once more to go on without")
    assert "autofocus" in field(browser.page, "passphrase")
    assert answered(server) == before
    code = came_back(browser.send(CONSENT, decision="allow"))["code"]
    assert "access_grant" not in redeem(server, client, code).json()


def test_a_missed_passphrase_that_is_typed_after_all(server: Server, browser: Browser, client: App) -> None:
    browser.open(asking(client, scope="read bucket:photos"))
    for passphrase in (TYPED, "", ""):
        assert "Type your passphrase again" in browser.send(CONSENT, decision="again", passphrase=passphrase).text
    is_again(browser.send(CONSENT, decision="allow"), MISSED)
    code = came_back(browser.send(CONSENT, decision="allow", passphrase=TYPED))["code"]
    assert "access_grant" in redeem(server, client, code).json()


def test_a_missed_passphrase_is_no_warning_of_a_prefix(browser: Browser, client: App) -> None:
    browser.open(asking(client, scope="read bucket:albums"))
    browser.send(CONSENT, decision="again", passphrase=TYPED)
    is_again(browser.send(CONSENT, decision="allow"), MISSED)
    is_again(browser.send(CONSENT, decision="allow", narrower="albums/2026"), WARNING)
    assert "code" in came_back(browser.send(CONSENT, decision="allow"))
