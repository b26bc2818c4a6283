"""The network reads a string: equations (1) to (6)."""

import numpy as np

from charrnn.analysis.jacobians import inputs_of, pre_activations
from charrnn.arrays import Array
from charrnn.explanation.example import STEP_AND_INPUT, Example
from charrnn.model.loss import cross_entropy, softmax
from charrnn.results import Columns, Matrix, Part, Statement, Table
from charrnn.wording import decimal


def forward(example: Example) -> list[Part]:
    """x_t, a_t, h_t, o_t, ŷ_t and L_t of every step."""
    lane, o, y = example.lane, example.o, example.problem.window.y
    probabilities = softmax(o)
    losses = cross_entropy(o[1:], y[:, 0])
    a = example.own(pre_activations(example.params, lane.x, lane.h, lane.M))
    h = example.own(lane.h)
    steps = range(1, example.steps + 1)
    columns: Columns = {
        "t": list(steps),
        "x_t": [example.input_at(t) for t in steps],
    }
    columns |= example.by_unit("a_t,{}", a[1:]) | example.by_unit("h_t,{}", h[1:])
    columns |= {
        "y_t": [example.target_at(t) for t in steps],
        "ŷ_t(y_t)": [float(probabilities[t, y[t - 1, 0]]) for t in steps],
        "L_t": losses.tolist(),
    }
    total, shown = float(losses.sum()), example.shown
    return [
        *_equations(example),
        Table(
            "steps",
            f"step by step{example.units_note}",
            columns,
            equation="(1)–(5)" if example.params.depth == 1 else "(22)",
        ),
        Statement(
            f"L = Σ_t L_t = {decimal(total)} nats; J = L / T = {decimal(total / example.steps)} "
            f"nats per character; ln {len(example.alphabet)} = "
            f"{decimal(np.log(len(example.alphabet)))} if all characters were equally likely",
            "(6)",
        ),
        _at_step(example, a),
        Matrix(
            "o",
            "logits o_t",
            o[1:][:, shown],
            example.labels,
            example.characters,
            "t, x_t",
            "character",
            shown="terminal",
            equation="(3)",
        ),
        Matrix(
            "probabilities",
            "probabilities ŷ_t of the next character",
            probabilities[1:][:, shown],
            example.labels,
            example.characters,
            STEP_AND_INPUT,
            "next character",
            equation="(4)",
        ),
        example.over_time("h", "state h_t", h[1:]),
    ]


def _equations(example: Example) -> list[Part]:
    n, depth = example.layer, example.params.depth
    bias = example.weights.b is not None
    if depth == 1:
        a = Statement("a_t = U x_t + W h_{t-1}" + " + b" * bias, "(1)")
    else:
        below = f"h_t^{n - 1}" if n > 1 else "x_t"
        a = Statement(f"a_t^{n} = U^{n} {below} + W^{n} h_{{t-1}}^{n}" + f" + b^{n}" * bias, "(22)")
    return [
        a,
        Statement(f"h_t = {example.f}(a_t)", "(2)"),
        Statement("o_t = V h_t" + " + c" * bias + ", from the top layer" * (depth > 1), "(3)"),
        Statement("ŷ_t = softmax(o_t)", "(4)"),
        Statement("L_t = -ln ŷ_t(y_t), with the next character y_t = x_{t+1}", "(5)"),
    ]


def _at_step(example: Example, a: Array) -> Statement:
    """Equation (1) for one unit, in numbers."""
    t, layer, lane = example.step, example.weights, example.lane
    below = inputs_of(example.params, lane, t)[example.layer - 1]
    before = example.own(lane.h[t - 1])
    parts = [float(layer.U[0] @ below), float(layer.W[0] @ before)]
    parts += [float(layer.b[0])] if layer.b is not None else []
    total = " + ".join(map(decimal, parts)).replace("+ -", "- ")
    a_1, h_1 = decimal(a[t, 0]), decimal(example.own(lane.h[t])[0])
    return Statement(
        f"unit 1 at t = {t}: a = {total} = {a_1}, h = {example.f}({a_1}) = {h_1}",
        "(1), (2)" if example.params.depth == 1 else "(22)",
    )
