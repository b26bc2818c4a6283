"""Which model and text the gradient flow is measured on, and over how many characters."""

from pathlib import Path

import numpy as np

from charrnn.analysis.gradflow import Flow, GradientFlow, measure_flow
from charrnn.analysis.problems import Problem
from charrnn.analysis.truncation import truncation
from charrnn.blas import single_threaded_blas
from charrnn.config.layers import check_config, load_config
from charrnn.config.settings import Config
from charrnn.errors import CharrnnError, UsageError, nearest
from charrnn.jobs.run_directory import SUFFIX
from charrnn.jobs.subject import Subject, problem_in_text, trained, untrained
from charrnn.jobs.wiring import activation_of
from charrnn.model.activations import ACTIVATIONS
from charrnn.resources import config_paths
from charrnn.window import NO_TARGET, Window

LOSSES = 1024  # that are followed back together
SCALES = (0.5, 1.0, 2.0, 4.0)


@single_threaded_blas()
def gradient_flow(
    model: str | None,
    assignments: list[str],
    text: str | None,
    lags: int,
    compare: bool,
    tolerance: float | None,
    seed: int,
) -> tuple[GradientFlow, tuple[str, ...]]:
    """The flow through a checkpoint, or a config's model before training; and remarks.

    compare: instead, through each activation with W at each of SCALES.
    tolerance: truncation is measured too. Raises: UsageError, InputError.
    """
    if tolerance is not None and not 0 < tolerance < 1:
        raise UsageError(f"--tolerance {tolerance} is not between 0 and 1.", "such as 0.1")
    if _is_checkpoint(model):
        if compare or assignments:
            raise UsageError(
                f"{'--compare' if compare else '--set'} is for a model before training, "
                f"and {model} is a checkpoint.",
                "give a config instead, or leave the option out.",
            )
        subjects = [trained(str(model), text)]
        gains: list[float | None] = [None]
    else:
        config = load_config(model, assignments, {})
        configs = _variants(config) if compare else [config]
        gains = [variant.model.initialization.recurrent_gain for variant in configs]
        name = model or "the default config"
        subjects = [untrained(variant, name, text) for variant in configs]
    flows = [
        _flow(subject, lags, seed, gain) for subject, gain in zip(subjects, gains, strict=True)
    ]
    subject = subjects[0]
    shape = f"H = {subject.params.hidden_size}, A = {subject.params.alphabet_size}"
    title = f"{subject.title}\n{'' if compare else flows[0].activation + ', '}{shape}"
    cost = None
    if tolerance is not None:
        problem, reach = _problem(subject, lags, seed)
        cost = truncation(problem, activation_of(subject.config), reach, tolerance)
    return GradientFlow(title, flows, cost), subject.remarks


def _is_checkpoint(model: str | None) -> bool:
    """Raises: UsageError for what is neither a checkpoint nor a config."""
    if model is None or model in config_paths() or Path(model).suffix in (".yaml", ".yml"):
        return False
    if Path(model).exists() or model.endswith(SUFFIX):
        return True
    guess = nearest(model, config_paths())
    raise UsageError(
        f"{model!r} is neither a checkpoint nor a config.",
        f"did you mean {guess}?" if guess else "give a run directory, or a name such as default.",
    )


def _variants(config: Config) -> list[Config]:
    """The config with each activation and each scale of W."""
    variants = []
    for activation in ACTIVATIONS:
        for scale in SCALES:
            values = config.model_dump()
            values["model"]["activation"] = activation
            values["model"]["initialization"]["recurrent_gain"] = scale
            variants.append(check_config(values))
    return variants


def _problem(subject: Subject, lags: int, seed: int) -> tuple[Problem, int]:
    """A window of twice the lags, whose newer half has the losses, and the lags that all reach.

    Lines are too short to be halved: all their losses count, and some reach further than others.
    """
    random = np.random.default_rng(seed)
    lines = subject.config.data.sequences == "lines"
    length = len(subject.ids) // int((subject.ids == subject.ids[-1]).sum()) if lines else lags
    problem = problem_in_text(subject, random, 2 * lags, max(LOSSES // length, 1))
    x, y, fresh, _ = problem.window
    if lines:
        return problem, min(lags, len(x))
    older = len(x) // 2
    y = np.concatenate([np.full_like(y[:older], NO_TARGET), y[older:]])
    return problem._replace(window=Window(x, y, fresh)), max(older, 1)


def _flow(subject: Subject, lags: int, seed: int, gain: float | None) -> Flow:
    problem, reach = _problem(subject, lags, seed)
    try:
        random = np.random.default_rng(seed)
        return measure_flow(problem, activation_of(subject.config), reach, random, gain)
    except (FloatingPointError, np.linalg.LinAlgError):
        raise CharrnnError(
            f"{subject.title}: the state grows beyond all numbers on this text.",
            "lower model.initialization.recurrent_gain, or --lags.",
        ) from None
