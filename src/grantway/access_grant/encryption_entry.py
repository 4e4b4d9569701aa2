"""One entry of an encryption access as it is written (format page, section 5)."""

from grantway.access_grant.encryption_store import StoreEntry
from grantway.access_grant.errors import Malformed
from grantway.access_grant.path_encryption import KEY_BYTES, PathCipher
from grantway.access_grant.wire import BYTES, VARINT, bytes_field, fields, integer_field

# bucket, plain path, encrypted path, key, cipher, obsolete parameters
_KNOWN = {1: BYTES, 2: BYTES, 3: BYTES, 4: BYTES, 5: VARINT, 6: BYTES}
_KNOWN_IN_PARAMETERS = {1: VARINT, 2: VARINT}


def parse_entry(data: bytes) -> StoreEntry:
    """Read the protobuf. Raises Malformed."""
    found, cipher = {1: b"", 2: b"", 3: b"", 4: b""}, PathCipher.UNSPECIFIED
    for number, integer, value in fields(data, _KNOWN):
        if number == 5:
            cipher = cipher_of(integer)
        elif number == 6:
            check_parameters(value)
        else:
            found[number] = value
    if len(found[4]) != KEY_BYTES:
        raise Malformed(f"key has {len(found[4])} bytes instead of {KEY_BYTES}")
    return StoreEntry(bucket=found[1], plain_path=found[2], encrypted_path=found[3], key=found[4], path_cipher=cipher)


def serialise_entry(entry: StoreEntry) -> bytes:
    """Write the protobuf."""
    return b"".join(
        (
            bytes_field(1, entry.bucket),
            bytes_field(2, entry.plain_path),
            bytes_field(3, entry.encrypted_path),
            bytes_field(4, entry.key),
            integer_field(5, entry.path_cipher),
        )
    )


def cipher_of(value: int) -> PathCipher:
    """The cipher with that number. Raises Malformed for one that is unknown."""
    try:
        return PathCipher(value)
    except ValueError:
        raise Malformed(f"path cipher {value} is unknown") from None


def check_parameters(data: bytes) -> None:
    """Read the old EncryptionParameters, which say nothing any more but must be well formed."""
    for _ in fields(data, _KNOWN_IN_PARAMETERS):
        pass
