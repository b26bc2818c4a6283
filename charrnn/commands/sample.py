"""Generates texts from a model, optionally continuing a prompt."""

from collections.abc import Iterator, Sequence
from math import inf, isfinite

import numpy as np

from charrnn.arrays import Array
from charrnn.commands.arguments import require_between
from charrnn.commands.dialogue import Dialogue, DialogueSettings
from charrnn.commands.novelty import novelty_in
from charrnn.commands.prompt import prompt_of, stop_string
from charrnn.errors import CharrnnError, UsageError
from charrnn.results import Generated, Novelty, Samples
from charrnn.sampling.choice import chooser
from charrnn.sampling.generation import GeneratedTexts
from charrnn.setup.backend import single_text
from charrnn.setup.known_text import KnownText, known_text
from charrnn.setup.loading import Model, load_model
from charrnn.setup.own_text import Announce
from charrnn.setup.wiring import sequences_of
from charrnn.wording import pluralize

MAX_LENGTH, MAX_COUNT = 10**9, 10**6  # of a text, and of texts
ATTEMPTS_PER_TEXT, MIN_ATTEMPTS = 100, 1000  # to find texts that are no copies


class Sampler:
    """A model with a prompt and the options of `charrnn sample`, ready to generate.

    Attributes:
        model: The model.
        prompt: The prompt in the model's alphabet.
        temperatures: The temperatures, each once.
        lines: Whether each text is a line.
        notes: What the user should know about the prompt.
    """

    def __init__(
        self,
        checkpoint: str | Model,
        *,
        prime: str | None = None,
        prime_file: str | None = None,
        length: int = 500,
        temperature: float | Sequence[float] = 1.0,
        top_k: int | None = None,
        top_p: float = 1.0,
        min_p: float = 0.0,
        seed: int = 1,
        until: str | None = None,
        unknown: str | None = None,
        show_prime: bool = True,
        novelty: bool = False,
        novel_only: bool = False,
        text: Sequence[str] = (),
        announce: Announce = lambda note: None,
    ) -> None:
        """Loads the model.

        Args:
            checkpoint: A checkpoint, a run directory or a loaded model.
            prime: The prompt.
            prime_file: A file with the prompt, instead.
            length: The number of characters to generate at most.
            temperature: One or several; a text depends on its own only.
            top_k, top_p, min_p: Restrict the choice of a character; see `chooser`.
            seed: Random seed.
            until: A string to stop after, with escapes such as `\\n`.
            unknown: What to do with unknown characters of the prompt; see `unknown_policy`.
            show_prime: Whether texts begin with the prompt.
            novelty: Whether to keep the texts, to compare them with the training text.
            novel_only: Whether to leave out copies: lines or documents that are also in the
                training text; of a stream, texts of which the generated part occurs there.
            text: Files to compare with instead of the training text.
            announce: Called with a note before a text is read that only the checkpoint names.

        Raises:
            UsageError: The prompt or an option is invalid.
            InputError: The checkpoint or a text is unusable.
        """
        temperatures = [temperature] if isinstance(temperature, int | float) else temperature
        if not temperatures:
            raise UsageError("`temperature` is an empty list.", "for example `temperature=0.8`")
        for one in temperatures:
            if not isfinite(one):
                raise UsageError(
                    f"`temperature={one}` is not a finite number.", "for example `temperature=0.8`"
                )
        require_between(0, MAX_LENGTH, length=length)
        require_between(0, 1, top_p=top_p, min_p=min_p)
        require_between(0, inf, temperature=min(temperatures, default=0), seed=seed)
        require_between(1, inf, top_k=top_k)
        if text and not (novelty or novel_only):
            raise UsageError("`text` is a text to compare samples with.", "add `novelty=true`")
        self.temperatures = tuple(dict.fromkeys(temperatures))
        self.model = load_model(checkpoint, ("sample",))
        self.prompt, notes = prompt_of(self.model, prime, prime_file, unknown)
        sequences = sequences_of(self.model.config)
        self._end, self.lines = sequences.delimiter, sequences.single_line
        self._item = sequences.name if self._end else "text"
        self._until = stop_string(until, self.model.vocabulary, self._end, length)
        self.restrictions = top_k, top_p, min_p
        self._length, self._seed, self._unknown = length, seed, unknown
        self._announce = announce
        self._shown = self.prompt if show_prime else ""
        self._known: KnownText | None = None
        if novelty or novel_only:
            self._known = known_text(self.model, [*text], announce)
            notes += self._known.notes
        self.notes = self.model.notes + notes
        self._compared, self._novel_only = novelty, novel_only
        self._written: dict[float, list[str]] = {}
        self._attempts: dict[float, int] = {}

    def texts(self, count: int, temperature: float | None = None) -> Iterator[Iterator[str]]:
        """Generates texts, each as an iterator over its pieces, the prompt first.

        Args:
            count: The number of texts; fewer if not so many are found that are no copies.
            temperature: One of the temperatures; None for the first.
        """
        temperature = self.temperatures[0] if temperature is None else temperature
        if self._novel_only:
            for text, _ in self._scored(count, temperature):
                yield iter([self._shown, text])
            return
        written = self._written[temperature] = []
        for pieces in self._writing(count, temperature):
            yield self._pieces(pieces, written)

    def samples(self, count: int) -> Samples:
        """Generates `count` texts at each temperature, and returns them together.

        Raises:
            UsageError: They are not between 1 and MAX_COUNT.
        """
        require_between(1, MAX_COUNT, count=count)
        generated = []
        for temperature in self.temperatures:
            for text, log_probabilities in self._scored(count, temperature):
                nats = -float(log_probabilities.mean()) if text else np.nan
                generated.append(Generated(temperature, text, log_probabilities, nats))
        return Samples(
            checkpoint=self.model.path,
            prime=self.prompt,
            seed=self._seed,
            texts=tuple(self._shown + one.text for one in generated),
            generated=tuple(generated),
            attempts=tuple(self._attempts[one] for one in self.temperatures),
            novelty=self.novelty() if self._compared else None,
        )

    def dialogue(self) -> Dialogue:
        """A dialogue with the model, with these options; it has not read the prompt yet.

        Raises:
            UsageError: There are several temperatures.
        """
        if len(self.temperatures) > 1:
            raise UsageError("`interactive` takes one `temperature`.", "change it in the dialogue.")
        settings = DialogueSettings(
            self.temperatures[0], *self.restrictions,
            length=self._length, seed=self._seed, unknown=self._unknown, until=self._until,
        )  # fmt: skip
        return Dialogue(self.model, settings)

    def novelty(self) -> Novelty:
        """How much of the texts that were generated occurs in the training text.

        Raises:
            UsageError: They were not kept.
        """
        if self._known is None or not self._compared:
            raise UsageError("the texts were not kept.", "add `novelty=true`")
        prompt = self.prompt
        samples = [
            (temperature, [(prompt + text, text) for text in texts])
            for temperature, texts in self._written.items()
        ]
        return novelty_in(self._known, samples, announce=self._announce)

    def require_found(self, count: int) -> None:
        """Raises CharrnnError if fewer texts were found that are no copies."""
        for temperature, texts in self._written.items():
            if self._novel_only and len(texts) < count:
                tried = pluralize(self._attempts[temperature], self._item)
                number = f"only {len(texts):,}" if texts else "none"
                raise CharrnnError(
                    f"{number} of {tried} generated at temperature {temperature:g} "
                    f"{'is' if len(texts) == 1 else 'are'} not in the training text; "
                    f"{count:,} {'was' if count == 1 else 'were'} asked for.",
                    "raise `temperature` or `length`, or ask for fewer with `count`.",
                )

    def _scored(self, count: int, temperature: float) -> Iterator[tuple[str, Array]]:
        """Texts without the prompt and the log-probabilities of their characters (N,)."""
        most = max(ATTEMPTS_PER_TEXT * count, MIN_ATTEMPTS) if self._novel_only else count
        written = self._written[temperature] = []
        self._attempts[temperature] = 0
        for text, scores in self._writing(most, temperature, scored=True).scored_texts():
            self._attempts[temperature] += 1
            if not self._is_copy(text):
                written.append(text)
                yield text, scores
            if len(written) == count:
                return

    def _is_copy(self, generated: str) -> bool:
        if self._known is None or not self._novel_only:
            return False
        return self._known.has(self.prompt + generated if self._end else generated)

    def _pieces(self, pieces: Iterator[str], written: list[str]) -> Iterator[str]:
        yield self._shown
        if not self._compared:
            yield from pieces
            return
        kept = []
        for piece in pieces:
            kept.append(piece)
            yield piece
        written.append("".join(kept))

    def _writing(self, count: int, temperature: float, scored: bool = False) -> GeneratedTexts:
        model = self.model
        single = None
        if count == 1 and self.restrictions == (None, 1.0, 0.0):
            single = single_text(model.params, temperature, self._length, self._announce)
        return GeneratedTexts(
            model.params,
            model.activation,
            model.vocabulary,
            self.prompt,
            delimiter=self._end,
            choose=chooser(temperature, *self.restrictions),  # its memory is not shared
            random=lambda number: np.random.default_rng([self._seed, number]),
            length=self._length,
            until=self._until,
            count=count,
            start=model.start,
            scored=scored,
            single=single,
        )
