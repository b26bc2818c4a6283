"""Updates the help texts in docs/commands.md: python -m tests.help_blocks."""

import contextlib
import io
import os
import re
from pathlib import Path
from unittest import mock

from charrnn.cli import main

COMMANDS_PAGE = Path(__file__).parent.parent / "docs" / "commands.md"
BLOCK = re.compile(r"(<!-- help: (\w+) -->\n```text\n)(.*?)(```)", re.DOTALL)


def help_text(command: str) -> str:
    """What `charrnn COMMAND --help` prints on a terminal of 80 columns."""
    out = io.StringIO()
    with contextlib.redirect_stdout(out), mock.patch.dict(os.environ, COLUMNS="80"):
        main.run([command, "--help"])
    return out.getvalue().strip("\n") + "\n"


def with_current_help(text: str) -> str:
    """The text with every help block replaced by the current help."""
    return BLOCK.sub(lambda found: found[1] + help_text(found[2]) + found[4], text)


if __name__ == "__main__":
    text = COMMANDS_PAGE.read_text(encoding="utf-8")
    COMMANDS_PAGE.write_text(with_current_help(text), encoding="utf-8")
