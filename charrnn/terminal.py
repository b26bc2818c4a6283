"""Text that a terminal shows and does not obey."""

_CONTROLS = {
    code: chr(0x2400 + code) if code < 0x20 else "\u2421" if code == 0x7F else "\ufffd"
    for code in (*range(0x20), *range(0x7F, 0xA0))
    if chr(code) not in "\n\t"
}


def harmless(text: str) -> str:
    """The text with each control character but newline and tab as a visible sign for it."""
    return text.translate(_CONTROLS)
