"""Prepares the text of a config for training, and compares it with that of a checkpoint."""

from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from charrnn.arrays import Array
from charrnn.config.settings import ResolvedConfig
from charrnn.errors import InputError, UsageError
from charrnn.model.memory import memory_of_step
from charrnn.setup.loading import require_predictable, usual_policy
from charrnn.setup.own_text import mark_difference, read_own, require_own
from charrnn.setup.sharing import lanes_per_rank, ranks_here
from charrnn.setup.wiring import (
    batches_of,
    decoding_of,
    held_out_paths,
    optimizer_of,
    scored_ids,
    selection_of,
    sequences_of,
    text_paths,
)
from charrnn.system.machine import physical_memory
from charrnn.text.corpus import Corpus, build_corpus
from charrnn.text.reading import read_text
from charrnn.text.sources import String
from charrnn.text.text import TextMark
from charrnn.text.vocabulary import Vocabulary, describe
from charrnn.text.windows import Windows
from charrnn.training.checkpoint import Checkpoint
from charrnn.wording import format_size, pluralize

EVALUATED_STATES = 2  # that a run can roll back to, beside the newest saved one


class HeldOutError(InputError):
    """A validation or test text is unusable."""


@dataclass(frozen=True)
class Prepared:
    """A text in the windows of a config.

    Attributes:
        corpus: The training and validation parts.
        batches: The windows to train on.
        scored: The ids (N,) of the validation part that evaluations score.
        test: The ids (N,) of the test text; empty if there is none.
        held_out: What identifies the texts of `data.validation` and `data.test`, by "validation"
            and "test", where given.
        notes: What the user should know about the text.
    """

    corpus: Corpus
    batches: Windows
    scored: Array
    test: Array
    held_out: dict[str, TextMark]
    notes: tuple[str, ...]


class ReadText(NamedTuple):
    """The texts of a config, before the one to train on is cut into windows.

    Attributes:
        corpus: The training and validation parts.
        test, held_out: As of `Prepared`.
        documents: The number of files.
        notes: What the user should know about the text.
    """

    corpus: Corpus
    test: Array
    held_out: dict[str, TextMark]
    documents: int
    notes: tuple[str, ...]


def prepare(
    config: ResolvedConfig,
    known: Vocabulary | None,
    expected: Checkpoint | None = None,
    string: String | None = None,
) -> Prepared:
    """Reads the text of a config and cuts it into windows; see `read_texts` and `in_windows`."""
    return in_windows(config, read_texts(config, known, expected, string))


def read_texts(
    config: ResolvedConfig,
    known: Vocabulary | None,
    expected: Checkpoint | None = None,
    string: String | None = None,
) -> ReadText:
    """Reads the texts of a config.

    Args:
        config: The config of the run.
        known: The vocabulary to use; by default the text's own.
        expected: The checkpoint of a run that is resumed: no more than its texts is read.
        string: The text, in place of the config's.

    Raises:
        InputError: The text cannot be trained on as the config says.
        AnotherText: It is longer than the expected one.
        HeldOutError: A validation or test text cannot be used, or is not the expected one.
    """
    paths = string or text_paths(config)
    documents, notes = (
        read_own(paths, config, expected.mark, "the text that the run was trained on")
        if expected
        else read_text(paths, decoding_of(config), selection_of(config))
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
    held_out = {}
    try:
        for name, files in held_out_paths(config).items():
            held_out[name] = _held_out(config, corpus.vocabulary, name, files, expected)
    except InputError as error:
        raise HeldOutError(str(error), error.hint) from None
    if "validation" in held_out:
        corpus = replace(corpus, validation=held_out["validation"].ids)
    notes += tuple(note for text in held_out.values() for note in text.notes)
    test = held_out["test"].ids if "test" in held_out else np.empty(0, np.uint8)
    marks = {name: text.mark for name, text in held_out.items()}
    return ReadText(corpus, test, marks, len(documents), notes)


def in_windows(config: ResolvedConfig, text: ReadText) -> Prepared:
    """Cuts a text into the windows of a config.

    Raises:
        InputError: It is too short for them, or a step needs more memory than there is.
    """
    corpus, notes = text.corpus, text.notes
    batches = batches_of(config, corpus.training)
    require_memory(config, len(corpus.vocabulary), batches.largest)
    scored = scored_ids(config, corpus)
    notes += corpus.notes
    notes += sequences_of(config).notes(text.documents, corpus.training, corpus.validation)
    if len(scored) < len(corpus.validation):
        notes += (
            f"validation uses the first {len(scored):,} of {len(corpus.validation):,} characters.",
        )
    return Prepared(corpus, batches, scored, text.test, text.held_out, notes)


class _HeldOut(NamedTuple):
    """The ids (N,) of a held-out text, what identifies it, and notes on it."""

    ids: Array
    mark: TextMark
    notes: tuple[str, ...]


def _held_out(
    config: ResolvedConfig,
    vocabulary: Vocabulary,
    name: str,
    paths: list[str],
    expected: Checkpoint | None,
) -> _HeldOut:
    """The text of data.validation or data.test in the vocabulary of the one to train on."""
    label, sequences = f"the {name} text", sequences_of(config)
    wanted, whose = None, f"{label} that the run began with"
    if expected and not (wanted := expected.held_out.get(name)):
        raise InputError(
            f"the checkpoint does not say what {label} of its run was.",
            "start a new run; this one began before such texts were recorded.",
        )
    documents, notes = (
        read_own(paths, config, wanted, whose)
        if wanted
        else read_text(paths, decoding_of(config), selection_of(config))
    )
    mark = sequences.join(documents).mark()
    if wanted:
        require_own(paths, mark, wanted, whose)
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


def step_memory(
    config: ResolvedConfig,
    alphabet_size: int,
    largest: tuple[int, int],
    recompute: bool | None = None,
) -> int:
    """The bytes that a step through a window of this T and B takes.

    recompute: whether states are recomputed; None for the config's choice.
    """
    by_config = config.training.memory == "recompute"
    return memory_of_step(
        config.model.hidden_size,
        alphabet_size,
        *largest,
        layers=config.model.layers,
        dropout=config.model.dropout > 0,
        itemsize=4 if config.training.precision == "float32" else 8,
        recompute=by_config if recompute is None else recompute,
        workers=config.training.workers,
        slots=len(optimizer_of(config).state_names),
        copies=1 + (config.training.on_divergence == "rollback") * (EVALUATED_STATES + 1),
    )


def require_memory(config: ResolvedConfig, alphabet_size: int, largest: tuple[int, int]) -> None:
    """Raises InputError if a step through a window of this T and B does not fit in memory."""
    T, lanes = largest[0], lanes_per_rank(largest[1])
    there = physical_memory() / ranks_here()
    needed = step_memory(config, alphabet_size, (T, lanes))
    if needed <= there:
        return
    remedy = "lower `training.batch_size`, `training.window` or `model.hidden_size`."
    if sequences_of(config).never_truncated:
        remedy = "cut the longest line, or lower `model.hidden_size`."
    elif config.training.bptt == "full":
        remedy = "`training.bptt=truncated`"
    with_recomputation = step_memory(config, alphabet_size, (T, lanes), recompute=True)
    if with_recomputation <= there:
        less = format_size(with_recomputation)
        remedy = f"`training.memory=recompute`, which needs {less}; or {remedy}"
    has = "this machine has" if ranks_here() == 1 else "each rank here has"
    raise InputError(
        f"a step through {pluralize(T, 'character')} in {pluralize(lanes, 'lane')} needs about "
        f"{format_size(needed)} of memory, and {has} {format_size(there)}.",
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
    if differs := mark_difference(TextMark(corpus.size, corpus.digest), checkpoint.mark):
        differences.append(differs)
    return "; ".join(differences)
