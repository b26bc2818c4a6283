"""A training step uses single precision only: a stray float64 would halve its speed."""

from typing import ClassVar

import numpy as np
import pytest
from numpy.random import default_rng

from charrnn.analysis.problems import random_problem
from charrnn.config.layers import load_config
from charrnn.model.activations import ACTIVATIONS
from charrnn.model.bptt import bptt
from charrnn.model.workspace import Workspace
from charrnn.optim.clipping import make_clip
from charrnn.optim.optimizers import OPTIMIZERS
from charrnn.setup.wiring import optimizer_of

SINGLE = {np.dtype("float32")}


class Watched(np.ndarray):
    """An array that records the precision of computations on it."""

    __array_priority__ = 1  # what is concatenated of such arrays is one
    seen: ClassVar[set[np.dtype]] = set()

    def __array_ufunc__(self, ufunc, method, *inputs, out=None, **options):
        plain = [x.view(np.ndarray) if isinstance(x, Watched) else x for x in inputs]
        fresh = getattr(ufunc, method)(*plain, **options)  # as if no array were given to write to
        if np.asarray(fresh).dtype.kind == "f":
            self.seen.add(np.asarray(fresh).dtype)
        if out is None:
            return fresh.view(Watched) if isinstance(fresh, np.ndarray) else fresh
        out[0].view(np.ndarray)[...] = fresh
        return out[0]


def watched(array: np.ndarray) -> np.ndarray:
    return array.astype(np.float32).view(Watched)


@pytest.fixture
def precisions() -> set[np.dtype]:
    Watched.seen.clear()
    return Watched.seen


def test_a_stray_float64_is_detected(precisions) -> None:
    array = watched(np.ones(3))
    array /= np.sqrt(9)  # NumPy's scalar is a float64; the result is cast back silently
    assert array.dtype == np.float32
    assert precisions == {np.dtype("float64")}


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_an_update(name: str, precisions) -> None:
    config = load_config(None, [f"optimizer.name={name}"], {})
    optimizer, params = optimizer_of(config), random_problem(default_rng(0)).params.map(watched)
    state = optimizer.init(params)
    state.slots = {slot: values.map(watched) for slot, values in state.slots.items()}
    for _ in range(2):
        optimizer.update(params.map(np.copy).map(watched), state, params, 1e-2)
    assert precisions == SINGLE


@pytest.mark.parametrize("by", ["norm", "value"])
def test_clipping(by: str, precisions) -> None:
    assert make_clip(by, 1e-3)(random_problem(default_rng(0)).params.map(watched)).clipped
    assert precisions == SINGLE


@pytest.mark.parametrize("name", ACTIVATIONS)
@pytest.mark.parametrize("few", [0, 10**9])
@pytest.mark.parametrize("reduction", ["mean", "sum"])
def test_the_gradient(name, few, reduction, precisions, monkeypatch) -> None:
    monkeypatch.setattr("charrnn.model.sums.MAX_ONE_HOT_PRODUCT", few)
    original = Workspace.array
    monkeypatch.setattr(Workspace, "array", lambda *given: original(*given).view(Watched))
    problem = random_problem(default_rng(0))
    params, h0 = problem.params.map(watched), watched(problem.h0)
    _, gradient, h = bptt(params, problem.window, h0, ACTIVATIONS[name], reduction)
    assert precisions == SINGLE
    assert {array.dtype for _, array in gradient.named()} | {h.dtype} == SINGLE
