"""From the bytes of a file to characters, piece by piece, and what was found on the way."""

import codecs
from collections.abc import Iterator
from dataclasses import dataclass
from io import IncrementalNewlineDecoder
from shlex import quote
from typing import BinaryIO, NamedTuple

from charrnn.errors import InputError
from charrnn.text.text import REPLACEMENT

PIECE = 1 << 18  # bytes that are decoded at a time
HEAD = 1 << 13  # bytes that tell a document from a text
MARKS = {  # the byte order marks; that of UTF-32 begins with the one of UTF-16
    "utf-32": (codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE),
    "utf-16": (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE),
    "utf-8": (codecs.BOM_UTF8,),
}
ORDERS = {  # the encodings in which a mark, or else the first place, chooses one
    "utf-32": ("utf-32-le", "utf-32-be"),
    "utf-16": ("utf-16-le", "utf-16-be"),
    "utf-8-sig": ("utf-8",),
}
WRONG = "\ud800"  # stands for invalid bytes: half of a character, which no encoding of files has
codecs.register_error("charrnn.wrong", lambda error: (WRONG, error.end))  # type: ignore[attr-defined]


class Decoding(NamedTuple):
    """How bytes are read: an encoding that Python knows; strict or replace; normal or keep."""

    encoding: str = "utf-8"
    errors: str = "strict"
    newlines: str = "normal"


@dataclass
class Found:
    """What was found in a file, and changed but for `other_mark`, the mark of another encoding."""

    marked: bool = False
    other_mark: str | None = None
    crlf: int = 0
    returns: int = 0  # those of CR LF among them
    wrong: int = 0
    first_wrong: int = 0  # where it is, in bytes
    nul: int = 0


class Decoder:
    """The characters of a file, to be had again and again; `found` is what the last time found.

    Raises, at the place of the first of them: InputError for invalid bytes and for NUL.
    """

    def __init__(self, file: BinaryIO, label: str, decoding: Decoding) -> None:
        self._file, self._label, self._decoding = file, label, decoding
        self._head = file.read(HEAD)
        self._codec, self._begin = self._codec_and_mark()
        self._mark = next((m for m in MARKS if self._head.startswith(MARKS[m])), None)
        self.found = Found()

    def __call__(self) -> Iterator[str]:
        """The characters, piece by piece."""
        other = None if self._begin else self._mark
        found = self.found = Found(marked=self._begin > 0, other_mark=other)
        nul_is_a_byte = "\0".encode(self._codec) == b"\0"
        if self._decoding.errors == "strict":
            self._check_head(nul_is_a_byte)
        decoder = codecs.getincrementaldecoder(self._codec)()
        newlines = IncrementalNewlineDecoder(None, translate=True)
        start, held, ended, lenient = self._file.seek(self._begin), b"", False, False
        while not ended:
            content = self._file.read(PIECE)
            ended, content = not content, held + content
            held, before = b"", decoder.getstate()
            try:
                piece = decoder.decode(content, ended)
            except UnicodeDecodeError as error:
                # what was decoded is this piece, after what the one before it left over
                found.first_wrong = start + len(content) - len(error.object) + error.start
                wrong_byte = error.object[error.start]
                decoder, lenient = codecs.getincrementaldecoder(self._codec)("charrnn.wrong"), True
                decoder.setstate(before)
                piece = decoder.decode(content, ended)
            except UnicodeError:  # the piece ends in an escape sequence too long to be left over
                decoder.setstate(before)
                held = content
                continue
            if self._decoding.errors == "strict":
                nul = piece.find("\0")
                if nul >= 0 and WRONG not in piece[:nul]:
                    size = len(piece[:nul].encode(self._codec)) - len(before[0])
                    raise self._binary(start + (content.find(b"\0") if nul_is_a_byte else size))
                if lenient:
                    raise self._invalid(wrong_byte, found.first_wrong)
            else:
                found.nul += piece.count("\0")
                found.wrong += piece.count(WRONG) if lenient else 0
                piece = piece.replace("\0", REPLACEMENT).replace(WRONG, REPLACEMENT)
            start += len(content)
            if self._decoding.newlines == "normal":
                normal = newlines.decode(piece, ended)
                found.returns += piece.count("\r")
                found.crlf += len(piece) - len(normal)  # in the end: one may be held back
                piece = normal
            yield piece

    def _codec_and_mark(self) -> tuple[str, int]:
        """The codec with its byte order, and the length of its mark at the file's start."""
        name = codecs.lookup(self._decoding.encoding).name
        names = ORDERS.get(name, (name,))
        for codec in names:
            mark = "\ufeff".encode(codec, "ignore")
            if mark and self._head.startswith(mark):
                return codec, len(mark)
        return names[0], 0

    def _check_head(self, nul_is_a_byte: bool) -> None:
        """Raises InputError for what is plainly no text, or one in UTF-16 or UTF-32."""
        if self._codec == "utf-8" and self._mark in ("utf-16", "utf-32"):
            raise InputError(
                f"{self._label} is {self._mark.upper()}, not UTF-8 (byte order mark at byte 0).",
                self._by_mark(),
            )
        if nul_is_a_byte and b"\0" in self._head:
            raise self._binary(self._head.index(b"\0"))

    def _binary(self, offset: int) -> InputError:
        hint = "give plain text, not a document; if it is UTF-16, --encoding utf-16"
        return InputError(
            f"{self._label} is binary: NUL at byte {offset}.", self._by_mark() or hint
        )

    def _invalid(self, byte: int, offset: int) -> InputError:
        encoding = self._decoding.encoding
        hint = "train and eval take another --encoding, and --errors replace."
        if self._codec == "utf-8":
            hint = "train and eval take --encoding latin-1 (or cp1252), and --errors replace"
            if self._label != "standard input":
                hint += f"; or: iconv -f latin1 -t utf-8 {quote(self._label)} > converted.txt"
        return InputError(
            f"{self._label} is not {encoding.upper()}: byte 0x{byte:02x} at offset {offset}.",
            self._by_mark() or hint,
        )

    def _by_mark(self) -> str | None:
        if self._begin or not self._mark:
            return None
        return f"it begins with the byte order mark of {self._mark}: --encoding {self._mark}"
