"""StorX's integration page: a JWT in the page's URL identifies the app there, and is worth nothing at the token endpoints from then on."""

import contextlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Protocol
from urllib.parse import urlencode

from grantway.authorization.request import AccessRequest
from grantway.authorization.use_cases import Decided
from grantway.clients import assertion, authentication, redirect_uri
from grantway.clients.assertion import UnreadableAssertionError
from grantway.clients.authentication import NotAuthenticated
from grantway.clients.client import Client
from grantway.oauth_error import TEMPORARILY_UNAVAILABLE, UnavailableError
from grantway.tokens.client_authentication import Authenticate
from grantway.tokens.token_request import Refused, TokenRequest
from grantway.tokens.use_cases import Tokens
from grantway.trail import Outcome, Trail

MOST_IN_A_URL = 4  # each costs a look-up and a commit, and no app has a reason to send two
"""Of the JWTs in one refused URL so many are looked at."""


class ExposureStorage(Protocol):
    """What the integration page asks of storage."""

    async def expose(self, assertion_digest: bytes, until: datetime) -> None:
        """Remember, durably when this returns, that no token request may use this assertion any more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Integration:
    """The verbs of the integration page. `in_redirect`: the access grant itself goes back to the app in the URL, instead of a code."""

    exposures: ExposureStorage
    authenticate: Authenticate
    tokens: Tokens
    issuer: str
    in_redirect: bool

    async def identify(self, client_id: str, client_secret: str, now: datetime) -> Client | Refused:
        """The client that a JWT from a URL identifies. Whatever is answered, a JWT that is signed right is used up for all else."""
        request = TokenRequest(client_id=client_id, client_secret=client_secret, redirect_uri=None, code="", is_in_url=True)
        judged = await self.authenticate(request, now)
        # one that is not signed with a live secret is worth nothing at the token endpoints anyway
        if _is_signed(judged.trail):
            read = assertion.read(client_secret)
            if (ends := authentication.numeric_date(read.claims.get("exp"))) is not None:
                await self.exposures.expose(read.digest, ends)
        return Refused(judged.error, judged.trail) if isinstance(judged, NotAuthenticated) else judged.client

    async def expose(self, presented: Iterable[str], now: datetime) -> None:
        """Use up the JWTs that stood in a URL which was refused: each that its own `client_id` signed, wherever it was in the URL."""
        for text in islice(dict.fromkeys(one.strip() for one in presented), MOST_IN_A_URL):
            with contextlib.suppress(UnreadableAssertionError):
                claimed = assertion.read(text).claims.get("client_id")
                await self.identify(claimed if isinstance(claimed, str) else "", text, now)

    def gives_at_once(self, request: AccessRequest) -> bool:
        """Whether the app gets the access grant itself, in the redirect, with no exchange at which it could bring a passphrase."""
        return self.in_redirect and request.is_from_integration

    async def finish(self, decided: Decided, now: datetime, trace_id: str) -> str:
        """Where to send the person after a decision: as decided, or, where the operator wants it so, with the access grant itself."""
        if decided.code is None or not self.gives_at_once(decided.request):
            return decided.redirect_uri
        asked = decided.request
        request = TokenRequest(
            client_id=asked.client.client_id,
            client_secret="",
            redirect_uri=asked.redirect_uri,
            code=decided.code,
            passphrase="",
            trace_id=trace_id,
        )
        try:
            outcome = await self.tokens.exchange_for(asked.client, request, now)
        except UnavailableError:
            # the decision is stored and cannot be taken again: the app hears that it came to nothing
            outcome = Refused(TEMPORARILY_UNAVAILABLE, Trail())
        said = {"error": outcome.error.code} if isinstance(outcome, Refused) else {"access_grant": outcome.access_grant or ""}
        state = {} if asked.state is None else {"state": asked.state}
        return redirect_uri.with_parameters(asked.redirect_uri, urlencode({**said, **state, "iss": self.issuer}))


def _is_signed(trail: Trail) -> bool:
    return any(check.name == "signature_valid" and check.outcome is Outcome.PASSED for check in trail.checks)
