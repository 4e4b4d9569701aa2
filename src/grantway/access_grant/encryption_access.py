"""The keys in an access grant, and how they are narrowed to what the caveats allow (format page, sections 5 and 9)."""

from collections import Counter
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Self

from grantway.access_grant.caveat import AllowedPath, Caveat
from grantway.access_grant.encryption_entry import check_parameters, cipher_of, parse_entry, serialise_entry
from grantway.access_grant.encryption_store import EncryptionStore, StoreEntry
from grantway.access_grant.errors import Malformed, NotPermitted
from grantway.access_grant.go_quoting import quoted
from grantway.access_grant.path_encryption import (
    KEY_BYTES,
    PathCipher,
    child,
    decrypt_components,
    encrypt_components,
    path_key,
    split,
)
from grantway.access_grant.wire import BYTES, VARINT, bytes_field, fields, integer_field, message_field

_KNOWN = {1: BYTES, 2: BYTES, 3: VARINT, 4: BYTES}  # default key, entries, default cipher, obsolete parameters (section 5)


@dataclass(frozen=True, slots=True, kw_only=True)
class EncryptionAccess:
    """`default_key` (32 bytes) opens every bucket; `entries`, in canonical order, open places. Either may be missing."""

    default_key: bytes | None = field(default=None, repr=False)
    default_path_cipher: PathCipher = PathCipher.AES_GCM
    entries: tuple[StoreEntry, ...] = ()

    @classmethod
    def from_root_key(cls, key: bytes, cipher: PathCipher = PathCipher.AES_GCM) -> Self:
        """Open a whole project. ValueError for a key that has not 32 bytes."""
        if len(key) != KEY_BYTES:
            raise ValueError(f"a root key has {KEY_BYTES} bytes, not {len(key)}")
        return cls(default_key=key, default_path_cipher=cipher)

    @classmethod
    def of_buckets(cls, root_key: bytes, buckets: Iterable[bytes], cipher: PathCipher = PathCipher.AES_GCM) -> Self:
        """Open these buckets of a project, whole: what `limit_to` leaves of the project, in a third of the time."""
        entries = [
            StoreEntry(bucket=name, plain_path=b"", encrypted_path=b"", key=child(root_key, name), path_cipher=cipher)
            # sorted and each once, as entries are written
            for name in sorted(set(buckets))
        ]
        return cls(default_path_cipher=cipher, entries=tuple(entries))

    @classmethod
    def parse(cls, data: bytes) -> Self:
        """Read the protobuf. Raises Malformed, also for entries that contradict each other."""
        default_key, cipher = b"", PathCipher.UNSPECIFIED
        store = EncryptionStore()
        position = 0
        for number, integer, value in fields(data, _KNOWN):
            if number == 1:
                default_key = value
            elif number == 2:
                position += 1
                _add_entry(store, value, position)
            elif number == 3:
                cipher = cipher_of(integer)
            else:
                check_parameters(value)
        if len(default_key) not in (0, KEY_BYTES):
            raise Malformed(f"default key has {len(default_key)} bytes instead of {KEY_BYTES}")
        # only the default cipher is read so: an entry's 0 stays, and encrypts nothing (section 5)
        return cls(default_key=default_key or None, default_path_cipher=cipher or PathCipher.AES_GCM, entries=tuple(store.entries()))

    def serialise(self) -> bytes:
        """Write the protobuf. The Go library writes entries in random order; here their order is canonical."""
        parts = [bytes_field(1, self.default_key or b"")]
        parts += (message_field(2, serialise_entry(entry)) for entry in self.entries)
        parts.append(integer_field(3, self.default_path_cipher))
        return b"".join(parts)

    def encrypt_prefix(self, bucket: bytes, prefix: bytes) -> bytes:
        """Encrypt a prefix as Share does: one trailing slash is dropped, and nothing left means the whole bucket.

        Raises NotPermitted where no key of this access opens that place.
        """
        path = prefix.removesuffix(b"/")
        # the whole bucket is never refused, whatever keys are held: narrowing leaves out what they do not open
        if not path:
            return b""
        components = split(path)
        base = self._base(bucket, EncryptionStore(self.entries).by_plain_path(bucket, components))
        if base is None:
            raise NotPermitted(f"missing encryption base: {quoted(bucket)}/{quoted(path)}")
        return b"/".join((*base.encrypted, *encrypt_components(components[base.depth :], base.key, base.cipher)))

    def limit_to(self, caveats: Iterable[Caveat | bytes]) -> Self:
        """Keep only the keys of places that all the caveats allow. Never fails: with an unreadable caveat nothing is left."""
        try:
            read = [Caveat.parse(caveat) if isinstance(caveat, bytes) else caveat for caveat in caveats]
        # no error, as in the Go library: the key is dead at every satellite anyway (section 10, step 5)
        except Malformed:
            return type(self)(default_path_cipher=PathCipher.UNSPECIFIED)
        return self.limit_to_places(caveat.allowed_paths for caveat in read)

    def limit_to_places(self, places: Iterable[tuple[AllowedPath, ...]]) -> Self:
        """Keep only the keys of places that are in each of `places`; an empty one stands for all places, as in a caveat."""
        restrictions = [paths for paths in places if paths]
        return self._keep(_common_paths(restrictions)) if restrictions else self

    def _keep(self, paths: Iterable[AllowedPath]) -> Self:
        held = EncryptionStore(self.entries)
        entries = tuple(entry for path in paths if (entry := self._entry_for(path, held)) is not None)
        # a single entry is in order and contradicts none
        if len(entries) > 1:
            entries = _in_harmony(entries)
        return type(self)(default_path_cipher=self.default_path_cipher, entries=entries)

    def _entry_for(self, path: AllowedPath, held: EncryptionStore) -> StoreEntry | None:
        """Make the entry that opens just that place. None when we cannot open it ourselves."""
        components = split(path.encrypted_prefix)
        base = self._base(path.bucket, held.by_encrypted_path(path.bucket, components))
        if base is None:
            return None
        try:
            below = decrypt_components(components[base.depth :], base.key, base.cipher)
        except Malformed:
            return None
        plain = (*base.plain, *below)
        # Not always the same base: with the null cipher two encrypted paths may stand for one plain path.
        by_plain = (self.entries and self._base(path.bucket, held.by_plain_path(path.bucket, plain))) or base
        return StoreEntry(
            bucket=path.bucket,
            plain_path=b"/".join(plain),
            encrypted_path=path.encrypted_prefix,
            key=path_key(by_plain.key, plain[by_plain.depth :]),
            path_cipher=base.cipher,
        )

    def _base(self, bucket: bytes, found: tuple[StoreEntry, int] | None) -> "_Base | None":
        """Prefer the entry found; else start at the bucket, if the default key opens it."""
        if found is not None:
            entry, depth = found
            return _Base(entry.key, entry.path_cipher, depth, split(entry.plain_path), split(entry.encrypted_path))
        if self.default_key is None:
            return None
        return _Base(child(self.default_key, bucket), self.default_path_cipher)


@dataclass(frozen=True, slots=True)
class _Base:
    """Where encryption starts: a key, and the components (`depth` of them) that lie above it."""

    key: bytes = field(repr=False)
    cipher: PathCipher
    depth: int = 0
    plain: tuple[bytes, ...] = ()
    encrypted: tuple[bytes, ...] = ()


def _in_harmony(entries: Iterable[StoreEntry]) -> tuple[StoreEntry, ...]:
    """In canonical order; of two that contradict each other, the first."""
    kept = EncryptionStore()
    for entry in entries:
        # The null cipher can make two places of one plain path.
        with suppress(Malformed):
            kept.add(entry)
    return tuple(kept.entries())


def _common_paths(restrictions: Sequence[tuple[AllowedPath, ...]]) -> list[AllowedPath]:
    """Return, in order, every path of any caveat that all of them allow.

    One walk over the sorted paths, where those covering a path come right before it: comparing each with each takes minutes on
    a grant made for that.
    """
    if len(restrictions) == 1:
        return list(dict.fromkeys(restrictions[0]))
    named_by: dict[AllowedPath, list[int]] = {}
    for caveat, paths in enumerate(restrictions):
        for path in paths:
            named_by.setdefault(path, []).append(caveat)
    coverage = Counter[int]()
    covering: list[AllowedPath] = []
    common = set()
    for path in sorted(named_by, key=lambda path: (path.bucket, path.encrypted_prefix)):
        # what does not cover this path covers none after it, for what begins alike stands together
        while covering and not covering[-1].covers(path.bucket, path.encrypted_prefix):
            _uncount(coverage, named_by[covering.pop()])
        covering.append(path)
        for caveat in named_by[path]:
            coverage[caveat] += 1
        if len(coverage) == len(restrictions):
            common.add(path)
    return [path for path in named_by if path in common]


def _uncount(coverage: Counter[int], caveats: Iterable[int]) -> None:
    for caveat in caveats:
        coverage[caveat] -= 1
        if not coverage[caveat]:
            del coverage[caveat]


def _add_entry(store: EncryptionStore, data: bytes, position: int) -> None:
    try:
        store.add(parse_entry(data))
    except Malformed as error:
        raise error.within(f"entry {position}") from None
