"""The form for the dry run: a token request is judged and explained, and nothing is used up."""

import msgspec

from grantway import json_text
from grantway.diagnosis.finding import Finding
from grantway.oauth_error import INVALID_REQUEST
from grantway.web.afterwards import attempt
from grantway.web.answer import Answer, refusal
from grantway.web.call import Call
from grantway.web.findings import dry_run
from grantway.web.portal.place import ONE, get, mine, path_of, post, show
from grantway.web.portal.refusals import told
from grantway.web.token import TokenBody

CHECK = f"{ONE}/check"


class CheckForm(msgspec.Struct):
    """A token request field by field, or its whole JSON in `body`, which counts if it is there."""

    csrf: str = ""
    client_id: str = ""
    client_secret: str = ""
    redirect_uri: str = ""
    code: str = ""
    code_verifier: str = ""
    body: str = ""

    def text(self) -> bytes:
        """The body that an app would send; what was left empty is left out."""
        if self.body:
            return self.body.encode()
        names = ("client_id", "client_secret", "redirect_uri", "code", "code_verifier")
        return msgspec.json.encode({name: value for name in names if (value := getattr(self, name).strip())})


async def check_page(call: Call) -> Answer:
    """The form, with what is known already."""
    client = await mine(call)
    form = CheckForm(client_id=client.client_id, redirect_uri=client.redirect_uris[0])
    return show(call, "portal/check.html", app=client, path=path_of(client), form=form, told=None)


async def check(call: Call) -> Answer:
    """What would be answered, and why. JWT, code and verifier are not shown again; the finding is not kept."""
    form: CheckForm = call.body
    client = await mine(call)
    found = await _judged(call, form.text())
    kept = CheckForm(client_id=form.client_id, redirect_uri=form.redirect_uri)
    return show(call, "portal/check.html", told=told(found), app=client, path=path_of(client), form=kept)


async def _judged(call: Call, text: bytes) -> Finding:
    call.translated = text
    try:
        call.body = json_text.read(text, TokenBody)
    except json_text.JsonTextError as error:
        answer = refusal(INVALID_REQUEST.saying(str(error)), call.trace_id)
        return await call.house.diagnosis.explain(attempt(call, "check", answer), call.account.id)
    return await dry_run(call)


PAGES = (get(CHECK, check_page, "Try a token request"), post(CHECK, check, "Try a token request", CheckForm))
