"""A trained model: what it writes, and how it reads a text."""

from collections.abc import Iterator, Sequence
from os import fspath
from typing import Any, Unpack

import numpy as np

from charrnn.analysis.unit_states import states_in_order
from charrnn.arrays import Array
from charrnn.commands.evaluate import Evaluation
from charrnn.commands.gradient import gradient_of_ids
from charrnn.commands.surprisal import read_text_of, require_finite
from charrnn.commands.units import COUNT, PASSAGE, describe_units
from charrnn.config.argument_types import checked
from charrnn.library.keywords import Files, Path, Unknown
from charrnn.library.notes import note, note_all
from charrnn.library.sampling import Sampling, sampler_of
from charrnn.library.texts import Text, text_itself
from charrnn.results import (
    CharacterScores,
    ModelSummary,
    Samples,
    TextGradient,
    TextScore,
    UnitReport,
)
from charrnn.setup.loading import Model as LoadedModel
from charrnn.setup.loading import encode_text, load_model
from charrnn.system.blas import in_single_threaded_blas, single_threaded_blas


class Model:
    """A trained model, which does not change. A text is given as a string, or as a Path to a file.

    It can be copied and pickled, and used in several threads.
    """

    def __init__(self, loaded: LoadedModel) -> None:
        self._loaded = loaded

    @property
    def path(self) -> str:
        """The checkpoint that it was loaded from, or what messages call it."""
        return self._loaded.path

    @property
    def steps(self) -> int:
        """The training steps that it has made."""
        return self._loaded.steps

    @property
    def characters(self) -> str:
        """The characters that it knows, A of them, by their ids."""
        return self._loaded.vocabulary.characters

    @property
    def config(self) -> dict[str, Any]:
        """The config of its run, as plain values."""
        return self._loaded.config.model_dump(mode="json")

    @property
    def parameters(self) -> dict[str, Array]:
        """A copy of its weights by name: U (H, A), W (H, H), V (A, H), b (H,) and c (A,).

        Of several layers they are U1 (H, A), W1, b1, U2 (H, H) and so on.
        """
        return {name: array.copy() for name, array in self._loaded.params.named()}

    @property
    def summary(self) -> ModelSummary:
        """What it is, in a few facts."""
        loaded = self._loaded
        return ModelSummary(
            name=loaded.path,
            activation=loaded.activation.name,
            layers=loaded.params.depth,
            hidden_size=loaded.params.hidden_size,
            weights=loaded.params.size,
            alphabet=tuple(self.characters),
            texts=tuple(loaded.config.data.text),
            text_size=loaded.mark.size,
            sequences=loaded.config.data.sequences,
            step=loaded.steps,
            validation_nats_per_character=loaded.best_validation_nats,
        )

    def sample(
        self, prime: str | None = None, *, temperature: float = 1.0, **options: Unpack[Sampling]
    ) -> str:
        """Generates a text.

        Args:
            prime: A prompt to continue.
            temperature: 0 is greedy, 1 samples from the model.
            options: See `Sampling`.

        Returns:
            The prompt and what is generated.

        Raises:
            UsageError: The prompt or an option is invalid.
        """
        return "".join(self.stream(prime, temperature=temperature, **options))

    @checked
    def stream(
        self, prime: str | None = None, *, temperature: float = 1.0, **options: Unpack[Sampling]
    ) -> Iterator[str]:
        """Generates the text of `sample`, in pieces as they are generated.

        Args, Raises: As of `sample`; errors are raised by this call, not by the first piece.

        Returns:
            An iterator over the prompt and what is generated.
        """
        sampler = sampler_of(self._loaded, prime, temperature, **options)
        pieces = (piece for text in sampler.texts(1) for piece in text if piece)
        return in_single_threaded_blas(pieces)

    @checked
    def samples(
        self,
        count: int = 1,
        prime: str | None = None,
        *,
        temperature: float | Sequence[float] = 1.0,
        novelty: bool = False,
        novel_only: bool = False,
        text: Files | None = None,
        **options: Unpack[Sampling],
    ) -> Samples:
        """Generates several texts, with the log-probabilities of their characters.

        Args:
            count: The number of texts.
            prime: A prompt to continue.
            temperature: One or several, each of which gives `count` texts.
            novelty: Whether to find how much of them occurs in the training text.
            novel_only: Whether to leave out copies of the training text.
            text: Files to compare with, instead of the training text.
            options: See `Sampling`.

        Raises:
            UsageError: The prompt or an option is invalid.
            InputError: The training text is unusable.
            CharrnnError: Not so many texts were found that are no copies.
        """
        sampler = sampler_of(
            self._loaded, prime, temperature, novelty=novelty, novel_only=novel_only, text=text,
            **options,
        )  # fmt: skip
        with single_threaded_blas():
            found = sampler.samples(count)
        sampler.require_found(count)
        return found

    @checked
    def score(self, text: Text, *, unknown: Unknown | None = None) -> CharacterScores:
        """Scores each character of a text.

        Args:
            text: The text; a Path, or a list of them, to read files.
            unknown: What to do with characters that the model does not know: "error" by default.

        Returns:
            The scores: `bits` (N,) of each character, which `text` names; their mean is
            `bits_per_character`. The first character of a stream is not predicted, and has NaN.

        Raises:
            InputError: The text is unusable or has unknown characters.
        """
        return self._evaluation(text, unknown).characters()

    @checked
    def evaluate(
        self,
        text: Text,
        *,
        block: int | None = None,
        dynamic: float | None = None,
        baselines: bool = True,
        unknown: Unknown | None = None,
    ) -> TextScore:
        """Scores a text as a whole, and compares with simpler models.

        Args:
            text: The text; a Path, or a list of them, to read files.
            block: Characters of blocks that are each scored from the zero state.
            dynamic: The learning rate of dynamic evaluation.
            baselines: Whether to compare with counts of the training text, and xz.
            unknown: What to do with characters that the model does not know.

        Raises:
            InputError: The text is unusable or has unknown characters.
            UsageError: An option is invalid.
        """
        evaluation = self._evaluation(text, unknown)
        return evaluation.score(block=block, dynamic=dynamic, baselines=baselines, announce=note)

    @checked
    def states(self, text: Text, *, unknown: Unknown | None = None) -> Array:
        """The hidden state after each character of a text.

        Args:
            text: The text; a Path, or a list of them, to read files.
            unknown: What to do with characters that the model does not know.

        Returns:
            The states (N, L·H), of which layer n, from 1, has the columns (n - 1) H to n H. In a
            model of lines N counts their ends too.

        Raises:
            InputError: The text is unusable or has unknown characters.
            CharrnnError: They overflow.
        """
        read = read_text_of(self._loaded, self._ids(text, unknown))
        with single_threaded_blas(), np.errstate(over="ignore", invalid="ignore"):
            found = np.concatenate([states.copy() for states in states_in_order(read)])
        require_finite(found)
        return found

    @checked
    def units(
        self,
        text: Text,
        *,
        count: int = COUNT,
        passage: int = PASSAGE,
        chosen: Sequence[int] = (),
        unknown: Unknown | None = None,
    ) -> UnitReport:
        """Finds the units that follow a feature of a text, such as being inside quotes.

        Args:
            text: The text; a Path, or a list of them, to read files.
            count: The number of units to describe.
            passage: The characters of the text to show with their states.
            chosen: The units to describe instead, by their columns in `states`.
            unknown: What to do with characters that the model does not know.

        Raises:
            InputError: The text is unusable or has unknown characters.
            UsageError: There is no such unit.
            CharrnnError: The states overflow.
        """
        found, notes = describe_units(
            self._loaded, text_itself(text), unknown, count=count, passage=passage, chosen=chosen
        )
        note_all(notes)
        return found

    @checked
    def gradient(self, text: Text, *, unknown: Unknown | None = None) -> TextGradient:
        """The gradient of the mean loss on a text by full back-propagation through time.

        Args:
            text: The text; a Path, or a list of them, to read files. It is read from the zero
                state, and without dropout.
            unknown: What to do with characters that the model does not know.

        Returns:
            The loss in nats per character, and an array per parameter, in float64.

        Raises:
            InputError: The text is unusable or has unknown characters.
            CharrnnError: The model overflows.
        """
        return gradient_of_ids(self._loaded, self._ids(text, unknown))

    def _ids(self, text: Text, unknown: str | None) -> Array:
        ids, _, notes = encode_text(self._loaded, text_itself(text), unknown)
        note_all(notes)
        return ids

    def _evaluation(self, text: Text, unknown: str | None) -> Evaluation:
        evaluation = Evaluation(self._loaded, text_itself(text), unknown)
        note_all(evaluation.notes)
        return evaluation

    def __repr__(self) -> str:
        network = self._loaded.params
        layers = f"{network.depth} × " if network.depth > 1 else ""
        return f"<Model {self.path}: {layers}{network.hidden_size} units, step {self.steps:,}>"

    def _repr_html_(self) -> str | None:
        return self.summary._repr_html_()


@checked
def load(path: Path) -> Model:
    """Loads the model of a checkpoint file, or the best one of a run directory.

    Args:
        path: The file or directory.

    Raises:
        InputError: There is no checkpoint, or it is unusable.
    """
    return Model(load_model(fspath(path), ("load",)))
