"""A server that does nothing: one fixed answer to whatever arrives, to find the load generator's own ceiling."""

import asyncio
import signal
import sys
from typing import cast

import uvloop

from bench.load import HEAD_END

BODY = b'{"access_grant": "' + b"1" * 500 + b'", "scopes": ["read"], "expires_in": 3600}'
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(BODY) + BODY


class Canned(asyncio.Protocol):
    """Answers as soon as a request's head and 700 bytes of body are there, or a head alone when it is a GET."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin with nothing received."""
        # uvloop's transports are not subclasses of asyncio's.
        self._transport = cast("asyncio.Transport", transport)
        self._received = b""

    def data_received(self, data: bytes) -> None:
        """Answer once the request is whole."""
        self._received += data
        head_end = self._received.find(HEAD_END)
        if head_end >= 0 and (self._received.startswith(b"GET") or len(self._received) >= head_end + len(HEAD_END) + 700):
            self._received = b""
            self._transport.write(ANSWER)


async def serve(port: int) -> None:
    loop = asyncio.get_running_loop()
    stopped = asyncio.Event()
    loop.add_signal_handler(signal.SIGTERM, stopped.set)
    server = await loop.create_server(Canned, "127.0.0.1", port)
    await stopped.wait()
    server.close()


if __name__ == "__main__":
    uvloop.run(serve(int(sys.argv[1])))
