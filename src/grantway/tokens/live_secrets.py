"""The keys that a claimed client may have signed with: always as many, with the same work, whether the client is known or not."""

import functools
from collections.abc import Callable, Sequence
from datetime import datetime

from grantway import secret_token
from grantway.clients import secret
from grantway.clients.authentication import TRIED_SECRETS, LiveSecret
from grantway.clients.client import MAX_CLIENT_ID
from grantway.clients.secret import ClientSecret
from grantway.oauth_error import UnavailableError
from grantway.sealing import MASTER_KEY_BYTES, NONCE_BYTES, SealBrokenError, Sealing

REMEMBERED = 10_000


class LiveSecrets:
    """Unseals secrets, and remembers for each claimed client_id what was unsealed: the master key is in this memory anyway.

    An unknown client_id gets a sealed secret that nobody has, unsealed and remembered in the same way: so neither the first request
    nor the second tells by its time whether a client is known.
    """

    def __init__(self, sealing: Sealing, random: Callable[[int], bytes]) -> None:
        self._sealing = sealing
        text = secret_token.make(secret_token.Kind.CLIENT_SECRET, random(secret_token.RANDOM_BYTES))
        self._nobody = Sealing.under(random(MASTER_KEY_BYTES))  # the master key may be rotated while we run
        self._nobodys = self._nobody.seal(text.encode(), secret.WHAT, "", random(NONCE_BYTES))
        self._remembered = functools.lru_cache(REMEMBERED)(self._unsealed)

    def of(self, claimed: str, row_id: str, secrets: Sequence[ClientSecret], now: datetime) -> list[LiveSecret]:
        """The secrets that are live now, unsealed, made up to `TRIED_SECRETS`. UnavailableError when one does not open."""
        # no client_id is longer: what anybody sends takes bounded room
        claimed = claimed[:MAX_CLIENT_ID]
        live = [one for one in secrets if one.is_live(now)][:TRIED_SECRETS]
        found = [self._remembered(claimed, 0, one.version, secret.whose(row_id, one.version), one.sealed) for one in live]
        while len(found) < TRIED_SECRETS:
            # by place too: an unknown client's two are unsealed apart, as two real ones are
            found.append(self._remembered(claimed, len(found), None, "", self._nobodys))
        return found

    # claimed and place only tell what is remembered apart (decision 0010)
    def _unsealed(self, _claimed: str, _place: int, version: int | None, whose: str, sealed: bytes) -> LiveSecret:
        try:
            sealing = self._nobody if version is None else self._sealing
            return LiveSecret(version=version, key=sealing.unseal(sealed, secret.WHAT, whose))
        except SealBrokenError as error:
            raise UnavailableError(str(error)) from None
