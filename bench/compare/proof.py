"""Does a side do the work at all? Asked before it is measured: what must be refused, and two things that not all refuse."""

import contextlib
import json
import socket
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from bench.compare.side import Credentials, Running
from bench.load import LoadError, answer_of, refusal

AT_ONCE, TRIES = 16, 5
REFUSALS = (400, 401)


@dataclass(frozen=True, slots=True)
class Proved:
    """What a side makes of a JWT sent again with another code (None: it takes no JWTs), and of one code sent 16 times at once."""

    refuses_replayed_jwt: bool | None
    most_tokens_for_one_code: int


def ask(port: int, request: bytes) -> tuple[int, bytes]:
    """One request on a connection of its own; status and body."""
    with socket.create_connection(("127.0.0.1", port), timeout=60) as connection:
        connection.sendall(request)
        received = b""
        while (answer := answer_of(received)) is None:
            more = connection.recv(65536)
            if not more:
                raise LoadError("the server closed the connection")
            received += more
        return answer


def _token(side: Running, code: str, credentials: Credentials | None = None) -> str:
    status, body = ask(side.server.port, side.exchange(code, credentials=credentials))
    if status != 200:
        raise LoadError(f"an exchange that should work: {refusal(status, body)}")
    answer = json.loads(body)
    if side.beside and not answer.get(side.beside):
        raise LoadError(f"an exchange that should answer with {side.beside}, too")
    return str(answer[side.field])


def _must_refuse(what: str, answer: tuple[int, bytes]) -> None:
    if answer[0] not in REFUSALS:
        raise LoadError(f"{what} should be refused, and was answered with {answer[0]}")


def _active(side: Running, token: str) -> bool:
    status, body = ask(side.introspection_port, side.introspect(token))
    if status != 200:
        raise LoadError(f"an introspection: {refusal(status, body)}")
    return bool(json.loads(body)["active"])


def _check_refusals(side: Running) -> None:
    """A used code, another verifier, another key."""
    port, (used, fresh, other) = side.server.port, side.codes(3)
    _token(side, used)
    _must_refuse("a used code", ask(port, side.exchange(used)))
    _must_refuse("a wrong code_verifier", ask(port, side.exchange(fresh, verifier="x" * 64)))
    _must_refuse("a client with another key", ask(port, side.exchange(other, credentials=side.client.impostor().prove())))


def _check_a_tokens_life(side: Running) -> None:
    """Alive after the exchange, dead after its revocation; another lives on."""
    ended, kept = (_token(side, code) for code in side.codes(2))
    if not _active(side, ended):
        raise LoadError("a new token is said to be inactive")
    status, body = ask(side.server.port, side.revoke(ended))
    if status != 200:
        raise LoadError(f"a revocation: {refusal(status, body)}")
    if _active(side, ended) or not _active(side, kept):
        raise LoadError("after one token's revocation it lives, or another is dead")


def _refuses_replayed_jwt(side: Running) -> bool | None:
    credentials = side.client.prove()
    if not credentials.fields:
        return None
    first, second = side.codes(2)
    _token(side, first, credentials)
    return ask(side.server.port, side.exchange(second, credentials=credentials))[0] in REFUSALS


def _tokens_for_one_code(side: Running) -> int:
    """How many different tokens 16 requests with one code got, each with credentials of its own."""
    [code] = side.codes(1)
    requests = [side.exchange(code) for _ in range(AT_ONCE)]

    def token(request: bytes) -> str | None:
        # A server that breaks off or fails has at least given nothing.
        with contextlib.suppress(LoadError, OSError):
            status, body = ask(side.server.port, request)
            return str(json.loads(body)[side.field]) if status == 200 else None
        return None

    with ThreadPoolExecutor(AT_ONCE) as pool:
        return len(set(pool.map(token, requests)) - {None})


def prove(side: Running) -> Proved:
    """LoadError unless used codes, wrong verifiers, wrong keys and revoked tokens are refused."""
    _check_refusals(side)
    _check_a_tokens_life(side)
    return Proved(_refuses_replayed_jwt(side), max(_tokens_for_one_code(side) for _ in range(TRIES)))
