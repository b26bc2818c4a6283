"""Every term of the double sum, one for each pair of a loss and an earlier use of the weights."""

from typing import NamedTuple

import numpy as np

from charrnn.analysis.flow import by_lag
from charrnn.analysis.problems import Problem, one_hot
from charrnn.arrays import Array
from charrnn.model.activations import Activation
from charrnn.model.params import Params
from charrnn.model.rnn import states


class Terms(NamedTuple):
    """The terms of (14) for one layer and one lane.

    The term of loss t and step k is the outer product of `brackets[t - 1, k - 1]` with
    `factors[parameter][k - 1]`.

    Attributes:
        brackets: D_k (∂h_t/∂h_k)ᵀ Vᵀ do_t (T, T, H); 0 for k > t.
        factors: What stands after ⊗, for W, U and b: h_{k-1} (T, H), x_k or the state of the layer
            below (T, A or H), and 1 (T, 1).
    """

    brackets: Array
    factors: dict[str, Array]

    def norms(self, parameter: str) -> Array:
        """The norm of each term (T, T); NaN for k > t, where there is none."""
        norms = np.linalg.norm(self.brackets, axis=-1)
        norms *= np.linalg.norm(self.factors[parameter], axis=-1)
        return np.where(np.tri(len(norms), dtype=bool), norms, np.nan)

    def sum(self, parameter: str, chosen: Array | None = None) -> Array:
        """The sum of the terms, or of those chosen in a (T, T) array of booleans."""
        if chosen is None:
            chosen = np.tri(len(self.brackets), dtype=bool)
        t, k = np.nonzero(chosen)
        total: Array = self.brackets[t, k].T @ self.factors[parameter][k]
        return total


def double_sum_terms(problem: Problem, activation: Activation, layer: int) -> Terms:
    """Computes the terms of the summed loss, all losses together, one lag at a time.

    Args:
        problem: Weights, window and initial state of one lane; every step has a target.
        activation: The activation f.
        layer: The number of the layer, from 0.

    Returns:
        The terms.
    """
    params, (x, *_), h0, _ = problem
    T = len(x)
    brackets = np.zeros((T, T, params.hidden_size))
    for lag, found in enumerate(by_lag(problem, activation, T - 1)):
        k = np.arange(T - lag)
        brackets[k + lag, k] = params.by_layer(found.da)[layer][:, 0]
    h = params.by_layer(states(params, x, h0, activation)[:, 0])
    below = h[layer - 1, 1:] if layer else one_hot(x[:, 0], params.alphabet_size)
    return Terms(brackets, {"W": h[layer, :-1], "U": below, "b": np.ones((T, 1))})


def with_sums(params: Params, terms: Terms, layer: int) -> dict[str, Array]:
    """The summed terms by the names of a layer's parameters, in their shapes."""
    suffix = params.layout.suffixes[layer]
    sums = {f"{name}{suffix}": terms.sum(name) for name in terms.factors}
    sums[f"b{suffix}"] = sums[f"b{suffix}"][:, 0]
    return {name: array for name, array in sums.items() if name in params.layout.shapes}
