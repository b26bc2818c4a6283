"""The rules by which a report judges a run, on constructed logs."""

from dataclasses import replace

import pytest

from charrnn.config.layers import load_config
from charrnn.events import Baselines, Evaluated, Stepped
from charrnn.results import Assessment, RunLog
from charrnn.runs.assessment import assess

CONFIG = load_config(None, [], {})
BASELINES = Baselines(uniform_nats_per_character=4.0, ngram_nats_per_character=1.9, context=4)
STEP = Stepped(
    step=1000, epoch=2.0, used=1.0, nats_per_character=1.5, gradient_norm=1.0,
    gradient_norms={"W": 1.0}, clipped=False, clipped_share=0.1, learning_rate=1e-3, rollbacks=0,
    characters=1, characters_per_second=1.0, seconds=1.0,
)  # fmt: skip


def log(
    validation: list[float | None], training: list[float] | None = None, **changes: object
) -> RunLog:
    """A log with these losses at steps 100, 200, …; training loss is that of validation less 0.1"""
    training = training or [loss - 0.1 for loss in validation if loss is not None]
    losses = zip(validation, training, strict=True)
    evaluations = tuple(
        Evaluated(100 * number, 1.0, train, held_out, best=False)
        for number, (held_out, train) in enumerate(losses, 1)
    )
    baselines = None if validation[0] is None else BASELINES
    found = RunLog(baselines, (STEP,), evaluations, (), (), None, 0)
    return replace(found, **changes)  # type: ignore[arg-type]


def judged(*arguments: object, **changes: object) -> Assessment:
    return assess(CONFIG, log(*arguments, **changes), "runs/a")  # type: ignore[arg-type]


FALLING = [3.0, 2.5, 2.2, 2.0, 1.9, 1.85, 1.8, 1.76, 1.73, 1.70]
FLAT = [3.0, 2.5, 2.2, 2.0, 1.8, 1.75, 1.72, 1.71, 1.705, 1.7]


@pytest.mark.parametrize(
    ("standing", "validation"),
    [
        ("useless", [4.1, 4.0, 4.2]),
        ("learning", FALLING),
        ("settled", FLAT),
        ("overfitting", [*FLAT[:8], 1.72, 1.74]),
        ("underfitting", [loss + 0.5 for loss in FLAT]),
        ("short", [3.0, 2.5]),
    ],
)
def test_each_standing(standing: str, validation: list[float]) -> None:
    found = judged(validation)
    assert found.standing == standing
    assert found.reason.endswith(".")
    assert found.advice or standing == "useless"  # its reason has the advice


def test_differences_between_seeds_are_no_overfitting() -> None:
    assert judged([*FLAT[:9], FLAT[9] + 0.019]).standing == "settled"
    assert judged([*FLAT[:9], FLAT[9] + 0.027]).standing == "overfitting"


def test_a_network_that_memorizes_is_not_still_learning() -> None:
    slow = [3.0, 2.5, 2.2, 2.0, 1.9, 1.85, 1.8, 1.74, 1.72, 1.70]
    assert judged(slow).standing == "learning"
    memorizing = [*(loss - 0.1 for loss in slow[:7]), 1.6, 1.5, 1.4]
    found = judged(slow, memorizing)
    assert found.standing == "settled"
    assert "memorizes" in found.reason
    assert any("more text" in way for way in found.advice)


def test_a_run_that_is_not_complete_is_to_be_resumed() -> None:
    half = replace(STEP, used=0.5)
    assert '`train(resume="runs/a")`' in judged(FALLING, steps=(half,)).advice[0]
    assert "`training.max_steps=6000`" in judged(FALLING).advice[0]


def test_advice_changes_the_settings_of_the_run() -> None:
    rates = [f"model.hidden_size={3 * CONFIG.model.hidden_size // 2}", "training.patience=3"]
    assert rates[0] in judged([loss + 0.5 for loss in FLAT]).advice[0]
    assert rates[1] in judged([*FLAT[:8], 1.72, 1.74]).advice[0]
    for way in judged([*FLAT[:8], 1.72, 1.74]).advice:
        for setting in way.split("`")[1::2]:
            load_config(None, [setting], {})  # a valid one


def test_without_held_out_text_training_loss_is_judged() -> None:
    found = judged([None] * 10, FALLING)
    assert found.standing == "learning"
    assert any("held out" in note for note in found.notes)
    assert judged([None] * 10, FLAT).standing == "settled"
    assert judged([None] * 10, [*FLAT[:9], 1.9]).standing == "settled"  # noise, no overfitting


def test_a_loss_that_rises_a_little_is_said_to_rise() -> None:
    rising = [*FLAT[:8], 1.715, 1.72]
    assert "rose by 0.010 nats" in judged(rising).reason
    assert "fell by 0.010 nats" in judged(FLAT).reason


def test_notes() -> None:
    clipped = replace(STEP, clipped_share=0.9, rollbacks=2)
    notes = " ".join(judged(FLAT, steps=(clipped,), unreadable=3).notes)
    for words in ("0.200 nats", "better than counts of 5", "90%", "2 times", "3 lines"):
        assert words in notes
    assert "about as well as" in judged([loss + 0.19 for loss in FLAT]).notes[0]


def test_a_log_without_evaluations() -> None:
    found = assess(CONFIG, replace(log(FLAT), evaluations=()))
    assert found.standing == "short"


@pytest.mark.parametrize("loss", [float("nan"), float("inf"), 1e308])
def test_losses_that_are_not_finite_or_huge(loss: float) -> None:
    assert judged([loss] * 4, [loss] * 4).standing in ("useless", "short")
    assert judged([loss, *FLAT], [loss, *FLAT]).standing == "settled"
