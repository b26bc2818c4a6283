"""Writes runs, or the metrics of one, as CSV."""

import csv
import re
from collections.abc import Iterable
from dataclasses import asdict, fields
from io import StringIO
from math import isfinite
from typing import Any

from charrnn.events import Evaluated, Stepped
from charrnn.results import RunHistory, RunList, RunLog, RunSummary
from charrnn.units import BITS_PER_NAT

PARAMETER = re.compile(r"[A-Za-z][A-Za-z0-9_.]{0,30}")
MAX_PARAMETERS = 100  # a network of 16 layers has 50
NORM = "gradient_norm_"
STEP_COLUMNS = (
    "step", "epoch", "seconds", "characters", "characters_per_second", "nats_per_character",
    "bits_per_character", "gradient_norm",
)  # fmt: skip
MORE_STEP_COLUMNS = ("clipped", "clipped_share", "learning_rate", "rollbacks")
EVALUATION_COLUMNS = (
    "train_nats_per_character", "validation_nats_per_character", "validation_bits_per_character",
    "best",
)  # fmt: skip


def runs_as_csv(found: RunList) -> str:
    """A row for each run, with the columns of RunSummary."""
    names = [field.name for field in fields(RunSummary)]
    return _csv(names, (asdict(run) | {"texts": "; ".join(run.texts)} for run in found.runs))


def metrics_as_csv(run: RunHistory) -> str:
    """A row for each step that was logged or evaluated; cells without a value are empty."""
    return _csv(*metric_rows(run.log))


def metric_rows(log: RunLog) -> tuple[list[str], list[dict[str, Any]]]:
    """Columns, and a row for each step that was logged or evaluated, with what it has of them.

    train_nats_per_character is the mean since the evaluation before.
    """
    parameters = dict.fromkeys(
        name for step in log.steps for name in step.gradient_norms if PARAMETER.fullmatch(name)
    )
    norms = list(parameters)[:MAX_PARAMETERS]
    rows: dict[int, dict[str, Any]] = {}
    for step in log.steps:
        rows.setdefault(step.step, {"step": step.step}).update(_of_step(step, norms))
    for evaluation in log.evaluations:
        row = rows.setdefault(evaluation.step, {"step": evaluation.step})
        row.update({"seconds": evaluation.seconds} | row | _of_evaluation(evaluation))
    columns = [*STEP_COLUMNS, *(NORM + name for name in norms), *MORE_STEP_COLUMNS]
    return [*columns, *EVALUATION_COLUMNS], [rows[step] for step in sorted(rows)]


def _of_step(step: Stepped, norms: Iterable[str]) -> dict[str, Any]:
    values = {name: value for name, value in vars(step).items() if name != "gradient_norms"}
    values["bits_per_character"] = step.nats_per_character * BITS_PER_NAT
    return values | {NORM + name: step.gradient_norms.get(name) for name in norms}


def _of_evaluation(evaluation: Evaluated) -> dict[str, Any]:
    nats = evaluation.validation_nats_per_character
    return {
        "train_nats_per_character": evaluation.train_nats_per_character,
        "validation_nats_per_character": nats,
        "validation_bits_per_character": None if nats is None else nats * BITS_PER_NAT,
        "best": evaluation.best,
    }


def _csv(columns: list[str], rows: Iterable[dict[str, Any]]) -> str:
    out = StringIO()
    writer = csv.DictWriter(out, columns, extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    for row in rows:
        writer.writerow({name: _cell(row.get(name)) for name in columns})
    return out.getvalue()


def _cell(value: Any) -> Any:
    """A value as a cell: empty if there is none, or if it is not a finite number."""
    if isinstance(value, float) and not isfinite(value):
        return ""
    return str(value).lower() if isinstance(value, bool) else value
