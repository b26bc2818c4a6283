"""Neutralises control characters, so that text cannot control a terminal."""

import re

# C1 has one-character command introducers; a surrogate in a file name may stand for such a byte
_C1, _SURROGATES = range(0x7F, 0xA0), range(0xD800, 0xE000)
_CONTROLS = {
    code: chr(0x2400 + code) if code < 0x20 else "\u2421" if code == 0x7F else "\ufffd"
    for code in (*range(0x20), *_C1, *_SURROGATES)
    if chr(code) not in "\n\t"
}
_ESCAPES = {code: f"\\u{code:04x}" for code in (*_C1, *_SURROGATES)}
CONTINUED = "\n       "  # how a message continues on its next line


def harmless(text: str) -> str:
    """The text with visible signs for control characters other than newline and tab."""
    return text.translate(_CONTROLS)


def harmless_message(text: str) -> str:
    """The same for a message, in which only newlines before an indented line are kept.

    What it quotes, such as a file name, then cannot pass for a line of its own.
    """
    return re.sub(rf"\n(?!{CONTINUED[1:]})", "\u240a", harmless(text))


def harmless_json(document: str) -> str:
    """A JSON document with escapes for the control characters that JSON allows."""
    return document.translate(_ESCAPES)
