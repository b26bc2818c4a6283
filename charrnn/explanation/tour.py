"""The topics, and what they have to say about one network, in a few lines."""

import numpy as np

from charrnn.analysis.terms import double_sum_terms
from charrnn.analysis.truncation import agreement
from charrnn.explanation.example import Example, relative_difference
from charrnn.explanation.slipped import SLIPS, slipped_gradient
from charrnn.explanation.topics import TOPICS
from charrnn.explanation.update import descended, first_rate, loss_of
from charrnn.results import Part, Statement, Table
from charrnn.wording import decimal, pluralize


def tour(example: Example) -> list[Part]:
    """A list of the topics, and the gradient of the example from its loss to an update."""
    (loss, gradient), T, n = example.bptt, example.steps, example.layer
    found = double_sum_terms(example.problem, example.activation, n - 1)
    name, dW = f"d{example.name('W')}", gradient.layers[n - 1].W
    lag = np.subtract.outer(np.arange(T), np.arange(T))
    newest = agreement(found.sum("W", lag == 0).ravel(), dW.ravel()).norm_ratio
    error = relative_difference(found.sum("W"), dW)
    rate, uniform = first_rate(example), T * np.log(len(example.alphabet))
    after = loss_of(example, descended(example.params, gradient, rate))
    H, size = example.params.hidden_size, example.params.state_size
    sigma = example.activation.steepest * float(np.linalg.norm(example.weights.W, 2))
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
        Statement(
            f"forward: {pluralize(T, 'character')} read; the losses of the next ones add up to "
            f"{decimal(loss)} nats, to {decimal(uniform)} if all were equally likely"
        ),
        Statement(
            f"softmax, output: do_t = ŷ_t - y_t reaches V at once: ‖dV‖ = "
            f"{decimal(float(np.linalg.norm(gradient.V)))}"
        ),
        Statement(
            f"backward, terms: ‖{name}‖ = {decimal(float(np.linalg.norm(dW)))}, the sum of "
            f"{pluralize(T * (T + 1) // 2, 'term')}, one for each loss and earlier step (to "
            f"{error:.0e}); those that go back no step have {newest:.0%} of its norm"
        ),
        Statement(
            f"forward-mode: the same from {size * H * H:,} derivatives a step, which BPTT "
            f"replaces by {pluralize(size * T, 'stored state')}"
        ),
        Statement(
            f"update: one step with lr = {rate:g} takes the loss from {decimal(loss)} to "
            f"{decimal(after)}"
        ),
        Statement(
            f"vanishing: γσ₁ = {sigma:.3f}, "
            + ("so gradients must vanish" if sigma < 1 else "so the bound lets gradients grow")
        ),
        *_slip(example),
    ]


def _slip(example: Example) -> list[Part]:
    if example.params.depth > 1:
        return []
    slip = next(slip for slip in SLIPS if slip.name == "star")
    found = slipped_gradient(example.problem, example.activation, slip.rules).W
    dW = example.bptt[1].W
    error = agreement(found.ravel(), dW.ravel()).error
    return [
        Statement(
            f"slips: with ∂h_k/∂W total, not immediate, in (14), dW would be off by {error:.0%}"
        )
    ]
