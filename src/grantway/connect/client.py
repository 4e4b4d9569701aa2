"""The app's side as one object: ask, exchange, revoke. `Client` blocks, `AsyncClient` is for asyncio; all but the sending is the same."""

import secrets
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime

from grantway.connect import answer, asking, forms
from grantway.connect.access import Access
from grantway.connect.asking import Asked
from grantway.connect.callback import code_of
from grantway.connect.message import Outgoing, post
from grantway.connect.registration import Registration
from grantway.connect.sending import send, send_async

TIMEOUT_SECONDS = 10.0
LONGEST_TIMEOUT_SECONDS = 3600


class _App:
    """What both have in common. Nothing changes after it was made, so one serves all threads and tasks of an app."""

    def __init__(
        self, issuer: str, client_id: str, client_secret: str | None, redirect_uri: str, *, timeout: float = TIMEOUT_SECONDS
    ) -> None:
        """`client_secret` is None for a public client. A request takes `timeout` seconds at most. ValueError for what cannot be."""
        self._registration = Registration(issuer, client_id, client_secret, redirect_uri)
        if not 0 < timeout <= LONGEST_TIMEOUT_SECONDS:
            raise ValueError(f"the timeout must be above 0 and at most {LONGEST_TIMEOUT_SECONDS} seconds")
        self._timeout = timeout

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._registration!r})"

    def ask(self, scopes: str | Iterable[str]) -> Asked:
        """Begin: the URL for the browser, and what this browser's session must keep. ValueError for scopes that cannot be sent."""
        return asking.asked(self._registration, scopes, secrets.token_bytes(2 * asking.RANDOM_BYTES))

    def _exchange(self, callback: str, keep: Mapping[str, str] | None, passphrase: str | None, now: datetime) -> "_Step":
        registration = self._registration
        code, verifier = code_of(callback, keep, registration.issuer)
        form = forms.exchange(registration, code, verifier, passphrase, now, secrets.token_bytes(forms.NONCE_BYTES))
        return self._step(forms.TOKEN_PATH, form)

    def _revocation(self, token: str) -> "_Step":
        form = forms.revocation(self._registration, token, datetime.now(UTC), secrets.token_bytes(forms.NONCE_BYTES))
        return self._step(forms.REVOCATION_PATH, form)

    def _step(self, path: str, form: forms.Form) -> "_Step":
        hidden = [form[name] for name in _HIDDEN if name in form]
        return post(self._registration.issuer + path, form), [*hidden, self._registration.client_secret or ""]


_Step = tuple[Outgoing, list[str]]
"""A request, and what no error may repeat of it."""
_HIDDEN = ("code", "code_verifier", "client_assertion", "passphrase", "token")


class Client(_App):
    """An app at a Grantway, for code that blocks: Flask, Django, scripts, threads."""

    def exchange(self, callback: str, keep: Mapping[str, str] | None, passphrase: str | None = None) -> Access:
        """Finish: what the browser came back with becomes an access.

        `callback` is the URL that was called, or its query; `keep` is what `ask` gave, taken out of the session, so that it serves once.
        `passphrase` opens the person's files where they gave none on the consent page; it is used once and not kept by the server.
        Raises DeniedError, CallbackError, RefusedError or NoAnswerError, all of them ConnectError. A code lives for 30 seconds.
        """
        # before it is sent: `expires_at` is rather too early than too late
        now = datetime.now(UTC)
        request, hidden = self._exchange(callback, keep, passphrase, now)
        return answer.access(send(request, self._timeout), now, hidden)

    def revoke(self, token: str) -> None:
        """Give an API key or an access grant back: it is dead then, with all that was made from it. Raises as `exchange` does."""
        request, hidden = self._revocation(token)
        answer.nothing(send(request, self._timeout), hidden)


class AsyncClient(_App):
    """An app at a Grantway, for asyncio: Starlette, FastAPI, aiohttp."""

    async def exchange(self, callback: str, keep: Mapping[str, str] | None, passphrase: str | None = None) -> Access:
        """As `Client.exchange`."""
        now = datetime.now(UTC)
        request, hidden = self._exchange(callback, keep, passphrase, now)
        return answer.access(await send_async(request, self._timeout), now, hidden)

    async def revoke(self, token: str) -> None:
        """As `Client.revoke`."""
        request, hidden = self._revocation(token)
        answer.nothing(await send_async(request, self._timeout), hidden)
