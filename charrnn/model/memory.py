"""How much memory the arrays of a training step take."""

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
    """Bytes that a step through a window (T, B) holds at once, the model's own among them.

    It is the count of the arrays of `bptt`, up to one-hot rows of a few megabytes.
    slots: the arrays of the weights' size that the optimizer keeps.
    """
    H, A, T, B = hidden_size, alphabet_size, time_steps, batch_size
    weights = H * H + 2 * H * A + H + A
    length = least_memory(T) if recompute else T
    segments = -(-T // length)
    at_once = length * B  # characters whose states, logits and derivatives are there
    states = at_once * (3 * H + A + 1) + (segments + 5) * B * H
    # the gradient, and of several segments their sum; W and its transpose in tiles; U x + b
    of_each_worker = (1 + (segments > 1)) * weights + 2 * H * H + H * A
    of_the_model = (2 + slots) * weights  # the weights, the slots, and room to update them in
    indices = 2 * 8 * at_once
    return itemsize * (states + workers * of_each_worker + of_the_model) + indices
