"""Work split among threads gives the same results, bit for bit if elementwise."""

from copy import deepcopy
from threading import Barrier, Event, Thread

import numpy as np
import pytest
from numpy.random import default_rng

from charrnn.analysis.problems import random_problem
from charrnn.model.params import Params
from charrnn.optim.clipping import make_clip
from charrnn.optim.optimizers import OPTIMIZERS, make_optimizer
from charrnn.training.workers import Workers, worker_threads
from tests.test_optim import CHOICES


@pytest.fixture(params=[2, 3, 7])
def workers(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("charrnn.training.workers.MIN_PARALLEL_SIZE", 1)
    with worker_threads(request.param) as workers:
        yield workers


def gradients(count: int) -> list[Params]:
    params = random_problem(default_rng(0)).params
    return [params.map(lambda a, n=n: np.cos(a * (n + 1))) for n in range(count)]


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_an_update_has_the_same_bits(name: str, workers: Workers) -> None:
    ends = []
    for options in ({}, {"for_each_slice": workers.for_each_slice}):
        params, optimizer = (
            random_problem(default_rng(1)).params,
            make_optimizer(name, **CHOICES[name]),
        )
        state = optimizer.init(params)
        for gradient in gradients(3):
            optimizer.update(gradient, state, params, 0.05, **options)
        ends.append([params.flat, *(slot.flat for slot in state.slots.values())])
    for one, other in zip(*ends, strict=True):
        assert one.tobytes() == other.tobytes()


@pytest.mark.parametrize("by", ["norm", "value", "none"])
@pytest.mark.parametrize("threshold", [0.5, 1e9])
def test_clipping_is_the_same(by: str, threshold: float, workers: Workers) -> None:
    (gradient,) = gradients(1)
    other = deepcopy(gradient)
    one, two = (
        make_clip(by, threshold)(gradient),
        make_clip(by, threshold, workers.for_each_slice)(other),
    )
    assert one.clipped == two.clipped == (threshold < 1 and by != "none")
    assert one.norm == pytest.approx(two.norm, rel=1e-14)
    assert two.norms == pytest.approx(one.norms, rel=1e-14)
    np.testing.assert_allclose(gradient.flat, other.flat, rtol=1e-14)


def test_the_last_entry_alone_counts_as_clipped(workers: Workers) -> None:
    gradient = gradients(1)[0].zeros_like()
    gradient.flat[-1] = -2
    assert make_clip("value", 1.0, workers.for_each_slice)(gradient).clipped
    assert gradient.flat[-1] == -1


def test_slices_cover_everything_in_order(workers: Workers) -> None:
    slices = workers.for_each_slice(lambda entries, _: entries, 20)
    assert len(slices) == workers.count
    assert np.concatenate([np.arange(20)[entries] for entries in slices]).tolist() == list(
        range(20)
    )


def test_workers_treat_overflow_as_the_caller_does(workers: Workers) -> None:
    large = np.full(20, 1e300)
    with np.errstate(over="raise"), pytest.raises(FloatingPointError):
        workers.for_each_slice(lambda s, _: large[s] * (1e300 if s.stop == 20 else 1), 20)
    with np.errstate(over="ignore"):
        workers.for_each_slice(lambda s, _: large[s] * 1e300, 20)


@pytest.mark.parametrize("failing", [0, 1])
def test_an_error_waits_for_the_others(workers: Workers, failing: int) -> None:
    """They may still be writing to arrays that the caller reuses."""
    begun, release, caught, ended = Barrier(workers.count + 1), Event(), [], []

    def task(number: int) -> None:
        begun.wait()
        if number == failing:
            raise ValueError("the one")
        if number == 0:
            return
        release.wait()
        ended.append(number)

    def call() -> None:
        try:
            workers.run(task, workers.count)
        except ValueError as error:
            caught.append((error, sorted(ended)))

    caller = Thread(target=call)
    caller.start()
    begun.wait()
    caller.join(0.1)  # it cannot end before the release
    returned_early = not caller.is_alive()
    release.set()
    caller.join()
    others = [number for number in range(1, workers.count) if number != failing]
    assert returned_early == (not others)
    ((error, at_return),) = caught
    assert str(error) == "the one"
    assert at_return == others
