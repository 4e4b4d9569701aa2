"""The consent page in a real browser: shown once more, with one place, places within each other and many, and by keyboard."""

import secrets
from urllib.parse import urlencode

import pytest
from playwright.sync_api import Page
from tests.browser.real_browser import ask, follow, look, needs_browser, type_password
from tests.stories.running import PASSWORD, App, Person, Server, new_app

pytestmark = needs_browser


@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_consent_page_once_more(page: Page, app: App, width: int, scheme: str) -> None:
    """A place outside what was asked, a prefix without a passphrase: each is said where it can be changed."""
    page.goto("/register?" + urlencode({"next": ask(app)}))
    page.get_by_label("Name").fill("Uma User")
    page.get_by_label("E-mail address").fill(f"{secrets.token_hex(6)}@example.org")
    type_password(page, PASSWORD)
    follow(page.get_by_role("button", name="Register and sign in"))

    page.get_by_label("delete files, for good").uncheck()
    page.get_by_label("for an hour").check()
    assert not page.get_by_label("photos/…").is_visible()
    for summary in page.locator("summary", has_text="Allow less").all():
        summary.click()
    look(page, "consent-less", width, scheme)
    page.get_by_label("photos/…").fill("photo")
    page.get_by_label("albums/2026/…").fill("albums/2026/may")
    page.get_by_label("Passphrase (optional)").fill("open sesame")
    follow(page.get_by_role("button", name="Allow", exact=True))
    page.get_by_text('"photo" lies outside it.').wait_for()
    page.locator("#narrower-1:focus").wait_for()
    assert not page.get_by_label("delete files, for good").is_checked()
    assert page.get_by_label("for an hour").is_checked()
    assert page.get_by_label("albums/2026/…").input_value() == "albums/2026/may"
    assert page.get_by_label("Passphrase (optional)").input_value() == ""
    look(page, "consent-outside", width, scheme)

    page.get_by_label("photos/…").fill("photos/2026")
    follow(page.get_by_role("button", name="Allow", exact=True))
    page.get_by_text("press Allow once more to go on without").wait_for()
    assert page.evaluate("document.activeElement.id") == "passphrase"
    look(page, "consent-without-passphrase", width, scheme)
    follow(page.get_by_role("button", name="Allow", exact=True))
    page.wait_for_url("**/back-in-the-app?code=*")


@pytest.mark.parametrize(("width", "scheme"), [(390, "light"), (1280, "dark")])
def test_one_place(page: Page, app: App, width: int, scheme: str) -> None:
    """What is typed as if it began within the place is refused in words that say what to type."""
    page.goto("/register?" + urlencode({"next": ask(app, "read bucket:photos")}))
    page.get_by_label("Name").fill("Uma User")
    page.get_by_label("E-mail address").fill(f"{secrets.token_hex(6)}@example.org")
    type_password(page, PASSWORD)
    follow(page.get_by_role("button", name="Register and sign in"))
    less = page.get_by_label("Allow less. Only this part of it: photos/…")
    look(page, "consent-one-place", width, scheme)
    less.fill("2026/")
    follow(page.get_by_role("button", name="Allow", exact=True))
    page.get_by_text('Begin with "photos/".').wait_for()
    less.fill("photos/2026")
    page.get_by_label("Passphrase (optional)").fill("open sesame")
    follow(page.get_by_role("button", name="Allow", exact=True))
    page.wait_for_url("**/back-in-the-app?code=*")


@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_place_within_another(page: Page, server: Server, developer: Person, width: int, scheme: str) -> None:
    """Its row says what unticking it alone is worth, louder once it is unticked; and Allow does not go on before that is settled."""
    uri = f"{server.grantway.house.issuer}/back-in-the-app"
    app = new_app(server, developer, name="Photo Box", redirect_uris=[uri])
    app.redirect_uri = uri
    page.goto("/register?" + urlencode({"next": ask(app, "read bucket:photos bucket:photos;2024 bucket:albums")}))
    page.get_by_label("Name").fill("Uma User")
    page.get_by_label("E-mail address").fill(f"{secrets.token_hex(6)}@example.org")
    type_password(page, PASSWORD)
    follow(page.get_by_role("button", name="Register and sign in"))
    weight = "getComputedStyle(document.querySelector('.stays')).fontWeight"
    inner = page.get_by_label("Under 2024/ in the bucket photos")
    assert (page.get_by_text("While you allow all of the bucket photos").count(), page.evaluate(weight)) == (1, "400")
    inner.uncheck()
    assert page.evaluate(weight) == "600"
    look(page, "consent-within", width, scheme)
    follow(page.get_by_role("button", name="Allow", exact=True))
    page.get_by_text("the app could use it all the same").wait_for()
    assert inner.evaluate("one => one === document.activeElement")
    look(page, "consent-within-again", width, scheme)
    page.get_by_label("In the bucket photos", exact=True).uncheck()
    follow(page.get_by_role("button", name="Allow", exact=True))
    page.wait_for_url("**/back-in-the-app?code=*")


@pytest.mark.parametrize(("width", "scheme"), [(390, "light"), (390, "dark"), (1280, "light"), (1280, "dark")])
def test_many_places(page: Page, server: Server, developer: Person, width: int, scheme: str) -> None:
    """However many and however long: each with its own field, which the keyboard opens, and what is typed counts for it alone."""
    uri = f"{server.grantway.house.issuer}/back-in-the-app"
    places = [f"bucket:{'b' * 62}{at % 10};{'p' * (at * 5)}" for at in range(64)]
    app = new_app(server, developer, name="Photo Box", redirect_uris=[uri])
    app.redirect_uri = uri
    page.goto("/register?" + urlencode({"next": ask(app, " ".join(["read", *places]))}))
    page.get_by_label("Name").fill("Uma User")
    page.get_by_label("E-mail address").fill(f"{secrets.token_hex(6)}@example.org")
    type_password(page, PASSWORD)
    follow(page.get_by_role("button", name="Register and sign in"))
    page.locator("summary", has_text="Allow less").nth(9).focus()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    page.keyboard.type("elsewhere")
    page.get_by_label("Passphrase (optional)").fill("open sesame")
    follow(page.get_by_role("button", name="Allow", exact=True))
    page.locator("#narrower-10:focus").wait_for()
    assert page.locator("details[open]").count() == 1
    look(page, "consent-many", width, scheme)


@pytest.mark.parametrize(("width", "scheme"), [(390, "light")])
def test_enter_decides_nothing(page: Page, app: App, width: int, scheme: str) -> None:
    """In a text field nothing happens, and the passphrase stays; at a box or a choice the page comes again."""
    sent: list[str] = []
    page.goto("/register?" + urlencode({"next": ask(app)}))
    page.get_by_label("Name").fill("Uma User")
    page.get_by_label("E-mail address").fill(f"{secrets.token_hex(6)}@example.org")
    type_password(page, PASSWORD)
    follow(page.get_by_role("button", name="Register and sign in"))
    page.on("request", lambda one: sent.append(one.url))
    page.get_by_label("Under 2026/ in the bucket albums").uncheck()  # or its prefix would be warned of
    page.locator("summary", has_text="Allow less").first.click()
    page.get_by_label("photos/…").fill("photos")
    page.get_by_label("Passphrase (optional)").fill("open sesame")
    for field in ("photos/…", "Passphrase (optional)"):
        page.get_by_label(field).press("Enter")
    page.evaluate("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
    assert sent == []
    assert page.get_by_label("Passphrase (optional)").input_value() == "open sesame"
    for field in ("delete files, for good", "for an hour"):
        with page.expect_response("**/oauth2/consent") as answer:
            page.get_by_label(field).press("Enter")
        assert answer.value.status == 200
        page.get_by_text("Nothing is decided yet. Press Allow or Deny.").wait_for()
    look(page, "consent-nothing-decided", width, scheme)
    page.get_by_label("Passphrase (optional)").fill("open sesame")
    follow(page.get_by_role("button", name="Allow"))
    page.wait_for_url("**/back-in-the-app?code=*")


@pytest.mark.parametrize(("width", "scheme"), [(390, "light")])
def test_the_keyboard_alone_is_enough(page: Page, app: App, width: int, scheme: str) -> None:
    """Nothing but Tab, typing, Space and Enter, from the sign-in page to Deny."""
    page.goto("/register?" + urlencode({"next": ask(app)}))
    for text in ("Uma User", f"{secrets.token_hex(6)}@example.org", PASSWORD, PASSWORD):
        page.keyboard.press("Tab")
        while page.evaluate("document.activeElement.tagName") != "INPUT":
            page.keyboard.press("Tab")
        page.keyboard.type(text)
    page.keyboard.press("Enter")
    page.get_by_role("heading", name="Allow Photo Box").wait_for()
    for _ in range(40):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.value") == "deny":
            break
    page.keyboard.press("Enter")
    page.wait_for_url("**/back-in-the-app?error=access_denied*")
