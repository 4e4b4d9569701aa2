"""The wiring, no logic: config → storage → use cases → routes."""

import asyncio
import contextlib
import secrets
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from grantway import master_key, record_id, secret_token
from grantway.accounts.use_cases import Accounts, Projects
from grantway.argon2_queue import Argon2Queue
from grantway.authorization.use_cases import Authorization
from grantway.clients.self_test import SelfTest
from grantway.clients.use_cases import Clients
from grantway.config import Config
from grantway.diagnosis.use_cases import Diagnosis
from grantway.master_key import MasterKey
from grantway.satellite import embedded
from grantway.satellite.embedded import EmbeddedSatellite
from grantway.sealing import Sealing
from grantway.storage import (
    accounts,
    ancestry,
    clients,
    consents,
    exposures,
    findings,
    housekeeping,
    migrate,
    satellite,
    sealing_check,
    tokens,
)
from grantway.storage.database import Database
from grantway.storage.sqlite import FILE_NAME, SqliteDatabase
from grantway.tokens.integration import Integration
from grantway.tokens.introspection import Introspection
from grantway.tokens.live_secrets import LiveSecrets
from grantway.tokens.root_keys import RootKeys
from grantway.tokens.use_cases import Tokens
from grantway.web import known_browser, routes, standard, token
from grantway.web.admission import Admission
from grantway.web.house import House
from grantway.web.metrics import Metrics
from grantway.web.rate_limits import Figures, RateLimits
from grantway.web.sign_in_limits import SignInFigures, SignInLimits


def utc_now() -> datetime:
    """The one clock of a real server."""
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Grantway:
    """A whole server, but for HTTP: what the web and the command line call."""

    config: Config
    house: House
    self_test: SelfTest
    satellite: EmbeddedSatellite
    database: Database
    argon2: Argon2Queue
    master_key: MasterKey
    schema: int
    is_first_start: bool

    def asgi(self) -> routes.App:
        """The ASGI app."""
        return routes.App(self.house)

    async def tidy(self, now: datetime) -> None:
        """Remove all that has ended, batch by batch, unless another process is at it. UnavailableError: the rest is for the next time."""
        config = self.config
        kept = housekeeping.Kept(
            findings=timedelta(days=config.findings_days),
            history=timedelta(days=config.history_days),
            audit=timedelta(days=config.audit_days),
        )
        await housekeeping.tidy(self.database, kept, now)


@contextlib.asynccontextmanager
async def opened(config: Config, clock: Callable[[], datetime] = utc_now) -> AsyncIterator[Grantway]:
    """Everything wired over the data folder, which is made at first start; closed in order at the end.

    MasterKeyError, NewerDatabaseError: the folder cannot be used as it is.
    """
    config.data.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = config.data / FILE_NAME
    is_first_start = not path.exists()
    key = master_key.load(config.data, config.master_key, database_exists=not is_first_start)
    schema = migrate.upgrade(path)
    argon2 = Argon2Queue(config.argon2_threads, config.argon2_waiting)
    admission = Admission(config.requests_at_once)
    metrics = Metrics(lambda: argon2.length, lambda: admission.in_progress)
    database = SqliteDatabase(path, metrics.committed)
    try:
        sealing = Sealing.under(key.key)
        await sealing_check.check(database, sealing, secrets.token_bytes)
        sat = await _satellite(config, database, sealing, clock)
        house = _house(config, database, key, sealing, sat, argon2, admission, metrics, clock)
        async with _diagnosing(house.diagnosis):
            yield Grantway(
                config=config,
                house=house,
                self_test=SelfTest(clients.Clients(database), sealing, secrets.token_bytes),
                satellite=sat,
                database=database,
                argon2=argon2,
                master_key=key,
                schema=schema,
                is_first_start=is_first_start,
            )
    finally:
        argon2.close()
        await database.close()


@contextlib.asynccontextmanager
async def _diagnosing(diagnosis: Diagnosis) -> AsyncIterator[None]:
    """While this is open, findings are made of what is recorded; at the end, of what is left."""
    task = asyncio.create_task(diagnosis.run())
    try:
        yield
    finally:
        diagnosis.close()
        await task


async def _satellite(config: Config, database: Database, sealing: Sealing, clock: Callable[[], datetime]) -> EmbeddedSatellite:
    records = satellite.SatelliteRecords(database)
    address = await embedded.address(records, sealing, secrets.token_bytes, config.satellite_host, clock())
    return EmbeddedSatellite(records, sealing, secrets.token_bytes, address)


def _house(
    config: Config,
    database: Database,
    key: MasterKey,
    sealing: Sealing,
    sat: EmbeddedSatellite,
    argon2: Argon2Queue,
    admission: Admission,
    metrics: Metrics,
    clock: Callable[[], datetime],
) -> House:
    random = secrets.token_bytes
    people = accounts.Accounts(database)
    projects = Projects(people, sat, random)
    allowed = consents.Consents(database)
    issuer = config.issuer_url
    root_keys = RootKeys(argon2)
    audiences = frozenset({issuer, issuer + token.PATH, issuer + standard.TOKEN_PATH})
    found = findings.Findings(database)
    exchange = Tokens(tokens.Tokens(database), sat, root_keys, LiveSecrets(sealing, random), random, audiences)
    return House(
        accounts=Accounts(people, people, projects, argon2, random),
        projects=projects,
        clients=Clients(clients.Clients(database), sealing, random),
        authorization=Authorization(allowed, allowed, people, sat, root_keys, random, issuer),
        tokens=exchange,
        introspection=Introspection(ancestry.Ancestries(database), sat, exchange.authenticate),
        integration=Integration(
            exposures=exposures.Exposures(database), tokens=exchange, issuer=issuer, in_redirect=config.access_grant_in_redirect
        ),
        diagnosis=Diagnosis(found, found, sealing, audiences, metrics.found, metrics.lost),
        metrics=metrics,
        metrics_token=config.metrics_token,
        introspection_token=config.introspection_token,
        admission=admission,
        rate_limits=RateLimits(_figures(config)),
        sign_in_limits=SignInLimits(_sign_in_figures(config)),
        browser_key=known_browser.key_from(key.key),
        issuer=issuer,
        clock=clock,
        new_trace_id=lambda: record_id.trace_id(clock(), random(record_id.TRACE_RANDOM_BYTES)),
        new_visitor=lambda: secret_token.make(secret_token.Kind.VISITOR, random(secret_token.RANDOM_BYTES)),
        is_ready=database.answers,
    )


def _figures(config: Config) -> Figures | None:
    if not config.rate_limits:
        return None
    return Figures(
        token_requests=config.token_requests_per_minute,
        sign_ins=config.sign_ins_per_minute,
        registrations=config.registrations_per_hour,
        failed_authentications=config.failed_authentications_per_minute,
    )


def _sign_in_figures(config: Config) -> SignInFigures | None:
    if not config.rate_limits:
        return None
    return SignInFigures(from_one_place=config.failed_sign_ins_per_hour, together=config.failed_sign_ins_together_per_hour)
