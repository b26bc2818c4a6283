"""Measures how gradients flow back through a model on a text."""

from math import inf

import numpy as np

from charrnn.analysis.gradflow import measure_flow
from charrnn.analysis.truncation import truncation
from charrnn.commands.arguments import check_arguments, require_between
from charrnn.commands.flow_plan import plan_flow
from charrnn.commands.speed import NOTED_SECONDS
from charrnn.config.dotted import Layer
from charrnn.config.layers import assigns, check_config
from charrnn.config.settings import Config
from charrnn.errors import UsageError
from charrnn.model.activations import ACTIVATIONS
from charrnn.results import GradientFlow
from charrnn.setup.loading import Model
from charrnn.setup.memory_limit import memory_limit, require_memory_for
from charrnn.setup.own_text import Announce
from charrnn.setup.subject import looking_back, name_of, problem_after, subject_of
from charrnn.setup.wiring import activation_of, first_params, sequences_of
from charrnn.system.blas import single_threaded_blas
from charrnn.text.sources import String
from charrnn.wording import format_size, layer_sizes, rough_duration

MAX_LAGS = 100_000
MAX_LOSSES = 1024  # backpropagated together
MAX_LOSSES_COMPARED = 256  # fewer suffice before training, when losses are alike
TOLERANCE = 0.1  # of the error of truncation, unless the user says otherwise
SCALES = (0.5, 1.0, 2.0, 4.0)  # of W, in a comparison


@single_threaded_blas()
def gradient_flow(
    model: str | Model | None,
    config_path: str | Layer | None,
    assignments: list[str],
    text: str | String | None,
    lags: int,
    compare: bool,
    tolerance: float | None,
    seed: int,
    max_memory: float | None = None,
    announce: Announce = lambda note: None,
    flags: Layer | None = None,
) -> tuple[GradientFlow, tuple[str, ...]]:
    """Measures the gradient flow through a model.

    Args:
        model: A checkpoint, a run directory or a loaded model; or a config for its model before
            training.
        config_path: A config or its values, if `model` is not given; the default one if neither is.
        assignments: Changes of the config, as `key.path=value`.
        text: The text to measure on, or its file; None for the one that it is trained on.
        lags: The longest lag, in characters.
        compare: Whether to compare all activations, with W at each of SCALES, instead.
        tolerance: The largest truncation error to accept; None to leave out truncation.
        seed: Random seed for the positions in the text.
        max_memory: Bytes that may be used; None for half of this machine's memory.
        announce: Called with a note before a measurement that takes more than a few seconds, and
            before a text is read that only a checkpoint names.
        flags: Changes of the config, as a layer.

    Returns:
        The flow, and notes on the text.

    Raises:
        UsageError: The options contradict each other.
        InputError: The checkpoint or the text is unusable.
    """
    if tolerance is not None and not 0 < tolerance < 1:
        raise UsageError(
            f"`tolerance={tolerance}` is not between 0 and 1.", "for example `tolerance=0.1`"
        )
    require_between(1, MAX_LAGS, lags=lags)
    require_between(0, inf, seed=seed)
    check_arguments(config_path, assignments, [] if text is None else [str(text)])
    if compare:
        _refuse_with_comparison(assignments, flags, tolerance)
    subject = subject_of(model, config_path, assignments, text, announce, flags)
    if compare and subject.steps is not None:
        raise UsageError(
            f"`compare` is for untrained models, but {name_of(model or '')} is a checkpoint.",
            "give a config instead, or leave out `compare`.",
        )
    configs = _variants(subject.config) if compare else [subject.config]
    A = subject.params.alphabet_size
    losses = MAX_LOSSES_COMPARED if compare else MAX_LOSSES
    before, window, reach = looking_back(
        subject, np.random.default_rng(seed), lags, lags, max(losses // lags, 1)
    )
    plan = plan_flow(
        subject.params, window.x.shape, reach, tolerance is not None, models=len(configs)
    )
    less = None if tolerance is None else "leave out `truncation`"
    require_memory_for("this measurement", plan.memory, memory_limit(max_memory), less)
    if plan.seconds > NOTED_SECONDS:
        announce(
            f"measuring {layer_sizes(subject.params.depth, subject.params.hidden_size)} over "
            f"{reach:,} lags: about {rough_duration(plan.seconds)}, {format_size(plan.memory)}"
        )
    flows = []
    for variant in configs:
        params = first_params(variant, A) if compare else subject.params
        activation = activation_of(variant)
        problem = problem_after(before, window, params, activation)
        gain = variant.model.initialization.recurrent_gain if compare else None
        layers = measure_flow(problem, activation, reach, np.random.default_rng(seed), gain)
        flows += layers[-1:] if compare else layers
    cost = None if tolerance is None else truncation(problem, activation, reach, tolerance)
    notes = subject.notes
    if reach < lags:
        notes += (f"in this text, losses can be followed back over only {reach:,} characters.",)
    lines = sequences_of(subject.config).never_truncated
    H, L = params.hidden_size, params.depth
    return GradientFlow(subject.title, subject.steps, H, L, A, lines, flows, cost), notes


def _refuse_with_comparison(
    assignments: list[str], flags: Layer | None, tolerance: float | None
) -> None:
    if tolerance is not None:
        raise UsageError("`compare` and `truncation` are both given.", "choose one of them.")
    for key in ("model.activation", "model.initialization.recurrent_gain"):
        if assigns(assignments, key, flags):
            raise UsageError(f"`compare` sets `{key}` itself.", f"leave out `{key}`, or `compare`.")


def _variants(config: Config) -> list[Config]:
    """The config with each activation and scale of W."""
    variants = []
    for activation in ACTIVATIONS:
        for scale in SCALES:
            values = config.model_dump()
            values["model"]["activation"] = activation
            values["model"]["initialization"]["recurrent_gain"] = scale
            variants.append(check_config(values))
    return variants
