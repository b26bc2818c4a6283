"""What `explain` shows is the gradient: its sums, recursions and slips, against other methods."""

import json
import re
import sys
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.random import default_rng

from charrnn.analysis.backward_pass import backward_pass
from charrnn.analysis.double_sum import double_sum
from charrnn.analysis.jacobians import lanes, over_step, within_step
from charrnn.analysis.problems import Problem, random_problem
from charrnn.analysis.terms import double_sum_terms, with_sums
from charrnn.explanation.example import Example
from charrnn.explanation.forward_mode import derivatives_by_W
from charrnn.explanation.slipped import SLIPS, Rules, slipped_gradient
from charrnn.explanation.softmax import softmax_jacobian
from charrnn.explanation.topics import TOPICS
from charrnn.explanation.truncation import kept_terms
from charrnn.explanation.update import descended, loss_of
from charrnn.explanation.vanishing import jacobian_norms, with_sigma
from charrnn.model.activations import ACTIVATIONS
from charrnn.model.bptt import bptt
from charrnn.model.loss import softmax
from charrnn.model.rnn import states
from charrnn.report.explanation import SHADES
from charrnn.window import Window
from tests.conftest import TINY
from tests.test_gradcheck import literal_bptt

TANH = ACTIVATIONS["tanh"]
NAMES = st.sampled_from(list(ACTIVATIONS))


def problem_of(seed: int, layers: int = 1, bias: bool = True, steps: int = 7) -> Problem:
    """A random problem of one lane."""
    return random_problem(default_rng(seed), 4, 5, steps, 1, bias=bias, layers=layers)


def example_of(problem: Problem, name: str = "tanh", layer: int = 1, step: int | None = None):
    """An example that reads the ids of a problem as letters."""
    x, y, *_ = problem.window
    text = "".join("abcde"[id] for id in (*x[:, 0], y[-1, 0]))
    return Example(problem, ACTIVATIONS[name], text, "abcde", layer, step or len(x), 4, 2, 1)


def gradient_of(problem: Problem, name: str = "tanh"):
    return bptt(*problem[:3], ACTIVATIONS[name], "sum")[1]


@given(st.integers(0, 10_000), st.integers(1, 3), NAMES, st.booleans(), st.integers(1, 9))
def test_the_terms_add_up_to_bptt(seed, layers, name, bias, steps) -> None:
    """The triangle of every layer, for W, U and b; and to the literal double sum."""
    problem = problem_of(seed, layers, bias, steps)
    for truth in (gradient_of(problem, name), double_sum(problem, ACTIVATIONS[name], "sum")):
        arrays = dict(truth.named())
        for layer in range(layers):
            terms = double_sum_terms(problem, ACTIVATIONS[name], layer)
            sums = with_sums(problem.params, terms, layer)
            assert len(sums) == 2 + bias
            for parameter, array in sums.items():
                np.testing.assert_allclose(array, arrays[parameter], rtol=1e-10, atol=1e-13)


@pytest.mark.parametrize("layers", [1, 3])
def test_a_row_of_the_triangle_is_the_gradient_of_one_loss(layers: int) -> None:
    problem = problem_of(3, layers)
    x, y, fresh, *_ = problem.window
    t, k = np.indices((7, 7)) + 1
    terms = double_sum_terms(problem, TANH, 0)
    whole = [np.zeros((4, 4))]
    for end in range(1, 8):  # the gradient of the first losses, less that of one fewer
        first = problem._replace(window=Window(x[:end], y[:end], fresh))
        whole.append(gradient_of(first).layers[0].W)
    for n, (before, after) in enumerate(pairwise(whole), 1):
        np.testing.assert_allclose(terms.sum("W", t == n), after - before, rtol=1e-9, atol=1e-13)
    norms = terms.norms("W")
    assert np.isnan(norms[t < k]).all()
    single = terms.sum("W", (t == 6) & (k == 2))
    assert norms[5, 1] == pytest.approx(np.linalg.norm(single), rel=1e-12)


@given(st.integers(1, 9), st.integers(1, 9), st.integers(1, 9))
def test_the_kept_terms_are_those_of_equation_19(steps, stride, more) -> None:
    problem, reach = problem_of(steps, steps=steps), stride + more - 1
    terms = double_sum_terms(problem, TANH, 0)
    end = [0, *(stride * -(-t // stride) for t in range(1, steps + 1))]
    truth = double_sum(problem, TANH, "sum", reach=lambda t: reach - (end[t] - t))
    kept = terms.sum("W", kept_terms(steps, stride, reach))
    np.testing.assert_allclose(kept, truth.W, rtol=1e-10, atol=1e-13)


@given(st.integers(0, 10_000), st.integers(1, 3), NAMES)
def test_the_backward_pass_adds_up_to_bptt(seed, layers, name) -> None:
    problem = problem_of(seed, layers)
    params, (x, *_), h0, _ = problem
    found = backward_pass(problem, ACTIVATIONS[name])
    h = params.by_layer(states(params, x, h0, ACTIVATIONS[name])[:, 0])
    below = [np.eye(5)[x[:, 0]], *h[:-1, 1:]]
    da = params.by_layer(found.da[:, 0])
    dh = params.by_layer((found.from_above + found.from_later)[:, 0])
    (lane,) = lanes(problem, ACTIVATIONS[name], 1)
    for n, layer in enumerate(gradient_of(problem, name).layers):
        np.testing.assert_allclose(da[n].T @ h[n, :-1], layer.W, rtol=1e-10, atol=1e-13)
        np.testing.assert_allclose(da[n].T @ below[n], layer.U, rtol=1e-10, atol=1e-13)
        slopes = params.by_layer(lane.D)[n][1:]
        np.testing.assert_allclose(da[n], slopes * dh[n], rtol=1e-10, atol=1e-14)  # (11)


@pytest.mark.parametrize("layers", [1, 2, 3])
@pytest.mark.parametrize("name", ACTIVATIONS)
def test_forward_mode_is_the_derivative_of_every_state(layers: int, name: str) -> None:
    """∂h_t/∂W against the complex step, and (16) against BPTT, in every layer."""
    problem = problem_of(5, layers)
    for layer in range(1, layers + 1):
        example = example_of(problem, name, layer)
        _, influence, dW = derivatives_by_W(example, 4, 4)
        gradient = gradient_of(problem, name).layers[layer - 1].W
        np.testing.assert_allclose(dW, gradient, rtol=1e-10, atol=1e-13)
        shifted = problem.params.astype(np.complex128)
        shifted.layers[layer - 1].W[2, 3] += 1e-30j
        h = states(shifted, problem.window.x, problem.h0.astype(complex), ACTIVATIONS[name])
        for t, each in enumerate(influence, 1):
            np.testing.assert_allclose(each[:, 2, 3], h[t, 0].imag / 1e-30, atol=1e-13)


def test_the_softmax_jacobian_is_its_derivative() -> None:
    o = default_rng(1).standard_normal(6)
    jacobian = softmax_jacobian(softmax(o), list(range(6)))
    for j in range(6):
        column = softmax(o + 1e-30j * np.eye(6)[j]).imag / 1e-30
        np.testing.assert_allclose(jacobian[:, j], column, atol=1e-15)


@given(st.integers(0, 10_000), NAMES, st.booleans())
def test_without_a_slip_the_rules_give_the_gradient(seed, name, bias) -> None:
    problem = problem_of(seed, bias=bias)
    found = slipped_gradient(problem, ACTIVATIONS[name], Rules())
    np.testing.assert_allclose(found.flat, gradient_of(problem, name).flat, rtol=1e-9, atol=1e-12)


SAME_AS_BUG = {
    "diagonal": "softmax Jacobian of its diagonal only",
    "sign": "sign flipped",
    "transpose": "W not transposed",
}


@pytest.mark.parametrize("slip", SAME_AS_BUG)
def test_a_slip_is_what_a_literal_backward_pass_makes_of_it(slip: str) -> None:
    problem = random_problem(default_rng(2), batch_size=1)
    rules = next(known.rules for known in SLIPS if known.name == slip)
    bug = literal_bptt(problem, TANH, SAME_AS_BUG[slip])[1]
    found = slipped_gradient(problem, TANH, rules)
    np.testing.assert_allclose(found.flat, bug.flat, rtol=1e-9, atol=1e-12)


def literal_slip(problem: Problem, slip: str) -> np.ndarray:
    """dW of a slip as a literal sum over t and k, each product of Jacobians by itself."""
    params, (lane,) = problem.params, lanes(problem, TANH, 1)
    W, V, D, h = params.W, params.V, lane.D, lane.h
    T, p = len(h) - 1, lane.do + lane.y
    total = np.zeros_like(W)
    for t in range(1, T + 1):
        above = -(lane.y[t] / p[t]) @ V if slip == "skipped" else V.T @ lane.do[t]
        for k in range(0 if slip == "limits" else 1, t if slip == "limits" else t + 1):
            if k == 0:
                continue  # ∂h_0/∂W is 0
            product = np.eye(len(W))
            for j in range(k + 1, t + 1):
                D_j = np.diag(D[j])
                J = {"placing": W @ D_j, "scalars": np.diag(D[j] * np.diag(W))}.get(slip, D_j @ W)
                product = J @ product
            if slip == "star":  # the total ∂h_k/∂W: that of every step up to k, once more
                for i in range(1, k + 1):
                    through = np.eye(len(W))
                    for j in range(i + 1, k + 1):
                        through = (D[j][:, None] * W) @ through
                    total += np.outer(D[i] * (through.T @ product.T @ above), h[i - 1])
                continue
            factor = np.ones(len(W)) if slip == "heading-b" else h[k - 1]
            total += np.outer(D[k] * (product.T @ above), factor)
    return total / T if slip == "mean" else total


@pytest.mark.parametrize(
    "slip", ["skipped", "placing", "scalars", "star", "limits", "heading-b", "mean"]
)
def test_a_slip_is_what_its_formula_says(slip: str) -> None:
    problem = problem_of(8)
    rules = next(known.rules for known in SLIPS if known.name == slip)
    found = slipped_gradient(problem, TANH, rules)
    np.testing.assert_allclose(found.W, literal_slip(problem, slip), rtol=1e-9, atol=1e-12)
    assert np.abs(found.W - gradient_of(problem).W).max() > 1e-3


def test_a_formula_of_another_shape_cannot_be_added() -> None:
    rules = next(known.rules for known in SLIPS if known.name == "heading-U")
    with pytest.raises(ValueError, match="length of a row"):
        slipped_gradient(problem_of(1), TANH, rules)
    same = random_problem(default_rng(1), 5, 5, batch_size=1)  # H = A: nothing tells
    assert not np.allclose(slipped_gradient(same, TANH, rules).U, gradient_of(same).U)


def test_the_slips_are_those_of_the_equations() -> None:
    """Every name in the table of docs/equations.md is planted, and the figure there is right."""
    page = (Path(__file__).parent.parent / "docs" / "equations.md").read_text(encoding="utf-8")
    table = page.split("## Common mistakes")[1].split("\n## ")[0]
    rows = re.findall(r"^\| ([a-zA-Z, -]*)\|", table, re.MULTILINE)
    names = [name for row in rows[1:] for name in row.replace(",", "").split() if name != "-"]
    assert sorted(names) == sorted(slip.name for slip in SLIPS)
    (star,) = (slip for slip in SLIPS if slip.name == "star")
    errors = []
    for seed in range(30):
        problem = random_problem(default_rng(seed), time_steps=10, batch_size=1)
        dW, found = gradient_of(problem).W, slipped_gradient(problem, TANH, star.rules).W
        errors.append(np.linalg.norm(found - dW) / np.linalg.norm(dW))
    assert f"{np.mean(errors):.0%}".replace("%", " %") in table


def test_the_loss_falls_with_the_slope_that_the_gradient_predicts() -> None:
    example = example_of(problem_of(4))
    loss, gradient = example.bptt
    after = loss_of(example, descended(example.params, gradient, 1e-6))
    assert (after - loss) / 1e-6 == pytest.approx(-(gradient.flat @ gradient.flat), rel=1e-3)
    np.testing.assert_array_equal(example.params.flat, problem_of(4).params.flat)


@given(st.integers(0, 10_000), NAMES, st.sampled_from([0.3, 1.0, 3.0]), st.integers(1, 3))
def test_what_is_measured_stays_below_the_bounds(seed, name, sigma, layers) -> None:
    problem = problem_of(seed, layers)
    for layer in range(1, layers + 1):
        example = example_of(problem, name, layer)
        scaled = with_sigma(example, sigma)
        assert np.linalg.norm(scaled.params.layers[layer - 1].W, 2) == pytest.approx(sigma)
        measured, product = jacobian_norms(example, scaled, example.activation, np.arange(7))
        bound = (sigma * example.activation.steepest) ** np.arange(len(measured))
        assert (measured <= product * (1 + 1e-12)).all()
        assert (product <= bound * (1 + 1e-12)).all()


def test_the_measured_norms_are_those_of_the_block_of_the_layer() -> None:
    problem = problem_of(6, 2)
    (lane,) = lanes(problem, TANH, 1)
    example = example_of(problem, layer=2, step=5)
    product = np.eye(8)
    for lag, k in enumerate(range(5, 1, -1), 1):
        product = product @ over_step(problem.params, lane, k)
        (measured,), _ = jacobian_norms(example, problem, TANH, np.array([lag]))
        assert measured == pytest.approx(np.linalg.norm(product[4:, 4:], 2))
    assert within_step(problem.params, lane, 1)[4:, :4].any()


# --- the command ---


def parts(document: dict) -> dict:
    return {part["name"]: part for part in document["parts"] if "name" in part}


def test_the_triangle_of_the_command_is_bptt(charrnn) -> None:
    """`explain terms`: the totals of the table, and the squared norms of a single term."""
    outcome = charrnn("explain", "terms", "--text", "hello world", "--json")
    document = json.loads(outcome.out)
    found = parts(document)
    assert document["network"] == {
        "name": "a small random network", "trained": False, "text": "hello world",
        "activation": "tanh", "hidden_size": 3, "layers": 1, "alphabet_size": 8, "layer": 1,
        "step": 10,
    }  # fmt: skip
    totals = found["totals"]["columns"]
    assert totals[""] == ["dW", "dU", "db"]
    assert max(totals["difference"]) < 1e-13
    assert totals["‖sum‖"] == pytest.approx(totals["‖BPTT‖"], rel=1e-12)
    triangle = np.array(found["triangle"]["values"], float)
    assert np.isfinite(triangle).sum() == 55
    assert found["triangle"]["rows"][4] == "5 o"


@pytest.mark.parametrize("topic", [None, *TOPICS])
def test_every_topic_prints_and_draws(charrnn, topic, tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("NO_COLOR", "1")
    arguments = ["explain", *([topic] if topic else []), "--text", "[/b]\\[red] a\nb%s{}_{$"]
    plain = json.loads(charrnn(*arguments, "--json").out)
    for width in (80, 50):
        monkeypatch.setenv("COLUMNS", str(width))
        outcome = charrnn(*arguments)
        assert outcome.code == 0, outcome.err
        lines = re.sub(r"\x1b\[[0-9;]*m", "", outcome.out).splitlines()
        assert max(map(len, lines)) <= width
        assert "nan" not in outcome.out
        equations = [part["equation"] for part in plain["parts"] if part.get("equation")]
        assert all(any(line.startswith(number) for line in lines) for number in equations)
    if topic:
        plot = tmp_path / "plot.svg"
        assert charrnn(*arguments, "--plot", plot, "--title", "A $_{ title").code == 0
        assert plot.stat().st_size > 5000
    else:
        assert charrnn(*arguments, "--plot", tmp_path / "plot.svg").code == 2


def test_a_stack_and_a_trained_model(charrnn, trained, stacked) -> None:
    """Every layer's terms add up to the gradient of the checkpoint; its dropout is off."""
    for layer in (1, 2):
        outcome = charrnn(
            "explain", "terms", stacked, "--text", "The keeper", "--layer", layer, "--json"
        )
        totals = parts(json.loads(outcome.out))["totals"]["columns"]
        assert totals[""] == [f"d{name}{layer}" for name in "WUb"]
        assert max(totals["difference"]) < 1e-13
    loss = [
        sum(parts(json.loads(charrnn("explain", "forward", run, "--text", "The", "--json").out))[
            "steps"]["columns"]["L_t"])
        for run in (trained, stacked)
    ]  # fmt: skip
    for run, expected in zip((trained, stacked), loss, strict=True):
        with open("the.txt", "w") as file:
            file.write("The")
        score = json.loads(charrnn("eval", run, "the.txt", "--json").out)
        assert 2 * score["nats_per_character"] == pytest.approx(expected, rel=1e-5)


def test_lines_are_read_between_their_delimiters(charrnn) -> None:
    document = json.loads(charrnn("explain", "forward", "names", "--text", "Hollow", "--json").out)
    assert document["network"]["text"] == "\nHollow\n"
    assert document["network"]["hidden_size"] == 128


def test_a_tour_of_a_model_needs_no_topic(charrnn, trained) -> None:
    outcome = charrnn("explain", trained, "--text", "The keeper")
    assert (outcome.code, "H = 16" in outcome.out) == (0, True), outcome.err
    assert all(topic in outcome.out for topic in TOPICS)


def test_the_seed_draws_the_weights(charrnn) -> None:
    first, second, third = (
        parts(json.loads(charrnn("explain", "output", *seed, "--json").out))["dV"]["values"]
        for seed in ([], ["--seed", 1], ["--seed", 2])
    )
    assert first == second != third


def test_the_shades_of_the_terminal_are_those_of_the_norms(charrnn) -> None:
    """Each character of the triangle against its value in the JSON document."""
    triangle = parts(json.loads(charrnn("explain", "terms", "--json").out))["triangle"]["values"]
    lines = charrnn("explain", "terms").out.splitlines()
    start = next(i for i, line in enumerate(lines) if "‖term(t, k)‖ of dW" in line) + 2
    largest = max(value for row in triangle for value in row if value is not None)
    for row, line in zip(triangle, lines[start : start + 10], strict=True):
        shown = line[5:]
        expected = ""
        for value in row:
            if value is not None:
                shade = next((s for least, s in SHADES if value >= least * largest), "·")
                expected += 2 * shade
        assert shown.rstrip() == expected
    readme = (Path(__file__).parent.parent / "README.md").read_text(encoding="utf-8")
    block = "\n".join(line.rstrip() for line in lines[start - 2 : start + 10])
    assert block in "\n".join(line.rstrip() for line in readme.splitlines())


OVERFLOWING = [
    "--set", "model.activation=relu", "--set", "model.layers=16",
    "--set", "model.initialization.recurrent_gain=1e6",
]  # fmt: skip


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["trems"], 2, "did you mean terms?"),
        (["zzz"], 2, "topics: forward, softmax"),
        (["terms", "nothing"], 2, "neither a checkpoint nor a config"),
        (["terms", "none.safetensors"], 3, "there is no checkpoint"),
        (["terms", "tiny", "-c", "tiny"], 2, "are both given"),
        (["terms", "--text", ""], 2, "at least two different characters"),
        (["terms", "--text", "aaa"], 2, "at least two different characters"),
        (["terms", "--text", "ab" * 61], 2, "give 2 to 121"),
        (["terms", "RUN", "--text", "x"], 2, "'x' (U+0078)"),
        (["terms", "RUN", "--text", "T"], 2, "--text has 1 character."),
        (["terms", "RUN", "--seed", "3"], 2, "is a checkpoint, which has its own"),
        (["terms", "--step", "11"], 2, "choose 1 to 10"),
        (["terms", "--layer", "2"], 2, "there is only layer 1"),
        (["truncation", "--window", "2", "--stride", "3"], 2, "--stride 3 is not between"),
        (["slips", "--set", "model.layers=2"], 2, "choose --layers 1"),
        (["terms", "names", "--text", "a\nb"], 2, "more than one line"),
        (["terms", "--plot", "x.jpg"], 2, ".png, .svg, .pdf"),
        (["terms", "--title", "x"], 2, "--title is the title of a plot"),
        (["terms", *OVERFLOWING, "--text", "ab" * 60], 1, "the network overflows"),
    ],
)  # fmt: skip
def test_explain_refuses(charrnn, trained, arguments, code, words) -> None:
    arguments = [trained if part == "RUN" else part for part in arguments]
    outcome = charrnn("explain", *arguments)
    assert (outcome.code, words in outcome.err) == (code, True), outcome.err
    assert not outcome.out


def test_a_plot_without_matplotlib_says_what_to_install(charrnn, monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    outcome = charrnn("explain", "terms", "--plot", "x.png")
    assert (outcome.code, "charrnn[plot]" in outcome.err) == (2, True)


# --- what the tables say ---


def columns_of(parts: list, name: str) -> dict:
    return next(part for part in parts if getattr(part, "name", "") == name).columns


def test_the_tables_of_terms_are_sums_of_the_terms() -> None:
    example = example_of(problem_of(2), step=6)
    found = double_sum_terms(example.problem, TANH, 0)
    t, k = np.indices((7, 7)) + 1
    shown = TOPICS["terms"].explain(example)
    sums = columns_of(shown, "sums")
    for n in range(1, 8):
        for heading, chosen in (("row t = n", t == n), ("column k = n", k == n)):
            norm = np.linalg.norm(found.sum("W", chosen))
            assert sums[heading][n - 1] == pytest.approx(norm, rel=1e-12)
        norm = np.linalg.norm(found.sum("W", t - k == n - 1))
        assert sums["lag n - 1: dW"][n - 1] == pytest.approx(norm, rel=1e-12)
    loss = columns_of(shown, "loss")
    assert loss["missing"][-1] == pytest.approx(0, abs=1e-12)
    whole = found.sum("W", t == 6)
    first = found.sum("W", (t == 6) & (k == 6))
    missing = np.linalg.norm(whole - first) / np.linalg.norm(whole)
    assert loss["missing"][0] == pytest.approx(missing, rel=1e-12)


@pytest.mark.parametrize("layers", [1, 2])
def test_the_tables_of_the_other_topics(layers: int) -> None:
    example = example_of(problem_of(3, layers), layer=1, step=4)
    _, gradient = example.bptt
    recursion = columns_of(TOPICS["forward-mode"].explain(example), "recursion")
    assert recursion["unrolled"] == pytest.approx(recursion["‖∂h_k/∂W‖"], rel=1e-12)
    assert recursion["‖∂h_k/∂W*‖"][-1] != pytest.approx(recursion["unrolled"][-1], rel=1e-3)
    added = columns_of(TOPICS["backward"].explain(example), "added")
    norm = np.linalg.norm(gradient.layers[0].W)
    assert added["dW so far"][-1] == pytest.approx(norm, rel=1e-12)
    assert added["dW so far"][0] == pytest.approx(added["dW: ⊗ h_{t-1}"][0], rel=1e-12)
    softmax_sum = columns_of(TOPICS["softmax"].explain(example), "sum")
    for y, same, others in zip(
        softmax_sum["y_j"], softmax_sum["i = j"], softmax_sum["i ≠ j"], strict=True
    ):
        assert (same != 0) == (y == 1)
        assert (others == 0) == (y == 1)
    steps = columns_of(TOPICS["output"].explain(example), "steps")
    for t in range(1, 8):
        product = steps["‖do_t‖"][t - 1] * steps["‖h_t‖"][t - 1]
        assert steps["‖do_t ⊗ h_t‖"][t - 1] == pytest.approx(product, rel=1e-12)
    curves = next(
        p for p in TOPICS["update"].explain(example) if getattr(p, "name", "") == "descent"
    )
    line = curves.lines["predicted by the slope"]
    slope = (line[-1] - line[0]) / (curves.x[-1] - curves.x[0])
    assert slope == pytest.approx(-(gradient.flat @ gradient.flat), rel=1e-9)


def test_without_biases_none_is_named(charrnn) -> None:
    for topic in ("forward", "output", "backward"):
        shown = charrnn("explain", topic, "--set", "model.bias=false").out
        assert not re.search(r"\+ b\b|\+ c\b|db|dc", shown), topic


def test_a_single_unit_refuses_a_formula_of_another_shape(charrnn) -> None:
    out = charrnn("explain", "slips", "--set", "model.hidden_size=1").out
    assert "heading-U, dW's formula for dU: cannot be added" in out


def test_a_gradient_whose_norm_overflows_is_refused(charrnn) -> None:
    settings = ["--set", "model.activation=relu", "--set", "model.hidden_size=8"]
    settings += ["--set", "model.initialization.recurrent_gain=1e6"]
    for topic in ([], ["update"], ["slips"]):
        outcome = charrnn("explain", *topic, *settings, "--text", "hello world hello world hello w")
        assert (outcome.code, "the network overflows" in outcome.err) == (1, True), outcome.err


def test_a_run_without_steps_is_not_trained(charrnn, text_file) -> None:
    charrnn("train", text_file, *TINY, "--max-steps", 0, "--out", "run")
    document = json.loads(charrnn("explain", "forward", "run", "--text", "The", "--json").out)
    assert document["network"]["trained"] is False


def test_what_vanishes_below_the_top_layer_is_said_of_that_layer_only(charrnn) -> None:
    settings = ["--set", "model.layers=2", "--set", "model.initialization.recurrent_gain=0.5"]
    below, top = (
        charrnn("explain", "vanishing", *settings, "--layer", layer).out for layer in (1, 2)
    )
    assert "gradients on the way within layer 1 must vanish" in below
    assert ": gradients must vanish" in top


@pytest.mark.parametrize(("stride", "reach"), [(1, 3), (2, 4), (3, 5), (4, 4), (7, 7), (3, 20)])
def test_the_kept_terms_are_those_of_sweeps_over_cut_windows(stride: int, reach: int) -> None:
    """Each sweep as BPTT of its own window, in which only the newest losses count."""
    problem = problem_of(11, steps=12)
    params, (x, y, *_), h0, _ = problem
    h = states(params, x, h0, TANH)
    dW = np.zeros((4, 4))
    for end in range(stride, 12 + stride, stride):
        start, last = max(end - reach, 0), min(end, 12)
        targets = y[start:last].copy()
        targets[: max(end - stride - start, 0)] = -1
        if (targets >= 0).any():
            window = Window(x[start:last], targets, np.array([start == 0]))
            dW += bptt(params, window, h[start], TANH, "sum")[1].W
    kept = double_sum_terms(problem, TANH, 0).sum("W", kept_terms(12, stride, reach))
    np.testing.assert_allclose(kept, dW, rtol=1e-10, atol=1e-13)


@pytest.mark.parametrize("topic", ["vanishing", "slips"])
def test_a_long_explanation_is_announced(charrnn, monkeypatch, topic) -> None:
    assert "about" not in charrnn("explain", topic).err
    monkeypatch.setattr("charrnn.commands.explain.seconds_per_multiplication", lambda: 1.0)
    assert f"note: {topic} for H = 3 over 10 characters: about" in charrnn("explain", topic).err


def test_a_window_beyond_all_texts_is_refused(charrnn) -> None:
    assert charrnn("explain", "truncation", "--window", "9" * 21, "--stride", 5).code == 2


@pytest.mark.parametrize("topic", ["forward", "terms", "truncation", "softmax"])
def test_no_character_of_the_text_turns_the_direction_of_the_line(charrnn, topic) -> None:
    outcome = charrnn("explain", topic, "--text", "run\u2066s \u202eon\u2028")
    assert outcome.code == 0
    assert not set("\u2066\u202e\u2028") & set(outcome.out)
