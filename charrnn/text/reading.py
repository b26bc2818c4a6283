"""Reads files as texts, and notes what was changed."""

import logging
import os
from collections.abc import Callable, Iterator
from io import BytesIO
from math import inf
from typing import NamedTuple

from charrnn.errors import InputError
from charrnn.text.decoding import Decoder, Decoding, DecodingReport
from charrnn.text.sources import (
    ALL_FILES,
    STDIN,
    Selection,
    String,
    list_files,
    open_source,
    source_label,
)
from charrnn.text.text import Text
from charrnn.wording import pluralize

DEFAULT_DECODING = Decoding()
LOG = logging.getLogger(__name__)
Reports = list[tuple[str, DecodingReport]]  # each with the label of its file


class LongerText(InputError):
    """There is more text than there should be; the rest is not read."""


class Reading(NamedTuple):
    """The text of each file that is not empty, and notes on them for the user."""

    documents: list[Text]
    notes: tuple[str, ...]

    @property
    def text(self) -> Text:
        """All of them, one after another."""
        return Text.concatenate(self.documents)


def read_text(
    paths: list[str] | String,
    decoding: Decoding = DEFAULT_DECODING,
    selection: Selection = ALL_FILES,
    at_most: float = inf,
) -> Reading:
    """Reads files, directories and standard input as texts.

    Args:
        paths: Files in order, directories for all their files sorted by path, "-" for standard
            input; or a text in their place.
        decoding: How to decode them; a string has no encoding.
        selection: Which files of directories to read; binary ones are left out.
        at_most: The number of characters after which to stop.

    Raises:
        InputError: A file is missing, binary or in another encoding, or all are empty.
        LongerText: There are more characters than `at_most`.
    """
    if isinstance(paths, String):
        return _read_string(paths, decoding)
    texts: list[Text] = []
    filled: Reports = []
    empty: Reports = []
    notes = []
    for path in paths:
        files, skipped = list_files(path, selection)
        directory = files != [path]
        binary = []
        for file in files:
            found = _read_file(file, decoding, at_most, skip_binary=directory)
            if found is None:
                binary.append(file)
                continue
            text, report = found
            LOG.info(f"read {source_label(file)}: {pluralize(len(text), 'character')}")
            at_most -= len(text)
            if text:
                texts.append(text)
            (filled if text else empty).append((source_label(file), report))
        if directory:
            notes.append(_directory_note(path, len(files), binary, skipped))
    if not texts:
        raise _all_empty(empty)
    if empty:
        notes.append(f"{_subject(empty)}: empty, left out.")
    return Reading(texts, (*notes, *_notes(filled)))


def _read_string(string: String, decoding: Decoding) -> Reading:
    """A string as a file of it would be read."""
    label, text = str(string), string.text
    strict = decoding.errors == "strict"
    try:
        content = text.encode(errors="strict" if strict else "surrogatepass")
    except UnicodeEncodeError as error:
        raise InputError(
            f"{label} has {text[error.start]!r}, half of a surrogate pair, at position "
            f"{error.start + 1:,}.",
            "leave it out, or replace it: `data.errors=replace`",
        ) from None
    decoder = Decoder(BytesIO(content), label, decoding._replace(encoding="utf-8"))
    found = Text.of_chunks(decoder)
    reports = [(label, decoder.report)]
    if not found:
        raise _all_empty(reports)
    return Reading([found], tuple(_notes(reports)))


def misread_utf8(paths: list[str] | String, decoding: Decoding) -> bool:
    """Whether files that are UTF-8 were read in another encoding, by the first one."""
    if isinstance(paths, String) or decoding.is_utf8 or STDIN in paths:
        return False
    files, _ = list_files(paths[0])
    with open_source(files[0]) as file:
        return Decoder(file, files[0], decoding).valid_utf8()


def _directory_note(path: str, files: int, binary: list[str], skipped: int) -> str:
    """What was read of a directory. Raises InputError if all of its files are binary."""
    if len(binary) == files:
        raise InputError(
            f"all {pluralize(files, 'file')} of the directory {path!r} are binary, such as "
            f"{binary[0]}.",
            "give a directory with plain text.",
        )
    note = f"{path}: {pluralize(files - len(binary), 'file')} read"
    if binary:
        note += f"; {pluralize(len(binary), 'binary file')} left out, such as {binary[0]}"
    if skipped:
        note += f"; {skipped:,} skipped, such as pipes and links to directories"
    return note + "."


def _read_file(
    path: str, decoding: Decoding, at_most: float, *, skip_binary: bool
) -> tuple[Text, DecodingReport] | None:
    """The text of a file; None for a binary file that is to be skipped."""
    if at_most < inf and path != STDIN and os.path.isfile(path) and not os.path.getsize(path):
        return Text.of(""), DecodingReport()  # a file of /proc has no size, and may have no end
    with open_source(path) as file:
        decoder = Decoder(file, source_label(path), decoding)
        if skip_binary and decoder.binary:
            return None
        try:
            return Text.of_chunks(lambda: _first(at_most, decoder(), path)), decoder.report
        except ValueError:
            raise InputError(
                f"{source_label(path)} changed while it was being read.", "try again."
            ) from None


def _first(at_most: float, chunks: Iterator[str], path: str) -> Iterator[str]:
    """The chunks, up to so many characters. Raises LongerText if there are more."""
    for chunk in chunks:
        at_most -= len(chunk)
        if at_most < 0:
            raise LongerText(f"{source_label(path)} has more characters than it should have.")
        yield chunk


def _all_empty(empty: Reports) -> InputError:
    what = f"{empty[0][0]} is empty" if len(empty) == 1 else f"all {len(empty):,} files are empty"
    mark = any(report.mark_skipped for _, report in empty)
    what += " except for a byte order mark" if mark else ""
    return InputError(f"{what}.", "give a text of at least some kilobytes.")


def _notes(reports: Reports) -> list[str]:
    """One note of each kind, however many files it is about."""

    def select(condition: Callable[[DecodingReport], object]) -> Reports:
        return [(label, report) for label, report in reports if condition(report)]

    notes = []
    if chosen := select(lambda report: report.mark_skipped):
        notes.append(f"{_subject(chosen)}: a byte order mark was left out.")
    for mark in sorted({report.other_mark for _, report in reports if report.other_mark}):
        chosen = [(label, report) for label, report in reports if report.other_mark == mark]
        notes.append(
            f"{_subject(chosen)}: the byte order mark of {mark} was read as text; "
            f"is it `data.encoding={mark}`?"
        )
    if chosen := select(lambda report: report.carriage_returns):
        crlf = sum(report.crlf for _, report in chosen)
        alone = sum(report.carriage_returns for _, report in chosen) - crlf
        notes.append(
            f"{_subject(chosen)}: {pluralize(crlf + alone, 'line end')} with carriage return read "
            f"as \\n ({crlf:,} CR LF, {alone:,} CR alone)."
        )
    if chosen := select(lambda report: report.invalid):
        invalid = pluralize(sum(report.invalid for _, report in chosen), "invalid byte sequence")
        label, report = chosen[0]
        first = f"at offset {report.first_invalid_offset:,}" + f" of {label}" * (len(chosen) > 1)
        notes.append(f"{_subject(chosen)}: {invalid} read as U+FFFD, the first {first}.")
    if chosen := select(lambda report: report.nul):
        nul = pluralize(sum(report.nul for _, report in chosen), "NUL character")
        notes.append(f"{_subject(chosen)}: {nul} read as U+FFFD.")
    return notes


def _subject(reports: Reports) -> str:
    """The file that a note is about, or their number and the first."""
    first = reports[0][0]
    return first if len(reports) == 1 else f"{len(reports):,} files ({first} is the first)"
