"""From files to one text, with what was changed on the way."""

import os
import stat
import sys
from codecs import BOM_UTF8, BOM_UTF16_BE, BOM_UTF16_LE, getincrementaldecoder
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO, IncrementalNewlineDecoder
from pathlib import Path
from typing import BinaryIO, NamedTuple

from charrnn.errors import InputError
from charrnn.text.text import Text

STDIN = "-"
PIECE = 1 << 18  # bytes that are decoded at a time


class Reading(NamedTuple):
    """The text of each file, and what the reader should know about them."""

    documents: list[Text]
    remarks: tuple[str, ...]

    @property
    def text(self) -> Text:
        """All of them, one after another."""
        return Text.joined(self.documents)


def read_text(paths: list[str]) -> Reading:
    """The files' contents in order, newlines as \\n; "-" is standard input.

    Raises: InputError where a file is missing, empty, binary or not UTF-8.
    """
    texts, remarks = [], []
    for path in paths:
        with _opened(path) as file:
            text, notes = _read(file, _label(path))
        texts.append(text)
        remarks += notes
    return Reading(texts, tuple(remarks))


def _label(path: str) -> str:
    return "standard input" if path == STDIN else path


@contextmanager
def _opened(path: str) -> Iterator[BinaryIO]:
    """The file, to be read twice: kept in memory where it comes from elsewhere than a disk."""
    if path == STDIN:
        yield BytesIO(sys.stdin.buffer.read())
        return
    try:
        mode = os.stat(path).st_mode
        if stat.S_ISCHR(mode):
            raise InputError(f"{path!r} is a device.", "give a file, or - for standard input.")
        with Path(path).open("rb") as file:
            yield file if stat.S_ISREG(mode) else BytesIO(file.read())
    except FileNotFoundError:
        raise InputError(
            f"there is no file {path!r}.", "give a text file in UTF-8, or - for standard input."
        ) from None
    except IsADirectoryError:
        raise InputError(
            f"{path!r} is a directory.", f"name the files in it, such as {path.rstrip('/')}/*.txt"
        ) from None
    except OSError as error:
        raise InputError(f"{path!r} cannot be read: {error.strerror}.") from None


def _read(file: BinaryIO, label: str) -> tuple[Text, list[str]]:
    start = file.read(len(BOM_UTF8))
    if not start:
        raise InputError(f"{label} is empty.", "give a text of some kilobytes at least.")
    if start.startswith((BOM_UTF16_LE, BOM_UTF16_BE)):
        raise InputError(
            f"{label} is UTF-16, not UTF-8 (byte order mark at byte 0).",
            f"convert it: iconv -f utf-16 -t utf-8 {label} > converted.txt",
        )
    begin = len(BOM_UTF8) if start == BOM_UTF8 else 0
    returns = 0

    def pieces() -> Iterator[str]:
        nonlocal returns
        returns = 0
        for content, decoded in _decoded(file, begin, label):
            returns += content.count(b"\r")
            yield decoded

    try:
        text = Text.of_pieces(pieces)
    except ValueError:
        raise InputError(f"{label} was changed while it was read.", "try again.") from None
    remarks = []
    if begin:
        remarks.append(f"{label}: a byte order mark was left out.")
        if not text:
            raise InputError(f"{label} is empty but for a byte order mark.")
    if returns:
        remarks.append(f"{label}: {returns:,} line ends with carriage return were read as \\n.")
    return text, remarks


def _decoded(file: BinaryIO, begin: int, label: str) -> Iterator[tuple[bytes, str]]:
    """The file from a byte on, piece by piece, and what each says, with newlines as \\n."""
    decoder = IncrementalNewlineDecoder(getincrementaldecoder("utf-8")(), translate=True)
    start, content = file.seek(begin), b"more"
    while content:
        content = file.read(PIECE)
        nul = content.find(b"\0")
        if nul >= 0:
            raise InputError(
                f"{label} is binary: NUL at byte {start + nul}.",
                "give plain text in UTF-8, not a document.",
            )
        try:
            yield content, decoder.decode(content, final=not content)
        except UnicodeDecodeError as error:
            # what was decoded is this piece, after what the one before it left over
            offset = start + len(content) - len(error.object) + error.start
            raise InputError(
                f"{label} is not UTF-8: byte 0x{error.object[error.start]:02x} at offset {offset}.",
                f"if it is Latin-1: iconv -f latin1 -t utf-8 {label} > converted.txt",
            ) from None
        start += len(content)
