"""Gradient flow: every measurement, compared with a literal form or a known case."""

import json
import os
import re
import sys
from math import isfinite

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.random import default_rng

from charrnn.analysis.double_sum import double_sum
from charrnn.analysis.flow import Profile, by_lag, decay, decay_from_peak, lag_profiles
from charrnn.analysis.gradflow import measure_flow
from charrnn.analysis.jacobians import lanes
from charrnn.analysis.problems import Problem, random_problem
from charrnn.analysis.stability import lyapunov_exponents, saturation, spectrum
from charrnn.analysis.truncation import agreement, by_reach, by_window, first_within
from charrnn.model.activations import ACTIVATIONS
from charrnn.model.bptt import bptt
from charrnn.model.initialization import orthogonal
from charrnn.model.params import Params
from charrnn.model.rnn import states
from charrnn.window import NO_TARGET, Window
from tests.conftest import TINY
from tests.test_figures import assert_apart, texts_of

TANH, RELU = ACTIVATIONS["tanh"], ACTIVATIONS["relu"]


def masked_problem(name_seed: int = 3, time_steps: int = 7) -> Problem:
    """No losses in the two oldest steps, and one lane shorter than the others."""
    problem = random_problem(default_rng(name_seed), time_steps=time_steps)
    x, y, fresh, *_ = problem.window
    y = y.copy()
    y[:2] = NO_TARGET
    y[-2:, 1] = NO_TARGET
    return problem._replace(window=Window(x, y, fresh))


def linear_problem(W: np.ndarray, time_steps: int = 12) -> Problem:
    """ReLU units that are all active at every step: the Jacobian is W throughout."""
    H = len(W)
    params = Params.of(U=np.full((H, 2), 1e3), W=W, V=default_rng(0).standard_normal((2, H)) * 1e-4)
    ids = default_rng(1).integers(0, 2, (time_steps + 1, 2))
    window = Window(ids[:-1], ids[1:], np.ones(2, dtype=bool))
    return Problem(params, window, np.ones((2, H)))


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_equation_20_by_the_product_of_jacobians(name: str) -> None:
    problem, W = masked_problem(), masked_problem().params.W
    literal: dict[int, list[np.ndarray]] = {}
    for lane, (_, h, D, _, do, _) in enumerate(lanes(problem, ACTIVATIONS[name], 1)):
        for t in range(1, len(h)):
            if problem.window.y[t - 1, lane] == NO_TARGET:
                continue
            dh = problem.params.V.T @ do[t]
            for lag in range(t + 1):
                literal.setdefault(lag, []).append(dh)
                dh = (D[t - lag][:, None] * W).T @ dh  # (20), one step further back
    found = list(by_lag(problem, ACTIVATIONS[name], 100))
    assert len(found) == 8  # h_0 to h_7
    for lag, (dh, counted, *_) in enumerate(found):
        rows = dh[counted]
        assert not dh[~counted].any()
        expected = np.array(literal[lag])
        assert rows.shape == expected.shape
        order, other = (np.lexsort(array.T) for array in (rows, expected))
        np.testing.assert_allclose(rows[order], expected[other], rtol=1e-10, atol=1e-14)
    norms = lag_profiles(problem, ACTIVATIONS[name], 100)[0].norms
    means = [np.mean([np.linalg.norm(row) for row in literal[lag]]) for lag in range(8)]
    np.testing.assert_allclose(norms, means, rtol=1e-10)


@given(
    seed=st.integers(0, 1000), gain=st.floats(0.1, 4), name=st.sampled_from(list(ACTIVATIONS)),
)  # fmt: skip
def test_equation_18_bounds_what_flows_back(seed: int, gain: float, name: str) -> None:
    problem = random_problem(default_rng(seed), time_steps=9)
    params = problem.params.replace(W=gain * problem.params.W)
    problem = problem._replace(params=params)
    activation = ACTIVATIONS[name]
    sigma = spectrum(params.W).singular_values[0]
    for _, h, D, *_ in lanes(problem, activation, 1):
        product, tight = np.eye(8), 1.0
        for t in range(1, len(h)):
            product = (D[t][:, None] * params.W) @ product
            tight *= D[t].max() * sigma  # ‖D_t‖ ‖W‖
            assert D[t].max() <= activation.steepest
            norm = np.linalg.norm(product, ord=2)
            assert norm <= tight * (1 + 1e-12)
            assert tight <= (activation.steepest * sigma) ** t * (1 + 1e-12)
    (flow,) = measure_flow(problem, activation, 9, default_rng(0))
    assert (flow.norms <= flow.bound * (1 + 1e-12)).all()


def test_the_steepest_slope_is_reached() -> None:
    for name, at in (("tanh", 0.0), ("sigmoid", 0.0), ("relu", 1.0)):
        h, slope = np.array([at]), np.empty(1)
        ACTIVATIONS[name].apply(h, h)
        ACTIVATIONS[name].slope(h, slope)
        assert slope[0] == ACTIVATIONS[name].steepest


def test_spectrum_of_a_known_matrix() -> None:
    W = np.array([[0.0, 3.0], [0.0, 0.0]])  # nilpotent: expands once, then zero
    values, radius = spectrum(W)
    np.testing.assert_allclose(values, [3, 0])
    assert radius == 0
    turned = 0.7 * orthogonal(default_rng(0), 6, 6)
    np.testing.assert_allclose(spectrum(turned).singular_values, np.full(6, 0.7))
    assert spectrum(turned).radius == pytest.approx(0.7)


def test_equation_21_where_the_jacobian_is_constant() -> None:
    """Exponents are logarithms of the moduli of W's eigenvalues, largest first."""
    W = np.diag([0.9, 0.5, 0.25])
    found = lyapunov_exponents(linear_problem(W, 200), RELU, default_rng(0), 3)
    np.testing.assert_allclose(found, np.log([0.9, 0.5, 0.25]), atol=0.02)
    turned = linear_problem(0.8 * np.eye(5), 40)
    found = lyapunov_exponents(turned, RELU, default_rng(0), 2)
    np.testing.assert_allclose(found, np.log([0.8, 0.8]), rtol=1e-12)


@pytest.mark.parametrize("name", ["tanh", "sigmoid"])
def test_all_exponents_add_up_to_the_volume(name: str) -> None:
    """(21): the exponents sum to the mean of ln |det D_t W|."""
    problem = random_problem(default_rng(2), hidden_size=4, time_steps=40)
    exponents = lyapunov_exponents(problem, ACTIVATIONS[name], default_rng(0), 99)
    assert len(exponents) == 4
    logarithms = [
        np.log(np.abs(np.linalg.det(D[t][:, None] * problem.params.W)))
        for _, h, D, *_ in lanes(problem, ACTIVATIONS[name], 1)
        for t in range(11, len(h))  # the first quarter is not counted
    ]
    assert exponents.sum() == pytest.approx(np.mean(logarithms), rel=1e-10)


@pytest.mark.parametrize("gain", [1.0, 4.0])
def test_the_largest_exponent_is_the_rate_at_which_two_states_diverge(gain: float) -> None:
    problem = random_problem(default_rng(6), hidden_size=60, time_steps=600, batch_size=1)
    params = problem.params.replace(W=gain * problem.params.W)
    problem = problem._replace(params=params)
    largest = lyapunov_exponents(problem, TANH, default_rng(0), 1)[0]
    h, distance, total = problem.h0, 1e-9, 0.0
    other = h + distance / np.sqrt(60)
    for t in range(600):
        x = problem.window.x[t : t + 1]
        h, other = (states(params, x, state, TANH)[1].copy() for state in (h, other))
        apart = np.linalg.norm(other - h)
        if t >= 150:
            total += np.log(apart / distance)
        other = h + (other - h) * distance / apart
    assert (largest > 0) == (gain > 1)
    assert largest == pytest.approx(total / 450, abs=0.01)


def test_a_vanishing_direction_has_an_infinite_exponent() -> None:
    found = lyapunov_exponents(linear_problem(np.diag([0.5, 0.0])), RELU, default_rng(0), 2)
    assert found[0] == pytest.approx(np.log(0.5))
    assert found[1] == -np.inf


def test_saturation_of_known_units() -> None:
    """One unit at 0, one saturated at every step, one at half of them."""
    params = Params.of(U=np.array([[0.0, 0.0], [5.0, 5.0], [5.0, 0.0]]), W=np.zeros((3, 3)),
                    V=np.zeros((2, 3)))  # fmt: skip
    x = np.array([[0], [1], [0], [1]])
    problem = Problem(params, Window(x, x, np.ones(1, dtype=bool)), np.zeros((1, 3)))
    (found,) = saturation(problem, TANH)
    assert found.saturated == pytest.approx((0 + 4 + 2) / 12)
    assert found.stuck == 1
    steep = 1 - np.tanh(5) ** 2
    assert found.mean == pytest.approx((4 + 2 + 6 * steep) / 12)


def test_padding_is_not_part_of_a_line() -> None:
    problem = random_problem(default_rng(2), time_steps=5)
    x, y, fresh, *_ = problem.window
    padded = Window(np.pad(x, ((0, 3), (0, 0))), np.pad(y, ((0, 3), (0, 0)), constant_values=-1),
                    fresh)  # fmt: skip
    flows = [
        measure_flow(problem._replace(window=window), TANH, 5, default_rng(0))[0]
        for window in (problem.window, padded)
    ]
    assert flows[0].saturation == pytest.approx(flows[1].saturation)
    np.testing.assert_allclose(flows[0].norms, flows[1].norms, rtol=1e-12)


@pytest.mark.parametrize(
    ("rate", "kind"), [(0.5, "vanishing"), (0.996, "steady"), (1.0, "steady"), (1.2, "exploding")]
)
def test_decay_of_a_geometric_profile(rate: float, kind: str) -> None:
    found = decay(rate ** np.arange(50.0))
    assert found.kind == kind
    assert found.rate == pytest.approx(rate)
    assert found.half_life == pytest.approx(np.inf if rate == 1 else abs(np.log(2) / np.log(rate)))
    assert found.one_percent == (7 if rate == 0.5 else None)


@pytest.mark.parametrize(
    ("norms", "rate", "kind"),
    [
        ([1.0, 0.0, 0.0], 0.0, "vanishing"),
        ([1.0, 0.0], 0.0, "vanishing"),
        ([1.0, 0.5], 0.5, "vanishing"),
        ([0.0, 0.0], 0.0, "vanishing"),
        ([1.0, 0.5, 0.0, 0.0], 0.5, "vanishing"),
        ([1.0], np.inf, "exploding"),
    ],
)
def test_decay_of_extremes(norms: list[float], rate: float, kind: str) -> None:
    found = decay(np.array(norms))
    assert (found.rate, found.kind) == (pytest.approx(rate), kind)


def test_decay_is_fitted_from_lag_1_on() -> None:
    assert decay(np.array([1.0, 0.1, 0.05, 0.025])).rate == pytest.approx(0.5)
    assert decay(np.array([1.0, 0.001, 0.5, 0.001, 0.001])).one_percent == 3


def test_the_remaining_fraction_is_of_the_same_losses() -> None:
    """In lines of unequal length, fewer losses at long lags are not decay."""
    problem = masked_problem()
    x, y, fresh, *_ = problem.window
    params = problem.params.replace(W=np.eye(8), b=np.full(8, 9.0))
    problem = Problem(params, Window(x, y, fresh), np.ones((3, 8)))  # ReLU, all active: f = 1
    (profile,) = lag_profiles(problem, RELU, 7)
    assert profile.losses[0] == 13 > profile.losses[-1] == 2
    np.testing.assert_allclose(profile.remaining, 1, rtol=1e-12)
    assert not np.allclose(profile.norms, profile.norms[0])


@pytest.mark.parametrize("name", ACTIVATIONS)
@pytest.mark.parametrize("bias", [True, False])
def test_every_reach_is_the_double_sum_of_that_reach(name: str, bias: bool) -> None:
    problem = random_problem(default_rng(5), time_steps=6, bias=bias)
    full = bptt(*problem[:3], ACTIVATIONS[name], "sum")[1]
    found = by_reach(problem, ACTIVATIONS[name], full, 6)
    assert len(found) == 6
    for reach, one in enumerate(found, start=1):
        literal = double_sum(problem, ACTIVATIONS[name], "sum", reach=lambda t, reach=reach: reach)
        np.testing.assert_allclose(one, agreement(literal.flat, full.flat), rtol=1e-8, atol=1e-8)
    assert found[-1].error < 1e-12
    assert found[0].error > 0.01


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_windows_end_to_end_are_the_double_sum_of_their_reach(name: str) -> None:
    """Losses in the newest five of seven steps: a window of two reaches 1, 2, 1, 2, 1 back."""
    problem = masked_problem()
    full = bptt(*problem[:3], ACTIVATIONS[name], "sum")[1]
    lengths = [1, 2, 5]
    found = by_window(problem, ACTIVATIONS[name], full, lengths)
    for length, one in zip(lengths, found, strict=True):
        literal = double_sum(
            problem, ACTIVATIONS[name], "sum", reach=lambda t, k=length: max((t - 3) % k + 1, 0)
        )
        np.testing.assert_allclose(one, agreement(literal.flat, full.flat), rtol=1e-8, atol=1e-8)


def test_agreement_of_known_gradients() -> None:
    one = random_problem(default_rng(0)).params
    assert agreement(one.flat, one.flat) == pytest.approx((1, 1, 0), abs=1e-7)
    assert agreement(-2 * one.flat, one.flat) == pytest.approx((-1, 2, 3))


@pytest.mark.parametrize(
    ("errors", "place"), [([0.5, 0.1, 0.05], 1), ([0.05, 0.5, 0.05], 2), ([0.5, 0.5], None),
                          ([0.0], 0), ([np.nan, 0.0], 1)],
)  # fmt: skip
def test_first_within_stays_within(errors: list[float], place: int | None) -> None:
    assert first_within(0.1, [agreement_of(error) for error in errors]) == place


def agreement_of(error: float):
    from charrnn.results import Agreement

    return Agreement(1.0, 1.0, error)


@pytest.mark.parametrize("model", [[], ["relu", "--set", "model.hidden_size=16"], ["trained"]])
def test_gradflow_prints_and_plots(charrnn, trained, text_file, tmp_path, model) -> None:
    model = [trained if part == "trained" else part for part in model]
    arguments = ["gradflow", *model, "--text", text_file, "--lags", 20, "--truncation"]
    outcome = charrnn(*arguments, "--plot", tmp_path / "flow.png")
    assert outcome.code == 0, outcome.err
    for words in ("half-life", "spectral radius", "Lyapunov", "γσ₁", "windows (1, 2, 4, …)"):
        if words != "half-life" or "vanishing" in outcome.out:
            assert words in outcome.out
    assert "\x1b" not in outcome.out
    assert (tmp_path / "flow.png").read_bytes().startswith(b"\x89PNG")
    document = json.loads(charrnn(*arguments, "--json").out)
    (flow,) = document["flows"]
    assert len(flow["norms"]) == len(flow["bound"]) == 21
    assert flow["losses"] == [1020] * 21  # the newer half of 51 windows: all of them reach back
    assert all(n <= b * (1 + 1e-9) for n, b in zip(flow["norms"], flow["bound"], strict=True))
    assert flow["decay"].keys() == {"kind", "rate", "half_life", "one_percent"}
    truncation = document["truncation"]
    errors = [one["error"] for one in truncation["by_reach"]]
    assert len(errors) == 20
    within = truncation["within_reach"]
    if within is not None:
        assert errors[within - 1] <= 0.1
        assert within == 1 or errors[within - 2] > 0.1
    assert truncation["by_window"].keys() == {"1", "2", "4", "8", "16", "20"}


def test_gradflow_compares_activations(charrnn, text_file, tmp_path) -> None:
    small = ["--set", "model.hidden_size=16", "--text", text_file, "--lags", 12]
    arguments = ["gradflow", "--compare", *small]
    outcome = charrnn(*arguments, "--plot", tmp_path / "three.svg")
    assert outcome.code == 0, outcome.err
    svg = (tmp_path / "three.svg").read_text()
    assert svg.startswith("<?xml")
    flows = json.loads(charrnn(*arguments, "--json").out)["flows"]
    assert len(flows) == 12
    rates = {(flow["activation"], flow["recurrent_gain"]): flow["decay"]["rate"] for flow in flows}
    for scale in (0.5, 1.0, 2.0, 4.0):
        assert rates["sigmoid", scale] < rates["tanh", scale]
        assert rates["sigmoid", scale] < rates["relu", scale]
    for name in ("tanh", "sigmoid"):
        assert rates[name, 0.5] < rates[name, 1.0] < 1
    assert rates["relu", 4.0] > 1.5
    assert "exploding" in outcome.out
    assert "ReLU" in outcome.out


def test_gradflow_of_lines(charrnn, tmp_path) -> None:
    arguments = ["names", "--set", "model.hidden_size=16", "--lags", 64, "--truncation"]
    document = json.loads(charrnn("gradflow", *arguments, "--json").out)
    longest = 22  # characters of a name, and its newline
    (flow,) = document["flows"]
    assert 500 < flow["losses"][0] < 2000
    assert len(flow["norms"]) <= longest + 1
    assert document["truncation"]["by_reach"][-1]["error"] < 1e-9
    assert list(document["truncation"]["by_window"].values())[-1]["error"] < 1e-9


SMALL = ["--set", "model.hidden_size=16"]
EXPLODING = ["--set", "model.activation=relu", "--set", "model.initialization.recurrent_gain=50"]


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["--truncation", "--tolerance", "0"], 2, "--tolerance 0.0 is not between 0 and 1"),
        (["RUN", "--compare"], 2, "--compare is for untrained models"),
        (["RUN", "--set", "model.bias=false"], 2, "model.bias=false cannot change it"),
        (["relux"], 2, "did you mean relu?"),
        (["nothing"], 2, "neither a checkpoint nor a config"),
        (["none.safetensors"], 3, "there is no checkpoint"),
        (["--text", "none.txt"], 3, "there is no file"),
        (["--lags", "0"], 2, "--lags"),
        (["tiny", "--compare", "--truncation"], 2, "--compare and --truncation"),
        (["--compare", "--set", "model.activation=relu"], 2, "--compare sets --activation"),
        (["tiny", *EXPLODING], 1, "overflowed after"),
        (["tiny", *SMALL, "--compare", "--lags", "1500"], 1, "--lags"),
    ],
)
def test_gradflow_refuses(charrnn, trained, text_file, arguments, code, words) -> None:
    arguments = [trained if part == "RUN" else part for part in arguments]
    with np.errstate(over="warn", invalid="warn"):  # as outside the tests
        outcome = charrnn("gradflow", *arguments)
    assert (outcome.code, words in outcome.err) == (code, True), outcome.err
    assert "Traceback" not in outcome.err


@pytest.mark.parametrize("text", ["ab", "abc", "abcd", "abcdefg", "aaaaaaaa"])
def test_gradflow_on_very_short_texts(charrnn, tmp_path, text: str) -> None:
    (tmp_path / "short.txt").write_text(text)
    plot = tmp_path / "short.png"
    outcome = charrnn("gradflow", "tiny", "--text", "short.txt", "--truncation", "--plot", plot)
    assert outcome.code == 0, outcome.err
    assert "nan" not in outcome.out
    assert "followed back over" in outcome.err
    if text == "aaaaaaaa":
        assert "no gradient flows back" in outcome.out
    losses = int(outcome.out.split(" of ")[1].split()[0])
    assert losses < len(text)  # none is counted twice


def test_comparing_reads_standard_input_once(charrnn, monkeypatch, text_file) -> None:
    small = ["--set", "model.hidden_size=4", "--lags", 5]
    with open(text_file) as text:
        monkeypatch.setattr("sys.stdin", text)
        assert charrnn("gradflow", "tiny", "--compare", *small, "--text", "-").code == 0


def test_measurements_start_from_the_state_after_the_context(text_file) -> None:
    """The state before the window is that after the characters before it."""
    from charrnn.config.layers import load_config
    from charrnn.setup.subject import (
        looking_back,
        problem_after,
        problem_in_text,
        untrained_subject,
    )
    from charrnn.text.sequences import SEQUENCES

    subject = untrained_subject(load_config("tiny", [], {}), "tiny", str(text_file))
    before, window = SEQUENCES["stream"].random_window(subject.ids, default_rng(3), 9, 4, 64)
    problem = problem_in_text(subject, default_rng(3), 9, 4)
    np.testing.assert_array_equal(problem.window.x, window.x)
    params = subject.params.astype(np.float64)
    h = states(params, np.concatenate([before, window.x]), np.zeros((4, 64)), TANH)
    np.testing.assert_allclose(problem.h0, h[64], rtol=1e-12)
    before, window, reach = looking_back(subject, default_rng(3), 10, 5, 4)
    assert (reach, window.x.shape, window.targets, window.first_loss) == (10, (15, 4), 20, 10)
    problem = problem_after(before, window, subject.params, TANH)
    h = states(params, before, np.zeros((4, 64)), TANH)
    np.testing.assert_allclose(problem.h0, h[-1], rtol=1e-12)


def test_the_title_says_what_was_measured_or_is_chosen(charrnn, trained, text_file, tmp_path):
    arguments = ["gradflow", trained, "--text", text_file, "--lags", 3, "--plot", "x.svg"]
    assert charrnn(*arguments).code == 0
    svg = (tmp_path / "x.svg").read_text()  # with each text in a comment
    assert "Gradient flow back in time: tanh, 16 units, after 60 training steps" in svg
    assert charrnn(*arguments, "--title", "Why $_{ it vanishes").code == 0
    svg = (tmp_path / "x.svg").read_text()
    assert "Why $_{ it vanishes" in svg
    assert "back in time" not in svg
    assert charrnn(*arguments[:-2], "--title", "none").code == 2


WEAK = ["model.initialization.recurrent_gain=0.3"]
STRONG = ["model.activation=relu", "model.initialization.recurrent_gain=3"]


@pytest.mark.parametrize(
    ("settings", "compare"),
    [([], False), (WEAK, False), (STRONG, False), (["model.layers=7"], False), ([], True)],
)
def test_no_text_of_a_plot_overlaps_another(text_file, settings, compare) -> None:
    from charrnn.commands.gradflow import gradient_flow
    from charrnn.report.flow_plots import plot_gradient_flow

    settings = ["model.hidden_size=16", *settings]
    tolerance = None if compare else 0.1
    found, _ = gradient_flow("tiny", None, settings, str(text_file), 40, compare, tolerance, 1)
    figure = plot_gradient_flow(found)
    assert_apart(figure, [text for panel in figure.axes for text in texts_of(panel)])
    assert "(18)" not in " ".join(
        text.get_text() for panel in figure.axes for text in texts_of(panel)
    )


def test_bars_are_relative_to_lag_0(charrnn, text_file) -> None:
    small = ["--set", "model.hidden_size=16", "--text", text_file, "--lags", 16]
    bars = {}
    for name, settings in (("vanishing", WEAK), ("exploding", STRONG)):
        options = [part for setting in settings for part in ("--set", setting)]
        lines = charrnn("gradflow", "tiny", *small, *options).out.splitlines()
        bars[name] = [
            len(re.sub("[^█]", "", line)) for line in lines if "│" in line and "█" in line
        ]
    assert bars["vanishing"][0] == 47
    assert bars["vanishing"] == sorted(bars["vanishing"], reverse=True)
    assert bars["exploding"] == sorted(bars["exploding"])
    assert bars["exploding"][-1] > bars["exploding"][0] > 8


def test_a_title_is_not_parsed_as_math(charrnn, tmp_path) -> None:
    (tmp_path / "a$_{$b.yaml").write_text("model: {hidden_size: 4}")
    assert charrnn("gradflow", "a$_{$b.yaml", "--lags", 3, "--plot", "x.png").code == 0


def _nothing_is_computed(*arguments: object) -> None:
    pytest.fail("computed before the plot was refused")


@pytest.mark.parametrize(
    ("plot", "words"),
    [
        ("x.jpg", ".png, .svg, .pdf"),
        ("none/x.png", "none/x.png cannot be written: No such file"),
        ("folder.png", "folder.png cannot be written: Is a directory"),
        ("text.txt/x.png", "cannot be written: Not a directory"),
        (f"{'x' * 300}.png", "cannot be written: File name too long"),
    ],
)
def test_a_plot_that_cannot_be_written_is_refused_first(
    charrnn, tmp_path, monkeypatch, plot: str, words: str
) -> None:
    (tmp_path / "folder.png").mkdir()
    (tmp_path / "text.txt").touch()
    monkeypatch.setattr("charrnn.commands.gradflow.gradient_flow", _nothing_is_computed)
    outcome = charrnn("gradflow", "tiny", "--plot", plot)
    assert (outcome.code, words in outcome.err) == (2, True), outcome.err
    assert sorted(os.listdir(tmp_path)) == ["folder.png", "text.txt"]


def test_plot_without_matplotlib_says_what_to_install(charrnn, monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    monkeypatch.setattr("charrnn.commands.gradflow.gradient_flow", _nothing_is_computed)
    outcome = charrnn("gradflow", "tiny", "--plot", "x.png")
    assert outcome.code == 2
    assert "install it: " in outcome.err
    assert "matplotlib" in outcome.err


@pytest.mark.parametrize("command", ["gradflow", "gradcheck"])
def test_a_text_that_changed_since_training_is_refused(charrnn, tmp_path, command) -> None:
    text = tmp_path / "text.txt"
    text.write_text("the same letters all day\n" * 40)
    assert charrnn("train", text, *TINY, "--max-steps", 3, "--out", tmp_path / "run").code == 0
    quick = ["--lags", 4] if command == "gradflow" else ["--oracle", "complex-step"]
    assert "has changed" not in charrnn(command, tmp_path / "run", *quick).err
    whole = text.read_text()
    for changed in (whole + "a day\n", whole[:-9], whole.replace("all", "lla", 1)):
        text.write_text(changed)
        outcome = charrnn(command, tmp_path / "run", *quick)
        assert outcome.code == 3
        assert "of the text that" in outcome.err or "is not the text that" in outcome.err
        assert "give a text as --text" in outcome.err
    assert "has changed" not in charrnn(command, tmp_path / "run", "--text", text, *quick).err


@pytest.mark.parametrize("layers", [1, 2])
def test_a_bound_is_never_infinity_times_zero(layers) -> None:
    """Of a single character the loss has no gradient, however much W would amplify it."""
    problem = random_problem(default_rng(0), alphabet_size=1, layers=layers)
    problem = problem._replace(params=problem.params.map(lambda flat: 1e200 * flat))
    with np.errstate(over="warn", invalid="warn", divide="warn"):
        for flow in measure_flow(problem, TANH, 5, default_rng(0)):
            assert np.array_equal(flow.bound, np.zeros(6))


def test_a_layer_without_gradient_at_lag_0_has_a_finite_profile() -> None:
    """No unit of a ReLU layer is active at the loss, but earlier ones are, through that above."""
    profile = Profile(np.array([0.0, 5.0, 2.0]), np.zeros(3), np.ones(3))
    peak, fitted = decay_from_peak(profile.remaining)
    assert peak == 1
    assert isfinite(fitted.rate)


def test_a_rate_never_overflows() -> None:
    assert isfinite(decay(np.array([1.0, 1e-300, 1e308])).rate)
