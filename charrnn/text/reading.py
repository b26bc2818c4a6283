"""Reads files as texts, and notes what was changed."""

import logging
import os
from collections.abc import Callable, Iterator, Sequence
from io import BytesIO
from math import inf
from typing import NamedTuple

from charrnn.errors import InputError
from charrnn.text.decoding import Decoder, Decoding, DecodingReport
from charrnn.text.file_identity import size_of
from charrnn.text.file_text import FileText, Source, read_file
from charrnn.text.sources import (
    ALL_FILES,
    STDIN,
    Selection,
    String,
    list_files,
    open_source,
    source_label,
)
from charrnn.text.stored_ids import CannotStore, require_memory
from charrnn.text.stored_text import is_large, stored_texts
from charrnn.text.text import Text
from charrnn.text.text_versions import TextName
from charrnn.wording import pluralize

DEFAULT_DECODING = Decoding()
LOG = logging.getLogger(__name__)
Reports = list[tuple[str, DecodingReport]]  # each with the label of its file


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
    listed = [(path, *list_files(path, selection)) for path in paths]
    sources = [Source(file, files != [path]) for path, files, _ in listed for file in files]
    notes: list[str] = []
    directories = any(files != [path] for path, files, _ in listed)
    chosen = selection if directories else ALL_FILES
    read = _read_files((paths, chosen), sources, decoding, at_most, notes)
    texts: list[Text] = []
    filled: Reports = []
    empty: Reports = []
    for path, files, skipped in listed:
        binary = []
        for file in files:
            found = next(read)
            if found is None:
                binary.append(file)
                continue
            text, report = found
            LOG.info(f"read {source_label(file)}: {pluralize(len(text), 'character')}")
            if text:
                texts.append(text)
            (filled if text else empty).append((source_label(file), report))
        if files != [path]:
            notes.append(_directory_note(path, len(files), binary, skipped))
    if not texts:
        raise _all_empty(empty)
    if empty:
        notes.append(f"{_subject(empty)}: empty, left out.")
    return Reading(texts, (*notes, *_notes(filled)))


def _read_files(
    listed: tuple[Sequence[str], Selection],
    sources: Sequence[Source],
    decoding: Decoding,
    at_most: float,
    notes: list[str],
) -> Iterator[FileText | None]:
    """The texts of files as `read_file` gives them; stored if they are large.

    listed: the paths and the selection by which they are known. notes gets one if they are large
    and cannot be stored.
    """
    if is_large(sources, at_most):
        name = TextName(tuple(map(os.path.abspath, listed[0])), listed[1])
        try:
            yield from stored_texts(name, sources, decoding, at_most)
            return
        except CannotStore as error:
            size, label = size_of(sources) or 0, source_label(sources[0].path)
            require_memory(size, label, error)
            notes.append(f"{label} is read into memory, since its ids cannot be stored in {error}.")
    for source in sources:
        found = read_file(source, decoding, at_most)
        at_most -= len(found.text) if found else 0
        yield found


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
