"""The form for the dry run: a token request, as a curl command, a body or field by field, is judged and explained."""

import base64
from urllib.parse import quote_plus, urlencode

import msgspec

from grantway.clients import assertion
from grantway.clients.client import AuthMethod, Client
from grantway.web import dry_run, standard, token
from grantway.web.answer import Answer
from grantway.web.call import Call
from grantway.web.dry_run import TokenCall
from grantway.web.form import MEDIA_TYPE
from grantway.web.portal import curl
from grantway.web.portal.place import ONE, get, mine, path_of, post, show
from grantway.web.portal.refusals import told

CHECK = f"{ONE}/check"
ENDPOINTS = {standard.TOKEN_PATH: "a form, as OAuth libraries send it", token.PATH: "JSON"}
"""Where a request may be sent, and what it takes there."""
_FIELDS = ("client_id", "client_secret", "client_assertion", "redirect_uri", "code", "code_verifier")
_JSON = "application/json"


class CheckForm(msgspec.Struct):
    """A token request: whole in `body`, which counts if it is there, or field by field. `to` is one of `ENDPOINTS`, or empty."""

    csrf: str = ""
    to: str = ""
    authorization: str = ""
    client_id: str = ""
    client_secret: str = ""
    client_assertion: str = ""
    redirect_uri: str = ""
    code: str = ""
    code_verifier: str = ""
    body: str = ""

    def sent(self, client: Client) -> TokenCall:
        """What the app would send. Fields that nothing says more of are sent as the app is registered to."""
        text = self.body.strip()
        if text and (command := curl.read(text)) is not None:
            return command
        headers = [("Authorization", self.authorization.strip())] if self.authorization.strip() else []
        if not text:
            return self._typed(client, headers)
        body = text.encode("utf-8", "replace")
        return TokenCall(url=self._to(), headers=[*headers, ("Content-Type", MEDIA_TYPE if dry_run.is_form(body) else _JSON)], body=body)

    def _typed(self, client: Client, headers: list[tuple[str, str]]) -> TokenCall:
        """The request of the fields; what was left empty is left out."""
        fields = {name: value for name in _FIELDS if (value := getattr(self, name).strip())}
        is_standard = client.auth_method is not AuthMethod.JWT or "client_assertion" in fields or headers
        to = self._to() or (standard.TOKEN_PATH if is_standard else token.PATH)
        if to == token.PATH:
            return TokenCall(url=to, headers=[*headers, ("Content-Type", _JSON)], body=msgspec.json.encode(fields))
        if client.auth_method is AuthMethod.BASIC and not headers and not assertion.is_meant(fields.get("client_secret", "..")):
            pair = f"{quote_plus(fields.pop('client_id', ''))}:{quote_plus(fields.pop('client_secret', ''))}"
            headers = [("Authorization", f"Basic {base64.b64encode(pair.encode()).decode()}")]
        also = {"client_assertion_type": assertion.TYPE} if "client_assertion" in fields else {}
        form = urlencode({"grant_type": "authorization_code", **fields, **also}, errors="replace")
        return TokenCall(url=to, headers=[*headers, ("Content-Type", MEDIA_TYPE)], body=form.encode())

    def _to(self) -> str:
        return self.to if self.to in ENDPOINTS else ""


async def check_page(call: Call) -> Answer:
    """The form, with what is known already."""
    client = await mine(call)
    form = CheckForm(client_id=client.client_id, redirect_uri=client.redirect_uris[0])
    return show(call, "portal/check.html", app=client, path=path_of(client), form=form, told=None, notes=(), endpoints=ENDPOINTS)


async def check(call: Call) -> Answer:
    """What would be answered, and why. Of what was sent only client_id and redirect_uri are shown again; the finding is not kept."""
    form: CheckForm = call.body
    client = await mine(call)
    judged = await dry_run.judge(call, form.sent(client))
    kept = CheckForm(client_id=form.client_id, redirect_uri=form.redirect_uri, to=form.to)
    return show(
        call,
        "portal/check.html",
        told=told(judged.found),
        notes=judged.notes,
        app=client,
        path=path_of(client),
        form=kept,
        endpoints=ENDPOINTS,
    )


PAGES = (get(CHECK, check_page, "Try a token request"), post(CHECK, check, "Try a token request", CheckForm))
