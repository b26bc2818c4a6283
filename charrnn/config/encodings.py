"""The names of text encodings: those that Python knows and a file may have."""

import codecs
from encodings.aliases import aliases

from charrnn.wording import nearest

# for host names, for Python source, for Windows only, or with lone surrogates
NOT_OF_FILES = {
    "charmap", "idna", "mbcs", "oem", "punycode", "raw_unicode_escape", "undefined",
    "unicode_escape", "utf_7",
}  # fmt: skip


def known_encoding(name: str) -> str:
    """The name itself. Raises: ValueError if it is not the encoding of a text file."""
    if _fits(name):
        return name
    known = {alias.replace("_", "-") for alias in {*aliases, *aliases.values()} if _fits(alias)}
    guess = nearest(name.lower().replace("_", "-"), sorted(known))
    raise ValueError(
        "is not a known text encoding; "
        + (f"the nearest is {guess}" if guess else "for example utf-8, utf-16, latin-1 or cp1252")
    )


def _fits(name: str) -> bool:
    try:
        "".encode(name)  # raises for what does not encode text
        return codecs.lookup(name).name.replace("-", "_") not in NOT_OF_FILES
    except (LookupError, ValueError):
        return False
