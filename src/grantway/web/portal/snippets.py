"""What a developer copies: a link that asks for consent, and the token request in shell and in Python, ready to run as it is printed."""

import hashlib
import json
import shlex
from base64 import urlsafe_b64encode
from dataclasses import dataclass, field
from urllib.parse import urlencode

from grantway.authorization import pkce
from grantway.clients.client import Client
from grantway.web.authorize import AUTHORIZE
from grantway.web.token import PATH

_FIRST_SCOPES = ("read", "list")

_MAKE_JWT = """\
import base64, hmac, json, os, secrets, time

def part(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=")

claims = {"client_id": os.environ["CLIENT_ID"], "exp": int(time.time()) + 240, "jti": secrets.token_hex(16)}
signed = part(b'{"alg":"HS256","typ":"JWT"}') + b"." + part(json.dumps(claims).encode())
signature = hmac.digest(os.environ["CLIENT_SECRET"].encode(), signed, "sha256")
print((signed + b"." + part(signature)).decode())
"""

_SHELL = """\
# A code is good for one exchange. Shown again it counts as leaked, and the access grant that it gave is revoked.
export CLIENT_ID={client_id}
export CLIENT_SECRET={secret}
CODE="${{CODE:-paste the code here}}"
JWT=$(python3 - <<'END'
{make_jwt}END
)
curl --location {url} \\
--header 'Content-Type: application/json' \\
--data '{body}'
"""

_PYTHON = '''\
"""Exchange a code for an access grant: python3 exchange.py CODE

A code is good for one exchange. Shown again it counts as leaked, and the access grant that it gave is revoked.
"""

import base64
import hmac
import json
import secrets
import sys
import time
import urllib.error
import urllib.request

CLIENT_ID = {client_id}
CLIENT_SECRET = {secret}  # to try it out; your own program reads it from the environment or a file


def part(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=")


def jwt():
    """A fresh JWT, good for one code. The key is the secret's characters, not decoded from anything."""
    claims = {{"client_id": CLIENT_ID, "exp": int(time.time()) + 240, "jti": secrets.token_hex(16)}}
    signed = part(b'{{"alg":"HS256","typ":"JWT"}}') + b"." + part(json.dumps(claims).encode())
    return (signed + b"." + part(hmac.digest(CLIENT_SECRET.encode(), signed, "sha256"))).decode()


body = {{
    "client_id": CLIENT_ID,
    "client_secret": jwt(),
    "redirect_uri": {redirect_uri},
    "code": sys.argv[1] if len(sys.argv) > 1 else "no code yet",
    "code_verifier": {verifier},
    "passphrase": "",
}}
request = urllib.request.Request({url}, json.dumps(body).encode(), {{"Content-Type": "application/json"}})
try:
    with urllib.request.urlopen(request, timeout=30) as answer:
        print(json.load(answer)["access_grant"])
except urllib.error.HTTPError as refused:
    sys.exit(refused.read().decode())
'''


@dataclass(frozen=True, slots=True, kw_only=True)
class Printed:
    """The link to ask for consent with, and the two programs, which hold the secret."""

    ask: str
    shell: str = field(repr=False)
    python: str = field(repr=False)


def of(client: Client, secret: str, issuer: str, seed: str) -> Printed:
    """What is printed for an app. The PKCE verifier, which link and programs share, is made from `seed`."""
    verifier = urlsafe_b64encode(hashlib.sha256(seed.encode()).digest()).rstrip(b"=").decode()
    redirect_uri, url = client.redirect_uris[0], issuer + PATH
    shell = _SHELL.format(
        client_id=shlex.quote(client.client_id),
        secret=shlex.quote(secret),
        make_jwt=_MAKE_JWT,
        url=shlex.quote(url),
        body=_body(client.client_id, redirect_uri, verifier),
    )
    values = {"client_id": client.client_id, "secret": secret, "redirect_uri": redirect_uri, "verifier": verifier, "url": url}
    python = _PYTHON.format(**{name: json.dumps(value) for name, value in values.items()})
    return Printed(ask=_ask(client, issuer, verifier), shell=shell, python=python)


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


def _body(client_id: str, redirect_uri: str, verifier: str) -> str:
    """The JSON inside single quotes of the shell, which JWT and CODE interrupt."""
    jwt, code = "'\"$JWT\"'", "'\"$CODE\"'"
    lines = (
        f'"client_id": {_quoted(client_id)}',
        f'"client_secret": "{jwt}"',
        f'"redirect_uri": {_quoted(redirect_uri)}',
        f'"code": "{code}"',
        f'"code_verifier": {_quoted(verifier)}',
        '"passphrase": ""',
    )
    return "{\n    " + ",\n    ".join(lines) + "\n}"


def _quoted(value: str) -> str:
    return json.dumps(value).replace("'", "'\\''")
