"""What the web calls: the use cases and the few facts of this server that answers depend on."""

import functools
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime
from urllib.parse import urlsplit

from grantway.accounts.use_cases import Accounts, Projects
from grantway.authorization.taking_back import GivenAccess
from grantway.authorization.use_cases import Authorization
from grantway.clients.use_cases import Clients
from grantway.diagnosis.use_cases import Diagnosis
from grantway.tokens.integration import Integration
from grantway.tokens.introspection import Introspection
from grantway.tokens.use_cases import Tokens
from grantway.web.admission import Admission
from grantway.web.metrics import Metrics
from grantway.web.rate_limits import RateLimits
from grantway.web.sign_in_limits import SignInLimits


@dataclass(frozen=True, slots=True, kw_only=True)
class House:
    """Everything that a handler may reach."""

    accounts: Accounts
    projects: Projects
    clients: Clients
    authorization: Authorization
    given_access: GivenAccess
    tokens: Tokens
    introspection: Introspection
    integration: Integration
    diagnosis: Diagnosis
    admission: Admission
    rate_limits: RateLimits
    sign_in_limits: SignInLimits
    browser_keys: Callable[[], tuple[bytes, ...]] = field(repr=False)
    """What signs marks and the cookies of browsers that signed in before: the first signs, all are good."""
    metrics: Metrics
    metrics_token: str = field(repr=False)
    introspection_token: str = field(repr=False)
    issuer: str
    clock: Callable[[], datetime]
    new_trace_id: Callable[[datetime], str]
    new_visitor: Callable[[], str]
    is_ready: Callable[[], Awaitable[bool]]

    @property
    def origin(self) -> str:
        """The issuer's origin as a browser sends it in `Origin` from our own pages, however the issuer is written (RFC 6454)."""
        return _origin(self.issuer)

    @property
    def is_https(self) -> bool:
        """Whether cookies may only travel encrypted."""
        return self.origin.startswith("https://")


_USUAL_PORT = {"http": 80, "https": 443}


@functools.lru_cache(4)
def _origin(issuer: str) -> str:
    """In lower case, and without the port that its scheme has anyway (RFC 6454 section 6.1)."""
    parts = urlsplit(issuer)
    host = parts.hostname or ""
    port = "" if parts.port in {None, _USUAL_PORT[parts.scheme]} else f":{parts.port}"
    return f"{parts.scheme}://{f'[{host}]' if ':' in host else host}{port}"
