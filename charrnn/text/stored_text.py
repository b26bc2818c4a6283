"""Large texts, whose ids are stored when they are first read, and mapped from then on."""

import codecs
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import asdict
from typing import BinaryIO

from charrnn.arrays import Array
from charrnn.system.array_files import StoredArray, open_array
from charrnn.system.progress import Progress, watch_reading
from charrnn.text.alphabet import Alphabet
from charrnn.text.decoding import Decoder, Decoding, DecodingReport
from charrnn.text.file_identity import Status, digest_of, require_unchanged, size_of, statuses_of
from charrnn.text.file_text import FileText, LongerText, Source, changed, first_characters
from charrnn.text.sources import open_source, source_label
from charrnn.text.stored_ids import CannotStore, Contents, Origin, mapped_from, name_of, stored
from charrnn.text.text import Text
from charrnn.text.text_versions import TextName, record_use

MAX_BYTES_PER_CHARACTER = 8  # of a text that should not be longer than another one
PASSES = 3  # over the files: for their digest, their characters, and the ids of these
BINARY = -1  # in place of the length of a file that is left out


def is_large(sources: Sequence[Source], at_most: float) -> bool:
    """Whether files are so large that their ids are stored; a stream never is.

    at_most: the number of characters that they should have; of far more, nothing is stored.
    """
    size = size_of(sources)
    return size is not None and mapped_from() <= size <= MAX_BYTES_PER_CHARACTER * at_most


def stored_texts(
    text: TextName, sources: Sequence[Source], decoding: Decoding, at_most: float
) -> list[FileText | None]:
    """The texts of files, mapped from a file of the cache, which is made the first time.

    Args:
        text: What they are listed as.
        sources: The files.
        decoding: How to decode them.
        at_most: The number of characters after which to stop.

    Returns:
        As `read_file` for each file, but with one alphabet for all.

    Raises:
        CannotStore: The ids cannot be written.
        InputError, LongerText: As `read_file`.
    """
    statuses = statuses_of(sources)
    label = text.paths[0]
    with ExitStack() as stack:
        advance = _Advance(stack, label, sum(status[1] for status in statuses))
        how = [codecs.lookup(decoding.encoding).name, decoding.errors, decoding.newlines]
        digest = digest_of(sources, statuses, advance)
        name = name_of("read", digest, how)
        found = open_array(name)
        if found is None:
            scan = _Scan(sources, statuses, decoding, at_most, advance)
            found = stored(name, lambda: scan.contents(label))
    record_use(text, digest, name)
    return _divided(found, name, label, sources, at_most)


class _Advance:
    """Shows how reading goes, from the first bytes on."""

    def __init__(self, stack: ExitStack, label: str, size: int) -> None:
        self._stack, self._label, self._size = stack, label, size
        self._done = 0
        self._show: Progress | None = None

    def __call__(self, size: int) -> None:
        """Adds bytes that were read."""
        if self._show is None:
            self._show = self._stack.enter_context(watch_reading.get()(self._label))
        self._done += size
        self._show(self._done // PASSES, self._size)


class _Scan:
    """Reads files in two passes, and never more than a chunk of them at a time."""

    def __init__(
        self,
        sources: Sequence[Source],
        statuses: list[Status],
        decoding: Decoding,
        at_most: float,
        advance: Callable[[int], object],
    ) -> None:
        self._sources, self._statuses, self._decoding = sources, statuses, decoding
        self._at_most, self._advance = at_most, advance
        self._alphabet = Alphabet()
        self._lengths: list[int] = []

    def contents(self, label: str) -> Contents:
        """The ids of all files, and facts on each, once their characters are known."""
        reports = {}
        for number, source in enumerate(self._sources):
            before = self._alphabet.length
            with open_source(source.path) as file:
                decoder = Decoder(file, source_label(source.path), self._decoding)
                if source.skip_binary and decoder.binary:
                    self._lengths.append(BINARY)
                    continue
                left = self._at_most - before
                for chunk in first_characters(left, self._read(decoder, file), source.path):
                    self._alphabet.add(chunk)
            self._lengths.append(self._alphabet.length - before)
            if decoder.report != DecodingReport():
                reports[number] = asdict(decoder.report)
        if not self._alphabet.length:
            raise CannotStore("a file: there are none")
        facts = {
            "label": label,
            "characters": self._alphabet.characters,
            "lengths": self._lengths,
            "reports": reports,
        }
        return Contents(self._alphabet.dtype, self._alphabet.length, self._ids(), facts)

    def _ids(self) -> Iterator[Array]:
        for source, length in zip(self._sources, self._lengths, strict=True):
            if length == BINARY:
                continue
            with open_source(source.path) as file:
                decoder = Decoder(file, source_label(source.path), self._decoding)
                for chunk in self._read(decoder, file):
                    length -= len(chunk)
                    try:
                        ids = self._alphabet.ids(chunk)
                    except ValueError:
                        raise changed(source.path) from None
                    yield ids
            if length:
                raise changed(source.path)
        require_unchanged(self._sources, self._statuses)

    def _read(self, decoder: Decoder, file: BinaryIO) -> Iterator[str]:
        position = 0
        for chunk in decoder():
            yield chunk
            position, before = file.tell(), position
            self._advance(position - before)


def _divided(
    found: StoredArray, name: str, label: str, sources: Sequence[Source], at_most: float
) -> list[FileText | None]:
    """The texts of the files in a stored array."""
    facts, texts, start = found.facts, list[FileText | None](), 0
    for number, (source, length) in enumerate(zip(sources, facts["lengths"], strict=True)):
        if length == BINARY:
            texts.append(None)
            continue
        stop = start + length
        if stop > at_most:
            raise LongerText(
                f"{source_label(source.path)} has more characters than it should have."
            )
        report = DecodingReport(**facts["reports"].get(str(number), {}))
        origin = Origin(name, label, start, stop, name)
        texts.append(FileText(Text(facts["characters"], found.array[start:stop], origin), report))
        start = stop
    return texts
