"""The standard token request as a developer copies it, with the secret in a header, in the form or nowhere: in shell and in Python."""

import shlex
from urllib.parse import quote

from grantway.clients.client import AuthMethod
from grantway.web.portal.exchange import Exchange

_SHELL = """\
# A code is good for one exchange. Shown again it counts as leaked, and what it gave is revoked.
export CLIENT_ID={client_id}
{secret}CODE="${{CODE:-paste the code here}}"
{curl} --location {url} \\
{client} \\
--data grant_type=authorization_code \\
--data-urlencode "code=$CODE" \\
--data-urlencode {redirect_uri} \\
--data-urlencode {verifier}
"""

_CURL = {AuthMethod.POST: 'printf %s "$CLIENT_SECRET" | curl'}
_CLIENT = {
    AuthMethod.BASIC: '--user "$CLIENT_ID:$CLIENT_SECRET"',
    AuthMethod.POST: '--data-urlencode "client_id=$CLIENT_ID" \\\n--data-urlencode client_secret@-',
    AuthMethod.NONE: '--data-urlencode "client_id=$CLIENT_ID"',
}
"""By method, what curl is told of the client. The secret in the form comes by standard input: other users of the machine see arguments."""

_PYTHON = '''\
"""Exchange a code for an access token, and an access grant if a passphrase was typed: python3 exchange.py CODE

A code is good for one exchange. Shown again it counts as leaked, and what it gave is revoked.
"""

import base64
import json
import sys
import urllib.error
import urllib.parse
import urllib.request

CLIENT_ID = {client_id}
CLIENT_SECRET = {secret}  # to try it out; your own program reads it from the environment or a file

form = {{
    "grant_type": "authorization_code",
    "client_id": CLIENT_ID,
    "client_secret": CLIENT_SECRET,
    "redirect_uri": {redirect_uri},
    "code": sys.argv[1] if len(sys.argv) > 1 else "no code yet",
    "code_verifier": {verifier},
}}
# each is form-encoded before they are joined (RFC 6749 section 2.3.1)
basic = ":".join(urllib.parse.quote_plus(one) for one in (CLIENT_ID, CLIENT_SECRET))
headers = {{"Authorization": "Basic " + base64.b64encode(basic.encode()).decode()}}
request = urllib.request.Request({url}, urllib.parse.urlencode(form).encode(), headers)
try:
    with urllib.request.urlopen(request, timeout=30) as answer:
        print(json.dumps(json.load(answer), indent=4))
except urllib.error.HTTPError as refused:
    sys.exit(refused.read().decode())
'''

_IN_HEADER = ("import base64", "# each is form-encoded", "basic = ", "headers = ")
_IN_FORM = ('    "client_secret": ',)
_LEFT_OUT = {
    AuthMethod.BASIC: (*_IN_FORM, '    "client_id": '),
    AuthMethod.POST: _IN_HEADER,
    AuthMethod.NONE: (*_IN_HEADER, *_IN_FORM, "CLIENT_SECRET = "),
}
"""By method, how the lines of the program begin that it does without."""


def shell(one: Exchange, method: AuthMethod) -> str:
    """Commands for bash with curl. For HTTP Basic both values are form-encoded first (RFC 6749 section 2.3.1)."""
    coded = (lambda value: quote(value, safe="")) if method is AuthMethod.BASIC else str
    return _SHELL.format(
        client_id=shlex.quote(coded(one.client_id)),
        secret="" if method is AuthMethod.NONE else f"export CLIENT_SECRET={shlex.quote(coded(one.secret))}\n",
        curl=_CURL.get(method, "curl"),
        client=_CLIENT[method],
        url=shlex.quote(one.url),
        redirect_uri=shlex.quote(f"redirect_uri={one.redirect_uri}"),
        verifier=shlex.quote(f"code_verifier={one.verifier}"),
    )


def python(one: Exchange, method: AuthMethod) -> str:
    """A program that needs nothing but Python."""
    kept = [line for line in _PYTHON.splitlines() if not line.startswith(_LEFT_OUT[method])]
    text = "\n".join(kept).format(**one.as_literals())
    return (text if method is AuthMethod.BASIC else text.replace(".encode(), headers)", ".encode())")) + "\n"
