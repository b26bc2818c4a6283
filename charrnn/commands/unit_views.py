"""What the options of `eval` ask to see of hidden units."""

import re
from collections.abc import Collection
from typing import Any

from charrnn.errors import UsageError
from charrnn.model.params import Params
from charrnn.wording import call, nearest, pluralize, setting

SHOWN = 2000  # characters


def require_shown(show: str | None, length: int | None) -> None:
    """Raises UsageError if a length of text to show is given, but not what to show of it."""
    if length is not None and show is None:
        raise UsageError(
            f"`length={length}` is how much of the text is shown.", "add `show=surprisal`"
        )


def unit_view(
    show: str | None, units: int | None, length: int, scoring: Collection[str] = ()
) -> dict[str, Any] | None:
    """What of `describe_units` the options of `eval` ask for; None if they ask for a score.

    Args:
        show: What the text is coloured by: "surprisal", or a unit such as "unit:17".
        units: The number of units to describe.
        length: The number of characters to show.
        scoring: The names of options that were given for a score.

    Raises:
        UsageError: There is no such view, or options contradict each other.
    """
    unit = None if show in (None, "surprisal") else _shown_unit(str(show))
    if unit is None and units is None:
        return None
    asked = "`units`" if units else setting("show", str(show))
    others = [setting("show", str(show))] * bool(units and show) + [f"`{o}`" for o in scoring]
    if others:
        raise UsageError(
            f"{asked} and {others[0]} are both given.", f"run {call('eval')} once for each."
        )
    if units:
        return {"count": units, "passage": 0}
    return {"chosen": [unit], "passage": length}


def _shown_unit(view: str) -> int:
    """The index from 0 of the unit that a view names: 16 for "unit:17"."""
    if found := re.fullmatch(r"unit:([0-9]{1,9})", view):
        return int(found[1]) - 1
    guess = "unit:1" if view.startswith("u") else nearest(view, ["surprisal"])
    raise UsageError(
        f"{setting('show', view)} is not a view.",
        (f"did you mean `show={guess}`? " if guess else "")
        + "choose `show=surprisal` or a unit, numbered from 1, such as `show=unit:17`",
    )


def require_unit(unit: int, params: Params) -> None:
    """Raises UsageError if a model has no unit of this index from 0."""
    count = params.state_size
    if not 0 <= unit < count:
        raise UsageError(
            f"unit {unit + 1} does not exist: the model has {pluralize(count, 'unit')}, counted "
            "from 1.",
            f"the nearest is `show=unit:{min(max(unit, 0), count - 1) + 1}`",
        )
