"""What was asked or allowed, as the pages say it."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from grantway.scopes.meaning import meaning_of
from grantway.scopes.scope import ActionScope
from grantway.scopes.wording import SENTENCE, where


class AllowedWords(NamedTuple):
    """One list of scopes as a person reads it: each action a part of a sentence, and where."""

    actions: list[str]
    where: str


def in_words(scopes: Sequence[str]) -> AllowedWords:
    """A list of scopes in words."""
    meaning = meaning_of(scopes)
    return AllowedWords([SENTENCE[one] for one in ActionScope if one in meaning.actions], where(meaning))


def each_in_words(lists: Iterable[Sequence[str]]) -> list[AllowedWords]:
    """Several lists, each by itself and each meaning once: what is allowed in one place is not allowed in another's."""
    return [in_words(scopes) for scopes in {meaning_of(scopes): scopes for scopes in lists}.values()]
