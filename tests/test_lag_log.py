"""Lag profiles during training: about once per epoch, without effect on the weights."""

import json
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file

from charrnn.analysis.flow import lag_profiles
from charrnn.events import LagProfile, Stepped
from charrnn.runs import lag_log
from charrnn.runs.lag_log import LagLog
from charrnn.runs.start import new_run
from tests.conftest import TINY, TINY_SETTINGS

EPOCH = 61  # steps: a tenth is held out, 483 characters a lane, 8 at a time


@pytest.fixture(autouse=True)
def _every_epoch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lag_log, "MIN_CHARACTERS_BETWEEN", 100)


def profiles(run: Path) -> list[dict]:
    lines = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    return [line for line in lines if line["event"] == "lag_profile"]


def train(charrnn, text_file: Path, out: str, *more: object) -> Path:
    outcome = charrnn("train", text_file, *TINY, *more, "--out", out)
    assert outcome.code == 0, outcome.err
    return Path(out)


@pytest.mark.parametrize("sequences", ["stream", "lines", "documents"])
def test_the_log_leaves_the_weights_bit_identical(charrnn, text_file, sequences) -> None:
    steps = ["--max-steps", 150, "--set", f"data.sequences={sequences}"]
    on = train(charrnn, text_file, "on", *steps)
    off = train(charrnn, text_file, "off", *steps, "--set", "logging.lag_profile=false")
    one, other = (load_file(run / "checkpoints/last.safetensors") for run in (on, off))
    assert all(np.array_equal(one[name], other[name]) for name in one)
    assert profiles(on)
    assert not profiles(off)


def test_once_an_epoch_and_the_same_when_resumed(charrnn, text_file) -> None:
    constant = ["--set", "schedule.name=constant"]
    whole = train(charrnn, text_file, "whole", *constant, "--max-steps", 2 * EPOCH + 5)
    found = profiles(whole)
    assert [line["step"] for line in found] == [EPOCH, 2 * EPOCH]
    parts = train(charrnn, text_file, "parts", *constant, "--max-steps", EPOCH + 3)
    assert charrnn("train", "--resume", parts, "--max-steps", 2 * EPOCH + 5).code == 0
    assert profiles(parts) == found
    for line in found:
        assert len(line["norms"]) == lag_log.LAGS + 1
        assert line["half_life"] == pytest.approx(abs(np.log(2) / np.log(line["rate"])))


def small_run(text_file: Path, tmp_path: Path, *more: str):
    from charrnn.config.layers import load_config

    settings = TINY_SETTINGS
    config = load_config(None, [*settings, *more], {"data": {"text": [str(text_file)]}})
    return new_run(config, str(tmp_path / "run"))


def stepped(step: int, characters: int) -> Stepped:
    zero = dict.fromkeys(Stepped.__dataclass_fields__, 0)
    return Stepped(**zero | {"step": step, "characters": characters})


def test_it_is_the_profile_of_gradflow(text_file, tmp_path, monkeypatch) -> None:
    run = small_run(text_file, tmp_path)
    seen = []

    def watched(problem, activation, lags):
        seen.append((problem, lags))
        return lag_profiles(problem, activation, lags)

    monkeypatch.setattr(lag_log, "lag_profiles", watched)
    (event,) = LagLog(run, 10)(stepped(10, 10_000))
    assert isinstance(event, LagProfile)
    assert event.layer is None
    (problem, lags) = seen[0]
    assert problem.window.targets == lag_log.RECENT * lag_log.LANES
    assert problem.params.W.dtype == np.float64  # far lags underflow in float32
    assert lags == lag_log.LAGS
    assert len(event.norms) == lags + 1


def test_small_texts_are_not_measured_in_every_epoch(text_file, tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(lag_log, "MIN_CHARACTERS_BETWEEN", 100_000)
    log = LagLog(small_run(text_file, tmp_path), 10)
    told = [epoch for epoch in range(1, 101) if log(stepped(10 * epoch, 5_000 * epoch))]
    assert told == [20, 40, 60, 80, 100]
    assert not log(stepped(15, 200_000))  # in the middle of an epoch


def test_an_explosion_has_no_profile(text_file, tmp_path) -> None:
    run = small_run(text_file, tmp_path, "model.activation=relu")
    log = LagLog(run, 1)
    assert log(stepped(1, 1_000))
    run.state.params.W[...] *= 1e30
    assert not log(stepped(2, 2_000))
