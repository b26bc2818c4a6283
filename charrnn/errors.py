"""The errors that this program raises on purpose, each with the exit code it ends in."""

from collections.abc import Iterable
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from charrnn.window import Window


class CharrnnError(Exception):
    """What went wrong, with the value at fault; `hint` says what to do about it."""

    exit_code = 1
    label = "error"

    def __init__(self, message: str, hint: str | None = None) -> None:
        super().__init__(message)
        self.hint = hint


class Divergence(CharrnnError):
    """The loss, a gradient or an update is no longer finite: at this step, in this window.

    figures: what was measured, by name.
    """

    def __init__(
        self, what: str, step: int, window: "Window | None", figures: dict[str, Any]
    ) -> None:
        super().__init__(f"training diverged at step {step}: {what}.")
        self.step, self.window, self.figures = step, window, figures


class UsageError(CharrnnError):
    """An option, a prompt, a configuration or an output directory is at fault."""

    exit_code = 2


class InputError(CharrnnError):
    """A text or a checkpoint is unusable."""

    exit_code = 3


class Interrupted(CharrnnError):
    """The user stopped the run; everything was saved first."""

    exit_code = 130
    label = "stopped"


def nearest(name: str, known: Iterable[str]) -> str | None:
    """The known name that `name` was probably meant to be."""
    close = get_close_matches(name, list(known), n=1, cutoff=0.5)
    return close[0] if close else None
