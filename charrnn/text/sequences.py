"""What a text is to a model: one stream, or lines or documents independent of each other."""

from collections.abc import Iterable, Sequence
from typing import Protocol

from numpy.random import Generator

from charrnn.arrays import Array
from charrnn.text.documents import Documents
from charrnn.text.lines import Lines
from charrnn.text.stream import Stream
from charrnn.text.text import Text
from charrnn.text.windows import Windows
from charrnn.window import Window


class Sequences(Protocol):
    """A way to read a text as sequences, each of which starts from the zero state.

    Attributes:
        name: The name of a single sequence.
        text_label: What messages call the text that positions are counted in.
        delimiter: The character that starts and ends each sequence; None if there is none.
        single_line: Whether each sequence is a line, so that several are shown one per line.
        never_truncated: Whether a training window holds complete sequences, however long.
    """

    name: str
    text_label: str
    delimiter: str | None
    single_line: bool
    never_truncated: bool

    def join(self, documents: list[Text]) -> Text:
        """One text from several.

        Raises:
            InputError: A document contains the delimiter of documents.
        """

    def split(
        self, text: Text, validation_fraction: float, file_lengths: Sequence[int] = ()
    ) -> tuple[Text, int]:
        """Arranges a text so that its start is for training and its end for validation.

        Args:
            text: The text.
            validation_fraction: The fraction to hold out.
            file_lengths: The lengths of the files that were joined, to hold out a part of each;
                none to hold out the end of the whole.

        Returns:
            The text, and the number of its characters to train on.

        Raises:
            InputError: There is no sequence to train on, or none to hold out.
        """

    def training_windows(
        self, ids: Array, batch_size: int, window: int | None, stride: int | None, seed: int
    ) -> Windows:
        """The windows to train on.

        Args:
            ids: The training text (N,).
            batch_size: The number of lanes, or of lines per window at most.
            window: The number of characters per lane and window; None for as many as there are.
            stride: The number of characters with a loss per lane and window; None for all.
            seed: The seed of the order, if it is random.

        Raises:
            InputError: The text is too short for them.
        """

    def scoring_windows(self, ids: Array) -> Iterable[Window]:
        """Windows, each from the zero state, that contain every target once."""

    def context_lengths(self, ids: Array) -> Array:
        """The number of ids (N,) that precede each in its sequence; one with 0 is no target."""

    def head(self, ids: Array, max_characters: int | None) -> Array:
        """The first ids, about `max_characters` of them, with no sequence left open."""

    def has_passages(self, ids: Array, length: int) -> bool:
        """Whether `random_window` can start inside sequences, for this many ids per lane."""

    def random_window(
        self, ids: Array, random: Generator, time_steps: int, batch_size: int, context: int
    ) -> tuple[Array, Window]:
        """Draws a window (T, B) from a text.

        Args:
            ids: The text (N,).
            random: The source of randomness.
            time_steps: T at most.
            batch_size: B at most.
            context: The number C of ids that should precede the window.

        Returns:
            The ids (C, B) before the window, and the window. C is 0 where it starts with the
            sequences themselves.
        """

    def notes(self, documents: int, training: Array, validation: Array) -> tuple[str, ...]:
        """What the user should know about a text from so many documents."""


SEQUENCES: dict[str, Sequences] = {
    "stream": Stream(),
    "lines": Lines(),
    "documents": Documents(),
}
