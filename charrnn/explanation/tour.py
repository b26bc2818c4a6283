"""The topics, and what they have to say about one network, in a few lines."""

import numpy as np

from charrnn.analysis.terms import double_sum_terms
from charrnn.analysis.truncation import agreement
from charrnn.explanation.example import Example, norms
from charrnn.explanation.slipped import SLIPS, slipped_gradient
from charrnn.explanation.topics import TOPICS
from charrnn.explanation.truncation import compare, kept_terms
from charrnn.explanation.update import descended, first_rate, loss_of
from charrnn.explanation.vanishing import what_the_bound_allows
from charrnn.results import Part, Statement, Table
from charrnn.wording import decimal, pluralize


def tour(example: Example) -> list[Part]:
    """A list of the topics, and the gradient of the example from its loss to an update."""
    (loss, gradient), T, n = example.bptt, example.steps, example.layer
    found = double_sum_terms(example.problem, example.activation, n - 1)
    name, dW = f"d{example.name('W')}", gradient.layers[n - 1].W
    lag = np.subtract.outer(np.arange(T), np.arange(T))
    newest = agreement(found.sum("W", lag == 0).ravel(), dW.ravel()).norm_ratio
    norm_of_dV, norm_of_dW = norms((gradient.V, dW))
    cut = compare(found, kept_terms(T, example.stride, example.reach))
    rate, uniform = first_rate(example), T * np.log(len(example.alphabet))
    after = loss_of(example, descended(example.params, gradient, rate))
    H, size = example.params.hidden_size, example.params.state_size
    return [
        Table(
            "topics",
            "topics",
            {
                "topic": list(TOPICS),
                "what is seen": [topic.title for topic in TOPICS.values()],
                "equations": [topic.equations for topic in TOPICS.values()],
            },
        ),
        _line(
            "forward",
            f"to predict {pluralize(T, 'character')} costs {decimal(loss)} nats, and would cost "
            f"{decimal(uniform)} if all were equally likely",
        ),
        _line(
            "output",
            f"do_t = ŷ_t - y_t reaches V at once: ‖dV‖ = {decimal(norm_of_dV)}",
        ),
        _line(
            "terms",
            f"‖{name}‖ = {decimal(norm_of_dW)} is a sum of {pluralize(T * (T + 1) // 2, 'term')}, "
            "one for each loss and each step up to it; those of a loss and its own step have "
            f"{newest:.0%} of its norm",
        ),
        _line(
            "forward-mode",
            f"the same from {size * H * H:,} derivatives carried forward, which BPTT replaces by "
            f"{pluralize(size * T, 'stored state')}",
        ),
        _line(
            "update",
            f"a step with lr = {rate:g} takes the loss from {decimal(loss)} to {decimal(after)}",
        ),
        _line(
            "vanishing",
            f"γσ₁ = {example.contraction:.3f}: {what_the_bound_allows(example)}",
        ),
        _line(
            "truncation",
            f"BPTT({example.stride}, {example.reach}) would be off by {cut.error:.0%} in {name}",
        ),
        *_slip(example),
    ]


def _line(topic: str, text: str) -> Statement:
    return Statement(f"{topic}: {text}", TOPICS[topic].equations)


def _slip(example: Example) -> list[Part]:
    if example.params.depth > 1:
        return []
    slip = next(slip for slip in SLIPS if slip.name == "star")
    found = slipped_gradient(example.problem, example.activation, slip.rules).W
    dW = example.bptt[1].W
    error = agreement(found.ravel(), dW.ravel()).error
    return [
        _line(
            "slips", f"with ∂h_k/∂W total, not immediate, in (14), dW would be off by {error:.0%}"
        )
    ]
