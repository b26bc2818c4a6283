"""Judges by its log how a run went, and what to change."""

from math import inf, isfinite

import numpy as np

from charrnn.config.settings import Config
from charrnn.events import Baselines, Evaluated, Stepped
from charrnn.results import Assessment, RunLog
from charrnn.results.run_reports import SEED_VARIATION
from charrnn.runs.outcome import failure
from charrnn.wording import call, pluralize

RECENT = 0.2  # the last part of a run, in which the loss is still falling or is not
MEMORIZING = 0.5  # of what training loss gains, the least that held-out loss gains while it learns
FEWEST_EVALUATIONS = 3  # that show a trend
WIDE_GAP, NARROW_GAP = 0.15, 0.03  # between training and held-out loss, relative to the latter
OFTEN = 0.5  # of the steps, clipped
COMPLETE = 0.98  # of the budget of a run
LARGEST = 1e15  # nats; more is shown as this


def assess(config: Config, log: RunLog, path: str = "") -> Assessment:
    """Judges a run by its log.

    The rules apply in this order; L is the loss on the held-out text, or on the training text if
    none is held out.

    1. useless: the least L is not below that of guessing.
    2. overfitting: the last held-out loss is above the least by more than SEED_VARIATION.
    3. short: there are fewer than FEWEST_EVALUATIONS.
    4. learning: in the last fifth of the run L fell by more than SEED_VARIATION, and by at least
       half as much as training loss. If L falls much slower, the network memorizes its text.
    5. underfitting: L is above that of the n-gram by more than SEED_VARIATION.
    6. settled: otherwise.

    Args:
        config: The config of the run.
        log: Its log.
        path: Its directory, for the command that resumes it.
    """
    held_out = any(found.validation_nats_per_character is not None for found in log.evaluations)
    curve = [found for found in log.evaluations if isfinite(_loss(found, held_out))]
    if not curve:
        return Assessment("short", "The log has no evaluation yet.", _notes(log, None))
    uniform = log.baselines.uniform_nats_per_character if log.baselines else inf
    losses = [_loss(found, held_out) for found in curve]
    best = min(losses)
    notes = _notes(log, best if held_out else None)
    if reason := _failure(config, log, best, uniform):
        return Assessment("useless", reason, notes)
    what = "Held-out loss" if held_out else "Training loss"
    if not held_out:
        notes += ("No text is held out, so this report cannot tell learning from memorizing.",)
    if held_out and losses[-1] > best + SEED_VARIATION:
        since = curve[int(np.argmin(losses))].step
        reason = (
            f"{what} was lowest at step {since:,}, {best:.3f} nats per character, and has risen by "
            f"{losses[-1] - best:.3f} since."
        )
        return Assessment("overfitting", reason, notes, _against_overfitting(config))
    if len(curve) < FEWEST_EVALUATIONS:
        few = f"The log has only {pluralize(len(curve), 'evaluation')}: too few to show a trend."
        return Assessment("short", few, notes, (_longer(config, log, path),))
    gained, in_training = _recent_gain(curve, held_out), _recent_gain(curve, False)
    last_fifth = f"in the last {RECENT:.0%} of the run"
    if gained > SEED_VARIATION and gained >= MEMORIZING * in_training:
        reason = f"{what} fell by {gained:.3f} nats per character {last_fifth}: it is not done yet."
        return Assessment("learning", reason, notes, (_longer(config, log, path),))
    if gained > SEED_VARIATION:
        reason = (
            f"Held-out loss fell by {gained:.3f} nats per character {last_fifth}, training loss by "
            f"{in_training:.3f}: the network now mostly memorizes its text."
        )
    else:
        moved = f"it {'fell' if gained >= 0 else 'rose'} by {abs(gained):.3f} nats"
        reason = f"{what} has levelled off: {moved} {last_fifth}."
    if held_out and log.baselines and _behind_ngram(log.baselines, best) > SEED_VARIATION:
        reason += " Counting characters still predicts the text better."
        more = (f"Try a larger network: {_larger(config)}", _longer(config, log, path))
        return Assessment("underfitting", reason, notes, more)
    return Assessment("settled", reason, notes, _refinements(config, curve[-1], held_out))


def _behind_ngram(baselines: Baselines, best: float) -> float:
    return best - baselines.ngram_nats_per_character


def _larger(config: Config) -> str:
    return f"`model.hidden_size={3 * config.model.hidden_size // 2}`"


def _loss(found: Evaluated, held_out: bool) -> float:
    value = found.validation_nats_per_character if held_out else found.train_nats_per_character
    return inf if value is None else min(value, LARGEST)


def _recent_gain(curve: list[Evaluated], held_out: bool) -> float:
    """How much a loss fell in the last part of a run, between evaluations interpolated."""
    steps = np.array([min(found.step, LARGEST) for found in curve], float)
    losses = np.array([_loss(found, held_out) for found in curve])
    return float(np.interp((1 - RECENT) * steps[-1], steps, losses) - losses[-1])


def _failure(config: Config, log: RunLog, best: float, uniform: float) -> str | None:
    steps = max((*(s.step for s in log.steps), *(e.step for e in log.evaluations)), default=0)
    rollbacks = log.steps[-1].rollbacks if log.steps else 0
    worst = max(log.steps, key=lambda step: step.nats_per_character, default=None)
    found = failure(config, best, uniform, steps, rollbacks, worst)
    return found and f"{found[0].upper()}{found[1:]}".rstrip(".") + "."


def _notes(log: RunLog, best: float | None) -> tuple[str, ...]:
    """What else the log shows: the n-gram, clipping, rollbacks, damaged lines."""
    notes = []
    if log.baselines and best is not None:
        behind, counts = _behind_ngram(log.baselines, best), log.baselines.context + 1
        verdict = f"{abs(behind):.3f} nats per character {'worse' if behind > 0 else 'better'} than"
        verdict = verdict if abs(behind) > SEED_VARIATION else "about as well as"
        notes.append(
            f"The network predicts the held-out text {verdict} counts of {counts} characters in a "
            "row."
        )
    last: Stepped | None = log.steps[-1] if log.steps else None
    if last and last.clipped_share > OFTEN:
        notes.append(
            f"{last.clipped_share:.0%} of all steps were clipped, so the threshold sets their "
            "size. That is usual early in a run."
        )
    if last and last.rollbacks:
        notes.append(f"The run diverged and was rolled back {pluralize(last.rollbacks, 'time')}.")
    if log.unreadable:
        notes.append(f"{pluralize(log.unreadable, 'line')} of its log could not be read.")
    return tuple(notes)


def _longer(config: Config, log: RunLog, path: str) -> str:
    """How to train for longer."""
    training = config.training
    if path and log.steps and log.steps[-1].used < COMPLETE:
        return (
            f"It used {log.steps[-1].used:.0%} of its budget; go on: {call('train', resume=path)}"
        )
    limits = {
        "max_steps": training.max_steps and f"{2 * training.max_steps}",
        "epochs": training.epochs and f"{2 * training.epochs:.6g}",
        "max_time": training.max_time and f"{2 * training.max_time:.6g}s",
    }
    ways = [f"`training.{name}={limit}`" for name, limit in limits.items() if limit]
    return f"Train for longer: {' '.join(ways)}"


def _against_overfitting(config: Config) -> tuple[str, ...]:
    smaller = max(2 * config.model.hidden_size // 3, 1)
    return (
        "The best checkpoint is kept, so nothing is lost. Stop in time: `training.patience=3`",
        f"Drop units in training: `model.dropout={_more_dropout(config):g}`",
        f"Train on more text, or a smaller network: `model.hidden_size={smaller}`",
    )


def _more_dropout(config: Config) -> float:
    return min(config.model.dropout + 0.1, 0.5)


def _refinements(config: Config, last: Evaluated, held_out: bool) -> tuple[str, ...]:
    """What may still help a network that has levelled off."""
    if not held_out:
        return ("Hold out a part of the text: `data.validation_fraction=0.1`",)
    validation = _loss(last, True)
    gap = (validation - min(last.train_nats_per_character, LARGEST)) / max(validation, 1e-9)
    if gap > WIDE_GAP:
        return (f"Held-out loss is {gap:.0%} above training loss: more text would help most.",)
    if gap < NARROW_GAP:
        return (
            "Training loss is hardly lower than held-out loss, so nothing is memorized: a larger "
            f"network or a longer run would help: {_larger(config)}",
        )
    return (f"Little is left to gain with this text. A larger network may help: {_larger(config)}",)
