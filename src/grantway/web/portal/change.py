"""What a developer changes about an app: what is said of it, its secret, whether it is enabled, and its end."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Annotated

import msgspec

from grantway.clients import secret
from grantway.clients.client import Client
from grantway.clients.draft import ClientDraft
from grantway.oauth_error import ALREADY_EXISTS, INVALID_REQUEST, RefusedError
from grantway.web import page
from grantway.web.answer import Answer
from grantway.web.call import Call
from grantway.web.portal import snippets
from grantway.web.portal.app_form import ACTIONS, METHODS, AppForm, standing, told
from grantway.web.portal.place import APPS, ONE, get, mine, path_of, post, show

EDIT = f"{ONE}/edit"
SECRET = f"{ONE}/secret"
STATUS = f"{ONE}/status"
DELETE = f"{ONE}/delete"

_HOUR = 3600
_DAY = 24 * _HOUR
OVERLAPS = {
    0: "not at all: it dies now",
    _HOUR: "an hour",
    int(secret.OVERLAP.total_seconds()): "24 hours",
    7 * _DAY: "7 days",
    int(secret.MAX_OVERLAP.total_seconds()): "30 days",
}


class SecretForm(msgspec.Struct):
    """Which secret the new one follows, and for how many seconds the old one stays good."""

    csrf: str = ""
    version: int = 0
    overlap: Annotated[int, msgspec.Meta(ge=0)] = int(secret.OVERLAP.total_seconds())


class StatusForm(msgspec.Struct):
    """1 = active, 0 = disabled."""

    status: str = ""
    csrf: str = ""


class _ChangedSinceError(Exception):
    """The app is no more what the form was opened with, and not what it says either."""

    def __init__(self, stored: Client) -> None:
        super().__init__()
        self.stored = stored


class DeleteForm(msgspec.Struct):
    """The app's name, typed by whoever is sure."""

    csrf: str = ""
    name: str = ""


async def edit_page(call: Call) -> Answer:
    """The form with what is known of the app."""
    client = await mine(call)
    return _edit(call, client, AppForm.of(client))


async def edit(call: Call) -> Answer:
    """Change what is said of the app; what people allowed stays as it is."""
    form: AppForm = call.body
    client = await mine(call)
    draft = form.draft()
    if faults := draft.faults():
        return _edit(call, client, form, status=400, problems=told(faults))

    def drafted(stored: Client) -> ClientDraft:
        now = AppForm.of(stored)
        # a form that is sent twice finds what it saved itself
        if form.opened_with != now.opened_with and standing(draft, now.draft()):
            raise _ChangedSinceError(stored)
        return draft

    try:
        await call.house.clients.change(client, drafted, call.now)
    except _ChangedSinceError as changed:
        return _shown_again(call, changed.stored, form)
    return page.go(f"{path_of(client)}?changed=1")


async def secret_page(call: Call) -> Answer:
    """The form to make a new secret."""
    client = await mine(call)
    version = await call.house.clients.secret_version(client)
    standard = int(secret.OVERLAP.total_seconds())
    return show(call, "portal/new_secret.html", app=client, path=path_of(client), version=version, overlaps=OVERLAPS, standard=standard)


async def new_secret(call: Call) -> Answer:
    """Make a new secret and show it this once. The form says which one it follows, so that a reload makes no other."""
    form: SecretForm = call.body
    client = await mine(call)
    # as in `clients.py`: too many seconds are refused as such, whatever a timedelta holds
    overlap = timedelta(seconds=min(form.overlap, int(secret.MAX_OVERLAP.total_seconds()) + 1))
    try:
        # without `is_promise_kept`: the form says that an older secret dies now
        made = await call.house.clients.regenerate_secret(client, overlap, call.now, after=form.version)
    except RefusedError as error:
        if error.error.code != ALREADY_EXISTS.code:
            raise
        return show(call, "portal/shown_before.html", status=error.error.status, regenerate=f"{path_of(client)}/secret")
    ends = call.now + overlap
    old = f"The old one stays good until {ends:%-d %B %Y, %H:%M} UTC." if overlap else "The old one no longer works."
    return with_secret(call, made.client, made.client_secret, old)


def with_secret(call: Call, client: Client, text: str, old: str = "", status: int = 200) -> Answer:
    """The one answer that shows a secret. `old` says what becomes of the one before; empty when there was none."""
    return show(
        call,
        "portal/secret.html",
        status=status,
        app=client,
        path=path_of(client),
        secret=text,
        old=old,
        method=client.auth_method.value,
        printed=snippets.of(client, text, call.house.issuer, call.house.new_trace_id(call.now)),
    )


async def set_status(call: Call) -> Answer:
    """Enable or disable."""
    form: StatusForm = call.body
    if form.status not in {"0", "1"}:
        raise RefusedError(INVALID_REQUEST.saying("status must be 0 or 1."))
    client = await mine(call)
    await call.house.clients.set_active(client, form.status == "1", call.now)
    return page.go(f"{path_of(client)}?changed=1")


async def delete_page(call: Call) -> Answer:
    """What dies with the app, before it does."""
    client = await mine(call)
    return show(call, "portal/delete.html", app=client, path=path_of(client), problem="")


async def delete(call: Call) -> Answer:
    """Delete the app, after its name."""
    form: DeleteForm = call.body
    client = await mine(call)
    if form.name.strip() != client.name:
        problem = "This is not the app's name. Nothing was deleted."
        return show(call, "portal/delete.html", status=400, app=client, path=path_of(client), problem=problem)
    await call.house.clients.delete(client, call.now)
    return page.go(f"{APPS}?deleted=1")


def _shown_again(call: Call, stored: Client, form: AppForm) -> Answer:
    """What was typed, beside what stands now; sent once more, it takes its place."""
    now = AppForm.of(stored)
    again = msgspec.structs.replace(form, opened_with=now.opened_with)
    return _edit(call, stored, again, status=409, stands=standing(form.draft(), now.draft()))


def _edit(
    call: Call,
    client: Client,
    form: AppForm,
    *,
    status: int = 200,
    problems: dict[str, list[tuple[str, str]]] | None = None,
    stands: Sequence[tuple[str, list[str]]] = (),
) -> Answer:
    return show(
        call,
        "portal/edit.html",
        status=status,
        app=client,
        path=path_of(client),
        form=form,
        problems=problems or {},
        stands=stands,
        actions=ACTIONS,
        methods=METHODS,
    )


PAGES = (
    get(EDIT, edit_page, "Edit an app"),
    post(EDIT, edit, "Edit an app", AppForm),
    get(SECRET, secret_page, "Make a new secret"),
    post(SECRET, new_secret, "Make a new secret", SecretForm),
    post(STATUS, set_status, "Enable or disable an app", StatusForm),
    get(DELETE, delete_page, "Delete an app"),
    post(DELETE, delete, "Delete an app", DeleteForm, changes=False),
)
