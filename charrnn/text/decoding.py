"""From the bytes of a file to characters, piece by piece, and what was found on the way."""

import codecs
from collections.abc import Iterator
from dataclasses import dataclass
from io import IncrementalNewlineDecoder
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
    first_wrong: int = 0  # where the first one is, in bytes
    first_byte: int | None = None
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
        self._wide = "\0".encode(self._codec) != b"\0"  # else a NUL is a byte
        self.found = Found()

    def __call__(self) -> Iterator[str]:
        """The characters, piece by piece."""
        other = None if self._begin else self._mark
        found = self.found = Found(marked=self._begin > 0, other_mark=other)
        strict, normal = self._decoding.errors == "strict", self._decoding.newlines == "normal"
        if strict:
            self._check_head()
        newlines = IncrementalNewlineDecoder(None, translate=True)
        for piece, start, content in self._decoded():
            if strict:
                self._check(piece, start, content)
            else:
                found.nul += piece.count("\0")
                found.wrong += piece.count(WRONG)
                piece = piece.replace("\0", REPLACEMENT).replace(WRONG, REPLACEMENT)
            if normal:
                found.returns += piece.count("\r")
                found.crlf += len(piece)  # of CR LF only one is left
                piece = newlines.decode(piece)
                found.crlf -= len(piece)
            yield piece
        last = newlines.decode("", final=True)  # a CR at the end was held back
        found.crlf -= len(last)
        yield last

    def _decoded(self) -> Iterator[tuple[str, int, bytes]]:
        """The pieces, WRONG for what is invalid; where in the file each begins; what it was."""
        make = codecs.getincrementaldecoder(self._codec)
        decoder, start, held = make(), self._file.seek(self._begin), b""
        while True:
            content = self._file.read(PIECE)
            ended, content = not content, held + content
            held, (left_over, _) = b"", (before := decoder.getstate())
            try:
                piece = decoder.decode(content, ended)
            except UnicodeDecodeError as error:  # the first one
                self.found.first_wrong = start - len(left_over) + error.start
                self.found.first_byte = error.object[error.start]
                decoder = make("charrnn.wrong")
                decoder.setstate(before)
                piece = decoder.decode(content, ended)
            except UnicodeError:  # the piece ends in a longer escape sequence than can be left over
                decoder.setstate(before)
                held = content
                continue
            yield piece, start - len(left_over), left_over + content
            start += len(content)
            if ended:
                return

    def _codec_and_mark(self) -> tuple[str, int]:
        """The codec with its byte order, and the length of its mark at the file's start."""
        name = codecs.lookup(self._decoding.encoding).name
        names = ORDERS.get(name, (name,))
        for codec in names:
            mark = "\ufeff".encode(codec, "ignore")
            if mark and self._head.startswith(mark):
                return codec, len(mark)
        return names[0], 0

    def _check_head(self) -> None:
        """Raises InputError for what is plainly no text, or one in UTF-16 or UTF-32."""
        if self._codec == "utf-8" and self._mark in ("utf-16", "utf-32"):
            raise InputError(
                f"{self._label} is {self._mark.upper()}, not UTF-8 (byte order mark at byte 0).",
                self._by_mark(),
            )
        if not self._wide and b"\0" in self._head:
            raise self._binary(self._head.index(b"\0"))

    def _check(self, piece: str, start: int, content: bytes) -> None:
        """Raises InputError for the first NUL or the first invalid bytes of a piece."""
        nul = piece.find("\0")
        before = piece if nul < 0 else piece[:nul]
        if self.found.first_byte is not None and WRONG in before:
            raise self._invalid(self.found.first_byte, self.found.first_wrong)
        if nul >= 0:
            in_front = before.encode(self._codec) if self._wide else content[: content.find(b"\0")]
            raise self._binary(start + len(in_front))

    def _binary(self, offset: int) -> InputError:
        order = "le" if offset % 2 else "be"  # of Latin letters the NUL is the upper half
        hint = f"give plain text; if it is that in UTF-16, name it: --encoding utf-16-{order}"
        return InputError(
            f"{self._label} is binary: NUL at byte {offset}.", self._by_mark() or hint
        )

    def _invalid(self, byte: int, offset: int) -> InputError:
        hint = (
            "if it is in another encoding, name it, such as --encoding cp1252 or shift_jis; "
            "or let what is invalid be replaced: --errors replace"
        )
        return InputError(
            f"{self._label} is not {self._decoding.encoding.upper()}: "
            f"byte 0x{byte:02x} at offset {offset}.",
            self._by_mark() or hint,
        )

    def _by_mark(self) -> str | None:
        """What to do where the file begins with the mark of another encoding."""
        if self._begin or not self._mark:
            return None
        return f"by its byte order mark it is read with --encoding {self._mark}"
