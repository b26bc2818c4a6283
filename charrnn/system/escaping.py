"""Neutralises control characters in output, so that text cannot control a terminal."""

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
    """Replaces control characters, except newline and tab, with visible symbols."""
    return text.translate(_CONTROLS)


def harmless_message(text: str) -> str:
    """Neutralises a message; of its newlines only those that start an indented line are kept.

    A quoted value, such as a file name, then cannot imitate a line of output.
    """
    return re.sub(rf"\n(?!{CONTINUED[1:]})", "\u240a", harmless(text))


def harmless_json(document: str) -> str:
    """Escapes the control characters that JSON allows unescaped; the data is unchanged."""
    return document.translate(_ESCAPES)
