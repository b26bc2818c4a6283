"""Judges by its log how a run went."""

from math import inf

from charrnn.config.settings import Config
from charrnn.events import Stepped
from charrnn.results import Assessment, RunFigures, RunLog, Standing
from charrnn.results.assessments import SEED_VARIATION
from charrnn.runs.advice import WIDE_GAP, advise
from charrnn.runs.figures import figures_of
from charrnn.runs.outcome import cause_of_failure, failure
from charrnn.runs.rate import rate_at_fault
from charrnn.wording import pluralize

STILL_FALLING = 0.035  # nats gained in the second half of a run, after which a longer one gains too
MEMORIZING = 0.42  # of what training loss gains, the least that held-out loss gains while it learns
FEWEST_EVALUATIONS = 3  # that show a trend
FEWEST_STEPS = 20  # after which a curve that is flat is not one that has yet to fall
OFTEN = 0.5  # of the steps, clipped


def assess(config: Config, log: RunLog, path: str = "") -> Assessment:
    """Judges a run by its log, and says what to try next.

    The rules apply in this order; L is the loss on the held-out text, or on the training text if
    none is held out.

    1. useless: the least L is not below that of guessing.
    2. overfitting: the last held-out loss is above the least by more than SEED_VARIATION, and
       training loss is below its value then; if that has not fallen, high_rate.
    3. short: there are fewer than FEWEST_EVALUATIONS, or FEWEST_STEPS.
    4. low_rate or high_rate: after some hundred steps, L is nearer to that of counts of single
       characters than to that of the n-gram, and training loss is no lower; or the rate is beyond
       what the optimizer bears.
    5. learning: L fell by more than STILL_FALLING in the second half of the run; and it fell by at
       least MEMORIZING of what training loss fell, or training loss is within WIDE_GAP of it, or
       the text was read once at most. A learning rate that falls flattens the end of every curve,
       so the last slope says nothing; but the second half of a longer run has such an end too.
    6. underfitting: L is above that of the n-gram by more than SEED_VARIATION.
    7. settled: otherwise.

    The numbers come from measurements: docs/experiments.md, "What to try next".

    Args:
        config: The config of the run.
        log: Its log.
        path: Its directory, for the commands; empty if it has none.
    """
    figures = figures_of(config, log)
    if not figures:
        return Assessment("short", "The log has no evaluation yet.", notes=_notes(log, None))
    standing, reason = _verdict(config, log, figures)
    cause = cause_of_failure(figures.best, _uniform(log), figures.steps, _worst(log))
    advice = advise(config, standing, figures, cause, path)
    return Assessment(standing, reason, figures, _notes(log, figures), advice)


def _verdict(config: Config, log: RunLog, found: RunFigures) -> tuple[Standing, str]:
    """The standing of a run, and the reason."""
    if reason := _failure(config, log, found):
        return "useless", reason
    what = "Held-out loss" if found.held_out else "Training loss"
    if found.held_out and found.last > found.best + SEED_VARIATION:
        reason = (
            f"{what} was lowest at step {found.best_step:,}, {found.best:.3f} nats per character, "
            f"and has risen by {found.last - found.best:.3f} since"
        )
        if found.training_since > SEED_VARIATION:
            return "overfitting", f"{reason}."
        return "high_rate", f"{reason}; training loss has not fallen either: the rate is too high."
    if len(log.evaluations) < FEWEST_EVALUATIONS:
        few = pluralize(len(log.evaluations), "evaluation")
        return "short", f"The log has only {few}: too few to show a trend."
    if found.steps < FEWEST_STEPS:
        few = pluralize(found.steps, "step")
        return "short", f"The run has only {few}: too few to show a trend."
    if found.complete and (fault := rate_at_fault(config, found)):
        return fault
    moved = f"{'fell' if found.gained >= 0 else 'rose'} by {abs(found.gained):.3f} nats"
    reason = f"{what} {moved} in the second half of the run"
    if found.gained > STILL_FALLING:
        first_pass = found.epochs is not None and found.epochs <= 1
        near = found.gap <= WIDE_GAP
        if first_pass or near or found.gained >= MEMORIZING * found.training_gained:
            return "learning", f"{reason}: it is not done yet."
        memorizes = "the network now mostly memorizes its text"
        reason += f", training loss by {found.training_gained:.3f}: {memorizes}."
    else:
        reason += ": it has levelled off."
    if found.ngram is not None and found.best > found.ngram + SEED_VARIATION:
        return "underfitting", f"{reason} Counting characters still predicts the text better."
    return "settled", reason


def _failure(config: Config, log: RunLog, found: RunFigures) -> str | None:
    why = failure(config, found.best, _uniform(log), found.steps, found.rollbacks, _worst(log))
    return why and f"{why[0].upper()}{why[1:]}".rstrip(".") + "."


def _uniform(log: RunLog) -> float:
    return log.baselines.uniform_nats_per_character if log.baselines else inf


def _worst(log: RunLog) -> Stepped | None:
    """The logged step with the largest loss."""
    return max(log.steps, key=lambda step: step.nats_per_character, default=None)


def _notes(log: RunLog, found: RunFigures | None) -> tuple[str, ...]:
    """What else the log shows: the n-gram, clipping, rollbacks, damaged lines."""
    notes = []
    if log.baselines and found and found.ngram is not None:
        behind, counts = found.best - found.ngram, log.baselines.context + 1
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
    if found and not found.held_out:
        notes.append("No text is held out, so this report cannot tell learning from memorizing.")
    return tuple(notes)
