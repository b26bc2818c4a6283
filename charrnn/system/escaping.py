"""Text that a terminal shows and does not obey."""

import re

# C1 has command introducers of one character; a surrogate may stand for such a byte in a file name
_C1, _SURROGATES = range(0x7F, 0xA0), range(0xD800, 0xE000)
_CONTROLS = {
    code: chr(0x2400 + code) if code < 0x20 else "\u2421" if code == 0x7F else "\ufffd"
    for code in (*range(0x20), *_C1, *_SURROGATES)
    if chr(code) not in "\n\t"
}
_ESCAPES = {code: f"\\u{code:04x}" for code in (*_C1, *_SURROGATES)}
CONTINUED = "\n       "  # how a message goes on in its next line


def harmless(text: str) -> str:
    """The text with each control character but newline and tab as a visible sign for it."""
    return text.translate(_CONTROLS)


def harmless_message(text: str) -> str:
    """The same for a message, whose only newlines are those that begin an indented line.

    So what it quotes, such as the name of a file, cannot pass for a line of its own.
    """
    return re.sub(rf"\n(?!{CONTINUED[1:]})", "\u240a", harmless(text))


def harmless_json(document: str) -> str:
    """The same JSON document, with escapes for what JSON lets through and terminals obey."""
    return document.translate(_ESCAPES)
