"""Finds out what the hidden units of a model follow in a text."""

import re
from collections.abc import Collection, Sequence
from typing import Any

import numpy as np

from charrnn.analysis.unit_states import ReadText, predictions, states_in_order
from charrnn.analysis.units import Correlations, Correlator
from charrnn.arrays import Array
from charrnn.config.layers import changed
from charrnn.errors import CharrnnError, UsageError
from charrnn.model.params import Params
from charrnn.results import FeatureFollower, UnitCorrelation, UnitReport
from charrnn.setup.loading import Model, encode_text, load_model
from charrnn.setup.wiring import sequences_of
from charrnn.system.blas import single_threaded_blas
from charrnn.text.features import features_of
from charrnn.text.text import Text
from charrnn.wording import call, nearest, pluralize, setting

COUNT = 12  # units
PASSAGE = 2000  # characters
PER_UNIT = 5  # features
MAX_CHARACTERS = 200_000  # more would hardly change the correlations
FEW = 5000  # characters, below which a unit may seem to follow anything
BOUNDS = {"tanh": (-1.0, 1.0), "sigmoid": (0.0, 1.0)}


def describe_units(
    checkpoint: str,
    paths: list[str],
    unknown: str | None = None,
    changes: dict[str, Any] | None = None,
    *,
    count: int = COUNT,
    passage: int = PASSAGE,
    chosen: Sequence[int] = (),
) -> tuple[UnitReport, tuple[str, ...]]:
    """Compares the state of each unit after every character with features of the text there.

    Args:
        checkpoint: A checkpoint or a run directory.
        paths: Text files or directories; - reads stdin.
        unknown: What to do with characters that the model does not know; see `unknown_policy`.
        changes: Changes of the model's `data` settings, such as another encoding.
        count: The number of units to describe, those that follow a feature most closely.
        passage: The number of characters at the start of the text whose states are returned.
        chosen: Units to describe instead, by their indices from 0 in the joint state.

    Returns:
        The units, and notes on the text.

    Raises:
        InputError: The checkpoint or the text is unusable, or has unknown characters.
        UsageError: The changes are invalid, or there is no such unit.
        CharrnnError: The states overflow.
    """
    model = load_model(checkpoint, ("eval", *paths))
    for unit in chosen:
        require_unit(unit, model.params)
    model = model._replace(config=changed(model.config, {"data": changes or {}}))
    ids, text, notes = encode_text(model, paths, unknown)
    notes += _notes(len(text))
    return units_of_ids(model, ids, text, count, passage, chosen), notes


@single_threaded_blas()
@np.errstate(over="ignore", invalid="ignore")  # states that overflow are an error below
def units_of_ids(
    model: Model,
    ids: Array,
    text: Text,
    count: int = COUNT,
    passage: int = PASSAGE,
    chosen: Sequence[int] = (),
) -> UnitReport:
    """The same for a text (N,) of the model's ids, and the text that they stand for.

    Raises:
        CharrnnError: The states overflow.
    """
    ids, text = ids[:MAX_CHARACTERS], text[:MAX_CHARACTERS].compact()
    read = _as_read(model, ids)
    uncertainty, surprisal = predictions(read)
    _require_finite(uncertainty)
    features = features_of(
        text, {"the model's uncertainty": uncertainty, "the model's surprisal": surprisal}
    )
    correlator = Correlator(features.values, model.params.state_size)
    passages: list[Array] = []
    position, lowest, highest = 0, np.inf, -np.inf
    for states in states_in_order(read):
        _require_finite(states)
        correlator.add(states)
        passages.append(states[: max(passage - position, 0)].copy())
        position += len(states)
        lowest, highest = min(lowest, float(states.min())), max(highest, float(states.max()))
    found = RankedUnits(features.names, correlator.result(), model.params.hidden_size)
    units = list(chosen) or found.closest_units()[:count]
    lowest, highest = BOUNDS.get(model.activation.name, (lowest, highest))
    return UnitReport(
        text=str(text[:passage]),
        units=tuple(units),
        layers=tuple(map(found.layer, units)),
        names=tuple(map(unit_name, units)),
        features=tuple(found.followed_by(unit)[:PER_UNIT] for unit in units),
        states=np.concatenate(passages)[:, units],
        lowest=lowest,
        highest=highest,
        characters=len(text),
        depth=model.params.depth,
        state_size=model.params.state_size,
        followers=found.followers(),
        omitted=features.omitted,
    )


def unit_name(unit: int) -> str:
    """What commands call a unit with an index from 0: "unit:17" for 16."""
    return f"unit:{unit + 1}"


def unit_view(
    show: str | None, units: int | None, length: int, scoring: Collection[str] = ()
) -> dict[str, Any] | None:
    """What of `describe_units` the options of `eval` ask for; None if they ask for a score.

    Args:
        show: What the text is coloured by: "surprisal", or a unit such as "unit:17".
        units: The number of units to describe.
        length: The number of characters to show.
        scoring: The names of options that were given for a score.

    Raises:
        UsageError: There is no such view, or options contradict each other.
    """
    unit = None if show in (None, "surprisal") else _shown_unit(str(show))
    if unit is None and units is None:
        return None
    asked = "`units`" if units else setting("show", str(show))
    others = [setting("show", str(show))] * bool(units and show) + [f"`{o}`" for o in scoring]
    if others:
        raise UsageError(
            f"{asked} and {others[0]} are both given.", f"run {call('eval')} once for each."
        )
    if units:
        return {"count": units, "passage": 0}
    return {"chosen": [unit], "passage": length}


def _shown_unit(view: str) -> int:
    """The index from 0 of the unit that a view names: 16 for "unit:17"."""
    if found := re.fullmatch(r"unit:([0-9]{1,9})", view):
        return int(found[1]) - 1
    guess = "unit:1" if view.startswith("u") else nearest(view, ["surprisal"])
    raise UsageError(
        f"{setting('show', view)} is not a view.",
        (f"did you mean `show={guess}`? " if guess else "")
        + "choose `show=surprisal` or a unit, numbered from 1, such as `show=unit:17`",
    )


def require_unit(unit: int, params: Params) -> None:
    """Raises UsageError if a model has no unit of this index from 0."""
    count = params.state_size
    if not 0 <= unit < count:
        raise UsageError(
            f"unit {unit + 1} does not exist: the model has {pluralize(count, 'unit')}, counted "
            "from 1.",
            f"the nearest is `show=unit:{min(max(unit, 0), count - 1) + 1}`",
        )


def _notes(characters: int) -> tuple[str, ...]:
    if characters > MAX_CHARACTERS:
        return (f"units are compared on the first {MAX_CHARACTERS:,} characters of the text.",)
    if characters < FEW:
        return (
            f"{pluralize(characters, 'character')} are few: correlations are unreliable below "
            f"about {FEW:,}.",
        )
    return ()


def _as_read(model: Model, ids: Array) -> ReadText:
    delimiter = sequences_of(model.config).delimiter
    number = None if delimiter is None else model.vocabulary.characters.index(delimiter)
    return ReadText(model.params, model.activation, ids, number)


def _require_finite(values: Array) -> None:
    if not np.isfinite(values).all():
        raise CharrnnError(
            "the model's states on this text overflow.",
            "its weights are too large; train with a lower model.initialization.recurrent_gain.",
        )


class RankedUnits:
    """The correlations of a model's units, those beyond chance first.

    Args:
        names: The names of the features.
        found: Their correlations.
        hidden_size: H, the number of units of a layer.
    """

    def __init__(self, names: tuple[str, ...], found: Correlations, hidden_size: int) -> None:
        self._names, self._values, self._chance = names, found.values, found.chance
        self._H = hidden_size
        beats_chance = np.abs(found.values) > found.chance
        self._rank = np.abs(found.values) + 2 * beats_chance  # a magnitude is at most 1

    def layer(self, unit: int) -> int:
        """The layer of a unit, from 1."""
        return unit // self._H + 1

    def closest_units(self) -> list[int]:
        """All units, those that follow a feature most closely first."""
        closest = self._rank.max(axis=1, initial=0)
        return [int(unit) for unit in np.argsort(-closest, kind="stable")]

    def followed_by(self, unit: int) -> tuple[UnitCorrelation, ...]:
        """What a unit follows, the closest first."""
        order = np.argsort(-self._rank[unit], kind="stable")
        return tuple(self._correlation(unit, feature) for feature in order)

    def followers(self) -> tuple[FeatureFollower, ...]:
        """The closest unit of each feature."""
        return tuple(
            FeatureFollower(
                unit, self.layer(unit), self._correlation(unit, feature), unit_name(unit)
            )
            for feature, unit in enumerate(np.abs(self._values).argmax(axis=0).tolist())
        )

    def _correlation(self, unit: int, feature: int) -> UnitCorrelation:
        return UnitCorrelation(
            self._names[feature],
            float(self._values[unit, feature]),
            float(self._chance[feature]),
        )
