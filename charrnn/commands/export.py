"""Writes the network of a checkpoint to a file that other frameworks read."""

import math
from collections.abc import Callable
from pathlib import Path

import numpy as np

from charrnn.commands.player import playable
from charrnn.commands.run_files import require_output
from charrnn.errors import InputError, UsageError
from charrnn.interchange import numpy_file, onnx_graph, weights_file
from charrnn.interchange.network import Network, described
from charrnn.model.params import Params
from charrnn.results import ExportReport, PlayableModel
from charrnn.setup.loading import Model, load_model
from charrnn.setup.wiring import run_name
from charrnn.system.extras import import_extra
from charrnn.system.files import write_atomically
from charrnn.wording import format_size, nearest, setting

KINDS = {".onnx": "float32", ".safetensors": None, ".npz": None, ".html": "float32"}


def export_model(
    checkpoint: str | Model, path: str, page_of: Callable[[PlayableModel], str]
) -> ExportReport:
    """Writes a network to a file, in the format of its suffix.

    Args:
        checkpoint: A checkpoint file or run directory, or a loaded model.
        path: The file: .onnx, .safetensors, .npz or .html.
        page_of: Makes the page of .html.

    Raises:
        UsageError: The file cannot be written or has another suffix, the format lacks the
            activation, or its library is not installed.
        InputError: There is no checkpoint, it is unusable, or too large for the format.
    """
    suffix = _suffix(path)
    onnx = import_extra("onnx", "onnx", f"an export to {suffix}") if suffix == ".onnx" else None
    model = load_model(checkpoint) if isinstance(checkpoint, str) else checkpoint
    require_output("", path, [model.path])
    if suffix == ".safetensors" and model.activation.name == "sigmoid":
        raise UsageError(
            f"{model.path} has sigmoid units, which torch.nn.RNN lacks.",
            "export it as .onnx, .npz or .html.",
        )
    precision = KINDS[suffix] or str(model.params.dtype)
    params, notes = _in_precision(model, precision)
    if suffix == ".html":
        content = page_of(playable(model, math.inf)).encode()
    else:
        content = _encoded(suffix, model, params, onnx)
    write_atomically(Path(path), content)
    return ExportReport(
        path=path,
        kind=suffix.removeprefix("."),
        bytes=len(content),
        checkpoint=model.path,
        name=run_name(model.config),
        activation=model.activation.name,
        hidden_size=params.hidden_size,
        layers=params.depth,
        alphabet_size=params.alphabet_size,
        bias=params.c is not None,
        weights=params.size,
        precision=precision,
        notes=model.notes + notes,
    )
