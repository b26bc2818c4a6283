"""Chooses the settings of a run that are not given, for a text and a budget."""

from collections.abc import Callable, Iterator, Mapping
from math import inf, prod
from typing import Any, NamedTuple

from charrnn.config.plan_table import PlanTable, Powers, Speed
from charrnn.results import Plan
from charrnn.results.plans import Ends
from charrnn.setup.plan_grid import Cell, Grid, hidden_size_of, weights_of

MAX_DROPOUT = 0.5
MAX_LEARNING_RATE = 0.03  # of adamw and muon; a given batch size may ask for more
MAX_ITERATIONS = 200
LIMITS = ("training.max_steps", "training.epochs", "training.max_time")


class Task(NamedTuple):
    """What a run is to do.

    Attributes:
        characters: The length of the training text.
        alphabet_size: A.
        per_step: The characters that a step trains on, by the batch size.
        max_batch_size: The most lanes that the text can be cut into.
        given: The settings that are given, by dotted keys.
        trained: Whether the weights are trained already.
    """

    characters: int
    alphabet_size: int
    per_step: Callable[[float], float]
    max_batch_size: int
    given: Mapping[str, Any]
    trained: bool = False


def choose(table: PlanTable, task: Task, rate: float | None = None) -> Plan:
    """Chooses what is not given.

    Args:
        table: The rule.
        task: The text, and what is given.
        rate: The work that this machine does in a second: weights times characters; by default
            that of the table.
    """
    given = task.given
    grid = Grid(table)
    work = _work(grid, task, rate or table.two_cores.work_per_second)
    cell = grid(task.characters, work)
    layers, hidden_size = _network(cell, task)
    weights = round(weights_of(layers, hidden_size, task.alphabet_size))
    batch_size = _batch_size(cell, task)
    ratios = {
        "layers": layers / cell.layers,
        "hidden_size": hidden_size / hidden_size_of(cell.weights, cell.layers, task.alphabet_size),
        "batch_size": batch_size / cell.batch_size,
        "weights": weights / cell.weights,
    }
    learning_rate = min(
        _adjusted(cell.learning_rate, table.powers.learning_rate, ratios), MAX_LEARNING_RATE
    )
    dropout = min(_adjusted(cell.dropout, table.powers.dropout, ratios), MAX_DROPOUT)
    most = max(_adjusted(cell.passes, table.powers.passes, ratios), 1.0)
    chosen: dict[str, Any] = {
        **_activation(table, layers, task),
        "model.layers": layers,
        "model.hidden_size": hidden_size,
        "training.batch_size": batch_size,
        "model.dropout": round(20 * dropout) / 20,
        "training.on_divergence": table.on_divergence,
    }
    optimizer = given.get("optimizer.name", cell.optimizer)
    if optimizer == cell.optimizer:
        factor = table.trained_weights if task.trained else 1.0
        chosen["optimizer.name"] = cell.optimizer
        chosen["optimizer.learning_rate"] = _digits(factor * learning_rate)
        chosen["optimizer.weight_decay"] = _digits(cell.weight_decay)
        chosen["training.averaging"] = table.averaging
        activation = given.get("model.activation", chosen.get("model.activation"))
        # with another activation the rate has to fall
        if activation == table.activation and not any(key.startswith("schedule.") for key in given):
            chosen["schedule.name"] = table.schedule
    limits, passes, ends = _limits(task, work / weights / task.characters, most, batch_size)
    settings = {key: value for key, value in (chosen | limits).items() if key not in given}
    characters = passes * task.characters
    muon, per_step = optimizer == "muon", task.per_step(batch_size)
    usual = _usual_speed(table.two_cores, layers, hidden_size, weights, per_step, muon)
    speed = rate / weights if rate else usual
    return Plan(
        settings=settings,
        characters=task.characters,
        weights=weights,
        passes=passes,
        seconds=characters / speed,
        max_seconds=given.get("training.max_time"),
        characters_per_second=speed if rate else None,
        ends=ends,
        doubts=tuple(_doubts(grid, table, task, work, cell, ratios)),
    )


def _work(grid: Grid, task: Task, rate: float) -> float:
    """The work of the budget: of the time, the steps or the passes, or what is usual."""
    works: list[float] = []
    if seconds := task.given.get("training.max_time"):
        works.append(seconds * rate)
    if asked := _asked(task):
        works.append(_work_of(grid, task, asked))
    return max(min(works, default=grid.usual_work(task.characters)), 1.0)


def _asked(task: Task) -> Callable[[Cell], float] | None:
    """The characters to train on by the steps or the passes that are given, if they are."""
    steps: int | None = task.given.get("training.max_steps")
    epochs: float | None = task.given.get("training.epochs")
    if steps is None and epochs is None:
        return None

    def asked(cell: Cell) -> float:
        batch_size = task.given.get("training.batch_size", cell.batch_size)
        of_steps = inf if steps is None else steps * task.per_step(batch_size)
        of_epochs = inf if epochs is None else epochs * task.characters
        return min(of_steps, of_epochs)

    return asked


def _work_of(grid: Grid, task: Task, characters: Callable[[Cell], float]) -> float:
    """The work of training on so many characters: larger networks are chosen for more of it."""
    work, before = 1.0, 0.0
    for _ in range(MAX_ITERATIONS):
        if work - before <= 1e-6 * work:
            break
        cell = grid(task.characters, work)
        work, before = max(_weights(cell, task) * characters(cell), 1.0), work
    return work


def _weights(cell: Cell, task: Task) -> float:
    """The size of the network before its hidden size is rounded, or as far as it is given."""
    hidden_size = task.given.get("model.hidden_size")
    if hidden_size is None:
        return cell.weights
    return weights_of(_layers(cell, task), hidden_size, task.alphabet_size)


def _layers(cell: Cell, task: Task) -> int:
    layers: int = task.given.get("model.layers", round(cell.layers))
    return layers


def _network(cell: Cell, task: Task) -> tuple[int, int]:
    """The layers, and the hidden size at which they have the weights of the table."""
    layers = _layers(cell, task)
    size = hidden_size_of(cell.weights, layers, task.alphabet_size)
    unit = 16 if size >= 128 else 8
    hidden_size: int = task.given.get("model.hidden_size", max(unit * round(size / unit), 8))
    return layers, hidden_size


def _activation(table: PlanTable, layers: int, task: Task) -> dict[str, Any]:
    """The activation, and how its weights begin; nothing for weights that are trained already."""
    if task.trained:
        return {}
    chosen: dict[str, Any] = {"model.activation": table.activation}
    prefix = "model.initialization."
    other = task.given.get("model.activation", table.activation) != table.activation
    if not other and not any(key.startswith(prefix) for key in task.given):
        of_layers = table.initialization[:layers][-1]
        chosen |= {prefix + key: value for key, value in of_layers.items()}
    return chosen


def _batch_size(cell: Cell, task: Task) -> int:
    size = 4 * round(cell.batch_size / 4) if cell.batch_size >= 4 else round(cell.batch_size)
    batch_size: int = task.given.get("training.batch_size", min(size, task.max_batch_size))
    return batch_size


def _adjusted(value: float, powers: Powers, ratios: Mapping[str, float]) -> float:
    return value * float(prod(ratios[name] ** power for name, power in powers.items()))


def _digits(value: float, digits: int = 2) -> float:
    """Rounded to a few digits, as people write settings."""
    return float(f"{value:.{digits}g}")


def _limits(
    task: Task, affordable: float, most: float, batch_size: int
) -> tuple[dict[str, Any], float, Ends]:
    """The limits of the run, the passes over the text until it ends, and what ends it.

    Args:
        task: The text and what is given.
        affordable: Passes in the budget.
        most: The most passes that pay.
        batch_size: B.
    """
    given, unlimited = task.given, {"training.max_steps": None, "training.epochs": None}
    timed = given.get("training.max_time") is not None
    if any(given.get(key) is not None for key in unlimited):
        steps, epochs = (given.get(key) for key in unlimited)
        of_steps = inf if steps is None else steps * task.per_step(batch_size) / task.characters
        passes = min(of_steps, inf if epochs is None else epochs)
        if timed and affordable < passes:
            return unlimited, affordable, "time"
        return unlimited, passes, "given"
    if timed and (affordable <= most or "training.epochs" in given):
        return unlimited, affordable, "time"
    epochs = max(_digits(min(affordable, most)), 1.0)
    ends: Ends = "usual" if affordable < most else "passes"
    return unlimited | {"training.epochs": epochs}, epochs, ends


def _usual_speed(
    speed: Speed, layers: int, hidden_size: int, weights: int, per_step: float, muon: bool
) -> float:
    """Characters in a second, of which a step has `per_step`."""
    return per_step / (
        speed.seconds_per_layer * layers
        + speed.seconds_per_weight * weights * per_step
        + speed.seconds_per_cube * muon * (2 * layers - 1) * hidden_size**3
    )


def _doubts(
    grid: Grid,
    table: PlanTable,
    task: Task,
    work: float,
    cell: Cell,
    ratios: Mapping[str, float],
) -> Iterator[str]:
    """Why the choice may be a bad one: what lies outside of the runs that the table is from."""
    sure, given = table.sure, task.given
    if not sure.characters[0] <= task.characters <= sure.characters[1]:
        shortest, longest = sure.characters
        yield f"the rule is fitted to texts of {shortest:,.0f} to {longest:,.0f} characters"
    limited = any(given.get(limit) is not None for limit in LIMITS)
    least = min(sure.work[0], grid.usual_work(task.characters) / 2)  # short texts need little
    if limited and not least <= work <= sure.work[1]:
        than = "shorter" if work < least else "longer"
        yield f"the budget is {than} than those that the rule is fitted to for such a text"
    tried = {"optimizer.name": cell.optimizer, "model.activation": table.activation}
    untried = [
        f"`{key}={given[key]}`"
        for key, usual in {**sure.settings, **tried}.items()
        if given.get(key, usual) != usual
    ]
    if untried:
        yield f"the rule was not tried with {' and '.join(untried)}"
    compared = {"weights": "network"}
    if "training.batch_size" in given:  # a short text makes it small, too
        compared["batch_size"] = "batch"
    for ratio, what in compared.items():
        if not 1 / sure.ratio <= ratios[ratio] <= sure.ratio:
            size = "larger" if ratios[ratio] > 1 else "smaller"
            yield f"the {what} is much {size} than the rule's for such a text and budget"
