"""Names of any bytes in messages, written as the Go library writes them."""

_SHORT_ESCAPES = {char: f"\\{letter}" for char, letter in zip('"\\\a\b\f\n\r\t\v', '"\\abfnrtv', strict=True)}


def quoted(name: bytes) -> str:
    """Show a name of any bytes as Go's %q does: between double quotes, on one line."""
    text = name.decode("utf-8", "surrogateescape")
    return '"' + "".join(_SHORT_ESCAPES.get(char) or _printable(char) for char in text) + '"'


def _printable(char: str) -> str:
    if char.isprintable():
        return char
    code = ord(char)
    if 0xDC80 <= code <= 0xDCFF or code < 0x80:  # a byte that is not UTF-8, or a control character
        return f"\\x{code & 0xFF:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
