"""What every page has in common: the template, the headers that keep it safe, who is signed in, and the token in each form."""

import functools
import hmac
import re
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import quote, urlsplit

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from grantway import base64url, secret_token
from grantway.accounts.session import Session
from grantway.oauth_error import FORBIDDEN, OAuthError, RefusedError
from grantway.scopes import wording
from grantway.web import elsewhere, refusal_words
from grantway.web.answer import Answer, PlainText
from grantway.web.call import Call
from grantway.web.one_cookie import one_cookie
from grantway.web.side import DEVELOPERS, USERS, Side, is_of_portal

HTML = b"text/html; charset=utf-8"
SIGN_IN = "/sign-in"
HOME = "/connected-apps"
PASSWORD = "/password"  # noqa: S105 - a path, not a secret
ACCOUNT = "/account"
MAX_CSRF = 100

_VISITOR = "grantway_visitor"
_FORM_TOO_OLD = FORBIDDEN.saying("This form is too old, or came from elsewhere. Go back, reload the page and try again.")


@functools.cache
def _templates() -> Environment:
    loader = FileSystemLoader(Path(__file__).parent / "templates")
    # StrictUndefined: a value that a template lacks is an error, and not an empty place on a page
    return Environment(loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)


def show(
    call: Call,
    template: str,
    *,
    side: Side = USERS,
    status: int = 200,
    sends_to: str = "",
    headers: Sequence[tuple[bytes, bytes]] = (),
    **values: object,
) -> Answer:
    """A page. `sends_to` is the redirect URI that a form on it may end at: the only foreign place that the browser lets it go."""
    visitor, new_cookie = _visitor(call)
    common = {"csrf": csrf(visitor, _token(call, side)), "signed_in": call.session, "trace_id": call.trace_id, "side": side}
    under = {"issuer": call.house.issuer, "elsewhere": elsewhere.asked_for(call) if status == 200 else ""}
    text = _templates().get_template(template).render(**common, **under, **values)
    further = [new_cookie] if new_cookie else []
    return Answer(status, PlainText(text.encode(), HTML), [*_safe(sends_to), *further, *headers])


def go(location: str, *headers: tuple[bytes, bytes]) -> Answer:
    """Send the browser elsewhere, to be asked for with GET."""
    # 303, not 307: what was typed into a form is not sent on (RFC 9700 section 4.12); quoted, it can hold no line's end
    return Answer(303, None, [(b"location", quote(location, safe=elsewhere.URI).encode()), (b"referrer-policy", b"no-referrer"), *headers])


def go_to_app(call: Call, uri: str) -> Answer:
    """Send the browser from a form to an app. A policy that cannot name the app forbids a redirect there: then by a page in between."""
    if _source(uri):
        return go(uri)
    refresh = (b"refresh", f"0; url={quote(uri, safe=elsewhere.URI)}".encode())
    return show(call, "back.html", headers=[refresh], uri=uri, host=host_of(uri))


def refused(call: Call, error: OAuthError, *, side: Side = USERS, **otherwise: str) -> Answer:
    """A refusal as a page: what happened and whose move it is, in the words of `refusal_words` or in these, and below what others need:
    the trace id, where somebody finds something under it."""
    retry = [] if error.retry_after is None else [(b"retry-after", str(error.retry_after).encode())]
    words = refusal_words.words(error, call.said)._replace(**{name: text for name, text in otherwise.items() if text})
    # of what concerns the person alone there is no finding; what failed here is in the operator's log
    return show(
        call,
        "error.html",
        side=side,
        status=error.status,
        headers=retry,
        words=words,
        leads_home=error.status == 404 or (error.status == 405 and not words.reader),
        there=elsewhere.sent_from(call, side) if call.is_from_elsewhere else "",
    )


async def session(call: Call, side: Side = USERS) -> Session | None:
    """Who is signed in in this browser, on that side; remembered in `call.session`."""
    # asked of the database each time: a session that another process has ended opens nothing here
    token = _token(call, side)
    call.session = await call.house.accounts.session(side.kind, token, call.now) if token else None
    return call.session


def check_form(call: Call, presented: str, side: Side = USERS) -> None:
    """Refuse a form that does not come from a page that we gave to this browser in this session."""
    # first, because SameSite is not enough: another port of this host is the same site
    if call.headers.get("origin") != call.house.origin:
        call.is_from_elsewhere = True
        raise RefusedError(FORBIDDEN.saying(f"This came from elsewhere. Open the page under {call.house.issuer} and try again there."))
    # without a visitor's cookie everybody could compute the token
    visitor = one_cookie(call, _name(call, _VISITOR))
    expected = csrf(visitor, _token(call, side)) if visitor else ""
    if not expected or not hmac.compare_digest(expected.encode(), presented[:MAX_CSRF].encode()):
        raise RefusedError(_FORM_TOO_OLD)


async def sender(call: Call, presented: str, side: Side = USERS) -> Session | None:
    """Who sent a form that only somebody signed in may send; None: nobody is. RefusedError: it does not come from a page of ours."""
    found = await session(call, side)
    if found is not None:
        check_form(call, presented, side)
    return found


def csrf(visitor: str, session_token: str) -> str:
    """What each form carries: bound to the browser and to the session, useless in any other."""
    return base64url.encoded(hmac.digest(visitor.encode(), f"form\0{session_token}".encode(), "sha256"))


def mark(call: Call, text: str) -> tuple[str, list[tuple[bytes, bytes]]]:
    """A mark on `text` that holds in this browser only, and the cookie that this takes, if it is new."""
    visitor, new_cookie = _visitor(call)
    return _mark(call.house.browser_keys()[0], visitor, text), [new_cookie] if new_cookie else []


def is_marked(call: Call, text: str, presented: str) -> bool:
    """Whether the mark was put on this very text in this browser."""
    visitor = one_cookie(call, _name(call, _VISITOR))
    marks = [_mark(key, visitor, text).encode() for key in call.house.browser_keys()]
    return bool(visitor) and any(hmac.compare_digest(one, presented[:MAX_CSRF].encode()) for one in marks)


def session_cookie(call: Call, token: str, side: Side = USERS) -> tuple[bytes, bytes]:
    """The cookie that signs in; without a token, the one that signs out."""
    return _cookie(call, side.cookie, token)


def to_sign_in(call: Call, path: str, side: Side = USERS) -> Answer:
    """To the sign-in page, and from there back to where the person was going."""
    return go(sign_in_before(asked_for(call, path), side))


def asked_for(call: Call, path: str) -> str:
    """The page that was asked for at this path, with its query."""
    return f"{path}?{call.query_string}" if call.query_string else path


def sign_in_before(target: str, side: Side = USERS) -> str:
    """The address of the sign-in page that leads on to `target`, a path of ours."""
    return f"{side.sign_in}?next={quote(target, safe='')}"


def own_path(text: str | None, side: Side = USERS) -> str:
    """A place of ours to go on to: what begins like one of our pages, else home. Never another site."""
    path, _, query = (text or "").partition("?")
    ours = is_of_portal(path) if side is DEVELOPERS else path in _OF_USERS or _ONE_APP.fullmatch(path) is not None
    # our paths have no `//` and no backslash, so that no browser takes one for a host; the query cannot leave the page
    known = ours and query.isascii() and query.isprintable()
    return f"{path}?{query}" if known and query else path if known else side.home


def _mark(key: bytes, visitor: str, text: str) -> str:
    """Under a key of the server's: whoever has the browser has the visitor's cookie, and must not make marks of their own."""
    return base64url.encoded(hmac.digest(key, f"mark\0{visitor}\0{text}".encode(), "sha256"))


_NAMEABLE = re.compile(r"(?:127\.0\.0\.1|(?![0-9.]+(?::|$))[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*)(?::[0-9]+)?")
_OF_USERS = {HOME, PASSWORD, ACCOUNT, "/oauth2/authorize", "/oauth2-integration"}
_ONE_APP = re.compile(r"/connected-apps/[A-Za-z0-9_~%-][A-Za-z0-9._~%-]*")


def _visitor(call: Call) -> tuple[str, tuple[bytes, bytes] | None]:
    known = one_cookie(call, _name(call, _VISITOR))
    if secret_token.is_intact(known, secret_token.Kind.VISITOR):
        return known, None
    made = call.house.new_visitor()
    return made, _cookie(call, _VISITOR, made)


def _token(call: Call, side: Side) -> str:
    return one_cookie(call, _name(call, side.cookie))


def _name(call: Call, name: str) -> str:
    """With https a name that no neighbouring host can set (RFC 6265bis section 4.1.3)."""
    return f"__Host-{name}" if call.house.is_https else name


def _cookie(call: Call, name: str, value: str) -> tuple[bytes, bytes]:
    ends = "" if value else "; Max-Age=0"
    # Lax, not Strict: an app sends the person here from its own site, and they must be signed in on arrival
    secure = "; Secure" if call.house.is_https else ""
    return b"set-cookie", f"{_name(call, name)}={value}; Path=/; HttpOnly; SameSite=Lax{secure}{ends}".encode()


def _safe(sends_to: str) -> list[tuple[bytes, bytes]]:
    """Nothing is loaded from elsewhere, nobody frames the page, and its forms end here or at the app that asked."""
    ends_at = f"form-action 'self'{_source(sends_to)}"
    # `data:` is for the empty icon of base.html. No cross-origin-opener-policy: apps may open these pages in a window of their own
    policy = f"default-src 'none'; style-src 'self'; img-src 'self' data:; {ends_at}; frame-ancestors 'none'; base-uri 'none'"
    return [
        (b"content-security-policy", policy.encode()),
        (b"x-frame-options", b"DENY"),  # for browsers that do not know frame-ancestors
        # not no-referrer: browsers would then send our own forms with `Origin: null`, which `check_form` refuses
        (b"referrer-policy", b"same-origin"),
    ]


def _source(redirect_uri: str) -> str:
    """The origin of a validated redirect URI as a CSP source; for an app's own scheme, the scheme. Empty where there is none.

    A source names hosts, and of all addresses only 127.0.0.1 (CSP level 3, `host-part`): `http://[::1]:8080` cannot be written.
    """
    if not redirect_uri:
        return ""
    parts = urlsplit(redirect_uri)
    if parts.scheme not in {"http", "https"}:
        return f" {parts.scheme}:"
    return f" {parts.scheme}://{parts.netloc}" if _NAMEABLE.fullmatch(parts.netloc) else ""


def host_of(redirect_uri: str) -> str:
    """Where an app lives, for people: its redirect host, or its scheme."""
    parts = urlsplit(redirect_uri)
    return wording.readable((parts.netloc or f"{parts.scheme}:").encode())
