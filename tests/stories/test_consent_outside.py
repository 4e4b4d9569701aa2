"""A place that the app did not ask for cannot be allowed, nor nothing: the page comes again, with every choice but the passphrase."""

import re

import pytest
from tests.stories.browser import Browser, came_back
from tests.stories.consent_again import CONSENT, TYPED, answered, field, is_again
from tests.stories.running import PASSWORD, App, Person, Server, new_app
from tests.stories.standard_flow import asking, redeem

OUTSIDE = {
    "another bucket": ("read list bucket:photos", "photo", 'The app asked only for the bucket photos; "photo" lies outside it.'),
    "above the prefix": (
        "read bucket:albums;2026",
        "albums",
        'The app asked only for 2026/ in the bucket albums; "albums" lies outside it.',
    ),
    "beside the prefix": ("read bucket:albums;2026", "albums/20267", '"albums/20267" lies outside it.'),
    "a folder without its bucket": ("read bucket:photos", "2026", '"2026" lies outside it. Begin with "photos/".'),
    "no bucket": ("read list", "/2026", "This begins with no bucket. Write a bucket's name, or name/prefix."),
    "no bucket, asked for one": ("read bucket:photos", "/photos", "This begins with no bucket."),
    "markup": ("read bucket:photos", '"><script>', '""><script>" lies outside it.'),
    "what turns text round": ("read bucket:photos", "\u202ephotos", '"\\u202ephotos" lies outside it.'),
    "two slashes": ("read bucket:photos", "photos//2026", '"photos//2026" has two slashes in a row.'),
    "two slashes at the end": ("read list", "photos//", '"photos//" has two slashes in a row.'),
    "upwards": ("read bucket:photos", "photos/../music", '"photos/../music" has a folder called "." or ".."'),
    "upwards at the end": ("read bucket:albums;2026", "albums/2026/..", 'has a folder called "." or ".."'),
    "upwards at the beginning": ("read list", "../photos", 'has a folder called "." or ".."'),
    "here": ("read list", "photos/.", 'has a folder called "." or ".."'),
    "NUL": ("read bucket:photos", "photos/a\0b", '"photos/a\\x00b" has a character that cannot be seen.'),
    "too long": ("read bucket:photos", "photos/" + "é" * 509, "The name of a place has at most 1,024 bytes; this has 1,025."),
    "far too long": ("read list", "x" * 30_000, "at most 1,024 bytes; this has 30,000."),
}


@pytest.mark.parametrize(
    ("scope", "label"),
    [
        ("read", "Allow less: only this bucket, or bucket/prefix (optional)"),
        ("read bucket:photos", "Allow less. Only this part of it: photos/… (optional)"),
        ("read bucket:photos;2026", "Allow less. Only this part of it: photos/2026/… (optional)"),
        ("read bucket:photos bucket:albums", "Only this part of it: albums/… (optional)"),
    ],
)
def test_the_field_for_less_says_what_may_stand_in_it(browser: Browser, client: App, scope: str, label: str) -> None:
    assert f">{label}</label>" in browser.open(asking(client, scope=scope)).text


@pytest.mark.parametrize(("scope", "narrower", "sentence"), OUTSIDE.values(), ids=OUTSIDE)
def test_a_place_outside_what_was_asked(server: Server, browser: Browser, client: App, scope: str, narrower: str, sentence: str) -> None:
    before = answered(server)
    browser.open(asking(client, scope=scope))
    is_again(browser.send(CONSENT, decision="allow", narrower=narrower, passphrase=TYPED), sentence)
    assert "<script>" not in browser.page.text
    assert TYPED not in browser.page.text
    assert 'aria-invalid="true"' in field(browser.page, "narrower")
    assert "autofocus" in field(browser.page, "narrower")
    assert dict(browser.form(CONSENT).fields)["narrower"] == narrower
    assert answered(server) == before


def test_every_choice_is_still_there(server: Server, browser: Browser, client: App) -> None:
    """But the passphrase: it is in no page, and the page says that it must be typed again. Then the same request is answered, once."""
    browser.open(asking(client, scope="read write list bucket:photos bucket:albums bucket:music"))
    first = browser.page
    untick = ("write", "bucket:albums")
    places = ["photos/2026", "", "photos"]
    answer = browser.send(CONSENT, *untick, decision="allow", narrower=places, lifetime="hour", passphrase=TYPED)
    is_again(answer, 'The app asked here for the bucket music; "photos" lies outside it.', "Type your passphrase again")
    assert TYPED not in browser.page.text
    form = browser.form(CONSENT)
    assert form.ticked == [("scope", one) for one in ("read", "list", "bucket:photos", "bucket:music")] + [("lifetime", "hour")]
    assert [value for name, value in form.fields if name == "narrower"] == places
    code = came_back(browser.send(CONSENT, decision="allow", narrower=["photos/2026", "", ""], passphrase=TYPED))["code"]
    body = redeem(server, client, code).json()
    assert (body["expires_in"] <= 3600, "access_grant" in body) == (True, True)
    assert body["scope"] == "read list bucket:photos;2026/ bucket:music"
    browser.page = first
    assert "answered already" in browser.send(CONSENT, decision="allow", narrower="music").text


def test_the_project_is_still_chosen(server: Server, user: Person, client: App) -> None:
    made = user.call("POST", "/api/v0/projects", {"name": "The second"}).json()
    browser = Browser(server.grantway.house.issuer)
    browser.open("/sign-in")
    browser.send("/sign-in", email=user.email, password=PASSWORD)
    browser.open(asking(client, scope="read bucket:photos"))
    browser.send(CONSENT, decision="allow", narrower="music", project_id=made["id"])
    assert f'<option value="{made["id"]}" selected>' in browser.page.text


@pytest.mark.parametrize("scope", ["read list", "read bucket:photos", "write bucket:photos bucket:albums"])
@pytest.mark.parametrize("narrower", ["", "photos"])
def test_no_action_is_left(server: Server, browser: Browser, client: App, scope: str, narrower: str) -> None:
    before = answered(server)
    browser.open(asking(client, scope=scope))
    is_again(
        browser.send(CONSENT, "read", "list", "write", decision="allow", narrower=narrower),
        "Then the app may do nothing. Tick at least one, or press Deny.",
    )
    assert answered(server) == before
    assert not [value for name, value in browser.form(CONSENT).ticked if name == "scope" and not value.startswith("bucket:")]
    assert came_back(browser.send(CONSENT, decision="deny"))["error"] == "access_denied"


def test_no_place_is_left(browser: Browser, client: App) -> None:
    browser.open(asking(client, scope="read bucket:photos bucket:albums"))
    answer = browser.send(CONSENT, "bucket:photos", "bucket:albums", decision="allow")
    is_again(answer, "The app asked only for these. Tick at least one, or press Deny.")
    assert "code" in came_back(browser.send(CONSENT, decision="allow", scope=["read", "bucket:albums"]))


@pytest.mark.parametrize(
    ("scope", "expected"),
    [("read write", '<input type="checkbox" name="scope" value="write"'), ("read", '<p class="problem" id="actions-problem"')],
)
def test_the_focus_goes_to_what_can_be_ticked(server: Server, developer: Person, browser: Browser, scope: str, expected: str) -> None:
    """Not to a box that is ticked for good; where there is no other, to the sentence that says what is wrong."""
    client = new_app(server, developer, scopes=["read", "write"], required_scopes=["read"])
    browser.open(asking(client, scope=scope))
    sent = {**dict(browser.form(CONSENT).fields), "decision": "allow"}  # without what the page sends hidden
    browser.page = browser.http.post(CONSENT, data=sent, headers={"Origin": browser.issuer})
    is_again(browser.page, "Tick at least one")
    focused = re.findall(r"<[^>]* autofocus", browser.page.text)
    assert [one.startswith(expected) for one in focused] == [True]
