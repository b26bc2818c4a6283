"""BPTT is the gradient, and the checker rejects wrong gradients."""

import json
from dataclasses import replace
from functools import partial

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.random import default_rng

from charrnn.analysis.directions import DIRECTIONAL
from charrnn.analysis.gradcheck import ORACLES, gradcheck
from charrnn.analysis.problems import Problem, random_problem
from charrnn.model.activations import ACTIVATIONS, Activation
from charrnn.model.bptt import bptt, window_loss
from charrnn.model.loss import softmax
from charrnn.model.params import Params
from charrnn.model.rnn import logits, states
from charrnn.results import CheckedProblem, Entry, GradientCheck
from charrnn.window import Window

SIZES = st.integers(1, 5)


def passed(entries: list[Entry]) -> bool:
    return GradientCheck(CheckedProblem("", "tanh", "mean", 8, 7, 6, 3), entries).passed


def check(problem, objective, name="tanh", reduction="mean", oracles=tuple(ORACLES), **options):
    chosen = [ORACLES[oracle] for oracle in oracles]
    return gradcheck(
        problem, objective, ACTIVATIONS[name], reduction, chosen, default_rng(0), **options
    )


@given(
    seed=st.integers(0, 10_000), sizes=st.tuples(SIZES, SIZES, SIZES, SIZES),
    name=st.sampled_from(list(ACTIVATIONS)), bias=st.booleans(),
    reduction=st.sampled_from(["mean", "sum"]), layers=st.integers(1, 3),
)  # fmt: skip
def test_bptt_agrees_with_every_oracle(seed, sizes, name, bias, reduction, layers) -> None:
    problem = random_problem(default_rng(seed), *sizes, bias=bias, layers=layers)
    objective = partial(bptt, activation=ACTIVATIONS[name], reduction=reduction)
    entries = check(problem, objective, name, reduction)
    assert not [entry for entry in entries if entry.verdict == "failed"]
    assert len(entries) == len(ORACLES) * (1 + 2 * layers + bias * (1 + layers))


def literal_bptt(
    problem: Problem, activation: Activation, bug: str | None
) -> tuple[float, Params, np.ndarray]:
    """The gradient of the summed loss in plain loops, with a bug if one is named."""
    params, (x, y, *_), h0, _ = problem
    T, B = x.shape
    A = params.alphabet_size
    h = states(params, x, h0, activation).copy()
    probabilities = softmax(logits(params, h[1:]))
    g = params.zeros_like()
    for lane in range(B):
        da_next = np.zeros(params.hidden_size)
        for t in range(T, 0, -1):
            h_t, h_before = h[t, lane], h[t - 1, lane]
            target = y[t - 1, lane]
            if bug == "off-by-one target":
                target = x[t - 1, lane]
            if bug == "target shifted in the alphabet":
                target = (target + 1) % A
            do = probabilities[t - 1, lane] - np.eye(A)[target]
            if bug == "softmax Jacobian of its diagonal only":
                p = probabilities[t - 1, lane]
                do = -np.eye(A)[target] * (1 - p)
            if bug == "sign flipped":
                do = -do
            g.V[...] += np.outer(do, h_before if bug == "h_{t-1} for h_t in dV" else h_t)
            if bug != "c counted once" or t == T:
                g.c[...] += do
            carry = da_next @ (params.W.T if bug == "W not transposed" else params.W)
            if bug == "carry dropped":
                carry = 0 * carry
            if bug == "carry doubled":
                carry = 2 * carry
            if bug == "carry dropped before the last two steps" and t <= T - 2:
                carry = 0 * carry
            dh = params.V.T @ do + carry
            if bug == "output term at the last step only" and t < T:
                dh = carry
            da = dh.copy()
            if bug == "derivative of the former state":
                da *= activation.slopes(h_before)
            elif bug == "1 - h for 1 - h²":
                da *= 1 - h_t
            elif bug != "no derivative of f":
                da *= activation.slopes(h_t)
            g.W[...] += np.outer(da, h_t if bug == "h_t for h_{t-1} in dW" else h_before)
            if bug == "dW transposed" and t == 1:
                g.W[...] = g.W.T.copy()
            if bug != "b counted once" or t == T:
                g.b[...] += da
            column = x[t - 1, lane]
            if bug == "repeated ids overwritten":
                g.U[:, column] = da
            elif bug == "dU at the target":
                g.U[:, y[t - 1, lane]] += da
            else:
                g.U[:, column] += da
            if bug == "lane forgotten" and lane == B - 1:
                g.W[...] -= np.outer(da, h_before)
            da_next = da
    if bug == "mean and sum mixed":
        g = g.map(lambda array: array / T)
    if bug == "wrong by 0.05 %":
        g.W[...] *= 1.0005
    return float(window_loss(*problem[:3], activation, "sum")), g, h[T]


BUGS = {
    "off-by-one target": "UWVbc",
    "target shifted in the alphabet": "UWVbc",
    "softmax Jacobian of its diagonal only": "UWVbc",
    "sign flipped": "UWVbc",
    "h_{t-1} for h_t in dV": "V",
    "c counted once": "c",
    "W not transposed": "UWb",
    "carry dropped": "UWb",
    "carry doubled": "UWb",
    "carry dropped before the last two steps": "UWb",
    "output term at the last step only": "UWb",
    "derivative of the former state": "UWb",
    "1 - h for 1 - h²": "UWb",
    "no derivative of f": "UWb",
    "h_t for h_{t-1} in dW": "W",
    "dW transposed": "W",
    "b counted once": "b",
    "repeated ids overwritten": "U",
    "dU at the target": "U",
    "lane forgotten": "W",
    "mean and sum mixed": "UWVbc",
    "wrong by 0.05 %": "W",
}
PROBLEM = random_problem(default_rng(1))


@pytest.mark.parametrize("oracle", ORACLES)
def test_the_literal_backward_pass_without_a_bug_passes(oracle: str) -> None:
    entries = check(
        PROBLEM,
        lambda *_: literal_bptt(PROBLEM, ACTIVATIONS["tanh"], None),
        reduction="sum",
        oracles=[oracle],
    )
    assert passed(entries)


@pytest.mark.parametrize("oracle", ORACLES)
@pytest.mark.parametrize("bug", BUGS)
def test_a_wrong_backward_pass_is_rejected_and_the_tensor_named(bug: str, oracle: str) -> None:
    entries = check(
        PROBLEM,
        lambda *_: literal_bptt(PROBLEM, ACTIVATIONS["tanh"], bug),
        reduction="sum",
        oracles=[oracle],
    )
    assert not passed(entries)
    failed = {entry.parameter for entry in entries if entry.verdict == "failed"}
    assert failed == set(BUGS[bug])
    for entry in entries:
        if entry.verdict == "failed":
            array = literal_bptt(PROBLEM, ACTIVATIONS["tanh"], bug)[1]
            assert entry.bptt_value == getattr(array, entry.parameter)[entry.worst_index]


def vanished_problem() -> Problem:
    """Output weights so small that almost no gradient reaches U, W and b."""
    problem = random_problem(default_rng(4))
    small = problem.params.replace(V=problem.params.V * 1e-18)
    return problem._replace(params=small)


def test_a_vanished_gradient_with_its_sign_flipped_is_rejected() -> None:
    problem = vanished_problem()

    def flipped(*_):
        loss, gradient, h = bptt(*problem[:3], ACTIVATIONS["tanh"], "mean")
        gradient.W[...] *= -1
        return loss, gradient, h

    gradient = bptt(*problem[:3], ACTIVATIONS["tanh"], "mean")[1]
    assert 0 < np.abs(gradient.W).max() < 1e-12
    entries = {entry.oracle: entry for entry in check(problem, flipped) if entry.parameter == "W"}
    assert entries["central-difference"].verdict == "undecidable"
    assert entries["complex-step"].verdict == "failed"


def test_a_gradient_below_rounding_is_undecidable() -> None:
    problem = vanished_problem()
    objective = partial(bptt, activation=ACTIVATIONS["tanh"])
    entries = check(problem, objective, oracles=["central-difference"])
    verdicts = {entry.parameter: entry.verdict for entry in entries}
    assert verdicts["W"] == verdicts["U"] == verdicts["b"] == "undecidable"
    assert not passed(entries)
    assert entries[1].relative_error is None


def test_a_gradient_lost_to_cancellation_is_undecidable() -> None:
    """For a nearly certain target ŷ - y loses its digits in every method."""
    problem = random_problem(default_rng(1), time_steps=2, batch_size=2)
    y = np.zeros_like(problem.window.y)
    params = problem.params.replace(c=np.array([20.0, *np.zeros(6)]))
    problem = problem._replace(params=params, window=problem.window._replace(y=y))
    entries = check(problem, partial(bptt, activation=ACTIVATIONS["tanh"]))
    assert {entry.verdict for entry in entries if entry.parameter == "W"} == {"undecidable"}
    assert not [entry for entry in entries if entry.verdict == "failed"]

    def flipped(*given):
        loss, gradient, h = bptt(*given, ACTIVATIONS["tanh"])
        gradient.W[...] *= -1
        return loss, gradient, h

    failed = {entry.oracle for entry in check(problem, flipped) if entry.verdict == "failed"}
    assert failed >= {"complex-step", "double-sum", "rtrl"}


def test_nan_fails() -> None:
    def broken(*_):
        loss, gradient, h = bptt(*PROBLEM[:3], ACTIVATIONS["tanh"])
        gradient.V[0, 0] = np.nan
        return loss, gradient, h

    failed = [entry for entry in check(PROBLEM, broken) if entry.verdict == "failed"]
    assert {(entry.parameter, entry.worst_index) for entry in failed} == {("V", (0, 0))}


def test_a_relu_kink_between_the_two_points_is_skipped() -> None:
    """At a pre-activation near 0 only the complex step gives a derivative."""
    params = Params.of(U=np.full((1, 2), 1e-7), W=np.zeros((1, 1)), V=np.array([[1.0], [-1.0]]))
    window = Window(np.array([[0]]), np.array([[1]]), np.array([True]))
    problem = Problem(params, window, np.zeros((1, 1)))
    entries = check(problem, partial(bptt, activation=ACTIVATIONS["relu"]), "relu")
    compared = {(e.oracle, e.parameter): e.compared for e in entries}
    assert compared["central-difference", "U"] == 1  # the other character does not occur
    assert compared["complex-step", "U"] == 2
    assert not [entry for entry in entries if entry.verdict == "failed"]


def test_the_complex_step_takes_relu_as_flat_at_exactly_zero() -> None:
    """As in BPTT. An orthogonal W of one unit is ±1, so pre-activations cancel."""
    a = np.array([1e-30j, -1e-30j, 1 + 1e-30j])
    h = np.empty_like(a)
    ACTIVATIONS["relu"].apply(a, h)
    assert h.tolist() == [0, 0, 1 + 1e-30j]
    assert ACTIVATIONS["relu"].slopes(np.array([0.0, 2.0])).tolist() == [0, 1]


def test_large_parameters_are_checked_in_part() -> None:
    problem = random_problem(default_rng(3), hidden_size=12)
    entries = check(problem, partial(bptt, activation=ACTIVATIONS["tanh"]), max_entries=20)
    sampled = {entry.compared for entry in entries if entry.oracle != "double-sum"}
    assert sampled == {20, 12, 7}
    assert passed(entries)


@pytest.mark.parametrize("few", [0, 10**9])
@pytest.mark.parametrize("small", [1, 3500])
@pytest.mark.parametrize("layers", [1, 2])
def test_the_code_for_large_sizes_gives_the_same_gradient(few, small, layers, monkeypatch) -> None:
    """Tiles, blocks of rows, and dU from sorted ids, at sizes an oracle can handle."""
    monkeypatch.setattr("charrnn.model.sums.MAX_ONE_HOT_PRODUCT", few)
    monkeypatch.setattr("charrnn.model.products.MAX_UNPACKED_PRODUCT", small)
    monkeypatch.setattr("charrnn.model.products.PACKED_TILE_WIDTH", 16)
    problem = random_problem(
        default_rng(6), hidden_size=40, alphabet_size=9, batch_size=5, layers=layers
    )
    entries = check(
        problem, partial(bptt, activation=ACTIVATIONS["tanh"]), oracles=["complex-step"]
    )
    assert passed(entries)


def test_command_passes_and_lists_every_parameter(charrnn) -> None:
    outcome = charrnn("gradcheck", "--json")
    document = json.loads(outcome.out)
    assert outcome.code == 0
    assert document["passed"] is True
    assert document["checked"] == {
        "model": "a small random model", "activation": "tanh", "reduction": "mean",
        "hidden_size": 8, "alphabet_size": 7, "time_steps": 6, "batch_size": 3,
        "layers": 1, "dropout": 0.0, "window": None, "windows_per_epoch": None, "stride": None,
        "warm_up": 0, "workers": 1, "memory": "plain",
    }  # fmt: skip
    pairs = [(entry["oracle"], entry["parameter"]) for entry in document["entries"]]
    along = [(oracle.name, parameter) for oracle in DIRECTIONAL for parameter in ("all", *"UWVbc")]
    assert pairs == along + [(oracle, parameter) for oracle in ORACLES for parameter in "UWVbc"]
    assert all(entry["relative_error"] < 1e-6 for entry in document["entries"])


def test_command_fails_with_a_planted_bug(charrnn, monkeypatch: pytest.MonkeyPatch) -> None:
    tanh = ACTIVATIONS["tanh"]
    broken = replace(tanh, slope=lambda h, out: out.fill(1))
    monkeypatch.setitem(ACTIVATIONS, "tanh", broken)
    outcome = charrnn("gradcheck")
    assert outcome.code == 1
    assert "failed: BPTT differs by more than the tolerance in U, W, b." in outcome.out
    assert json.loads(charrnn("gradcheck", "--json").out)["passed"] is False


def test_command_on_a_checkpoint_with_its_text(charrnn, trained, text_file) -> None:
    outcome = charrnn("gradcheck", trained, "--text", text_file, "--oracle", "complex-step")
    assert outcome.code == 0, outcome.err
    assert "passed" in outcome.out
    assert "H = 16" in outcome.out


def test_command_on_a_config(charrnn, tmp_path, text_file) -> None:
    config = tmp_path / "relu.yaml"
    config.write_text("model: {hidden_size: 10, activation: relu, bias: false}")
    outcome = charrnn("gradcheck", "-c", config, "--text", text_file, "--json")
    document = json.loads(outcome.out)
    assert outcome.code == 0
    assert {entry["parameter"] for entry in document["entries"]} == {"all", *"UWV"}


def test_an_impossible_tolerance_fails(charrnn) -> None:
    outcome = charrnn("gradcheck", "--oracle", "complex-step", "--tolerance", "1e-18")
    assert outcome.code == 1


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--oracle", "complexstep"], "did you mean complex-step?"),
        (["--tolerance", "0"], "is not positive"),
        (["nothing.safetensors"], "there is no checkpoint"),
    ],
)
def test_command_explains_bad_options(charrnn, arguments, words) -> None:
    outcome = charrnn("gradcheck", *arguments)
    assert outcome.code == (3 if "checkpoint" in words else 2)
    assert words in outcome.err
