"""Which key opens which path: a tree per bucket, walked by plain or by encrypted components (format page, sections 5 and 9)."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from grantway.access_grant.errors import Malformed
from grantway.access_grant.path_encryption import PathCipher, split


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreEntry:
    """The 32-byte key of one place, given by both of its paths. Empty paths stand for the whole bucket."""

    bucket: bytes
    plain_path: bytes
    encrypted_path: bytes
    key: bytes = field(repr=False)
    path_cipher: PathCipher

    @property
    def order(self) -> tuple[bytes, tuple[bytes, ...]]:
        """Where it stands among others: by bucket, then by plain components."""
        return self.bucket, split(self.plain_path)


class EncryptionStore:
    """A lookup over entries, which must not contradict each other; built when needed, and never kept."""

    def __init__(self, entries: Iterable[StoreEntry] = ()) -> None:
        self._roots: dict[bytes, _Node] = {}
        for entry in entries:
            self.add(entry)

    def add(self, entry: StoreEntry) -> None:
        """Take in an entry; for a path that has one already, the later one counts. Raises Malformed on contradiction."""
        plain, encrypted = split(entry.plain_path), split(entry.encrypted_path)
        if len(plain) != len(encrypted):
            raise Malformed(f"plain path of {len(plain)} components, encrypted path of {len(encrypted)}")
        node = self._roots.setdefault(entry.bucket, _Node())
        for plain_part, encrypted_part in zip(plain, encrypted, strict=True):
            node = node.grow(plain_part, encrypted_part)
        node.entry = entry

    def by_plain_path(self, bucket: bytes, components: Sequence[bytes]) -> tuple[StoreEntry, int] | None:
        """Return the deepest entry at or above the path, and how many components it accounts for."""
        return self._deepest(bucket, components, encrypted=False)

    def by_encrypted_path(self, bucket: bytes, components: Sequence[bytes]) -> tuple[StoreEntry, int] | None:
        """Return the same for encrypted components."""
        return self._deepest(bucket, components, encrypted=True)

    def entries(self) -> list[StoreEntry]:
        """Return what counts, in canonical order."""
        # a list instead of recursion: a hostile grant has paths deeper than the stack
        found, waiting = [], list(self._roots.values())
        while waiting:
            node = waiting.pop()
            waiting.extend(node.by_plain.values())
            if node.entry is not None:
                found.append(node.entry)
        return sorted(found, key=lambda entry: entry.order)

    def _deepest(self, bucket: bytes, components: Sequence[bytes], *, encrypted: bool) -> tuple[StoreEntry, int] | None:
        node, deepest = self._roots.get(bucket), None
        for depth in range(len(components) + 1):
            if node is None:
                break
            if node.entry is not None:
                deepest = node.entry, depth
            if depth < len(components):
                node = (node.by_encrypted if encrypted else node.by_plain).get(components[depth])
        return deepest


@dataclass(slots=True)
class _Node:
    """One place on the way. Both maps lead to the same children, and each child is in both."""

    by_plain: "dict[bytes, _Node]" = field(default_factory=dict)
    by_encrypted: "dict[bytes, _Node]" = field(default_factory=dict)
    entry: StoreEntry | None = None

    def grow(self, plain: bytes, encrypted: bytes) -> "_Node":
        known, other = self.by_plain.get(plain), self.by_encrypted.get(encrypted)
        # either both are new or both lead to the same child: one to one, or a path would have two encryptions
        if known is not other:
            raise Malformed("two entries disagree on how a path component is encrypted")
        if known is None:
            known = self.by_plain[plain] = self.by_encrypted[encrypted] = _Node()
        return known
