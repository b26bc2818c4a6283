"""The live and the plain view of a run, and the wording of messages."""

import io
from dataclasses import replace

import pytest
from rich.console import Console

from charrnn.events import Baselines, Evaluated, RunEnded, RunStarted, Sampled, Stepped
from charrnn.report.console import LiveView, PlainLines
from charrnn.report.event_lines import as_loss, duration
from charrnn.report.flags import as_flags

STARTED = RunStarted(
    run="runs/x-1", parameters=1234, alphabet=65, training_characters=9000,
    validation_characters=1000, steps_per_epoch=9, steps=90, workers=2, first_step=1,
    notes=("a.txt: a [remark].",),
)  # fmt: skip
BASELINES = Baselines(uniform_nats_per_character=4.174, ngram_nats_per_character=1.669, context=4)
STEPPED = Stepped(
    step=45, epoch=5.0, used=0.5, nats_per_character=2.0,
    gradient_norm=3.25, gradient_norms={"U": 3.25}, clipped=True, clipped_share=0.125,
    learning_rate=0.002, rollbacks=0, characters=45000,
    characters_per_second=123456.0, seconds=60.0,
)  # fmt: skip
EVALUATED = Evaluated(
    step=45, seconds=61.0, train_nats_per_character=2.1, validation_nats_per_character=1.5,
    best=True,
)  # fmt: skip
SAMPLED = Sampled(step=45, text="[Enter ODA, with [bold]brackets[/bold].]")
ENDED = RunEnded(
    run="runs/x-1", checkpoint="runs/x-1/checkpoints/best.safetensors", steps=90, early=False,
    train_nats_per_character=1.4, validation_nats_per_character=1.5,
    validation_bits_per_character=2.164, ngram_nats_per_character=1.669,
    test_nats_per_character=None, uniform_nats_per_character=4.174,
    characters_per_second=123456.0, seconds=125.0, failure=None,
)  # fmt: skip


def shown(view: type, *events: object, terminal: bool = False) -> str:
    out = io.StringIO()
    sink = view(Console(file=out, force_terminal=terminal, width=100, height=40, color_system=None))
    for event in events:
        sink(event)
    sink.close()
    return out.getvalue()


def test_plain_lines_have_everything() -> None:
    text = shown(PlainLines, STARTED, BASELINES, STEPPED, EVALUATED, ENDED)
    for words in (
        "note: a.txt: a [remark].", "1,234 weights", "9 steps per epoch",
        "to beat: 1.669 nats, 2.408 bits per character, n-gram after 4",
        "50%", "loss 2.000 nats 2.885 bits", "gradient norm 3.250", "clipped 12.5%", "2.00e-03",
        "123,456 characters/s", "validation 1.500 nats, 2.164 bits  best",
        "0.169 nats better than the n-gram", "uniform        4.174 nats",
    ):  # fmt: skip
        assert words in text
    assert "\x1b" not in text


def test_plain_steps_are_rare() -> None:
    steps = [replace(STEPPED, step=step, seconds=20 + step / 10) for step in range(1, 100)]
    assert shown(PlainLines, STARTED, *steps).count("gradient norm") == 1


def test_live_view_has_everything() -> None:
    text = shown(LiveView, STARTED, BASELINES, STEPPED, EVALUATED, SAMPLED, terminal=True)
    for words in (
        "50%  1:00 left", "45, epoch 5.00", "2.000 nats, 2.885 bits", "3.250 before clipping",
        "12.5% of steps", "2.00e-03", "123,456 characters/s", "1.500 nats", "step 45",
        "[Enter ODA, with [bold]brackets[/bold].]",
    ):  # fmt: skip
        assert words in text


def test_a_network_worse_than_the_n_gram_is_reported() -> None:
    worse = replace(ENDED, validation_nats_per_character=1.769)
    assert "0.100 nats worse than the n-gram" in shown(PlainLines, BASELINES, worse)


def test_a_negligible_difference_is_reported_as_such() -> None:
    close = replace(ENDED, validation_nats_per_character=1.66)
    assert "about as good as the n-gram" in shown(PlainLines, BASELINES, close)


def test_nothing_held_out_has_no_baseline() -> None:
    ended = replace(ENDED, validation_nats_per_character=None)
    assert "n-gram" not in shown(PlainLines, STARTED, ended)


@pytest.mark.parametrize(("seconds", "words"), [(5, "0:05"), (65, "1:05"), (7384, "2:03:04")])
def test_durations(seconds: float, words: str) -> None:
    assert duration(seconds) == words


def test_losses_in_both_units() -> None:
    assert as_loss(1.0) == "1.000 nats, 1.443 bits per character"
    assert as_loss(3e20) == "3.0e+20 nats, 4.3e+20 bits per character"


@pytest.mark.parametrize(
    ("message", "flags"),
    [
        ("give `training.max_time=3m`.", "give --max-time 3m."),
        ("`until` is empty.", "--until is empty."),
        ("`prime_file` and `prime`", "--prime-file and --prime"),
        ("`data.validation_fraction=0`, or more", "--set data.validation_fraction=0, or more"),
        ("`model.extend_vocabulary=true` adds", "--extend-vocabulary adds"),
        ("`training.patience` is used up", "training.patience is used up"),
        ("a file `My File` or a ` alone", "a file `My File` or a ` alone"),
    ],
)
def test_settings_in_messages_become_flags(message: str, flags: str) -> None:
    assert as_flags(message) == flags
