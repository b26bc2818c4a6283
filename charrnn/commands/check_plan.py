"""How many entries a gradient check can compare in reasonable time, and what it takes."""

import time
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from charrnn.analysis.directions import DIRECTIONAL
from charrnn.analysis.gradcheck import MAX_ENTRIES
from charrnn.analysis.oracles import Oracle, loss_products
from charrnn.analysis.problems import Problem
from charrnn.model.activations import Activation
from charrnn.model.bptt import window_loss
from charrnn.wording import rough_duration

COUNTS = (MAX_ENTRIES, 100, 50, 20, 10, 5, 3)  # entries of a parameter; few, to be reproducible
SECONDS_PER_ORACLE = 20.0  # in which it compares as many entries as it can
MAX_SECONDS_PER_ORACLE = 60.0  # beyond which it does not run at all


class CheckPlan(NamedTuple):
    """What a gradient check does, and its cost.

    Attributes:
        entries: The number of entries of a parameter that each oracle compares, by its name.
        not_run: Why oracles do not run, by their names.
        seconds: The expected duration.
        memory: The expected memory in bytes.
    """

    entries: dict[str, int]
    not_run: dict[str, str]
    seconds: float
    memory: float


def plan_check(
    problem: Problem, activation: Activation, oracles: Sequence[Oracle], wanted: int | None
) -> CheckPlan:
    """Plans a check from the time that the loss takes.

    Args:
        problem: What is checked.
        activation: The activation f.
        oracles: The oracles to compare with.
        wanted: The number of entries of a parameter, which is obeyed; None for as many as time
            allows, up to MAX_ENTRIES.
    """
    sizes = [array.size for _, array in problem.params.named()]
    seconds_per_product = _loss_seconds(problem, activation) / loss_products(problem)
    entries, not_run = {}, {}
    # of the directions, of which there is one more than there are parameters
    products = sum(
        (len(sizes) + 1) * oracle.cost(problem).per_entry
        for oracle in oracles
        if oracle in DIRECTIONAL
    )
    for oracle in oracles:
        cost = oracle.cost(problem)
        options = {
            count: cost.fixed + cost.per_entry * sum(min(count, size) for size in sizes)
            for count in ((wanted,) if wanted else COUNTS)
        }
        seconds = {count: seconds_per_product * options[count] for count in options}
        fewest, least = list(seconds.items())[-1]
        if not wanted and least > MAX_SECONDS_PER_ORACLE:
            not_run[oracle.name] = f"would take about {rough_duration(least)}"
        else:
            fitting = [count for count in seconds if seconds[count] <= SECONDS_PER_ORACLE]
            entries[oracle.name] = fitting[0] if fitting else fewest
            products += options[entries[oracle.name]]
    return CheckPlan(entries, not_run, seconds_per_product * products, memory_of_check(problem))


def _loss_seconds(problem: Problem, activation: Activation) -> float:
    """The time of an evaluation of the loss; of the faster of two, if they are short."""
    seconds: list[float] = []
    with np.errstate(over="ignore", invalid="ignore"):  # reported by the check
        while len(seconds) < 2 and sum(seconds) < 1:
            start = time.perf_counter()
            window_loss(problem.params, problem.window, problem.h0, activation, mask=problem.mask)
            seconds.append(time.perf_counter() - start)
    return min(seconds)


def memory_of_check(problem: Problem) -> float:
    """About how much the largest arrays take: complex states, logits and their exponentials."""
    S, A = problem.params.state_size, problem.params.alphabet_size
    weights = 8 * problem.params.size
    return 16 * problem.window.x.size * (3 * S + 4 * A) + 12 * weights + 3 * 8 * S * S
