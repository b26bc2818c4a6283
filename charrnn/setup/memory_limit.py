"""How much memory an analysis may use: a checkpoint from anyone may ask for any amount."""

from charrnn.errors import InputError
from charrnn.system.machine import physical_memory
from charrnn.wording import format_size


def memory_limit(allowed: float | None) -> float:
    """The bytes that may be used: as many as the user allows, or half of this machine's memory."""
    return physical_memory() / 2 if allowed is None else allowed


def require_memory_for(what: str, needed: float, limit: float, remedy: str) -> None:
    """Refuses what needs more memory than the limit.

    Args:
        what: What needs it, such as "this check".
        needed: Bytes.
        limit: Bytes.
        remedy: What would need less.

    Raises:
        InputError: It needs more.
    """
    if needed > limit:
        raise InputError(
            f"{what} needs about {format_size(needed)} of memory, and {format_size(limit)} may be "
            "used.",
            f"{remedy}; or allow more: `max_memory={format_size(1.2 * needed).replace(' ', '')}`",
        )
