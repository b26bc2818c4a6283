"""The changes of a config that advice may name, each with the command that makes it."""

from pathlib import Path
from typing import Any

from charrnn.config.settings import Config
from charrnn.keywords import KEYWORD_OF
from charrnn.results import Advice, Remedy
from charrnn.setup.run_files import RunFiles
from charrnn.text.sources import STDIN
from charrnn.training.trainer import ROLLBACK_RATE_FACTOR
from charrnn.wording import as_typed, call

GREATER = 3  # halves of the hidden size, of a larger network
MAX_DROPOUT = 0.5
FEWEST_STEPS = 300  # of a run, in which a ReLU network gets over its exploding start


class Remedies:
    """Makes the advice of each name; None where the config has no use for it."""

    def __init__(
        self,
        config: Config,
        path: str,
        steps: float,
        best_step: int,
        rate_factor: float,
        rollbacks: int,
    ) -> None:
        """Takes what the changes depend on.

        Args:
            config: The config of the run.
            path: Its directory; empty if it has none.
            steps: The steps of the whole run.
            best_step: The step after which it was best.
            rate_factor: By which a learning rate is raised or lowered.
            rollbacks: How often the run was rolled back, which lowered the rate.
        """
        self._config, self._path = config, path
        self._steps, self._best_step = max(steps, 1.0), best_step
        self._higher = rate_factor
        self._lower = ROLLBACK_RATE_FACTOR**rollbacks / rate_factor

    def longer(self) -> Advice:
        """Twice as long."""
        schedule = self._config.schedule
        # at a constant rate, only the warm-up of a longer run would differ from the steps so far
        goes_on = schedule.name == "constant" and schedule.warmup <= 0.5
        return self._length("longer", "Train for twice as long", 2.0, goes_on)

    def shorter(self) -> Advice:
        """About as long as held-out loss fell."""
        # as its learning rate falls in time, such a run is better than the best step of this one
        steps = min(2 * self._best_step, (self._best_step + self._steps) / 2)
        return self._length("shorter", "Make fewer steps", steps / self._steps)

    def larger(self) -> Advice | None:
        """More hidden units."""
        size = GREATER * self._config.model.hidden_size // 2
        return self._network("larger", "Try a larger network", "hidden_size", size)

    def relu(self) -> Advice | None:
        """Another activation."""
        if self._steps < FEWEST_STEPS:
            return None
        return self._network("relu", "ReLU may help", "activation", "relu")

    def dropout(self) -> Advice | None:
        """More dropout."""
        rate = round(self._config.model.dropout + 0.1, 6)
        if rate > MAX_DROPOUT:
            return None
        return self._change("dropout", "Drop units in training", "model.dropout", rate)

    def anneal(self) -> Advice | None:
        """A learning rate that falls, where it is constant and weights are not averaged."""
        if self._config.schedule.name != "constant" or self._config.training.averaging:
            return None
        return self._change("anneal", "Let the learning rate fall", "schedule.name", "cosine")

    def lower_rate(self) -> Advice:
        """A lower learning rate."""
        return self._rate("lower_rate", "Lower the learning rate", self._lower)

    def higher_rate(self) -> Advice:
        """A higher learning rate."""
        return self._rate("higher_rate", "Raise the learning rate", self._higher)

    def more_text(self) -> Advice:
        """More text; which, only the user knows."""
        return Advice("more_text", "More text would help most")

    def hold_out(self) -> Advice:
        """A part of the text held out."""
        words = "Hold out a part of the text"
        return self._change("hold_out", words, "data.validation_fraction", 0.1)

    def _rate(self, remedy: Remedy, words: str, factor: float) -> Advice:
        rate = float(f"{self._config.optimizer.learning_rate * factor:.3g}")
        return self._change(remedy, words, "optimizer.learning_rate", rate)

    def _network(self, remedy: Remedy, words: str, key: str, value: Any) -> Advice | None:
        """A change of the network; None if that comes with the weights to start from."""
        model = self._config.model
        if model.init_from is not None or getattr(model, key) == value:
            return None
        return self._change(remedy, words, f"model.{key}", value)

    def _length(self, remedy: Remedy, words: str, factor: float, resume: bool = False) -> Advice:
        """Another length of the run, in the unit of its limit; of several, in steps."""
        training = self._config.training
        values = {
            "max_steps": max(round(_rounded(factor * self._steps)), 1),
            "epochs": training.epochs and _rounded(factor * training.epochs),
            "max_time": training.max_time and f"{_rounded(factor * training.max_time):g}s",
        }
        given = [name for name in values if getattr(training, name) is not None]
        limit = given[0] if len(given) == 1 else "max_steps"
        key = f"training.{limit}"
        return self._change(remedy, words, key, values[limit], resume)

    def _change(
        self, remedy: Remedy, words: str, key: str, value: Any, resume: bool = False
    ) -> Advice:
        command = ""
        if self._path:
            name = KEYWORD_OF.get(key)
            typed = as_typed(value)
            setting = {name: typed} if name else {"settings": f"{key}={typed}"}
            config = str(RunFiles(Path(self._path)).config)
            base = {"resume": self._path} if resume else {"config": config}
            piped = ["-"] if STDIN in self._config.data.text else []
            command = call("train", *piped, **base, **setting)
        return Advice(remedy, words, {key: value}, command)


def _rounded(value: float) -> float:
    """A number to two digits, unless it has few anyway."""
    return float(f"{value:.2g}") if value != float(f"{value:.3g}") else value
