"""The errors of this program, each with its exit code."""


class CharrnnError(Exception):
    """An error with a message and a hint on what to do.

    Both name settings in backquotes, such as `training.max_time=3m`, and commands as
    `wording.call` writes them.
    """

    exit_code = 1
    label = "error"

    def __init__(self, message: str, hint: str | None = None) -> None:
        super().__init__(message)
        self.hint = hint

    @property
    def hint(self) -> str | None:
        """What to do; a traceback shows it below the message."""
        return self._hint

    @hint.setter
    def hint(self, hint: str | None) -> None:
        self._hint = hint
        self.__notes__ = [f"hint: {hint}"] if hint else []


class UsageError(CharrnnError):
    """An option, a prompt, a configuration or an output directory is invalid."""

    exit_code = 2


class InputError(CharrnnError):
    """A text or a checkpoint is unusable."""

    exit_code = 3


class Interrupted(CharrnnError):
    """The user stopped the run, which was saved."""

    exit_code = 130
    label = "stopped"
