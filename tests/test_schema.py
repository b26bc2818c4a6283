"""The JSON schema and the program accept the same config files; the page of settings is current."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft7Validator

from charrnn.config.comments import default_comments, summary
from charrnn.config.dotted import nested
from charrnn.config.layers import load_config
from charrnn.config.plain_yaml import parse
from charrnn.config.schema import config_schema, in_words, schema_of, settings
from charrnn.errors import UsageError
from charrnn.system.resources import config_paths
from tests.settings_page import ORIGINS, PAGE, REFERENCES, SCHEMA, page, schema_file

VALIDATOR = Draft7Validator(config_schema())
SETTINGS = list(settings())

# what depends on more than one value, which the schema cannot say
CANNOT_SAY = ("at most training.window", "needs `model.init_from`", "would never end")
ANYTHING = st.sampled_from(
    [
        None, True, -1, 0, 1, 2, 0.5, 1.0, 1.5, 2.0, 7, 10**16, [], ["a"], [0.5], ["x" * 300],
        ["a"] * 101, {"a": 1}, "x", "auto", "adam", "none", "tanh", "lines", "0s", "1h 30m",
        "2.5 m", "-1s",
    ]
)  # fmt: skip
NEITHER_TRUE_NOR_FALSE = st.sampled_from([None, 5, "maybe", [], {}])  # 1 and "yes" mean true


def values_for(key: str, schema: dict[str, Any]) -> st.SearchStrategy[Any]:
    """Values of all kinds, many of which a setting may have."""
    fitting = [schema["default"], *schema.get("enum", []), schema.get("minimum", 1)]
    if schema.get("type") == "boolean":
        return st.booleans() | NEITHER_TRUE_NOR_FALSE
    if key == "data.encoding":
        return st.sampled_from(["utf-8", "latin-1", 3, None])
    return st.sampled_from(fitting) | ANYTHING


@st.composite
def partial_configs(draw: st.DrawFn) -> dict[str, Any]:
    """A config with a few of the settings, some wrong, and sometimes an unknown key."""
    chosen = draw(st.lists(st.sampled_from(SETTINGS), max_size=4, unique_by=lambda one: one[0]))
    values = {key: draw(values_for(key, schema)) for key, _, schema in chosen}
    if draw(st.integers(0, 9)) == 0:
        values[draw(st.sampled_from(["model.rnn_size", "lr", "optimizer.rho"]))] = 3
    if draw(st.integers(0, 9)) == 0:
        section = draw(st.sampled_from(["model", "optimizer", "training.clip", "schedule"]))
        values = {key: one for key, one in values.items() if not key.startswith(f"{section}.")}
        values[section] = draw(st.sampled_from([None, {}, 3, []]))
    return nested(values)


def refusal(values: dict[str, Any]) -> str | None:
    try:
        load_config(None, [], values)
    except UsageError as error:
        return str(error)
    return None


@given(partial_configs())
def test_schema_and_program_agree(values: dict[str, Any]) -> None:
    faults = [error.message for error in VALIDATOR.iter_errors(values)]
    refused = refusal(values)
    if faults:
        assert refused, faults
    else:
        assert refused is None or any(words in refused for words in CANNOT_SAY), refused


@pytest.mark.parametrize("name", config_paths())
def test_built_in_configs_fit_the_schema_and_name_it(name: str, tmp_path: Path) -> None:
    file = config_paths()[name]
    text = file.read_text(encoding="utf-8")
    assert VALIDATOR.is_valid(parse(text))
    comment = text.splitlines()[0]
    assert (file.parent / comment.removeprefix("# yaml-language-server: $schema=")).is_file()
    resolved = load_config(name, [], {}).model_dump(mode="json")
    assert VALIDATOR.is_valid(resolved)
    resolved["model"]["hidden_sizes"] = 3
    assert not VALIDATOR.is_valid(resolved)


@pytest.mark.parametrize(
    ("content", "fits"),
    [
        ("", True),
        ("optimizer: {learning_rate: 0.1, beta1: 0.5}", True),
        ("optimizer: {name: sgd, beta1: 0.5}", False),
        ("optimizer: {momentum: 0.5}", False),
        ("optimizer: {momentum: 0.5, name: momentum}", True),
        ("schedule: {factor: 0.5}", False),
        ("training: {max_time: 1h30m}", True),
        ("training: {max_time: 0m}", False),
        ("training: {workers: 1025}", False),
        ("data: {text: plays}", True),
        ("data: {text: [plays, poems]}", True),
        ("model: {initialization: }", True),
    ],
)
def test_what_the_schema_accepts(content: str, fits: bool) -> None:
    values = parse(content) or {}
    assert VALIDATOR.is_valid(values) == fits
    assert (refusal(values) is None) == fits


def test_the_schema_is_a_schema() -> None:
    Draft7Validator.check_schema(config_schema())


@pytest.mark.parametrize(("key", "choice", "schema"), SETTINGS)
def test_every_setting_is_described_and_its_default_fits(
    key: str, choice: str | None, schema: dict[str, Any]
) -> None:
    assert len(schema["description"]) > 12
    assert Draft7Validator(schema).is_valid(schema["default"])
    assert in_words(schema)
    same = [
        in_words(one) for other, _, one in SETTINGS if other == key and not key.endswith("name")
    ]
    assert len(set(same)) <= 1  # in every choice, so that one of them can stand for all
    assert schema_of(key.split(".")) is not None


def test_comments_continue_on_lines_of_their_own() -> None:
    assert default_comments()["model.dropout"].endswith("(it did not help in short runs)")
    assert default_comments().keys() >= {key for key, choice, _ in SETTINGS if choice is None}
    assert (
        summary("tiny") == "A small model that trains in seconds on any machine, to try things out."
    )


def test_the_page_of_settings_and_the_schema_file_are_current() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "make settings"
    assert SCHEMA.read_text(encoding="utf-8") == schema_file(), "make settings"


def test_origins_are_of_settings_and_have_references() -> None:
    assert ORIGINS.keys() <= {key for key, _, _ in SETTINGS}
    cited = " ".join(ORIGINS.values())
    assert all(short in cited for short in REFERENCES)
    names = [one.split(": ")[-1] for origin in ORIGINS.values() for one in origin.split("; ")]
    assert all(any(short in one for short in REFERENCES) for one in names if one[-4:].isdigit())
