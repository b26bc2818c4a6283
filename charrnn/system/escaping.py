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
# marks of direction, embeddings, overrides and isolates, and separators of lines
DIRECTIONS = {
    code: f"\\u{code:04x}"
    for code in (0x061C, 0x200E, 0x200F, *range(0x2028, 0x202F), *range(0x2066, 0x206A))
}
WITHOUT_DIRECTIONS = dict.fromkeys(DIRECTIONS, "\ufffd")  # where each character has one column
_NONCHARACTERS = dict.fromkeys((0xFFFE, 0xFFFF, *range(0xFDD0, 0xFDF0)), "\ufffd")
WORD, MESSAGE = 240, 8000  # characters of a word and of a message that are shown
_LONG_WORD = re.compile(rf"`[^`\n]*`|[^\s`]{{{WORD + 1},}}")
CONTINUED = "\n       "  # how a message continues on its next line


def harmless(text: str) -> str:
    """Replaces control characters, except newline and tab, with visible symbols."""
    return text.translate(_CONTROLS)


def harmless_message(text: str) -> str:
    """Neutralises a message; of its newlines only those that start an indented line are kept.

    A quoted value, such as a file name, then cannot imitate a line of output, or turn the direction
    of the text around it.
    """
    text = harmless(text).translate(DIRECTIONS)
    return re.sub(rf"\n(?!{CONTINUED[1:]})", "\u240a", text)


def drawable(text: str) -> str:
    """Neutralises a text in a picture, in which XML allows neither controls nor noncharacters."""
    return harmless(text).translate(DIRECTIONS | _NONCHARACTERS)


def shortened(text: str) -> str:
    """Cuts what is too long to read: the middle of a word, and the end of a message.

    A command to paste, in backquotes, stays whole.
    """

    def cut(found: re.Match[str]) -> str:
        word = found[0]
        return word if word[0] == "`" else f"{word[: WORD // 2]}…{word[-WORD // 4 :]}"

    text = _LONG_WORD.sub(cut, text)
    return f"{text[:MESSAGE]}…" if len(text) > MESSAGE else text


def harmless_json(document: str) -> str:
    """Escapes the control characters that JSON allows unescaped; the data is unchanged."""
    return document.translate(_ESCAPES)
