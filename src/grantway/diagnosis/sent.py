"""What was sent, read leniently: a diagnosis wants to know what somebody meant."""

import base64
import contextlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import Enum
from urllib.parse import parse_qsl, unquote_plus

from grantway.clients.assertion import is_meant
from grantway.clients.client import is_client_id
from grantway.diagnosis import loose_jwt, veil
from grantway.diagnosis.attempt import Attempt, Known
from grantway.diagnosis.veil import Veil


class Shape(Enum):
    """What a body is."""

    OBJECT = "a JSON object"
    OTHER_JSON = "JSON, but no object"
    TWICE = "a JSON object with the same name twice"
    FORM = "form-encoded"
    MULTIPART = "a multipart form"
    XML = "XML or HTML"
    BROKEN = "neither JSON nor a form"
    EMPTY = "empty"


class Way(Enum):
    """How a client says who it is."""

    FIELD = "a JWT in client_secret"
    ASSERTION = "a JWT in client_assertion"
    BASIC = "HTTP Basic"
    POST = "the secret in client_secret"
    NONE = "its client_id alone"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """The body's fields, whatever their encoding was; the query's; and the scheme of the Authorization header, in lower case.

    Of the standard flow, `fields` has client_id and client_secret wherever they came from, `form` what stood in the form, and `basic`
    the pair of the Authorization header before form-decoding. `veil` shows what may be shown of it.
    """

    shape: Shape
    fields: Mapping[str, object] = field(default_factory=dict, repr=False)
    query: Mapping[str, str] = field(default_factory=dict, repr=False)
    scheme: str = ""
    header_jwt: str = field(default="", repr=False)
    """The JWT in the Authorization header, with a scheme before it or without."""
    way: Way = Way.FIELD
    form: Mapping[str, object] = field(default_factory=dict, repr=False)
    basic: tuple[str, str] | None = field(default=None, repr=False)
    names_app: bool = True
    veil: Veil = field(default=Veil(), repr=False)

    @property
    def claimed(self) -> str:
        """The client_id, wherever it was put: at the top, misnamed, in the query, inside of another object, or in a JWT in the header.
        Empty where none counts."""
        if not self.names_app:
            return ""
        if self.text("client_id"):
            return self.text("client_id")
        inner = [value for value in self.fields.values() if isinstance(value, dict)]
        for fields in (self.fields, self.query, *inner):
            for name, value in fields.items():
                if isinstance(value, str) and name.lower().replace("_", "").replace("-", "") == "clientid":
                    return value.encode("utf-8", "replace").decode()
        return _named_by(self.header_jwt)

    def text(self, name: str) -> str:
        """A field's text; empty when it is missing or no string."""
        value = self.fields.get(name)
        # a lone surrogate is in no text that we could look up or write
        return value.encode("utf-8", "replace").decode() if isinstance(value, str) else ""


OTHER_SCHEME = "other"
"""In place of whatever stands first in an Authorization header: it may be the secret itself."""
_SCHEMES = frozenset({"basic", "bearer", "digest", "dpop", "mutual", "negotiate", "ntlm"})
_FORM = re.compile(rb"[\w.%+\[\]-]+=[^\n]*")


def read(attempt: Attempt) -> Sent:
    """Read what came; never fails."""
    shape, fields = _body(attempt.text.strip())
    query = dict(parse_qsl(attempt.query, keep_blank_values=True)) if len(attempt.query) < 8192 else {}
    sent = Sent(
        shape=shape,
        fields=fields,
        form=fields,
        query=query,
        scheme=_scheme(attempt.authorization),
        header_jwt=_header_jwt(attempt.authorization),
        names_app=attempt.names_app,
    )
    return _standard(sent, attempt.authorization) if attempt.is_standard else sent


def veiled(sent: Sent, attempt: Attempt, known: Known) -> Sent:
    """The same, to be shown with what is known: no secret that is at hand, nor what the request sends as one."""
    inner = [value for value in sent.fields.values() if isinstance(value, dict)]
    header = {"token": attempt.authorization.partition(" ")[2], "secret": sent.basic[1] if sent.basic else ""}
    clients = [client for client in (known.client, *known.near) if client is not None]
    keys = [*(one.key for one in known.secrets), *(one.key for one in known.foreign), *known.veiled]
    public = {client.client_id for client in clients}
    made = veil.over(keys, (sent.fields, sent.form, sent.query, *inner, header), public, is_blind=not clients)
    return replace(sent, veil=made)


def mentioned(sent: Sent) -> tuple[str, ...]:
    """What else may name the client where the claimed client_id does not: the claims of the JWT, and fields that were swapped."""
    claims = loose_jwt.read(sent.text("client_secret")).claims or {}
    named = [claims.get(name) for name in ("client_id", "iss", "sub")] + [sent.form.get("client_id"), sent.text("client_secret")]
    named += [sent.basic[1]] if sent.basic else []
    texts = [one.strip().encode("utf-8", "replace").decode() for one in named if isinstance(one, str)]
    return tuple(dict.fromkeys(one for one in texts if is_client_id(one) and one != sent.claimed))


def _scheme(authorization: str) -> str:
    """The header's scheme if it is one of those that there are; empty without a header."""
    first = authorization.partition(" ")[0].lower()
    return first if first in _SCHEMES else OTHER_SCHEME if authorization else ""


def _header_jwt(authorization: str) -> str:
    text = authorization.rpartition(" ")[2]
    return text if is_meant(text) else ""


def _named_by(jwt: str) -> str:
    claims = loose_jwt.read(jwt).claims or {}
    named = (claims.get(name) for name in ("client_id", "sub", "iss"))
    return next((one for one in named if isinstance(one, str) and is_client_id(one)), "")


def _standard(sent: Sent, authorization: str) -> Sent:
    """The same with the client's id and secret where the JSON API has them."""
    basic = _pair(authorization) if sent.scheme == "basic" else None
    secret, assertion = sent.text("client_secret"), sent.text("client_assertion")
    if basic is not None:
        # each is form-encoded within the pair (RFC 6749 section 2.3.1)
        name, secret = (unquote_plus(one) for one in basic)
        return replace(sent, way=Way.BASIC, basic=basic, fields={**sent.fields, "client_id": name, "client_secret": secret})
    if assertion:
        subject = (loose_jwt.read(assertion).claims or {}).get("sub")
        named = {"client_id": sent.text("client_id") or subject, "client_secret": assertion}
        return replace(sent, way=Way.ASSERTION, fields={**sent.fields, **named})
    # told as the endpoint does (`web.client_credentials`)
    return replace(sent, way=Way.NONE if not secret else Way.FIELD if is_meant(secret) else Way.POST)


def _pair(authorization: str) -> tuple[str, str] | None:
    with contextlib.suppress(ValueError):
        text = base64.b64decode(authorization.partition(" ")[2].strip(), validate=True).decode()
        name, colon, secret = text.partition(":")
        return (name, secret) if colon else None
    return None


def _body(text: bytes) -> tuple[Shape, Mapping[str, object]]:
    if not text:
        return Shape.EMPTY, {}
    twice: list[str] = []
    try:
        value = json.loads(text, object_pairs_hook=lambda pairs: _joined(pairs, twice))
    except (ValueError, RecursionError):
        return _no_json(text)
    if not isinstance(value, dict):
        return Shape.OTHER_JSON, {}
    return (Shape.TWICE if twice else Shape.OBJECT), value


def _joined(pairs: list[tuple[str, object]], twice: list[str]) -> dict[str, object]:
    # the last one counts, as with most readers; that there were two is a fault of its own
    joined = dict(pairs)
    if len(joined) != len(pairs):
        twice.append("")
    return joined


def _no_json(text: bytes) -> tuple[Shape, Mapping[str, object]]:
    if text.startswith(b"<"):
        return Shape.XML, {}
    if text.startswith(b"--"):
        return Shape.MULTIPART, {}
    if _FORM.fullmatch(text):
        return Shape.FORM, dict(parse_qsl(text.decode("utf-8", "replace"), keep_blank_values=True))
    return Shape.BROKEN, {}
