"""One suite over all optimizers; the laws of clipping and of schedules."""

from copy import deepcopy

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.random import default_rng

from charrnn.analysis.problems import random_problem
from charrnn.arrays import Array
from charrnn.config.layers import load_config
from charrnn.model.params import Params
from charrnn.model.workspace import Workspace
from charrnn.optim.clipping import make_clip, norms_of
from charrnn.optim.optimizers import OPTIMIZERS, make_optimizer
from charrnn.optim.orthogonal import ITERATIONS, orthogonalize
from charrnn.optim.schedules import make_schedule

CHOICES = {
    "sgd": {},
    "momentum": {"momentum": 0.9},
    "adagrad": {"epsilon": 1e-8},
    "rmsprop": {"decay": 0.9, "epsilon": 1e-8},
    "adam": {"beta1": 0.9, "beta2": 0.999, "epsilon": 1e-8},
    "adamw": {"beta1": 0.9, "beta2": 0.999, "epsilon": 1e-8, "weight_decay": 0.1},
    "muon": {"beta1": 0.9, "beta2": 0.999, "epsilon": 1e-8, "weight_decay": 0.1},
}


def reference(name: str, theta: float, gradients: list[float], lr: float, matrix: bool) -> float:
    """The published rule for a single number, written literally."""
    m = v = 0.0
    for n, g in enumerate(gradients, start=1):
        if name == "sgd":
            theta -= lr * g
        elif name == "momentum":
            m = 0.9 * m + g
            theta -= lr * m
        elif name == "adagrad":
            v += g * g
            theta -= lr * g / (np.sqrt(v) + 1e-8)
        elif name == "rmsprop":
            v = 0.9 * v + 0.1 * g * g
            theta -= lr * g / (np.sqrt(v) + 1e-8)
        else:
            m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g * g
            if name in ("adamw", "muon") and matrix:
                theta -= lr * 0.1 * theta
            theta -= lr * (m / (1 - 0.9**n)) / (np.sqrt(v / (1 - 0.999**n)) + 1e-8)
    return theta


def start() -> Params:
    return random_problem(default_rng(0)).params


def run(name: str, steps: int) -> tuple[Params, Params, list[Params]]:
    before = start()
    params, optimizer = deepcopy(before), make_optimizer(name, **CHOICES[name])
    state = optimizer.init(params)
    gradients = [before.map(lambda a, n=n: np.cos(a * (n + 1))) for n in range(steps)]
    for gradient in deepcopy(gradients):
        optimizer.update(gradient, state, params, 0.05)
    assert state.count == steps
    return before, params, gradients


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_update_follows_the_published_rule(name: str) -> None:
    before, after, gradients = run(name, 5)
    for parameter, array in after.named():
        if name == "muon" and parameter == "W":
            continue  # see the test below
        for index in (0, array.size - 1):
            values = [getattr(g, parameter).flat[index] for g in gradients]
            theta = getattr(before, parameter).flat[index]
            expected = reference(name, theta, values, 0.05, array.ndim > 1)
            assert array.flat[index] == pytest.approx(expected, rel=1e-12)


def growth(singular_values: Array) -> Array:
    """What orthogonalization makes of the singular values of a matrix of norm 1."""
    for a, b, c in ITERATIONS:
        singular_values = a * singular_values + b * singular_values**3 + c * singular_values**5
    return singular_values


@pytest.mark.parametrize("layers", [1, 3])
def test_muon_updates_matrices_between_units_along_their_singular_vectors(layers: int) -> None:
    before = random_problem(default_rng(2), layers=layers).params
    params, optimizer = deepcopy(before), make_optimizer("muon", **CHOICES["muon"])
    state, lr, H = optimizer.init(params), 0.05, params.hidden_size
    gradients = [before.map(lambda a, n=n: np.cos(a * (n + 1))) for n in range(3)]
    for gradient in deepcopy(gradients):
        optimizer.update(gradient, state, params, lr)
    changed = [layer.W for layer in params.layers] + [layer.U for layer in params.layers[1:]]
    names = {name for name, array in params.named() if any(array is one for one in changed)}
    assert len(names) == 2 * layers - 1
    for name in names:
        theta, m = dict(before.named())[name].copy(), np.zeros((H, H))
        for gradient in gradients:
            m = 0.9 * m + 0.1 * dict(gradient.named())[name]
            left, s, right = np.linalg.svd(m)
            orthogonal = left * growth(s / np.sqrt((s**2).sum())) @ right
            theta -= lr * 0.1 * theta + 0.2 * np.sqrt(H) * lr * orthogonal
        np.testing.assert_allclose(dict(params.named())[name], theta, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("scale", [1e-24, 1.0, 1e22])  # whose squares float32 has no numbers for
@pytest.mark.parametrize(("dtype", "error"), [("float32", 1e-5), ("float64", 1e-12)])
def test_orthogonalization_ignores_scale_and_brings_singular_values_near_1(
    scale: float, dtype: str, error: float
) -> None:
    left, right = (np.linalg.qr(default_rng(n).standard_normal((24, 24)))[0] for n in (0, 1))
    spectrum = np.geomspace(0.1, 1, 24)
    X = (left * (scale * spectrum) @ right).astype(dtype)
    orthogonalize(X, Workspace())
    found = np.einsum("ji,jk,ik->i", left, X, right)
    np.testing.assert_allclose(X, left * found @ right, atol=error)
    assert 0.8 < found.min() <= found.max() < 1.15


def test_a_matrix_without_a_gradient_does_not_move() -> None:
    X = np.zeros((3, 3), np.float32)
    orthogonalize(X, Workspace())
    assert not X.any()


@pytest.mark.parametrize("alpha", [0.05, 1.0])
def test_the_average_is_over_a_share_of_the_steps_so_far(alpha: float) -> None:
    params, optimizer = start(), make_optimizer("sgd", averaging=alpha)
    state, average = optimizer.init(params), params.flat.copy()
    assert np.array_equal(state.averaged(params).flat, params.flat)
    for n in range(1, 30):
        optimizer.update(params.map(lambda a, n=n: np.cos(a * n)), state, params, 0.05)
        average = average * (1 - 1 / (1 + alpha * n)) + params.flat / (1 + alpha * n)
        np.testing.assert_allclose(state.averaged(params).flat, average, rtol=1e-9, atol=1e-12)


def test_without_averaging_the_model_is_what_is_trained() -> None:
    params, optimizer = start(), make_optimizer("sgd")
    assert optimizer.init(params).averaged(params) is params


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_minimizes_a_quadratic(name: str) -> None:
    params, optimizer = start(), make_optimizer(name, **CHOICES[name])
    state, norms = optimizer.init(params), []
    for _ in range(400):
        norms.append(norms_of(params)[0])  # the gradient of |θ|²/2 is θ
        optimizer.update(deepcopy(params), state, params, 0.05)
    assert norms[-1] < 0.5 * norms[0]


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_every_optimizer_has_settings(name: str) -> None:
    chosen = load_config(None, [f"optimizer.name={name}"], {}).optimizer.model_dump()
    assert chosen.pop("learning_rate") > 0
    assert chosen.keys() - {"name"} == CHOICES[name].keys()
    make_optimizer(**chosen)


def gradient(seed: int, scale: float) -> Params:
    return random_problem(default_rng(seed)).params.map(lambda array: array * scale)


@given(st.integers(0, 999), st.floats(1e-3, 1e3), st.floats(1e-2, 10))
def test_norm_clipping_bounds_keeps_direction_and_is_idempotent(seed, scale, threshold) -> None:
    before = gradient(seed, scale)
    after = deepcopy(before)
    clip = make_clip("norm", threshold)
    told = clip(after)
    norm, norms = norms_of(before)
    assert (told.norm, told.norms) == (norm, norms)  # measured before clipping
    assert told.clipped == (norm > threshold)
    assert norms_of(after)[0] <= threshold * (1 + 1e-12) or not told.clipped
    ratio = min(1.0, threshold / norm)
    for name, array in after.named():
        np.testing.assert_allclose(array, getattr(before, name) * ratio, rtol=1e-12)
    again = deepcopy(after)
    clip(again)
    for name, array in again.named():
        np.testing.assert_allclose(array, getattr(after, name), rtol=1e-12)


@given(st.integers(0, 999), st.floats(1e-3, 1e3), st.floats(1e-2, 10))
def test_value_clipping_bounds_each_entry(seed, scale, threshold) -> None:
    before = gradient(seed, scale)
    after = deepcopy(before)
    told = make_clip("value", threshold)(after)
    for name, array in after.named():
        original = getattr(before, name)
        assert np.array_equal(array, np.clip(original, -threshold, threshold))
    assert told.clipped == any(np.abs(a).max() > threshold for _, a in before.named())


def test_no_clipping_only_measures() -> None:
    before = gradient(1, 1e6)
    after = deepcopy(before)
    told = make_clip("none", 1.0)(after)
    assert not told.clipped
    assert told.norm == norms_of(before)[0]
    assert np.array_equal(after.W, before.W)


def test_norms_of_float32_do_not_overflow_or_vanish() -> None:
    for scale in (1e25, 1e-25):
        array = np.full((3, 4), scale, dtype=np.float32)
        norm, _ = norms_of(Params.of(U=array, W=array, V=array))
        assert norm == pytest.approx(6 * scale, rel=1e-6, abs=0)


def test_schedules() -> None:
    constant = make_schedule("constant", 0.1)
    assert [constant(p) for p in (0.05, 0.1, 1.0)] == [0.5, 1.0, 1.0]
    step = make_schedule("step", 0.2, factor=0.5, milestones=[0.25, 0.5])
    assert [step(p) for p in (0.1, 0.24, 0.25, 0.6)] == [0.5, 1.0, 0.5, 0.25]
    cosine = make_schedule("cosine", 0.0, final=0.1)
    assert [cosine(p) for p in (0.0, 0.5, 1.0)] == pytest.approx([1.0, 0.55, 0.1])


@given(
    st.sampled_from(
        [
            ("constant", {}),
            ("cosine", {"final": 0.0}),
            ("step", {"factor": 0.3, "milestones": [0.2, 0.9]}),
        ]
    ),
    st.floats(0, 0.9), st.floats(0, 1),
)  # fmt: skip
def test_a_schedule_stays_between_0_and_1(chosen, warmup, progress) -> None:
    name, choices = chosen
    assert 0 <= make_schedule(name, warmup, **choices)(progress) <= 1


@pytest.mark.parametrize("name", ["constant", "cosine", "step"])
@pytest.mark.parametrize("warmup", [1e-6, 0.1, 1.0])
def test_a_warm_up_begins_low_but_never_at_0(name: str, warmup: float) -> None:
    """The first update of a run moves something."""
    choices = {"cosine": {"final": 0.0}, "step": {"factor": 0.5, "milestones": [0.5]}}
    schedule = make_schedule(name, warmup, **choices.get(name, {}))
    assert 0 < schedule(0.0) <= 0.01


@pytest.mark.parametrize("threshold", [1e300, 1e-300])
def test_value_clipping_with_a_threshold_beyond_float32(threshold) -> None:
    """It limits nothing, or everything to zero; nothing overflows."""
    gradient = random_problem(default_rng(0)).params.astype(np.float32)
    before = gradient.flat.copy()
    with np.errstate(over="warn", invalid="warn"):
        clipped = make_clip("value", threshold)(gradient).clipped
    assert clipped == (threshold < 1)
    assert np.array_equal(gradient.flat, before if threshold > 1 else np.zeros_like(before))
