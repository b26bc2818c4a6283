"""Prepares the text of a config for training, and compares it with that of a checkpoint."""

from dataclasses import dataclass, replace
from math import inf
from typing import NamedTuple

import numpy as np

from charrnn.arrays import Array
from charrnn.config.settings import ResolvedConfig
from charrnn.errors import InputError, UsageError
from charrnn.model.memory import memory_of_step
from charrnn.setup.loading import require_predictable, usual_policy
from charrnn.setup.wiring import (
    batches_of,
    decoding_of,
    optimizer_of,
    scored_ids,
    selection_of,
    sequences_of,
    text_paths,
)
from charrnn.system.machine import physical_memory
from charrnn.text.corpus import Corpus, build_corpus
from charrnn.text.reading import LongerText, read_text
from charrnn.text.text import TextMark
from charrnn.text.vocabulary import Vocabulary, describe
from charrnn.text.windows import Windows
from charrnn.training.checkpoint import Checkpoint
from charrnn.wording import format_size, pluralize

EVALUATED_STATES = 2  # that a run can roll back to, beside the newest saved one


@dataclass(frozen=True)
class Prepared:
    """A text in the windows of a config.

    Attributes:
        corpus: The training and validation parts.
        batches: The windows to train on.
        scored: The ids (N,) of the validation part that evaluations score.
        test: The ids (N,) of the test text; empty if there is none.
        held_out: What the texts of `data.validation` and `data.test` are recognized by, by
            "validation" and "test"; those that there are.
        notes: What the user should know about the text.
    """

    corpus: Corpus
    batches: Windows
    scored: Array
    test: Array
    held_out: dict[str, TextMark]
    notes: tuple[str, ...]


def prepare(
    config: ResolvedConfig, known: Vocabulary | None, expected: Checkpoint | None = None
) -> Prepared:
    """Reads the text of a config and cuts it into windows.

    Args:
        config: The config of the run.
        known: The vocabulary to use; by default the text's own.
        expected: The checkpoint of a run that is resumed: not much more is read than its texts
            have.

    Raises:
        InputError: The text cannot be trained on as the config says, or a held-out text is not the
            expected one.
    """
    documents, notes = read_text(
        text_paths(config),
        decoding_of(config),
        selection_of(config),
        expected.text_size if expected else inf,
    )
    data = config.data
    sequences = sequences_of(config)
    corpus = build_corpus(
        sequences.join(documents),
        0.0 if data.validation else data.validation_fraction,
        sequences,
        data.min_count,
        known,
        config.model.extend_vocabulary,
        [len(document) for document in documents] if data.hold_out == "each" else (),
    )
    held_out = {
        name: _held_out(config, corpus.vocabulary, name, expected)
        for name in ("validation", "test")
        if getattr(data, name)
    }
    if "validation" in held_out:
        corpus = replace(corpus, validation=held_out["validation"].ids)
    notes += tuple(note for text in held_out.values() for note in text.notes)
    test = held_out["test"].ids if "test" in held_out else np.empty(0, np.uint8)
    batches = batches_of(config, corpus.training)
    require_memory(config, len(corpus.vocabulary), batches.largest)
    scored = scored_ids(config, corpus)
    notes += corpus.notes
    notes += sequences.notes(len(documents), corpus.training, corpus.validation)
    if len(scored) < len(corpus.validation):
        notes += (
            f"validation uses the first {len(scored):,} of {len(corpus.validation):,} characters.",
        )
    marks = {name: text.mark for name, text in held_out.items()}
    return Prepared(corpus, batches, scored, test, marks, notes)


class _HeldOut(NamedTuple):
    """The ids (N,) of a held-out text, what it is recognized by, and notes on it."""

    ids: Array
    mark: TextMark
    notes: tuple[str, ...]


def _held_out(
    config: ResolvedConfig, vocabulary: Vocabulary, name: str, expected: Checkpoint | None
) -> _HeldOut:
    """The text of data.validation or data.test in the vocabulary of the one to train on."""
    label, paths, wanted = f"the {name} text", getattr(config.data, name), None
    if expected and not (wanted := expected.held_out.get(name)):
        raise InputError(f"the checkpoint does not say what {label} of its run was.")
    decoding, selection = decoding_of(config), selection_of(config)
    sequences = sequences_of(config)
    another = InputError(
        f"{', '.join(paths)} is not {label} that the run began with.",
        "give the run its own text back; or start a new run.",
    )
    try:
        documents, notes = read_text(paths, decoding, selection, wanted.size if wanted else inf)
    except LongerText:
        raise another from None
    mark = sequences.join(documents).mark()
    if wanted and mark != wanted:
        raise another
    documents, more = vocabulary.handle_unknown(documents, usual_policy(vocabulary, config))
    text, _ = sequences.split(sequences.join(documents), 0.0)
    require_predictable(text, label)
    try:
        return _HeldOut(vocabulary.encode(text, label), mark, notes + more)
    except UsageError as error:
        raise InputError(
            str(error),
            "take it out; or `data.min_count=2` makes the model know U+FFFD, which stands for all "
            "others.",
        ) from None


def require_memory(
    config: ResolvedConfig,
    alphabet_size: int,
    largest: tuple[int, int],
    limit: float | None = None,
) -> None:
    """Raises InputError if a step through a window of this T and B does not fit in memory.

    limit: the bytes that may be used; None for all that this machine has.
    """
    there = physical_memory() if limit is None else limit
    recompute = config.training.memory == "recompute"
    needed, with_recomputation = (
        memory_of_step(
            config.model.hidden_size,
            alphabet_size,
            *largest,
            layers=config.model.layers,
            dropout=config.model.dropout > 0,
            itemsize=4 if config.training.precision == "float32" else 8,
            recompute=recompute or again,
            workers=config.training.workers,
            slots=len(optimizer_of(config).slot_names),
            copies=1 + (config.training.on_divergence == "rollback") * (EVALUATED_STATES + 1),
        )
        for again in (False, True)
    )
    if needed <= there:
        return
    remedy = "lower training.batch_size, training.window or model.hidden_size."
    if sequences_of(config).never_truncated:
        remedy = "cut the longest line, or lower model.hidden_size."
    elif config.training.bptt == "full":
        remedy = "`training.bptt=truncated`"
    if with_recomputation <= there:
        less = format_size(with_recomputation)
        remedy = f"`training.memory=recompute`, which needs {less}; or {remedy}"
    T, B = largest
    raise InputError(
        f"a step through {T:,} characters in {pluralize(B, 'lane')} needs about "
        f"{format_size(needed)} of memory, and "
        f"{'this machine has' if limit is None else 'the limit is'} {format_size(there)}.",
        remedy,
    )


def text_difference(corpus: Corpus, checkpoint: Checkpoint) -> str | None:
    """How a text differs from the one that a checkpoint was trained on; None if it does not."""
    if corpus.digest == checkpoint.text_digest and corpus.vocabulary == checkpoint.vocabulary:
        return None
    found, wanted = corpus.vocabulary.characters, checkpoint.vocabulary.characters
    differences = [
        f"it {verb} {describe(odd[0])}" + f" and {len(odd) - 1} more" * (len(odd) > 1)
        for verb, odd in (
            ("has", sorted({*found} - {*wanted})),
            ("lacks", sorted({*wanted} - {*found})),
        )
        if odd
    ]
    if not differences and found != wanted:
        differences.append("its characters have other ids")
    if corpus.size != checkpoint.text_size:
        differences.append(
            f"it has {pluralize(corpus.size, 'character')}, not {checkpoint.text_size:,}"
        )
    elif corpus.digest != checkpoint.text_digest:
        differences.append(
            f"its SHA-256 is {corpus.digest[:12]}…, not {checkpoint.text_digest[:12]}…"
        )
    return "; ".join(differences)
