"""What this room raises: bytes that are not what they claim to be, and restrictions that cannot be made."""


class Malformed(ValueError):  # noqa: N818 - named for what the bytes are
    """The input breaks its format. The message says what is wrong and where, and never holds a secret."""

    def within(self, where: str) -> "Malformed":
        """Return the same fault, told from one layer further out: `api key: caveat 2: ...`."""
        return Malformed(f"{where}: {self}")


class NotPermitted(ValueError):  # noqa: N818 - named for what the restriction is
    """The restriction that was asked for is empty, contradicts itself, or lies outside what the grant can open."""
