"""An access grant in words: what all its caveats together leave."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from grantway.access_grant import AccessGrant, Action
from grantway.scopes.scope import ActionScope, Place
from grantway.scopes.wording import SENTENCE, place_in_words

ACTION_OF = {
    ActionScope.READ: Action.READ,
    ActionScope.WRITE: Action.WRITE,
    ActionScope.LIST: Action.LIST,
    ActionScope.DELETE: Action.DELETE,
    ActionScope.LOCK: Action.LOCK,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class GrantInWords:
    """What a grant allows: actions, places (None: the whole project; empty: nowhere), the time window, how many caveats say so."""

    satellite_address: str
    actions: tuple[ActionScope, ...]
    places: tuple[Place, ...] | None
    not_before: datetime | None
    not_after: datetime | None
    caveats: int

    def lines(self) -> list[str]:
        """The same as sentences."""
        return [
            f"satellite  {self.satellite_address}",
            *(f"may        {SENTENCE[action]}" for action in self.actions),
            *([] if self.actions else ["may        nothing"]),
            f"where      {_where(self.places)}",
            f"from       {_moment(self.not_before, 'ever since')}",
            f"until      {_moment(self.not_after, 'for ever')}",
            f"caveats    {self.caveats}",
        ]

    def as_json(self) -> dict[str, Any]:
        """The same for programs; places as scopes."""
        return {
            "satellite_address": self.satellite_address,
            "actions": list(self.actions),
            "places": None if self.places is None else [str(place) for place in self.places],
            "not_before": None if self.not_before is None else self.not_before.isoformat(),
            "not_after": None if self.not_after is None else self.not_after.isoformat(),
            "caveats": self.caveats,
        }


def describe(grant: AccessGrant) -> GrantInWords:
    """What all caveats of a grant together leave, in the words of scopes."""
    allowance = grant.allowance()
    places = allowance.places
    return GrantInWords(
        satellite_address=grant.satellite_address,
        actions=tuple(scope for scope, action in ACTION_OF.items() if action in allowance.actions),
        places=None if places is None else tuple(Place(place.bucket, place.prefix) for place in places),
        not_before=allowance.not_before,
        not_after=allowance.not_after,
        caveats=len(grant.api_key.caveats),
    )


def _where(places: tuple[Place, ...] | None) -> str:
    if places is None:
        return "in every bucket of the project"
    return ", and ".join(map(place_in_words, places)) or "nowhere: it holds no key for any place"


def _moment(moment: datetime | None, otherwise: str) -> str:
    return otherwise if moment is None else f"{moment:%Y-%m-%d %H:%M:%S} UTC"
