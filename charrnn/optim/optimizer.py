"""What an optimizer is: `init` makes the state, `update` changes weights and state in place."""

from collections.abc import Callable
from dataclasses import dataclass
from math import prod

import numpy as np

from charrnn.arrays import Array
from charrnn.model.params import Params
from charrnn.model.workspace import Workspace
from charrnn.optim.slicing import ForEachSlice, in_one_slice

Slots = dict[str, Params]

AVERAGE = "average"  # the slot of the running average of the weights


@dataclass
class OptimizerState:
    """State of an optimizer.

    Attributes:
        count: Number of updates made.
        slots: Running averages in the layout of the parameters, by name.
    """

    count: int
    slots: Slots

    def averaged(self, params: Params) -> Params:
        """The running average of the weights; the weights themselves if none is kept."""
        return self.slots.get(AVERAGE, params)


# An update in place: (count, θ, gradient, slots in the order of their names, learning rate, a
# workspace). All arrays have the same shape; the gradient may be overwritten too.
Rule = Callable[[int, Array, Array, list[Array], float, Workspace], None]


@dataclass(frozen=True)
class Optimizer:
    """An optimizer that updates each entry by itself, or the matrices between units as a whole.

    Attributes:
        slot_names: Names of the running averages that it keeps.
        rule: The update of any entries (N,).
        matrix_rule: The update of whole matrices (N, H, H) between units, which are each W, and U
            of the upper layers; None for that of their entries.
        weight_decay: λ, by which matrices, not biases, also lose lr λ θ in an update.
        averaging: α, with which θ̄ ← θ̄ + (θ - θ̄) / (1 + α n) after n updates: an average over about
            the last α n of them. 0 keeps no average.

    Reference:
        Polyak & Juditsky 1992, "Acceleration of stochastic approximation by averaging"; for a
        window that grows with the run Karras et al. 2024, "Analyzing and improving the training
        dynamics of diffusion models", arXiv 2312.02696.
    """

    slot_names: tuple[str, ...]
    rule: Rule
    matrix_rule: Rule | None = None
    weight_decay: float = 0.0
    averaging: float = 0.0

    @property
    def state_names(self) -> list[str]:
        """The names of all slots of its state."""
        return [*self.slot_names, *([AVERAGE] if self.averaging else [])]

    def init(self, params: Params) -> OptimizerState:
        """The state before the first update: zeros, and the weights as their own average."""
        slots = {name: params.zeros_like() for name in self.slot_names}
        if self.averaging:
            slots[AVERAGE] = params.map(np.copy)
        return OptimizerState(0, slots)

    def update(
        self,
        gradient: Params,
        state: OptimizerState,
        params: Params,
        learning_rate: float,
        for_each_slice: ForEachSlice = in_one_slice,
    ) -> None:
        """Makes one update in place.

        Args:
            gradient: The gradient, which may be overwritten.
            state: The optimizer's state.
            params: The weights.
            learning_rate: lr.
            for_each_slice: Runs the work on slices of the flat arrays.
        """
        state.count += 1
        slots = [state.slots[name].flat for name in self.slot_names]
        layout = params.layout

        def update(start: int, stop: int, rule: Rule, *matrix: int) -> None:
            def update_slice(part: slice, workspace: Workspace) -> None:
                entries = slice(start + part.start, start + part.stop)
                if self.weight_decay:
                    matrices = max(layout.matrices_size - entries.start, 0)
                    params.flat[entries][:matrices] *= 1 - learning_rate * self.weight_decay
                theta, g, *of_slice = (
                    array[entries].reshape(-1, *matrix)
                    for array in (params.flat, gradient.flat, *slots)
                )
                rule(state.count, theta, g, of_slice, learning_rate, workspace)
                if self.averaging:
                    average = state.slots[AVERAGE].flat[entries].reshape(theta.shape)
                    change = np.subtract(theta, average, out=g)
                    change /= 1 + self.averaging * state.count
                    average += change

            for_each_slice(update_slice, stop - start, prod(matrix))

        if self.matrix_rule is None:
            return update(0, layout.size, self.rule)
        square, H = layout.between_units, params.hidden_size
        update(0, square.start, self.rule)
        update(square.start, square.stop, self.matrix_rule, H, H)
        update(square.stop, layout.size, self.rule)
