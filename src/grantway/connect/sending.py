"""Carry one request to the server and its answer back, blocking or not.

Each takes `seconds` at most, whatever the server does; blocking, the system's look-up of the name comes on top.
"""

import asyncio
import functools
import socket
import ssl
import time

from grantway.connect.error import NoAnswerError
from grantway.connect.message import MAX_ANSWER, Outgoing, Reply, reply

_CHUNK = 64 * 1024


def send(request: Outgoing, seconds: float) -> Reply:
    """Send it and wait. NoAnswerError when no whole answer came in time."""
    try:
        return reply(_sent(request, time.monotonic() + seconds))
    except (OSError, ValueError) as error:  # TimeoutError is an OSError; ValueError: a name that is none
        raise _no_answer(error, seconds) from None


async def send_async(request: Outgoing, seconds: float) -> Reply:
    """The same without holding up the event loop (asyncio's)."""
    try:
        async with asyncio.timeout(seconds):
            return reply(await _sent_async(request, seconds))
    except (OSError, ValueError) as error:
        raise _no_answer(error, seconds) from None


def _sent(request: Outgoing, deadline: float) -> bytes:
    with _connected(request, deadline) as connection:
        connection.sendall(request.content)
        data = bytearray()
        while len(data) <= MAX_ANSWER:
            connection.settimeout(_left(deadline))
            if not (chunk := connection.recv(_CHUNK)):
                return bytes(data)
            data += chunk
    raise _too_long()


def _connected(request: Outgoing, deadline: float) -> socket.socket:
    """A connection to the first address that answers; each gets its share of the time that is left."""
    addresses = socket.getaddrinfo(request.host, request.port, type=socket.SOCK_STREAM)
    for position, (family, kind, protocol, _, address) in enumerate(addresses):
        connection = socket.socket(family, kind, protocol)
        try:
            connection.settimeout(_left(deadline) / (len(addresses) - position))
            connection.connect(address)
            connection.settimeout(_left(deadline))
            return _tls().wrap_socket(connection, server_hostname=request.host) if request.is_tls else connection
        except OSError as error:
            connection.close()
            # who answers with bad TLS is there: another address would hide what is wrong
            if isinstance(error, ssl.SSLError) or position + 1 == len(addresses):
                raise
    raise OSError("the name has no address")


async def _sent_async(request: Outgoing, seconds: float) -> bytes:
    reader, writer = await _connected_async(request, seconds)
    try:
        writer.write(request.content)
        data = bytearray()
        while len(data) <= MAX_ANSWER:
            if not (chunk := await reader.read(_CHUNK)):
                return bytes(data)
            data += chunk
    finally:
        writer.transport.abort()  # there is nothing left to say
    raise _too_long()


async def _connected_async(request: Outgoing, seconds: float) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    context, name = (_tls(), request.host) if request.is_tls else (None, None)
    found = await asyncio.get_running_loop().getaddrinfo(request.host, request.port, type=socket.SOCK_STREAM)
    for position, (_, _, _, _, address) in enumerate(found, 1):
        try:
            async with asyncio.timeout(seconds / len(found)):
                return await asyncio.open_connection(str(address[0]), request.port, ssl=context, server_hostname=name)
        except OSError as error:
            if isinstance(error, ssl.SSLError) or position == len(found):
                raise
    raise OSError("the name has no address")


@functools.cache
def _tls() -> ssl.SSLContext:
    """The system's authorities, or those of `SSL_CERT_FILE`; read once."""
    return ssl.create_default_context()


def _left(deadline: float) -> float:
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return left


def _too_long() -> NoAnswerError:
    return NoAnswerError("no_answer", f"the answer is longer than {MAX_ANSWER} bytes")


def _no_answer(error: Exception, seconds: float) -> NoAnswerError:
    """What went wrong, in words of ours; an SSL error's own reason is worth keeping."""
    if isinstance(error, TimeoutError):
        return NoAnswerError("no_answer", f"no answer within {seconds:g} s")
    if isinstance(error, ssl.SSLCertVerificationError):
        return NoAnswerError("no_answer", f"the server's certificate is not valid: {error.verify_message}")
    reason = getattr(error, "strerror", None) or type(error).__name__
    return NoAnswerError("no_answer", f"the server cannot be reached: {reason}")
