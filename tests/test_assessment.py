"""The rules by which a run is judged, on constructed logs."""

from dataclasses import replace
from typing import get_args

import pytest

from charrnn.config.layers import load_config
from charrnn.events import Baselines, Evaluated, Stepped
from charrnn.report.page_facts import HEADLINES
from charrnn.results import Assessment, RunLog, Standing
from charrnn.runs.assessment import assess

CONFIG = load_config(None, ["training.max_steps=1000"], {})
BASELINES = Baselines(
    uniform_nats_per_character=4.0, ngram_nats_per_character=1.9, context=4,
    unigram_nats_per_character=3.1,
)  # fmt: skip
STEP = Stepped(
    step=1000, epoch=2.0, used=1.0, nats_per_character=1.5, gradient_norm=1.0,
    gradient_norms={"W": 1.0}, clipped=False, clipped_share=0.1, learning_rate=1e-3, rollbacks=0,
    characters=1, characters_per_second=1.0, seconds=1.0,
)  # fmt: skip


def log(
    validation: list[float | None], training: list[float] | None = None, **changes: object
) -> RunLog:
    """A log with these losses, evenly spaced over 1,000 steps; training loss is 0.1 lower."""
    training = training or [loss - 0.1 for loss in validation if loss is not None]
    losses = zip(validation, training, strict=True)
    best = float("inf")
    evaluations = []
    for number, (train, held_out) in enumerate(((t, v) for v, t in losses), 1):
        score = train if held_out is None else held_out
        step = 1000 * number // len(validation)
        evaluations.append(Evaluated(step, 1.0, train, held_out, best=score < best))
        best = min(best, score)
    baselines = None if validation[0] is None else BASELINES
    found = RunLog(baselines, (STEP,), tuple(evaluations), (), (), None, 0)
    return replace(found, **changes)  # type: ignore[arg-type]


def judged(*arguments: object, **changes: object) -> Assessment:
    return assess(CONFIG, log(*arguments, **changes), "runs/a")  # type: ignore[arg-type]


FALLING = [3.0, 2.5, 2.2, 2.0, 1.9, 1.85, 1.8, 1.76, 1.73, 1.70]
FLAT = [3.0, 2.5, 2.2, 2.0, 1.73, 1.725, 1.72, 1.71, 1.705, 1.7]


@pytest.mark.parametrize(
    ("standing", "validation"),
    [
        ("useless", [4.1, 4.0, 4.2]),
        ("learning", FALLING),
        ("settled", FLAT),
        ("high_rate", [*FLAT[:8], 1.72, 1.74]),  # training loss rises too
        ("underfitting", [loss + 0.5 for loss in FLAT]),
        ("short", [3.0, 2.5]),
    ],
)
def test_each_standing(standing: str, validation: list[float]) -> None:
    found = judged(validation)
    assert found.standing == standing
    assert found.reason.endswith(".")
    assert found.advice or standing == "useless"  # its reason has the advice


def test_every_standing_has_a_headline() -> None:
    assert {*HEADLINES} == {*get_args(Standing)}


def test_differences_between_seeds_are_no_overfitting() -> None:
    assert judged([*FLAT[:9], FLAT[9] + 0.019]).standing == "settled"
    assert judged([*FLAT[:9], FLAT[9] + 0.027], FALLING).standing == "overfitting"


def test_a_network_that_memorizes_is_not_still_learning() -> None:
    """The fall of held-out loss is the same; training loss falls by 0.2, and by 0.5."""
    assert judged(FALLING).standing == "learning"
    memorizing = [*(loss - 0.1 for loss in FALLING[:5]), 1.7, 1.6, 1.5, 1.4, 1.3]
    found = judged(FALLING, memorizing)
    assert found.standing == "settled"
    assert "memorizes" in found.reason
    assert found.advice[0].remedy == "more_text"
    first_pass = judged(FALLING, memorizing, steps=(replace(STEP, epoch=1.0),))
    assert first_pass.standing == "learning"  # what is read once cannot be memorized
    near = [4.0, 3.5, 3.2, 3.0, 2.9, 2.5, 2.2, 2.0, 1.8, 1.6]  # falls by more, to nearly the same
    assert judged(FALLING, near).standing == "learning"


def test_where_nothing_is_left_to_learn_nothing_is_advised() -> None:
    zero = [2.0, 0.5, *[0.001] * 8]
    found = judged(zero, zero)
    assert (found.standing, found.advice) == ("settled", ())
    assert judged([loss + 0.1 for loss in zero], zero).advice
    assert judged([None] * 10, zero).advice[0].remedy == "hold_out"


def test_the_last_slope_does_not_count() -> None:
    """A falling rate flattens the end of every curve, so the second half of it decides."""
    flattened = [3.0, 2.5, 2.2, 2.0, 1.9, 1.8, 1.73, 1.703, 1.701, 1.70]
    assert judged(flattened).standing == "learning"


@pytest.mark.parametrize("spiked", [False, True])
def test_a_network_that_hardly_learns_had_a_rate_too_low_or_too_high(spiked: bool) -> None:
    """Both end nearer to single characters than to the n-gram; only one was ever above guessing."""
    losses = [3.3, 3.2, 3.1, 3.0, 2.95, 2.9, 2.87, 2.85, 2.84, 2.84]
    steps = (replace(STEP, step=1, nats_per_character=6.5 if spiked else 4.1), STEP)
    found = judged(losses, losses, steps=steps)
    assert found.standing == ("high_rate" if spiked else "low_rate")
    rate = CONFIG.optimizer.learning_rate * (0.1 if spiked else 10)
    assert found.advice[0].changes == {"optimizer.learning_rate": pytest.approx(rate)}


def test_a_rate_that_no_adam_bears() -> None:
    rates = {"0.039": "learning", "0.04": "high_rate"}
    for rate, standing in rates.items():
        config = load_config(
            None, ["training.max_steps=1000", f"optimizer.learning_rate={rate}"], {}
        )
        assert assess(config, log(FALLING)).standing == standing


def test_without_held_out_text_training_loss_is_judged() -> None:
    found = judged([None] * 10, FALLING)
    assert found.standing == "learning"
    assert any("held out" in note for note in found.notes)
    assert judged([None] * 10, FLAT).standing == "settled"
    assert judged([None] * 10, [*FLAT[:9], 1.9]).standing == "settled"  # noise, no overfitting


def test_a_loss_that_rises_a_little_is_said_to_rise() -> None:
    rising = [*FLAT[:8], 1.715, 1.72]
    assert "fell by 0.010 nats" in judged(rising).reason
    assert "rose by 0.010 nats" in judged([*rising[:4], 1.71, *rising[5:]]).reason


def test_notes() -> None:
    clipped = replace(STEP, clipped_share=0.9, rollbacks=2)
    notes = " ".join(judged(FLAT, steps=(clipped,), unreadable=3).notes)
    for words in ("0.200 nats", "better than counts of 5", "90%", "2 times", "3 lines"):
        assert words in notes
    assert "about as well as" in judged([loss + 0.19 for loss in FLAT]).notes[0]


def test_a_curve_of_a_few_steps_has_not_levelled_off() -> None:
    flat = log([3.9, 3.89, 3.89, 3.89])
    evaluations = tuple(replace(one, step=n + 1) for n, one in enumerate(flat.evaluations))
    few = replace(flat, evaluations=evaluations, steps=(replace(STEP, step=4),))
    found = assess(load_config(None, ["training.max_steps=4"], {}), few, "runs/a")
    assert (found.standing, found.advice[0].remedy) == ("short", "longer")


def test_a_log_without_evaluations() -> None:
    found = assess(CONFIG, replace(log(FLAT), evaluations=()))
    assert found.standing == "short"


@pytest.mark.parametrize("loss", [float("nan"), float("inf"), 1e308])
def test_losses_that_are_not_finite_or_huge(loss: float) -> None:
    assert judged([loss] * 4, [loss] * 4).standing in ("useless", "short")
    losses = [3.5, *FLAT]
    assert judged([loss, *FLAT], [loss, *FLAT]).standing == judged(losses, losses).standing
