"""The losses of a run in progress, and their chart."""

from math import isfinite

import numpy as np
from rich.text import Text

from charrnn.arrays import Array
from charrnn.events import Baselines, Evaluated, Event, RolledBack, Stepped
from charrnn.report.charts import Curve, Level, line_chart

SMOOTHING = 0.98  # of the training loss, per step
MAX_POINTS = 512  # more than a chart has columns of dots
EARLY = 0.1  # of the steps: losses that are larger than all later ones are drawn at the edge


class LossCurves:
    """The training loss, smoothed and thinned, the validation loss and that of the n-gram model.

    The chart may be drawn in another thread than the one that adds events.
    """

    def __init__(self) -> None:
        self._training: list[tuple[int, float]] = []
        self._validation: list[tuple[int, float]] = []
        self._ngram: float | None = None
        self._step: int | None = None
        self._apart = 1  # steps between points
        self._sum = self._weight = 0.0

    @property
    def smoothed(self) -> float:
        """The training loss in nats per character, as a mean that forgets."""
        return self._sum / self._weight

    def add(self, event: Event) -> None:
        """Adds what an event says about losses."""
        if isinstance(event, Stepped):
            self._add_training(event.step, event.nats_per_character)
        elif isinstance(event, Evaluated):
            if event.validation_nats_per_character is not None:
                self._validation.append((event.step, event.validation_nats_per_character))
        elif isinstance(event, Baselines):
            self._ngram = event.ngram_nats_per_character
        elif isinstance(event, RolledBack):
            self._training = [point for point in self._training if point[0] <= event.step]
            self._validation = [point for point in self._validation if point[0] <= event.step]

    def _add_training(self, step: int, nats: float) -> None:
        if not isfinite(nats):  # of a log that someone changed
            return
        # a log lacks most steps
        kept = SMOOTHING ** max(step - (step - 1 if self._step is None else self._step), 1)
        self._step = step
        self._sum = kept * self._sum + (1 - kept) * nats
        self._weight = kept * self._weight + (1 - kept)
        if self._training and step - self._training[-1][0] < self._apart:
            return
        self._training.append((step, self.smoothed))
        if len(self._training) > MAX_POINTS:
            self._training = self._training[::2]
            self._apart *= 2

    @property
    def ngram(self) -> float | None:
        """The loss of the n-gram model, if it is known."""
        return self._ngram

    def points(self) -> dict[str, Array]:
        """Steps and losses (N, 2) of each curve that has any, by its label."""
        curves = {"training": [*self._training], "validation": [*self._validation]}
        return {label: np.array(points) for label, points in curves.items() if points}

    def highest(self, points: dict[str, Array]) -> float | None:
        """The largest loss to show: early ones that are larger than all later ones are not."""
        steps = points["training"][:, 0]
        early = steps[0] + EARLY * (steps[-1] - steps[0])
        late = [y for curve in points.values() for x, y in curve if x >= early]
        late += [] if self._ngram is None else [self._ngram]
        return max(filter(isfinite, late), default=None)

    def chart(self, width: int, height: int) -> Text | None:
        """The chart, of at most these columns and lines; None before there is anything to see."""
        points = self.points()
        if len(points.get("training", ())) < 2:
            return None
        curves = [Curve(label, *curve.T) for label, curve in points.items()]
        levels = [] if self._ngram is None else [Level(f"n-gram {self._ngram:.3f}", self._ngram)]
        title = "loss, nats per character"
        return line_chart(
            curves, width, height, levels=levels, title=title, x="step",
            highest=self.highest(points),
            lettered=False,  # which would come and go between evaluations
        )  # fmt: skip
