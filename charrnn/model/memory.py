"""Memory of a training step."""

from charrnn.model.bptt import least_memory


def memory_of_step(
    hidden_size: int,
    alphabet_size: int,
    time_steps: int,
    batch_size: int,
    *,
    itemsize: int,
    recompute: bool,
    workers: int,
    slots: int,
) -> int:
    """Estimates the memory of a step of BPTT and the optimizer, and of the weights.

    It counts the arrays of `bptt` but for one-hot rows of a few megabytes.

    Args:
        hidden_size: H.
        alphabet_size: A.
        time_steps: T.
        batch_size: B.
        itemsize: Bytes per number.
        recompute: Whether states are recomputed in segments of √T steps.
        workers: Number of threads.
        slots: Number of arrays of the weights' size that the optimizer keeps.

    Returns:
        Bytes held at the peak.
    """
    H, A, T, B = hidden_size, alphabet_size, time_steps, batch_size
    weights = H * H + 2 * H * A + H + A
    length = least_memory(T) if recompute else T
    segments = -(-T // length)
    characters = length * B  # whose states, logits and derivatives are held at a time
    states = characters * (3 * H + A + 1) + (segments + 5) * B * H
    # the gradient, and of several segments their sum; W and its transpose in tiles; U x + b
    per_worker = (1 + (segments > 1)) * weights + 2 * H * H + H * A
    model = (2 + slots) * weights  # the weights, the slots, and scratch memory of an update
    indices = 2 * 8 * characters
    return itemsize * (states + workers * per_worker + model) + indices
