"""What training asks of the windows of a text, and how long the text has to be for them."""

from typing import Protocol

from charrnn.errors import InputError
from charrnn.window import Window
from charrnn.wording import pluralize


class Windows(Protocol):
    """An endless sequence of windows over a text; window n is a function of n alone."""

    @property
    def per_epoch(self) -> int:
        """The number of windows in one pass over the text."""

    @property
    def largest(self) -> tuple[int, int]:
        """T and B that no window exceeds; for lines, those of the window with the most ids."""

    def __getitem__(self, number: int) -> Window: ...


def require_fit(targets: int, batch_size: int, window: int, stride: int | None = None) -> None:
    """Checks that the lanes of a training text are at least as long as a window.

    Args:
        targets: The number of characters to predict.
        batch_size: The number of lanes.
        window: The number of characters per lane and window.
        stride: The setting `training.stride`.

    Raises:
        InputError: They are shorter; its hint has a batch size and a window that fit.
    """
    if targets // batch_size >= window:
        return
    hint = "give a text of at least two characters."
    if targets >= 1:
        fitting_window = min(window, targets)
        fitting_batch = min(batch_size, targets // fitting_window)
        shorter = " `training.stride=null`" if (stride or 0) > fitting_window else ""
        hint = (
            f"this fits: `training.batch_size={fitting_batch}` "
            f"`training.window={fitting_window}`{shorter}; or give more text."
        )
    raise InputError(
        f"the training text has {pluralize(max(targets, 0), 'character')} to predict: too few for "
        f"batch size {batch_size} and window {window}, which need {batch_size * window:,}.",
        hint,
    )
