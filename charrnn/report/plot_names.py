"""What to plot, by name."""

from collections.abc import Sequence
from typing import TypeVar

from charrnn.errors import UsageError
from charrnn.wording import nearest

What = TypeVar("What", bound=str)


def named(names: Sequence[str], whats: Sequence[What]) -> list[What]:
    """Those of `whats` that have these names. Raises: UsageError."""
    known = {str(what): what for what in whats}
    for name in names:
        if name not in known:
            guess = nearest(name, known)
            raise UsageError(
                f"`what={name}` cannot be plotted.",
                f"did you mean `what={guess}`?" if guess else f"one of {', '.join(known)}.",
            )
    return [known[name] for name in names]
