"""The settings that were chosen for a text and a budget."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

from charrnn.wording import pluralize, rough_duration

NAMES = {
    "training.batch_size": "batch size",
    "optimizer.name": "optimizer",
    "optimizer.learning_rate": "learning rate",
    "optimizer.weight_decay": "weight decay",
    "model.dropout": "dropout",
    "training.averaging": "averaging",
}

EXAMPLES = (  # of what may be given
    "model.hidden_size",
    "optimizer.learning_rate",
    "training.batch_size",
    "model.layers",
)

Ends = Literal["time", "given", "passes", "usual"]


@dataclass(frozen=True)
class Plan:
    """What `train` without a config chose, and what it expects.

    Attributes:
        settings: What was chosen, by dotted keys.
        characters: The length of the training text.
        weights: The size of the network.
        passes: Expected passes over the text.
        seconds: Expected duration.
        max_seconds: The time that was given.
        characters_per_second: The speed of this machine, measured if a time was given.
        ends: What ends the run: a given "time", other "given" limits, or the most "passes" that pay
            or, without a limit, the "usual" work.
        doubts: Why the choice may be a bad one.
    """

    settings: dict[str, Any]
    characters: int
    weights: int
    passes: float
    seconds: float
    max_seconds: float | None
    characters_per_second: float | None
    ends: Ends
    doubts: tuple[str, ...]

    def lines(self) -> Iterator[str]:
        """What was chosen and why, with settings in backquotes."""
        chosen = [*self._network(), *self._training()]
        if chosen:
            yield f"chosen for {self._reasons()}: {', '.join(chosen)}."
        else:
            yield "all settings that would be chosen are given."
        yield self._length() + self._hint()
        if self.doubts:
            yield f"this choice is a guess: {'; '.join(self.doubts)}."

    def _reasons(self) -> str:
        text = f"{pluralize(self.characters, 'character')} to train on"
        if self.max_seconds is None or self.characters_per_second is None:
            return text
        speed = f"{float(f'{self.characters_per_second:.2g}'):,.0f} characters/s"
        return f"{text} and {rough_duration(self.max_seconds)} at {speed}"

    def _network(self) -> Iterator[str]:
        layers, size, activation = (
            self.settings.get(f"model.{key}") for key in ("layers", "hidden_size", "activation")
        )
        units = [str(word) for word in (size, activation) if word is not None]
        parts = [] if layers is None else [pluralize(layers, "layer")]
        if units:
            parts.append(" ".join([*units, "units"]))
        if parts:
            yield " of ".join(parts)

    def _training(self) -> Iterator[str]:
        for key, name in NAMES.items():
            if value := self.settings.get(key):
                yield f"{name} {value}" if isinstance(value, str) else f"{name} {value:g}"
        if schedule := self.settings.get("schedule.name"):
            yield f"{schedule} rate"

    def _hint(self) -> str:
        """How to give what was chosen, by the example of something that was."""
        for key in EXAMPLES:
            if key in self.settings:
                value = f"{key}={self.settings[key]:g}"
                return f" To set a value yourself: `{value}`; fixed values: `config=default`"
        return ""

    def _length(self) -> str:
        shown = f"{self.passes:,.0f}" if self.passes >= 100 else f"{self.passes:.2g}"
        passes = f"{shown} {'pass' if shown == '1' else 'passes'} over the text"
        if self.passes < 1:
            passes = f"{float(f'{100 * self.passes:.2g}'):g} % of the text"
        about = f"about {rough_duration(self.seconds)}" if self.seconds >= 1 else "less than 1 s"
        if self.ends == "time":
            return f"The time is enough for {passes}."
        on = f"{about} on two cores" if self.max_seconds is None else about
        sentence = f"{passes[0].upper()}{passes[1:]}, {on}"
        if self.ends == "passes":
            return f"{sentence}; more passes seldom help with such a text."
        if self.ends == "usual":
            return f"{sentence}; another budget: `training.max_time=10m`."
        return f"{sentence}."
