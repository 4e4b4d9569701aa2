"""From a passphrase to the key of everything in a project (format page, section 7)."""

import hmac

from argon2.low_level import ARGON2_VERSION, Type, hash_secret_raw

KEY_BYTES = 32
LANES = 8  # of every root key; uplink's DeriveEncryptionKey uses 1 and gets other keys

_MEMORY_KIB = 64 * 1024  # this and all other figures are Storj's: with one changed nobody's files open any more


def derive(passphrase: bytes, salt: bytes, lanes: int = LANES) -> bytes:
    """Derive the 32-byte root key. Takes some 80 ms and 64 MiB. Neither argument is trimmed; both may be empty."""
    mixed = hmac.digest(passphrase, salt, "sha256")
    return hash_secret_raw(
        secret=passphrase,
        salt=hmac.digest(mixed, b"", "sha256"),  # of the path, which is always empty
        time_cost=1,
        memory_cost=_MEMORY_KIB,
        parallelism=lanes,
        hash_len=KEY_BYTES,
        type=Type.ID,
        version=ARGON2_VERSION,
    )
