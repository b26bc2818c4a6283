"""What `train` advises at its end: laws over any log, then an example of each case."""

import json
import shlex
from dataclasses import replace
from math import isclose, nan
from pathlib import Path
from signal import SIGINT, raise_signal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import charrnn
from charrnn.commands import train as commands_train
from charrnn.config.layers import config_values, dump_config, load_config
from charrnn.config.settings import Config
from charrnn.errors import UsageError
from charrnn.events import Stepped
from charrnn.keywords import as_layer
from charrnn.report.flags import as_flags
from charrnn.results import RunLog
from charrnn.runs.assessment import assess
from tests.conftest import TINY, Outcome
from tests.test_assessment import FALLING, FLAT, STEP, log

HARDLY = [3.3, 3.2, 3.1, 3.0, 2.95, 2.9, 2.87, 2.85, 2.84, 2.84]
RISING = [*FLAT[:8], 1.75, 1.8]
LOGS = {
    "learning": log(FALLING),
    "flat, nothing memorized": log(FLAT, [loss - 0.05 for loss in FLAT]),
    "flat, memorized": log(FLAT, [loss - 0.4 for loss in FLAT]),
    "overfitting": log(RISING, FALLING),
    "broken down": log(RISING),
    "hardly learned": log(HARDLY, HARDLY),
    "hardly learned, after a spike": log(
        HARDLY, HARDLY, steps=(replace(STEP, step=1, nats_per_character=7.0), STEP)
    ),
    "no better than guessing": log([4.1] * 10, [4.1] * 10),
    "diverged": log([9.0] * 10, [9.0] * 10, steps=(replace(STEP, nats_per_character=99.0),)),
    "two evaluations": log([3.0, 2.5]),
    "nothing held out": log([None] * 10, FLAT),
}
CONFIGS = {
    "cosine": [],
    "constant": ["schedule.name=constant"],
    "epochs": ["training.max_steps=null", "training.epochs=2"],
    "time": ["training.max_steps=null", "training.max_time=1s"],
    "two limits": ["training.max_time=5s"],
    "ReLU with dropout": ["model.activation=relu", "model.dropout=0.45"],
    "weights of another run": ["model.init_from=a.safetensors"],
    "piped": ['data.text="-"'],
}
OPPOSITES = (
    {"longer", "shorter"}, {"resume", "shorter"}, {"lower_rate", "higher_rate"},
    {"larger", "dropout"}, {"more_text", "larger"},
)  # fmt: skip


def config_of(*assignments: str) -> Config:
    return load_config(None, ["training.max_steps=1000", *assignments], {})


def leaves(values: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in values.items():
        inner = leaves(value, f"{prefix}{key}.") if isinstance(value, dict) else None
        found |= {f"{prefix}{key}": value} if inner is None else inner
    return found


@st.composite
def any_log(draw: st.DrawFn) -> RunLog:
    """Any losses: of a run that learns, memorizes, diverges or does nothing."""
    count = draw(st.integers(1, 12))
    losses = st.lists(st.floats(0.0, 6.0), min_size=count, max_size=count)
    worst = replace(STEP, step=1, nats_per_character=draw(st.floats(1.0, 99.0)))
    last = replace(STEP, rollbacks=draw(st.integers(0, 3)))
    return log(draw(losses), draw(losses), steps=(worst, last))


@given(any_log(), st.sampled_from([*CONFIGS]), st.sampled_from([300, 1000, 2000]))
def test_advice_is_consistent_with_itself_and_with_the_verdict(
    found: RunLog, name: str, steps: int
) -> None:
    config = config_of(f"training.max_steps={steps}", *CONFIGS[name])
    judged = assess(config, found, "runs/a")
    kinds = [way.remedy for way in judged.advice]
    assert len(kinds) == len({*kinds})
    assert not any(pair <= {*kinds} for pair in OPPOSITES)
    assert "resume" not in kinds or kinds == ["resume"]
    assert ("resume" in kinds) <= (judged.standing not in ("overfitting", "useless"))
    assert ("longer" in kinds) <= (judged.standing != "overfitting")
    assert ("hold_out" in kinds) <= (judged.figures is not None and not judged.figures.held_out)
    for way in judged.advice:
        assert len(way.changes) <= 1
        assert bool(way.command) == (way.remedy != "more_text")


@pytest.mark.parametrize("name", CONFIGS)
def test_each_command_is_one_change_of_the_config(
    charrnn, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """The command line reads it; what it would train differs in what the advice says, only."""
    run = Path("runs of mine/a'b $(x)")
    run.mkdir(parents=True)
    config = config_of(*CONFIGS[name], "data.validation_fraction=0")
    (run / "config.yaml").write_text(dump_config(config), encoding="utf-8")
    ways = [way for found in LOGS.values() for way in assess(config, found, str(run)).advice]
    assert {"more_text", "longer"} <= {way.remedy for way in ways}
    for way in {way.command: way for way in ways if way.command}.values():
        given = _given(charrnn, monkeypatch, as_flags(way.command))
        if given["resume"] is not None:
            limits = {key: value for key, value in given["keywords"].items() if value is not None}
            assert (given["resume"], given["config"]) == (str(run), None)
            assert {f"training.{key}": str(value) for key, value in limits.items()} == {
                key: str(value) for key, value in way.changes.items()
            }
            continue
        assert given["text"] == (["-"] if name == "piped" else [])
        trained = load_config(given["config"], given["assignments"], as_layer(given["keywords"]))
        before, after = leaves(config_values(config)), leaves(config_values(trained))
        changed = {key for key in before | after if before.get(key) != after.get(key)}
        # another schedule has settings of its own; a length in steps replaces every limit
        also = {"anneal": {"schedule.final"}}.get(way.remedy, set())
        if name == "two limits" and way.remedy in ("longer", "shorter"):
            also = {"training.max_time"}
        assert changed - also == {*way.changes}
        for key, value in way.changes.items():
            assert after[key] == value or key == "training.max_time"


def _given(charrnn, monkeypatch: pytest.MonkeyPatch, command: str) -> dict[str, Any]:
    """What `train` would be set up with by this command."""
    found: dict[str, Any] = {}

    def set_up(text, config, assignments, keywords, out, resume=None, announce=None):
        found.update(
            text=text, config=config, assignments=assignments, keywords=keywords, resume=resume
        )
        raise UsageError("enough.")

    monkeypatch.setattr(commands_train, "set_up", set_up)
    program, *arguments = shlex.split(command)
    assert program == "charrnn"
    outcome: Outcome = charrnn(*arguments)
    assert "enough." in outcome.err, outcome.err
    return found


def scaled(found: RunLog, factor: int) -> RunLog:
    """The same log of a run in which every step is so many."""
    return replace(
        found,
        steps=tuple(replace(one, step=one.step * factor) for one in found.steps),
        evaluations=tuple(replace(one, step=one.step * factor) for one in found.evaluations),
    )


@pytest.mark.parametrize("text", LOGS)
def test_the_unit_of_the_length_does_not_matter(text: str) -> None:
    """Limited by steps, epochs or time, and with longer steps, a run gets the same advice."""
    found = LOGS[text]
    expected = assess(config_of(), found, "runs/a")
    for name in ("epochs", "time"):
        judged = assess(config_of(*CONFIGS[name]), found, "runs/a")
        assert (judged.standing, judged.reason) == (expected.standing, expected.reason)
        assert [way.remedy for way in judged.advice] == [way.remedy for way in expected.advice]
        for way, other in zip(judged.advice, expected.advice, strict=True):
            for key, value in other.changes.items():
                if key == "training.max_steps":
                    (length,) = way.changes.values()
                    whole = {"epochs": 2.0, "time": 1.0}[name]
                    ratio = float(str(length).removesuffix("s")) / whole
                    assert ratio == pytest.approx(value / 1000, rel=0.05)
    longer = assess(config_of("training.max_steps=7000"), scaled(found, 7), "runs/a")
    assert longer.standing == expected.standing
    assert [way.remedy for way in longer.advice] == [way.remedy for way in expected.advice]


@pytest.mark.parametrize("text", [text for text in LOGS if text != "two evaluations"])
@pytest.mark.parametrize("train_nats", [0.5, 6.0])
def test_one_more_step_changes_nothing(text: str, train_nats: float) -> None:
    """The training loss of an evaluation after a single step is of that step only."""
    found = LOGS[text]
    last = found.evaluations[-1]
    again = replace(last, step=1001, train_nats_per_character=train_nats, best=False)
    if last.validation_nats_per_character is None:
        again = replace(again, train_nats_per_character=last.train_nats_per_character)
    resumed = replace(found, evaluations=(*found.evaluations, again))
    judged, expected = (
        assess(config_of("training.max_steps=1001"), resumed),
        assess(config_of(), found),
    )
    assert judged.standing == expected.standing
    assert [way.remedy for way in judged.advice] == [way.remedy for way in expected.advice]


@given(any_log(), st.floats(0.1, 100.0))
def test_neither_time_nor_speed_matters(found: RunLog, factor: float) -> None:
    """Unless time limits the run: so advice does not depend on the load of the machine."""
    slower = replace(
        found,
        steps=tuple(
            replace(one, seconds=one.seconds * factor, characters_per_second=1 / factor)
            for one in found.steps
        ),
        evaluations=tuple(replace(one, seconds=one.seconds * factor) for one in found.evaluations),
    )
    assert assess(config_of(), slower, "a") == assess(config_of(), found, "a")


def test_a_log_without_times_is_that_of_a_complete_run() -> None:
    timeless = tuple(replace(one, seconds=nan) for one in LOGS["learning"].evaluations)
    found = replace(LOGS["learning"], evaluations=timeless, steps=())
    assert remedies(found, *CONFIGS["time"]) == ["longer", "larger"]


def remedies(found: RunLog, *assignments: str) -> list[str]:
    return [way.remedy for way in assess(config_of(*assignments), found, "runs/a").advice]


@pytest.mark.parametrize(
    ("text", "assignments", "expected"),
    [
        ("learning", [], ["longer", "larger"]),
        ("flat, nothing memorized", [], ["larger", "longer"]),
        (
            "flat, nothing memorized",
            ["schedule.name=constant"],
            ["anneal", "larger", "longer"],
        ),
        ("flat, nothing memorized", ["model.init_from=a"], ["longer"]),
        ("flat, memorized", [], ["more_text", "relu"]),
        ("flat, memorized", ["model.activation=relu"], ["more_text"]),
        ("overfitting", [], ["more_text", "shorter", "dropout"]),
        ("overfitting", ["model.dropout=0.5"], ["more_text", "shorter"]),
        ("broken down", [], ["lower_rate"]),
        ("broken down", ["schedule.name=constant"], ["anneal", "lower_rate"]),
        ("hardly learned", [], ["higher_rate", "longer"]),
        ("hardly learned, after a spike", [], ["lower_rate"]),
        ("no better than guessing", [], ["higher_rate"]),
        ("diverged", [], ["lower_rate"]),
        ("two evaluations", [], ["longer"]),
        ("nothing held out", [], ["hold_out"]),
    ],
)
def test_each_case(text: str, assignments: list[str], expected: list[str]) -> None:
    assert remedies(LOGS[text], *assignments) == expected


def test_a_run_that_stopped_is_resumed_unless_it_overfits() -> None:
    assert remedies(LOGS["learning"], "training.max_steps=2000") == ["resume"]
    assert remedies(LOGS["flat, memorized"], "training.max_steps=2000") == ["resume"]
    assert "resume" not in remedies(LOGS["overfitting"], "training.max_steps=2000")
    patient = ["training.max_steps=2000", "training.patience=2"]
    assert "resume" not in remedies(LOGS["overfitting"], *patient)
    stale = log([3.0, *[2.0] * 6], [3.0, *[1.9] * 6])
    assert remedies(stale, *patient) == ["larger", "longer"]  # its patience ended it
    assert remedies(stale, patient[0]) == ["resume"]


def test_the_number_of_steps_is_between_the_best_and_all() -> None:
    """Twice the best step if that was early; and always fewer than before."""
    for best, steps in ((1, 200), (2, 400), (5, 750), (8, 900)):
        losses = [2.0 - 0.05 * min(n, best) + 0.1 * max(n - best, 0) for n in range(1, 11)]
        (shorter,) = (
            way
            for way in assess(config_of(), log(losses, FALLING)).advice
            if way.remedy == "shorter"
        )
        assert shorter.changes == {"training.max_steps": steps}


def test_warnings_and_advice_name_the_same_rate() -> None:
    for rollbacks in (0, 2):
        worst = replace(STEP, nats_per_character=99.0, rollbacks=rollbacks)
        judged = assess(config_of(), log([9.0] * 10, [9.0] * 10, steps=(worst,)), "runs/a")
        (way,) = judged.advice
        (rate,) = way.changes.values()
        assert isclose(rate, 7e-4 * 0.5**rollbacks)
        assert f"`optimizer.learning_rate={rate:.3g}`" in judged.reason


def test_train_says_at_its_end_what_to_try(charrnn, text_file) -> None:
    arguments = ["train", text_file, *TINY, "--max-steps", 60, "--set", "evaluation.count=6"]
    outcome = charrnn(*arguments, "--out", "a run", "--json")
    found = json.loads(outcome.out)["advice"]
    command = found["ways"][0]["command"]
    assert command == "charrnn train -c 'a run/config.yaml' --max-steps 120"
    assert f"next:  {found['reason']} Train for twice as long:\n       {command}\n" in outcome.err
    assert found["figures"]["steps"] == 60
    assert charrnn(*shlex.split(command)[1:], "--out", "longer").code == 0
    quiet = charrnn("-q", *arguments, "--out", "quiet")
    assert (quiet.out, quiet.err) == ("quiet/checkpoints/best.safetensors\n", "")
    none = charrnn("train", text_file, *TINY, "--max-steps", 0, "--out", "none", "--json")
    assert json.loads(none.out)["advice"] is None
    assert "next:" not in none.err


@pytest.mark.parametrize("out", [None, "run"])
def test_a_resumed_run_gets_the_advice_of_an_uninterrupted_one(text_file, out: str | None) -> None:
    def stop(event: object) -> None:
        if isinstance(event, Stepped) and event.step == 33:
            raise_signal(SIGINT)

    settings = {
        "model.hidden_size": 8, "training.batch_size": 4, "training.window": 8,
        "training.max_steps": 60, "evaluation.count": 6,
    }  # fmt: skip
    whole = charrnn.train(text_file, settings=settings, out=out and "whole")
    parts = charrnn.train(text_file, settings=settings, out=out, progress=stop)
    assert (parts.complete, parts.steps) == (False, 33)
    assert [way.remedy for way in parts.assessment.advice] == ["resume"]
    resumed = charrnn.train(resume=parts).assessment
    changes = [[way.changes for way in run.advice] for run in (whole.assessment, resumed)]
    assert changes[0] == changes[1] != []
    assert replace(resumed, advice=()) == replace(whole.assessment, advice=())
    assert all(bool(way.command) == bool(out) for way in resumed.advice)
