"""What a gradient check is done on: a random problem, a config, or a trained model and a text."""

from functools import partial

import numpy as np
from numpy.random import Generator

from charrnn.analysis.gradcheck import ORACLES, Entry, gradcheck
from charrnn.analysis.oracles import Oracle
from charrnn.analysis.problems import Problem, random_problem, window_of
from charrnn.blas import single_threaded_blas
from charrnn.config.layers import load_config
from charrnn.config.settings import Config
from charrnn.errors import UsageError, nearest
from charrnn.jobs.loading import encode_text, load_model, require_two
from charrnn.jobs.wiring import activation_of, first_params, text_paths
from charrnn.model.activations import Activation
from charrnn.model.bptt import bptt
from charrnn.model.params import Params
from charrnn.model.rnn import states
from charrnn.text.reading import STDIN, read_text
from charrnn.text.vocabulary import Vocabulary
from charrnn.window import Array

# windows cut from a text: enough to reach back, few enough for thousands of losses
TIME_STEPS, BATCH_SIZE, CONTEXT = 12, 2, 64


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
    model = load_model(checkpoint) if checkpoint is not None else None
    config = model.config if model else load_config(config_path, [], {})
    paths = [text] if text else text_paths(config)
    if model:
        title = model.path
        if not text and STDIN in paths:
            raise UsageError(f"{title} was trained from standard input.", "give a --text.")
        ids, (_, remarks) = encode_text(model.vocabulary, paths)
        problem = _problem_in_text(model.params, ids, model.activation, random)
    elif config_path or text:
        title = f"{config_path or 'the default config'} before training"
        reading, remarks = read_text(paths)
        problem = _untrained_problem(config, reading, random)
    else:
        title = "a small random model"
        problem = random_problem(random, bias=config.model.bias)
    activation, reduction = activation_of(config), config.training.reduction
    objective = partial(bptt, activation=activation, reduction=reduction)
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


def _untrained_problem(config: Config, text: str, random: Generator) -> Problem:
    require_two(text)
    vocabulary = Vocabulary.of(text)
    params = first_params(config, len(vocabulary))
    return _problem_in_text(params, vocabulary.lookup(text), activation_of(config), random)


def _problem_in_text(
    params: Params, ids: Array, activation: Activation, random: Generator
) -> Problem:
    """Windows from random places of a text, in float64, each after the state its context leaves."""
    T = min(TIME_STEPS, len(ids) - 1)
    context = min(CONTEXT, len(ids) - 1 - T)
    starts = random.integers(0, len(ids) - context - T, BATCH_SIZE)
    pieces = np.stack([ids[start : start + context + T + 1] for start in starts], axis=1)
    params = params.astype(np.float64)
    zero = np.zeros((BATCH_SIZE, params.hidden_size))
    h0 = states(params, pieces[:context], zero, activation)[-1].copy()
    return Problem(params, window_of(pieces[context:]), h0)
