"""Dropout: its masks depend on seed, step, lane and time alone, and only training draws them."""

import json
from functools import partial

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.random import default_rng

from charrnn.analysis.problems import random_problem
from charrnn.model.activations import ACTIVATIONS
from charrnn.model.bptt import bptt
from charrnn.model.dropout import Dropout
from charrnn.model.rnn import states
from charrnn.training.parallel import parallel
from charrnn.training.workers import worker_threads
from tests.conftest import TINY
from tests.hostile import opened, sealed
from tests.runs import check_resume_and_workers

TANH = ACTIVATIONS["tanh"]
DEEP = ["--set", "model.layers=2", "--set", "model.dropout=0.2"]
CONSTANT = ["--set", "schedule.name=constant"]


@pytest.mark.parametrize("rate", [0.05, 0.5, 0.9])
def test_equation_26_keeps_a_unit_with_probability_1_minus_p(rate) -> None:
    """Of 384,000 units, within five standard errors; scaled, their mean is 1."""
    mask = Dropout(rate, 1).mask((2, 60, 40, 80), np.float64)
    kept = mask != 0
    error = np.sqrt(rate * (1 - rate) / mask.size)
    assert abs(kept.mean() - (1 - rate)) < 5 * error
    np.testing.assert_allclose(mask[kept], 1 / (1 - rate), rtol=2e-4)
    for axis in range(4):  # units, lanes, steps and layers are independent of their neighbours
        one, other = (np.delete(kept, index, axis) for index in (0, -1))
        assert abs((one == other).mean() - rate**2 - (1 - rate) ** 2) < 0.01


@given(
    seed=st.integers(0, 10**18), step=st.integers(0, 10**9), start=st.integers(0, 5),
    stop=st.integers(6, 9), first=st.integers(0, 2), H=st.integers(1, 40),
)  # fmt: skip
def test_a_part_of_a_window_has_its_part_of_the_mask(seed, step, start, stop, first, H) -> None:
    dropout = Dropout(0.3, seed)
    whole = dropout.mask((2, 9, 4, H), np.float32, step=step)
    part = dropout.mask(
        (2, stop - start, 4 - first, H), np.float32, step=step, first_lane=first, start=start
    )
    np.testing.assert_array_equal(part, whole[:, start:stop, first:])


def test_each_seed_and_step_has_masks_of_its_own() -> None:
    def mask(seed: int, step: int) -> np.ndarray:
        return Dropout(0.5, seed).mask((1, 8, 2, 32), np.float32, step=step)

    masks = [mask(1, 0), mask(1, 1), mask(2, 0), mask(2, 1)]
    for number, one in enumerate(masks):
        for other in masks[:number]:
            assert 0.3 < (one == other).mean() < 0.7
    np.testing.assert_array_equal(mask(1, 0), masks[0])


@pytest.mark.parametrize("count", [1, 2, 3])
def test_threads_and_segments_draw_the_same_masks(count) -> None:
    problem = random_problem(default_rng(3), layers=2, time_steps=7, batch_size=5)
    window = problem.window._replace(step=11)
    objective = partial(bptt, activation=TANH, dropout=Dropout(0.4, 9))
    loss, gradient, h = objective(problem.params, window, problem.h0)
    segmented = partial(objective, segment=lambda T: 3)
    with worker_threads(count) as workers:
        for other in (objective, segmented):
            threads = parallel(lambda other=other: partial(other), workers)
            found = threads(problem.params, window, problem.h0)
            assert found[0] == pytest.approx(loss, rel=1e-13)
            np.testing.assert_allclose(found[1].flat, gradient.flat, rtol=1e-9, atol=1e-15)
            np.testing.assert_allclose(found[2], h, rtol=1e-13)
    unlike = objective(problem.params, window._replace(step=12), problem.h0)[0]
    assert unlike != pytest.approx(loss, rel=1e-3)


def test_what_is_carried_in_time_is_never_dropped() -> None:
    """With one layer the states are those without dropout, whatever the rate."""
    problem = random_problem(default_rng(3), time_steps=6)
    mask = Dropout(0.9, 1).mask((1, 6, 3, 8), np.float64)
    one, other = (
        states(problem.params, problem.window.x, problem.h0, TANH, mask=m) for m in (None, mask)
    )
    np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("sequences", ["stream", "lines", "documents"])
def test_a_run_with_dropout_resumes_to_the_bit(charrnn, tmp_path, monkeypatch, sequences) -> None:
    monkeypatch.chdir(tmp_path)
    for number in range(3):
        lines = [f"line {n} of the text {n * number}" for n in range(25)]
        (tmp_path / f"{number}.txt").write_text("\n".join(lines) + "\n")
    texts = [f"{number}.txt" for number in range(3)]
    kind = ["--set", f"data.sequences={sequences}", "--set", "data.validation_fraction=0.2"]
    check_resume_and_workers(charrnn, ["train", *texts, *TINY, *DEEP, *CONSTANT, *kind], 7, 16, [])


def test_only_training_drops(charrnn, tmp_path, text_file) -> None:
    """Scores, samples and the gradient flow of a model do not depend on its rate."""
    run = tmp_path / "run"
    assert charrnn("train", text_file, *TINY, *DEEP, "--max-steps", 5, "--out", run).code == 0
    commands = [
        ["eval", run, text_file], ["sample", run, "--length", 40],
        ["gradflow", run, "--lags", 4, "--json"],
    ]  # fmt: skip
    dropped = [charrnn(*command).out for command in commands]
    path = run / "checkpoints/best.safetensors"
    tensors, metadata = opened(path)
    config = json.loads(metadata["config"])
    config["model"]["dropout"] = 0.0
    path.write_bytes(sealed(tensors, metadata | {"config": json.dumps(config)}))
    assert [charrnn(*command).out for command in commands] == dropped


def test_gradcheck_uses_one_mask_for_all_methods(charrnn, text_file) -> None:
    model = ["-c", "tiny", "--set", "model.hidden_size=8", *DEEP]
    outcome = charrnn("gradcheck", *model, "--text", text_file, "--json")
    assert outcome.code == 0, outcome.out
    document = json.loads(outcome.out)
    assert (document["checked"]["layers"], document["checked"]["dropout"]) == (2, 0.2)
    shown = charrnn("gradcheck", *model, "--text", text_file, "--oracle", "rtrl").out
    assert "2 layers of H = 8" in shown
    assert "dropout 0.2 with a fixed mask" in shown
