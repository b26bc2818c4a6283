"""Events as lines of text."""

from charrnn.events import Baselines, Evaluated, RunEnded, RunStarted, Stepped
from charrnn.results.assessments import SEED_VARIATION
from charrnn.units import BITS_PER_NAT
from charrnn.wording import pluralize


def figure(value: float) -> str:
    """A loss with three decimals, or in scientific notation from 1000 on."""
    return f"{value:.3f}" if value < 1000 else f"{value:.1e}"


def in_both_units(nats: float) -> str:
    """A loss in nats and bits."""
    return f"{figure(nats)} nats, {figure(nats * BITS_PER_NAT)} bits"


def as_loss(nats: float) -> str:
    """A loss in nats and bits per character."""
    return f"{in_both_units(nats)} per character"


def duration(seconds: float) -> str:
    """Seconds as 1:05 or 2:03:04."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def in_epochs(epochs: float) -> str:
    """A number of passes over the text."""
    shown = f"{epochs:,.0f}" if epochs >= 100 else f"{epochs:.3g}"
    return f"{shown} {'epoch' if shown == '1' else 'epochs'}"


def introduction(event: RunStarted) -> list[str]:
    """The notes, and the sizes of the run and its text."""
    lines = [f"note: {note}" for note in event.notes]
    lines += [
        f"run {event.run}: {event.parameters:,} weights, {pluralize(event.alphabet, 'character')}, "
        f"{_workers(event)}",
        f"text: {event.training_characters:,} characters to train on, "
        f"{event.validation_characters:,} held out; "
        f"{pluralize(event.steps_per_epoch, 'step')} per epoch",
    ]
    if event.steps:
        epochs = event.steps / event.steps_per_epoch
        lines.append(f"in all {pluralize(event.steps, 'step')}: {in_epochs(epochs)}")
    if event.first_step > 1:
        lines.append(f"resuming at step {event.first_step:,}")
    return lines


def _workers(event: RunStarted) -> str:
    workers = pluralize(event.workers, "worker")
    return workers if event.ranks == 1 else f"{event.ranks} ranks of {workers}"


def baseline_line(event: Baselines) -> str:
    """The loss of the n-gram model."""
    loss = as_loss(event.ngram_nats_per_character)
    return f"to beat: {loss}, n-gram after {event.context} characters"


def step_line(event: Stepped) -> str:
    """A training step."""
    nats = event.nats_per_character
    return (
        f"step {event.step:>7,} {event.used:4.0%}  loss {figure(nats)} nats "
        f"{figure(nats * BITS_PER_NAT)} bits  gradient norm {event.gradient_norm:.3f}  "
        f"clipped {event.clipped_share:.1%}  learning rate {event.learning_rate:.2e}  "
        f"{event.characters_per_second:,.0f} characters/s"
    )


def flow_line(rate: float, half_life: float | None) -> str:
    """How a gradient decays or grows on its way back."""
    line = f"×{rate:.3f} per character back"
    if half_life is None:
        return line
    return f"{line}, {'half-life' if rate < 1 else 'doubling in'} {half_life:.3g} characters"


def validation_line(event: Evaluated) -> str:
    """An evaluation."""
    train, validation = event.train_nats_per_character, event.validation_nats_per_character
    line = f"step {event.step:>7,} {duration(event.seconds):>6}  training {figure(train)}"
    if validation is not None:
        line += f"  validation {in_both_units(validation)}"
    return line + ("  best" if event.best else "")


def ending(best_step: int | None, event: RunEnded) -> list[str]:
    """The outcome of a run.

    best_step: the step of the best checkpoint, if it was evaluated since the run was resumed.
    """
    if not event.steps:
        return ["no step was made: the checkpoints have the weights before training"]
    lines = ["stopped early by training.patience: no improvement lately"] * event.early
    best = "" if best_step is None else f"; best at step {best_step:,}"
    lines += [
        f"{pluralize(event.steps, 'step')} in {duration(event.seconds)}, "
        f"{event.characters_per_second:,.0f} characters/s{best}"
    ]
    if event.test_nats_per_character is not None:
        loss = as_loss(event.test_nats_per_character)
        lines.append(f"on the test text: {loss}, of the best checkpoint")
    return lines


def comparison(baselines: Baselines | None, event: RunEnded) -> list[tuple[str, str]]:
    """The loss on the held-out text beside the baselines: names, and what is said of each."""
    validation = event.validation_nats_per_character
    if validation is None or baselines is None or not event.steps:
        return []
    better = baselines.ngram_nats_per_character - validation
    verdict = f"{abs(better):.3f} nats {'better' if better > 0 else 'worse'} than the n-gram"
    if abs(better) < SEED_VARIATION:
        verdict = "about as good as the n-gram"
    rows = {
        "this network": (validation, verdict),
        "n-gram": (
            baselines.ngram_nats_per_character,
            f"Witten-Bell counts after {baselines.context} characters",
        ),
        "uniform": (baselines.uniform_nats_per_character, "all characters equally likely"),
    }
    losses = [in_both_units(nats) for nats, _ in rows.values()]
    width = max(map(len, losses))
    return [
        (f"{name:<13}  ", f"{loss + ':':<{width + 1}} {words}")
        for (name, (_, words)), loss in zip(rows.items(), losses, strict=True)
    ]
