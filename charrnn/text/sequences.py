"""What a text is to a model: one stream, or lines or documents that know nothing of each other."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np
from numpy.random import Generator

from charrnn.arrays import Array
from charrnn.text.batches import Batches, Windows, random_pieces, stream_window
from charrnn.text.delimited import (
    first_whole,
    history_within,
    random_starts,
    whole_windows,
)
from charrnn.text.documents import (
    END,
    DocumentBatches,
    document_remarks,
    end_held_out,
    first_documents,
    has_passages,
    joined_documents,
    random_passages,
)
from charrnn.text.lines import NEWLINE, LineBatches, joined_lines, line_remarks, shuffled_lines
from charrnn.text.text import Text
from charrnn.window import Window


@dataclass(frozen=True)
class Sequences:
    """How a text is cut.

    name: of one of them. place: what a character's position is counted in.
    end: the symbol that starts each one and ends it; None: nothing does.
    whole: whether training takes each one in a single window, whatever its length.
    joined(documents): one text of several.
    arranged(text, validation_fraction): the text to work with, and how many of its characters,
    from its start, are to train on.
    batches(ids, batch_size, window, stride, seed): the windows to train on.
    scoring(ids): windows in which each target stands once, each from the zero state.
    history(ids): how many ids each one follows in its sequence, its start included; those that
    follow none are no targets.
    head(ids, most): the first of the ids, at most so many, and of whole sequences.
    divided(ids, length): whether pieces of this length are drawn from anywhere in a sequence.
    drawn(ids, random, T, B, context): B random pieces of T steps as a window, and the ids (C, B)
    before it, from each sequence's start or with C = context.
    remarks(documents, training, validation): what to know about a text of so many documents.
    """

    name: str
    place: str
    end: str | None
    whole: bool
    joined: Callable[[list[Text]], Text]
    arranged: Callable[[Text, float], tuple[Text, int]]
    batches: Callable[[Array, int, int | None, int | None, int], Windows]
    scoring: Callable[[Array], Iterable[Window]]
    history: Callable[[Array], Array]
    head: Callable[[Array, int | None], Array]
    divided: Callable[[Array, int], bool]
    drawn: Callable[[Array, Generator, int, int, int], tuple[Array, Window]]
    remarks: Callable[[int, Array, Array], tuple[str, ...]]


def _cut_anywhere(text: Text, validation_fraction: float) -> tuple[Text, int]:
    return text, len(text) - round(len(text) * validation_fraction)


def _joined_remarks(documents: int, training: Array, validation: Array) -> tuple[str, ...]:
    if documents == 1:
        return ()
    return (
        f"{documents:,} files are joined into one stream; "
        "--set data.sequences=documents keeps them apart.",
    )


SEQUENCES = {
    "stream": Sequences(
        name="stream",
        place="the text",
        end=None,
        whole=False,
        joined=Text.joined,
        arranged=_cut_anywhere,
        batches=lambda ids, batch_size, window, stride, seed: Batches(
            ids, batch_size, window, stride
        ),
        scoring=lambda ids: [stream_window(ids)],
        history=lambda ids: np.arange(len(ids)),
        head=lambda ids, most: ids[:most],
        divided=lambda ids, length: True,
        drawn=random_pieces,
        remarks=_joined_remarks,
    ),
    "lines": Sequences(
        name="line",
        place="the lines that are not blank",
        end=NEWLINE,
        whole=True,
        joined=joined_lines,
        arranged=shuffled_lines,
        batches=lambda ids, batch_size, window, stride, seed: LineBatches(ids, batch_size, seed),
        scoring=whole_windows,
        history=history_within,
        head=first_whole,
        divided=lambda ids, length: False,
        drawn=random_starts,
        remarks=lambda documents, training, validation: line_remarks(training, validation),
    ),
    "documents": Sequences(
        name="document",
        place="the documents, one after another",
        end=END,
        whole=False,
        joined=joined_documents,
        arranged=end_held_out,
        batches=lambda ids, batch_size, window, stride, seed: DocumentBatches(
            ids, batch_size, window, stride
        ),
        scoring=whole_windows,
        history=history_within,
        head=first_documents,
        divided=has_passages,
        drawn=random_passages,
        remarks=document_remarks,
    ),
}
