"""Sets up a new run."""

from collections.abc import Collection
from dataclasses import dataclass
from functools import cached_property

from charrnn.arrays import Array
from charrnn.config.settings import Config, ResolvedConfig
from charrnn.model.initialization import inherit
from charrnn.results import Plan
from charrnn.runs.directory import RunDirectory
from charrnn.runs.memory import InMemory
from charrnn.runs.orders import Task
from charrnn.runs.trial import trial_of_all
from charrnn.sampling.start import START, passages_before
from charrnn.setup.backend import with_backend
from charrnn.setup.parent import Parent, load_parent, naming_file, notes_on, require_same_network
from charrnn.setup.planning import plan_run
from charrnn.setup.preparation import Prepared, in_windows, read_texts
from charrnn.setup.sharing import limit_notes
from charrnn.setup.trial import first_state
from charrnn.setup.wiring import (
    budget_of,
    resolve,
    run_name,
    sequences_of,
)
from charrnn.text.corpus import Corpus
from charrnn.text.sources import String
from charrnn.text.text import TextMark
from charrnn.text.windows import Windows
from charrnn.training.state import TrainState
from charrnn.wording import pluralize

MANY_EPOCHS = 100


@dataclass(frozen=True)
class Run:
    """Everything that training needs.

    Attributes:
        directory: The run directory, locked; or what stands for it in memory.
        config: The config on this machine.
        corpus: The training and validation parts of the text.
        batches: The windows to train on.
        scored: The ids (N,) of the validation part that evaluations score.
        test: The ids (N,) of the test text; empty if there is none.
        held_out: What identifies the texts of `data.validation` and `data.test`.
        state: The state to start from.
        notes: What the user should know about the text and the start of the run.
        plan: What was chosen for the text; None if the config has all settings.
    """

    directory: RunDirectory | InMemory
    config: ResolvedConfig
    corpus: Corpus
    batches: Windows
    scored: Array
    test: Array
    held_out: dict[str, TextMark]
    state: TrainState
    notes: tuple[str, ...]
    plan: Plan | None = None

    @property
    def task(self) -> Task:
        """What other processes need to take part."""
        return Task(
            self.config.model_dump(mode="json"),
            self.corpus.vocabulary.characters,
            self.config.model.init_from is not None,
            {"training": TextMark(self.corpus.size, self.corpus.digest), **self.held_out},
        )

    @cached_property
    def passages(self) -> Array | None:
        """Passages (T, B) before typical beginnings; None if texts begin from the zero state."""
        characters = self.corpus.vocabulary.characters
        if sequences_of(self.config).delimiter or START not in characters:
            return None
        training, origin = self.corpus.training, self.corpus.origin
        if origin:
            origin = origin._replace(stop=origin.start + len(training))
        return passages_before(training, characters.index(START), origin)


def new_run(
    config: Config,
    out: str | InMemory | None,
    parent: Parent | None = None,
    string: String | None = None,
    given: Collection[str] | None = None,
) -> Run:
    """Sets up a run from its first step; nothing is written before text and config fit.

    Args:
        config: The config of the run.
        out: The run directory; by default the first free one of runs/NAME-1, -2, … Or memory.
        parent: The model that the config names as `model.init_from`; loaded if not given.
        string: The text, in place of standard input.
        given: The dotted keys of the settings that stay as they are; the others are chosen for the
            text. None: all stay.

    Raises:
        InputError: The text or the parent is unusable.
        UsageError: The directory is not free, or the parent is another network.
    """
    settings = resolve(config)
    parent = parent or load_parent(settings)
    if parent:
        require_same_network(settings, parent)
    read = read_texts(settings, parent.vocabulary if parent else None, string=string)
    plan = None
    if given is not None:
        config, plan = plan_run(config, given, parent, read, trial_of_all)
        settings = resolve(config)
    if parent:
        settings = naming_file(settings, parent)
    text = in_windows(settings, read)
    steps = budget_of(settings, text.batches.per_epoch).max_steps
    settings, notes = with_backend(settings, steps, text.batches.largest)
    state = first_state(settings, len(text.corpus.vocabulary))
    notes = text.notes + notes
    if parent:
        inherit(state.params, parent.params)
        new = len(text.corpus.vocabulary) - len(parent.vocabulary)
        more = f", and {pluralize(new, 'new character')}" if new else ""
        notes += (f"starts from the weights of {parent.path}{more}.",)
        notes += notes_on(parent, settings)
    notes += (*plan.lines(),) if plan else ()
    notes += limit_notes(config)
    notes += _epoch_notes(settings, text.batches.per_epoch)
    directory = out if isinstance(out, InMemory) else RunDirectory.create(out, run_name(settings))
    notes += directory.notes
    return assembled(directory, settings, text, state, notes, plan)


def assembled(
    directory: RunDirectory | InMemory,
    config: ResolvedConfig,
    text: Prepared,
    state: TrainState,
    notes: tuple[str, ...],
    plan: Plan | None = None,
) -> Run:
    """A run from its parts."""
    return Run(
        directory,
        config,
        text.corpus,
        text.batches,
        text.scored,
        text.test,
        text.held_out,
        state,
        notes,
        plan,
    )


def _epoch_notes(config: Config, steps_per_epoch: int) -> tuple[str, ...]:
    """Whether the run sees a small text very often, or a large one not even once."""
    steps = budget_of(config, steps_per_epoch).max_steps
    if not steps or config.training.patience is not None:
        return ()
    epochs = steps / steps_per_epoch
    if epochs > MANY_EPOCHS:
        return (
            f"the run goes over this text {epochs:,.0f} times; a small text is memorized before "
            f"that. Train for fewer: `training.epochs={MANY_EPOCHS // 2}`; or until the held-out "
            "loss no longer improves: `training.patience=3`",
        )
    if epochs < 0.5:
        return (f"the run sees {100 * epochs:.2g} % of this text; to see all: `training.epochs=1`",)
    return ()
