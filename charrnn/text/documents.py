"""A text as separate documents: a control character starts and ends each of them."""

from collections.abc import Sequence

import numpy as np
from numpy.random import Generator

from charrnn.arrays import Array
from charrnn.errors import InputError
from charrnn.text.delimited import (
    Delimited,
    DelimitedSequences,
    first_sequences,
    padded,
    positions_of,
    random_starts,
)
from charrnn.text.document_windows import DocumentWindows
from charrnn.text.text import Text
from charrnn.window import Window

END_OF_TEXT = "\x03"


class Documents(DelimitedSequences):
    """Each file, ended by END_OF_TEXT; see `Sequences`."""

    name = "document"
    text_label = "the documents, one after another"
    delimiter: str | None = END_OF_TEXT
    single_line = False
    never_truncated = False

    def join(self, documents: list[Text]) -> Text:
        """One text from several, each with its END_OF_TEXT; empty ones are left out.

        Raises:
            InputError: One of them contains END_OF_TEXT.
        """
        for number, document in enumerate(documents, 1):
            place = document.characters.find(END_OF_TEXT)
            if place >= 0 and document.counts()[place]:
                raise InputError(
                    f"document {number} contains the character U+0003, which marks the end of a "
                    "document.",
                    "remove it, such as with tr -d '\\003'.",
                )
        end = Text.of(END_OF_TEXT)
        return Text.concatenate(
            [text for document in documents if document for text in (document, end)]
        )

    def split(
        self, text: Text, validation_fraction: float, file_lengths: Sequence[int] = ()
    ) -> tuple[Text, int]:
        """The text, and the number of characters to train on; the rest is its end.

        The cut is between two documents if that holds out between half and twice as much as
        wanted; else inside a document, which is then divided into two.
        """
        wanted = round(len(text) * validation_fraction)
        if not wanted:
            return text, len(text)
        end = text.characters.index(END_OF_TEXT)
        ends = positions_of(text.ids, end) + 1
        cut = len(text) - wanted
        held_out = len(text) - ends
        fitting = ends[(wanted <= 2 * held_out) & (held_out <= 2 * wanted)]
        if len(fitting):
            return text, int(fitting[np.abs(fitting - cut).argmin()])
        mark = Text(text.characters, np.array([end], text.ids.dtype))
        return Text.concatenate([text[:cut], mark, text[cut:]]), cut + 1

    def training_windows(
        self, ids: Array, batch_size: int, window: int | None, stride: int | None, seed: int
    ) -> DocumentWindows:
        """The windows to train on."""
        return DocumentWindows(ids, batch_size, window, stride)

    def head(self, ids: Array, max_characters: int | None) -> Array:
        """The first documents within `max_characters`; if the first is longer, its beginning."""
        first = first_sequences(ids, max_characters)
        if max_characters is None or len(first) <= max_characters:
            return first
        return np.append(first[: max_characters - 1], first[-1:])

    def has_passages(self, ids: Array, length: int) -> bool:
        """Whether a document has so many characters."""
        return bool(Delimited(ids).lengths.max() >= length)

    def random_window(
        self, ids: Array, random: Generator, time_steps: int, batch_size: int, context: int
    ) -> tuple[Array, Window]:
        """A window from random positions in long documents, and the ids (C, B) before it.

        If no document is long enough, the first steps of random documents, which no ids precede.
        """
        length = context + time_steps
        if not self.has_passages(ids, length):
            return random_starts(ids, random, time_steps, batch_size)
        documents = Delimited(ids)
        positions = np.maximum(documents.lengths - length + 1, 0)
        ends = positions.cumsum()
        chosen = random.choice(ends[-1], min(batch_size, ends[-1]), replace=False)
        document = np.searchsorted(ends, chosen, side="right")
        start = documents.starts[document] + chosen - (ends - positions)[document]
        x, y = padded(ids, start, np.full(len(start), length))
        fresh = np.full(len(start), context == 0)
        return x[:context], Window(x[context:], y[context:], fresh)

    def notes(self, documents: int, training: Array, validation: Array) -> tuple[str, ...]:
        """The number of documents, their lengths, and whether one is divided."""
        lengths, held_out = (
            Delimited(ids).lengths if len(ids) else np.empty(0, int)
            for ids in (training, validation)
        )
        shortest, longest = int(lengths.min()), int(lengths.max())
        sizes = f"{shortest:,} to {longest:,}" if shortest < longest else f"{longest:,}"
        notes = [
            f"documents: {len(lengths):,} to train on, of {sizes} characters; "
            f"{len(held_out):,} held out."
        ]
        if len(lengths) + len(held_out) > documents:
            notes.append("one document is divided: its end is held out.")
        return tuple(notes)
