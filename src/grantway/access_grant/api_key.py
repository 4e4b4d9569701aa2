"""API keys: a macaroon whose holder can narrow it offline, and whose satellite can tell (format page, sections 3 and 10)."""

import hmac
from dataclasses import dataclass, field
from typing import Self

from grantway.access_grant import base58, macaroon
from grantway.access_grant.caveat import Caveat
from grantway.access_grant.errors import Malformed


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiKey:
    """`head` names the key at its satellite; `caveats` are kept verbatim, as tails depend on them; `tail` is the secret half."""

    head: bytes = field(repr=False)
    caveats: tuple[bytes, ...] = field(repr=False)
    tail: bytes = field(repr=False)

    @classmethod
    def new(cls, secret: bytes, head: bytes) -> Self:
        """Make a root key. Satellites use 32 random bytes for each."""
        return cls(head=head, caveats=(), tail=macaroon.next_tail(secret, head))

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read the printed form. Raises Malformed."""
        try:
            version, data = base58.decode_check(text)
        except Malformed as error:
            raise error.within("api key") from None
        if version != 0:
            raise Malformed(f"api key: version {version} instead of 0")
        return cls.parse_raw(data)

    @classmethod
    def parse_raw(cls, data: bytes) -> Self:
        """Read macaroon bytes. Raises Malformed. A forged tail parses: only `verifies` can tell."""
        try:
            head, caveats, tail = macaroon.parse(data)
        except Malformed as error:
            raise error.within("api key") from None
        return cls(head=head, caveats=caveats, tail=tail)

    def serialise(self) -> str:
        """Return the printed form."""
        return base58.encode_check(self.serialise_raw())

    def serialise_raw(self) -> bytes:
        """Return the macaroon bytes."""
        return macaroon.serialise(self.head, self.caveats, self.tail)

    def restrict(self, caveat: Caveat | bytes) -> Self:
        """Return the key with one more caveat; it takes no secret but the key itself."""
        written = caveat if isinstance(caveat, bytes) else caveat.serialise()
        return type(self)(head=self.head, caveats=(*self.caveats, written), tail=macaroon.next_tail(self.tail, written))

    def tails(self, secret: bytes) -> tuple[bytes, ...]:
        """Compute all tails from the root's secret, first to last. The last equals `tail` unless somebody forged the key."""
        return macaroon.tails(secret, self.head, self.caveats)

    def tails_below(self, root: "ApiKey") -> tuple[bytes, ...]:
        """The same, from the root key itself, which has this key's head and no caveat."""
        return macaroon.tails_below(root.tail, self.caveats)

    def verifies(self, secret: bytes) -> bool:
        """Whether this key descends from the root with that secret. Constant time."""
        return hmac.compare_digest(self.tails(secret)[-1], self.tail)


def may_revoke(revoker: ApiKey, victim: ApiKey, secret: bytes) -> bool:
    """Whether the satellite lets `revoker` revoke `victim`: both are genuine, and the victim descends from the revoker.

    A key can revoke neither itself nor its siblings. What is then stored is the victim's last tail.
    """
    if not revoker.verifies(secret) or not victim.verifies(secret):
        return False
    # the last tail is the victim's own, and no key revokes itself
    proper_ancestors = victim.tails(secret)[:-1]
    # in constant time, for a tail is a key itself
    return any(hmac.compare_digest(revoker.tail, tail) for tail in proper_ancestors)
