"""Memory of a training step."""

from charrnn.model.bptt import least_memory
from charrnn.model.params import Layout, shapes


def memory_of_step(
    hidden_size: int,
    alphabet_size: int,
    time_steps: int,
    batch_size: int,
    *,
    layers: int = 1,
    dropout: bool = False,
    itemsize: int,
    recompute: bool,
    workers: int,
    slots: int,
    copies: int = 0,
) -> int:
    """Estimates the memory of a step of BPTT and the optimizer, and of the weights.

    It counts the arrays of `bptt` but for one-hot rows of a few megabytes.

    Args:
        hidden_size: H.
        alphabet_size: A.
        time_steps: T.
        batch_size: B.
        layers: L, the number of layers.
        dropout: Whether states are dropped on their way up.
        itemsize: Bytes per number.
        recompute: Whether states are recomputed in segments of √T steps.
        workers: Number of threads.
        slots: Number of arrays of the weights' size that the optimizer keeps.
        copies: Number of copies of weights and slots beside them: a checkpoint that is written,
            states to roll back to.

    Returns:
        Bytes held at the peak.
    """
    H, A, T, B, L = hidden_size, alphabet_size, time_steps, batch_size, layers
    weights = Layout(shapes(H, A, bias=True, depth=L)).size
    length = least_memory(T) if recompute else T
    segments = -(-T // length)
    characters = length * B  # whose states, logits and derivatives are held at a time
    # h and da, f′(a) of one layer; with dropout what goes up, and the factors
    of_states = (2 + 2 * dropout) * L * H + H
    states = characters * (of_states + A + 1) + (segments + 5) * B * L * H
    # the gradient, and of several segments their sum; W, U and their transposes; U x + b
    per_worker = (1 + (segments > 1)) * weights + (2 + (L > 1)) * H * H + H * A
    # the weights, the slots, and scratch memory of an update
    model = (1 + (1 + copies) * (1 + slots)) * weights
    indices = 2 * 8 * characters
    kept_units = dropout * characters * L * H
    return itemsize * (states + workers * per_worker + model) + indices + kept_units
