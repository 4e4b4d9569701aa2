"""What this process has read or written lately, so that an exchange need not ask again.

It may be out of date, because other processes change the same rows: a claim looks at all of it again, inside its transaction.
"""

from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import replace
from itertools import chain

from grantway.authorization.code import AuthorizationCode
from grantway.storage.statements import MOST_REMEMBERED
from grantway.tokens.token_request import KnownClient

MOST_CLIENTS = 10_000
MOST_CODES = 10_000


class Memory:
    """Implements `TokenMemory` of `grantway.tokens`. Without `codes` it remembers clients only.

    Of several workers each would have a part of the codes. On PostgreSQL some claims then went out at once and others a look-up later, in
    more and smaller batches, and that cost more than the look-ups that were saved.
    """

    def __init__(self, *, codes: bool = True) -> None:
        self._keeps_codes = codes
        # a plain dict would look for its first entry among all that were removed before it
        self._clients: OrderedDict[str, KnownClient] = OrderedDict()
        self._codes: OrderedDict[bytes, AuthorizationCode] = OrderedDict()

    def client(self, client_id: str) -> KnownClient | None:
        """The client with that client_id as it was known last, its `consumed_by` None."""
        return self._clients.get(client_id)

    def code(self, digest: bytes) -> AuthorizationCode | None:
        """The code with that digest as it was issued here."""
        return self._codes.get(digest)

    def keep_client(self, client_id: str, known: KnownClient) -> None:
        """Remember a client as it was just read; forget it when there is none any more."""
        self._clients.pop(client_id, None)  # and not only replaced: the one that was read last stands last
        said = known.client
        if said is None or _is_long(said.redirect_uris, said.scopes, said.required_scopes, (one.sealed for one in known.secrets)):
            return
        if len(self._clients) >= MOST_CLIENTS:
            self._clients.popitem(last=False)
        # `consumed_by` is of one JWT, not of the client
        self._clients[client_id] = known if known.consumed_by is None else replace(known, consumed_by=None)

    def keep_code(self, issued: AuthorizationCode) -> None:
        """Remember a code that was just stored, and forget those that have ended, as the oldest do first."""
        while self._codes:
            oldest = next(iter(self._codes.values()))
            if len(self._codes) < MOST_CODES and issued.issued_at < oldest.expires_at:
                break
            self._codes.popitem(last=False)
        if self._keeps_codes and not _is_long(issued.consent.scopes, issued.consent.rejected_scopes, (issued.sealed_opening or b"",)):
            self._codes[issued.digest] = issued

    def forget_code(self, digest: bytes) -> None:
        """Forget a code that somebody collects."""
        self._codes.pop(digest, None)


def _is_long(*lists: Iterable[str | bytes]) -> bool:
    return sum(map(len, chain(*lists))) > MOST_REMEMBERED
