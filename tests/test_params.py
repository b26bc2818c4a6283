"""Parameters as views of one array, and slices of a window's lanes."""

from copy import deepcopy

import numpy as np
import pytest
from numpy.random import default_rng

from charrnn.analysis.problems import random_problem
from charrnn.model.bptt import divisor
from charrnn.model.params import Layout, Params, shapes
from charrnn.window import NO_TARGET


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("layers", [1, 3])
def test_every_copy_consists_of_views_of_its_own_flat_array(bias: bool, layers: int) -> None:
    params = random_problem(default_rng(0), bias=bias, layers=layers).params
    copies = [
        Params.of(**dict(params.named())), params.map(np.copy), deepcopy(params),
        params.astype(np.float32), params.zeros_like(), params.replace(V=params.V),
    ]  # fmt: skip
    names = ["U1", "W1", "U2", "W2", "U3", "W3", "V", *["b1", "b2", "b3", "c"] * bias]
    if layers == 1:
        names = list("UWVbc" if bias else "UWV")
    for copy in copies:
        assert not np.shares_memory(copy.flat, params.flat)
        copy.flat[...] = np.arange(copy.size)
        ends = np.concatenate([array.ravel() for _, array in copy.named()])
        assert ends.tolist() == list(range(params.size))
        assert [name for name, _ in copy.named()] == names
        ends = [array.ravel() for layer in copy.layers for array in (layer.U, layer.W)]
        assert all(np.shares_memory(array, copy.flat) for array in ends)
    assert (params.layers[-1].b is None) == (params.c is None) == (not bias)


def test_a_layout_knows_where_the_matrices_end() -> None:
    layout = Layout(shapes(2, 3, bias=True))
    assert list(layout.shapes) == list("UWVbc")
    assert (layout.matrices_size, layout.size) == (16, 21)
    assert layout.slices["c"] == slice(18, 21)


@pytest.mark.parametrize("carried", [None, 4, np.array([4, 5, 6])])
def test_lanes_of_a_window(carried) -> None:
    window = random_problem(default_rng(0)).window._replace(carried=carried)
    window.y[:2] = NO_TARGET
    some = window.lanes(slice(1, 3))
    assert np.array_equal(some.x, window.x[:, 1:3])
    assert np.array_equal(some.y, window.y[:, 1:3])
    assert some.fresh.shape == (2,)
    assert np.array_equal(some.carried, [5, 6]) if isinstance(carried, np.ndarray) else True
    assert (some.targets, window.targets) == (8, 12)
    assert divisor(some, "mean") == divisor(some.lanes(slice(0, 1)), "mean") == 12
    assert divisor(some, "sum") == 1
