"""The text encodings that a file may have."""

import codecs
from encodings.aliases import aliases

from charrnn.wording import nearest

# for host names or Python source, only on Windows, or able to yield lone surrogates
NOT_OF_FILES = {
    "charmap", "idna", "mbcs", "oem", "punycode", "raw_unicode_escape", "undefined",
    "unicode_escape", "utf_7",
}  # fmt: skip


def known_encoding(name: str) -> str:
    """Returns a name if text files can have that encoding. Raises: ValueError."""
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
        "".encode(name)  # raises LookupError for codecs of bytes, such as base64
        return codecs.lookup(name).name.replace("-", "_") not in NOT_OF_FILES
    except (LookupError, ValueError):
        return False
