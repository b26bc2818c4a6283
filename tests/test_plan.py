"""`train` without -c chooses what is not given, says so, and writes it into the config."""

import json
import time
from functools import reduce
from pathlib import Path

import numpy as np
import pytest
import yaml

import charrnn as library
from charrnn.config.layers import load_config
from charrnn.events import Stepped
from charrnn.runs.resume import resumed_run
from charrnn.runs.start import new_run
from charrnn.setup import planning, trial
from charrnn.training.checkpoint import load
from tests.conftest import RHYME
from tests.runs import train

GIVEN = ["--hidden-size", 16, "--epochs", 2, "--set", "training.workers=2"]


def config_of(run: str | Path) -> dict:
    return yaml.safe_load(Path(run, "config.yaml").read_text())


def weights(run: str | Path) -> np.ndarray:
    return load(Path(run, "checkpoints/last.safetensors")).params.flat


@pytest.fixture
def rate(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine whose speed does not vary."""
    monkeypatch.setattr(planning, "_rate", lambda *_: 2e10)


def test_the_config_of_a_planned_run_plans_nothing_and_gives_the_same_run(charrnn, text_file):
    first = charrnn("train", text_file, *GIVEN, "--out", "first", "--json")
    assert first.code == 0, first.err
    again = charrnn("train", "-c", "first/config.yaml", "--out", "again", "--json")
    assert again.code == 0
    assert json.loads(first.out)["plan"]["settings"]
    assert json.loads(again.out)["plan"] is None
    assert "chosen for" in first.err
    assert "chosen for" not in again.err
    assert config_of("first") == config_of("again")
    assert np.array_equal(weights("first"), weights("again"))


def test_a_planned_run_is_resumed_as_if_uninterrupted(text_file, tmp_path) -> None:
    config = load_config(
        None,
        ["training.epochs=2", "training.workers=2", "model.hidden_size=16"],
        {"data": {"text": str(text_file)}},
    )
    keys = {"training.epochs", "training.workers", "model.hidden_size"}
    often = config.model_copy(
        update={"checkpoints": config.checkpoints.model_copy(update={"every": 1e-6})}
    )
    train(new_run(often, str(tmp_path / "whole"), given=keys), [])

    class Killed(BaseException):
        pass

    def kill(event: object) -> None:
        if isinstance(event, Stepped) and event.used > 0.5:
            raise Killed

    with pytest.raises(Killed):
        train(new_run(often, str(tmp_path / "cut"), given=keys), [kill])
    resumed = resumed_run(str(tmp_path / "cut"), [], {})
    assert resumed.plan is None
    assert resumed.state.progress.step > 0
    train(resumed, [])
    assert np.array_equal(weights(tmp_path / "whole"), weights(tmp_path / "cut"))


def test_text_and_library_and_inspection_have_the_same_plan(charrnn, text_file, rate) -> None:
    """A plan is a function of the text, not of how it is read or who asks."""
    Path("copy.txt").write_text(RHYME * 12)
    arguments = ["--max-steps", 9, "--json"]
    plans = [
        json.loads(charrnn("train", text_file, *arguments).out)["plan"],
        json.loads(charrnn("inspect", "copy.txt", *arguments).out)["plan"],
    ]
    run = library.train(RHYME * 12, max_steps=9)
    assert run.plan is not None
    plans.append(json.loads(json.dumps(vars(run.plan))))
    assert plans[0] == plans[1] == plans[2]
    flat = {key: reduce(dict.get, key.split("."), run.config) for key in run.plan.settings}
    assert flat == run.plan.settings
    assert any("chosen for" in note for note in run.notes)


@pytest.mark.parametrize(
    "arguments",
    [
        ["--layers", 3, "--hidden-size", 8],
        ["--lr", "1e-3", "--dropout", "0.15"],
        ["--batch-size", 3],
        ["--set", "optimizer.weight_decay=0.01", "--set", "training.epochs=1.5"],
        ["--optimizer", "sgd"],
        ["--optimizer", "muon"],
        ["--set", "schedule.name=step"],
        ["--set", "schedule.final=0.1"],
        ["--set", "training.averaging=0"],
        ["--set", "training.max_steps=2", "--window", 8],
        ["--set", "optimizer.name=adam", "--set", "model.activation=relu"],
    ],
)
def test_what_is_given_stays_as_given(charrnn, text_file, arguments) -> None:
    outcome = charrnn("inspect", text_file, *arguments, "--json")
    assert outcome.code == 0, outcome.err
    plan = json.loads(outcome.out)["plan"]
    described = charrnn("config", "default", *arguments, "--json")
    given = {
        key for key, origin in json.loads(described.out)["origins"].items() if "-" in origin
    }  # options; defaults have other origins
    assert given
    assert not given & plan["settings"].keys()


def test_a_time_limits_a_planned_run(charrnn, text_file, rate) -> None:
    outcome = charrnn("train", text_file, "--max-time", "0.3s", "--out", "run", "--json")
    assert outcome.code == 0, outcome.err
    training = config_of("run")["training"]
    assert (training["max_time"], training["max_steps"]) == (0.3, None)
    assert "characters/s" in outcome.err
    assert "this choice is a guess" in outcome.err


def test_more_time_than_a_text_pays_for_is_not_used(charrnn, text_file, rate) -> None:
    report = json.loads(charrnn("inspect", text_file, "--max-time", "10m", "--json").out)
    assert report["plan"]["ends"] == "passes"
    assert report["plan"]["seconds"] < 60


def test_the_speed_is_measured_when_there_is_a_time_only(charrnn, text_file, monkeypatch) -> None:
    measured = []
    original = planning._rate

    def rate(*arguments):
        measured.append(original(*arguments))
        return measured[-1]

    monkeypatch.setattr(planning, "_rate", rate)
    assert charrnn("inspect", text_file, "--epochs", 2).code == 0
    assert not measured
    report = json.loads(charrnn("inspect", text_file, "--max-time", "10s", "--json").out)
    assert len(measured) == planning.TRIALS
    assert min(measured) > 0
    plan = report["plan"]
    assert plan["characters_per_second"] * report["weights"] == pytest.approx(measured[-1])


def test_a_clock_that_stands_still_does_no_harm(charrnn, text_file, monkeypatch) -> None:
    monkeypatch.setattr(time, "perf_counter", lambda: 7.0)
    monkeypatch.setattr(trial, "MAX_STEPS", 3)
    assert charrnn("inspect", text_file, "--max-time", "3m").code == 0


def test_a_faster_machine_gets_a_larger_network(charrnn, tmp_path, monkeypatch) -> None:
    Path("text.txt").write_text(RHYME * 6000)
    found = []
    for speed in (1e9, 1e10, 1e11):
        monkeypatch.setattr(planning, "_rate", lambda *_, speed=speed: speed)
        outcome = charrnn("inspect", "text.txt", "--max-time", "2m", "--json")
        found.append(json.loads(outcome.out)["weights"])
    assert sorted({*found}) == found


def test_a_parent_keeps_its_size_and_kind(charrnn, stacked, text_file) -> None:
    outcome = charrnn("train", text_file, "--init-from", stacked, "--max-steps", 2, "--json")
    assert outcome.code == 0, outcome.err
    result = json.loads(outcome.out)
    model = config_of(result["run"])["model"]
    assert (model["hidden_size"], model["layers"], model["activation"]) == (8, 2, "tanh")
    assert not {"model.hidden_size", "model.layers"} & result["plan"]["settings"].keys()
    size = ["--hidden-size", 8, "--layers", 2]
    fresh = charrnn("inspect", text_file, *size, "--max-steps", 2, "--json")
    usual = json.loads(fresh.out)["plan"]
    rate = "optimizer.learning_rate"
    assert result["plan"]["settings"][rate] < usual["settings"][rate]


def test_without_a_limit_a_run_ends_by_epochs(charrnn) -> None:
    Path("text.txt").write_text(RHYME * 40)
    report = json.loads(charrnn("inspect", "text.txt", "--json").out)
    settings = report["plan"]["settings"]
    assert settings["training.max_steps"] is None
    assert 5 <= settings["training.epochs"] <= 100
    assert report["steps"] == round(settings["training.epochs"] * report["steps_per_epoch"])


@pytest.mark.parametrize("kind", ["stream", "lines", "documents"])
def test_the_expected_passes_are_those_of_the_run(charrnn, kind) -> None:
    for name in "ab":
        Path(f"{name}.txt").write_text(RHYME * 40)
    given = ["--set", f"data.sequences={kind}", "--max-steps", 50, "--batch-size", 5, "--json"]
    report = json.loads(charrnn("inspect", "a.txt", "b.txt", *given).out)
    passes = report["steps"] / report["steps_per_epoch"]
    assert report["plan"]["passes"] == pytest.approx(passes, rel=0.15)
    assert (kind == "stream") != ("data.sequences" in " ".join(report["plan"]["doubts"]))


def test_a_short_text_gets_lanes_that_fit(charrnn) -> None:
    Path("short.txt").write_text(RHYME[:170])
    outcome = charrnn("train", "short.txt", "--epochs", 2, "--out", "run")
    assert outcome.code == 0, outcome.err
    assert config_of("run")["training"]["batch_size"] == 2


def test_quiet_runs_do_not_say_what_was_chosen(charrnn, text_file) -> None:
    outcome = charrnn("-q", "train", text_file, *GIVEN)
    assert outcome.err == ""


def test_a_config_named_default_has_fixed_values(charrnn, text_file) -> None:
    report = json.loads(charrnn("inspect", text_file, "-c", "default", "--json").out)
    assert report["plan"] is None
    assert (report["hidden_size"], report["steps"]) == (384, 3000)


def test_the_default_config_by_name_leaves_a_parent_its_size(charrnn, stacked, text_file) -> None:
    arguments = ["-c", "default", "--init-from", stacked, "--max-steps", 1, "--out", "run"]
    assert charrnn("train", text_file, *arguments).code == 0
    assert config_of("run")["model"]["hidden_size"] == 8


def test_the_plan_is_printed_by_inspect(charrnn, text_file) -> None:
    shown = " ".join(charrnn("inspect", text_file, "--hidden-size", 8).out.split())
    assert "plan chosen for" in shown
    assert "-c default" in shown


def test_the_table_is_no_config(charrnn, text_file) -> None:
    assert charrnn("train", text_file, "-c", "plan").code == 2
    assert "plan" not in charrnn("config", "--list").out.split()
