"""A project: what a user's buckets live in, and what all access grants of theirs descend from."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum, auto

FIRST_NAME = "My project"
MOST_OF_A_USER = 100
"""Each request of an app looks through all of them."""
WHAT = "project root key"
"""What a root key's secret is sealed as."""


class ProjectOutcome(Enum):
    """What became of a new project, told apart inside its transaction."""

    ADDED = auto()
    TOO_MANY = auto()
    OWNER_GONE = auto()
    """The owner's account was deleted between reading and storing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Project:
    """One project of one user."""

    id: str
    owner_id: str
    name: str
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ProjectKey:
    """A project's root API key as it is stored, and the salt of its encryption (format page, sections 3 and 8).

    `head` is 32 bytes, `sealed_secret` opens to 32 bytes, `salt` is 16 bytes; `version` says which kinds of action the key may ask for.
    """

    project_id: str
    head: bytes
    sealed_secret: bytes = field(repr=False)
    salt: bytes = field(repr=False)
    version: int
