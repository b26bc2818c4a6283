"""What a run logged, as arrays."""

from collections.abc import Iterator, Mapping
from math import nan
from os import PathLike, fspath
from typing import TYPE_CHECKING, Any

import numpy as np

from charrnn.arrays import Array
from charrnn.commands.curves import load_run
from charrnn.errors import UsageError
from charrnn.library.keywords import Path
from charrnn.library.notes import note_all
from charrnn.report.run_csv import EVALUATION_COLUMNS, metric_rows
from charrnn.results import RunLog
from charrnn.system.extras import import_extra

if TYPE_CHECKING:
    from charrnn.library.run import Run


class Metrics(Mapping[str, Array]):
    """A table as a mapping of its columns: an array (R,) for each name, with a row per step.

    Rows are the steps that were logged or evaluated; a number that a row lacks is NaN. The columns
    are those of a run's CSV: `step`, `epoch`, `seconds`, `nats_per_character`,
    `bits_per_character`, `gradient_norm`, `learning_rate`, `validation_bits_per_character` and so
    on.
    """

    def __init__(self, columns: dict[str, Array]) -> None:
        self._columns = columns

    def __getitem__(self, name: str) -> Array:
        return self._columns[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._columns)

    def __len__(self) -> int:
        return len(self._columns)

    @property
    def evaluations(self) -> "Metrics":
        """The rows of the evaluations, and their columns."""
        evaluated = ~np.isnan(self["best"].astype(float))
        names = ("step", "epoch", "seconds", *EVALUATION_COLUMNS)
        rows = {name: self[name][evaluated] for name in names}
        return Metrics(rows | {"best": rows["best"].astype(bool)})

    def to_frame(self) -> Any:
        """The table as a pandas.DataFrame.

        Raises:
            UsageError: pandas is not installed.
        """
        pandas = import_extra("pandas", "pandas", "`to_frame`")
        return pandas.DataFrame(self._columns)

    def __repr__(self) -> str:
        return f"<Metrics: {len(self['step']):,} rows of {', '.join(self)}>"


def read_metrics(run: "Run | Path") -> Metrics:
    """Reads what a run logged.

    Args:
        run: The directory of a run, or a run.

    Raises:
        UsageError: It is neither a run nor a path.
        InputError: It is not the directory of a run, or has logged no step.
    """
    if not isinstance(run, str | PathLike):
        if not hasattr(run, "metrics"):
            raise UsageError(f"`run` is {run!r}, not a Run, a string or a path.")
        return run.metrics
    found = load_run(fspath(run))
    note_all(found.notes)
    return metrics_of(found.log)


def metrics_of(log: RunLog) -> Metrics:
    """The steps and evaluations of a log as arrays."""
    columns, rows = metric_rows(log)
    return Metrics({name: _column([row.get(name) for row in rows]) for name in columns})


def _column(values: list[Any]) -> Array:
    missing = any(value is None for value in values)
    return np.array(
        [nan if value is None else value for value in values], float if missing else None
    )
