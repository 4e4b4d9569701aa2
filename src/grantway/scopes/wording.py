"""What a person reads: scopes in plain English, each action with its consequence."""

from collections.abc import Sequence

from grantway.scopes.meaning import Meaning, meaning_of
from grantway.scopes.scope import ActionScope, Place

SENTENCE = {
    ActionScope.READ: "download and read your files",
    ActionScope.WRITE: "upload files, which may replace ones that are there if it may delete too",
    ActionScope.LIST: "see which files there are, with their sizes and dates",
    ActionScope.DELETE: "delete files, for good",
    ActionScope.LOCK: "lock files against deletion, and read and lengthen such locks",
}

CONSEQUENCE = {
    ActionScope.READ: "Copies that it makes stay with it, also after you take this back.",
    ActionScope.WRITE: "What it uploads is stored in your project and takes up its space.",
    ActionScope.LIST: "It learns what there is, not what is in it.",
    ActionScope.DELETE: "Nobody can bring a deleted file back.",
    ActionScope.LOCK: "Until a lock ends, nobody can delete the file, not even you.",
}
"""What it means for the person that an app may do so."""


def sentences(scopes: Sequence[str]) -> list[str]:
    """One line for each action in a fixed order, then one line for where. ScopeError for a scope that is not understood."""
    meaning = meaning_of(scopes)
    actions = [f"It may {SENTENCE[action]}." for action in ActionScope if action in meaning.actions]
    return [*(actions or ["It may do nothing."]), where(meaning)]


def where(meaning: Meaning) -> str:
    """Where it may do so, as a sentence; a place that lies in another is not told beside it."""
    if not meaning.places:
        return "In every bucket of the project."
    return "Only " + ", and ".join(place_in_words(place) for place in meaning.widest()) + "."


def place_in_words(place: Place) -> str:
    """`in the bucket photos`, `under 2024/ in the bucket photos`; bytes that are no text are written as escapes."""
    return f"{'under' if place.prefix else 'in'} {name_in_words(place)}"


def name_in_words(place: Place) -> str:
    """`the bucket photos`, `2024/ in the bucket photos`; bytes that are no text are written as escapes."""
    bucket = f"the bucket {readable(place.bucket)}"
    return f"{readable(place.prefix)}/ in {bucket}" if place.prefix else bucket


def readable(name: bytes) -> str:
    """Bytes as text that is safe to show: what is not printable is escaped."""
    text = name.decode("utf-8", "backslashreplace")
    # not printable are also the marks that turn the direction of writing: with them a name would read as another
    return "".join(letter if letter.isprintable() else letter.encode("unicode_escape").decode() for letter in text)
