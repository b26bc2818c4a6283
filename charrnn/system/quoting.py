"""Words of a command line, quoted for the shells of this system."""

import re
import shlex
import sys


def quote(text: str) -> str:
    """A word that a shell reads as this text; on Windows both cmd and PowerShell do."""
    if sys.platform != "win32":
        return shlex.quote(text)
    escaped = text.replace('"', '\\"')
    return text if re.fullmatch(r"[\w.:/\\=+-]+", text) else f'"{escaped}"'
