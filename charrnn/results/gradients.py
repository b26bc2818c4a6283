"""Results of gradient checks, gradient flow and truncation."""

from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from charrnn.arrays import Array
from charrnn.results.display import Displayed

ALL_PARAMETERS = "all"  # the name of a direction in all of them
Verdict = Literal["passed", "failed", "undecidable"]


@dataclass(frozen=True)
class CheckedProblem:
    """What the gradients were checked on: a model, its loss, and a window of B lanes of T steps.

    Attributes:
        window: The number of the training window; None for random passages.
        windows_per_epoch: How many there are.
        stride: The characters with a loss per lane and window; None for all.
        warm_up: The steps of the window before its first loss.
        workers: The threads that share its lanes.
        memory: "recompute" if states are computed twice.
    """

    model: str
    activation: str
    reduction: str
    hidden_size: int
    alphabet_size: int
    time_steps: int
    batch_size: int
    layers: int = 1
    dropout: float = 0.0
    window: int | None = None
    windows_per_epoch: int | None = None
    stride: int | None = None
    warm_up: int = 0
    workers: int = 1
    memory: str = "plain"


@dataclass(frozen=True)
class Entry:
    """Comparison of BPTT with one oracle in one parameter.

    Attributes:
        oracle: Name of the oracle.
        parameter: Name of the parameter.
        shape: Its shape.
        relative_error: The largest difference divided by the largest entry of this parameter's
            gradient, so that a small parameter does not hide behind a large one. Differences in
            entries far below the largest one are not resolved. None if nothing could be compared.
        worst_index: Where the difference is largest.
        bptt_value: BPTT's derivative there.
        oracle_value: The oracle's derivative there.
        compared: Number of entries compared.
        verdict: "undecidable" if the gradient is below what rounding lets the oracle resolve.
        along_direction: Whether derivatives along a random direction were compared, which depend on
            all entries of the parameter at once, or of all for ALL_PARAMETERS.
    """

    oracle: str
    parameter: str
    shape: tuple[int, ...]
    relative_error: float | None
    worst_index: tuple[int, ...] | None
    bptt_value: float | None
    oracle_value: float | None
    compared: int
    verdict: Verdict
    along_direction: bool = False


@dataclass(frozen=True)
class GradientCheck(Displayed):
    """Result of a gradient check: an entry for each oracle and parameter.

    Attributes:
        checked: The problem.
        entries: First those along random directions.
        not_run: The reason for each oracle that did not run, by name.
    """

    checked: CheckedProblem
    entries: list[Entry]
    not_run: dict[str, str] = field(default_factory=dict)

    @property
    def passed(self) -> bool:
        """Whether nothing failed and each parameter passed with at least one oracle."""
        failed = any(entry.verdict == "failed" for entry in self.entries)
        return bool(self.entries) and not failed and not self.unconfirmed

    @property
    def unconfirmed(self) -> list[str]:
        """The parameters that passed with no oracle."""
        confirmed = {entry.parameter for entry in self.entries if entry.verdict == "passed"}
        compared = dict.fromkeys(entry.parameter for entry in self.entries)
        return [name for name in compared if name not in confirmed | {ALL_PARAMETERS}]


class Decay(NamedTuple):
    """How fast a gradient decays or grows with the lag.

    Attributes:
        kind: "steady" if it changes by less than half a percent per character.
        rate: Factor per character of the exponential that fits the lags from 1 on best.
        half_life: Characters in which the gradient halves, or doubles if it grows; inf if it is
            constant.
        one_percent: The first lag from which on less than 1 % is left of lag 0, or of the largest
            norm in layers below the top one; None if there is none.
    """

    kind: Literal["vanishing", "steady", "exploding"]
    rate: float
    half_life: float
    one_percent: int | None


class Spectrum(NamedTuple):
    """Singular values of W (H,), largest first, and the largest modulus of its eigenvalues."""

    singular_values: Array
    radius: float


class Saturation(NamedTuple):
    """Statistics of the slopes f′(a) of all units at all steps.

    Attributes:
        mean: Mean over units and steps.
        saturated: Fraction below a tenth of the steepest slope γ.
        stuck: Number of units that are below it at every step.
    """

    mean: float
    saturated: float
    stuck: int


@dataclass(frozen=True)
class Flow:
    """The gradient flow through one layer of a model, lag by lag.

    Attributes:
        activation: Name of the activation.
        recurrent_gain: Scale of W if several are compared, else None.
        layer: The number of the layer, from 1.
        losses: losses[l] is the number of losses that were followed back over l characters.
        norms: norms[l] is their mean ‖∂L_t/∂h_{t-l}‖.
        bound: bound[l] is the upper bound (18) on it.
        decay: The decay of the norms; in layers below the top one from their largest norm on.
        peak: The lag of the largest norm there; 0 in the top layer.
        contraction: γσ₁, by which the bound changes per character; below 1 the gradient vanishes.
        spectrum: The spectrum of W.
        lyapunov_exponents: The largest exponents of the model, in nats per character.
        saturation: The slopes of the units.
    """

    activation: str
    recurrent_gain: float | None
    layer: int
    losses: Array
    norms: Array
    bound: Array
    decay: Decay
    peak: int
    contraction: float
    spectrum: Spectrum
    lyapunov_exponents: Array
    saturation: Saturation


class Agreement(NamedTuple):
    """A gradient g compared with the full one G, over all parameters.

    Attributes:
        cosine: Cosine of the angle between them.
        norm_ratio: ‖g‖ / ‖G‖.
        error: ‖g - G‖ / ‖G‖.
    """

    cosine: float
    norm_ratio: float
    error: float


@dataclass(frozen=True)
class Truncation:
    """What truncation costs one model on one text.

    Attributes:
        tolerance: The error that is accepted.
        by_reach: by_reach[k - 1] is the gradient with each loss followed back k steps.
        by_window: by_window[k] is the gradient of windows of k steps, end to end.
        within_reach: The smallest k from which on the error by reach is within the tolerance; None
            if there is none.
        within_window: The same for windows.
    """

    tolerance: float
    by_reach: list[Agreement]
    by_window: dict[int, Agreement]
    within_reach: int | None
    within_window: int | None


@dataclass(frozen=True)
class GradientFlow(Displayed):
    """The gradient flow through one model or several compared, and what truncation costs.

    Attributes:
        model: Name of the checkpoint or config.
        steps: Training steps of a checkpoint; None for a model before training.
        hidden_size: H.
        layers: L.
        alphabet_size: A.
        lines: Whether each sequence of the text is one window, whatever its length.
        flows: One for each layer, from the first up; of several models, one for the top layer of
            each.
        truncation: None if it was not measured.
    """

    model: str
    steps: int | None
    hidden_size: int
    layers: int
    alphabet_size: int
    lines: bool
    flows: list[Flow]
    truncation: Truncation | None

    @property
    def compared(self) -> bool:
        """Whether these are several models, not the layers of one."""
        return self.flows[0].recurrent_gain is not None
