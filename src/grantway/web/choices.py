"""What a person chose on the consent page: the form, what it approves, and what stands against it."""

from collections.abc import Iterable
from datetime import timedelta

import msgspec

from grantway.authorization.opening import has_prefixes
from grantway.authorization.request import understood
from grantway.authorization.use_cases import AskedAnswer
from grantway.scopes.meaning import meaning_of
from grantway.scopes.scope import ActionScope, Place
from grantway.scopes.wording import name_in_words, readable

LIFETIMES = {
    "hour": (timedelta(hours=1), "for an hour"),
    "day": (timedelta(days=1), "for a day"),
    "month": (timedelta(days=30), "for 30 days"),
    "year": (timedelta(days=365), "for a year"),
}

_NO_ACTION = "Then the app may do nothing. Tick at least one, or press Deny."
_NO_PLACE = "The app asked only for these. Tick at least one, or press Deny."
_NO_BUCKET = "This begins with no bucket. Write a bucket's name, or name/prefix."


class ConsentForm(msgspec.Struct):
    """What the person decided. `narrower`: one bucket or bucket/prefix instead of the places that the app asked for. `typed`: a
    passphrase was typed at the last showing, and is missed if it is not typed again. `without`: what the page
    has warned of, `prefix` or `typed`. `next`: where to go on with another account."""

    csrf: str = ""
    request_id: str = ""
    decision: str = ""
    scope: list[str] = []
    project_id: str | None = None
    narrower: str = ""
    lifetime: str = "month"
    passphrase: str = ""
    typed: str = ""
    without: str = ""
    next: str = ""


def all_of(asked: Iterable[str], goes_on: str) -> ConsentForm:
    """The form as it is shown first: everything that was asked is ticked."""
    meaning = meaning_of(asked)
    return ConsentForm(scope=[*(one.value for one in meaning.actions), *(str(place) for place in meaning.places)], next=goes_on)


def approved(form: ConsentForm) -> list[str]:
    """The ticked scopes; a typed place takes the place of all ticked ones."""
    place = _typed(form)
    if place is None:
        return form.scope
    return [*(text for text in form.scope if text in frozenset(ActionScope)), str(place)]


def problems(form: ConsentForm, made: AskedAnswer) -> dict[str, str]:
    """What keeps these choices from being approved, by where it stands on the page: `actions`, `places`, `narrower`.

    Only what a person can do on the page; what no page of ours sends is left to the judge.
    """
    found = {"actions": _no_action(form), "places": _no_place(form, made), "narrower": _misplaced(form, made)}
    return {where: sentence for where, sentence in found.items() if sentence}


def lacks_passphrase(form: ConsentForm) -> bool:
    """Whether these choices allow a prefix, which gives nothing without the key that nobody has given yet."""
    meaning, _ = understood(approved(form))
    return meaning is not None and has_prefixes(meaning) and not form.passphrase


def without(form: ConsentForm) -> str:
    """What going on without a passphrase means here, as the form says that the page has warned of it."""
    return "prefix" if lacks_passphrase(form) else "typed"


def is_warned(form: ConsentForm) -> bool:
    """Whether the page has warned of just this; whoever was warned of a prefix knows the other too."""
    return form.without in {"prefix", without(form)}


def _no_action(form: ConsentForm) -> str:
    return "" if any(not text.startswith("bucket:") for text in form.scope) else _NO_ACTION


def _no_place(form: ConsentForm, made: AskedAnswer) -> str:
    ticked, _ = understood(form.scope)
    lacks = ticked is not None and not ticked.places and meaning_of(made.request.scopes).places
    return _NO_PLACE if lacks and _typed(form) is None else ""


def _misplaced(form: ConsentForm, made: AskedAnswer) -> str:
    """Why the typed place cannot be approved; empty when it can be, or none was typed."""
    place = _typed(form)
    if place is None:
        return ""
    if not place.bucket:
        return _NO_BUCKET
    typed = f'"{readable(form.narrower.strip().encode())}"'
    places = meaning_of(made.request.scopes).places
    if places and not any(place.within(wider) for wider in places):
        return f"The app asked only for {_names(places)}; {typed} lies outside {'it' if len(places) == 1 else 'them'}."
    lost = [one for one in meaning_of(made.required_scopes).places if not place.within(one)]
    return f"The app cannot work without {_names(lost)}; {typed} leaves {'it' if len(lost) == 1 else 'them'} out." if lost else ""


def _typed(form: ConsentForm) -> Place | None:
    bucket, _, prefix = form.narrower.strip().partition("/")
    return Place(bucket.encode(), prefix.rstrip("/").encode()) if form.narrower.strip() else None


def _names(places: Iterable[Place]) -> str:
    return " and ".join(name_in_words(place) for place in places)
