"""Logs are read back as they were written, in bounded memory, whatever is in them."""

import json
import os
from dataclasses import astuple, fields, replace
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from charrnn import events as log_events
from charrnn.errors import InputError
from charrnn.events import Baselines, Evaluated, LagProfile, Sampled, Stepped
from charrnn.report.metrics import Metrics
from charrnn.setup import run_log
from charrnn.setup.run_log import DEFAULTS, notes_on, read_ends, read_log
from tests.test_report import BASELINES, EVALUATED, STEPPED

NUMBERS = st.floats(allow_nan=False)
COUNTS = st.integers(0, 10**12)
KNOWN = {
    "baselines": Baselines, "step": Stepped, "evaluation": Evaluated, "sample": Sampled,
    "lag_profile": LagProfile, "test": log_events.Tested,
}  # fmt: skip


def event_of(kind: type) -> st.SearchStrategy:
    """Events of a kind with any numbers; strings may have control characters, but no surrogates."""
    text = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
    special = {
        "gradient_norms": st.dictionaries(text, NUMBERS, max_size=3),
        "norms": st.lists(NUMBERS, max_size=4).map(tuple),
        "validation_nats_per_character": st.none() | NUMBERS,
        "half_life": st.none() | NUMBERS,
        "layer": st.none() | st.integers(1, 16),
        "text": text,
    }
    by_type = {"int": COUNTS, "float": NUMBERS, "bool": st.booleans(), int: COUNTS, float: NUMBERS}
    chosen = {
        one.name: special.get(one.name, by_type.get(one.type, st.booleans()))  # type: ignore[call-overload]
        for one in fields(kind)
    }
    return st.builds(kind, **chosen)


def written(path: Path, events: list) -> Path:
    path.unlink(missing_ok=True)
    log = Metrics(path, 0, 1)
    for event in events:
        log(event)
    log.close()
    return path


@given(st.lists(st.one_of([event_of(kind) for kind in KNOWN.values()]), max_size=8))
def test_what_was_logged_is_read_back(tmp_path_factory, events: list) -> None:
    log = read_log(written(tmp_path_factory.mktemp("log") / "metrics.jsonl", events))

    def of(kind: type) -> tuple:
        return tuple(event for event in events if isinstance(event, kind))

    assert (log.steps, log.evaluations) == (of(Stepped), of(Evaluated))
    assert (log.samples, log.lag_profiles) == (of(Sampled), of(LagProfile))
    assert [log.baselines, log.test] == [
        of(kind)[-1] if of(kind) else None for kind in (Baselines, log_events.Tested)
    ]
    assert (log.unreadable, log.left_out, log.complete) == (0, 0, True)


def test_a_log_cut_anywhere_has_all_its_whole_lines(tmp_path: Path) -> None:
    events = [BASELINES, EVALUATED, STEPPED]
    content = written(tmp_path / "whole", events).read_bytes()
    path = tmp_path / "metrics.jsonl"
    for size in range(len(content) + 1):
        path.write_bytes(content[:size])
        log, whole = read_log(path), content[:size].count(b"\n")
        assert len(log.steps) + len(log.evaluations) + (log.baselines is not None) == whole
        assert log.unreadable == (not content[:size].endswith(b"\n") and size > 0)


def test_an_earlier_log_lacks_fields(tmp_path: Path) -> None:
    path = tmp_path / "metrics.jsonl"
    lines = [
        {"event": "step", "step": 3, "nats_per_character": 2.5},
        {"event": "evaluation", "step": 3},
        {"event": "lag_profile", "step": 3, "norms": [1.0, 0.5]},
        {"event": "of a later version", "step": 3},
    ]
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    log = read_log(path)
    assert (log.steps[0].nats_per_character, log.steps[0].rollbacks) == (2.5, 0)
    assert log.evaluations[0].validation_nats_per_character is None
    assert log.lag_profiles[0].norms == (1.0, 0.5)
    assert log.unreadable == 0
    for kind, defaults in DEFAULTS.items():
        assert defaults.keys() < {field.name for field in fields(KNOWN[kind])}


@pytest.mark.parametrize(
    "line",
    [
        "[]", "null", "3", '"step"', "{}", '{"event": 3}', '{"event": "step"}', "\0\0", "{" * 10**5,
        '{"event": "step", "step": -1, "nats_per_character": 1}',
        '{"event": "step", "step": 1' + "0" * 400 + ', "nats_per_character": 1}',
        '{"event": "step", "step": 1, "nats_per_character": "much"}',
        '{"event": "step", "step": 1, "nats_per_character": 1, "gradient_norms": {"U": []}}',
        '{"event": "test", "step": 1, "test_nats_per_character": 1, "pad": "' + "x" * 2**20 + '"}',
    ],
)  # fmt: skip
def test_lines_that_are_no_events_are_counted(tmp_path: Path, line: str) -> None:
    path = written(tmp_path / "metrics.jsonl", [STEPPED])
    path.write_bytes(line.encode() + b"\n" + path.read_bytes())
    log = read_log(path)
    assert (len(log.steps), log.unreadable) == (1, 1)
    assert notes_on(log, path) == (f"1 line of {path} cannot be read.",)


def test_the_rest_of_a_line_that_is_too_long_is_no_event(tmp_path: Path, monkeypatch) -> None:
    path = written(tmp_path / "metrics.jsonl", [STEPPED])
    monkeypatch.setattr(run_log, "MAX_SAMPLE_BYTES", 1000)
    path.write_bytes(b" " * 1000 + path.read_bytes() + path.read_bytes())
    log = read_log(path)
    assert (len(log.steps), log.unreadable) == (1, 1)


@pytest.mark.parametrize("bound", ["MAX_KEPT", "MAX_KEPT_BYTES"])
def test_of_very_many_events_some_are_left_out_evenly(tmp_path, monkeypatch, bound) -> None:
    steps = [replace(STEPPED, step=step) for step in range(1, 1001)]
    path = written(tmp_path / "metrics.jsonl", steps)
    one = len(path.read_bytes()) // 1000
    monkeypatch.setattr(run_log, bound, 100 if bound == "MAX_KEPT" else 100 * one)
    log = read_log(path)
    kept = [step.step for step in log.steps]
    assert 50 <= len(kept) <= 101
    assert (kept[0], kept[-1]) == (1, 1000)
    assert len({after - before for before, after in pairwise(kept[:-1])}) == 1
    assert log.left_out == 1000 - len(kept)
    assert f"{log.left_out} events" in notes_on(log, path)[0]


def test_only_the_beginning_of_an_endless_log_is_read(tmp_path: Path, monkeypatch) -> None:
    path = written(tmp_path / "metrics.jsonl", [replace(STEPPED, step=n) for n in range(100)])
    monkeypatch.setattr(run_log, "MAX_FILE_BYTES", len(path.read_bytes()) // 2)
    log = read_log(path)
    assert not log.complete
    assert 50 <= len(log.steps) <= 51
    assert "only" in notes_on(log, path)[0]


@pytest.mark.parametrize("kind", ["pipe", "device", "folder", "broken link", "loop", "nothing"])
def test_what_is_no_file_is_an_error_and_never_waited_for(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "metrics.jsonl"
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "folder":
        path.mkdir()
    elif kind != "nothing":
        path.symlink_to({"device": "/dev/zero", "broken link": "nowhere", "loop": path}[kind])
    with pytest.raises(InputError) as caught:
        read_log(path)
    assert caught.value.hint


@given(st.lists(st.sampled_from(["step", "evaluation", "sample", "test"]), max_size=12))
def test_the_ends_of_a_log_agree_with_the_log(tmp_path_factory, kinds: list[str]) -> None:
    made = {
        "step": STEPPED, "evaluation": EVALUATED, "sample": Sampled(1, "a\n" * 50),
        "test": log_events.Tested(45, 1.25),
    }  # fmt: skip
    events = [BASELINES, *(made[kind] for kind in kinds)]
    path = written(tmp_path_factory.mktemp("log") / "metrics.jsonl", events)
    log, ends = read_log(path), read_ends(path)
    assert ends.baselines == log.baselines
    assert ends.step == (log.steps[-1] if log.steps else None)
    steps_last = kinds[::-1].index("step") if "step" in kinds else len(kinds)
    assert ends.test == (log.test if "test" in kinds[::-1][:steps_last] else None)


def test_numbers_of_a_log_survive_exactly(trained: Path) -> None:
    log = read_log(trained / "metrics.jsonl")
    lines = [json.loads(line) for line in (trained / "metrics.jsonl").read_text().splitlines()]
    steps = [line for line in lines if line["event"] == "step"]
    assert [astuple(step) for step in log.steps] == [
        tuple(line[field.name] for field in fields(Stepped)) for line in steps
    ]
