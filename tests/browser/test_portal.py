"""The developers' pages in a real browser: every page at two widths in two schemes, looked through by axe, and once by keyboard."""

import secrets

import pytest
from playwright.sync_api import Page
from tests.browser.real_browser import follow, look, needs_browser, type_password
from tests.stories.running import PASSWORD, Person, Server, approved, person
from tests.stories.running import App as RunningApp

pytestmark = needs_browser


@pytest.fixture(scope="module")
def user(server: Server) -> Person:
    return person(server)


def app_on(page: Page, server: Server) -> RunningApp:
    """The app whose secret the page shows, as a program that holds it."""
    shown = page.locator("dl.keys dd code").all_inner_texts()
    return RunningApp(server.http, server.clock, shown[0], shown[1], "https://photos.example/callback")


def is_used(app: RunningApp, user: Person) -> None:
    """What an app does in a day: some exchanges that work, and some mistakes."""
    for _ in range(3):
        assert app.exchange(approved(user, app, ["read"])).status_code == 200
    mistakes: list[dict[str, object]] = [
        {"client_secret": app.jwt(f"{app.client_secret}\n")},
        {"client_secret": app.jwt(exp=1)},
        {"client_secret": app.client_secret},
        {"redirect_uri": "https://photos.example/other"},
        {"client_secret": app.jwt(exp=int(app.clock().timestamp()) * 1000)},
        {"code": None},
    ]
    for number, mistake in enumerate(mistakes):
        for _ in range(1 + number % 3):
            assert app.exchange(approved(user, app, ["read"]), **mistake).status_code >= 400


@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_developers_story(page: Page, server: Server, user: Person, width: int, scheme: str) -> None:
    def seen(name: str) -> None:
        page.wait_for_load_state()
        look(page, f"portal-{name}", width, scheme)

    page.goto("/developer")
    seen("sign-in")
    follow(page.get_by_role("link", name="Register"))
    seen("register")
    page.get_by_label("Name").fill("Dana Developer")
    page.get_by_label("E-mail address").fill(f"{secrets.token_hex(6)}@example.org")
    type_password(page, PASSWORD)
    follow(page.get_by_role("button", name="Register and sign in"))
    seen("no-apps")

    follow(page.get_by_role("link", name="Create an app"))
    seen("new")
    page.get_by_label("Description (optional)").fill("Shows your photos on a map.")
    page.get_by_label("Redirect URIs, one a line").fill("http://photos.example/callback\nhttps://photos.example/callback#here")
    page.get_by_role("group", name="What it cannot work without").get_by_label("write").check()
    page.get_by_role("group", name="What it may ask for").get_by_label("download and read").check()
    follow(page.get_by_role("button", name="Create the app"))
    page.get_by_text("must not have a fragment").wait_for()
    seen("new-refused")
    page.get_by_label("Name").fill("Photo Box")
    page.get_by_label("Redirect URIs, one a line").fill("https://photos.example/callback")
    page.get_by_role("group", name="What it cannot work without").get_by_label("write").uncheck()
    follow(page.get_by_role("button", name="Create the app"))
    page.get_by_text("Copy the secret now.").wait_for()
    seen("secret")
    app = app_on(page, server)
    is_used(app, user)

    follow(page.get_by_role("link", name="Go on to Photo Box"))
    page.get_by_text("As a table").first.click()
    seen("app")
    follow(page.get_by_role("link", name="Refusals", exact=True))
    seen("findings")
    page.get_by_label("Cause").select_option("secret_with_whitespace")
    follow(page.get_by_role("button", name="Show"))
    follow(page.locator("tbody a").first)
    page.get_by_role("heading", name="Why this was refused").wait_for()
    trace_id = page.url.rpartition("/")[2]
    seen("finding")
    follow(page.get_by_role("link", name="Try a request"))
    seen("check")
    wrong = f"-d client_id={app.client_id} -d client_secret={app.jwt(app.client_secret.upper(), exp=1)} -d code=gwc_x"
    page.get_by_label("The curl command, or the body alone").fill(f"curl http://localhost/token \\\n{wrong} \\\n-d passphrase=$X")
    follow(page.get_by_role("button", name="Judge it"))
    page.get_by_text("It would be refused").wait_for()
    seen("checked")
    page.get_by_text("Or type it field by field").click()
    page.get_by_label("client_secret", exact=True).fill(app.jwt())
    page.get_by_label("code", exact=True).fill(approved(user, app, ["read"]))
    follow(page.get_by_role("button", name="Judge it"))
    page.get_by_text("It would be granted").wait_for()
    seen("granted")

    follow(page.get_by_role("link", name="Edit"))
    seen("edit")
    other = page.context.new_page()
    other.goto(page.url)
    other.get_by_label("Redirect URIs, one a line").fill("https://photos.example/callback\nhttps://photos.example/another")
    follow(other.get_by_role("button", name="Save"))
    other.close()
    page.get_by_label("Description (optional)").fill("Shows your photos in a box.")
    follow(page.get_by_role("button", name="Save"))
    page.get_by_text("this app was changed after you opened this form").wait_for()
    seen("edit-stale")
    follow(page.get_by_role("link", name="New secret"))
    seen("new-secret")
    follow(page.get_by_role("button", name="Make a new secret"))
    page.get_by_text("stays good until").wait_for()
    follow(page.get_by_role("link", name="Go on to Photo Box"))
    follow(page.get_by_role("button", name="Disable"))
    page.get_by_role("button", name="Enable").wait_for()
    seen("disabled")
    follow(page.get_by_role("link", name="Delete"))
    page.get_by_label("To delete it, type its name").fill("Photo")
    follow(page.get_by_role("button", name="Delete Photo Box"))
    seen("delete-refused")
    follow(page.get_by_role("link", name="Your apps"))
    seen("apps")
    follow(page.get_by_role("link", name="Look a trace id up"))
    page.get_by_label("Trace id").fill("nothing")
    follow(page.get_by_role("button", name="Look it up"))
    seen("lookup")
    page.goto("/developer/causes")
    seen("causes")
    page.goto("/developer/apps/nobodys")
    seen("error")
    page.goto(f"/developer/apps/{app.client_id}/delete")
    page.get_by_label("To delete it, type its name").fill("Photo Box")
    follow(page.get_by_role("button", name="Delete Photo Box"))
    page.get_by_text("no longer works").wait_for()
    seen("deleted")
    page.goto(f"/developer/findings?trace_id={trace_id}")
    seen("finding-of-deleted")


@pytest.mark.parametrize(("width", "scheme"), [(390, "light")])
def test_the_keyboard_alone_is_enough(page: Page, server: Server, width: int, scheme: str) -> None:
    """Nothing but Tab, typing, Space and Enter: register, create an app, read a refusal, delete the app."""

    def on(name: str) -> None:
        """Tab on until what has the focus is labelled like this; the focus is to be seen."""
        for _ in range(80):
            page.keyboard.press("Tab")
            if page.evaluate(FOCUSED).strip().startswith(name):
                assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") != "none"
                return
        raise AssertionError(name)

    def typed(name: str, text: str) -> None:
        on(name)
        page.keyboard.type(text)

    page.goto("/developer/register")
    typed("Name", "Dana")
    typed("E-mail address", f"{secrets.token_hex(6)}@example.org")
    typed("Password", PASSWORD)
    typed("Repeat the password", PASSWORD)
    page.keyboard.press("Enter")
    page.get_by_role("heading", name="Your apps").wait_for()
    on("Create an app")
    page.keyboard.press("Enter")
    page.get_by_role("heading", name="Create an app").wait_for()
    typed("Name", "Photo Box")
    typed("Redirect URIs", "https://photos.example/callback")
    on("read")
    page.keyboard.press("Space")
    on("Create the app")
    page.keyboard.press("Enter")
    page.get_by_text("Copy the secret now.").wait_for()
    app = app_on(page, server)
    app.exchange("gwc_no_code", client_secret=app.client_secret)
    on("Go on to Photo Box")
    page.keyboard.press("Enter")
    page.get_by_role("heading", name="Usage").wait_for()
    on("raw_secret_sent")
    page.keyboard.press("Enter")
    page.get_by_role("heading", name="Refusals").wait_for()
    on(f"{app.clock():%-d %B}")
    page.keyboard.press("Enter")
    page.get_by_role("heading", name="Why this was refused").wait_for()
    on("Delete")
    page.keyboard.press("Enter")
    page.get_by_role("heading", name="Delete").wait_for()
    typed("To delete it", "Photo Box")
    page.keyboard.press("Enter")
    page.get_by_text("You have no app yet").wait_for()


FOCUSED = """(one => one.labels && one.labels.length ? one.labels[0].innerText : one.innerText || "")(document.activeElement)"""
