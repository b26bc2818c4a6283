"""What an analysis needs is estimated before it is done, and refused if it is too much."""

import tracemalloc

import numpy as np
import pytest

from charrnn.analysis.gradflow import measure_flow
from charrnn.analysis.problems import random_problem
from charrnn.analysis.truncation import truncation
from charrnn.commands.flow_plan import plan_flow
from charrnn.commands.gradcheck import check_gradients
from charrnn.commands.gradflow import gradient_flow
from charrnn.errors import UsageError
from charrnn.model.activations import ACTIVATIONS
from charrnn.units import in_bytes
from tests.conftest import TINY, TINY_SETTINGS


@pytest.mark.parametrize(
    "command",
    [
        ["gradcheck"],
        ["gradcheck", "--fast"],
        ["gradflow", "--lags", "8"],
        ["gradflow", "--compare"],
    ],
)
def test_what_needs_too_much_memory_is_refused_until_it_is_allowed(
    charrnn, text_file, command
) -> None:
    command = [*command, *TINY, "--text", text_file, "--max-memory"]
    refused = charrnn(*command, "2kB")
    assert refused.code == 3
    assert "may be used" in refused.err or "the limit is" in refused.err
    assert charrnn(*command, "1e9").code == 0


@pytest.mark.parametrize("machine", [1e5, 1e12])
def test_the_limit_is_half_of_the_machine(charrnn, text_file, monkeypatch, machine) -> None:
    monkeypatch.setattr("charrnn.setup.memory_limit.physical_memory", lambda: machine)
    outcome = charrnn("gradflow", *TINY, "--text", text_file, "--lags", 8)
    assert outcome.code == (3 if machine < 1e6 else 0)
    if outcome.code:
        assert "allow more: --max-memory " in outcome.err


def test_a_suggested_limit_is_enough(charrnn, text_file) -> None:
    command = ["gradflow", *TINY, "--text", text_file, "--lags", "8"]
    suggested = charrnn(*command, "--max-memory", "1").err.rsplit(" ", 1)[1].strip()
    assert charrnn(*command, "--max-memory", suggested).code == 0


@pytest.mark.parametrize(
    ("written", "size"), [("4GB", 4e9), ("500 mb", 5e8), ("2e9", 2e9), ("1.5T", 1.5e12), ("7", 7.0)]
)
def test_a_size_is_read_as_people_write_it(written, size) -> None:
    assert in_bytes(written) == size


@pytest.mark.parametrize("written", ["", "GB", "-1GB", "0", "4XB", "nan", "1e9999GB"])
def test_what_is_not_a_size_is_refused(written) -> None:
    with pytest.raises(UsageError, match="is not a size"):
        in_bytes(written)


SHAPES = [(300, 30, 128, 4, 1, 64), (20, 3000, 64, 4, 1, 32), (120, 40, 128, 4, 3, 64)]


@pytest.mark.parametrize("truncated", [False, True])
@pytest.mark.parametrize("shape", SHAPES)
def test_the_estimate_is_near_the_truth(shape, truncated) -> None:
    H, A, T, B, L, lags = shape
    problem = random_problem(np.random.default_rng(0), H, A, T, B, layers=L)
    tracemalloc.start()
    measure_flow(problem, ACTIVATIONS["tanh"], lags, np.random.default_rng(0))
    if truncated:
        truncation(problem, ACTIVATIONS["tanh"], lags, 0.1)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    expected = plan_flow(problem.params, (T, B), lags, truncated).memory
    assert 0.7 * peak <= expected <= 3 * peak


def test_a_large_alphabet_takes_no_square_of_it(tmp_path) -> None:
    """A² numbers would be 800 MB at A = 10,000."""
    text = "".join(chr(0x4E00 + n) for n in range(10_000)) * 2
    (tmp_path / "text.txt").write_text(text)
    given = (None, None, [*TINY_SETTINGS, "model.hidden_size=4"], "text.txt")
    tracemalloc.start()
    check_gradients(*given, ["double-sum"], None, 1, fast=True)
    gradient_flow(*given, 8, False, 0.1, 1)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 400e6
