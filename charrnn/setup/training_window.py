"""A window that a config trains on, as a problem to check the gradient of its own objective on."""

import numpy as np
from numpy.random import Generator

from charrnn.analysis.problems import Problem
from charrnn.arrays import Array
from charrnn.errors import InputError
from charrnn.model.bptt import Objective
from charrnn.model.dropout import Dropout
from charrnn.setup.subject import CONTEXT, Subject
from charrnn.setup.wiring import batches_of, dropout_of
from charrnn.text.windows import Windows
from charrnn.window import Window


def windows_of(subject: Subject) -> Windows:
    """The windows that the subject's config cuts its text into.

    Raises:
        InputError: The text is too short for them.
    """
    try:
        return batches_of(subject.config, subject.ids)
    except InputError as error:
        hint = "give more text" if subject.steps is not None else str(error.hint).rstrip(".")
        raise InputError(str(error), f"{hint}; or check a short window: `fast`") from None


def training_window(
    subject: Subject, batches: Windows, random: Generator, objective: Objective
) -> tuple[Problem, int]:
    """Draws a window of the first epoch, with the state and dropout's mask as in training.

    The first window, which no state and no warm-up precedes, is drawn only if there is no other.

    Args:
        subject: The model and the text.
        batches: The windows.
        random: Chooses the window.
        objective: Runs the windows before it, from the zero state.

    Returns:
        The problem in float64, and the number of its window.
    """
    config = subject.config
    number = int(random.integers(min(1, batches.per_epoch - 1), batches.per_epoch))
    params = subject.params.astype(np.float64)
    h = np.zeros((config.training.batch_size, params.state_size))
    for earlier in range(_first_to_run(batches, number), number):
        window = _step(batches, earlier)
        lanes = h[: len(window.fresh)]  # lines and documents may leave lanes without work
        lanes[window.fresh] = 0
        lanes[...] = objective(params, window, lanes)[2]
    window = _step(batches, number)
    h0 = h[: len(window.fresh)]
    h0[window.fresh] = 0
    problem = Problem(params, window, h0)
    if dropout := dropout_of(config):
        problem = problem._replace(mask=window_mask(dropout, problem))
    return problem, number


def window_mask(dropout: Dropout, problem: Problem) -> Array:
    """Dropout's factors (L, T, B, H) in the training step of the window."""
    params, window = problem.params, problem.window
    shape = (params.depth, *window.x.shape, params.hidden_size)
    return dropout.mask(shape, np.float64, step=window.step)


def _step(batches: Windows, number: int) -> Window:
    return batches[number]._replace(step=number)


def _first_to_run(batches: Windows, number: int) -> int:
    """The window from which on the state settles in CONTEXT steps."""
    steps = 0
    while number > 0 and steps < CONTEXT and not batches[number].fresh.all():
        number -= 1
        window = batches[number]
        carried: int | Array = len(window.x) if window.carried is None else window.carried
        steps += int(np.max(carried))
    return number
