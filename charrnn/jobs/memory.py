"""Whether a training step fits in this machine's memory, told before the first one."""

from charrnn.config.settings import Config
from charrnn.errors import InputError
from charrnn.jobs.wiring import optimizer_of
from charrnn.machine import physical_memory
from charrnn.model.bptt import least_memory
from charrnn.text.sequences import SEQUENCES
from charrnn.words import size_in_words


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


def require_memory(config: Config, alphabet_size: int, largest: tuple[int, int]) -> None:
    """Raises InputError where a step through a window of this T and B would not fit."""
    there, recompute = physical_memory(), config.training.memory == "recompute"
    needed, with_recomputation = (
        memory_of_step(
            config.model.hidden_size,
            alphabet_size,
            *largest,
            itemsize=4 if config.training.precision == "float32" else 8,
            recompute=recompute or again,
            workers=int(config.training.workers),
            slots=len(optimizer_of(config).slot_names),
        )
        for again in (False, True)
    )
    if needed <= there:
        return
    remedy = "lower training.batch_size, training.window or model.hidden_size."
    if SEQUENCES[config.data.sequences].whole:
        remedy = "cut the longest line, or lower model.hidden_size."
    elif config.training.bptt == "full":
        remedy = "--set training.bptt=truncated"
    if with_recomputation <= there:
        less = size_in_words(with_recomputation)
        remedy = f"--set training.memory=recompute, which needs {less}; or {remedy}"
    T, B = largest
    raise InputError(
        f"a step through {T:,} characters in {B:,} lane{'s' if B > 1 else ''} needs about "
        f"{size_in_words(needed)} of memory, and this machine has {size_in_words(there)}.",
        remedy,
    )
