"""A rank other than 0 of a run: it computes its share of what rank 0 orders."""

from contextlib import ExitStack
from typing import NamedTuple

import numpy as np

from charrnn.arrays import Array
from charrnn.config.settings import ResolvedConfig
from charrnn.errors import CharrnnError, InputError
from charrnn.model.params import Params
from charrnn.runs.orders import (
    STOP_SIGNALS,
    Fault,
    Order,
    Task,
    TrialTask,
    send_state,
    share_states,
)
from charrnn.runs.stop import stop_requests
from charrnn.setup.own_text import mark_difference, named
from charrnn.setup.preparation import prepare
from charrnn.setup.trial import endless, first_state
from charrnn.setup.wiring import held_out_paths, scorer_of, text_paths, trainer_of
from charrnn.system.ranks import Ranks
from charrnn.text.text import TextMark
from charrnn.text.vocabulary import Vocabulary
from charrnn.text.windows import Windows
from charrnn.training.workers import Workers, worker_threads


def follow(ranks: Ranks) -> None:
    """Carries out the orders of rank 0 until it ends.

    A signal to stop is passed on to rank 0 in the next step.
    """
    with ExitStack() as stack:
        ranks.asked_to_stop = stack.enter_context(stop_requests(lambda: None, STOP_SIGNALS))
        threads = stack.enter_context(ExitStack())
        follower: Follower | None = None
        while (order := ranks.next_order())[0] != Order.END:
            if order[0] == Order.BEGIN:
                threads.close()
                follower = _begun(ranks, threads)
            else:
                assert follower
                follower.obey(Order(order[0]), order[1])


def _begun(ranks: Ranks, threads: ExitStack) -> "Follower | None":
    task: Task | TrialTask = ranks.tell()
    follower, fault, whose = None, None, f"rank {ranks.rank} on {ranks.host}"
    try:
        prepared = _for_run(task) if isinstance(task, Task) else _for_trial(task)
        workers = threads.enter_context(worker_threads(prepared.config.training.workers, ranks))
        follower = Follower(ranks, prepared, workers)
    except CharrnnError as error:
        fault = Fault(f"{whose}: {error}", error.hint, error.exit_code)
    except OSError as error:
        fault = Fault(f"{whose}: {error.filename or 'text'}: {error.strerror or error}.", None, 1)
    except MemoryError:
        fault = Fault(f"{whose}: out of memory.", "start fewer ranks per machine.", 1)
    ranks.exchange(fault)
    return follower


class _Prepared(NamedTuple):
    """What a rank trains on, and the ids (N,) that it scores."""

    config: ResolvedConfig
    alphabet_size: int
    batches: Windows
    scored: Array
    test: Array


def _for_run(task: Task) -> _Prepared:
    """Reads the text.

    Raises:
        InputError: It cannot be read here, or is not that of rank 0.
    """
    config = ResolvedConfig.model_validate(task.config)
    prepared = prepare(config, Vocabulary(task.vocabulary) if task.known else None)
    corpus = prepared.corpus
    found = {"training": TextMark(corpus.size, corpus.digest), **prepared.held_out}
    paths = {"training": text_paths(config), **held_out_paths(config)}
    for name, wanted in task.marks.items():
        if differs := mark_difference(found[name], wanted):
            raise InputError(
                f"{named(paths[name])} is not the text of rank 0: {differs}.",
                "copy the same files to every machine.",
            )
    if corpus.vocabulary.characters != task.vocabulary:
        raise InputError(f"{named(paths['training'])} does not have the characters of rank 0.")
    alphabet_size = len(corpus.vocabulary)
    return _Prepared(config, alphabet_size, prepared.batches, prepared.scored, prepared.test)


def _for_trial(task: TrialTask) -> _Prepared:
    config, nothing = ResolvedConfig.model_validate(task.config), np.empty(0, np.uint8)
    return _Prepared(endless(config), task.alphabet_size, task.windows, nothing, nothing)


class Follower:
    """A rank that takes part, with a state of its own that is that of rank 0.

    Args:
        ranks: The ranks.
        prepared: What it trains on.
        workers: Its threads.
    """

    def __init__(self, ranks: Ranks, prepared: _Prepared, workers: Workers) -> None:
        config = prepared.config
        self._ranks = ranks
        self._trainer = trainer_of(config, prepared.batches, prepared.scored, workers)
        self._score_test = scorer_of(config, prepared.test, workers)
        self._state = first_state(config, prepared.alphabet_size)
        self._scored = self._state.params.zeros_like()
        self._gradient, self._carried = self._scored, self._state.h  # of the latest step

    def obey(self, order: Order, argument: float) -> None:
        """Carries out an order."""
        match order:
            case Order.TAKE_STATE:
                self._state.optimizer.count = int(argument)
                send_state(self._ranks, self._state)
            case Order.GIVE_STATES:
                share_states(self._ranks, self._state)
            case Order.STEP:
                self._step(int(argument))
            case Order.UPDATE:
                self._update(argument)
            case Order.SCORE_VALIDATION:
                self._trainer.evaluate(self._received())
            case Order.SCORE_TEST:
                self._score_test(self._received())

    def _step(self, number: int) -> None:
        window = self._trainer.batches[number]._replace(step=number)
        h = self._state.h[: len(window.fresh)]
        h[window.fresh] = 0
        _, self._gradient, self._carried = self._trainer.objective(self._state.params, window, h)

    def _update(self, learning_rate: float) -> None:
        state = self._state
        self._trainer.clip(self._gradient)
        with np.errstate(all="ignore"):  # rank 0 finds what is not finite
            self._trainer.update(self._gradient, state.optimizer, state.params, learning_rate)
        h: Array = self._carried
        state.h[: len(h)] = h

    def _received(self) -> Params:
        self._ranks.broadcast(self._scored.flat)
        return self._scored
