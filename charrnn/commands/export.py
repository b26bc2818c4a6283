"""Writes the network of a checkpoint to a file that other frameworks read."""

import math
import os
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import numpy as np

from charrnn.commands.player import playable
from charrnn.commands.run_files import require_output
from charrnn.errors import InputError, UsageError
from charrnn.interchange import numpy_file, onnx_graph, weights_file
from charrnn.interchange.network import Network, described
from charrnn.interchange.weights import is_weights
from charrnn.model.params import Params
from charrnn.results import ExportReport, PlayableModel
from charrnn.setup.loading import Model, load_model
from charrnn.setup.run_files import SUFFIX
from charrnn.setup.wiring import run_name
from charrnn.system.extras import import_extra
from charrnn.system.files import write_atomically
from charrnn.wording import either, format_size, word

ONNX, NUMPY, PAGE = ".onnx", numpy_file.SUFFIX, ".html"
READERS = {ONNX: "onnxruntime", SUFFIX: "PyTorch", NUMPY: "NumPy", PAGE: "a browser"}
SINGLE = (ONNX, PAGE)  # always in float32


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
    onnx = import_extra("onnx", "onnx", f"an export to {ONNX}") if suffix == ONNX else None
    model = load_model(checkpoint)
    require_output(word(path), path, [model.path])
    if suffix == SUFFIX and os.path.exists(path) and not is_weights(Path(path)):
        raise UsageError(f"{word(path)} may be a checkpoint.", "choose another file.")
    if suffix == SUFFIX and model.activation.name == "sigmoid":
        raise UsageError(
            f"{model.path} has sigmoid units, which torch.nn.RNN lacks.",
            "export it as .onnx, .npz or .html.",
        )
    params, notes = (model.params, ()) if suffix not in SINGLE else _single(model, suffix)
    content = _content(suffix, model._replace(params=params), onnx, page_of)
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
        precision=str(params.dtype),
        notes=model.notes + notes,
    )


def _suffix(path: str) -> str:
    """The suffix of a file, which is that of a format. Raises: UsageError."""
    suffix = Path(path).suffix
    if suffix in READERS:
        return suffix
    formats = [f"{suffix} for {reader}" for suffix, reader in READERS.items()]
    raise UsageError(
        f"the format of {word(path)} is unknown.",
        f"end the name with {either(formats)}.",
    )


def _single(model: Model, suffix: str) -> tuple[Params, tuple[str, ...]]:
    """The weights in float32, and a note if they were rounded. Raises: InputError."""
    if model.params.dtype == np.float32:
        return model.params, ()
    with np.errstate(over="ignore"):
        params = model.params.astype(np.float32)
    if not np.isfinite(params.flat).all():
        raise InputError(
            f"{model.path} has weights that overflow float32, in which {suffix} has them.",
            f"export it as {SUFFIX} or {NUMPY}.",
        )
    return params, (f"the weights are rounded from {model.params.dtype} to float32.",)


def _content(
    suffix: str, model: Model, onnx: ModuleType | None, page_of: Callable[[PlayableModel], str]
) -> bytes:
    """The content of the file."""
    params, activation, config = model.params, model.activation.name, model.config
    if suffix == PAGE:
        return page_of(playable(model, math.inf)).encode()
    network = Network(
        params, model.vocabulary, activation, config.data.sequences, config.data.min_count
    )
    metadata = described(network, run_name(config), model.steps)
    if onnx is None:
        encode = numpy_file.encode if suffix == NUMPY else weights_file.encode
        return encode(params, metadata)
    if params.flat.nbytes > onnx_graph.MAX_BYTES:
        raise InputError(
            f"{model.path} has {format_size(params.flat.nbytes)} of weights; an ONNX file has at "
            "most 2 GB.",
            f"export it as {SUFFIX} or {NUMPY}.",
        )
    return onnx_graph.encode(onnx, params, activation, metadata)
