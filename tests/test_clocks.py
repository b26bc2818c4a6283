"""Clocks that go back or stand still: no duration is negative, and nothing is divided by zero."""

import time
from itertools import chain, count, repeat
from pathlib import Path

import pytest

from charrnn.config.layers import load_config
from charrnn.events import Stepped
from charrnn.runs import train as runs_train
from charrnn.runs.resume import resumed_run
from charrnn.runs.start import new_run
from charrnn.setup import trial, wiring
from charrnn.training.checkpoint import load
from charrnn.training.clock import Clock
from tests.conftest import TINY, TINY_SETTINGS
from tests.runs import train

CLOCKS = {
    "frozen": lambda: repeat(5.0),
    "set back": lambda: chain([1e6, 1e6 + 1], count(-1e6, 0.25)),
    "jumping": lambda: (1000.0 * (-1) ** n - n for n in count()),
}


def test_a_clock_never_goes_back() -> None:
    shown = iter([3.0, 5.0, 1.0, 4.0, 6.0])
    clock = Clock(lambda: next(shown))
    assert [clock() for _ in range(5)] == [3.0, 5.0, 5.0, 5.0, 6.0]


@pytest.mark.parametrize("name", CLOCKS)
def test_a_run_by_a_strange_clock_can_be_resumed(
    tmp_path, text_file: Path, monkeypatch, name
) -> None:
    def with_clock(*arguments: object) -> object:
        ticks = CLOCKS[name]()
        return wiring.trainer_of(*arguments, clock=lambda: next(ticks))

    monkeypatch.setattr(runs_train, "trainer_of", with_clock)
    config = load_config(
        None, [*TINY_SETTINGS, "training.max_steps=12"], {"data": {"text": str(text_file)}}
    )
    events: list[object] = []
    train(new_run(config, str(tmp_path / "run")), [events.append])
    ended = train(resumed_run(str(tmp_path / "run"), [], {"max_steps": 20}), [events.append])
    assert ended.steps == 20
    seconds = [event.seconds for event in events if isinstance(event, Stepped)]
    assert seconds == sorted(seconds)
    assert min(seconds) >= 0
    progress = load(tmp_path / "run/checkpoints/last.safetensors").state.progress
    assert progress.seconds >= progress.step_seconds >= 0


@pytest.mark.parametrize(
    "command",
    [
        ["inspect"],
        ["inspect", "--set", "training.max_steps=null", "--set", "training.max_time=3m"],
        ["gradcheck", "--fast"],
        ["gradflow", "--lags", "4"],
        ["explain", "forward-mode"],
        ["train", "--max-steps", "3"],
    ],
    ids=lambda command: command[0],
)
def test_no_command_trusts_a_clock(charrnn, text_file, monkeypatch, command) -> None:
    monkeypatch.setattr(time, "perf_counter", lambda: 7.0)
    monkeypatch.setattr(trial, "MAX_STEPS", 3)
    name = {"inspect": [text_file], "explain": [], "train": [text_file]}
    given = name.get(command[0], ["--text", text_file])
    settings = [] if command[0] == "explain" else TINY
    outcome = charrnn(*command, *given, *settings)
    assert outcome.code == 0, outcome
