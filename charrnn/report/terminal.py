"""A console that leaves a broken pipe to its caller."""

from rich.console import Console


class PipeConsole(Console):
    """Rich's console ends the program when its reader has left; this one raises."""

    def on_broken_pipe(self) -> None:
        """Raises the BrokenPipeError that is being handled."""
        raise
