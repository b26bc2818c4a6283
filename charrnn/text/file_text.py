"""The text of a single file."""

import os
from collections.abc import Iterator
from math import inf
from typing import NamedTuple

from charrnn.errors import InputError
from charrnn.text.decoding import Decoder, Decoding, DecodingReport
from charrnn.text.sources import STDIN, open_source, source_label
from charrnn.text.text import Text


class Source(NamedTuple):
    """A file to read, or standard input; and whether to leave it out if it is binary."""

    path: str
    skip_binary: bool


class FileText(NamedTuple):
    """The text of a file, and what was unusual in it."""

    text: Text
    report: DecodingReport


class LongerText(InputError):
    """There is more text than there should be; the rest is not read."""


def read_file(source: Source, decoding: Decoding, at_most: float) -> FileText | None:
    """Reads a file into memory.

    Args:
        source: The file.
        decoding: How to decode it.
        at_most: The number of characters after which to stop.

    Returns:
        Its text; None for a binary file that is to be left out.

    Raises:
        InputError: It cannot be read or decoded, or changes meanwhile.
        LongerText: It has more characters than `at_most`.
    """
    path = source.path
    if at_most < inf and path != STDIN and os.path.isfile(path) and not os.path.getsize(path):
        return FileText(Text.of(""), DecodingReport())  # one of /proc has no size, and maybe no end
    with open_source(path) as file:
        decoder = Decoder(file, source_label(path), decoding)
        if source.skip_binary and decoder.binary:
            return None
        try:
            text = Text.of_chunks(lambda: first_characters(at_most, decoder(), path))
        except ValueError:
            raise changed(path) from None
        return FileText(text, decoder.report)


def first_characters(at_most: float, chunks: Iterator[str], path: str) -> Iterator[str]:
    """The chunks, up to so many characters. Raises LongerText if there are more."""
    for chunk in chunks:
        at_most -= len(chunk)
        if at_most < 0:
            raise LongerText(f"{source_label(path)} has more characters than it should have.")
        yield chunk


def changed(path: str) -> InputError:
    """The error for a file that is not the same when it is read the second time."""
    return InputError(f"{source_label(path)} changed while it was being read.", "try again.")
