"""StorX's integration page: the link that an app makes to it, and the URL that a browser came to."""

from urllib.parse import parse_qsl, urlencode, urlsplit

import httpx
from tests.stories.running import REDIRECT_URI, App

PAGE = "/oauth2-integration"


def link(client: App, **changes: str | None) -> str:
    """What existing apps make: four parameters, scopes with commas between them."""
    parameters = {
        "client_id": client.client_id,
        "client_secret": client.jwt(),
        "redirect_uri": REDIRECT_URI,
        "scope": "read,write",
        **changes,
    }
    return f"{PAGE}?" + urlencode({name: value for name, value in parameters.items() if value is not None}, safe=",:/")


def url_of(answer: httpx.Response) -> dict[str, str]:
    return dict(parse_qsl(urlsplit(str(answer.url)).query))
