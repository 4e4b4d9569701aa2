"""The pages in a real browser: the whole story by clicks, at two widths in two schemes, looked through by axe; no console error."""

import secrets
import shutil
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlencode

import pytest
from playwright.sync_api import Browser, Locator, Page
from tests.stories.running import PASSWORD, App, Person, Server, new_app, person, running

from grantway.authorization import pkce

CHROMIUM = shutil.which("chromium")
AXE = Path(__file__).parent.parent / "interop" / "node" / "node_modules" / "axe-core" / "axe.min.js"
SHOTS = Path(__file__).parent.parent.parent / "build" / "screenshots"
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]

pytestmark = pytest.mark.skipif(CHROMIUM is None or not AXE.is_file(), reason="the machine has no chromium (Debian's package) or no npm")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with running(tmp_path_factory.mktemp("data")) as started:
        yield started


@pytest.fixture(scope="module")
def developer(server: Server) -> Person:
    return person(server, "developer")


@pytest.fixture(scope="module")
def app(server: Server, developer: Person) -> App:
    uri = f"{server.grantway.house.issuer}/back-in-the-app"  # a place that answers: the browser must end somewhere
    new = new_app(
        server,
        developer,
        name="Photo Box",
        description="Shows your photos on a map.",
        redirect_uris=[uri],
        scopes=["read", "write", "list", "delete", "lock", "bucket:photos", "bucket:albums;2026"],
        required_scopes=["read"],
    )
    new.redirect_uri = uri
    return new


@pytest.fixture
def page(chromium: Browser, server: Server, width: int, scheme: str) -> Iterator[Page]:
    """A fresh browser profile of that width and colour scheme; what its console complained of fails the test."""
    dark = scheme == "dark"
    context = chromium.new_context(
        base_url=server.grantway.house.issuer,
        viewport={"width": width, "height": 900},
        color_scheme="dark" if dark else "light",
    )
    page = context.new_page()
    complaints: list[str] = []
    page.on("console", lambda said: complaints.append(said.text) if said.type in {"error", "warning"} else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    yield page
    context.close()
    assert [one for one in complaints if "status of 40" not in one] == []


def ask(app: App, scope: str = "read write list delete lock bucket:photos bucket:albums;2026") -> str:
    sent = {"response_type": "code", "client_id": app.client_id, "redirect_uri": app.redirect_uri, "scope": scope, "state": "x"}
    return "/oauth2/authorize?" + urlencode({**sent, "code_challenge": pkce.challenge_of("v" * 43), "code_challenge_method": "S256"})


def follow(one: Locator) -> None:
    """Click what leads to another page, and wait until that page is there: a look at the old one would see what it still says."""
    with one.page.expect_navigation():
        one.click()


def type_password(page: Page, text: str) -> None:
    """Once, or twice where it is chosen."""
    for box in page.locator("input[type=password]").all():
        box.fill(text)


def revoke(page: Page, what: str) -> None:
    """Open the question, then answer it. Before that, the button is not there to be pressed."""
    button = page.get_by_role("button", name=f"Revoke {what}", exact=True)
    assert not button.is_visible()
    page.locator("summary", has_text=f"Revoke {what}…").click()
    follow(button)


def look(page: Page, name: str, width: int, scheme: str) -> None:
    """Keep a picture, see that nothing is wider than the screen, and let axe look through the page."""
    SHOTS.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=SHOTS / f"{name}-{width}-{scheme}.png", full_page=True)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.evaluate(AXE.read_text("utf-8"))
    found = page.evaluate("rules => axe.run({runOnly: rules})", RULES)["violations"]
    assert [(one["id"], [node["html"] for node in one["nodes"]]) for one in found] == []


@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_whole_story(page: Page, app: App, width: int, scheme: str) -> None:
    email = f"{secrets.token_hex(6)}@example.org"
    page.goto(ask(app))
    look(page, "sign-in", width, scheme)
    page.get_by_label("E-mail address").fill(email)
    type_password(page, "not the password")
    follow(page.get_by_role("button", name="Sign in"))
    look(page, "sign-in-refused", width, scheme)

    follow(page.get_by_role("link", name="Register"))
    look(page, "register", width, scheme)
    page.get_by_label("Name").fill("Uma User")
    page.get_by_label("E-mail address").fill(email)
    type_password(page, PASSWORD)
    follow(page.get_by_role("button", name="Register and sign in"))

    page.get_by_role("heading", name="Allow Photo Box to use your storage?").wait_for()
    look(page, "consent", width, scheme)
    page.get_by_label("delete files, for good").uncheck()
    page.get_by_label("for an hour").check()
    page.get_by_label("Passphrase (optional)").fill("open sesame")
    follow(page.get_by_role("button", name="Allow"))
    page.wait_for_url("**/back-in-the-app?code=*")

    page.goto("/connected-apps")
    look(page, "connected-apps", width, scheme)
    revoke(page, "Photo Box")
    page.get_by_text("no longer works").wait_for()
    look(page, "revoked", width, scheme)
    follow(page.get_by_role("link", name="Change your password"))
    look(page, "password", width, scheme)
    follow(page.get_by_role("button", name="Sign out"))
    page.get_by_role("heading", name="Sign in").wait_for()

    page.goto("/oauth2/authorize?client_id=nobody")
    look(page, "error", width, scheme)


def register_on_the_way(page: Page) -> None:
    """From the sign-in page that an app led to, to the consent page, as somebody new."""
    follow(page.get_by_role("link", name="Register"))
    page.get_by_label("Name").fill("Uma User")
    page.get_by_label("E-mail address").fill(f"{secrets.token_hex(6)}@example.org")
    type_password(page, PASSWORD)
    follow(page.get_by_role("button", name="Register and sign in"))
    page.get_by_role("heading", name="Allow Photo Box to use your storage?").wait_for()


@pytest.mark.parametrize(("width", "scheme"), [(390, "light"), (1280, "dark")])
def test_the_link_of_an_app_of_storx(page: Page, app: App, width: int, scheme: str) -> None:
    """With a JWT in the URL: neither the address bar nor any request after the first one has it, nor the page that refuses it."""
    asked: list[str] = []
    page.on("request", lambda sent: asked.append(f"{sent.url} {sent.headers.get('referer', '')}"))
    link = {"client_id": app.client_id, "redirect_uri": app.redirect_uri, "scope": "read,list,bucket:photos"}
    jwt = app.jwt()
    page.goto("/oauth2-integration?" + urlencode({**link, "client_secret": jwt}))
    register_on_the_way(page)
    page.reload()
    look(page, "integration", width, scheme)
    follow(page.get_by_role("button", name="Allow"))
    page.wait_for_url("**/back-in-the-app?code=*")
    assert [one for one in asked if jwt in one] == asked[:1]

    asked.clear()
    wrong = app.jwt(secret="x" * 40)
    page.goto("/oauth2-integration?" + urlencode({**link, "client_secret": wrong}))
    look(page, "integration-refused", width, scheme)
    follow(page.get_by_role("link", name="Grantway"))
    page.get_by_role("heading", name="Connected apps").wait_for()
    assert [one for one in asked if wrong in one] == asked[:1]


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


@pytest.mark.parametrize(("width", "scheme"), [(390, "light"), (1280, "light"), (390, "dark")])
def test_under_another_host_than_the_issuers(page: Page, server: Server, app: App, width: int, scheme: str) -> None:
    """The page says so before anything is typed; whoever types all the same is led to the same page where it works."""
    page.goto(server.url + ask(app))
    look(page, "other-host", width, scheme)
    page.get_by_label("E-mail address").fill("uma@example.org")
    type_password(page, PASSWORD)
    follow(page.get_by_role("button", name="Sign in"))
    look(page, "other-host-refused", width, scheme)
    follow(page.get_by_role("link", name=f"Open it under {server.grantway.house.issuer}"))
    page.get_by_label("E-mail address").wait_for()
    there = page.url
    page.goto(server.url + ask(app))
    follow(page.get_by_role("link", name="Open this page there"))
    assert page.url == there
    assert page.get_by_role("link", name="Open this page there").count() == 0

    register_on_the_way(page)


@pytest.mark.parametrize(("width", "scheme"), [(390, "light"), (1280, "dark")])
def test_where_only_forms_are_taken(page: Page, width: int, scheme: str) -> None:
    page.goto("/oauth2/consent")
    page.get_by_role("heading", name="Nothing to see at this address").wait_for()
    look(page, "only-forms", width, scheme)
    follow(page.get_by_role("main").get_by_role("link", name="Connected apps"))


@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_what_the_person_reads_and_what_the_developer(page: Page, server: Server, app: App, width: int, scheme: str) -> None:
    """A form that nothing takes; and an app's wrong address, which stands apart from what the person reads."""
    page.goto("/sign-in")
    page.locator("main form").evaluate("form => { form.action = '/account'; form.noValidate = true }")
    follow(page.get_by_role("button", name="Sign in"))
    page.get_by_role("heading", name="Nothing to send to this address").wait_for()
    look(page, "no-form", width, scheme)
    page.goto(ask(app).replace("back-in-the-app", "elsewhere"))
    page.get_by_text("an address that it has not registered here").wait_for()
    assert page.locator(".apart").inner_text().startswith("For the app's developer: invalid_redirect_uri.")
    look(page, "refused", width, scheme)


@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_passwords_that_differ(page: Page, width: int, scheme: str) -> None:
    page.goto("/register")
    page.get_by_label("Name").fill("Uma User")
    page.get_by_label("E-mail address").fill(f"{secrets.token_hex(6)}@example.org")
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_label("Repeat the password").fill(PASSWORD + "x")
    follow(page.get_by_role("button", name="Register and sign in"))
    page.get_by_text("differ. Type both anew.").wait_for()
    look(page, "register-differs", width, scheme)
    type_password(page, PASSWORD)
    follow(page.get_by_role("button", name="Register and sign in"))
    header = page.locator("header").bounding_box()
    assert header is not None
    assert header["height"] < 80  # one row, also on a small screen
