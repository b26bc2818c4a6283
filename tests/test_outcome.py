"""How long a run is in epochs, what it is compared with, and whether it failed."""

import json
from dataclasses import replace

import pytest
from safetensors.numpy import load_file

from charrnn.config.layers import load_config
from charrnn.report.console import PlainLines
from charrnn.runs.outcome import failure
from tests.conftest import RHYME, TINY
from tests.test_report import BASELINES, ENDED, EVALUATED, STEPPED, shown


def lines_of(run: str) -> list[dict]:
    with open(f"{run}/metrics.jsonl", encoding="utf-8") as log:
        return [json.loads(line) for line in log]


def weights(run: str) -> dict:
    tensors = load_file(f"{run}/checkpoints/last.safetensors")
    return {name: array.tobytes() for name, array in tensors.items()}


def test_epochs_are_so_many_steps(charrnn, text_file) -> None:
    """The same run, bit for bit: its schedule and its evaluations follow the steps."""
    report = json.loads(charrnn("inspect", text_file, *TINY, "--json").out)
    steps = round(0.4 * report["steps_per_epoch"])
    outcome = charrnn("train", text_file, *TINY, "--epochs", "0.4", "--out", "epochs")
    assert f"in all {steps} steps: {steps / report['steps_per_epoch']:.3g} epochs" in outcome.err
    charrnn("train", text_file, *TINY, "--max-steps", steps, "--out", "steps")
    assert weights("epochs") == weights("steps")
    settings = ["--set", "training.epochs=0.4", "--json"]
    assert json.loads(charrnn("inspect", text_file, *TINY, *settings).out)["steps"] == steps
    assert json.loads(charrnn("inspect", text_file, "-c", "epochs/config.yaml", "--json").out)[
        "steps"
    ] == steps  # fmt: skip


def test_a_run_is_resumed_for_more_epochs(charrnn, text_file) -> None:
    charrnn("train", text_file, *TINY, "--epochs", "0.2", "--out", "run")
    outcome = charrnn("train", "--resume", "run")
    assert outcome.code == 2
    assert "raise the total, such as --epochs 0.3" in outcome.err
    assert charrnn("train", "--resume", "run", "--epochs", "0.5").code == 0
    per_epoch = json.loads(charrnn("inspect", text_file, *TINY, "--json").out)["steps_per_epoch"]
    assert lines_of("run")[-1]["step"] == round(0.5 * per_epoch)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--epochs", "2", "--max-steps", "3"], "--max-steps and --epochs are both given"),
        (["--epochs", "0"], "--epochs 0 should be"),
        (["--epochs", "nan"], "--epochs nan should be"),
    ],
)
def test_epochs_that_are_refused(charrnn, text_file, arguments, words) -> None:
    outcome = charrnn("train", text_file, *TINY, *arguments)
    assert (outcome.code, words in outcome.err) == (2, True), outcome.err


def test_a_run_of_far_too_many_or_few_epochs_is_noted(charrnn, tmp_path) -> None:
    (tmp_path / "short.txt").write_text(RHYME)
    settings = [*TINY, "--set", "evaluation.count=1"]
    outcome = charrnn("train", "short.txt", *settings, "--max-steps", 700, "--out", "many")
    assert "the run goes over this text 1" in outcome.err
    assert "--epochs 50" in outcome.err
    (tmp_path / "long.txt").write_text(RHYME * 30)
    assert "to see all: --epochs 1" in charrnn("train", "long.txt", *settings, "--max-steps", 9).err
    assert "note: the run" not in charrnn("train", "long.txt", *settings, "--epochs", 1).err


def test_the_baselines_are_logged_once_and_in_the_result(charrnn, text_file) -> None:
    outcome = charrnn("train", text_file, *TINY, "--max-steps", 6, "--out", "run", "--json")
    charrnn("train", "--resume", "run", "--max-steps", 9)
    logged = [line for line in lines_of("run") if line["event"] == "baselines"]
    assert len(logged) == 1
    result = json.loads(outcome.out)
    for name in ("ngram_nats_per_character", "uniform_nats_per_character"):
        assert result[name] == logged[0][name] > 0
    assert result["failure"] is None
    without = charrnn(
        "train", text_file, *TINY, "--max-steps", 6, "--set", "data.validation_fraction=0", "--json"
    )
    assert json.loads(without.out)["ngram_nats_per_character"] is None


def test_a_model_that_is_worse_than_guessing_is_said_to_have_failed(charrnn, text_file) -> None:
    broken = [
        "--set", "optimizer.name=sgd", "--set", "optimizer.learning_rate=30",
        "--set", "training.clip.by=none", "--set", "model.activation=relu",
    ]  # fmt: skip
    outcome = charrnn("train", text_file, *TINY, *broken, "--max-steps", 9, "--out", "a", "--json")
    assert outcome.code == 0
    found = json.loads(outcome.out)
    assert found["failure"].startswith("the model is no better than guessing: ")
    assert "It diverged: at step" in found["failure"]
    assert "warning: the model is no better" in outcome.err
    assert "--lr 3" in outcome.err
    fine = charrnn("train", text_file, *TINY, "--max-steps", 60, "--out", "b")
    assert "warning" not in fine.err


def test_the_reason_of_a_failure() -> None:
    config = load_config("tiny", [], {})
    worst = replace(STEPPED, step=3, nats_per_character=99.0, gradient_norm=1e4)
    assert failure(config, 4.1, 4.2, 500, 0, worst) is None
    assert failure(config, 5.0, 4.2, 0, 0, None) is None
    diverged = failure(config, 5.0, 4.2, 500, 0, worst)
    assert "at step 3 the loss was 99 nats, with a gradient of norm 1e+04" in diverged
    mild = replace(worst, nats_per_character=5.0)
    assert "made only 9 steps" in failure(config, 4.3, 4.2, 9, 0, mild)
    rate = 10 * config.optimizer.learning_rate
    assert f"`optimizer.learning_rate={rate:.3g}`" in failure(config, 4.3, 4.2, 900, 0, None)


def test_a_text_of_one_character_has_nothing_to_learn() -> None:
    assert failure(load_config("tiny", [], {}), 0.0, 0.0, 900, 0, None) is None


def test_the_columns_of_the_summary_hold_a_huge_loss() -> None:
    huge = replace(ENDED, validation_nats_per_character=1234.5)
    lines = shown(PlainLines, BASELINES, EVALUATED, huge).splitlines()
    rows = [line for line in lines if line.startswith("  ") and " bits:" in line]
    assert len(rows) == 3
    assert len({re_words(row) for row in rows}) == 1


def re_words(row: str) -> int:
    """The column in which the words after the losses start."""
    after = row.index(":") + 1
    return after + len(row[after:]) - len(row[after:].lstrip())
