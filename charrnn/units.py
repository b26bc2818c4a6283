"""Conversions between units."""

import re
from math import log

from charrnn.errors import UsageError

BITS_PER_NAT = 1 / log(2)
FACTORS = {"": 1, "K": 1e3, "M": 1e6, "G": 1e9, "T": 1e12}


def in_bytes(size: str | float | None, option: str = "max_memory") -> float | None:
    """A size such as 500MB, 4G or 2e9 in bytes. Raises: UsageError."""
    if size is None:
        return None
    form = r"(\d+(?:\.\d+)?(?:e\+?\d{1,3})?) ?([KMGT]?)(?:i?B)?"
    found = re.fullmatch(form, str(size).strip(), re.IGNORECASE)
    if not found or not float(found[1]):
        raise UsageError(f"`{option}={size}` is not a size.", f"for example `{option}=4GB`")
    return float(found[1]) * FACTORS[found[2].upper()]
