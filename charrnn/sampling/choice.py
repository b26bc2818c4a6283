"""How the next character is chosen from logits."""

from collections.abc import Callable

import numpy as np

from charrnn.arrays import Array
from charrnn.model.workspace import Workspace

NO_ID = -1  # chosen from logits that are not finite
Choose = Callable[[Array, Array], Array]


def chooser(
    temperature: float = 1.0, top_k: int | None = None, top_p: float = 1.0, min_p: float = 0.0
) -> Choose:
    """A function that chooses characters from logits.

    The restrictions act in the order of the arguments, each on the probabilities that the ones
    before it leave, renormalized. With temperature 0 they leave the choice as it is.

    Args:
        temperature: Divides the logits; 0 chooses the most likely character.
        top_k: The number of most likely characters to choose from.
        top_p: Chooses from the fewest most likely characters whose total probability is at least
            this.
        min_p: Chooses from the characters with at least this fraction of the probability of the
            most likely one: 0 from all, 1 from the most likely one and those as likely.

    Returns:
        A function from logits (B, A) and random numbers (B,) in [0, 1) to ids (B,), which the next
        call overwrites; NO_ID where the logits are not finite. Its caller has to ignore overflow:
        with a tiny temperature all logits but the highest become -inf.

    Reference:
        top_p: Holtzman et al. 2020, The Curious Case of Neural Text Degeneration, arXiv 1904.09751.
        min_p: Nguyen et al. 2024, Turning Up the Heat: Min-p Sampling for Creative and Coherent LLM
        Outputs, arXiv 2407.01082.
    """
    workspace = Workspace()

    def greedy(o: Array, random: Array) -> Array:
        likeliest = o.argmax(axis=1)
        highest = np.take_along_axis(o, likeliest[:, None], axis=1)[:, 0]
        return np.where(np.isfinite(highest), likeliest, NO_ID)

    def choose(o: Array, random: Array) -> Array:
        order = None
        if top_k is not None or top_p < 1 or min_p > 0:
            order = np.argsort(-o, axis=1, kind="stable")[:, :top_k]
            o = np.take_along_axis(o, order, axis=1)
        cumulative = workspace.array("cumulative", o.shape, np.float64)
        np.subtract(o, np.maximum.reduce(o, axis=1, keepdims=True), out=cumulative)
        if temperature != 1:
            cumulative /= temperature
        np.exp(cumulative, out=cumulative)  # the likeliest has 1
        likely = np.count_nonzero(cumulative >= min_p, axis=1).tolist() if min_p > 0 else None
        np.add.accumulate(cumulative, axis=1, out=cumulative)
        chosen = workspace.array("chosen", random.shape, np.intp)
        for lane, row in enumerate(cumulative):
            last = row.size - 1
            if top_p < 1:
                last = row.searchsorted(top_p * row[last])
            if likely is not None:
                last = min(last, max(likely[lane], 1) - 1)
            total = row[min(last, row.size - 1)]
            rank = min(row.searchsorted(random[lane] * total, side="right"), last)
            chosen[lane] = rank if order is None else order[lane, rank]
            if not total > 0:  # not a number
                chosen[lane] = NO_ID
        return chosen

    return choose if temperature else greedy
