"""Would the standard flow work too? Asked as an app asks, through grantway.connect: the URL for its issuer, a code that cannot exist."""

from urllib.parse import urlencode

from grantway.cli.examination.failure import Failure
from grantway.cli.examination.probe import Probe
from grantway.cli.examination.sheet import Question, Sheet
from grantway.connect import Client, ConnectError, RefusedError

METADATA_PATH = "/.well-known/oauth-authorization-server"
STANDARD_FLOW = "The standard flow knows the client too"


def examine(question: Question, sheet: Sheet, probe: Probe, code: str) -> None:
    """Add a line, or a note where another issuer is the right one; nothing of a server that has no standard flow."""
    url = probe.target.base + probe.target.prefix
    issuer = _issuer(probe)
    if issuer is None:
        return
    if issuer != url:
        sheet.note(f"For an OAuth library or grantway.connect the issuer is {issuer[:200]}, character for character, and not {url}.")
        return
    try:
        client = Client(url, question.client_id, question.secret, question.redirect_uri, timeout=question.timeout)
    except ValueError as error:
        sheet.not_reached(STANDARD_FLOW, str(error))
        return
    _present(client, sheet, urlencode({"code": code, "iss": url}))


def _issuer(probe: Probe) -> str | None:
    reply = probe.send("GET", METADATA_PATH)
    if isinstance(reply, Failure) or reply.status != 200:
        return None
    issuer = (reply.fields or {}).get("issuer")
    return issuer if isinstance(issuer, str) else None


def _present(client: Client, sheet: Sheet, callback: str) -> None:
    """Come back with the made-up code: that only the code is refused means that the client is known."""
    keep = client.ask("read").keep
    try:
        client.exchange(f"{callback}&state={keep['state']}", keep)
    except RefusedError as refused:
        if refused.error == "invalid_grant":
            sheet.passed(STANDARD_FLOW, f"{refused.status} {refused.error}: only the code, made up here, is refused")
        else:
            sheet.failed(STANDARD_FLOW, str(refused))
    except ConnectError as error:
        sheet.not_reached(STANDARD_FLOW, error.description)
