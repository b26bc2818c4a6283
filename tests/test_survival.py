"""What a run survives."""

import json
from pathlib import Path

import numpy as np
import pytest

from charrnn.config.layers import load_config
from charrnn.errors import CharrnnError, InputError
from charrnn.events import Evaluated, Sampled, Stepped
from charrnn.model.activations import ACTIVATIONS
from charrnn.model.params import Params
from charrnn.report.metrics import Metrics
from charrnn.runs import observations
from charrnn.runs.resume import resumed_run
from charrnn.runs.start import new_run
from charrnn.sampling.choice import chooser
from charrnn.sampling.generation import GeneratedTexts
from charrnn.text.stream import stream_window
from charrnn.text.vocabulary import Vocabulary
from charrnn.training.checkpoint import encode, load
from charrnn.training.trainer import Divergence
from tests.conftest import TINY_SETTINGS
from tests.runs import train
from tests.scores import evaluate


def tiny_config(text_file: Path, *assignments: str):
    return load_config(
        None,
        [*TINY_SETTINGS, "training.max_steps=30", *assignments],
        {"data": {"text": str(text_file)}},
    )


def weights(run: Path, name: str = "last") -> np.ndarray:
    return load(run / f"checkpoints/{name}.safetensors").params.W


class Killed(BaseException):
    """The process is gone at this event."""


@pytest.mark.parametrize("at", [0, 1, 2, 3, 4, 5])
def test_a_kill_during_any_save_loses_only_steps(tmp_path, text_file, monkeypatch, at) -> None:
    """Whichever file was being replaced, the resumed run ends with the same files."""
    import os

    whole = train(new_run(tiny_config(text_file), str(tmp_path / "whole")), [])
    replaced = []
    original = os.replace

    def kill(source: str, target: Path) -> None:
        if target.suffix == ".safetensors":
            replaced.append(target)
            if len(replaced) == at + 1:
                raise Killed
        original(source, target)

    with monkeypatch.context() as patch:
        patch.setattr("os.replace", kill)
        with pytest.raises(Killed):
            train(new_run(tiny_config(text_file), str(tmp_path / "cut")), [])
    cut = str(tmp_path / "cut")
    nothing_yet = at == 0  # then the same command starts again
    ended = train(
        new_run(tiny_config(text_file), cut) if nothing_yet else resumed_run(cut, [], {}), []
    )
    assert ended.validation_nats_per_character == whole.validation_nats_per_character
    for name in ("best", "last"):
        one, other = (weights(tmp_path / run, name) for run in ("whole", "cut"))
        assert np.array_equal(one, other), name


def test_a_run_can_be_resumed_from_the_start(tmp_path, text_file) -> None:
    def kill(event: object) -> None:
        if isinstance(event, Stepped):
            raise Killed

    with pytest.raises(Killed):
        train(new_run(tiny_config(text_file), str(tmp_path / "run")), [kill])
    assert train(resumed_run(str(tmp_path / "run"), [], {}), []).steps == 30


def test_periodic_saves_change_nothing(tmp_path, text_file) -> None:
    config = tiny_config(text_file, "checkpoints.every=1e-6", "checkpoints.keep=0")
    train(new_run(config, str(tmp_path / "often")), [])
    train(new_run(tiny_config(text_file), str(tmp_path / "seldom")), [])
    assert np.array_equal(weights(tmp_path / "often"), weights(tmp_path / "seldom"))
    assert not list((tmp_path / "often/checkpoints").glob("step-*"))


@pytest.mark.parametrize(
    "assignments",
    [
        ["evaluation.count=1"],
        ["evaluation.count=30"],
        ["evaluation.sample_length=0"],
        ["evaluation.sample_length=900"],
        ["logging.every_steps=1"],
    ],
)
def test_observing_more_often_leaves_the_weights_bit_identical(
    tmp_path, text_file, assignments
) -> None:
    for name, changes in (("plain", []), ("changed", assignments)):
        config = tiny_config(text_file, *changes)
        run = new_run(config, str(tmp_path / name))
        metrics = Metrics(run.directory.metrics, 0, config.logging.every_steps)
        train(run, [metrics])
        metrics.close()
    assert np.array_equal(weights(tmp_path / "plain"), weights(tmp_path / "changed"))
    sizes = {(tmp_path / name / "metrics.jsonl").stat().st_size for name in ("plain", "changed")}
    assert len(sizes) == 2


def test_the_number_of_workers_is_fixed_when_a_run_starts(tmp_path, text_file) -> None:
    run = new_run(tiny_config(text_file, "training.workers=auto"), str(tmp_path / "run"))
    assert isinstance(run.config.training.workers, int)


def test_a_model_that_cannot_sample_continues_training(tmp_path, text_file, monkeypatch) -> None:
    def fail(*arguments: object, **options: object) -> None:
        raise CharrnnError("beyond all numbers")

    monkeypatch.setattr(observations, "GeneratedTexts", fail)
    events = []
    train(new_run(tiny_config(text_file), str(tmp_path / "run")), [events.append])
    assert (tmp_path / "run/checkpoints/best.safetensors").exists()
    assert not [event for event in events if isinstance(event, Sampled)]


@pytest.mark.parametrize(
    "change", ["slots", "lanes", "activation", "section", "step", "vocabulary"]
)
def test_a_checkpoint_that_cannot_be_resumed_is_refused(tmp_path, text_file, change) -> None:
    """Forged, with a matching digest."""
    train(new_run(tiny_config(text_file), str(tmp_path / "run")), [])
    path = tmp_path / "run/checkpoints/last.safetensors"
    checkpoint = load(path)
    if change == "slots":
        checkpoint.state.optimizer.slots.clear()
    elif change == "lanes":
        checkpoint.state.h = checkpoint.state.h[:2]
    elif change == "activation":
        checkpoint.config["model"]["activation"] = "swish"
    elif change == "section":
        del checkpoint.config["training"]
    elif change == "step":
        checkpoint.state.progress.step = "x"
    else:
        characters = checkpoint.vocabulary.characters
        checkpoint.vocabulary.characters = characters[1:] + characters[0]
    for path in (tmp_path / "run/checkpoints").iterdir():
        path.write_bytes(encode(checkpoint))
    with pytest.raises(InputError):
        resumed_run(str(tmp_path / "run"), [], {"max_steps": 90})


def test_the_log_drops_incomplete_and_later_lines(tmp_path) -> None:
    path = tmp_path / "metrics.jsonl"
    whole = [json.dumps({"event": "step", "step": step}) for step in (1, 10, 20)]
    path.write_text("\n".join(whole) + "\n" + '{"event": "step", "st')
    Metrics(path, last_step=10, every_steps=10).close()
    assert path.read_text() == "\n".join(whole[:2]) + "\n"


def test_an_exploding_update_is_a_divergence(tmp_path, text_file) -> None:
    config = tiny_config(
        text_file, "optimizer.name=sgd", "optimizer.learning_rate=1e300", "training.clip.by=none"
    )
    with pytest.raises(Divergence, match=r"diverged at step \d: the update overflowed"):
        train(new_run(config, str(tmp_path / "run")), [])


def exploding() -> Params:
    W = np.full((2, 2), 1e30, np.float32)
    return Params.of(U=np.ones((2, 3), np.float32), W=W, V=np.ones((3, 2), np.float32))


def test_an_exploding_model_is_reported_not_sampled() -> None:
    relu = ACTIVATIONS["relu"]
    texts = GeneratedTexts(
        exploding(),
        relu,
        Vocabulary("abc"),
        "a",
        delimiter=None,
        choose=chooser(),
        random=np.random.default_rng,
        length=10,
        count=2,
    )
    for text in texts:
        with pytest.raises(CharrnnError, match="hidden state of the model overflowed"):
            list(text)
    assert not np.isfinite(evaluate(exploding(), [stream_window(np.zeros(9, int))], relu).nats)


def test_an_alphabet_of_one(tmp_path) -> None:
    (tmp_path / "a.txt").write_text("a" * 500)
    events = []
    train(new_run(tiny_config(tmp_path / "a.txt"), str(tmp_path / "run")), [events.append])
    scores = [
        event.validation_nats_per_character for event in events if isinstance(event, Evaluated)
    ]
    assert scores == [0.0] * 3


def test_an_interrupted_run_is_not_called_complete(charrnn, tmp_path, text_file) -> None:
    """A total below what the run has made is at fault, not the run."""

    def kill(event: object) -> None:
        if isinstance(event, Stepped) and event.step == 25:
            raise Killed

    run = tmp_path / "run"
    with pytest.raises(Killed):
        train(new_run(tiny_config(text_file), str(run)), [kill])
    outcome = charrnn("train", "--resume", run, "--max-steps", 5)
    assert outcome.code == 2
    assert "which is no less than the total asked for" in outcome.err
    assert "complete" not in outcome.err
    assert resumed_run(str(run), [], {}).config.training.max_steps == 30
