"""What a developer copies: a link that asks for consent, and the token request in shell and in Python, ready to run as it is printed."""

import hashlib
from dataclasses import dataclass, field
from urllib.parse import urlencode

from grantway import base64url
from grantway.authorization import pkce
from grantway.clients.client import AuthMethod, Client
from grantway.web.authorize import AUTHORIZE
from grantway.web.portal import form_snippets, jwt_snippets
from grantway.web.portal.exchange import Exchange
from grantway.web.standard import TOKEN_PATH
from grantway.web.token import PATH

_FIRST_SCOPES = ("read", "list")


@dataclass(frozen=True, slots=True, kw_only=True)
class Printed:
    """The link to ask for consent with, and the two programs, which hold the secret. `path` is of the endpoint that they call."""

    ask: str
    path: str
    shell: str = field(repr=False)
    python: str = field(repr=False)


def of(client: Client, secret: str, issuer: str, seed: str) -> Printed:
    """What is printed for an app, by its way to authenticate. The PKCE verifier, which link and programs share, is made from `seed`."""
    verifier = base64url.encoded(hashlib.sha256(seed.encode()).digest())
    ask, method = _ask(client, issuer, verifier), client.auth_method
    path = PATH if method is AuthMethod.JWT else TOKEN_PATH
    one = Exchange(client_id=client.client_id, secret=secret, redirect_uri=client.redirect_uris[0], verifier=verifier, url=issuer + path)
    if method is AuthMethod.JWT:
        return Printed(ask=ask, path=path, shell=jwt_snippets.shell(one), python=jwt_snippets.python(one))
    return Printed(ask=ask, path=path, shell=form_snippets.shell(one, method), python=form_snippets.python(one, method))


def _ask(client: Client, issuer: str, verifier: str) -> str:
    sent = {
        "response_type": "code",
        "client_id": client.client_id,
        "redirect_uri": client.redirect_uris[0],
        "scope": " ".join(client.scopes or _FIRST_SCOPES),
        "code_challenge": pkce.challenge_of(verifier),
        "code_challenge_method": "S256",
    }
    return f"{issuer}{AUTHORIZE}?{urlencode(sent)}"
