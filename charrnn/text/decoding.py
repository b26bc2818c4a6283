"""Decodes the bytes of a file in chunks, and reports what it changed."""

import codecs
from collections.abc import Iterator
from dataclasses import dataclass
from io import IncrementalNewlineDecoder
from typing import BinaryIO, NamedTuple

from charrnn.errors import InputError
from charrnn.text.binary import is_binary, kind_of_binary, utf16_order
from charrnn.text.text import REPLACEMENT

CHUNK_BYTES = 1 << 18  # decoded at a time
HEAD_BYTES = 1 << 13  # checked for NUL before anything is decoded
BYTE_ORDER_MARKS = {  # that of UTF-32 starts with that of UTF-16, so it comes first
    "utf-32": (codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE),
    "utf-16": (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE),
    "utf-8": (codecs.BOM_UTF8,),
}
CUT = "pending buffer overflow"  # of an escape sequence too long to keep, since Python 3.13
BYTE_ORDERS = {  # the codecs of an encoding; without a mark the first is used
    "utf-32": ("utf-32-le", "utf-32-be"),
    "utf-16": ("utf-16-le", "utf-16-be"),
    "utf-8-sig": ("utf-8",),
}
INVALID = "\ud800"  # stands for invalid bytes: no codec decodes to half a surrogate pair
ON_ERROR = "charrnn.invalid"
codecs.register_error(ON_ERROR, lambda error: (INVALID, error.end))  # type: ignore[attr-defined]


class Decoding(NamedTuple):
    """How to decode files.

    Attributes:
        encoding: A text encoding that Python knows.
        errors: "strict" raises for invalid bytes and NUL, "replace" decodes them as U+FFFD.
        newlines: "normal" decodes CR LF and CR as a newline, "keep" leaves them.
    """

    encoding: str = "utf-8"
    errors: str = "strict"
    newlines: str = "normal"

    @property
    def is_utf8(self) -> bool:
        """Whether the encoding is UTF-8, whatever its spelling."""
        return codecs.lookup(self.encoding).name == "utf-8"


@dataclass
class DecodingReport:
    """What was unusual in a file.

    Attributes:
        mark_skipped: Whether it starts with a byte order mark, which was left out.
        other_mark: The encoding of a byte order mark that was decoded as text.
        crlf: The number of CR LF that were decoded as a newline.
        carriage_returns: The number of CR that were, those of CR LF included.
        invalid: The number of invalid byte sequences.
        first_invalid_offset: The position of the first of them, in bytes.
        first_invalid_byte: Its first byte; None if there are none.
        nul: The number of NUL characters.
    """

    mark_skipped: bool = False
    other_mark: str | None = None
    crlf: int = 0
    carriage_returns: int = 0
    invalid: int = 0
    first_invalid_offset: int = 0
    first_invalid_byte: int | None = None
    nul: int = 0


class Decoder:
    """Decodes a file; can be called again.

    Attributes:
        report: The report on the file, complete after the last chunk of a call.
    """

    def __init__(self, file: BinaryIO, label: str, decoding: Decoding) -> None:
        self._file, self._label, self._decoding = file, label, decoding
        self._head = file.read(HEAD_BYTES)
        self._codec, self._mark_size = self._detect_codec()
        self._mark = next(
            (name for name, marks in BYTE_ORDER_MARKS.items() if self._head.startswith(marks)), None
        )
        self._nul_is_a_byte = "\0".encode(self._codec) == b"\0"
        self.report = DecodingReport()

    def __call__(self) -> Iterator[str]:
        """The characters of the file in chunks.

        Raises:
            InputError: There are invalid bytes or a NUL, and `errors` is "strict".
        """
        other_mark = None if self._mark_size else self._mark
        report = self.report = DecodingReport(self._mark_size > 0, other_mark)
        strict, normal = self._decoding.errors == "strict", self._decoding.newlines == "normal"
        if strict:
            self._check_head()
        newlines = IncrementalNewlineDecoder(None, translate=True)
        for chunk, start, content in self._decode():
            if strict:
                self._check(chunk, start, content)
            else:
                report.nul += chunk.count("\0")
                report.invalid += chunk.count(INVALID)
                chunk = chunk.replace("\0", REPLACEMENT).replace(INVALID, REPLACEMENT)
            if normal:
                report.carriage_returns += chunk.count("\r")
                report.crlf += len(chunk)  # each CR LF becomes one character shorter
                chunk = newlines.decode(chunk)
                report.crlf -= len(chunk)
            yield chunk
        last = newlines.decode("", final=True)  # a CR at the end was held back
        report.crlf -= len(last)
        yield last

    @property
    def binary(self) -> bool:
        """Whether the file is no text in this encoding, by its first bytes."""
        return self._nul_is_a_byte and is_binary(self._head, self._codec)

    def valid_utf8(self) -> bool:
        """Whether all of the file is UTF-8, and not only ASCII."""
        decoder, ascii_only = codecs.getincrementaldecoder("utf-8")(), True
        self._file.seek(0)
        try:
            while content := self._file.read(CHUNK_BYTES):
                decoder.decode(content)
                ascii_only &= content.isascii()
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            return False
        return not ascii_only

    def _decode(self) -> Iterator[tuple[str, int, bytes]]:
        """Chunks with INVALID for invalid bytes, each with its byte offset and its bytes."""
        make_decoder = codecs.getincrementaldecoder(self._codec)
        decoder, start, undecoded = make_decoder(), self._file.seek(self._mark_size), b""
        while True:
            content = self._file.read(CHUNK_BYTES)
            ended, content = not content, undecoded + content
            undecoded, (pending, _) = b"", (before := decoder.getstate())
            try:
                chunk = decoder.decode(content, ended)
            except UnicodeError as error:
                decoder.setstate(before)
                if not isinstance(error, UnicodeDecodeError) or error.reason == CUT:
                    undecoded = content
                    continue
                # the first one: from here on none is raised
                self.report.first_invalid_offset = start - len(pending) + error.start
                self.report.first_invalid_byte = error.object[error.start]
                decoder = make_decoder(ON_ERROR)
                decoder.setstate(before)
                chunk = decoder.decode(content, ended)
            yield chunk, start - len(pending), pending + content
            start += len(content)
            if ended:
                return

    def _detect_codec(self) -> tuple[str, int]:
        """The codec with its byte order, and the length of the byte order mark to skip."""
        name = codecs.lookup(self._decoding.encoding).name
        names = BYTE_ORDERS.get(name, (name,))
        for codec in names:
            mark = "\ufeff".encode(codec, "ignore")
            if mark and self._head.startswith(mark):
                return codec, len(mark)
        return names[0], 0

    def _check_head(self) -> None:
        """Raises InputError for a file that is plainly binary, or UTF-16 or UTF-32."""
        if self._codec == "utf-8" and self._mark in ("utf-16", "utf-32"):
            raise InputError(
                f"{self._label} is {self._mark.upper()}, not UTF-8 (byte order mark at byte 0).",
                self._hint_from_mark(),
            )
        if self.binary:
            kind = kind_of_binary(self._head)
            if kind and not self._mark:
                raise InputError(f"{self._label} is {kind}, not plain text.", "give plain text.")
            raise self._binary(self._head.index(b"\0"))

    def _check(self, chunk: str, start: int, content: bytes) -> None:
        """Raises InputError for the first NUL or the first invalid bytes of a chunk."""
        nul = chunk.find("\0")
        before = chunk if nul < 0 else chunk[:nul]
        if self.report.first_invalid_byte is not None and INVALID in before:
            raise self._invalid(self.report.first_invalid_byte, self.report.first_invalid_offset)
        if nul >= 0:
            size = content.find(b"\0") if self._nul_is_a_byte else len(before.encode(self._codec))
            raise self._binary(start + size)

    def _binary(self, offset: int) -> InputError:
        hint = "give plain text."
        if order := utf16_order(self._head):
            hint = f"if it is UTF-16, name it: `data.encoding=utf-16-{order}`"
        return InputError(
            f"{self._label} is binary: NUL at byte {offset}.", self._hint_from_mark() or hint
        )

    def _invalid(self, byte: int, offset: int) -> InputError:
        name = codecs.lookup(self._decoding.encoding).name
        if not self._decoding.is_utf8 and self.valid_utf8():
            hint = "it is valid UTF-8: `data.encoding=utf-8`"
        else:
            others = [other for other in ("cp1252", "shift_jis", "utf-8") if other != name]
            hint = (
                f"if it is in another encoding, name it, such as `data.encoding={others[0]}` or "
                f"{others[1]}; or replace invalid bytes with U+FFFD: `data.errors=replace`"
            )
        return InputError(
            f"{self._label} is not {self._decoding.encoding.upper()}: "
            f"byte 0x{byte:02x} at offset {offset}.",
            self._hint_from_mark() or hint,
        )

    def _hint_from_mark(self) -> str | None:
        """What to do with a file that starts with the mark of another encoding."""
        if self._mark_size or not self._mark:
            return None
        return f"its byte order mark says `data.encoding={self._mark}`"
