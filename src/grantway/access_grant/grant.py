"""Access grants: where the satellite is, what may be asked of it, and the keys to what it returns (format page, section 5)."""

import functools
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Self

from grantway.access_grant import base58
from grantway.access_grant.allowance import Allowance
from grantway.access_grant.api_key import ApiKey
from grantway.access_grant.caveat import AllowedPath, Caveat
from grantway.access_grant.encryption_access import EncryptionAccess
from grantway.access_grant.errors import Malformed
from grantway.access_grant.node_url import NodeURL
from grantway.access_grant.path_encryption import PathCipher
from grantway.access_grant.permission import FlagSet, Permission
from grantway.access_grant.share_prefix import SharePrefix
from grantway.access_grant.wire import BYTES, bytes_field, fields, message_field

_KNOWN = {1: BYTES, 2: BYTES, 3: BYTES}  # address, macaroon, encryption access (section 5)


@dataclass(frozen=True, slots=True)
class AccessGrant:
    """Whoever holds one can do what it allows: treat it as a password. The keys in it open no more than its caveats allow."""

    satellite_address: str
    api_key: ApiKey = field(repr=False)
    encryption_access: EncryptionAccess = field(repr=False)

    @classmethod
    def build(cls, satellite_address: str, api_key: ApiKey, root_key: bytes, cipher: PathCipher = PathCipher.AES_GCM) -> Self:
        """Join a key and a project's root key (32 bytes), narrowed to what the key may do. Malformed for a bad address."""
        access = EncryptionAccess.from_root_key(root_key, cipher)
        return cls(str(NodeURL.parse(satellite_address)), api_key, access.limit_to(api_key.caveats))

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read the printed form as uplink does: keys narrowed, address normalised, node id required. Raises Malformed."""
        try:
            version, data = base58.decode_check(text)
            if version != 0:
                raise Malformed(f"version {version} instead of 0")
            address, api_key, access = _read(data)
            # whoever wrote it may have joined a restricted key and the key of the whole project (section 9)
            return cls(address, api_key, access.limit_to(api_key.caveats))
        except Malformed as error:
            raise error.within("access grant") from None

    def serialise(self) -> str:
        """Return the printed form."""
        return base58.encode_check(
            bytes_field(1, self.satellite_address.encode())
            + bytes_field(2, self.api_key.serialise_raw())
            # Always there, even when it opens nothing: the Go library dies of a grant without it.
            + message_field(3, self.encryption_access.serialise())
        )

    def restrict(self, permission: Permission, prefixes: Sequence[SharePrefix], nonce: bytes, flags: FlagSet = FlagSet.EVERY) -> Self:
        """Return a narrower grant, as Share does. No prefixes leave every place that was open.

        Raises NotPermitted for an empty or contradictory permission and for a prefix whose key is not held.
        """
        permission.refuse_nonsense()  # before any prefix is looked at, as the Go library does
        encrypt = self.encryption_access.encrypt_prefix
        paths = [AllowedPath(place.bucket, encrypt(place.bucket, place.prefix)) for place in prefixes]
        return self.append(permission.caveat(paths, nonce, flags))

    def allowance(self) -> Allowance:
        """What the caveats together leave, and in which of these places the keys open anything."""
        allowance = Allowance.of(self.api_key.caveats)
        if allowance.places is None and self.encryption_access.default_key is not None:
            return allowance
        return replace(allowance, places=tuple(SharePrefix(one.bucket, one.plain_path) for one in self.encryption_access.entries))

    def append(self, caveat: Caveat) -> Self:
        """Return the grant with one more caveat, and with the keys of what is still allowed."""
        access = self.encryption_access.limit_to((*self.api_key.caveats, caveat))
        return type(self)(self.satellite_address, self.api_key.restrict(caveat), access)


def key_in(text: str) -> ApiKey:
    """Read an API key in its printed form, or the one in an access grant. Raises Malformed for what is neither."""
    version, data = base58.decode_check(text)
    if version != 0:
        raise Malformed(f"version {version} instead of 0")
    try:
        # never both: a macaroon begins with 02, and in protobuf that is field 0, which there is not
        return ApiKey.parse_raw(data)
    except Malformed:
        return _read(data)[1]


def _read(data: bytes) -> tuple[str, ApiKey, EncryptionAccess]:
    """The parts of a grant, its keys not yet narrowed."""
    found: dict[int, bytes] = {}
    for number, _, value in fields(data, _KNOWN):
        # A message given twice is merged, and joining the bytes does just that; of other fields the last one counts.
        found[number] = found.get(number, b"") + value if number == 3 else value
    if not found.get(1):
        raise Malformed("satellite address is missing")
    # in the Go library's order: how the address is written is looked at last
    api_key = ApiKey.parse_raw(found.get(2, b""))
    access = _parse_access(found.get(3))
    return _normalised(found[1]), api_key, access


# the access grants of one satellite all have its address
@functools.lru_cache(64)
def _normalised(address: bytes) -> str:
    try:
        return str(NodeURL.parse(address.decode()))
    except UnicodeDecodeError:
        raise Malformed("satellite address is not UTF-8") from None


def _parse_access(data: bytes | None) -> EncryptionAccess:
    if data is None:
        raise Malformed("encryption access is missing")
    try:
        return EncryptionAccess.parse(data)
    except Malformed as error:
        raise error.within("encryption access") from None
