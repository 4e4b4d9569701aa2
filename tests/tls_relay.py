"""TLS in front of a real server whose wheel speaks none: a relay on a port of its own."""

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable

Greeting = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
"""What is said in the open before TLS begins."""


async def no_greeting(_reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
    """TLS begins at once."""


@contextlib.asynccontextmanager
async def tls_before(port: int, context: ssl.SSLContext, greeting: Greeting = no_greeting) -> AsyncIterator[int]:
    """The port on 127.0.0.1 at which what listens on `port` is reached over TLS."""

    async def relay(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            await greeting(reader, writer)
            await writer.start_tls(context)
            theirs, ours = await asyncio.open_connection("127.0.0.1", port)
            await asyncio.gather(_carry(reader, ours), _carry(theirs, writer))
        writer.close()

    async with await asyncio.start_server(relay, "127.0.0.1", 0) as server:
        yield server.sockets[0].getsockname()[1]


async def _carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(65536):
        writer.write(data)
    writer.close()
