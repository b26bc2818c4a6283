"""The numbered equations, compared with a literal form with one-hot vectors."""

import re
from pathlib import Path

import numpy as np
import pytest
from numpy.random import default_rng

from charrnn.analysis.double_sum import double_sum
from charrnn.analysis.jacobians import lanes
from charrnn.analysis.problems import Problem, random_problem
from charrnn.analysis.rtrl import rtrl
from charrnn.model.activations import ACTIVATIONS
from charrnn.model.bptt import bptt, window_loss
from charrnn.model.loss import cross_entropy, loss_and_logit_gradient, softmax
from charrnn.model.rnn import Stepper, joint, logits, states
from charrnn.optim.optimizer import OptimizerState
from charrnn.optim.optimizers import sgd
from charrnn.window import Window

F = {
    "tanh": (np.tanh, lambda h: 1 - h**2),
    "sigmoid": (lambda a: 1 / (1 + np.exp(-a)), lambda h: h * (1 - h)),
    "relu": (lambda a: np.maximum(a, 0), lambda h: (h > 0).astype(float)),
}
PROBLEM = random_problem(default_rng(5), batch_size=1)


def literal_forward(problem: Problem, name: str):
    """a, h, o, ŷ and L of lane 0, each line the equation itself."""
    (U, W, V, b, c), (x, y, *_) = dict(problem.params.named()).values(), problem.window
    A = U.shape[1]
    h = [problem.h0[0]]
    a, o, probabilities, losses = [], [], [], []
    for t in range(len(x)):
        x_t, y_t = np.eye(A)[x[t, 0]], np.eye(A)[y[t, 0]]
        a.append(U @ x_t + W @ h[-1] + b)  # (1)
        h.append(F[name][0](a[-1]))  # (2)
        o.append(V @ h[-1] + c)  # (3)
        probabilities.append(np.exp(o[-1]) / np.exp(o[-1]).sum())  # (4)
        losses.append(-y_t @ np.log(probabilities[-1]))  # (5)
    return np.array(h), np.array(o), np.array(probabilities), np.array(losses)


@pytest.mark.parametrize("name", F)
def test_equations_1_to_5_forward(name: str) -> None:
    h, o, probabilities, losses = literal_forward(PROBLEM, name)
    found = states(PROBLEM.params, PROBLEM.window.x, PROBLEM.h0, ACTIVATIONS[name])
    np.testing.assert_allclose(found[:, 0], h, rtol=1e-13, atol=1e-15)
    found_o = logits(PROBLEM.params, found[1:])
    np.testing.assert_allclose(found_o[:, 0], o, rtol=1e-13, atol=1e-15)
    np.testing.assert_allclose(softmax(found_o)[:, 0], probabilities, rtol=1e-12)
    np.testing.assert_allclose(cross_entropy(found_o, PROBLEM.window.y)[:, 0], losses, rtol=1e-12)


def test_each_numbered_equation_has_a_test_that_names_it() -> None:
    tests = Path(__file__).parent
    text = (tests.parent / "docs" / "equations.md").read_text(encoding="utf-8")
    numbered = {int(number) for number in re.findall(r"^    \((\d+)\)", text, re.MULTILINE)}
    named = set()
    for path in tests.glob("test_*.py"):
        for first, last in re.findall(
            r"^def test_equations?_(\d+)_(?:(?:to|and)_(\d+)_)?", path.read_text(), re.MULTILINE
        ):
            named |= set(range(int(first), int(last or first) + 1))
    assert numbered == named == set(range(1, len(numbered) + 1))


def test_equation_6_reductions() -> None:
    tanh = ACTIVATIONS["tanh"]
    problem = random_problem(default_rng(2))
    T, B = problem.window.x.shape
    total = window_loss(*problem[:3], tanh, "sum")
    assert total / (T * B) == pytest.approx(window_loss(*problem[:3], tanh, "mean"), rel=1e-14)
    summed, mean = (bptt(*problem[:3], tanh, reduction)[1] for reduction in ("sum", "mean"))
    for name, array in summed.named():
        np.testing.assert_allclose(array / (T * B), getattr(mean, name), rtol=1e-12, atol=1e-17)


def test_equations_7_and_8_softmax() -> None:
    o = default_rng(3).standard_normal(6)
    probabilities = softmax(o)
    jacobian = np.diag(probabilities) - np.outer(probabilities, probabilities)  # (7)
    step = 1e-6
    for j in range(6):
        shifted = [softmax(o + sign * step * np.eye(6)[j]) for sign in (1, -1)]
        np.testing.assert_allclose(
            (shifted[0] - shifted[1]) / (2 * step), jacobian[:, j], atol=1e-9
        )
    y = np.eye(6)[4]
    chained = -(y / probabilities) @ jacobian  # ∂L/∂ŷ · ∂ŷ/∂o
    _, do = loss_and_logit_gradient(o[None, None].copy(), np.array([[4]]))
    np.testing.assert_allclose(do[0, 0], probabilities - y, rtol=1e-14)  # (8)
    np.testing.assert_allclose(do[0, 0], chained, rtol=1e-13)


@pytest.mark.parametrize("name", F)
def test_equations_9_to_12_reverse(name: str) -> None:
    (U, W, V, _, _), (x, y, *_) = dict(PROBLEM.params.named()).values(), PROBLEM.window
    T, (H, A) = len(x), U.shape
    h, _, probabilities, _ = literal_forward(PROBLEM, name)
    dU, dW, dV, db, dc = np.zeros((H, A)), np.zeros((H, H)), np.zeros((A, H)), 0, 0
    da_next = np.zeros(H)
    for t in range(T, 0, -1):
        do = probabilities[t - 1] - np.eye(A)[y[t - 1, 0]]
        dV, dc = dV + np.outer(do, h[t]), dc + do  # (9)
        dh = V.T @ do + W.T @ da_next  # (10)
        da = np.diag(F[name][1](h[t])) @ dh  # (11)
        dW, dU, db = (
            dW + np.outer(da, h[t - 1]),
            dU + np.outer(da, np.eye(A)[x[t - 1, 0]]),
            db + da,
        )  # (12)
        da_next = da
    _, gradient, last = bptt(*PROBLEM[:3], ACTIVATIONS[name], "sum")
    for found, literal in zip(
        (array for _, array in gradient.named()), (dU, dW, dV, db, dc), strict=True
    ):
        np.testing.assert_allclose(found, literal, rtol=1e-11, atol=1e-14)
    np.testing.assert_allclose(last[0], h[-1], rtol=1e-13)


@pytest.mark.parametrize("name", F)
def test_equation_13_is_the_derivative_of_a_state(name: str) -> None:
    """The product of Jacobians against central differences of h_T with respect to h_0."""
    activation, (params, window, h0, _) = ACTIVATIONS[name], PROBLEM
    (lane,) = lanes(PROBLEM, activation, 1)
    product = np.eye(8)
    for t in range(1, len(lane.h)):
        product = (lane.D[t][:, None] * params.W) @ product  # the newest leftmost
    for unit in range(8):
        step = 1e-6 * np.eye(8)[unit]
        ahead, behind = (
            states(params, window.x, h, activation)[-1, 0] for h in (h0 + step, h0 - step)
        )
        np.testing.assert_allclose((ahead - behind) / 2e-6, product[:, unit], atol=1e-9)


@pytest.mark.parametrize("name", F)
@pytest.mark.parametrize("reach", range(1, 8))
def test_equation_14_truncated_at_a_reach(name: str, reach: int) -> None:
    """Each loss separately, back-propagated over its last `reach` steps."""
    problem, activation = random_problem(default_rng(9)), ACTIVATIONS[name]
    params, (x, y, fresh, *_), h0, _ = problem
    h = states(params, x, h0, activation)
    total = params.zeros_like()
    for t in range(1, len(h)):
        start = max(t - reach, 0)
        for end, sign in ((t, 1), (t - 1, -1)):  # all losses of the window, less those before t
            if end > start:
                window = Window(x[start:end], y[start:end], fresh)
                _, gradient, _ = bptt(params, window, h[start], activation, "sum")
                for parameter, array in gradient.named():
                    getattr(total, parameter)[...] += sign * array
    for parameter, array in double_sum(problem, activation, "sum", reach=lambda t: reach).named():
        np.testing.assert_allclose(array, getattr(total, parameter), rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("name", F)
def test_equations_15_and_16_forward_in_time(name: str) -> None:
    """∂h_t/∂W_ij unrolled as a sum of products, against the recursion inside RTRL."""
    (lane,), W, V = lanes(PROBLEM, ACTIVATIONS[name], 1), PROBLEM.params.W, PROBLEM.params.V
    i, j = 2, 5
    dW_ij = 0.0
    for t in range(1, len(lane.h)):
        dh_t = np.zeros(8)
        for k in range(1, t + 1):
            term = lane.D[k] * np.eye(8)[i] * lane.h[k - 1, j]  # ∂h_k/∂W*
            for later in range(k + 1, t + 1):
                term = lane.D[later] * (W @ term)
            dh_t += term  # (15)
        dW_ij += dh_t @ V.T @ lane.do[t]  # (16)
    entries = {parameter: np.arange(array.size) for parameter, array in PROBLEM.params.named()}
    found = rtrl(PROBLEM, ACTIVATIONS[name], "sum", entries)
    assert found.W[i, j] == pytest.approx(dW_ij, rel=1e-11)


def test_equation_17_update() -> None:
    params = PROBLEM.params.astype(np.float64)
    gradient = params.map(np.cos)
    expected = {name: array - 0.3 * np.cos(array) for name, array in params.named()}
    sgd().update(gradient, OptimizerState(0, {}), params, 0.3)
    for name, array in params.named():
        np.testing.assert_allclose(array, expected[name], rtol=1e-14)


@pytest.mark.parametrize("name", F)
@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("lanes", [1, 3])
@pytest.mark.parametrize("layers", [1, 2, 3])
def test_stepper_computes_the_same_states(name: str, bias: bool, lanes: int, layers: int) -> None:
    problem = random_problem(default_rng(8), batch_size=lanes, bias=bias, layers=layers)
    h = states(problem.params, problem.window.x, np.zeros((lanes, 8 * layers)), ACTIVATIONS[name])
    o = logits(problem.params, h[1:])
    step = Stepper(problem.params, ACTIVATIONS[name], lanes)
    for t, characters in enumerate(problem.window.x):
        np.testing.assert_allclose(step(characters), o[t], rtol=1e-12, atol=1e-14)
        np.testing.assert_allclose(joint(step.h), h[t + 1], rtol=1e-12, atol=1e-14)


def test_loss_survives_extreme_logits() -> None:
    o = np.array([[[1000.0, -1000.0, 0.0]]])
    assert cross_entropy(o, np.array([[1]]))[0, 0] == pytest.approx(2000)
    loss, do = loss_and_logit_gradient(o.copy(), np.array([[1]]))
    assert loss == pytest.approx(2000)
    np.testing.assert_allclose(do[0, 0], [1, -1, 0], atol=1e-12)
