"""What a person chose on the consent page: the form, what it approves, and what stands against it."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta

import msgspec

from grantway.authorization.opening import has_prefixes
from grantway.authorization.request import understood
from grantway.authorization.use_cases import AskedAnswer
from grantway.scopes.meaning import meaning_of
from grantway.scopes.scope import Place
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
_TOO_MANY = "More places were named than the app asked for. Look at each once more."
_LEFT_OUT = "You left this place out, and named a part of it. Tick it, or empty the field."
_DOUBLED = "has two slashes in a row. Write each folder by its name."
_UPWARDS = 'has a folder called "." or "..", which leads nowhere here. Write each folder by its name.'
_UNSEEN = "has a character that cannot be seen. Write it anew."
_LONGEST = 1024
"""Bytes of a place that is typed: so long the name of an object in a bucket may be."""
_CONTROL = re.compile(r"[\0-\x1f\x7f-\x9f]")
_NO_NAME = re.compile(rb"//|(?:^|/)\.\.?(?:/|$)")


class ConsentForm(msgspec.Struct):
    """What the person decided. `narrower`: for each place that the app asked for, in the order of the page, one bucket or bucket/prefix
    instead of it, or nothing; where it asked for none, the only place. `typed`: a passphrase was typed at the last showing, and is
    missed if it is not typed again. `without`: what the page has warned of, `prefix` or `typed`. `next`: where to go on with another
    account."""

    csrf: str = ""
    request_id: str = ""
    decision: str = ""
    scope: list[str] = []
    project_id: str | None = None
    narrower: list[str] = []
    lifetime: str = "month"
    passphrase: str = ""
    typed: str = ""
    without: str = ""
    next: str = ""


@dataclass(frozen=True, slots=True)
class Part:
    """A field for less than was asked. `name`: what it is called on the page, and `box` what the box beside it is. `asked`: the place of
    which it takes a part; None: the whole project. `typed`: what stands in it."""

    name: str
    box: str
    asked: Place | None
    typed: str
    is_one_of_several: bool

    @property
    def place(self) -> Place | None:
        """What was typed, as a place; None when nothing was."""
        bucket, _, prefix = self.typed.partition("/")
        return Place(bucket.encode(), prefix.removesuffix("/").encode()) if self.typed else None

    @property
    def begins(self) -> str:
        """How every part of the asked place begins, for people."""
        return readable(_written(self.asked) + b"/") if self.asked else ""


def all_of(asked: Iterable[str], goes_on: str) -> ConsentForm:
    """The form as it is shown first: everything that was asked is ticked."""
    meaning = meaning_of(asked)
    return ConsentForm(scope=[*(one.value for one in meaning.actions), *(str(place) for place in meaning.places)], next=goes_on)


def parts(form: ConsentForm, made: AskedAnswer) -> list[Part]:
    """The fields for less, one for each asked place, or one for the whole project."""
    places = meaning_of(made.request.scopes).places or (None,)
    several = len(places) > 1
    typed = [*(text.strip() for text in form.narrower), *[""] * len(places)]
    return [
        Part(f"narrower-{at}" if several else "narrower", f"place-{at}", place, typed[at - 1], several)
        for at, place in enumerate(places, 1)
    ]


def approved(form: ConsentForm, made: AskedAnswer) -> list[str]:
    """The ticked scopes; what was typed for a place stands instead of it, or of the whole project."""
    less = {str(one.asked) if one.asked else "": str(one.place) for one in parts(form, made) if one.place}
    return [*(less.get(text, text) for text in form.scope), *([less[""]] if "" in less else [])]


def problems(form: ConsentForm, made: AskedAnswer) -> dict[str, str]:
    """What keeps these choices from being approved, by where it stands on the page: `actions`, `places`, a part's name or its box.

    Only what a person can do on the page; what no page of ours sends is left to the judge.
    """
    fields = parts(form, made)
    found = {"actions": _no_action(form), "places": _TOO_MANY if len(form.narrower) > len(fields) else _no_place(form, made)}
    chosen = [(one.asked, _chosen(one, form)) for one in fields]
    for one, (_, mine) in zip(fields, chosen, strict=True):
        found[one.name] = (_left_out(one, form) or _misplaced(one)) if one.typed else ""
        if not found[one.name] and mine != one.asked:
            found |= _undone(one, mine, chosen, made)
    return {where: sentence for where, sentence in found.items() if sentence}


def lacks_passphrase(form: ConsentForm, made: AskedAnswer) -> bool:
    """Whether these choices allow a prefix, which gives nothing without the key that nobody has given yet."""
    meaning, _ = understood(approved(form, made))
    return meaning is not None and has_prefixes(meaning) and not form.passphrase


def without(form: ConsentForm, made: AskedAnswer) -> str:
    """What going on without a passphrase means here, as the form says that the page has warned of it."""
    return "prefix" if lacks_passphrase(form, made) else "typed"


def is_warned(form: ConsentForm, made: AskedAnswer) -> bool:
    """Whether the page has warned of just this; whoever was warned of a prefix knows the other too."""
    return form.without in {"prefix", without(form, made)}


def _no_action(form: ConsentForm) -> str:
    return "" if any(not text.startswith("bucket:") for text in form.scope) else _NO_ACTION


def _no_place(form: ConsentForm, made: AskedAnswer) -> str:
    ticked, _ = understood(form.scope)
    return _NO_PLACE if ticked is not None and not ticked.places and meaning_of(made.request.scopes).places else ""


def _left_out(part: Part, form: ConsentForm) -> str:
    return _LEFT_OUT if part.asked is not None and str(part.asked) not in form.scope else ""


def within(part: Part, made: AskedAnswer) -> str:
    """In which other places that the app asked for all of this one lies, for people; empty when in none."""
    asked = meaning_of(made.request.scopes).places
    return " or of ".join(name_in_words(one) for one in asked if part.asked is not None and one != part.asked and part.asked.within(one))


def _undone(part: Part, mine: Place | None, chosen: list[tuple[Place | None, Place | None]], made: AskedAnswer) -> dict[str, str]:
    """What was left out, or narrowed to `mine`, but is allowed all the same, because all of it lies in another place that is allowed.

    `chosen`: each asked place, and what of it is allowed.
    """
    others = [(asked, allowed) for asked, allowed in chosen if allowed is not None and asked != part.asked]
    wider = next((one for one in others if part.asked is not None and part.asked.within(one[1])), None)
    if wider is None:
        return _held_elsewhere(part, mine, [allowed for _, allowed in others])
    is_required = wider[0] in meaning_of(made.required_scopes).places
    name, way = name_in_words(wider[1]), "or allow less of that." if is_required else "leave that out too, or allow less of that."
    if mine is None:
        return {part.box: f"You left this out, but it lies in {name}, which you allow: the app could use it all the same. Tick this, {way}"}
    return {part.name: f"This is no less: all of it lies in {name}, which you allow. Empty this field, {way}"}


def _held_elsewhere(part: Part, mine: Place | None, others: list[Place]) -> dict[str, str]:
    """The same of a part that lies in less of another place: there is more allowed around it than its row says."""
    around = next((one for one in others if mine is not None and mine != one and mine.within(one)), None)
    if around is None:
        return {}
    sentence = f"This changes nothing: all of it lies in {name_in_words(around)}, which you allow. Allow less of that, or leave this out."
    return {part.name: sentence}


def _chosen(part: Part, form: ConsentForm) -> Place | None:
    """The place that is allowed by this row of the page; None when it is left out, or is none."""
    if part.asked is None or str(part.asked) not in form.scope:
        return None
    return part.place or part.asked


def _misplaced(part: Part) -> str:
    """Why the typed place cannot be approved; empty when it can be."""
    text = part.typed.encode()
    if len(text) > _LONGEST:
        return f"The name of a place has at most {_LONGEST:,} bytes; this has {len(text):,}."
    typed = f'"{readable(text)}"'
    if _CONTROL.search(part.typed):
        return f"{typed} {_UNSEEN}"
    if text.startswith(b"/") or part.place is None:
        return _NO_BUCKET
    if part.asked is not None and not part.place.within(part.asked):
        only = "here" if part.is_one_of_several else "only"
        return f'The app asked {only} for {name_in_words(part.asked)}; {typed} lies outside it. Begin with "{part.begins}".'
    # the place that the app asked for may be called anything
    odd = _NO_NAME.search(text[len(_written(part.asked)) :] if part.asked else text)
    return f"{typed} {_DOUBLED if odd[0] == b'//' else _UPWARDS}" if odd else ""


def _written(place: Place) -> bytes:
    return b"/".join(filter(None, (place.bucket, place.prefix)))
