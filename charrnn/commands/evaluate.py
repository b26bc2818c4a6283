"""Scores a model on a text: as a whole, in blocks, while it goes on learning, and by character."""

import time
from collections.abc import Iterator
from math import inf, log
from typing import Any

from charrnn.commands.arguments import require_between
from charrnn.commands.speed import NOTED_SECONDS, seconds_per_multiplication
from charrnn.commands.surprisal import read_text_of, require_finite, score_pieces, scores_of_ids
from charrnn.config.layers import changed
from charrnn.errors import CharrnnError, InputError, UsageError
from charrnn.optim.clipping import make_clip
from charrnn.results import CharacterScores, DynamicScore, TextBaselines, TextScore
from charrnn.setup.known_text import known_text
from charrnn.setup.loading import Model, encode_text, load_model
from charrnn.setup.own_text import Announce
from charrnn.setup.wiring import sequences_of
from charrnn.system.blas import single_threaded_blas
from charrnn.text.count_baselines import (
    NGRAM_CONTEXT,
    counted_nats,
    predicted_characters,
    xz_nats,
)
from charrnn.text.sources import String
from charrnn.text.stream import block_windows
from charrnn.text.text import Text
from charrnn.training.dynamic_evaluation import dynamic_score
from charrnn.training.evaluation import SCORING_LANES, Score, Scorer
from charrnn.training.workers import choose_workers, worker_threads
from charrnn.wording import rough_duration

MAX_COMPARED = 10_000_000  # characters: counts and xz take some ten seconds for so many
TIMED = 50_000  # characters whose scores are timed, to say how long the others take
CALLS_PER_CHARACTER = 7e-6  # seconds of a step of dynamic evaluation beside its products

DIVERGED = 2.0  # times the loss of guessing, or of the model without steps


class Evaluation:
    """A model and a text, read and encoded.

    Attributes:
        model: The model.
        ids: The text in the model's alphabet (N,), for lines and documents with their delimiters.
        text: The same as text.
        notes: What the user should know about both.
    """

    def __init__(
        self,
        checkpoint: str | Model,
        paths: list[str] | String,
        unknown: str | None = None,
        changes: dict[str, Any] | None = None,
    ) -> None:
        """Loads a model and reads a text.

        Args:
            checkpoint: A checkpoint, a run directory or a loaded model.
            paths: Text files or directories, - reads stdin; or the text itself.
            unknown: What to do with characters that the model does not know; see `unknown_policy`.
            changes: Changes of the model's `data` settings, such as another encoding.

        Raises:
            InputError: The checkpoint or the text is unusable, or has unknown characters.
            UsageError: The changes are invalid, or unknown characters cannot be replaced.
        """
        files = () if isinstance(paths, String) else paths
        self._trained = load_model(checkpoint, ("eval", *files))
        config = changed(self._trained.config, {"data": changes or {}})
        self.model = self._trained._replace(config=config)
        self.ids, self.text, self.notes = encode_text(self.model, paths, unknown)
        self._sequences = sequences_of(self.model.config)

    def score(
        self,
        *,
        block: int | None = None,
        dynamic: float | None = None,
        baselines: bool = True,
        announce: Announce = lambda note: None,
    ) -> TextScore:
        """Scores the model on the text.

        Args:
            block: Length of blocks that are each scored from the zero state, as nanoGPT scores; by
                default the state is carried on as in training.
            dynamic: Learning rate of dynamic evaluation, whose score is reported too.
            baselines: Whether the loss of simpler models on the text is reported too.
            announce: Called with a note before a text is read that only the checkpoint names, with
                the reason if it cannot be used, and before what takes more than a few seconds.

        Raises:
            UsageError: The model was trained on lines or documents, which have no blocks.
            CharrnnError: A score is not finite.
        """
        require_between(1, inf, block=block)
        if block is not None and self._sequences.delimiter:
            raise UsageError(
                f"`block={block}` is for a stream, but {self.model.path} was trained on "
                f"{self.model.config.data.sequences}, each from an empty context.",
                "leave `block` out.",
            )
        if dynamic is not None and not 0 <= dynamic < inf:
            raise UsageError(
                f"`dynamic={dynamic}` is not a learning rate.", "for example `dynamic=0.1`"
            )
        found = self._score(block)
        return TextScore(
            characters=found.characters,
            nats_per_character=found.nats_per_character,
            bits_per_character=found.bits_per_character,
            bits_per_byte=found.bits_per_character
            * found.characters
            / self.text[-found.characters :].utf8_size(),
            perplexity=found.perplexity,
            scoring="blocks" if block else self.model.config.data.sequences,
            block=block,
            baselines=self._baselines(found.characters, announce) if baselines else None,
            dynamic=None if dynamic is None else self._dynamic(dynamic, found, announce),
        )

    @single_threaded_blas()
    def characters(self, limit: int | None = None) -> CharacterScores:
        """The scores of each character, or of the first `limit` of them.

        Raises:
            CharrnnError: A score is not finite.
        """
        return scores_of_ids(self.model, self.ids, limit)

    def pieces(self, announce: Announce = lambda note: None) -> Iterator[CharacterScores]:
        """The same in pieces of bounded memory, in the order of the text.

        announce: called with a note if they take more than a few seconds.
        """
        total, done, start = len(self.ids), 0, time.perf_counter()
        with single_threaded_blas():
            for piece in score_pieces(self.model, self.ids):
                yield piece
                if done < TIMED <= (done := done + len(piece.text)):
                    seconds = (time.perf_counter() - start) * (total - done) / done
                    _note_duration(f"the other {total - done:,} characters take", seconds, announce)

    def _score(self, block: int | None) -> Score:
        model = self.model
        windows = block_windows(self.ids, block) if block else None
        count = choose_workers("auto", SCORING_LANES, model.params.hidden_size)
        with worker_threads(count) as workers:
            score = Scorer(model.activation, workers)
            found = score(model.params, windows or self._sequences.scoring_windows(self.ids))
        require_finite(found.nats)
        return found

    def _dynamic(self, rate: float, static: Score, announce: Announce) -> DynamicScore:
        """The score with dynamic evaluation, clipped as in training."""
        guessing = log(len(self.model.vocabulary))
        training = self.model.config.training
        products = 3 * self.model.params.size * seconds_per_multiplication()
        seconds = len(self.ids) * (CALLS_PER_CHARACTER + products)
        _note_duration("dynamic evaluation takes", seconds, announce)
        segment = training.window
        with single_threaded_blas():
            found = dynamic_score(
                self.model.params,
                *read_text_of(self.model, self.ids).steps,
                self.model.activation,
                rate=rate,
                segment=segment,
                clip=make_clip(training.clip.by, training.clip.threshold),
            )
        worst = DIVERGED * max(guessing, static.nats_per_character)
        if not found.nats_per_character < worst:  # nor if it is NaN
            raise CharrnnError(
                f"dynamic evaluation diverged with a learning rate of {rate:g}.",
                f"lower it: `dynamic={min(rate / 10, 0.1):g}`",
            )
        return DynamicScore(rate, segment, found.nats_per_character, found.bits_per_character)

    def _baselines(self, predicted: int, announce: Announce) -> TextBaselines:
        vocabulary, counted = self.model.vocabulary, None
        ids = self.ids
        if len(ids) > MAX_COMPARED:
            ids = self._sequences.head(ids, MAX_COMPARED)
            predicted = predicted_characters(ids, self._sequences)
            announce(f"counts and xz are compared on the first {len(ids):,} characters.")
        try:
            known = known_text(self._trained, [], announce)
            if len(known.text) == len(self.text) and known.text.mark() == self.text.mark():
                announce("this is the training text: its counts know what they predict here.")
            counted = counted_nats(known.training.ids, ids, self._sequences, len(vocabulary))
        except (InputError, UsageError) as error:
            announce(f"without counts of the training text: {error}")
        return TextBaselines(
            uniform=log(len(vocabulary)),
            unigram=counted.unigram if counted else None,
            ngram=counted.ngram if counted else None,
            context=NGRAM_CONTEXT,
            xz=xz_nats(Text(vocabulary.characters, ids), predicted),
            characters=predicted,
        )


def _note_duration(what: str, seconds: float, announce: Announce) -> None:
    if seconds > NOTED_SECONDS:
        announce(f"{what} about {rough_duration(seconds)}")
