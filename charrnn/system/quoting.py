"""Words of a command line, quoted for the shells of this system."""

import re
import shlex
import sys


def quote(text: str) -> str:
    """A word that a shell reads as this text.

    On Windows cmd and PowerShell both do, unless it has a `$`, which PowerShell would interpret,
    and run `$(…)`: it is quoted for PowerShell then.
    """
    if sys.platform != "win32":
        return shlex.quote(text)
    escaped = re.sub(r'(\\+)("|\Z)', r"\1\1\2", text).replace('"', r"\"")
    escaped = re.sub("[`$]", r"`\g<0>", escaped)
    return text if re.fullmatch(r"[\w.:/\\=+-]+", text) else f'"{escaped}"'
