"""Consoles for results on standard output."""

from rich.console import Console

NARROWEST = 80  # a table for less would drop digits; the terminal wraps it instead


class PipeConsole(Console):
    """Rich's console ends the program when its reader has left; this one raises."""

    def on_broken_pipe(self) -> None:
        """Raises the BrokenPipeError that is being handled."""
        raise


def table_console() -> PipeConsole:
    """For tables, which are never made so narrow that numbers are cut."""
    console = PipeConsole(highlight=False, emoji=False)
    console.width = max(console.width, NARROWEST)
    return console
