"""Measures a model on a passage, for a report."""

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple, TypeVar

import numpy as np

from charrnn.analysis.gradflow import measure_flow
from charrnn.arrays import Array
from charrnn.commands.explain import explain
from charrnn.commands.flow_plan import plan_flow
from charrnn.commands.speed import seconds_per_multiplication
from charrnn.commands.surprisal import scores_of_ids
from charrnn.commands.units import units_of_ids
from charrnn.errors import CharrnnError, InputError, UsageError
from charrnn.results import CharacterScores, GradientFlow, Matrix, MeasuredModel, UnitReport
from charrnn.setup.known_text import known_text
from charrnn.setup.loading import Model, encode_text
from charrnn.setup.own_text import Announce
from charrnn.setup.subject import Subject, looking_back, problem_after
from charrnn.setup.wiring import sequences_of
from charrnn.system.blas import single_threaded_blas
from charrnn.text.text import Text
from charrnn.wording import call, rough_duration

PASSAGE = 3000  # characters that are scored and shown
NEAR = 500  # characters, within which it starts at the beginning of a line
TERMS = 32  # characters whose terms are shown
UNITS = 16  # whose states are shown
UNIT_CHARACTERS = 50_000  # on which units are compared with features
LAGS, LOSSES = 64, 512  # of the gradient flow
LONGEST = 20.0  # seconds that a measurement may take
MOST_UNITS = 4096  # of a state, for the terms of all losses
FLOW_SEED = 1
Result = TypeVar("Result")


class _Text(NamedTuple):
    """A text (N,) of the model's ids, and what the page calls it."""

    ids: Array
    label: str


def measure(
    model: Model,
    text: str | None = None,
    unknown: str | None = None,
    announce: Announce = lambda note: None,
) -> tuple[MeasuredModel, tuple[str, ...], tuple[str, ...]]:
    """Measures a model on a text, or on the one that its run held out.

    Args:
        model: The model.
        text: A text file; None for the text of its run.
        unknown: What to do with characters of it that the model does not know.
        announce: Called with a note before a text is read that only a checkpoint names.

    Returns:
        The measurements, sentences for the page on what is left out, and notes with the reasons.

    Raises:
        InputError, UsageError: `text` is given and cannot be used.
    """
    empty = MeasuredModel(
        model.path, model.steps, model.params.size, tuple(model.vocabulary.characters)
    )
    if text is not None:
        ids, _, notes = encode_text(model, [text], unknown)
        found, missing = _measured(model, empty, _Text(ids, Path(text).name))
        return found, missing, notes + missing
    try:
        own = _own_text(model, announce)
    except (InputError, UsageError) as error:
        gone = "The text of this run is gone or has changed, so what is measured on it is left out."
        another = f"Name a text for it: {call('report', 'RUN', text='FILE')}"
        return empty, (gone,), (f"the text of the run cannot be used: {error} {another}",)
    found, missing = _measured(model, empty, own)
    return found, missing, missing


def _own_text(model: Model, announce: Announce) -> _Text:
    """The held-out text of the model's run, or its training text if there is none.

    Raises:
        InputError, UsageError: It cannot be read, or is not the one that the checkpoint names.
    """
    own = known_text(model, [], announce)
    if own.held_out and len(own.held_out) > 1:
        return _Text(model.vocabulary.encode(own.held_out), "The text that was held out")
    return _Text(own.training.ids, "The training text")


def _measured(
    model: Model, empty: MeasuredModel, text: _Text
) -> tuple[MeasuredModel, tuple[str, ...]]:
    """All measurements; one that fails is left out, and the reason said."""
    missing: list[str] = []

    def tried(what: str, measurement: Callable[[], Result]) -> Result | None:
        try:
            return measurement()
        except CharrnnError as error:
            missing.append(f"{what} left out: {error}")
            return None

    found = MeasuredModel(
        empty.checkpoint, empty.step, empty.weights, empty.alphabet, text.label,
        scores=tried("Surprisal is", lambda: _scores(model, text.ids)),
        flow=tried("The gradient flow is", lambda: _flow(model, text.ids)),
        terms=tried("The terms of the gradient are", lambda: _terms(model, text.ids)),
        units=tried("What units follow is", lambda: _units(model, text.ids)),
    )  # fmt: skip
    return found, tuple(missing)


def _scores(model: Model, ids: Array) -> CharacterScores:
    """The scores of a passage, from the beginning of a line on where one is near."""
    start = _passage_start(model, ids)
    found = scores_of_ids(model, ids, start + PASSAGE)
    return CharacterScores(
        found.text[start:],
        found.nats[start:],
        found.ranks[start:],
        found.likeliest[start:],
        found.probabilities[start:],
        found.characters,
    )


def _passage_start(model: Model, ids: Array) -> int:
    """Where the first line begins that is complete; 0 if that is not near."""
    if sequences_of(model.config).delimiter:
        return 0
    before = model.vocabulary.decode(ids[: min(NEAR, len(ids) // 2)])
    return before.find("\n") + 1


def _units(model: Model, ids: Array) -> UnitReport:
    """The units that follow the features of the text most closely, with their states in it."""
    start, (H, L) = _passage_start(model, ids), (model.params.hidden_size, model.params.depth)
    ids = ids[start : start + UNIT_CHARACTERS]
    seconds = 4 * len(ids) * (2 * L - 1) * H * H * seconds_per_multiplication()
    if seconds > LONGEST:
        raise CharrnnError(f"it takes about {rough_duration(seconds)}.")
    text = Text(model.vocabulary.characters, ids)
    found = units_of_ids(model, ids, text, count=1, passage=1)
    followers = [follower for follower in found.followers if follower.found.significant]
    followers.sort(key=lambda follower: -abs(follower.found.correlation))
    chosen = [*dict.fromkeys(follower.unit for follower in followers)][:UNITS]
    return units_of_ids(model, ids, text, UNITS, PASSAGE, chosen)


@single_threaded_blas()
def _flow(model: Model, ids: Array) -> GradientFlow:
    """How gradients flow back through the model."""
    subject = Subject(model.path, model.params, model.config, ids, (), model.steps)
    random = np.random.default_rng(FLOW_SEED)
    before, window, reach = looking_back(subject, random, LAGS, LAGS, LOSSES // LAGS)
    plan = plan_flow(model.params, window.x.shape, reach, False)
    if plan.seconds > LONGEST:
        raise CharrnnError(
            f"it takes about {rough_duration(plan.seconds)}; see {call('gradflow', model.path)}"
        )
    problem = problem_after(before, window, model.params, model.activation)
    random = np.random.default_rng(FLOW_SEED)
    flows = measure_flow(problem, model.activation, reach, random, None)
    H, L, A = model.params.hidden_size, model.params.depth, model.params.alphabet_size
    lines = sequences_of(model.config).never_truncated
    return GradientFlow(model.path, model.steps, H, L, A, lines, flows, None)


def _terms(model: Model, ids: Array) -> Matrix:
    """The triangle of the terms of dW, over the beginning of the text or of a line of it."""
    if model.params.state_size > MOST_UNITS:
        raise CharrnnError(f"the network has more than {MOST_UNITS:,} units.")
    delimiter = sequences_of(model.config).delimiter
    start = _passage_start(model, ids)
    passage = model.vocabulary.decode(ids[start : start + PASSAGE])
    if delimiter:
        passage = max(passage.split(delimiter), key=lambda line: min(len(line), TERMS))
    found, _ = explain("terms", model.path, text=passage[: TERMS + 1])
    return next(p for p in found.parts if isinstance(p, Matrix) and p.name == "triangle")
