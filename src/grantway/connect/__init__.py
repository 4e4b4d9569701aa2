"""The library that an app imports: from the Connect button to an access grant, over the standard flow, with the secret kept at home.

    client = Client(issuer, client_id, client_secret, redirect_uri)
    asked = client.ask(["read", "list", bucket("photos")])   # keep asked.keep in the session, send the browser to asked.url
    access = client.exchange(url_that_was_called, kept)       # at the redirect URI, within 30 seconds
    client.revoke(access.api_key)                             # when it is needed no more

It knows the wire (docs/standard-flow.md) and nothing of the server, and needs no HTTP library (docs/decisions/0012).
"""

from grantway.access_grant import AccessGrant, SharePrefix
from grantway.connect.access import Access
from grantway.connect.allows import Allows, Place
from grantway.connect.asking import Asked
from grantway.connect.client import AsyncClient, Client
from grantway.connect.error import CallbackError, ConnectError, DeniedError, NoAnswerError, RefusedError
from grantway.connect.scope import bucket

__all__ = [
    "Access",
    "AccessGrant",
    "Allows",
    "Asked",
    "AsyncClient",
    "CallbackError",
    "Client",
    "ConnectError",
    "DeniedError",
    "NoAnswerError",
    "Place",
    "RefusedError",
    "SharePrefix",
    "bucket",
]
