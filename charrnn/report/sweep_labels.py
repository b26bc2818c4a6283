"""How sweeps are worded: names of settings, values, ranges, and what importance means."""

from collections import Counter
from collections.abc import Iterable
from typing import Any

from charrnn.keywords import KEYWORD_OF
from charrnn.report.ticks import tick_label
from charrnn.results import SearchedSetting, SweepReport, TrialState
from charrnn.system.escaping import harmless_message
from charrnn.wording import pluralize


def short_names(keys: Iterable[str]) -> dict[str, str]:
    """A short name of each setting: its option, or the end of its key, by its key."""
    names = {key: KEYWORD_OF.get(key) or _end(key, 1) for key in keys}
    counts = Counter(names.values())
    return {
        key: (name if counts[name] == 1 else _end(key, 2)).replace("_", " ")
        for key, name in names.items()
    }


def _end(key: str, count: int) -> str:
    """The last parts of a key; that of the name of a section is the section."""
    return " ".join(key.removesuffix(".name").split(".")[-count:])


def value_label(value: Any) -> str:
    """The value of a setting, short and as YAML spells it."""
    if isinstance(value, bool) or value is None:
        return {True: "true", False: "false", None: "null"}[value]
    if isinstance(value, float):
        return tick_label(float(f"{value:.3g}"))
    return f"({settings_label(value)})" if isinstance(value, dict) else harmless_message(str(value))


def settings_label(settings: dict[str, Any]) -> str:
    """Settings with their values."""
    names = short_names(settings)
    return ", ".join(f"{names[key]} {value_label(value)}" for key, value in settings.items())


def range_label(setting: SearchedSetting) -> str:
    """The values that are searched."""
    if setting.choices:
        return ", ".join(map(value_label, setting.choices))
    log = ", log" if setting.log else ""
    return f"{value_label(setting.low)} to {value_label(setting.high)}{log}"


def counts_line(report: SweepReport) -> str:
    """How many trials there are, and what became of them."""
    counts = Counter(trial.state for trial in report.trials)
    states = ", ".join(f"{counts[state]} {state.value}" for state in TrialState if counts[state])
    return pluralize(len(report.trials), "trial") + (f": {states}" if states else "")


def importance_meaning(report: SweepReport) -> str:
    """What the numbers of importance mean, for readers who never met them."""
    return (
        f"How much the {report.top} best trials agree on a setting, compared with all trials, in "
        "% of the sum. Where it is low, the values that were tried made little difference. In "
        "brackets: no more than chance gives."
    )


def share_label(setting: SearchedSetting) -> str:
    """The importance of a setting, in brackets if chance gives as much."""
    if setting.importance is None:
        return ""
    share = f"{100 * setting.importance:.0f} %"
    return f"({share})" if setting.by_chance else share
