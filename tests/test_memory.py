"""The predicted memory of a step, compared with measurements."""

import tracemalloc
from math import prod

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from charrnn.config.layers import load_config
from charrnn.model.memory import memory_of_step
from charrnn.model.workspace import Workspace
from charrnn.setup import preparation
from charrnn.setup.preparation import step_memory
from charrnn.setup.wiring import first_params, objective_maker, optimizer_of, resolve
from charrnn.system.machine import physical_memory
from charrnn.text.corpus import build_corpus
from charrnn.text.sequences import SEQUENCES
from charrnn.text.stream import StreamWindows, stream_window
from charrnn.text.text import Text
from charrnn.training.parallel import parallel
from charrnn.training.workers import worker_threads
from tests.conftest import TINY


def measured(
    H: int, A: int, T: int, B: int, precision: str, recompute: bool, workers: int, *model: str
) -> int:
    """The peak memory of making a model and doing one step, without the window."""
    kind = "recompute" if recompute else "plain"
    sizes = [f"model.hidden_size={H}", f"training.precision={precision}"]
    config = load_config(None, [*sizes, f"training.memory={kind}", *model], {})
    ids = np.random.default_rng(0).integers(0, A, T * B + 1).astype(np.uint8)
    window = stream_window(ids) if B == 1 else StreamWindows(ids, B, T)[0]
    optimizer = optimizer_of(config)
    with worker_threads(workers) as threads:
        tracemalloc.start()
        try:
            params = first_params(config, A)
            state = optimizer.init(params)
            tracemalloc.reset_peak()  # drawing orthogonal weights takes some memory of its own
            h = np.zeros((B, params.state_size), params.dtype)
            gradient = parallel(objective_maker(config), threads)(params, window, h)[1]
            optimizer.update(gradient, state, params, 1e-3, threads.for_each_slice)
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()


@pytest.mark.parametrize(
    ("H", "A", "T", "B", "precision", "recompute", "workers"),
    [
        (64, 60, 4000, 1, "float32", False, 1),
        (128, 80, 200, 16, "float32", False, 2),
        (32, 90, 3000, 4, "float64", False, 1),
        (256, 60, 3000, 4, "float32", True, 1),
        (300, 40, 30, 32, "float32", False, 2),
        (96, 100, 5000, 8, "float64", True, 2),
    ],
)
def test_the_memory_of_a_step_is_predicted(H, A, T, B, precision, recompute, workers) -> None:
    found = measured(H, A, T, B, precision, recompute, workers)
    itemsize = np.dtype(precision).itemsize
    foretold = memory_of_step(
        H, A, T, B, itemsize=itemsize, recompute=recompute, workers=workers, slots=2
    )
    assert foretold == pytest.approx(found, rel=0.25)


@pytest.mark.parametrize(
    ("H", "A", "T", "B", "precision", "recompute", "workers", "layers", "dropout"),
    [
        (64, 60, 1500, 1, "float32", False, 1, 4, 0.0),
        (64, 60, 1500, 2, "float32", False, 1, 4, 0.5),
        (128, 80, 100, 16, "float32", False, 2, 2, 0.2),
        (128, 80, 20, 4, "float64", False, 2, 5, 0.0),
        (128, 60, 3000, 4, "float32", True, 1, 3, 0.0),
        (96, 100, 4000, 8, "float64", True, 2, 2, 0.5),
        (64, 60, 1500, 2, "float32", False, 1, 1, 0.5),
    ],
)
def test_the_memory_of_a_step_counts_layers_and_dropout(
    H, A, T, B, precision, recompute, workers, layers, dropout
) -> None:
    model = f"model.layers={layers}", f"model.dropout={dropout}"
    found = measured(H, A, T, B, precision, recompute, workers, *model)
    foretold = memory_of_step(
        H, A, T, B, layers=layers, dropout=dropout > 0, itemsize=np.dtype(precision).itemsize,
        recompute=recompute, workers=workers, slots=2,
    )  # fmt: skip
    assert foretold == pytest.approx(found, rel=0.25)


def test_the_memory_of_a_step_counts_the_average() -> None:
    plain, averaged = (
        resolve(load_config(None, ["model.hidden_size=256", f"training.averaging={alpha}"], {}))
        for alpha in (0, 0.1)
    )
    weights = 4 * (256 * (50 + 256 + 50 + 1) + 50)
    more = step_memory(averaged, 50, (64, 16)) - step_memory(plain, 50, (64, 16))
    assert more == pytest.approx(
        2 * weights, rel=0.01
    )  # and its copy while a checkpoint is written


@pytest.mark.parametrize("sequences", SEQUENCES)
@given(
    words=st.lists(st.text("abc", min_size=1, max_size=30), min_size=5, max_size=9),
    batch_size=st.integers(1, 3), window=st.none() | st.integers(1, 3),
)  # fmt: skip
def test_no_window_is_larger_than_the_largest(sequences, words, batch_size, window) -> None:
    kind = SEQUENCES[sequences]
    text = kind.join([Text.of(word + "\n") for word in words])
    ids = build_corpus(text, 0.0, kind).training
    batches = kind.training_windows(ids, batch_size, window, None, 1)
    shapes = [batches[number].x.shape for number in range(batches.per_epoch)]
    assert max(shapes, key=prod) == batches.largest or sequences == "documents"
    assert max(map(prod, shapes)) <= prod(batches.largest)


@pytest.mark.parametrize(
    ("sequences", "remedy"),
    [
        ("lines", "cut the longest line"),
        ("documents", "--set training.bptt=truncated"),
        ("stream", "--set training.bptt=truncated"),
    ],
)
def test_a_step_that_cannot_fit_is_refused(
    charrnn, tmp_path, monkeypatch, sequences, remedy
) -> None:
    (tmp_path / "text").write_text("ab\n" * 30 + "ab " * 2000 + "\n" + "ab\n" * 60)
    arguments = ["train", "text", *TINY, "--set", f"data.sequences={sequences}"]
    arguments += ["--set", "training.bptt=full", "--max-steps", 1, "--out", "run"]
    for there, code, words in (
        (10_000, 3, f"hint:  {remedy}"),
        (400_000, 3, f"B; or {remedy}"),
        (9_000_000, 0, ""),
    ):
        monkeypatch.setattr(preparation, "physical_memory", lambda there=there: there)
        outcome = charrnn(*arguments)
        assert outcome.code == code, outcome.err
        assert words in outcome.err
        assert (tmp_path / "run").exists() == (code == 0)


def test_more_layers_need_more_memory_than_there_is(charrnn, text_file, monkeypatch) -> None:
    monkeypatch.setattr(preparation, "physical_memory", lambda: 400_000)
    arguments = ["train", text_file, *TINY, "--max-steps", 1]
    assert charrnn(*arguments, "--out", "one").code == 0
    refused = charrnn(*arguments, "--layers", 16, "--out", "sixteen")
    assert refused.code == 3
    assert "this machine has 0.4 MB" in refused.err


def test_physical_memory() -> None:
    assert 100e6 < physical_memory() < 1e15


def test_a_workspace_gives_the_dtype_that_is_asked_for() -> None:
    workspace = Workspace()
    for dtype in (np.float32, np.float64, np.float32):
        assert workspace.array("a", (4,), dtype).dtype == dtype
    assert np.shares_memory(*(workspace.array("a", shape, np.float32) for shape in ((4,), (2, 2))))
