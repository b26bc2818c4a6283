"""Trackers receive what is logged, and cannot harm a run."""

import json
import sys
from io import FileIO
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from charrnn.commands.train import resumed_run, trackers
from charrnn.config.layers import check_config, load_config
from charrnn.config.settings import Logging
from charrnn.events import (
    Evaluated,
    Event,
    RolledBack,
    RunStarted,
    Stepped,
)
from charrnn.report.metrics import Metrics
from charrnn.runs.observations import _histogram
from charrnn.runs.start import new_run
from charrnn.setup.loading import load_model
from charrnn.system.record_file import RecordFile
from charrnn.trackers import registry
from charrnn.trackers.registry import TRACKERS, Tracker
from charrnn.trackers.tensorboard import TensorBoard, scalars_of
from tests.conftest import TINY, TINY_SETTINGS
from tests.event_files import values_of
from tests.runs import train

SINKS = ["--set", "logging.sinks=tensorboard"]
STARTED = RunStarted("run", 1, 1, 1, 1, 1, None, 1, 1)
Scalars = dict[str, list[tuple[int, float]]]


def lines_of(run: str | Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in Path(run, "metrics.jsonl").read_text().splitlines()]


def logged_scalars(run: str | Path) -> Scalars:
    """The scalars of a log, in single precision."""
    found: Scalars = {}
    for line in lines_of(run):
        for tag, value in scalars_of(line):
            found.setdefault(tag, []).append((line["step"], float(np.float32(value))))
    return found


def tracked_scalars(run: str | Path) -> Scalars:
    values = values_of(Path(run, "tensorboard"))
    return {tag: kept for tag, kept in values.items() if isinstance(kept[0][1], float)}


@pytest.fixture
def tracked(charrnn, text_file: Path) -> Path:
    """The directory of a run with the tracker."""
    steps = ["--max-steps", 60, "--set", "logging.every_steps=7", "--out", "run"]
    done = charrnn("train", text_file, *TINY, *SINKS, "--test", text_file, *steps)
    assert done.code == 0, done.err
    return Path("run")


def test_scalars_are_those_of_the_log(tracked: Path) -> None:
    scalars = tracked_scalars(tracked)
    assert scalars == logged_scalars(tracked)
    assert [step for step, _ in scalars["step/gradient_norms/W"]] == [1, *range(7, 61, 7)]
    kinds = {tag.split("/")[0] for tag in scalars}
    assert kinds == {"baselines", "step", "evaluation", "weights", "test"}
    for name in ("learning_rate", "clipped_share", "characters_per_second", "bits_per_character"):
        assert f"step/{name}" in scalars
    steps = [line for line in lines_of(tracked) if line["event"] == "step"]
    assert {*steps[0]} - {"event", "step", "gradient_norms"} == {
        tag.split("/")[1] for tag in scalars if tag.startswith("step/")
    } - {"gradient_norms"}


def test_names_of_scalars() -> None:
    profile = {"event": "lag_profile", "step": 3, "norms": [1.0], "rate": 0.9, "half_life": None}
    assert list(scalars_of(profile)) == [("lag_profile/rate", 0.9)]
    assert list(scalars_of(profile | {"layer": 2})) == [("lag_profile/layer-2/rate", 0.9)]
    norms = {"event": "weights", "step": 3, "norms": {"U": 1, "W1": 2.5}}
    assert list(scalars_of(norms)) == [("weights/norms/U", 1.0), ("weights/norms/W1", 2.5)]


def test_samples_config_and_histograms(tracked: Path) -> None:
    values = values_of(tracked / "tensorboard")
    samples = [line["text"] for line in lines_of(tracked) if line["event"] == "sample"]
    shown = [text for _, text in values["sample/text_summary"]]
    assert ["\n".join(line[4:] for line in text.split("\n")) for text in shown] == samples
    ((step, config),) = values["config/text_summary"]
    assert step == 0
    assert config.replace("\n    ", "\n")[4:] == (tracked / "config.yaml").read_text()
    params = load_model(str(tracked / "checkpoints" / "last.safetensors")).params
    for name, array in params.named():
        step, last = values[f"weights/{name}"][-1]
        assert (step, last.num, last.min, last.max) == (60, array.size, array.min(), array.max())
        counts, _ = np.histogram(array, len(last.bucket) - 1, (last.min, last.max))
        assert list(last.bucket) == [0, *counts]
        np.testing.assert_allclose(last.sum_squares, np.sum(array**2.0), rtol=0.2)
    norms = [line["norms"] for line in lines_of(tracked) if line["event"] == "weights"]
    assert norms[-1] == pytest.approx({n: np.linalg.norm(a) for n, a in params.named()}, rel=1e-5)


def test_the_readers_of_tensorboard_read_the_same(tracked: Path) -> None:
    accumulators = pytest.importorskip(
        "tensorboard.backend.event_processing.event_accumulator",
        reason="tensorboard is installed with the extra dev",
    )
    reader = accumulators.EventAccumulator(
        str(tracked / "tensorboard"), dict.fromkeys(("scalars", "histograms", "tensors"), 0)
    ).Reload()
    scalars = {
        tag: [(event.step, event.value) for event in reader.Scalars(tag)]
        for tag in reader.Tags()["scalars"]
    }
    assert scalars == logged_scalars(tracked)
    assert len(reader.Histograms("weights/W")) == 3
    assert len(reader.Tensors("sample/text_summary")) == 3


@pytest.mark.parametrize(
    "values", [[0.0], [1e30, 1e30], [1e30, 1.0000001e30], [-3e38, 3e38, 0.0], [1e-45, 0.0]]
)
def test_weights_of_any_size_have_a_histogram(values: list[float]) -> None:
    """Also where there are no 40 numbers between them, or their range overflows."""
    array = np.array([values], np.float32)
    found = _histogram(array)
    assert sum(found.counts) == array.size
    assert len(found.edges) == len(found.counts) + 1
    assert found.edges[0] <= array.min()
    assert found.edges[-1] >= array.max()


def test_training_is_bit_identical_with_a_tracker(charrnn, text_file, tracked: Path) -> None:
    steps = ["--max-steps", 60, "--set", "logging.every_steps=7", "--out", "plain"]
    assert charrnn("train", text_file, *TINY, "--test", text_file, *steps).code == 0
    plain, with_tracker = (
        load_model(f"{run}/checkpoints/last.safetensors").params for run in ("plain", tracked)
    )
    np.testing.assert_array_equal(plain.flat, with_tracker.flat)
    assert not Path("plain", "tensorboard").exists()
    assert [_without_times(line) for line in lines_of("plain")] == [
        _without_times(line) for line in lines_of(tracked)
    ]


def _without_times(line: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in line.items() if "second" not in name}


def run_of(text_file: Path, *assignments: str) -> Any:
    steps = ["training.max_steps=40", "logging.every_steps=1", "logging.sinks=[tensorboard]"]
    given = [*TINY_SETTINGS, *steps, *assignments]
    return new_run(load_config(None, given, {"data": {"text": [str(text_file)]}}), "run")


def sinks_of(run: Any) -> list[Any]:
    every = run.config.logging.every_steps
    return [Metrics(run.directory.metrics, run.state.progress.step, every), *trackers(run)]


def test_a_resumed_run_goes_on_without_duplicates(text_file: Path) -> None:
    def killed(event: object) -> None:
        if isinstance(event, Stepped) and event.step == 25:
            raise KeyboardInterrupt

    run = run_of(text_file)
    with pytest.raises(KeyboardInterrupt):
        train(run, [*sinks_of(run), killed])
    assert [step for step, _ in tracked_scalars("run")["step/used"]] == [*range(1, 26)]
    run = resumed_run("run", [], {})
    assert run.state.progress.step < 25
    train(run, sinks_of(run))
    scalars = tracked_scalars("run")
    assert scalars == logged_scalars("run")
    assert [step for step, _ in scalars["step/used"]] == [*range(1, 41)]
    assert [step for step, _ in scalars["baselines/uniform_nats_per_character"]] == [0]
    assert len(list(Path("run", "tensorboard").iterdir())) == 2


def stepped(step: int, value: float) -> Stepped:
    return Stepped(step, 0.1, 0.1, value, value, {"W": value}, False, 0.0, 0.1, 0, 1, value, value)


def evaluated(step: int, value: float) -> Evaluated:
    return Evaluated(step, value, value, value, best=True)


@given(st.lists(st.sampled_from(["step", "evaluate", "roll back", "resume"]), max_size=25))
def test_what_is_read_is_what_is_logged(tmp_path_factory, acts: list[str]) -> None:
    """Whatever happens in a run: steps, evaluations, going back, resuming."""
    run = tmp_path_factory.mktemp("run")

    def started(last_step: int) -> list[Any]:
        sinks = [Metrics(run / "metrics.jsonl", last_step, 2), TensorBoard(run, last_step, 2, "")]
        return emit(sinks, STARTED)

    def emit(sinks: list[Any], event: Event) -> list[Any]:
        for sink in sinks:
            sink(event)
        return sinks

    sinks, step = started(0), 0
    for number, act in enumerate(acts):
        if act == "step":
            step += 1
            emit(sinks, stepped(step, number))
        elif act == "evaluate":
            emit(sinks, evaluated(step, number))
        elif act == "roll back":
            step //= 2
            emit(sinks, RolledBack(step, "it diverged."))
        else:
            for sink in sinks:
                sink.close()
            step = 2 * step // 3
            sinks = started(step)
    for sink in sinks:
        sink.close()
    assert tracked_scalars(run) == logged_scalars(run)


class Failing:
    """A tracker that fails at its third event."""

    def __init__(self, *_: object) -> None:
        self.events = 0

    def __call__(self, event: Event) -> None:
        self.events += 1
        if self.events == 3:
            raise ValueError("no connection")

    def flush(self) -> None:
        pass

    def close(self) -> None:
        raise ValueError("nor when it is closed")


def test_a_tracker_that_fails_is_dropped(charrnn, text_file, monkeypatch) -> None:
    monkeypatch.setitem(registry.TRACKERS, "tensorboard", Tracker("json", Failing))
    done = charrnn("train", text_file, *TINY, *SINKS, "--max-steps", 20, "--out", "run")
    assert done.code == 0
    assert done.err.count("Failing failed (ValueError: no connection)") == 1
    assert "nor when" not in done.err


def test_nothing_is_written_through_a_link(charrnn, tracked: Path, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    (tracked / "tensorboard").rename(outside)
    before = sorted(outside.iterdir())
    (tracked / "tensorboard").symlink_to(outside)
    done = charrnn("train", "--resume", tracked, "--max-steps", 70)
    assert done.code == 0
    assert "TensorBoard failed (OSError" in done.err
    assert sorted(outside.iterdir()) == before


@pytest.mark.parametrize("fits", [0, 1, 30, 10**6])
def test_a_full_disk_loses_no_record(tmp_path: Path, fits: int) -> None:
    class Disk(FileIO):
        left = fits

        def write(self, content: Any) -> int:
            if not self.left:
                raise OSError(28, "No space left on device")
            size = min(len(content), self.left)
            self.left -= size
            return super().write(bytes(content[:size]))

    disk = Disk(tmp_path / "records", "ab+")
    file = RecordFile(disk)
    records = [bytes([65 + number]) * 9 for number in range(7)]
    for record in records[:5]:
        file.append(record)
    assert file.unwritten == 5 - min(fits // 9, 5)
    whole = b"".join(records[: 5 - file.unwritten])
    assert (tmp_path / "records").read_bytes() == whole
    disk.left = 10**6
    for record in records[5:]:
        file.append(record)
    file.close()
    assert (tmp_path / "records").read_bytes() == b"".join(records)


def test_records_that_remain_unwritten_are_reported(tmp_path: Path) -> None:
    tracker = TensorBoard(tmp_path, 0, 1, "")
    tracker(STARTED)
    (path,) = (tmp_path / "tensorboard").iterdir()
    size = path.stat().st_size
    tracker._file._file.close()
    tracker._file._file = FileIO(path, "rb")  # as if the disk refused to write from now on
    tracker(stepped(1, 2.0))
    with pytest.raises(OSError, match=r"\d+ records could not be written"):
        tracker.close()
    tracker.close()
    assert path.stat().st_size == size


def test_without_the_library(charrnn, text_file, tracked: Path, monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, "tensorboardX", None)
    refused = charrnn("train", text_file, *TINY, *SINKS, "--out", "new")
    assert refused.code == 2
    assert "--set logging.sinks=tensorboard needs tensorboardX" in refused.err
    assert "install it: pip install" in refused.err
    assert not Path("new").exists()
    assert charrnn("train", "--resume", tracked, "--max-steps", 80).code == 2
    assert charrnn("sample", tracked, "--length", 5).code == 0
    assert charrnn("train", text_file, *TINY, "--max-steps", 1).code == 0


def test_settings(charrnn) -> None:
    choice, *_ = get_args(Logging.model_fields["sinks"].annotation)
    assert {*get_args(choice)} == {*TRACKERS}
    for name in TRACKERS:
        assert load_config(None, [f"logging.sinks={name}"], {}).logging.sinks == [name]
    values = load_config(None, [], {}).model_dump()
    del values["logging"]["sinks"]  # as in runs of earlier versions
    assert check_config(values).logging.sinks == []
    for value, fault in (
        ("tensorbord", "did you mean 'tensorboard'?"),
        ("[tensorboard, tensorboard]", "should name each tracker once"),
    ):
        refused = charrnn("train", "--set", f"logging.sinks={value}")
        assert (refused.code, fault in refused.err) == (2, True), refused.err
