"""What a person chose cannot be allowed as it stands: the consent page comes again with it, and nothing is decided or used up."""

import re
import secrets
from html import unescape
from urllib.parse import urlencode

import httpx
import pytest
from tests.stories.browser import Browser, came_back
from tests.stories.running import PASSWORD, App, Person, Server, new_app
from tests.stories.standard_flow import asking, redeem
from tests.stories.test_integration_page import link

from grantway.access_grant import AccessGrant, Action, Allowed, ApiKey
from grantway.authorization.request import MAX_STATE, PAGE_LIFETIME
from grantway.scopes.meaning import meaning_of

CONSENT = "/oauth2/consent"
TYPED = "open sesame, but only once"


def answered(server: Server) -> int:
    """How many requests have been answered, in any way."""
    found: int = server.rows("SELECT count(*) FROM requests WHERE status <> 'pending'")[0][0]
    return found


def field(page: httpx.Response, name: str) -> str:
    """The element `name` of the page as it is written."""
    found = re.findall(rf'<input id="{name}"[^>]*>', page.text)
    assert len(found) == 1
    return str(found[0])


def is_again(page: httpx.Response, *sentences: str) -> None:
    """It is the consent page once more, with what is wrong, and as safe as the first time."""
    assert (page.status_code, "location" in page.headers) == (400, False)
    text = unescape(page.text)
    for sentence in ("Nothing is decided yet", "to use your storage?", *sentences):
        assert sentence in text, sentence
    assert "form-action 'self' https://myapp.com;" in page.headers["content-security-policy"]
    assert "frame-ancestors 'none'" in page.headers["content-security-policy"]
    assert (page.headers["x-frame-options"], page.headers["cache-control"]) == ("DENY", "no-store")


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


def test_deny_needs_nothing_else(browser: Browser, client: App) -> None:
    for values in ({"narrower": "/2026"}, {"narrower": "music"}, {"passphrase": TYPED}):
        browser.open(asking(client, scope="read bucket:photos"))
        assert came_back(browser.send(CONSENT, "read", decision="deny", **values))["error"] == "access_denied"


def test_the_page_comes_again_in_its_own_session_only(server: Server, browser: Browser, client: App) -> None:
    """The same person, signed in twice."""
    browser.open(asking(client, scope="read bucket:photos"))
    sent, email = dict(browser.form(CONSENT).fields), browser.page.text.split('class="who">')[1].split("<")[0]
    other = Browser(server.grantway.house.issuer)
    other.open("/sign-in")
    other.send("/sign-in", email=email, password=PASSWORD)
    other.open(asking(client, scope="read bucket:photos"))
    answer = other.send(CONSENT, decision="allow", narrower="music", request_id=sent["request_id"])
    assert (answer.status_code, "in another session" in answer.text) == (403, True)


def test_the_page_comes_again_only_to_whom_it_was_shown(server: Server, browser: Browser, client: App) -> None:
    """Not to somebody else, not late, not without its token, and not after an answer."""
    browser.open(asking(client, scope="read bucket:photos"))
    mine, sent = browser.page, dict(browser.form(CONSENT).fields)
    other = Browser(server.grantway.house.issuer)
    other.open("/register")
    other.register(f"{secrets.token_hex(6)}@example.org", PASSWORD)
    for decision in ("allow", ""):
        other.open(asking(client, scope="read bucket:photos"))
        answer = other.send(CONSENT, decision=decision, narrower="music", request_id=sent["request_id"])
        assert (answer.status_code, "by somebody else" in answer.text, "<form" in answer.text.split("<main")[1]) == (403, True, False)
        browser.page = mine
        answer = browser.send(CONSENT, decision=decision, narrower="music", csrf="x")
        assert (answer.status_code, "too old" in answer.text) == (403, True)
        browser.page = mine
        with server.clock.later(PAGE_LIFETIME):
            assert "has to ask again" in browser.send(CONSENT, decision=decision, narrower="music").text
    browser.page = mine
    browser.send(CONSENT, decision="deny")
    browser.page = mine
    assert "You answered this before" in browser.send(CONSENT, decision="", narrower="music").text


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


@pytest.mark.parametrize("decision", ["", "ALLOW", "again", "allow\n"])
def test_what_is_neither_allow_nor_deny_decides_nothing(server: Server, browser: Browser, client: App, decision: str) -> None:
    before = answered(server)
    browser.open(asking(client))
    answer = browser.send(CONSENT, "list", decision=decision, lifetime="day", narrower="photos")
    assert (answer.status_code, "Nothing is decided yet. Press Allow or Deny." in answer.text) == (200, True)
    assert browser.form(CONSENT).ticked == [("scope", "read"), ("lifetime", "day")]
    assert dict(browser.form(CONSENT).fields)["narrower"] == "photos"
    assert answered(server) == before


# another account


def register_instead(browser: Browser) -> str:
    """From the sign-in page to a new account, and on to where that page leads."""
    browser.open("/register?" + urlencode({"next": dict(browser.form("/sign-in").fields)["next"]}))
    email = f"{secrets.token_hex(6)}@example.org"
    browser.register(email, PASSWORD)
    return email


@pytest.mark.parametrize("is_again", [False, True])
def test_another_account_goes_on_with_the_same_request(server: Server, browser: Browser, client: App, is_again: bool) -> None:
    """With a request of its own: the one that was open ends with its session."""
    browser.open(asking(client, scope="read bucket:photos"))
    if is_again:
        browser.send(CONSENT, decision="allow", narrower="music")
    first = dict(browser.form(CONSENT).fields)["request_id"]
    browser.send("/sign-out")
    email = register_instead(browser)
    assert f'class="who">{email}<' in browser.page.text
    assert dict(browser.form(CONSENT).fields)["request_id"] != first
    other = browser.page
    assert browser.send(CONSENT, decision="allow", request_id=first).status_code == 403
    browser.page = other
    back = came_back(browser.send(CONSENT, decision="allow"))
    assert (back["state"], "access_token" in redeem(server, client, back["code"]).json()) == ("st%te &", True)


def test_another_account_goes_on_from_the_integration_page(browser: Browser, client: App) -> None:
    browser.open(link(client, state="s"))
    browser.send(CONSENT, decision="")
    browser.send("/sign-out")
    assert client.client_secret not in browser.page.text
    email = register_instead(browser)
    assert f'class="who">{email}<' in browser.page.text
    assert came_back(browser.send(CONSENT, decision="allow"))["state"] == "s"


@pytest.mark.parametrize(
    "target",
    [
        "https://evil.example",
        "//evil.example",
        "/\\evil.example",
        "/sign-out",
        "/oauth2/consent",
        "/oauth2/authorize?a\r\nx: y",
        "javascript:x",
    ],
)
def test_signing_out_leads_to_our_own_pages_only(browser: Browser, client: App, target: str) -> None:
    """Whatever the form says, or the consent page's, from which it is shown again."""
    browser.open(asking(client))
    browser.send(CONSENT, decision="", next=target)
    assert dict(browser.form("/sign-out").fields)["next"] in {"/connected-apps", "/oauth2/authorize"}
    csrf = dict(browser.form("/sign-out").fields)["csrf"]
    answer = browser.http.post("/sign-out", data={"csrf": csrf, "next": target}, headers={"Origin": browser.issuer})
    assert answer.headers["location"] in {"/sign-in?next=%2Fconnected-apps", "/sign-in?next=%2Foauth2%2Fauthorize"}


def test_the_longest_state_leaves_room_for_an_answer(browser: Browser, client: App) -> None:
    state = "\U0001f4f7" * MAX_STATE
    browser.open(asking(client, state=state))
    assert browser.send(CONSENT, decision="").status_code == 200
    assert came_back(browser.send(CONSENT, decision="allow"))["state"] == state
