"""PostgreSQL behind TLS: a real one, and what `sslmode` and `sslrootcert` in its URL ask of its certificate, as libpq has it."""

import asyncio
from pathlib import Path

import pytest
from tests.cli.doctoring import certificate
from tests.engines import postgres
from tests.tls_relay import tls_before

from grantway.oauth_error import UnavailableError
from grantway.storage.postgres import PostgresDatabase

SSL_REQUEST = (8).to_bytes(4) + (80877103).to_bytes(4)  # PostgreSQL's protocol, SSLRequest


async def greeting(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """The one message in the open: whether there is TLS."""
    assert await reader.readexactly(8) == SSL_REQUEST
    writer.write(b"S")


@pytest.mark.parametrize(
    ("mode", "host", "is_trusted", "answers"),
    [
        ("verify-full", "127.0.0.1", True, True),
        ("verify-full", "127.0.0.1", False, False),
        ("verify-full", "database.example", True, False),
        ("verify-ca", "database.example", True, True),
        ("require", "database.example", False, True),  # nobody listens, but anybody may answer
    ],
)
def test_a_database_behind_tls(mode: str, host: str, is_trusted: bool, answers: bool, tmp_path: Path) -> None:
    (tmp_path / "another").mkdir()
    _, another = certificate(tmp_path / "another")
    context, theirs = certificate(tmp_path, host=host)
    root = "" if mode == "require" else f"&sslrootcert={theirs if is_trusted else another}"

    async def story() -> None:
        async with tls_before(postgres().port, context, greeting) as port:
            url = postgres().new_database().replace(f":{postgres().port}/", f":{port}/")
            database = PostgresDatabase(f"{url}?sslmode={mode}{root}")
            try:
                if answers:
                    assert await database.one("SELECT 1") == [(1,)]
                    return
                with pytest.raises(UnavailableError):
                    await database.one("SELECT 1")
            finally:
                await database.close()

    asyncio.run(story())
