"""Reads the file of a space, and checks it like a config: all faults are reported together."""

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from charrnn.config.dotted import Layer, nested, values_of
from charrnn.config.faults import shown
from charrnn.config.layers import changed, config_values, read_mapping
from charrnn.config.names import keys
from charrnn.config.settings import Config
from charrnn.errors import UsageError
from charrnn.sweeps.space import Choices, Range, Space
from charrnn.system.escaping import CONTINUED
from charrnn.wording import either, nearest

EXAMPLE = "optimizer.learning_rate: {log: [1e-3, 1e-2]}"
FORMS = ("choices", "range", "log")
KEYS = (*FORMS, "step")
# what is measured, not what may improve it; and what --jobs chooses
FIXED = ("data", "evaluation", "checkpoints", "logging", "training.workers")
SHAPE = "should be a list of choices, {range: [low, high]} or {log: [low, high]}"

Spec = dict[str, Any]


def read_space(source: str | Layer, base: Config, given: list[str]) -> Space:
    """Reads a space.

    Args:
        source: A YAML file of dotted keys, or of sections as in a config, with the values of each;
            or what such a file has.
        base: The config whose settings are varied.
        given: The dotted keys that are set to a value.

    Raises:
        UsageError: It cannot be read, or has faults; all are reported together.
    """
    if isinstance(source, str):
        path, layer = source, read_mapping(Path(source), EXAMPLE, "a space is a YAML file.")
    else:
        path, layer = "`space`", source
    faults: list[str] = []
    specs: dict[str, Spec] = {}
    for key, value in _flat(layer):
        try:
            _require_searchable(key, specs, given)
            specs[key] = _spec(value)
        except ValueError as error:
            faults.append(f"{path}: {key} {error}.")
    if not specs and not faults:
        raise UsageError(f"{path} is empty.", f"name settings and values, such as {EXAMPLE}")
    space: Space = {}
    of_others: list[str] = []
    first = {key: _candidates(spec)[0] for key, spec in specs.items()}
    for key, spec in specs.items():
        values, own = [], []
        for value in _candidates(spec):
            try:
                values.append(_checked(path, base, first, key, value))
            except UsageError as error:
                found = str(error).split(CONTINUED)
                own += [fault for fault in found if key in fault]
                of_others += found
                with suppress(UsageError):
                    values.append(_checked(path, base, {}, key, value))
        try:
            if not own:
                space[key] = _dimension(spec, values)
        except ValueError as error:
            own.append(f"{path}: {key} {error}.")
        faults += own
    if found := [*dict.fromkeys(faults or of_others)]:
        raise UsageError(CONTINUED.join(found))
    return space


def _flat(layer: Layer, prefix: str = "") -> Iterator[tuple[str, Any]]:
    """The values by dotted key; a section may be a mapping of its own."""
    known = {*keys(Config)}
    for name, value in layer.items():
        dotted = prefix + name
        is_section = dotted not in known or any(key.startswith(f"{dotted}.") for key in known)
        if isinstance(value, dict) and is_section and not {*value} & {*KEYS}:
            yield from _flat(value, f"{dotted}.")
        else:
            yield dotted, value


def _spec(value: Any) -> Spec:
    """The values of a setting in the long form. Raises ValueError if they are of another form."""
    spec = {"choices": value} if isinstance(value, list) else value
    if not isinstance(spec, dict):
        raise ValueError(f"= {shown(value)} {SHAPE}; one value belongs in the config")
    for unknown in (key for key in spec if key not in KEYS):
        guess = nearest(unknown, KEYS)
        raise ValueError(
            f"has the unknown key {unknown!r}; "
            + (f"did you mean {guess}?" if guess else f"known: {', '.join(KEYS)}")
        )
    forms = [form for form in FORMS if form in spec]
    if len(forms) != 1:
        raise ValueError(f"needs one of {either(FORMS)}, not {len(forms)}")
    form, values = forms[0], spec[forms[0]]
    if form == "choices" and not (isinstance(values, list) and values):
        raise ValueError(f"= {shown(values)} should be a list of at least one choice")
    if form != "choices" and not (isinstance(values, list) and len(values) == 2):
        raise ValueError(f"= {shown(values)} should have two ends, such as {form}: [1, 10]")
    if "step" in spec and form != "range":
        raise ValueError("has a step, which only a range can have")
    return spec


def _require_searchable(key: str, specs: dict[str, Spec], given: list[str]) -> None:
    """Raises ValueError if a setting cannot be varied."""
    inside = [fixed for fixed in FIXED if f"{key}.".startswith(f"{fixed}.")]
    if inside:
        what = "is chosen by `jobs`" if key == "training.workers" else "changes what is measured"
        raise ValueError(f"cannot be varied: it {what}")
    for other in (*specs, *given):
        if other != key and (other.startswith(f"{key}.") or key.startswith(f"{other}.")):
            raise ValueError(f"is given beside {other}, one of which contains the other")
    if key in given:
        raise ValueError("is varied, and given a value too; leave out one of them")


def _candidates(spec: Spec) -> list[Any]:
    """The choices, or the ends of the range."""
    return next(spec[form] for form in FORMS if form in spec)


def _checked(path: str, base: Config, others: dict[str, Any], key: str, value: Any) -> Any:
    """A value as the config reads it, beside values of other settings. Raises: UsageError."""
    config = changed(base, nested(others | {key: value}), path)
    return dict(values_of(config_values(config))).get(key, value)


def _dimension(spec: Spec, values: list[Any]) -> Choices | Range:
    """What a setting varies over, from valid values. Raises ValueError if it cannot."""
    step = spec.get("step")
    if "choices" in spec:
        twice = [value for n, value in enumerate(values) if value in values[:n]]
        if twice:
            raise ValueError(f"has the choice {shown(twice[0])} twice")
        return Choices(tuple(values))
    low, high = values
    if not all(isinstance(end, int | float) and not isinstance(end, bool) for end in values):
        raise ValueError("is not a number, so it has no range; list its choices")
    if not low < high:
        raise ValueError(f"has the range [{low:g}, {high:g}]; the first end should be the lower")
    if "log" in spec and low <= 0:
        raise ValueError(f"has the end {low:g}, and a logarithmic range is above 0")
    if step is None:
        return Range(low, high, "log" in spec)
    return Range(low, high, step=_step(low, high, step))


def _step(low: float, high: float, step: Any) -> float:
    whole = isinstance(low, int)
    try:
        step = float(step)
    except (TypeError, ValueError):
        step = 0.0
    if not step > 0 or (whole and not step.is_integer()):
        raise ValueError(f"needs a step that is a {'whole ' * whole}number above 0")
    count = (high - low) / step
    if count < 1 or abs(count - round(count)) > 1e-9 * count:
        last = low + int(count) * step
        raise ValueError(
            f"has no whole number of steps of {step:g} from {low:g} to {high:g}; end at {last:g}"
            if count >= 1
            else f"has the step {step:g}, more than the range from {low:g} to {high:g}"
        )
    return int(step) if whole else step
