"""What a gradient check is done on: a random problem, a config, or a trained model and a text."""

import numpy as np

from charrnn.analysis.gradcheck import ORACLES, Entry, gradcheck
from charrnn.analysis.oracles import Oracle
from charrnn.analysis.problems import random_problem
from charrnn.config.layers import load_config
from charrnn.errors import UsageError
from charrnn.setup.subject import problem_in_text, trained, untrained
from charrnn.setup.wiring import activation_of, objective_maker
from charrnn.system.blas import single_threaded_blas
from charrnn.wording import nearest

# windows cut from a text: enough to reach back, few enough for thousands of losses
TIME_STEPS, BATCH_SIZE = 12, 2


@single_threaded_blas()
def check_gradients(
    checkpoint: str | None,
    config_path: str | None,
    text: str | None,
    oracle_names: list[str],
    tolerance: float | None,
    seed: int,
) -> tuple[str, list[Entry], tuple[str, ...]]:
    """A title that says what was checked, an entry for each oracle and parameter, and remarks.

    A checkpoint is checked as it was trained, a config as it is before training; with neither,
    and no text, the model is small, random and checked in every entry.
    Raises: UsageError, InputError.
    """
    oracles = _oracles(oracle_names)
    if checkpoint is not None and config_path is not None:
        raise UsageError("a checkpoint and --config are both given.", "choose one of them.")
    if tolerance is not None and not tolerance > 0:
        raise UsageError(f"--tolerance {tolerance} is not above 0.", "such as --tolerance 1e-6")
    random = np.random.default_rng(seed)
    remarks: tuple[str, ...] = ()
    if checkpoint is not None or config_path or text:
        if checkpoint is not None:
            subject = trained(checkpoint, text)
        else:
            name = config_path or "the default config"
            subject = untrained(load_config(config_path, [], {}), name, text)
        title, config, remarks = subject.title, subject.config, subject.notes
        problem = problem_in_text(subject, random, TIME_STEPS, BATCH_SIZE)
    else:
        title, config = "a small random model", load_config(None, [], {})
        problem = random_problem(random, bias=config.model.bias)
    activation, reduction = activation_of(config), config.training.reduction
    objective = objective_maker(config)()
    problem_shape = f"T = {problem.window.x.shape[0]}, B = {len(problem.h0)}"
    title += (
        f"\n{activation.name}, {reduction}, H = {problem.params.hidden_size}, "
        f"A = {problem.params.alphabet_size}, {problem_shape}"
    )
    entries = gradcheck(problem, objective, activation, reduction, oracles, random, tolerance)
    return title, entries, remarks


def _oracles(names: list[str]) -> list[Oracle]:
    if not names or "all" in names:
        return list(ORACLES.values())
    for name in names:
        if name not in ORACLES:
            guess = nearest(name, ORACLES)
            raise UsageError(
                f"there is no oracle {name!r}.",
                f"did you mean {guess}?" if guess else f"known: {', '.join(ORACLES)}, all.",
            )
    return [ORACLES[name] for name in dict.fromkeys(names)]
