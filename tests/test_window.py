"""Slices of the lanes of a window."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.random import default_rng

from charrnn.analysis.jacobians import lanes
from charrnn.analysis.problems import random_problem
from charrnn.model.activations import ACTIVATIONS
from charrnn.model.bptt import bptt
from charrnn.window import NO_TARGET, Window

TANH = ACTIVATIONS["tanh"]


@given(st.integers(0, 3), st.sampled_from(["mean", "sum"]), st.integers(0, 99))
def test_the_parts_add_up_to_the_window(cut: int, reduction: str, seed: int) -> None:
    """Also with unequal numbers of losses and a separate carried state per lane."""
    params, (x, y, fresh, *_), h0, _ = random_problem(default_rng(seed))
    y = y.copy()
    y[2:, 0] = NO_TARGET
    window = Window(x, y, fresh, np.array([2, 6, 4]))
    loss, gradient, carried = bptt(params, window, h0, TANH, reduction)
    parts = [part for part in (slice(0, cut), slice(cut, 3)) if len(range(*part.indices(3)))]
    found = [bptt(params, window.lanes(part), h0[part], TANH, reduction) for part in parts]
    assert sum(one for one, _, _ in found) == pytest.approx(loss, rel=1e-12)
    total = sum(one.flat for _, one, _ in found)
    np.testing.assert_allclose(total, gradient.flat, rtol=1e-9, atol=1e-12)
    h = np.concatenate([h for _, _, h in found])
    np.testing.assert_allclose(h, carried, rtol=1e-12, atol=1e-15)


def test_an_activation_without_a_slope_is_refused() -> None:
    problem = random_problem(default_rng(0))
    with pytest.raises(KeyError, match="swish"):
        lanes(problem, replace(TANH, name="swish"), 1)
