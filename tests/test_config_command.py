"""`charrnn config`: what it prints is the config that `-c` reads, and where it comes from."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from charrnn.commands.config import describe_config
from charrnn.config.layers import load_config
from charrnn.config.plain_yaml import parse
from charrnn.config.schema import settings
from charrnn.errors import UsageError
from charrnn.report.config_text import config_text
from charrnn.system.resources import config_paths
from tests.settings_page import SCHEMA

CHANGES = [
    "optimizer.name=sgd", "optimizer.name=momentum", "optimizer.learning_rate=0.007",
    "optimizer.learning_rate=0.1", "schedule.name=step", "schedule.warmup=0.02",
    "schedule={name: step, milestones: [0.1, 0.2]}", "training.clip.by=value",
    "training.max_time=1h",
    "data.text=['a b', '#c', \"d\\ne\"]", "data.exclude=['*.py']", "data.hold_out=end",
    "model.initialization.recurrent=identity", "training.epochs=1e-7", "model.hidden_size=384",
]  # fmt: skip


@pytest.mark.parametrize("changed", [False, True])
@given(st.lists(st.sampled_from(CHANGES), max_size=6), st.sampled_from([None, *config_paths()]))
def test_what_is_printed_is_the_same_config(changed: bool, changes: list[str], name) -> None:
    described = describe_config(None, name, changes, {}, changed)
    printed = config_text(described, changed)
    assert (parse(printed) or {}) == described.config
    assert load_config(None, [], parse(printed) or {}) == load_config(name, changes, {})
    assert all(line.isprintable() for line in printed.splitlines())


@given(st.lists(st.sampled_from(CHANGES), max_size=6))
def test_origins_and_differences_are_of_values_that_are_set_or_differ(changes: list[str]) -> None:
    described = describe_config(None, None, changes, {})
    assigned = {change.partition("=")[0] for change in changes}
    values = load_config(None, changes, {}).model_dump(mode="json")
    default = load_config(None, [], {}).model_dump(mode="json")
    for key, origin in described.origins.items():
        assert (origin == "`settings`") <= bool({key, key.partition(".")[0]} & assigned)
        own, usual = values, default
        for part in key.split("."):
            own, usual = own[part], usual.get(part) if usual else None
        assert (key in described.defaults) == (own != usual or (usual is None and own is not None))
    assert set(described.origins) <= {key for key, _, _ in settings()}


def test_origins(charrnn, tmp_path: Path, trained: Path) -> None:
    (tmp_path / "my.yaml").write_text("training: {window: 9, seed: 8}\noptimizer: {name: sgd}\n")
    arguments = ["--set", "training.seed=2", "--set", "training.stride=3", "--max-steps", 5]
    outcome = charrnn("config", "my.yaml", *arguments)
    assert outcome.err == ""
    lines = [line.split() for line in outcome.out.splitlines() if "#" in line]
    found = {words[0][:-1]: " ".join(words[words.index("#") + 1 :]) for words in lines}
    assert found["window"] == "my.yaml"
    assert found["seed"] == found["stride"] == "--set"
    assert found["max_steps"] == "--max-steps"
    assert found["hidden_size"] == "default"
    assert found["name"] == "default"  # of the schedule, which is printed last
    assert found["learning_rate"] == "default of sgd"
    assert found["max_time"] == found["epochs"] == "--max-steps"  # which replaces all limits
    inherited = json.loads(charrnn("config", "--init-from", trained, "--json").out)
    best = f"{trained}/checkpoints/best.safetensors"
    assert inherited["origins"]["model.hidden_size"] == best
    assert inherited["origins"]["model.init_from"] == "--init-from"
    assert inherited["config"]["model"]["hidden_size"] == 16


def test_what_differs(charrnn, trained: Path) -> None:
    outcome = charrnn("config", "tiny", "--changed", "--optimizer", "sgd")
    assert "  hidden_size: 64     # tiny; default 384\n" in outcome.out
    assert "  learning_rate: 0.5  # default of sgd; default 0.007\n" in outcome.out
    assert "layers" not in outcome.out
    assert "warmup" not in outcome.out
    same = charrnn("config", "--changed")
    assert (same.code, same.out, same.err) == (0, "", "note: it is the default config.\n")
    of_a_run = charrnn("config", trained, "--changed")
    assert f"  hidden_size: 16  # {trained}; default 384\n" in of_a_run.out
    checkpoint = f"{trained}/checkpoints/last.safetensors"
    assert (
        json.loads(charrnn("config", checkpoint, "--json").out)["config"]
        == json.loads(charrnn("config", trained, "--json").out)["config"]
    )


def test_the_config_of_a_run_is_the_one_in_its_directory(charrnn, trained: Path) -> None:
    printed = parse(charrnn("config", trained).out)
    assert printed == parse((trained / "config.yaml").read_text())


def test_hostile_names_stay_in_their_comment(tmp_path: Path) -> None:
    for number, name in enumerate(
        ["a\nmodel: 3\n.yaml", "a #b: .yaml", "\x1b[2J.yaml", "`settings`"]
    ):
        file = tmp_path / str(number) / name
        file.parent.mkdir()
        file.write_text("training: {seed: 5}")
        printed = config_text(describe_config(str(file), None, [], {}, True), True)
        assert parse(printed) == {"training": {"seed": 5}}
        assert printed.isprintable() or printed.count("\n") == 2


def test_lists(charrnn) -> None:
    outcome = charrnn("config", "--list")
    names = [line.split()[0] for line in outcome.out.splitlines()]
    assert names == list(config_paths())
    assert json.loads(charrnn("config", "--list", "--json").out).keys() == config_paths().keys()
    assert json.loads(charrnn("config", "--schema").out) == json.loads(SCHEMA.read_text())


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["tiny", "-c", "tiny"], "tiny and the config tiny are both given"),
        (["--schema", "--list"], "--list shows no config"),
        (["tiny", "--schema"], "--schema shows no config"),
        (["--list", "--lr", 1], "--list shows no config"),
        (["tinny"], "did you mean 'tiny'?"),
        (["--lr", 0], "--lr 0 should be a number above 0"),
        (["TEXT"], "is not a mapping of settings"),
    ],
)
def test_what_is_refused(charrnn, text_file, arguments: list[str], words: str) -> None:
    outcome = charrnn("config", *(text_file if one == "TEXT" else one for one in arguments))
    assert (outcome.code, words in outcome.err) == (2, True), outcome.err
    assert outcome.out == ""


def test_a_source_and_a_config_are_not_both_given() -> None:
    with pytest.raises(UsageError):
        describe_config("tiny", "relu", [], {})
