"""The gradient of a model's loss on a text."""

import numpy as np

from charrnn.arrays import Array
from charrnn.commands.surprisal import require_finite
from charrnn.model.bptt import bptt, least_memory
from charrnn.results import TextGradient
from charrnn.setup.loading import Model
from charrnn.setup.wiring import sequences_of
from charrnn.system.blas import single_threaded_blas


@single_threaded_blas()
@np.errstate(over="ignore", invalid="ignore")  # seen in the result
def gradient_of_ids(model: Model, ids: Array) -> TextGradient:
    """The gradient of the mean loss by full BPTT, in float64 and without dropout.

    Args:
        model: The model.
        ids: The text (N,), as `encode_text` returns it, which is read from the zero state.

    Raises:
        CharrnnError: The model overflows on the text.
    """
    params = model.params.astype(np.float64)
    total, nats, characters = params.zeros_like(), 0.0, 0
    for window in sequences_of(model.config).scoring_windows(ids):
        h0 = np.zeros((window.x.shape[1], params.state_size))
        loss, gradient, _ = bptt(params, window, h0, model.activation, "sum", segment=least_memory)
        total.flat[...] += gradient.flat
        nats, characters = nats + loss, characters + window.targets
    total.flat[...] /= characters
    require_finite(total.flat)
    return TextGradient(characters, nats / characters, dict(total.named()))
