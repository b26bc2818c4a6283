"""What the results of a sweep leave unsure, and what to try next."""

from collections.abc import Iterator, Sequence
from typing import Any, Literal

from charrnn.config.dotted import Layer, nested
from charrnn.config.layers import load_config
from charrnn.errors import UsageError
from charrnn.results import SearchedSetting, SweepReport, SweepTrial, TrialState
from charrnn.results.assessments import SEED_VARIATION
from charrnn.sweeps.importance import MIN_TRIALS
from charrnn.wording import pluralize

AT_THE_END = 0.1  # of a range
FIRST = 3  # of the best trials, which are looked at; of a range, all but one have to be at its end


def advise(report: SweepReport) -> Iterator[str]:
    """What the reader of a report should know or try, with settings in backquotes."""
    judged = [
        one for one in report.trials
        if one.state in (TrialState.COMPLETE, TrialState.PRUNED) and one.repeats is None
    ]  # fmt: skip
    if not report.top and len(report.settings) > 1:
        yield (
            f"Importance needs at least {MIN_TRIALS} complete or pruned trials; "
            f"there {'is' if len(judged) == 1 else 'are'} {len(judged)}."
            if len(judged) < MIN_TRIALS
            else "No setting can be told to matter yet."
        )
    for setting in report.settings:
        if setting.best_at:
            yield _widen(setting)
    if report.best and not report.repeated:
        least = report.trial(report.best[0]).value or 0
        near = [n for n in report.best if (report.trial(n).value or 0) < least + SEED_VARIATION]
        if len(near) > 1:
            yield (
                f"{len(near)} trials are within {SEED_VARIATION} nats, about the variation from "
                "seed to seed, so their order is unsure: repeat the best with `seeds=3`."
            )
    failed = [one for one in report.trials if one.state is TrialState.FAILED]
    if failed:
        reason = next((f": {one.failure}" for one in failed if one.failure), "")
        yield f"{pluralize(len(failed), 'trial')} failed{reason.rstrip('.')}."


def best_end(
    setting: SearchedSetting, best: Sequence[SweepTrial], config: Layer
) -> Literal["low", "high"] | None:
    """The end of its range at which the best trials have a setting, if it can be widened there.

    Args:
        setting: The setting.
        best: The complete trials, the best one first.
        config: The config that they change.
    """
    places = [place for one in best[:FIRST] if (place := _place(setting, one.settings)) is not None]
    if len(places) < FIRST:
        return None
    needed = FIRST if setting.choices else FIRST - 1
    ends: tuple[Literal["low", "high"], ...] = ("low", "high")
    for end in ends:
        near = [place if end == "low" else 1 - place for place in places]
        if near[0] <= AT_THE_END and sum(one <= AT_THE_END for one in near) >= needed:
            return end if _is_valid(setting.key, _beyond(setting, end), best[0], config) else None
    return None


def _widen(setting: SearchedSetting) -> str:
    low, high = setting.ends
    end, extreme = ("lower", low) if setting.best_at == "low" else ("upper", high)
    more = "smaller" if setting.best_at == "low" else "larger"
    return (
        f"The best values of {setting.key} are at the {end} end of its range, {extreme:g}: "
        f"try {more} ones."
    )


def _place(setting: SearchedSetting, settings: dict[str, Any]) -> float | None:
    """Where in its range a setting is, from 0 to 1; None of choices that are not three numbers."""
    numbers = {type(choice) for choice in setting.choices} <= {int, float}
    if setting.key not in settings or not numbers or 0 < len(setting.choices) < 3:
        return None
    return setting.place(settings[setting.key])


def _beyond(setting: SearchedSetting, end: str) -> float:
    """A value outside of a range."""
    low, high = setting.ends
    extreme: float = low if end == "low" else high
    whole = isinstance(extreme, int)
    if setting.log:
        return extreme / 2 if end == "low" else extreme * 2
    step = 1 if whole else (high - low) / 10
    return extreme - step if end == "low" else extreme + step


def _is_valid(key: str, value: float, trial: SweepTrial, config: Layer) -> bool:
    """Whether a config accepts this value."""
    try:
        load_config(config, [], nested(trial.settings | {key: value}))
    except UsageError:
        return False
    return True
