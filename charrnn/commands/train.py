"""Training a model on text: a new run, or one that is resumed."""

from typing import Any

from charrnn.config.layers import Layer
from charrnn.events import RunEnded, Sink
from charrnn.runs.start import Run as Run
from charrnn.runs.start import new_run, resumed_run
from charrnn.runs.train import train as train_run
from charrnn.setup.parent import configure


def prepare_run(
    config_path: str | None, assignments: list[str], flags: Layer, out: str | None
) -> Run:
    """Sets up a new run of a config. Raises: UsageError, InputError."""
    config, parent = configure(config_path, assignments, flags)
    return new_run(config, out, parent)


def prepare_resumed(path: str, text: list[str], limits: dict[str, Any]) -> Run:
    """Sets up a run to be resumed. Raises: UsageError, InputError."""
    return resumed_run(path, text, limits)


def train(run: Run, sinks: list[Sink]) -> RunEnded:
    """Trains a run to its end. Raises: Interrupted, Divergence, CharrnnError."""
    return train_run(run, sinks)
