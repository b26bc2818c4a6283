"""The space of a sweep is checked like a config, before anything starts."""

from pathlib import Path
from typing import Any

import pytest

from charrnn.config.layers import load_config
from charrnn.errors import UsageError
from charrnn.sweeps.samplers import grid_of
from charrnn.sweeps.space import Choices, Range, Space, plain_space, settings_of, stored
from charrnn.sweeps.space_file import read_space


def read(content: str, *given: str, base: str | None = None) -> Space:
    Path("space.yaml").write_text(content)
    return read_space("space.yaml", load_config(base, [], {}), list(given))


def faults(content: str, *given: str) -> list[str]:
    with pytest.raises(UsageError) as refused:
        read(content, *given)
    return [line.strip().removeprefix("space.yaml: ") for line in str(refused.value).splitlines()]


def test_ranges_and_choices_have_the_types_of_their_settings() -> None:
    space = read(
        "optimizer.learning_rate: {log: [1e-3, 1e-2]}\n"
        "model: {hidden_size: {range: [16, 64], step: 16}, dropout: {range: [0, 0.3]}}\n"
        "training.max_time: {range: [30s, 2m]}\n"
        "training.batch_size: [8, 1.6e1]\n"
        "training.stride: [null, 32]\n"
    )
    assert space == {
        "optimizer.learning_rate": Range(1e-3, 1e-2, log=True),
        "model.hidden_size": Range(16, 64, step=16),
        "model.dropout": Range(0.0, 0.3),
        "training.max_time": Range(30.0, 120.0),
        "training.batch_size": Choices((8, 16)),
        "training.stride": Choices((None, 32)),
    }
    assert [type(end) for end in (space["model.dropout"].low, space["model.hidden_size"].low)] == [
        float,
        int,
    ]


def test_what_is_read_again_is_the_same() -> None:
    import yaml

    content = "model.dropout: {range: [0.0, 0.2], step: 0.1}\nmodel.layers: {choices: [1, 2]}\n"
    space = read(content)
    assert plain_space(space) == yaml.safe_load(content)
    assert read(yaml.safe_dump(plain_space(space))) == space


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        (
            "optimizer.lr: [0.1]",
            "unknown key 'optimizer.lr'; did you mean optimizer.learning_rate?",
        ),
        (
            "model.layers: {lgo: [1, 2]}",
            "model.layers has the unknown key 'lgo'; did you mean log?",
        ),
        ("model.layers: 2", "model.layers = 2 should be a list of choices, {range: [low, high]}"),
        ("model.layers: []", "model.layers = [] should be a list of at least one choice."),
        ("model.layers: {log: [1]}", "model.layers = [1] should have two ends, such as log: [1,"),
        ("model.layers: {step: 1}", "model.layers needs one of choices, range or log, not 0."),
        ("model.layers: {log: [1, 99]}", "model.layers = 99 should be a whole number from 1 to 16"),
        ("model.layers: [1, 2, 1]", "model.layers has the choice 1 twice."),
        (
            "model.layers: {range: [3, 1]}",
            "model.layers has the range [3, 1]; the first end should",
        ),
        ("model.dropout: {log: [0, 0.3]}", "model.dropout has the end 0, and a logarithmic range"),
        ("model.bias: {range: [false, true]}", "model.bias is not a number, so it has no range;"),
        (
            "model.layers: {range: [1, 4], step: 2}",
            "model.layers has no whole number of steps of 2 from 1 to 4; end at 3.",
        ),
        ("model.layers: {range: [1, 4], step: 0.5}", "model.layers needs a step that is a whole"),
        ("model.layers: {range: [1, 4], step: 9}", "model.layers has the step 9, more than the"),
        ("model.layers: {log: [1, 4], step: 1}", "model.layers has a step, which only a range"),
        ("data.text: [a.txt, b.txt]", "data.text cannot be varied: it changes what is measured."),
        ("evaluation.count: [1, 2]", "evaluation.count cannot be varied: it changes what is"),
        ("training.workers: [1, 2]", "training.workers cannot be varied: it is chosen by `jobs`."),
        (
            "optimizer: [{name: sgd}]\noptimizer.learning_rate: [1, 2]",
            "optimizer.learning_rate is given beside optimizer, one of which contains the other.",
        ),
        (
            "optimizer: [{name: sgd, beta1: 1}]",
            "'optimizer.beta1' is a key of adam, adamw or muon, not",
        ),
        (
            "optimizer.beta1: [0.5]\noptimizer.name: [sgd]",
            "'optimizer.beta1' is a key of adam, adamw or",
        ),
    ],
)
def test_faults_name_key_value_and_remedy(content: str, fault: str) -> None:
    assert any(found.startswith(fault) for found in faults(content)), faults(content)


def test_all_faults_are_reported_together() -> None:
    found = faults(
        "model: {hidden_size: [-1, x], layers: 2, dropout: {range: [0.3, 0.1]}}\n"
        "optimizer.lr: [0.1]\ndata.text: [a]\n"
    )
    assert sorted(fault.split()[0] for fault in found) == [
        "data.text", "model.dropout", "model.hidden_size", "model.hidden_size", "model.layers",
        "unknown",
    ]  # fmt: skip


def test_a_setting_is_not_both_varied_and_given() -> None:
    assert faults("model.layers: [1, 2]", "model.layers") == [
        "model.layers is varied, and given a value too; leave out one of them."
    ]


def test_values_are_checked_beside_each_other() -> None:
    assert read("training.window: [16, 32]\ntraining.stride: [16]\n")
    assert faults("training.window: [8, 32]\ntraining.stride: [16]\n") == [
        "training.stride = 16 should be at most training.window, 8."
    ]


def test_empty_missing_and_other_files_are_refused() -> None:
    with pytest.raises(UsageError, match="empty"):
        read("")
    with pytest.raises(UsageError, match="cannot be read"):
        read_space("nowhere.yaml", load_config(None, [], {}), [])
    with pytest.raises(UsageError, match="not a mapping"):
        read("- model.layers")


def test_a_grid_has_every_combination_once() -> None:
    space = read(
        "model.layers: [1, 2]\nmodel.dropout: {range: [0.1, 0.3], step: 0.1}\n"
        "optimizer: [{name: sgd}, {name: adam}]\ntraining.batch_size: {range: [4, 6]}\n"
    )
    points = [tuple(map(stored, settings_of(space, point).values())) for point in grid_of(space)]
    assert len(points) == len({*points}) == 36
    assert sorted({point[1] for point in points}) == [0.1, 0.2, 0.3]
    values: Any = settings_of(space, grid_of(space)[0])
    assert values["optimizer"] == {"name": "sgd"}


def test_a_grid_needs_steps() -> None:
    with pytest.raises(UsageError, match=r"model\.dropout can have any value in a range"):
        grid_of(read("model.dropout: {range: [0, 0.3]}\n"))
