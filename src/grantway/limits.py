"""The wiring of limits: their figures, and where requests are counted: here alone, in the database, or in a cache."""

import asyncio
import contextlib
import secrets
from collections.abc import AsyncIterator

from grantway.config import Config
from grantway.master_key import KeyRing
from grantway.storage import rate_counts
from grantway.storage.database import Database
from grantway.web import shared_limits
from grantway.web.counts import Counts
from grantway.web.metrics import Metrics
from grantway.web.rate_limits import Figures
from grantway.web.shared_limits import LimitStore, SharedLimits
from grantway.web.sign_in_limits import SignInFigures


def store(config: Config, database: Database, *, is_worker: bool) -> LimitStore | None:
    """Where all processes count together; None for a process that has its database for itself, and where nothing is limited."""
    if not config.rate_limits:
        return None
    # totals are told by process: no two may have one name, on whatever host (decision 0020)
    process = secrets.token_bytes(8)
    if config.cache:
        from grantway.cache import CachedCounts  # noqa: PLC0415 - who has no cache need not load its client

        return CachedCounts(config.cache, process)
    is_alone = not is_worker and not config.database
    return None if is_alone else rate_counts.RateCounts(database, process)


@contextlib.asynccontextmanager
async def counting(where: LimitStore | None, key: KeyRing, metrics: Metrics) -> AsyncIterator[tuple[Counts, SharedLimits | None]]:
    """While this is open, what is counted here and elsewhere comes together."""
    if where is None:
        yield Counts(), None
        return
    shared = SharedLimits(where, lambda: shared_limits.key_from(key.current()[0]), metrics.limits_shared)
    counts = Counts(shared)
    task = asyncio.create_task(counts.run())
    try:
        yield counts, shared
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
        await where.close()


def figures(config: Config) -> Figures | None:
    """How many requests are let through; None where limits are off."""
    if not config.rate_limits:
        return None
    return Figures(
        token_requests=config.token_requests_per_minute,
        sign_ins=config.sign_ins_per_minute,
        registrations=config.registrations_per_hour,
        failed_authentications=config.failed_authentications_per_minute,
        changes=config.changes_per_minute,
    )


def sign_in_figures(config: Config) -> SignInFigures | None:
    """How many failed sign-ins are; None where limits are off."""
    if not config.rate_limits:
        return None
    return SignInFigures(from_one_place=config.failed_sign_ins_per_hour, together=config.failed_sign_ins_together_per_hour)
