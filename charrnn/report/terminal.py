"""Consoles for results on standard output."""

from rich.console import Console

MIN_TABLE_WIDTH = 80  # a narrower table would drop digits; the terminal wraps it instead


class PipeConsole(Console):
    """A console that raises BrokenPipeError, where Rich would exit the program."""

    def on_broken_pipe(self) -> None:
        """Re-raises the BrokenPipeError being handled."""
        raise


def table_console() -> PipeConsole:
    """A console for tables, never so narrow that numbers are cut."""
    console = PipeConsole(highlight=False, emoji=False)
    console.width = max(console.width, MIN_TABLE_WIDTH)
    return console
