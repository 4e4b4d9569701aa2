"""A developer's apps: the list, one app, and a new one, whose secret is shown on the answer and nowhere else."""

import hmac
from uuid import UUID

from grantway.oauth_error import ALREADY_EXISTS, RefusedError
from grantway.web.answer import Answer
from grantway.web.call import Call
from grantway.web.portal import chart
from grantway.web.portal.app_form import ACTIONS, METHODS, AppForm, told
from grantway.web.portal.change import with_secret
from grantway.web.portal.place import APPS, NEW, ONE, get, mine, path_of, post, show

_ID_BYTES = 16


async def every(call: Call) -> Answer:
    """All apps of this developer."""
    apps = [(client, path_of(client)) for client in await call.house.clients.of(call.account.id)]
    return show(call, "portal/apps.html", apps=apps, deleted=call.query.get("deleted") == "1")


async def one(call: Call) -> Answer:
    """What is known of one app, and what can be done with it."""
    client = await mine(call)
    usage = await call.house.diagnosis.usage(client.row_id, chart.since(call.now))
    return show(
        call,
        "portal/app.html",
        app=client,
        path=path_of(client),
        method=METHODS[client.auth_method],
        charts=chart.charts(usage, call.now),
        causes=chart.by_cause(usage, call.now),
        width=chart.WIDTH,
        height=chart.HEIGHT,
        changed=call.query.get("changed") == "1",
    )


async def new(call: Call) -> Answer:
    """The form to create an app. It has an id, so that sending it twice creates one app."""
    return _form(call, AppForm(form_id=call.trace_id))


async def create(call: Call) -> Answer:
    """Register an app and show its secret this once.

    The client_id is made from the form's id and its token, which is this session's: when the page is reloaded, the form comes
    again, meets the client_id that it made before, and the answer says so instead of making another app or another secret.
    """
    form: AppForm = call.body
    draft = form.draft()
    if faults := draft.faults():
        return _form(call, form, status=400, problems=told(faults))
    client_id = str(UUID(bytes=hmac.digest(form.csrf.encode(), form.form_id.encode(), "sha256")[:_ID_BYTES], version=4))
    try:
        made = await call.house.clients.register(call.account.id, draft, call.now, client_id)
    except RefusedError as error:
        if error.error.code != ALREADY_EXISTS.code:
            raise
        return show(call, "portal/shown_before.html", status=error.error.status, regenerate=f"{APPS}/{client_id}/secret")
    return with_secret(call, made.client, made.client_secret, status=201)


def _form(call: Call, form: AppForm, status: int = 200, problems: dict[str, list[tuple[str, str]]] | None = None) -> Answer:
    return show(call, "portal/new.html", status=status, form=form, problems=problems or {}, actions=ACTIONS, methods=METHODS, cancel=APPS)


PAGES = (
    get(APPS, every, "A developer's apps"),
    get(NEW, new, "Create an app"),
    post(NEW, create, "Create an app", AppForm),
    get(ONE, one, "One app"),
)
