"""The text that a model knows from training, to find what generated texts repeat of it."""

from dataclasses import dataclass
from functools import cached_property

from charrnn.errors import InputError
from charrnn.setup.loading import Model
from charrnn.setup.named_texts import located
from charrnn.setup.own_text import Announce, announce_own_text, read_own, require_own
from charrnn.setup.paths import require_texts
from charrnn.setup.wiring import decoding_of, selection_of, sequences_of, text_paths
from charrnn.text.corpus import build_corpus
from charrnn.text.reading import read_text
from charrnn.text.search import find, items_of
from charrnn.text.stored_ids import mapped_from
from charrnn.text.text import Text, TextMark


@dataclass(frozen=True)
class KnownText:
    """A text to compare generated texts with.

    Attributes:
        files: Its files.
        own: Whether the model was trained on it.
        text: All of it, in the order in which it was read.
        training: The part to compare with.
        held_out: The part that was not trained on; None if there is none.
        characters: The characters that the model knows; it writes no others.
        delimiter: What ends a line or a document; None for a stream.
        item: What a sequence between delimiters is called; None for a stream.
        notes: What the user should know about the text.
    """

    files: tuple[str, ...]
    own: bool
    text: Text
    training: Text
    held_out: Text | None
    characters: str
    delimiter: str | None
    item: str | None
    notes: tuple[str, ...] = ()

    def has(self, text: str) -> bool:
        """Whether this is one of its items, or in a stream a passage of it; an empty text is."""
        if len(self.training) >= mapped_from():
            return self._is_found(text)
        if self.delimiter is None:
            return text in self._string
        return not text or text in self._items

    def _is_found(self, text: str) -> bool:
        """The same, looked for in a text that may be too large for the memory."""
        if self.delimiter is None or not text:
            return not text or find(self.training, text) is not None
        first = str(self.training[: len(text) + 1]) == text + self.delimiter
        item = f"{self.delimiter}{text}{self.delimiter}"
        return first or find(self.training, item) is not None

    @cached_property
    def _string(self) -> str:
        return str(self.training)

    @cached_property
    def _items(self) -> frozenset[str]:
        return frozenset(items_of(self.training, self.delimiter or ""))


def known_text(model: Model, paths: list[str], announce: Announce) -> KnownText:
    """The text to compare generated texts with.

    Args:
        model: The model.
        paths: The text; none for the training part of the one that the model was trained on.
        announce: Called before a text is read that only the checkpoint names, with a note on that.

    Raises:
        InputError: The text is unusable, or not the own one.
        UsageError: The model was trained from standard input, and no text is given; or a path is
            not a text.
    """
    if paths:
        return _other_text(model, paths)
    try:
        return _own_text(model, announce)
    except InputError as error:
        own = "give a text as `text`; without it, the one that the model was trained on is read."
        raise InputError(str(error), own) from None


def _other_text(model: Model, paths: list[str]) -> KnownText:
    require_texts(paths)
    paths = located(paths)
    documents, notes = read_text(paths, decoding_of(model.config), selection_of(model.config))
    text = _known(sequences_of(model.config).join(documents), model)
    return _described(model, paths, text, text, None, notes)


def _own_text(model: Model, announce: Announce) -> KnownText:
    config, data = model.config, model.config.data
    paths = text_paths(config)
    mark = model.held_out.get("validation")
    validation_paths = located(data.validation) if mark else []
    announce_own_text(model.path, [*paths, *validation_paths], announce)
    text, lengths = _read(model, paths, model.mark, f"the text that {model.path} was trained on")
    corpus = build_corpus(
        text,
        0.0 if data.validation else data.validation_fraction,
        sequences_of(config),
        data.min_count,
        model.vocabulary,
        lengths=lengths if data.hold_out == "each" else (),
    )
    characters = model.vocabulary.characters
    held_out = Text(characters, corpus.validation) if len(corpus.validation) else None
    if mark:
        validation, _ = _read(model, validation_paths, mark, "the validation text of the run")
        held_out = _known(validation, model)
    training = Text(characters, corpus.training)
    return _described(model, paths, _known(text, model), training, held_out, own=True)


def _read(model: Model, paths: list[str], mark: TextMark, whose: str) -> tuple[Text, list[int]]:
    """A text that a checkpoint names, and the lengths of its files; see `read_own`."""
    documents, _ = read_own(paths, model.config, mark, whose)
    text = sequences_of(model.config).join(documents)
    require_own(paths, text.mark(), mark, whose)
    return text, [len(document) for document in documents]


def _known(text: Text, model: Model) -> Text:
    """The text with U+FFFD for characters that the model does not know."""
    strange = {*text.characters} - {*model.vocabulary.characters}
    return text.replace(strange) if strange else text


def _described(
    model: Model,
    paths: list[str],
    text: Text,
    training: Text,
    held_out: Text | None,
    notes: tuple[str, ...] = (),
    *,
    own: bool = False,
) -> KnownText:
    sequences = sequences_of(model.config)
    item = sequences.name if sequences.delimiter else None
    return KnownText(
        tuple(paths), own, text, training, held_out, model.vocabulary.characters,
        sequences.delimiter, item, notes,
    )  # fmt: skip
