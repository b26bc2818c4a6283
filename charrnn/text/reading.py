"""From files to one string, with what was changed on the way."""

import os
import stat
import sys
from pathlib import Path
from typing import NamedTuple

from charrnn.errors import InputError

STDIN = "-"


class Reading(NamedTuple):
    """A text and what the reader should know about it."""

    text: str
    remarks: tuple[str, ...]


def read_text(paths: list[str]) -> Reading:
    """The files' contents joined in order, newlines as \\n; "-" is standard input.

    Raises: InputError where a file is missing, empty, binary or not UTF-8.
    """
    texts, remarks = [], []
    for path in paths:
        text, notes = _decode(_read_bytes(path), _label(path))
        texts.append(text)
        remarks += notes
    return Reading("".join(texts), tuple(remarks))


def _label(path: str) -> str:
    return "standard input" if path == STDIN else path


def _read_bytes(path: str) -> bytes:
    if path == STDIN:
        return sys.stdin.buffer.read()
    try:
        if stat.S_ISCHR(os.stat(path).st_mode):
            raise InputError(f"{path!r} is a device.", "give a file, or - for standard input.")
        return Path(path).read_bytes()
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


def _decode(content: bytes, label: str) -> tuple[str, list[str]]:
    if not content:
        raise InputError(f"{label} is empty.", "give a text of some kilobytes at least.")
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise InputError(
            f"{label} is UTF-16, not UTF-8 (byte order mark at byte 0).",
            f"convert it: iconv -f utf-16 -t utf-8 {label} > converted.txt",
        )
    nul = content.find(b"\0")
    if nul >= 0:
        raise InputError(
            f"{label} is binary: NUL at byte {nul}.", "give plain text in UTF-8, not a document."
        )
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise InputError(
            f"{label} is not UTF-8: byte 0x{content[error.start]:02x} at offset {error.start}.",
            f"if it is Latin-1: iconv -f latin1 -t utf-8 {label} > converted.txt",
        ) from None
    remarks = []
    if text.startswith("\ufeff"):
        text = text[1:]
        remarks.append(f"{label}: a byte order mark was left out.")
        if not text:
            raise InputError(f"{label} is empty but for a byte order mark.")
    returns = text.count("\r")
    if returns:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
        remarks.append(f"{label}: {returns:,} line ends with carriage return were read as \\n.")
    return text, remarks
