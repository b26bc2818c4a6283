"""Reads weights from a file that is not a checkpoint."""

from pathlib import Path

from charrnn.errors import InputError
from charrnn.interchange import numpy_file, weights_file
from charrnn.interchange.network import Network
from charrnn.training.checkpoint import FORMAT, as_unusable
from charrnn.training.metadata import parsed
from charrnn.training.tensor_file import TensorFile, Unusable

PICKLE = "a pickle may execute any code when it is read"
UNREAD = dict.fromkeys((".pt", ".pth", ".pkl", ".ckpt", ".bin"), PICKLE) | {
    ".onnx": "an ONNX model is written, but not read"
}
HINT = (
    "give a checkpoint of charrnn, an export (.safetensors, .npz), or the weights of a "
    "torch.nn.RNN and a torch.nn.Linear, saved with safetensors.torch.save_file."
)


def is_weights(path: Path) -> bool:
    """Whether this is to be read by `read_weights`, rather than as a checkpoint."""
    if path.suffix == numpy_file.SUFFIX or path.suffix in UNREAD:
        return path.is_file()
    try:
        with TensorFile(path) as file:
            return parsed(file.metadata, ("format",)).get("format") != FORMAT
    except (OSError, Unusable, MemoryError):
        return False  # the error is that of a damaged checkpoint
    except (ValueError, RecursionError):  # a format that is not JSON, such as PyTorch's "pt"
        return True


def read_weights(path: Path) -> Network:
    """Reads a network from a file, which anyone may have written.

    Args:
        path: An .npz file with arrays named as in the equations, or a safetensors file with
            tensors named as in PyTorch.

    Raises:
        InputError: It is unusable.
    """
    try:
        if path.suffix in UNREAD:
            raise Unusable(UNREAD[path.suffix])
        read = numpy_file.read if path.suffix == numpy_file.SUFFIX else weights_file.read
        with as_unusable():
            return read(path)
    except FileNotFoundError:
        why = "it is no longer there"
    except MemoryError:
        why = "there is not enough memory for it"
    except RecursionError:
        why = "its metadata nest too deeply"
    except Unusable as error:
        why = str(error)
    raise InputError(f"{path} cannot be used as weights: {why}.", HINT)
