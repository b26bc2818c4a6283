"""Fills docs/tutorial.md with the output and the plots of its commands: python -m tests.tutorial.

A block follows a comment such as `<!-- run: charrnn explain terms | from: A | to: B -->`: what the
command prints, from the first line that contains A to that before the first one with B. With `run~`
the output is that of a trained model, whose numbers differ between machines.
"""

import contextlib
import io
import os
import re
import shlex
import tempfile
from collections.abc import Iterator
from pathlib import Path
from unittest import mock

from PIL import Image

from charrnn.cli import main

TUTORIAL = Path(__file__).parent.parent / "docs" / "tutorial.md"
NO_DITHER = Image.Dither.NONE
BLOCK = re.compile(
    r"(<!-- run(~?): (charrnn [^|>]*?)( \| .*?)? -->\n```text\n)(.*?)(```)", re.DOTALL
)
PLOT = re.compile(r"<!-- plot(~?): (charrnn .*?) -->\n!\[([^]]+)\]\((tutorial/[\w-]+\.png)\)")
STYLE = re.compile(r"\x1b\[[0-9;]*m")
BOUND = re.compile(r"(from|to): ([^|]*)")


def run(command: str, *more: str) -> str:
    """What a command prints where a terminal is 80 columns wide."""
    out = io.StringIO()
    arguments = [*shlex.split(command)[1:], *more]
    with (
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(io.StringIO()) as err,
        mock.patch.dict(os.environ, COLUMNS="80", FORCE_COLOR="1"),
    ):
        assert main.run(arguments) == 0, (command, err.getvalue())
    return STYLE.sub("", out.getvalue())


def excerpt(output: str, bounds: str | None) -> str:
    """The lines of an output between two texts, without spaces at their ends."""
    lines = [line.rstrip() for line in output.splitlines()]
    for which, text in BOUND.findall(bounds or ""):
        found = [n for n, line in enumerate(lines) if text.strip() in line]
        assert found, (text, output)
        lines = lines[found[0] :] if which == "from" else lines[: found[0]]
    return "\n".join(lines).strip("\n") + "\n"


@contextlib.contextmanager
def lesson() -> Iterator[None]:
    """A temporary folder to run the commands in."""
    with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
        yield


def with_current_output(page: str) -> str:
    """The page with every block filled; runs the commands in order in the current folder."""
    return BLOCK.sub(lambda found: found[1] + excerpt(run(found[3]), found[4]) + found[6], page)


def draw(page: str, folder: Path) -> None:
    """Draws every plot of the page into a folder; after `with_current_output`."""
    for _, command, _, name in PLOT.findall(page):
        (folder / name).parent.mkdir(exist_ok=True)
        run(command, "--plot", str(folder / name))
        with Image.open(folder / name) as image:  # fewer colours take a third of the bytes
            few = image.convert("RGB").quantize(method=Image.Quantize.MAXCOVERAGE, dither=NO_DITHER)
            few.save(folder / name, optimize=True)


if __name__ == "__main__":
    with lesson():
        page = with_current_output(TUTORIAL.read_text(encoding="utf-8"))
        TUTORIAL.write_text(page, encoding="utf-8")
        draw(page, TUTORIAL.parent)
