"""A cache behind TLS (`rediss://`): a real Valkey, whose certificate must be trusted and be for its host."""

import asyncio
from pathlib import Path

import pytest
from tests.cli.doctoring import certificate
from tests.tls_relay import tls_before
from tests.valkey_server import Cache, caching, needs_valkey

from grantway.cache import CachedCounts
from grantway.oauth_error import UnavailableError

LATER = 4_000_000_020


async def counted(url: str) -> list[int]:
    counts = CachedCounts(url, b"a process")
    try:
        return await counts.exchange([(b"key", 3, LATER)])
    finally:
        await counts.close()


@needs_valkey
@pytest.mark.parametrize("scheme", ["rediss", "valkeys"])
@pytest.mark.parametrize(
    ("host", "is_trusted", "said"),
    [
        ("127.0.0.1", True, ""),
        ("127.0.0.1", False, "certificate not accepted, self-signed certificate"),
        ("cache.example", True, "certificate not accepted, IP address mismatch"),
    ],
)
def test_a_cache_behind_tls(scheme: str, host: str, is_trusted: bool, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    context, trusted = certificate(tmp_path, host=host)
    if is_trusted:
        monkeypatch.setenv("SSL_CERT_FILE", str(trusted))

    async def story(cache: Cache) -> None:
        async with tls_before(cache.port, context) as port:
            url = cache.url.replace("redis://", f"{scheme}://").replace(f":{cache.port}", f":{port}")
            if not said:
                assert await counted(url) == [3]
                return
            with pytest.raises(UnavailableError) as refused:
                await counted(url)
            assert f"the cache does not answer: {said}" in str(refused.value)

    with caching() as cache:
        asyncio.run(story(cache))
