"""Stacked layers: the equations, every gradient, and one layer as before."""

import hashlib
import json
import shutil
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.random import default_rng
from safetensors.numpy import load_file

from charrnn.analysis.double_sum import double_sum
from charrnn.analysis.flow import by_lag, decay, decay_from_peak, lag_profiles
from charrnn.analysis.gradcheck import ORACLES, gradcheck
from charrnn.analysis.gradflow import measure_flow
from charrnn.analysis.jacobians import lanes, over_step, within_step
from charrnn.analysis.problems import Problem, random_problem
from charrnn.analysis.truncation import by_reach
from charrnn.config.layers import load_config
from charrnn.model.activations import ACTIVATIONS
from charrnn.model.bptt import bptt, least_memory, window_loss
from charrnn.model.dropout import Dropout
from charrnn.model.initialization import INITIALIZERS, initial_params
from charrnn.model.params import Params
from charrnn.model.rnn import Stepper, joint, logits, states
from charrnn.setup.wiring import first_params
from charrnn.text.stream import stream_window
from charrnn.training.parallel import parallel
from charrnn.training.workers import worker_threads
from charrnn.window import NO_TARGET, Window
from tests import literal_stack
from tests.conftest import TINY
from tests.hostile import opened, sealed
from tests.runs import check_resume_and_workers
from tests.scores import evaluate

TANH = ACTIVATIONS["tanh"]
NAMES = list(ACTIVATIONS)
GOLDEN = "c234f7be30374038c709edf37f6971fdce554451af2eb4af9d02eb92faf0cde0"


def stack(layers: int = 2, rate: float = 0.0, seed: int = 1, **sizes) -> tuple[Problem, dict]:
    """A random problem, and the arguments with which `bptt` draws its dropout."""
    sizes = {"hidden_size": 5, "alphabet_size": 6} | sizes
    problem = random_problem(default_rng(seed), layers=layers, **sizes)
    if not rate:
        return problem, {}
    dropout = Dropout(rate, 7)
    shape = (layers, *problem.window.x.shape, sizes["hidden_size"])
    return problem._replace(mask=dropout.mask(shape, np.float64)), {"dropout": dropout}


def assert_close(found: Params, expected: Params, rtol: float = 1e-10) -> None:
    for (name, array), (_, other) in zip(found.named(), expected.named(), strict=True):
        np.testing.assert_allclose(array, other, rtol=rtol, atol=1e-13, err_msg=name)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("layers", [1, 2, 3])
@pytest.mark.parametrize("rate", [0.0, 0.4])
def test_equations_22_and_26_forward(name, layers, rate) -> None:
    problem, _ = stack(layers, rate)
    h, M, y_hat = literal_stack.forward(problem, name)
    found = states(
        problem.params, problem.window.x, problem.h0, ACTIVATIONS[name], None, problem.mask
    )
    np.testing.assert_allclose(found, joint(h), rtol=1e-12, atol=1e-14)
    o = logits(problem.params, (joint(h) * joint(M))[1:])
    p = np.exp(o) / np.exp(o).sum(axis=-1, keepdims=True)
    np.testing.assert_allclose(p, y_hat[1:], rtol=1e-12)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("rate", [0.0, 0.4])
def test_equations_23_and_24_backward(name, bias, rate) -> None:
    problem, options = stack(3, rate, bias=bias)
    loss, expected = literal_stack.gradient(problem, name)
    found, gradient, _ = bptt(*problem[:3], ACTIVATIONS[name], "sum", **options)
    assert found == pytest.approx(loss, rel=1e-12)
    assert_close(gradient, expected)


@pytest.mark.parametrize("name", ["tanh", "sigmoid"])
def test_equation_25_is_the_jacobian_of_a_step(name) -> None:
    """Block by block from the equation, and by differences of the next state."""
    problem, _ = stack(3, 0.3, batch_size=1, time_steps=3)
    params, H = problem.params, 5
    (lane,) = lanes(problem, ACTIVATIONS[name], 1)
    t = 2
    J = over_step(params, lane, t).reshape(3, H, 3, H)
    D, M = lane.D[t].reshape(3, H), lane.M[t].reshape(3, H)
    for m in range(3):
        above = np.zeros((H, H))
        for n, (U, W, _) in enumerate(params.layers):
            inner = (U @ np.diag(M[n - 1]) @ above if n else 0) + (n == m) * W
            above = np.diag(D[n]) @ inner
            np.testing.assert_allclose(J[n, :, m], above, rtol=1e-12, atol=1e-15)
    x, mask = problem.window.x[t - 1 : t], problem.mask[:, t - 1 : t]
    for unit in range(3 * H):
        step = 1e-6 * np.eye(3 * H)[unit]
        ahead, behind = (
            states(params, x, h[None], ACTIVATIONS[name], None, mask)[-1, 0]
            for h in (lane.h[t - 1] + step, lane.h[t - 1] - step)
        )
        found = J.reshape(3 * H, 3 * H)[:, unit]
        np.testing.assert_allclose((ahead - behind) / 2e-6, found, atol=1e-8)


@given(
    seed=st.integers(0, 10_000), layers=st.integers(1, 4), name=st.sampled_from(NAMES),
    bias=st.booleans(), rate=st.sampled_from([0.0, 0.5]),
    sizes=st.tuples(st.integers(1, 4), st.integers(1, 4), st.integers(1, 4), st.integers(1, 3)),
)  # fmt: skip
def test_bptt_of_a_stack_agrees_with_every_oracle(seed, layers, name, bias, rate, sizes) -> None:
    keys = ("hidden_size", "alphabet_size", "time_steps", "batch_size")
    problem, options = stack(layers, rate, seed, bias=bias, **dict(zip(keys, sizes, strict=True)))
    objective = partial(bptt, activation=ACTIVATIONS[name], **options)
    random = default_rng(0)
    entries = gradcheck(
        problem, objective, ACTIVATIONS[name], "mean", ORACLES.values(), random, max_entries=20
    )
    assert not [entry for entry in entries if entry.verdict == "failed"]
    assert len(entries) == len(ORACLES) * (layers * (2 + bias) + 1 + bias)


@pytest.mark.parametrize("oracle", ORACLES)
@pytest.mark.parametrize("fault", literal_stack.FAULTS | literal_stack.FAULTS_OF_DROPOUT)
def test_a_wrong_gradient_of_a_stack_is_rejected(fault, oracle) -> None:
    rate = 0.4 if fault in literal_stack.FAULTS_OF_DROPOUT else 0.0
    spoiled = (literal_stack.FAULTS | literal_stack.FAULTS_OF_DROPOUT)[fault]
    problem, _ = stack(2, rate)

    def verdicts(planted: str | None) -> set[str]:
        def objective(*_):
            return *literal_stack.gradient(problem, "tanh", planted), problem.h0

        entries = gradcheck(problem, objective, TANH, "sum", [ORACLES[oracle]], default_rng(0))
        return {entry.parameter for entry in entries if entry.verdict != "passed"}

    assert not verdicts(None)
    assert verdicts(fault) == spoiled


@pytest.mark.parametrize("oracle", ["double-sum", "rtrl"])
def test_an_oracle_without_the_path_within_a_step_is_found(oracle, monkeypatch) -> None:
    problem, _ = stack(2)
    module = f"charrnn.analysis.{oracle.replace('-', '_')}"
    monkeypatch.setattr(f"{module}.within_step", lambda params, *_: np.eye(params.state_size))
    objective = partial(bptt, activation=TANH)
    entries = gradcheck(problem, objective, TANH, "mean", [ORACLES[oracle]], default_rng(0))
    assert {e.parameter for e in entries if e.verdict == "failed"} == {"U1", "W1", "b1"}


def test_within_a_step_the_layers_above_move() -> None:
    """By differences of the states of a step, when the state of the first layer is moved."""
    problem, _ = stack(2, batch_size=1, time_steps=1)
    (lane,) = lanes(problem, TANH, 1)
    S = within_step(problem.params, lane, 1)
    H = 5
    np.testing.assert_array_equal(S[:H, :H], np.eye(H))
    np.testing.assert_array_equal(S[:H, H:], 0)
    U, W, b = problem.params.layers[1]

    def second(h: np.ndarray) -> np.ndarray:
        return np.tanh(U @ h + W @ lane.h[0, H:] + b)

    for unit in range(H):
        step = 1e-6 * np.eye(H)[unit]
        moved = (second(lane.h[1, :H] + step) - second(lane.h[1, :H] - step)) / 2e-6
        np.testing.assert_allclose(S[H:, unit], moved, atol=1e-8)


@pytest.mark.parametrize("layers", [2, 3])
@pytest.mark.parametrize("rate", [0.0, 0.4])
def test_recomputation_and_threads_give_the_same_gradient(layers, rate) -> None:
    problem, options = stack(layers, rate, time_steps=7, batch_size=5)
    loss, plain, h = bptt(*problem[:3], TANH, **options)
    for length in (least_memory, lambda T: 1, lambda T: 3):
        found = bptt(*problem[:3], TANH, segment=length, **options)
        assert found[0] == pytest.approx(loss, rel=1e-13)
        assert_close(found[1], plain)
        np.testing.assert_allclose(found[2], h, rtol=1e-13)
    with worker_threads(3) as workers:
        found = parallel(lambda: partial(bptt, activation=TANH, **options), workers)(*problem[:3])
        assert found[0] == pytest.approx(loss, rel=1e-13)
        assert_close(found[1], plain)
        np.testing.assert_allclose(found[2], h, rtol=1e-13)


def test_the_state_of_each_lane_is_carried_from_its_own_place() -> None:
    problem, _ = stack(3, time_steps=6, batch_size=3)
    h = states(problem.params, problem.window.x, problem.h0, TANH).copy()
    places = np.array([2, 6, 4])
    for segment in (None, lambda T: 2):
        window = problem.window._replace(carried=places)
        carried = bptt(problem.params, window, problem.h0, TANH, segment=segment)[2]
        np.testing.assert_allclose(carried, h[places, range(3)], rtol=1e-13)


def test_a_masked_target_leaves_no_gradient() -> None:
    """A window whose first losses do not count is the sum of (14) over the others."""
    problem, _ = stack(2, time_steps=6)
    x, y, fresh, *_ = problem.window
    y = np.concatenate([np.full_like(y[:3], NO_TARGET), y[3:]])
    problem = problem._replace(window=Window(x, y, fresh))
    assert_close(bptt(*problem[:3], TANH, "sum")[1], double_sum(problem, TANH, "sum"))


@pytest.mark.parametrize("lanes_", [1, 3])
@pytest.mark.parametrize("bias", [True, False])
def test_the_stepper_computes_the_states_of_a_stack(lanes_, bias) -> None:
    problem, _ = stack(3, batch_size=lanes_, bias=bias)
    zero = np.zeros((lanes_, problem.params.state_size))
    h = states(problem.params, problem.window.x, zero, TANH)
    o = logits(problem.params, h[1:])
    step = Stepper(problem.params, TANH, lanes_)
    for t, characters in enumerate(problem.window.x):
        np.testing.assert_allclose(step(characters), o[t], rtol=1e-12, atol=1e-14)
        np.testing.assert_allclose(joint(step.h), h[t + 1], rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("name", NAMES)
def test_the_profile_of_each_layer_is_that_of_joint_jacobians(name) -> None:
    problem, _ = stack(2, time_steps=5, batch_size=2)
    params, H = problem.params, 5
    found = [np.zeros((6, 2, 2 * H)) for _ in range(6)]
    for lag, of_lag in enumerate(by_lag(problem, ACTIVATIONS[name], 5)):
        found[lag][len(found[lag]) - len(of_lag.dh) :] = of_lag.dh
    for number, lane in enumerate(lanes(problem, ACTIVATIONS[name], 1)):
        for t in range(1, 6):
            dL_ds = np.concatenate([np.zeros(H), params.V.T @ lane.do[t]])
            for k in range(t, -1, -1):
                total = within_step(params, lane, k).T @ dL_ds if k else dL_ds
                np.testing.assert_allclose(found[t - k][t, number], total, rtol=1e-9, atol=1e-14)
                if k:
                    dL_ds = over_step(params, lane, k).T @ dL_ds


@given(seed=st.integers(0, 500), gain=st.floats(0.2, 3), name=st.sampled_from(NAMES))
def test_the_bound_holds_in_every_layer(seed, gain, name) -> None:
    problem, _ = stack(3, seed=seed, time_steps=8)
    params = problem.params.map(lambda flat: gain * flat)
    flows = measure_flow(problem._replace(params=params), ACTIVATIONS[name], 8, default_rng(0))
    assert [flow.layer for flow in flows] == [1, 2, 3]
    for flow in flows:
        assert (flow.norms <= flow.bound * (1 + 1e-9)).all()


def test_lyapunov_exponents_are_those_of_joint_jacobians() -> None:
    problem, _ = stack(2, time_steps=12, batch_size=1)
    found = measure_flow(problem, TANH, 4, default_rng(3))[0].lyapunov_exponents
    (lane,) = lanes(problem, TANH, 1)
    Q = np.linalg.qr(default_rng(3).standard_normal((1, 10, 8)))[0][0]
    growth = []
    for t in range(1, 13):
        Q, R = np.linalg.qr(over_step(problem.params, lane, t) @ Q)
        growth.append(np.log(np.abs(np.diagonal(R))))
    expected = np.sort(np.mean(growth[3:], axis=0))[::-1]
    np.testing.assert_allclose(found, expected, rtol=1e-9)


@pytest.mark.parametrize("without_loss", [0, 2])
def test_a_truncated_gradient_of_a_stack_is_the_double_sum_of_its_reach(without_loss) -> None:
    problem, _ = stack(2, time_steps=5)
    y = problem.window.y.copy()
    y[:without_loss] = NO_TARGET
    problem = problem._replace(window=problem.window._replace(y=y))
    full = bptt(*problem[:3], TANH, "sum")[1]
    for reach, found in enumerate(by_reach(problem, TANH, full, 5), 1):
        expected = double_sum(problem, TANH, "sum", reach=lambda t, reach=reach: reach)
        error = np.linalg.norm(expected.flat - full.flat) / np.linalg.norm(full.flat)
        assert found.error == pytest.approx(error, abs=1e-12)


def test_the_first_norm_says_what_reaches_a_layer() -> None:
    problem, _ = stack(2, time_steps=5)
    (first, top) = lag_profiles(problem, TANH, 3)
    assert top.norms[0] == pytest.approx(top.starts[0])
    scaled = dict(problem.params.named())["U2"] * 0.5
    (halved, same) = lag_profiles(
        problem._replace(params=problem.params.replace(U2=0 * scaled)), TANH, 3
    )
    assert not halved.norms.any()
    assert first.norms[0] > 0 < same.norms[0]


def test_layers_have_names_of_their_own() -> None:
    params = initial_params(default_rng([1, 0]), 4, 3)
    assert [name for name, _ in params.named()] == ["U", "W", "V", "b", "c"]
    two = initial_params(default_rng([1, 0]), 4, 3, layers=2)
    assert [name for name, _ in two.named()] == ["U1", "W1", "U2", "W2", "V", "b1", "b2", "c"]
    np.testing.assert_array_equal(two.layers[0].W, params.W)
    with pytest.raises(ValueError, match="unpack"):
        _ = two.W  # of which layer?


def test_one_layer_is_drawn_as_before() -> None:
    """U, W and V in this order from (seed, 0), and the bits of a former release."""
    params = initial_params(
        default_rng([3, 0]), 5, 7, input="normal", recurrent="glorot", output="normal",
        dtype=np.float32,
    )  # fmt: skip
    assert [name for name, _ in params.named()] == list("UWVbc")
    content = b"".join(array.tobytes() for _, array in params.named())
    assert hashlib.sha256(content).hexdigest() == GOLDEN
    random, config = default_rng([1, 0]), load_config(None, ["model.hidden_size=6"], {})
    found = first_params(config, 9)
    for name, kind, shape in (
        ("U", "glorot", (6, 9)), ("W", "orthogonal", (6, 6)), ("V", "glorot", (9, 6)),
    ):  # fmt: skip
        drawn = INITIALIZERS[kind](random, *shape).astype(np.float32)
        np.testing.assert_array_equal(getattr(found, name), drawn)


def test_each_layer_is_drawn_anew_by_its_own_initializers() -> None:
    random = default_rng(4)
    params = initial_params(default_rng(4), 6, 9, layers=3, recurrent_gain=2.0)
    for layer in params.layers:
        np.testing.assert_array_equal(layer.U, INITIALIZERS["glorot"](random, *layer.U.shape))
        np.testing.assert_array_equal(layer.W, 2 * INITIALIZERS["orthogonal"](random, 6, 6))
        assert not layer.b.any()
    np.testing.assert_array_equal(params.V, INITIALIZERS["glorot"](random, 9, 6))


@pytest.mark.parametrize("layers", [1, 2, 3])
@pytest.mark.parametrize("lanes", [1, 3])
def test_a_stepper_starts_from_the_states_that_are_written_to_it(layers: int, lanes: int) -> None:
    problem, _ = stack(layers, batch_size=lanes)
    step = Stepper(problem.params, TANH, lanes)
    step(problem.window.x[0])
    step.h[...] = problem.params.by_layer(problem.h0)
    h = states(problem.params, problem.window.x, problem.h0, TANH)
    for t, characters in enumerate(problem.window.x):
        o = step(characters)
        np.testing.assert_allclose(joint(step.h), h[t + 1], rtol=1e-12, atol=1e-14)
        np.testing.assert_allclose(o, logits(problem.params, h[t + 1]), rtol=1e-12, atol=1e-14)


@given(seed=st.integers(0, 99), layers=st.integers(1, 3), reach=st.integers(1, 6))
def test_equation_25_with_a_reach_is_the_sum_of_windows_that_end_at_each_loss(
    seed: int, layers: int, reach: int
) -> None:
    """Loss t alone, back-propagated over its last `reach` steps from the state before them."""
    problem, _ = stack(layers, seed=seed)
    params, window, h0, _ = problem
    h = states(params, window.x, h0, TANH)
    total = params.zeros_like()
    for t in range(1, len(h)):
        start = max(t - reach, 0)
        y = np.full_like(window.y[start:t], -1)
        y[-1] = window.y[t - 1]
        one = window._replace(x=window.x[start:t], y=y)
        total.flat[...] += bptt(params, one, h[start], TANH, "sum")[1].flat
    assert_close(double_sum(problem, TANH, "sum", reach=lambda t: reach), total, rtol=1e-9)


@given(
    layers=st.integers(1, 3), gain=st.sampled_from([0.1, 1.0, 1.5]), most=st.integers(1, 300),
    lanes=st.integers(1, 9), context=st.integers(1, 20), workers=st.integers(1, 3),
)  # fmt: skip
def test_a_stack_has_the_same_score_in_any_number_of_lanes(
    layers, gain, most, lanes, context, workers
) -> None:
    params = stack(layers)[0].params
    for layer in params.layers:
        layer.W[...] *= gain
    ids = default_rng(0).integers(0, 5, 120).astype(np.uint8)
    choices = {"max_entries": most, "lanes": lanes, "context": context, "workers": workers}
    score = evaluate(params, [stream_window(ids)], TANH, **choices)
    window = stream_window(ids)
    loss = window_loss(params, window, np.zeros((1, params.state_size)), TANH, "sum")
    assert score.nats == pytest.approx(loss, rel=1e-10)


@pytest.mark.parametrize("layers", [1, 2, 3])
def test_scoring_holds_a_bounded_number_of_states(layers: int, monkeypatch) -> None:
    held = []

    def watched(*arguments):
        h = states(*arguments)
        held.append(h.size)
        return h

    monkeypatch.setattr("charrnn.training.evaluation.states", watched)
    ids = default_rng(0).integers(0, 5, 500).astype(np.uint8)
    evaluate(stack(layers)[0].params, [stream_window(ids)], TANH, max_entries=240)
    assert len(held) > 1
    assert max(held) <= 240 + 5 * layers  # and the state before


def second_version(run: Path, **model: object) -> None:
    """Rewrites the checkpoints of a one-layer run as version 2 of the format wrote them."""
    for path in (run / "checkpoints").iterdir():
        tensors, metadata = opened(path)
        config = json.loads(metadata["config"])
        for key in ("layers", "dropout"):
            del config["model"][key]
        config["model"] |= model
        changed = {"version": "2", "config": json.dumps(config)}
        path.write_bytes(sealed(tensors, metadata | changed))


def test_a_checkpoint_of_version_2_is_used_and_resumed(charrnn, trained, tmp_path) -> None:
    for name in ("old", "new"):
        shutil.copytree(trained, tmp_path / name)
    second_version(tmp_path / "old")
    for command in (["sample", "--length", 20], ["gradcheck", "--oracle", "rtrl"], ["inspect"]):
        one, other = (charrnn(command[0], tmp_path / name, *command[1:]) for name in ("old", "new"))
        assert one.code == 0, one.err
        assert one.out.replace("/old", "/new") == other.out
    for name in ("old", "new"):
        assert charrnn("train", "--resume", tmp_path / name, "--max-steps", 80).code == 0
    old, new = (
        load_file(tmp_path / f"{name}/checkpoints/last.safetensors") for name in ("old", "new")
    )
    assert all(np.array_equal(old[name], new[name]) for name in new)


def test_version_2_has_no_layers(charrnn, trained, tmp_path) -> None:
    run = shutil.copytree(trained, tmp_path / "run")
    second_version(run, layers=2)
    outcome = charrnn("sample", run)
    assert outcome.code == 3
    assert "model.layers is in a file of version 2, which has no such setting" in outcome.err


@pytest.fixture(scope="module")
def deep(tmp_path_factory, text_file) -> Path:
    """The directory of a small run with three layers."""
    from charrnn.cli import main

    out = tmp_path_factory.mktemp("deep") / "run"
    arguments = ["train", str(text_file), *TINY, "--layers", "3", "--max-steps", "20"]
    assert main.run([*arguments, "--out", str(out)]) == 0
    return out


@pytest.mark.parametrize(
    ("layers", "what"),
    [
        (1, "missing: 'model.U'"),
        (2, "unexpected: 'model.U3'"),
        (4, "missing: 'model.U4'"),
        (0, "model.layers is 0"),
        (2.0, "model.layers is 2.0"),
        ("two", "model.layers is 'two'"),
        (True, "model.layers is True"),
        (10**9, "model.layers is 1000000000"),
    ],
)
def test_a_checkpoint_of_another_depth_than_its_config(
    charrnn, deep, tmp_path, layers, what
) -> None:
    tensors, metadata = opened(deep / "checkpoints/best.safetensors")
    config = json.loads(metadata["config"])
    config["model"]["layers"] = layers
    path = tmp_path / "odd.safetensors"
    path.write_bytes(sealed(tensors, metadata | {"config": json.dumps(config)}))
    outcome = charrnn("sample", path)
    assert outcome.code == 3
    assert what in outcome.err
    assert "Traceback" not in outcome.err


@pytest.mark.parametrize("width", [16, 32, 64])
def test_states_of_another_width_than_the_layers(charrnn, deep, tmp_path, width) -> None:
    tensors, metadata = opened(deep / "checkpoints/best.safetensors")
    tensors["state.h"] = np.zeros((len(tensors["state.h"]), width), np.float32)
    path = tmp_path / "odd.safetensors"
    path.write_bytes(sealed(tensors, metadata))
    assert "state.h is" in charrnn("sample", path).err


@pytest.mark.parametrize(
    ("value", "what"),
    [("0", "a whole number from 1 to 16"), ("17", "a whole number from 1 to 16"),
     ("2.5", "a whole number"), ("two", "a whole number")],
)  # fmt: skip
def test_an_impossible_number_of_layers(charrnn, value, what) -> None:
    outcome = charrnn("train", "--set", f"model.layers={value}")
    assert outcome.code == 2
    assert "model.layers" in outcome.err
    assert what in outcome.err


def test_a_run_with_layers_resumes_to_the_bit(charrnn, tmp_path, text_file, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    arguments = ["train", text_file, *TINY, "--layers", 3, "--set", "schedule.name=constant"]
    check_resume_and_workers(charrnn, arguments, 7, 16, [])


def test_the_commands_know_layers(charrnn, deep, text_file) -> None:
    shown = charrnn("inspect", deep).out
    assert "3 layers of H = 16" in shown
    assert "U3  16×16" in shown
    flow = charrnn("gradflow", deep, "--lags", 8, "--truncation")
    assert flow.code == 0, flow.err
    assert "layer 3: vanishing" in flow.out
    assert "down through the layers" in flow.out
    flows = json.loads(charrnn("gradflow", deep, "--lags", 8, "--json").out)["flows"]
    assert [one["layer"] for one in flows] == [1, 2, 3]
    steps = [json.loads(line) for line in (deep / "metrics.jsonl").read_text().splitlines()]
    steps = [line for line in steps if line["event"] == "step"]
    assert {"U1", "W3", "b2", "V", "c"} <= steps[0]["gradient_norms"].keys()
    assert charrnn("gradcheck", deep, "--text", text_file, "--oracle", "double-sum").code == 0


def test_starting_from_a_stack(charrnn, deep, text_file, tmp_path) -> None:
    more = tmp_path / "more.txt"
    more.write_text(text_file.read_text() + "Zq%\n" * 9)
    arguments = ["train", more, *TINY, "--init-from", deep, "--max-steps", 2]
    outcome = charrnn(*arguments, "--extend-vocabulary", "--out", tmp_path / "a")
    assert outcome.code == 0, outcome.err
    refused = charrnn(*arguments, "--extend-vocabulary", "--layers", 2, "--out", tmp_path / "b")
    assert refused.code == 2
    assert "model.layers is 2, but" in refused.err


@pytest.mark.parametrize("peak", [0, 1, 7])
def test_the_rate_of_a_layer_is_fitted_from_its_largest_norm_on(peak) -> None:
    rise = np.geomspace(1, 40, peak + 1)
    found = decay_from_peak(np.concatenate([rise, rise[-1] * 0.8 ** np.arange(1, 60)]))
    assert found[0] == peak
    assert found[1].kind == "vanishing"
    assert found[1].rate == pytest.approx(0.8)
    assert found[1].one_percent == peak + 21  # 0.8^21 < 0.01 < 0.8^20
    rising = np.geomspace(1, 40, 9)
    assert decay_from_peak(rising) == (8, decay(rising))


def test_a_layer_whose_gradient_still_rises_is_not_judged(charrnn, text_file) -> None:
    model = ["-c", "tiny", "--set", "model.layers=12", "--set", "model.hidden_size=32"]
    short = charrnn("gradflow", *model, "--text", text_file, "--lags", 8).out
    assert "layer 1: still rising, to ×" in short
    assert "layer 1: exploding" not in short
    long = charrnn("gradflow", *model, "--text", text_file, "--lags", 96).out
    assert "layer 1: rises to ×" in long
    assert "then vanishing at" in long
    assert "in the top layer" in charrnn("gradflow", *model, "--text", text_file, "--compare").out
