"""Diagnostics of a run that diverged, and what usually helps."""

import errno
import json
from math import isfinite
from typing import Any

import numpy as np

from charrnn.config.layers import dump_config
from charrnn.config.settings import Config
from charrnn.errors import InputError
from charrnn.optim.clipping import norms_of
from charrnn.runs.directory import RunDirectory
from charrnn.runs.start import Run
from charrnn.system.files import write_atomically
from charrnn.text.vocabulary import Vocabulary
from charrnn.training.checkpoint import load
from charrnn.training.trainer import ROLLBACK_RATE_FACTOR, Divergence
from charrnn.window import NO_TARGET, Window
from charrnn.wording import pluralize

DIVISOR = 2.0  # of the learning rate, after a divergence


def write_diagnostics(run: Run, divergence: Divergence) -> str:
    """Writes diagnostics into the run directory.

    report.json has the figures, with the norms of all parameters and gradients; window.txt has the
    text of the window; the config and the last good checkpoint are copied.

    Returns:
        Where they are, or why there are none.
    """
    directory = run.directory
    if not isinstance(directory, RunDirectory):
        return "train with `out` for diagnostics"
    count = run.state.progress.rollbacks
    name = f"divergence-{divergence.step}"
    if count:
        name += f"-after-{pluralize(count, 'rollback').replace(' ', '-')}"
    folder, last = directory.path / name, directory.checkpoint("last")
    with np.errstate(over="ignore", invalid="ignore"):
        state_norm = float(np.sqrt(np.square(run.state.h, dtype=np.float64).sum()))
    report = {
        "what": str(divergence),
        "step": divergence.step,
        **divergence.figures,
        "weight_norms": norms_of(run.state.params)[1],
        "hidden_state_norm": state_norm,
        "advice": advice(run.config, count),
    }
    without = ""
    try:
        directory.require_in_place()
        folder.mkdir(exist_ok=True)
        if folder.is_symlink():
            raise OSError(errno.ELOOP, "it is a link", str(folder))
        try:
            report["checkpoint_step"] = load(last).state.progress.step
            write_atomically(folder / "checkpoint.safetensors", last.read_bytes())
        except InputError as error:
            without = f", without a checkpoint: {str(error).rstrip('.')}"
        written = json.dumps(_finite(report), ensure_ascii=False, indent=2) + "\n"
        write_atomically(folder / "report.json", written.encode())
        write_atomically(folder / "config.yaml", dump_config(run.config).encode())
        if divergence.window is not None:
            text = window_text(divergence.window, run.corpus.vocabulary)
            write_atomically(folder / "window.txt", text.encode())
    except OSError as error:
        return f"diagnostics could not be written to {folder}: {error.strerror}"
    return f"diagnostics are in {folder}{without}"


def window_text(window: Window, vocabulary: Vocabulary) -> str:
    """The text of each lane of a window, with its last target."""
    parts = []
    for lane, (x, y) in enumerate(zip(window.x.T, window.y.T, strict=True), 1):
        targets = np.flatnonzero(y != NO_TARGET)
        end = targets[-1] + 1 if len(targets) else 0
        text = vocabulary.decode(np.append(x[:end], y[targets[-1:]]))
        parts.append(f"--- lane {lane} of {window.x.shape[1]} ---\n{text}\n")
    return "".join(parts)


def advice(config: Config, rollbacks: int, divisor: float = DIVISOR) -> str:
    """Settings that usually help, from the values of this config after so many rollbacks.

    divisor: of the learning rate.
    """
    rate = config.optimizer.learning_rate * ROLLBACK_RATE_FACTOR**rollbacks
    ways = [f"`optimizer.learning_rate={rate / divisor:.3g}`"]
    if config.training.clip.by != "norm":
        ways.append("`training.clip.by=norm`")
    if config.model.activation == "relu":
        gain = config.model.initialization.recurrent_gain
        ways.append(f"`model.initialization.recurrent_gain={gain / 2:.3g}`")
    if config.training.on_divergence == "stop":
        ways.append("`training.on_divergence=rollback`")
    return f"what usually helps: {', '.join(ways)}"


def _finite(value: Any) -> Any:
    """Numbers that are not finite, which JSON lacks, as strings."""
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    return str(value) if isinstance(value, float) and not isfinite(value) else value
