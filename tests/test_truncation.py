"""Full, truncated and recomputed BPTT."""

import json
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.random import default_rng
from safetensors.numpy import load_file

from charrnn.analysis.double_sum import double_sum
from charrnn.analysis.gradcheck import ORACLES, gradcheck
from charrnn.analysis.problems import Problem, random_problem
from charrnn.model.activations import ACTIVATIONS
from charrnn.model.bptt import bptt, least_memory
from charrnn.model.dropout import Dropout
from charrnn.model.params import Params
from charrnn.model.workspace import Workspace
from charrnn.setup.wiring import batches_of, objective_maker
from charrnn.text.stream import StreamWindows
from charrnn.training.parallel import parallel
from charrnn.training.workers import worker_threads
from charrnn.window import NO_TARGET, Window
from tests.conftest import TINY

TANH = ACTIVATIONS["tanh"]
IDS = default_rng(7).integers(0, 5, 25).astype(np.int16)  # two lanes of 12


def problem_of(batch_size: int = 2, layers: int = 1) -> Problem:
    """A window of all IDS, from the zero state."""
    params = random_problem(default_rng(1), alphabet_size=5, layers=layers).params
    zero = np.zeros((batch_size, params.state_size))
    return Problem(params, StreamWindows(IDS, batch_size, None)[0], zero)


def sweeps(problem: Problem, window: int, stride: int, activation=TANH) -> tuple[Params, int]:
    """The summed gradient of an epoch of windows at fixed weights, and the losses in it."""
    batch_size = len(problem.h0)
    batches = StreamWindows(IDS, batch_size, window, stride)
    total, h, losses = problem.params.zeros_like(), problem.h0, 0
    for number in range(batches.per_epoch):
        _, gradient, h = bptt(problem.params, batches[number], h, activation, "sum")
        h = h.copy()
        losses += batches[number].targets
        total.flat[...] += gradient.flat
    return total, losses


def assert_equal(one: Params, other: Params, tolerance: float = 1e-12) -> None:
    for (name, array), (_, found) in zip(one.named(), other.named(), strict=True):
        atol = tolerance * np.abs(array).max()
        np.testing.assert_allclose(found, array, atol=atol, rtol=0, err_msg=name)


@pytest.mark.parametrize("batch_size", [1, 2])
@pytest.mark.parametrize("sweeps_an_epoch", [1, 3, 12])
@pytest.mark.parametrize("layers", [1, 2])
def test_k2_of_all_steps_is_full_bptt(batch_size: int, sweeps_an_epoch: int, layers: int) -> None:
    """With k2 = T the sweeps add up to the full gradient for every k1."""
    problem = problem_of(batch_size, layers)
    length = 24 // batch_size
    found, losses = sweeps(problem, length, length // sweeps_an_epoch)
    assert losses == 24
    assert_equal(bptt(*problem[:3], TANH, "sum")[1], found)


@pytest.mark.parametrize("name", ACTIVATIONS)
@pytest.mark.parametrize(("window", "stride"), [(1, 1), (3, 1), (4, 2), (5, 3), (6, 6), (7, 5)])
@pytest.mark.parametrize("layers", [1, 3])
def test_equation_19_sweeps_are_the_double_sum_with_their_reach(
    name, window, stride, layers
) -> None:
    """Loss t is injected in the sweep that ends at e = k1⌈t/k1⌉, so it reaches k2 - (e - t)."""
    problem = problem_of(layers=layers)
    expected = double_sum(problem, ACTIVATIONS[name], "sum", reach=lambda t: window - (-t % stride))
    found, losses = sweeps(problem, window, stride, ACTIVATIONS[name])
    assert losses == 24
    assert_equal(expected, found)


def test_sweeps_of_unequal_reach_differ() -> None:
    assert not np.allclose(sweeps(problem_of(), 4, 4)[0].W, sweeps(problem_of(), 4, 1)[0].W)


@given(st.integers(1, 3), st.integers(1, 9), st.integers(1, 9))
def test_each_loss_counts_once_and_windows_follow_on(batch_size, window, stride) -> None:
    window, stride = max(window, stride), min(window, stride)
    window = min(window, 24 // batch_size)
    stride = min(stride, window)
    before = IDS.copy()
    batches = StreamWindows(IDS, batch_size, window, stride)
    length = 24 // batch_size
    counted = np.zeros((length, batch_size), dtype=int)
    start = 0
    for number in range(batches.per_epoch):
        x, y, fresh, carried, *_ = batches[number]
        assert len(x) <= window
        assert fresh.all() == (start == 0)
        lanes = IDS[: batch_size * length].reshape(batch_size, length).T
        np.testing.assert_array_equal(x, lanes[start : start + len(x)])
        counted[start : start + len(x)] += y != NO_TARGET
        newest = y[-1]
        assert (newest != NO_TARGET).all()
        start += carried
    assert (counted == 1).all()
    np.testing.assert_array_equal(IDS, before)  # a window is a copy


@pytest.mark.parametrize("layers", [1, 2])
def test_the_carried_state_is_the_one_before_the_next_window(layers: int) -> None:
    problem = problem_of(layers=layers)
    whole = bptt(*problem[:3], TANH)  # h of all steps is not returned, so step without a stride
    batches, h = StreamWindows(IDS, 2, 5, 2), problem.h0
    walked = {}
    start = 0
    for number in range(batches.per_epoch):
        h = bptt(problem.params, batches[number], h, TANH)[2].copy()
        start += batches[number].carried
        walked[start] = h
    plain, h = StreamWindows(IDS, 2, 1), problem.h0
    for place in range(plain.per_epoch):
        if place in walked:
            np.testing.assert_allclose(walked[place], h, rtol=1e-13)
        h = bptt(problem.params, plain[place], h, TANH)[2].copy()
    np.testing.assert_allclose(whole[2], h, rtol=1e-13)


@given(
    seed=st.integers(0, 1000), time_steps=st.integers(1, 30), segment=st.integers(1, 31),
    carried=st.integers(0, 30), name=st.sampled_from(list(ACTIVATIONS)),
    reduction=st.sampled_from(["mean", "sum"]), bias=st.booleans(), layers=st.integers(1, 3),
    dropout=st.none() | st.builds(Dropout, st.sampled_from([0.1, 0.5]), st.integers(0, 9)),
)  # fmt: skip
def test_recomputed_segments_change_rounding_only(
    seed, time_steps, segment, carried, name, reduction, bias, layers, dropout
) -> None:
    random = default_rng(seed)
    problem = random_problem(random, time_steps=time_steps, bias=bias, layers=layers)
    x, y, fresh, *_ = problem.window
    y = np.where(random.random(y.shape) < 0.3, NO_TARGET, y)
    window = Window(x, y, fresh, min(carried, time_steps))
    arguments = (problem.params, window, problem.h0, ACTIVATIONS[name], reduction)
    loss, gradient, h = bptt(*arguments, dropout=dropout)
    found = bptt(*arguments, Workspace(), lambda T: segment, dropout)
    assert found[0] == pytest.approx(loss, rel=1e-13)
    np.testing.assert_allclose(found[2], h, rtol=1e-13)
    assert_equal(gradient, found[1], 1e-13)


@given(st.integers(1, 10**7))
def test_the_segment_is_the_root(time_steps: int) -> None:
    segment = least_memory(time_steps)
    assert (segment - 1) ** 2 < time_steps <= segment**2


def test_recomputing_stores_few_states() -> None:
    """The memory of a stream 16 times as long grows by 4."""
    sizes = []
    for time_steps in (256, 4096):
        problem = random_problem(default_rng(0), time_steps=time_steps)
        workspace = Workspace()
        tracemalloc.start()
        bptt(*problem[:3], TANH, workspace=workspace, segment=least_memory)
        sizes.append(tracemalloc.get_traced_memory()[0])  # held by the workspace
        tracemalloc.stop()
    assert sizes[1] < 4.1 * sizes[0]


@pytest.mark.parametrize("name", ACTIVATIONS)
@pytest.mark.parametrize("layers", [1, 2])
def test_windows_with_masked_losses_pass_every_oracle(name: str, layers: int) -> None:
    random = default_rng(4)
    problem = random_problem(random, time_steps=7, layers=layers)
    x, y, fresh, *_ = problem.window
    y = y.copy()
    y[:3] = NO_TARGET  # as in an overlapping window
    y[-2:, 1] = NO_TARGET  # as in a padded line
    problem = problem._replace(window=Window(x, y, fresh))
    assert problem.window.targets == 10
    for reduction in ("mean", "sum"):

        def objective(params, window, h0, reduction=reduction):
            return bptt(params, window, h0, ACTIVATIONS[name], reduction, segment=lambda T: 3)

        entries = gradcheck(
            problem, objective, ACTIVATIONS[name], reduction, ORACLES.values(), random
        )
        assert {entry.verdict for entry in entries} == {"passed"}, entries


def test_a_window_without_any_loss_has_no_gradient() -> None:
    problem = random_problem(default_rng(4))
    x, y, fresh, *_ = problem.window
    window = Window(x, np.full_like(y, NO_TARGET), fresh)
    loss, gradient, _ = bptt(problem.params, window, problem.h0, TANH)
    assert loss == 0
    assert all(not array.any() for _, array in gradient.named())


def run_settings(*more: str) -> list[str]:
    return [*TINY, *(part for setting in more for part in ("--set", setting))]


@pytest.mark.parametrize(
    "settings",
    [
        ["training.stride=3"],
        ["training.stride=1", "training.window=5"],
        ["training.bptt=full", "training.memory=recompute"],
        ["training.memory=recompute", "data.sequences=lines"],
        ["model.layers=2", "model.dropout=0.2", "training.stride=3", "training.memory=recompute"],
    ],
)
def test_every_setting_resumes_exactly(charrnn, text_file, settings) -> None:
    arguments = ["train", text_file, *run_settings("schedule.name=constant", *settings)]
    assert charrnn(*arguments, "--max-steps", 12, "--out", "whole").code == 0
    assert charrnn(*arguments, "--max-steps", 5, "--out", "parts").code == 0
    assert charrnn("train", "--resume", "parts", "--max-steps", 12).code == 0
    one, other = (load_file(f"{run}/checkpoints/last.safetensors") for run in ("whole", "parts"))
    assert all(np.array_equal(one[name], other[name]) for name in one)


def weights_after(charrnn, text_file, out: str, *settings: str) -> dict[str, np.ndarray]:
    double = run_settings("training.precision=float64", *settings)
    assert charrnn("train", text_file, *double, "--max-steps", 4, "--out", out).code == 0
    return load_file(f"{out}/checkpoints/last.safetensors")


def test_meaning_of_memory_stride_and_bptt(charrnn, text_file) -> None:
    """Recomputing changes rounding only; stride = window is no stride; full is the whole text."""
    plain = weights_after(charrnn, text_file, "plain")
    for out, settings in {
        "again": ["training.memory=recompute"],
        "stride": ["training.stride=8"],
    }.items():
        found = weights_after(charrnn, text_file, out, *settings)
        for name, array in plain.items():
            np.testing.assert_allclose(found[name], array, rtol=1e-9, atol=1e-12)
    full = weights_after(charrnn, text_file, "full", "training.bptt=full")
    window = weights_after(charrnn, text_file, "window", "training.window=483")
    recomputed = weights_after(
        charrnn, text_file, "recomputed", "training.bptt=full", "training.memory=recompute"
    )
    assert not np.allclose(full["model.W"], plain["model.W"])
    for name, array in full.items():
        assert np.array_equal(array, window[name])
        np.testing.assert_allclose(recomputed[name], array, rtol=1e-7, atol=1e-10)


def test_a_stride_longer_than_the_window_is_refused(charrnn, text_file) -> None:
    outcome = charrnn("train", text_file, *run_settings("training.stride=9", "model.bias=7"))
    assert outcome.code == 2
    assert "--set: training.stride = 9 should be at most training.window, 8" in outcome.err
    assert "model.bias" in outcome.err  # all faults at once


def test_settings_reach_the_windows_and_the_gradient(tmp_path) -> None:
    from charrnn.config.layers import load_config

    config = load_config(
        "tiny", ["training.stride=3", "training.memory=recompute", "training.batch_size=2"], {}
    )
    assert objective_maker(config)().keywords["segment"] is least_memory
    ids = np.arange(100, dtype=np.int16) % 7
    assert batches_of(config, ids)[5].targets == 6
    assert batches_of(config, ids)[11].carried == 3


def test_a_step_counts_the_characters_that_have_a_loss(charrnn, text_file) -> None:
    arguments = run_settings("training.stride=3", "logging.every_steps=1")
    assert charrnn("train", text_file, *arguments, "--max-steps", 6, "--out", "run").code == 0
    lines = [json.loads(line) for line in Path("run/metrics.jsonl").read_text().splitlines()]
    steps = [line for line in lines if line["event"] == "step"]
    assert [line["characters"] for line in steps] == [12 * step for step in range(1, 7)]
    assert all(2.5 < line["nats_per_character"] < 4.5 for line in steps)


@pytest.mark.parametrize("layers", [1, 2])
def test_workers_carry_the_same_state(tmp_path, layers: int) -> None:
    """Threads split the lanes of a window whose state is carried from its middle."""
    from charrnn.config.layers import load_config

    problem = random_problem(default_rng(0), time_steps=9, batch_size=5, layers=layers)
    window = problem.window._replace(carried=4)
    found = []
    for workers in (1, 2, 3):
        with worker_threads(workers) as threads:
            objective = parallel(objective_maker(load_config("tiny", [], {})), threads)
            found.append(objective(problem.params, window, problem.h0)[2].copy())
    np.testing.assert_allclose(found[0], found[1], rtol=1e-13)
    np.testing.assert_allclose(found[0], found[2], rtol=1e-13)
