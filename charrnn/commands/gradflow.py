"""Which model and text the gradient flow is measured on, and over how many characters."""

from pathlib import Path

import numpy as np

from charrnn.analysis.gradflow import GradientFlow, measure_flow
from charrnn.analysis.truncation import truncation
from charrnn.config.layers import check_config, load_config
from charrnn.config.settings import Config
from charrnn.errors import UsageError
from charrnn.model.activations import ACTIVATIONS
from charrnn.setup.run_files import SUFFIX
from charrnn.setup.subject import looking_back, problem_after, trained, untrained
from charrnn.setup.wiring import activation_of, first_params
from charrnn.system.blas import single_threaded_blas
from charrnn.system.resources import config_paths
from charrnn.text.sequences import SEQUENCES
from charrnn.wording import nearest

LOSSES = 1024  # that are followed back together
LOSSES_COMPARED = 256  # before training they are much alike
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
    if compare:
        _refuse_with_comparison(assignments, tolerance)
    if _is_checkpoint(model):
        if compare or assignments:
            raise UsageError(
                f"{'--compare' if compare else '--set'} is for a model before training, "
                f"and {model} is a checkpoint.",
                "give a config instead, or leave the option out.",
            )
        subject = trained(str(model), text)
        configs = [subject.config]
    else:
        config = load_config(model, assignments, {})
        subject = untrained(config, model or "the default config", text)
        configs = _variants(config) if compare else [config]
    A = subject.params.alphabet_size
    losses = LOSSES_COMPARED if compare else LOSSES
    before, window, reach = looking_back(
        subject, np.random.default_rng(seed), lags, lags, max(losses // lags, 1)
    )
    flows = []
    for variant in configs:
        params = first_params(variant, A) if compare else subject.params
        activation = activation_of(variant)
        problem = problem_after(before, window, params, activation)
        gain = variant.model.initialization.recurrent_gain if compare else None
        flows.append(measure_flow(problem, activation, reach, np.random.default_rng(seed), gain))
    cost = None if tolerance is None else truncation(problem, activation, reach, tolerance)
    remarks = subject.remarks
    if reach < lags:
        remarks += (f"the text lets losses be followed back over {reach:,} characters only.",)
    whole = SEQUENCES[subject.config.data.sequences].whole
    found = GradientFlow(subject.title, params.hidden_size, A, whole, flows, cost)
    return found, remarks


def _refuse_with_comparison(assignments: list[str], tolerance: float | None) -> None:
    if tolerance is not None:
        raise UsageError("--compare and --truncation are both given.", "choose one of them.")
    for key in ("model.activation", "model.initialization.recurrent_gain"):
        if any(assignment.partition("=")[0].strip() == key for assignment in assignments):
            raise UsageError(f"--compare sets {key} itself.", "leave out the --set, or --compare.")


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
