"""Known and unknown clients cost the same: as many secrets, unsealed at the first request and remembered for the next."""

import secrets
from datetime import UTC, datetime, timedelta

import pytest

from grantway.clients import secret
from grantway.clients.authentication import TRIED_SECRETS
from grantway.clients.secret import ClientSecret
from grantway.oauth_error import UnavailableError
from grantway.sealing import Sealing
from grantway.tokens.live_secrets import LiveSecrets

NOW = datetime(2026, 1, 31, 12, tzinfo=UTC)
SEALING = Sealing.under(b"k" * 32)


def stored(version: int, text: str, live_until: datetime | None = None) -> ClientSecret:
    made = secret.sealed(SEALING, "row", version, text, secrets.token_bytes(12))
    return ClientSecret(version=made.version, sealed=made.sealed, live_until=live_until)


def unsealed_by(secrets_of: LiveSecrets) -> int:
    return secrets_of._remembered.cache_info().misses


def test_the_live_ones_and_then_nobodys() -> None:
    live = LiveSecrets(SEALING, secrets.token_bytes)
    kept = [stored(3, "third"), stored(2, "second", NOW + timedelta(hours=1)), stored(1, "first", NOW - timedelta(hours=1))]
    assert [(one.version, one.key) for one in live.of("c", "row", kept, NOW)] == [(3, b"third"), (2, b"second")]
    later = live.of("c", "row", kept, NOW + timedelta(hours=2))
    assert [one.version for one in later] == [3, None]
    assert [one.version for one in live.of("nobody", "", [], NOW)] == [None] * TRIED_SECRETS


def test_each_claimed_id_is_unsealed_for_once_known_or_not() -> None:
    live = LiveSecrets(SEALING, secrets.token_bytes)
    kept = [stored(1, "first")]
    live.of("known", "row", kept, NOW)
    for_known = unsealed_by(live)
    live.of("unknown", "", [], NOW)
    for_unknown = unsealed_by(live) - for_known
    assert for_known == for_unknown == TRIED_SECRETS
    live.of("known", "row", kept, NOW)
    live.of("unknown", "", [], NOW)
    assert unsealed_by(live) == for_known + for_unknown


def test_a_broken_one_is_a_fault_of_ours() -> None:
    broken = ClientSecret(version=1, sealed=secrets.token_bytes(60), live_until=None)
    with pytest.raises(UnavailableError):
        LiveSecrets(SEALING, secrets.token_bytes).of("c", "row", [broken], NOW)
