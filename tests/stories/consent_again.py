"""The consent page that comes again: what it must show, and what shows that nothing was decided."""

import re
from html import unescape

import httpx
from tests.stories.running import Server

CONSENT = "/oauth2/consent"
TYPED = "open sesame, but only once"


def answered(server: Server) -> int:
    """How many requests have been answered, in any way."""
    found: int = server.rows("SELECT count(*) FROM requests WHERE status <> 'pending'")[0][0]
    return found


def field(page: httpx.Response, name: str) -> str:
    """The element `name` of the page as it is written."""
    found = re.findall(rf'<input id="{name}"[^>]*>', page.text)
    assert len(found) == 1
    return str(found[0])


def is_again(page: httpx.Response, *sentences: str) -> None:
    """It is the consent page once more, with what is wrong, and as safe as the first time."""
    assert (page.status_code, "location" in page.headers) == (400, False)
    text = unescape(page.text)
    for sentence in ("Nothing is decided yet", "to use your storage?", *sentences):
        assert sentence in text, sentence
    assert "form-action 'self' https://myapp.com;" in page.headers["content-security-policy"]
    assert "frame-ancestors 'none'" in page.headers["content-security-policy"]
    assert (page.headers["x-frame-options"], page.headers["cache-control"]) == ("DENY", "no-store")
