"""The wiring of the house: use cases over what is stored, and the few facts that answers depend on."""

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from grantway import limits, record_id, secret_token
from grantway.accounts.use_cases import Accounts, Projects
from grantway.argon2_queue import Argon2Queue
from grantway.authorization.taking_back import GivenAccess
from grantway.authorization.use_cases import Authorization
from grantway.clients.use_cases import Clients
from grantway.config import Config
from grantway.diagnosis.use_cases import Diagnosis
from grantway.master_key import KeyRing
from grantway.nonces import Nonces
from grantway.satellite.embedded import EmbeddedSatellite
from grantway.storage import accounts, ancestry, clients, consents, exposures, findings, given_access, memory, tokens
from grantway.storage.database import Database
from grantway.storage.sealing_check import Seals
from grantway.tokens.client_authentication import ClientAuthentication
from grantway.tokens.collecting import Collecting
from grantway.tokens.integration import Integration
from grantway.tokens.introspection import Introspection
from grantway.tokens.live_secrets import LiveSecrets
from grantway.tokens.root_keys import RootKeys
from grantway.tokens.use_cases import Tokens
from grantway.web import known_browser, standard, token
from grantway.web.admission import Admission
from grantway.web.counts import Counts
from grantway.web.house import House
from grantway.web.metrics import Metrics
from grantway.web.rate_limits import RateLimits
from grantway.web.shared_limits import SharedLimits
from grantway.web.sign_in_limits import SignInLimits


@dataclass(frozen=True, slots=True)
class Ground:
    """What a house stands on: the settings, and all that was opened before it."""

    config: Config
    database: Database
    master_key: KeyRing
    seals: Seals
    satellite: EmbeddedSatellite
    argon2: Argon2Queue
    admission: Admission
    metrics: Metrics
    clock: Callable[[], datetime]
    counts: Counts
    shared: SharedLimits | None
    """Limits of all processes together; None for a process that counts alone."""


def built(on: Ground) -> House:
    """The house, ready to answer."""
    config, database, random, nonces = on.config, on.database, secrets.token_bytes, Nonces()
    people = accounts.Accounts(database, on.seals)
    projects = Projects(people, on.satellite, random)
    remembered, root_keys = _memory(config), RootKeys(on.argon2)
    allowed = consents.Consents(database, remembered)
    found = findings.Findings(database)
    exchange, introspection, integration = _for_apps(on, remembered, root_keys, nonces)
    return House(
        accounts=Accounts(people, people, projects, on.argon2, random),
        projects=projects,
        clients=Clients(clients.Clients(database, on.seals), on.seals.sealing, random),
        authorization=Authorization(allowed, allowed, people, on.satellite, root_keys, random, config.issuer_url),
        given_access=GivenAccess(given_access.GivenAccess(database)),
        tokens=exchange,
        introspection=introspection,
        integration=integration,
        diagnosis=Diagnosis(found, found, on.seals.sealing, _audiences(config), on.metrics.found, on.metrics.lost),
        metrics=on.metrics,
        metrics_token=config.metrics_token,
        introspection_token=config.introspection_token,
        admission=on.admission,
        rate_limits=RateLimits(limits.figures(config), on.counts),
        sign_in_limits=SignInLimits(limits.sign_in_figures(config), on.shared),
        # asked for each time: the master key may be rotated meanwhile
        browser_keys=lambda: tuple(map(known_browser.key_from, on.master_key.current())),
        issuer=config.issuer_url,
        clock=on.clock,
        new_trace_id=lambda now: record_id.trace_id(now, nonces(record_id.TRACE_RANDOM_BYTES)),
        new_visitor=lambda: secret_token.make(secret_token.Kind.VISITOR, random(secret_token.RANDOM_BYTES)),
        is_ready=database.answers,
    )


def _for_apps(on: Ground, remembered: memory.Memory, root_keys: RootKeys, nonces: Nonces) -> tuple[Tokens, Introspection, Integration]:
    """What an app calls, and says each time which one it is."""
    records = tokens.Tokens(on.database, remembered)
    # neither draws anything that is secret: `nonces` will do
    authentication = ClientAuthentication(records, LiveSecrets(on.seals.sealing, secrets.token_bytes), nonces, _audiences(on.config))
    exchange = Tokens(records, remembered, on.satellite, authentication, Collecting(records, on.satellite, root_keys, nonces))
    introspection = Introspection(ancestry.Ancestries(on.database), on.satellite, authentication.authenticate)
    integration = Integration(
        exposures=exposures.Exposures(on.database),
        authenticate=authentication.authenticate,
        tokens=exchange,
        issuer=on.config.issuer_url,
        in_redirect=on.config.access_grant_in_redirect,
    )
    return exchange, introspection, integration


def _memory(config: Config) -> memory.Memory:
    # workers on PostgreSQL claim in fewer, larger batches without (decision 0022)
    return memory.Memory(codes=config.workers == 1 or not config.database)


def _audiences(config: Config) -> frozenset[str]:
    """Whom a JWT may say that it is for: the issuer, or either token endpoint (contract, section 1; RFC 7523)."""
    issuer = config.issuer_url
    return frozenset({issuer, issuer + token.PATH, issuer + standard.TOKEN_PATH})
