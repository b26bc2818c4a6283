"""The names of encodings that a text file may have: those of text that Python knows."""

import codecs
from encodings.aliases import aliases

from charrnn.wording import nearest

# for names of hosts, for Python's own source, for Windows alone, or with halves of characters
NOT_OF_FILES = {
    "charmap", "idna", "mbcs", "oem", "punycode", "raw_unicode_escape", "undefined",
    "unicode_escape", "utf_7",
}  # fmt: skip


def known_encoding(name: str) -> str:
    """The name itself. Raises: ValueError where files of text have no such encoding."""
    if _fits(name):
        return name
    known = {alias.replace("_", "-") for alias in {*aliases, *aliases.values()} if _fits(alias)}
    guess = nearest(name.lower().replace("_", "-"), sorted(known))
    raise ValueError(
        "is no encoding of text that is known here; "
        + (f"the nearest is {guess}" if guess else "such are utf-8, utf-16, latin-1 and cp1252")
    )


def _fits(name: str) -> bool:
    try:
        "".encode(name)  # Python refuses here what does not encode characters
        return codecs.lookup(name).name.replace("-", "_") not in NOT_OF_FILES
    except (LookupError, ValueError):
        return False
