"""Finds out what the hidden units of a model follow in a text."""

from collections.abc import Sequence
from math import inf
from typing import Any

import numpy as np

from charrnn.analysis.unit_ranking import RankedUnits, unit_name
from charrnn.analysis.unit_states import predictions, states_in_order
from charrnn.analysis.units import Correlator
from charrnn.arrays import Array
from charrnn.commands.arguments import require_between
from charrnn.commands.surprisal import read_text_of, require_finite
from charrnn.commands.unit_views import require_unit
from charrnn.config.layers import changed
from charrnn.results import UnitReport
from charrnn.setup.loading import Model, encode_text, load_model
from charrnn.system.blas import single_threaded_blas
from charrnn.text.features import features_of
from charrnn.text.sources import String
from charrnn.text.text import Text
from charrnn.wording import pluralize

COUNT = 12  # units
PASSAGE = 2000  # characters
PER_UNIT = 5  # features
MAX_CHARACTERS = 200_000  # more would hardly change the correlations
MIN_CHARACTERS = 5000  # fewer give unreliable correlations
BOUNDS = {"tanh": (-1.0, 1.0), "sigmoid": (0.0, 1.0)}


def describe_units(
    checkpoint: str | Model,
    paths: list[str] | String,
    unknown: str | None = None,
    changes: dict[str, Any] | None = None,
    *,
    count: int = COUNT,
    passage: int = PASSAGE,
    chosen: Sequence[int] = (),
) -> tuple[UnitReport, tuple[str, ...]]:
    """Compares the state of each unit after every character with features of the text there.

    Args:
        checkpoint: A checkpoint, a run directory or a loaded model.
        paths: Text files or directories, - reads stdin; or the text itself.
        unknown: What to do with characters that the model does not know; see `unknown_policy`.
        changes: Changes of the model's `data` settings, such as another encoding.
        count: The number of units to describe, those that follow a feature most closely.
        passage: The number of characters at the start of the text whose states are returned.
        chosen: Units to describe instead, by their indices from 0 in the joint state.

    Returns:
        The units, and notes on the text.

    Raises:
        InputError: The checkpoint or the text is unusable, or has unknown characters.
        UsageError: The changes or a number are invalid, or there is no such unit.
        CharrnnError: The states overflow.
    """
    require_between(1, inf, count=count)
    require_between(0, inf, passage=passage)
    model = load_model(checkpoint, ("eval", *(() if isinstance(paths, String) else paths)))
    for unit in chosen:
        require_unit(unit, model.params)
    model = model._replace(config=changed(model.config, {"data": changes or {}}))
    ids, text, notes = encode_text(model, paths, unknown)
    notes += _notes(len(text))
    return units_of_ids(model, ids, text, count, passage, chosen), notes


@single_threaded_blas()
@np.errstate(over="ignore", invalid="ignore")  # of products of huge states
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
    read = read_text_of(model, ids)
    uncertainty, surprisal = predictions(read)
    require_finite(uncertainty)
    features = features_of(
        text, {"the model's uncertainty": uncertainty, "the model's surprisal": surprisal}
    )
    correlator = Correlator(features.values, model.params.state_size)
    passages: list[Array] = []
    position, lowest, highest = 0, np.inf, -np.inf
    for states in states_in_order(read):
        require_finite(states)
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


def _notes(characters: int) -> tuple[str, ...]:
    if characters > MAX_CHARACTERS:
        return (f"units are compared on the first {MAX_CHARACTERS:,} characters of the text.",)
    if characters < MIN_CHARACTERS:
        return (
            f"{pluralize(characters, 'character')} are few: correlations are unreliable below "
            f"about {MIN_CHARACTERS:,}.",
        )
    return ()
