"""`charrnn inspect` describes a text as training uses it, and verifies checkpoints."""

import json
import shutil
import tracemalloc
from itertools import count
from pathlib import Path
from types import SimpleNamespace

import pytest

from charrnn.commands import inspect
from charrnn.commands.inspect import inspect_text
from charrnn.config.layers import load_config
from charrnn.events import RunStarted
from charrnn.runs.start import new_run
from charrnn.setup import trial
from charrnn.setup.preparation import ReadText
from charrnn.text.corpus import build_corpus
from charrnn.text.text import Text
from charrnn.training.checkpoint import load
from tests.conftest import RHYME, TINY, TINY_SETTINGS
from tests.runs import train

TICK = 0.1  # seconds


@pytest.fixture(autouse=True)
def _ticks(monkeypatch: pytest.MonkeyPatch) -> None:
    """A clock that advances by a tick per reading: once per trial step."""
    readings = count()
    monkeypatch.setattr(trial, "time", SimpleNamespace(perf_counter=lambda: TICK * next(readings)))
    monkeypatch.setattr(inspect, "TRIAL_SECONDS", 2.0)


def estimate(charrnn, text: str, *settings: str) -> dict:
    Path("text.txt").write_text(text)
    assignments = [part for setting in settings for part in ("--set", setting)]
    found = charrnn("inspect", "text.txt", *TINY, *assignments, "--json")
    assert found.code == 0, found.err
    return json.loads(found.out)


def test_the_trial_measures_the_time_of_a_step(charrnn) -> None:
    trial = estimate(charrnn, RHYME * 12)["trial"]
    assert trial["steps"] == pytest.approx(2.0 / TICK, abs=1)
    assert trial["seconds_per_step"] == pytest.approx(TICK, rel=0.15)
    assert trial["characters"] == 4 * 8


@pytest.mark.parametrize("evaluations", [1, 300])
@pytest.mark.parametrize("fraction", [0, 0.1, 0.6])
def test_the_estimate_is_of_all_steps_and_evaluations(charrnn, evaluations, fraction) -> None:
    """An evaluation costs a third of what training on as many characters does."""
    report = estimate(
        charrnn, RHYME * 30, "training.max_steps=500",
        f"evaluation.count={evaluations}", f"data.validation_fraction={fraction}",
    )  # fmt: skip
    scored = round(len(RHYME) * 30 * fraction)
    assert report["scored"] == scored
    as_steps = evaluations * scored / (4 * 8) / 3
    assert report["steps"] == 500
    expected = (500 + as_steps) * report["trial"]["seconds_per_step"]
    assert report["seconds"] == pytest.approx(expected, rel=1e-9)
    assert report["seconds"] == pytest.approx((500 + as_steps) * TICK, rel=0.15)


@pytest.mark.parametrize(
    ("steps", "seconds", "expected_steps", "expected_seconds"),
    [
        ("null", 30.0, 30.0 / TICK, 30.0),
        ("100", 1e6, 100, 100 * TICK),
        ("100000", 30.0, 30.0 / TICK, 30.0),
        ("100", "null", 100, 100 * TICK),
    ],
)
def test_whichever_limit_comes_first_is_the_estimate(
    charrnn, steps, seconds, expected_steps, expected_seconds
) -> None:
    report = estimate(
        charrnn, RHYME * 12, "evaluation.max_characters=2", "evaluation.count=1",
        f"training.max_steps={steps}", f"training.max_time={seconds}",
    )  # fmt: skip
    assert report["steps"] == pytest.approx(expected_steps, rel=0.15)
    assert report["seconds"] == pytest.approx(expected_seconds, rel=0.15)


@pytest.mark.parametrize("sequences", ["stream", "lines", "documents"])
def test_training_agrees_with_inspect(charrnn, tmp_path, sequences) -> None:
    for number in range(3):
        (tmp_path / f"{number}.txt").write_text(RHYME * (4 + number))
    texts = [f"{number}.txt" for number in range(3)]
    settings = [*TINY, "--set", f"data.sequences={sequences}", "--set", "training.max_steps=7"]
    found = charrnn("inspect", *texts, *settings, "--json")
    assert found.code == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == texts
    report = json.loads(found.out)
    run = new_run(load_config(None, settings[3::2], {"data": {"text": texts}}), "run")
    events = []
    train(run, [events.append])
    started = next(event for event in events if isinstance(event, RunStarted))
    for name in ("training", "validation"):
        assert report[name] == getattr(started, f"{name}_characters")
    assert report["steps_per_epoch"] == started.steps_per_epoch
    assert report["weights"] == started.parameters
    assert report["steps"] == 7
    characters = report["alphabet"]["characters"]
    assert sorted(characters) == sorted(run.corpus.vocabulary.characters)
    counts = dict(zip(characters, report["alphabet"]["counts"], strict=True))
    assert sum(counts.values()) == report["training"] + report["validation"]
    if sequences == "stream":
        whole = RHYME * 15
        assert counts == {character: whole.count(character) for character in characters}
        assert report["lines"] == whole.count("\n")
        assert report["characters"] == len(whole)
    assert list(counts.values()) == sorted(counts.values(), reverse=True)
    assert report["trial"]["steps"] > 0
    assert 20e6 < report["trial"]["memory"] < 20e9


def test_description_of_a_text(charrnn, tmp_path) -> None:
    (tmp_path / "a.txt").write_bytes(
        (RHYME * 12).replace("\n", "\r\n").encode() + b"\x1b[31m\xc2\x9b"
    )
    found = charrnn(
        "inspect",
        "a.txt",
        *TINY,
        "--set",
        "training.max_time=90",
        "--set",
        "training.max_steps=null",
    )
    assert found.code == 0
    assert "carriage return read as \\n" in found.err
    assert "about 1:30" in found.out
    assert "\\x1b U+001B" in found.out
    assert "\\x9b U+009B" in found.out
    assert not {*"\x1b\x9b\r"} & {*found.out}
    assert "held out" in found.out


def test_what_training_would_refuse_is_refused(charrnn, tmp_path) -> None:
    (tmp_path / "short").write_text("abc")
    assert charrnn("inspect", "short").code == 3
    assert charrnn("inspect", "none").code == 3
    assert charrnn("inspect", "--set", "training.window=0").code == 2


def test_a_checkpoint_is_described_and_verified(charrnn, trained) -> None:
    path = trained / "checkpoints/best.safetensors"
    checkpoint = load(path)
    report = json.loads(charrnn("inspect", path, "--json").out)
    assert report["progress"]["step"] == checkpoint.state.progress.step
    assert "".join(report["alphabet"]["characters"]) == checkpoint.vocabulary.characters
    assert report["text_digest"] == checkpoint.text_digest
    assert report["weights"] == checkpoint.params.size
    assert report["shapes"]["U"] == [16, len(checkpoint.vocabulary)]
    assert report["others"] == []
    shown = charrnn("inspect", path).out
    assert "verified" in shown
    assert checkpoint.text_digest in shown


def test_damaged_checkpoints_of_a_run_are_listed(charrnn, trained, tmp_path) -> None:
    shutil.copytree(trained, tmp_path / "run")
    assert charrnn("inspect", "run").code == 0
    damaged = tmp_path / "run/checkpoints/last.safetensors"
    content = bytearray(damaged.read_bytes())
    content[-1] ^= 1
    damaged.write_bytes(content)
    found = charrnn("inspect", "run")
    assert found.code == 1
    assert "digest does not match" in found.out
    others = json.loads(charrnn("inspect", "run", "--json").out)["others"]
    assert [other["fault"] is None for other in others] == [False, True, True, True]
    assert charrnn("inspect", damaged).code == 3
    best = tmp_path / "run/checkpoints/best.safetensors"
    damaged.write_bytes(best.read_bytes())
    best.write_bytes(b"")
    found = charrnn("inspect", "run")
    assert found.code == 1
    assert "last.safetensors" in found.out.splitlines()[0]
    assert "cannot be used" in found.out
    assert charrnn("inspect", ".").code == 2


def test_a_run_without_a_sound_checkpoint_lists_their_faults(charrnn, trained, tmp_path) -> None:
    run = shutil.copytree(trained, tmp_path / "run")
    files = sorted((run / "checkpoints").iterdir())
    for file in files:
        file.write_bytes(file.read_bytes()[:100])
    outcome = charrnn("inspect", run)
    assert outcome.code == 3
    assert all(str(file) in outcome.err for file in files)
    assert "charrnn inspect" not in outcome.err


def test_a_checkpoint_is_recognized_by_its_content(charrnn, trained, tmp_path) -> None:
    shutil.copy(trained / "checkpoints/best.safetensors", tmp_path / "renamed.txt")
    assert "verified" in charrnn("inspect", "renamed.txt").out
    for arguments in (["renamed.txt", "--set", "training.window=8"], ["renamed.txt", "other"]):
        assert charrnn("inspect", *arguments).code == 2


def test_symbols_for_invisible_characters() -> None:
    from charrnn.report.inspection import shown

    assert [shown(c) for c in "a \n\t\\'\u0301\u200b\u0635"] == [
        "a", "␣", "\\n", "\\t", "\\", "'", "◌\u0301", "\\u200b", "\u0635",
    ]  # fmt: skip


def test_nothing_else_reads_the_folder(charrnn, tmp_path: Path) -> None:
    (tmp_path / "texts").mkdir()
    (tmp_path / "texts/a.txt").write_text(RHYME * 12)
    assert charrnn("inspect", "texts", *TINY).code == 0
    assert [path.name for path in tmp_path.rglob("*")] == ["texts", "a.txt"]


def test_inspecting_takes_little_memory_beside_the_text(monkeypatch) -> None:
    """Characters are counted in chunks."""
    corpus = build_corpus(Text.of(RHYME * 20_000), 0.1)
    settings = [*TINY_SETTINGS, "training.workers=1"]
    read = ReadText(corpus, corpus.training[:0], {}, 1, ())
    monkeypatch.setattr(inspect, "read_texts", lambda *_, **__: read)
    inspect_text("default", settings, {})  # allocated once
    tracemalloc.start()
    try:
        report, _ = inspect_text("default", settings, {})
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert sum(report.alphabet.counts) == len(RHYME) * 20_000
    assert peak < len(RHYME) * 20_000


def test_numbers_are_not_truncated(charrnn, tmp_path) -> None:
    text = "".join(map(chr, [*range(1, 9), *range(0x202A, 0x202F), *range(97, 123)])) * 1234
    (tmp_path / "wide.txt").write_text(text)
    found = charrnn("inspect", "wide.txt", *TINY)
    assert found.out.count("1,234") == 8 + 5 + 26
    assert found.out.count("U+") == 8 + 5 + 26
    assert all(len(line) <= 80 for line in found.out.splitlines()[1:])
