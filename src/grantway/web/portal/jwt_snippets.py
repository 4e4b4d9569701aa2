"""The token request with a JWT, as a developer copies it: in shell and in Python."""

import json
import shlex

from grantway.web.portal.exchange import Exchange

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


def shell(one: Exchange) -> str:
    """Commands for bash: a JWT made with python3, and the request with curl."""
    return _SHELL.format(
        client_id=shlex.quote(one.client_id),
        secret=shlex.quote(one.secret),
        make_jwt=_MAKE_JWT,
        url=shlex.quote(one.url),
        body=_body(one),
    )


def python(one: Exchange) -> str:
    """A program that needs nothing but Python."""
    return _PYTHON.format(**one.as_literals())


def _body(one: Exchange) -> str:
    """The JSON inside single quotes of the shell, which JWT and CODE interrupt."""
    jwt, code = "'\"$JWT\"'", "'\"$CODE\"'"
    lines = (
        f'"client_id": {_quoted(one.client_id)}',
        f'"client_secret": "{jwt}"',
        f'"redirect_uri": {_quoted(one.redirect_uri)}',
        f'"code": "{code}"',
        f'"code_verifier": {_quoted(one.verifier)}',
        '"passphrase": ""',
    )
    return "{\n    " + ",\n    ".join(lines) + "\n}"


def _quoted(value: str) -> str:
    return json.dumps(value).replace("'", "'\\''")
