"""What rank 0 of a run orders the other ranks to do, and what they need to know for it."""

import signal
from enum import IntEnum
from typing import Any, NamedTuple

import numpy as np

from charrnn.setup.trial import RepeatedWindows
from charrnn.system.ranks import Ranks
from charrnn.system.signals import SIGNALS
from charrnn.text.text import TextMark
from charrnn.training.state import TrainState

# launchers pass SIGUSR1 on, and leave time to save after it
STOP_SIGNALS = (*SIGNALS, *([signal.SIGUSR1] if hasattr(signal, "SIGUSR1") else []))


class Order(IntEnum):
    """An order; its argument in parentheses."""

    END = 0
    """Leave."""
    BEGIN = 1
    """Prepare for a `Task`, or for a `TrialTask`."""
    TAKE_STATE = 2
    """Take over the state of rank 0 (the number of updates)."""
    GIVE_STATES = 3
    """Give the hidden states of the own lanes."""
    STEP = 4
    """Compute loss and gradient (the number of the window)."""
    UPDATE = 5
    """Clip this gradient, and update the weights (the learning rate)."""
    SCORE_VALIDATION = 6
    """Score the validation text."""
    SCORE_TEST = 7
    """Score the test text."""


class Task(NamedTuple):
    """What a rank needs to take part in a run.

    Attributes:
        config: The config of rank 0, resolved.
        vocabulary: The characters of the model.
        known: Whether it was known before the text.
        marks: What identifies the text to train on ("training"), and those that are held out.
    """

    config: dict[str, Any]
    vocabulary: str
    known: bool
    marks: dict[str, TextMark]


class TrialTask(NamedTuple):
    """What a rank needs to take part in trial steps, before it has a text.

    Attributes:
        config: The config of rank 0, resolved.
        alphabet_size: A.
        windows: Those to train on, over and over.
    """

    config: dict[str, Any]
    alphabet_size: int
    windows: RepeatedWindows


class Fault(NamedTuple):
    """Why a rank cannot take part."""

    message: str
    hint: str | None
    exit_code: int


def send_state(ranks: Ranks, state: TrainState) -> None:
    """Copies weights, optimizer and hidden states of rank 0 to all ranks."""
    for entries in (state.params.flat, *(slot.flat for slot in state.optimizer.slots.values())):
        ranks.broadcast(entries)
    ranks.broadcast(state.h)


def share_states(ranks: Ranks, state: TrainState) -> None:
    """Completes the hidden states, of which each rank has those of its lanes."""
    h = np.ascontiguousarray(state.h)
    ranks.share(h)
    state.h[...] = h
