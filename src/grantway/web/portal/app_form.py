"""The form that describes an app: what is typed, what stands in it already, and what is said next to which field."""

import hashlib
from collections.abc import Sequence

import msgspec

from grantway.clients.client import AuthMethod, Client
from grantway.clients.draft import MAX_NAME, ClientDraft, DraftFault
from grantway.scopes.scope import ActionScope
from grantway.scopes.wording import SENTENCE, readable

METHODS = {
    AuthMethod.JWT: "a JWT signed with the secret; the secret itself is never sent",
    AuthMethod.BASIC: "the secret itself, in the Authorization header",
    AuthMethod.POST: "the secret itself, in the body",
    AuthMethod.NONE: "no secret at all: an app on people's own devices, which cannot keep one",
}
ACTIONS = [(action.value, SENTENCE[action]) for action in ActionScope]
_ACTIONS = frozenset(action.value for action in ActionScope)
_SAID = {
    "name": f"A name has 1 to {MAX_NAME} printable characters.",
    "require_pkce": "An app without a secret cannot do without PKCE: nothing else proves that the code is its own.",
    "required_scopes must lie within scopes.": "What the app cannot work without must be among what it may ask for.",
}
_LABELS = {
    "name": "Name",
    "description": "Description",
    "redirect_uris": "Redirect URIs",
    "scopes": "What it may ask for",
    "required_scopes": "What it cannot work without",
    "auth_method": "How it authenticates",
    "require_pkce": "It may ask without PKCE",
}
_MOST_FAULTS = 5


class AppForm(msgspec.Struct):
    """An app as its developer describes it. Redirect URIs and places stand one a line; `form_id` is of the form to create one,
    `opened_with` of the one to edit it: a digest of all that stood in it."""

    csrf: str = ""
    form_id: str = ""
    opened_with: str = ""
    name: str = ""
    description: str = ""
    redirect_uris: str = ""
    scope: list[str] = []
    places: str = ""
    required: list[str] = []
    required_places: str = ""
    auth_method: AuthMethod = AuthMethod.JWT
    no_pkce: bool = False

    @classmethod
    def of(cls, client: Client) -> "AppForm":
        """What stands in the form of an app that there is."""
        form = cls(
            name=client.name,
            description=client.description,
            redirect_uris="\n".join(client.redirect_uris),
            scope=_actions(client.scopes),
            places=_places(client.scopes),
            required=_actions(client.required_scopes),
            required_places=_places(client.required_scopes),
            auth_method=client.auth_method,
            no_pkce=not client.require_pkce,
        )
        # of what is said, not of `updated_at`: disabling an app takes nothing from who edits it
        return msgspec.structs.replace(form, opened_with=hashlib.sha256(msgspec.json.encode(form)).hexdigest())

    def draft(self) -> ClientDraft:
        """What the form says, not yet checked."""
        return ClientDraft(
            name=self.name,
            description=self.description.replace("\r\n", "\n"),  # browsers send line ends of a textarea so
            redirect_uris=_lines(self.redirect_uris),
            scopes=[*self.scope, *_lines(self.places)],
            required_scopes=[*self.required, *_lines(self.required_places)],
            auth_method=self.auth_method,
            require_pkce=not self.no_pkce,
        )


def told(faults: Sequence[DraftFault]) -> dict[str, list[tuple[str, str]]]:
    """By field what is said next to it: the value that is meant, if there are several, made printable; and a sentence."""
    by_field: dict[str, list[tuple[str, str]]] = {}
    for fault in faults:
        sentence = fault.error.description
        said = _SAID.get(fault.field) or _SAID.get(sentence) or sentence
        by_field.setdefault(fault.field, []).append((readable(fault.value.encode())[:200], said[:1].upper() + said[1:]))
    return {field: several[:_MOST_FAULTS] for field, several in by_field.items()}


def standing(typed: ClientDraft, stored: ClientDraft) -> list[tuple[str, list[str]]]:
    """What is stored where something else was typed: the field's label, and its lines."""
    return [(label, _told(getattr(stored, field))) for field, label in _LABELS.items() if getattr(stored, field) != getattr(typed, field)]


def _told(value: str | bool | Sequence[str]) -> list[str]:
    if isinstance(value, bool):  # whether PKCE is required, told as the form asks it
        return ["no" if value else "yes"]
    return value.splitlines() if isinstance(value, str) else list(value)


def _lines(text: str) -> list[str]:
    return [line.strip() for line in text.split("\n") if line.strip()]


def _actions(scopes: Sequence[str]) -> list[str]:
    return [one for one in scopes if one in _ACTIONS]


def _places(scopes: Sequence[str]) -> str:
    return "\n".join(one for one in scopes if one not in _ACTIONS)
