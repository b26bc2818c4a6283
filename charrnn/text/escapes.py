"""Characters that are written as escapes on a command line."""

import re

from charrnn.errors import UsageError

NAMED = {"n": "\n", "t": "\t", "r": "\r", "\\": "\\"}
ESCAPE = re.compile(r"\\(x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|.|$)", re.DOTALL)
KNOWN = r"\n, \t, \r, \\, \xNN and \uNNNN"


def unescaped(text: str, option: str) -> str:
    """Replaces the escapes KNOWN by their characters.

    Args:
        text: The text.
        option: What messages call it.

    Raises:
        UsageError: There is another escape.
    """

    def character(found: re.Match[str]) -> str:
        code = found[1]
        if len(code) > 1:
            return chr(int(code[1:], 16))
        if code not in NAMED:
            raise UsageError(
                f"`{option}` has the unknown escape {found[0]!r}.",
                rf"known: {KNOWN}; a backslash by itself is \\.",
            )
        return NAMED[code]

    return ESCAPE.sub(character, text)
