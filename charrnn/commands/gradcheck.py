"""Checks the gradients of a random, an untrained or a trained model."""

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from math import inf
from typing import NamedTuple

import numpy as np
from numpy.random import Generator

from charrnn.analysis.directions import check_directions
from charrnn.analysis.gradcheck import ORACLES, gradcheck
from charrnn.analysis.oracles import Oracle
from charrnn.analysis.problems import Problem, random_problem
from charrnn.commands.arguments import check_arguments, require_between
from charrnn.commands.check_plan import memory_of_check, plan_check
from charrnn.config.dotted import Layer
from charrnn.config.layers import load_config
from charrnn.config.settings import Config, ResolvedConfig
from charrnn.errors import UsageError
from charrnn.model.activations import ACTIVATIONS
from charrnn.model.bptt import Objective
from charrnn.results import CheckedProblem, GradientCheck
from charrnn.setup.loading import Model
from charrnn.setup.memory_limit import memory_limit, require_memory_for
from charrnn.setup.own_text import Announce
from charrnn.setup.preparation import step_memory
from charrnn.setup.subject import Subject, problem_in_text, subject_of
from charrnn.setup.training_window import training_window, window_mask, windows_of
from charrnn.setup.wiring import (
    activation_of,
    dropout_of,
    objective_maker,
    objective_of,
    sequences_of,
)
from charrnn.system.blas import single_threaded_blas
from charrnn.text.sources import String
from charrnn.training.workers import Workers, choose_workers, worker_threads
from charrnn.wording import format_size, layer_sizes, nearest, rough_duration

# of short windows: long enough for gradients through time, cheap enough for thousands of losses
TIME_STEPS, BATCH_SIZE = 12, 2
SHORTER = "check a short window: `fast`"
NOTED_SECONDS = 3.0  # a check that takes longer says so in advance


@single_threaded_blas()
def check_gradients(
    model: str | Model | None,
    config_path: str | Layer | None,
    assignments: list[str],
    text: str | String | None,
    oracle_names: list[str],
    tolerance: float | None,
    seed: int,
    entries: int | None = None,
    fast: bool = False,
    max_memory: float | None = None,
    announce: Announce = lambda note: None,
    flags: Layer | None = None,
) -> tuple[GradientCheck, tuple[str, ...]]:
    """Compares the gradients of a model with independent methods.

    What is checked is the objective of the config: on a window that it trains on, from the state
    before it, with its stride, lanes, threads, recomputation and dropout, but in float64. With
    neither a model nor a config nor a text, the model is small and random, and every entry is
    checked.

    Args:
        model: A checkpoint, run directory or loaded model, to check it as it was trained; or a
            config.
        config_path: A config or its values, to check its model before training.
        assignments: Changes of the config, as `key.path=value`.
        text: A text to take windows from, or its file; None for the one that it is trained on.
        oracle_names: The oracles to compare with; none, or "all", for all of them.
        tolerance: The largest relative error to accept; None for each oracle's own.
        seed: Random seed for the problem or the window, the directions and the entries.
        entries: The number of entries of a parameter to compare, however long it takes; None for as
            many as take a reasonable time.
        fast: Whether to check short passages of the text on a single thread instead.
        max_memory: Bytes that the check may use; None for half of this machine's memory.
        announce: Called with a note before a check that takes more than a few seconds, and before
            a text is read that only a checkpoint names.
        flags: Changes of the config, as a layer.

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
    require_between(0, inf, seed=seed)
    require_between(1, inf, entries=entries)
    check_arguments(config_path, assignments, [] if text is None else [str(text)])
    random, limit = np.random.default_rng(seed), memory_limit(max_memory)
    with ExitStack() as stack:
        given = [one for one in (model, config_path, text) if one is not None]
        if not (given or assignments or flags):
            case = _random_case(random)
        else:
            subject = subject_of(model, config_path, assignments, text, announce, flags)
            case = (
                _short_case(subject, random)
                if fast
                else _training_case(
                    subject, random, limit, lambda n: stack.enter_context(worker_threads(n))
                )
            )
        checked, problem = case.checked, case.problem
        activation = ACTIVATIONS[checked.activation]
        shorter = SHORTER if checked.windows_per_epoch else None
        require_memory_for("this check", memory_of_check(problem), limit, shorter)
        plan = plan_check(problem, activation, oracles, entries)
        if plan.seconds > NOTED_SECONDS:
            announce(
                f"checking {checked.activation}, "
                f"{layer_sizes(checked.layers, checked.hidden_size)} at "
                f"T = {checked.time_steps}, B = {checked.batch_size}: about "
                f"{rough_duration(plan.seconds)}, {format_size(plan.memory)}"
            )
        run = [oracle for oracle in oracles if oracle.name in plan.entries]
        arguments = (problem, case.objective, activation, checked.reduction)
        found = check_directions(*arguments, oracles, random, tolerance)
        if run:
            found += gradcheck(*arguments, run, random, tolerance, plan.entries)
    return GradientCheck(checked, found, plan.not_run), case.notes


class _Case(NamedTuple):
    """What is checked."""

    checked: CheckedProblem
    problem: Problem
    objective: Objective
    notes: tuple[str, ...] = ()


def _random_case(random: Generator) -> _Case:
    config = load_config(None, [], {})
    problem = random_problem(random, bias=config.model.bias)
    checked = _description("a small random model", config, problem)
    return _Case(checked, problem, objective_maker(config)())


def _short_case(subject: Subject, random: Generator) -> _Case:
    config = subject.config
    problem = problem_in_text(subject, random, TIME_STEPS, BATCH_SIZE)
    if dropout := dropout_of(config):
        problem = problem._replace(mask=window_mask(dropout, problem))
    checked = _description(subject.title, config, problem)
    return _Case(checked, problem, objective_maker(config)(), subject.notes)


def _training_case(
    subject: Subject, random: Generator, limit: float, start: Callable[[int], Workers]
) -> _Case:
    """start: starts this many threads."""
    config, training = subject.config, subject.config.training
    batches = windows_of(subject)
    count = choose_workers(training.workers, training.batch_size, config.model.hidden_size)
    needed = step_memory(
        _in_double_precision(config, count), subject.params.alphabet_size, batches.largest
    )
    require_memory_for("a training step in float64", needed, limit, SHORTER)
    objective = objective_of(config, start(count))
    problem, number = training_window(subject, batches, random, objective)
    stride = training.stride
    if training.bptt == "full" or sequences_of(config).never_truncated:
        stride = None
    checked = replace(
        _description(subject.title, config, problem),
        window=number,
        windows_per_epoch=batches.per_epoch,
        stride=stride,
        warm_up=problem.window.first_loss,
        workers=count,
    )
    return _Case(checked, problem, objective, subject.notes)


def _in_double_precision(config: Config, workers: int) -> ResolvedConfig:
    values = config.model_dump()
    values["training"] |= {"precision": "float64", "workers": workers}
    return ResolvedConfig.model_validate(values)


def _description(name: str, config: Config, problem: Problem) -> CheckedProblem:
    T, B = problem.window.x.shape
    params = problem.params
    return CheckedProblem(
        name,
        activation_of(config).name,
        config.training.reduction,
        params.hidden_size,
        params.alphabet_size,
        time_steps=T,
        batch_size=B,
        layers=params.depth,
        dropout=config.model.dropout,
        memory=config.training.memory,
    )


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
