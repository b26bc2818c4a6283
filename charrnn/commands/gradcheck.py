"""Checks the gradients of a random, an untrained or a trained model."""

import numpy as np

from charrnn.analysis.gradcheck import ORACLES, gradcheck
from charrnn.analysis.oracles import Oracle
from charrnn.analysis.problems import random_problem
from charrnn.commands.arguments import check_arguments
from charrnn.config.layers import load_config
from charrnn.errors import UsageError
from charrnn.results import CheckedProblem, GradientCheck
from charrnn.setup.subject import problem_in_text, subject_of
from charrnn.setup.wiring import activation_of, dropout_of, objective_maker
from charrnn.system.blas import single_threaded_blas
from charrnn.wording import nearest

# of windows of text: long enough for gradients through time, cheap enough for thousands of losses
TIME_STEPS, BATCH_SIZE = 12, 2


@single_threaded_blas()
def check_gradients(
    model: str | None,
    config_path: str | None,
    assignments: list[str],
    text: str | None,
    oracle_names: list[str],
    tolerance: float | None,
    seed: int,
) -> tuple[GradientCheck, tuple[str, ...]]:
    """Compares the gradients of a model with independent methods.

    With neither a model nor a config nor a text, the model is small and random, and every entry
    is checked.

    Args:
        model: A checkpoint or run directory, to check a model as it was trained; or a config.
        config_path: A config, to check its model before training.
        assignments: Changes of the config, as `key.path=value`.
        text: A text to take windows from; None for the one that the model is trained on.
        oracle_names: The oracles to compare with; none, or "all", for all of them.
        tolerance: The largest relative error to accept; None for each oracle's own.
        seed: Random seed for the problem or the windows, and for the choice of entries.

    Returns:
        The result, and notes on the text.

    Raises:
        UsageError: The options contradict each other or name an unknown oracle.
        InputError: The checkpoint or the text cannot be used.
    """
    oracles = _oracles(oracle_names)
    if tolerance is not None and not tolerance > 0:
        raise UsageError(
            f"`tolerance={tolerance}` is not positive.", "for example `tolerance=1e-6`"
        )
    check_arguments(config_path, assignments, [] if text is None else [text])
    random = np.random.default_rng(seed)
    notes: tuple[str, ...] = ()
    if model is not None or config_path is not None or assignments or text is not None:
        subject = subject_of(model, config_path, assignments, text)
        name, config, notes = subject.title, subject.config, subject.notes
        problem = problem_in_text(subject, random, TIME_STEPS, BATCH_SIZE)
    else:
        name, config = "a small random model", load_config(None, [], {})
        problem = random_problem(random, bias=config.model.bias)
    dropout = dropout_of(config)
    if dropout:  # the mask that the objective draws
        params = problem.params
        shape = (params.depth, *problem.window.x.shape, params.hidden_size)
        problem = problem._replace(mask=dropout.mask(shape, dtype=np.float64))
    activation, reduction = activation_of(config), config.training.reduction
    objective = objective_maker(config)()
    T, B = problem.window.x.shape
    params = problem.params
    checked = CheckedProblem(
        name,
        activation.name,
        reduction,
        params.hidden_size,
        params.alphabet_size,
        time_steps=T,
        batch_size=B,
        layers=params.depth,
        dropout=config.model.dropout,
    )
    entries = gradcheck(problem, objective, activation, reduction, oracles, random, tolerance)
    return GradientCheck(checked, entries), notes


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
