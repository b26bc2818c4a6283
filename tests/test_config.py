"""Configs: layers, faults and round trips."""

import math
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from charrnn.config.layers import dump_config, load_config
from charrnn.config.names import SYNONYMS, keys, settings_like
from charrnn.config.plain_yaml import dump, parse
from charrnn.config.settings import Config
from charrnn.errors import UsageError
from charrnn.keywords import KEYWORDS, as_layer
from charrnn.system.resources import config_paths
from charrnn.training.checkpoint import load
from tests.conftest import TINY


@pytest.mark.parametrize("name", config_paths())
def test_every_built_in_config_is_valid_and_round_trips(name: str, tmp_path: Path) -> None:
    config = load_config(name, [], {})
    (tmp_path / "resolved.yaml").write_text(dump_config(config), encoding="utf-8")
    assert load_config(str(tmp_path / "resolved.yaml"), [], {}) == config


@pytest.mark.parametrize("name", config_paths())
def test_every_value_has_a_comment(name: str) -> None:
    lines = config_paths()[name].read_text().splitlines()
    values = [line for line in lines if line.split("#")[0].rstrip().rpartition(":")[2].strip()]
    assert values
    assert all("#" in line for line in values)


def test_later_layers_win(tmp_path: Path) -> None:
    file = tmp_path / "c.yaml"
    file.write_text("training: {seed: 2, window: 5, batch_size: 7}")
    flags = {"training": {"seed": 4}}
    config = load_config(str(file), ["training.seed=3", "training.window=6"], flags)
    training = config.training
    assert (training.seed, training.window, training.batch_size) == (4, 6, 7)


def test_another_optimizer_gets_its_own_defaults() -> None:
    assert load_config(None, ["optimizer.name=sgd"], {}).optimizer.learning_rate == 0.5
    both = load_config(None, ["optimizer.momentum=0.8", "optimizer.name=momentum"], {}).optimizer
    assert both.model_dump() == {"name": "momentum", "learning_rate": 0.1, "momentum": 0.8}


def test_an_optimizer_and_its_rate_may_be_given_in_two_ways() -> None:
    """A keyword and an assignment are one change, in whichever of them the optimizer is named."""
    rate = as_layer({"lr": 0.25})
    for found in (
        load_config(None, ["optimizer.learning_rate=0.25"], as_layer({"optimizer": "sgd"})),
        load_config(None, ["optimizer.name=sgd"], rate),
        load_config(None, [], as_layer({"lr": 0.25, "optimizer": "sgd"})),
    ):
        assert found.optimizer.model_dump() == {"name": "sgd", "learning_rate": 0.25}
    assert load_config(None, [], rate).optimizer.name == "adamw"


@pytest.mark.parametrize(("keyword", "key"), KEYWORDS.items())
def test_every_keyword_stands_for_a_setting(keyword: str, key: str) -> None:
    assert key in set(keys(Config))
    section, _, name = key.partition(".")
    assert as_layer({keyword: 3}) == {section: {name: 3}}


@pytest.mark.parametrize(
    ("text", "key", "value"),
    [
        ("1e-3", "optimizer.learning_rate", 1e-3),
        ("5e-4", "optimizer.learning_rate", 5e-4),
        ("2e3", "training.max_steps", 2000),
        ("2.0e+3", "training.max_steps", 2000),
        ("90s", "training.max_time", 90.0),
        ("3m", "training.max_time", 180.0),
        ("1h30m", "training.max_time", 5400.0),
        ("45", "training.max_time", 45.0),
        ("null", "training.max_time", None),
    ],
)
def test_numbers_as_people_write_them(text: str, key: str, value: float, tmp_path: Path) -> None:
    file = tmp_path / "c.yaml"
    section, name = key.split(".")
    file.write_text(f"{section}:\n  {name}: {text}\n")
    for config in (load_config(None, [f"{key}={text}"], {}), load_config(str(file), [], {})):
        assert getattr(getattr(config, section), name) == value


def test_all_faults_are_reported_at_once_with_their_location(tmp_path: Path) -> None:
    file = tmp_path / "bad.yaml"
    file.write_text("model: {hiden_size: 3, activation: tan}\ntraining: {window: 0}\n")
    with pytest.raises(UsageError) as caught:
        load_config(str(file), ["optimizer.name=adm", "training.workers=many"], {})
    words = str(caught.value)
    for fault in (
        f"{file}: unknown key 'model.hiden_size'; did you mean model.hidden_size?",
        f"{file}: model.activation = 'tan' should be 'tanh', 'sigmoid' or 'relu'; "
        "did you mean 'tanh'?",
        f"{file}: training.window = 0 should be a whole number of at least 1.",
        "`settings`: optimizer.name = 'adm' should be one of",
        "`settings`: training.workers = 'many' should be auto or a whole number from 1 to 1024.",
    ):
        assert fault in words


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"- a\n- b\n", "is not a mapping"),
        (b"model: [", "not a readable YAML"),
        (b"\xff\xfe\x00", "not a readable YAML"),
        (b"!!python/object/apply:os.system ['true']", "not a readable YAML"),
        (b"model: 3", "model = 3"),
        (b"optimizer: {learning_rate: .nan}", "optimizer.learning_rate = nan"),
        (b"optimizer: {name: [1]}", "optimizer"),
        (b"? [a]\n: 1", "it has a list or a mapping as a key"),
        (b"training: {clip: 5}", "training.clip = 5 should be a section with the keys by, thresh"),
        (b"optimizer: sgdd", "optimizer = 'sgdd' .*; did you mean `optimizer.name=sgd`?"),
        (b"schedule: [cosine]", "schedule = .* should be a section with the key name."),
        (b"model: {bias: maybe}", "model.bias = 'maybe' should be true or false."),
        (b"model: {hidden_size: many}", "model.hidden_size = 'many' should be a whole number."),
        (b"model: {hidden_size: 2.5}", "model.hidden_size = 2.5 should be a whole number."),
        (b"optimizer: {learning_rate: x}", "optimizer.learning_rate = 'x' should be a number."),
        (b"data: {text: [3]}", r"c\.yaml: data.text.0 = 3 should be a string."),
        (b"data: {text: 3}", "data.text = 3 should be a string or a list of strings; quote a name"),
        (b"data: {text: {a: b}}", "should be a list."),
        (b"data:\n  include: *.txt", r"line 2 has a \* without quotes; write '\*\.txt'\."),
        (
            b"training: {stride: none}",
            "training.stride = 'none' should be a whole number .*; did you mean null?",
        ),
        (b"training: {window: none}", "training.window = 'none' should be a whole number."),
        (b"training: {true: on}", "the key 'true' is not a string"),
        (b"model: {1: 2}", "the key '1' is not a string"),
        (b"training:\n  seed: 1\n  seed: 2\n", "the key 'seed' appears twice"),
        (b"training: &t {seed: *t}", "it has an alias"),
        (b"a: &a [1,2]\nb: &b [*a,*a]\nc: [*b,*b]", "it has an alias"),
        (b"model: " + b"[" * 5000, "not a readable YAML"),
        (b"model:\n\tlayers: 1", r"file: line 2, column 1: .* cannot start any token\.$"),
        (b"a: [", "line 1, column 5: while parsing a flow node, expected the node content"),
        (b"model\0", r"special characters are not allowed at position 5\.$"),
        (b"training: {max_steps: true}", "training.max_steps = true should be a number"),
        (b"optimizer: {learning_rate: true}", "optimizer.learning_rate = true should be a number"),
        (b"evaluation: {max_characters: 1}", "should be a whole number of at least 2 or null"),
    ],
)
def test_broken_files(tmp_path: Path, content: bytes, words: str) -> None:
    file = tmp_path / "c.yaml"
    file.write_bytes(content)
    with pytest.raises(UsageError, match=words):
        load_config(str(file), [], {})


def test_a_malformed_assignment_is_reported_with_the_faults_of_the_file(tmp_path: Path) -> None:
    file = tmp_path / "bad.yaml"
    file.write_text("training: {window: 0}")
    with pytest.raises(UsageError) as caught:
        load_config(str(file), ["foo", "training.seed=-1", "bar"], {})
    words = str(caught.value)
    assert (
        "`settings`: 'foo' is not of the form key.path=value, such as model.hidden_size=256."
        in words
    )
    assert "'bar' is not of the form" in words
    assert f"{file}: training.window = 0 " in words
    assert "`settings`: training.seed = -1 " in words


@pytest.mark.parametrize(
    ("assignment", "suggestion"),
    [
        ("learning_rate=5", "optimizer.learning_rate?"),
        ("hidden_size=5", "model.hidden_size?"),
        ("model.threshold=5", "training.clip.threshold?"),
        ("clip.by=norm", "training.clip?"),
        ("name=step", "optimizer.name or schedule.name?"),
        ("optimizer.momentun=0.5", "'optimizer.momentun'; known: name, learning_rate,"),
        ("modle.bias=true", "did you mean model?"),
    ],
)
def test_an_unknown_key_suggests_one_of_its_name_or_the_nearest(
    assignment: str, suggestion: str
) -> None:
    with pytest.raises(UsageError) as caught:
        load_config(None, [assignment], {})
    assert suggestion in str(caught.value)


def test_of_very_many_faults_only_some_are_listed() -> None:
    with pytest.raises(UsageError) as caught:
        load_config(None, [f"model.x{number}=1" for number in range(30)], {})
    assert str(caught.value).count("unknown key") == 20
    assert str(caught.value).endswith("and 10 more faults.")


@pytest.mark.parametrize(
    "assignment",
    [
        "model", "=3", "training.max_time=soon", "model.bias=[", "training.seed=2023-02-30",
        "training.seed=0b_", "model=" + "[" * 5000, "training.window={1: 2}",
    ],
)  # fmt: skip
def test_broken_assignments(assignment: str) -> None:
    with pytest.raises(UsageError, match=r"`settings`|key\.path=value"):
        load_config(None, [assignment], {})


@pytest.mark.parametrize("value", ["0", "17", "2.5", "two", "-1", "true", "null", "[2]", "1e9"])
def test_layers_are_a_whole_number_from_1_to_16(charrnn, value: str) -> None:
    for arguments in (["gradcheck"], ["train", "--max-steps", 1], ["inspect"], ["gradflow"]):
        outcome = charrnn(*arguments, "--set", f"model.layers={value}")
        assert outcome.code == 2
        assert "model.layers" in outcome.err
        assert "Traceback" not in outcome.err
    outcome = charrnn("train", "--layers", value, "--max-steps", 1, "--out", "run")
    assert outcome.code == 2
    assert "layers" in outcome.err
    assert not Path("run").exists()


@pytest.mark.parametrize("layers", [1, 16])
def test_1_and_16_layers_are_possible(charrnn, text_file, layers: int) -> None:
    arguments = [*TINY, "--layers", layers, "--set", "model.hidden_size=3", "--max-steps", 1]
    assert charrnn("train", text_file, *arguments, "--out", "run").code == 0
    assert load(Path("run/checkpoints/last.safetensors")).params.depth == layers
    assert charrnn("sample", "run", "--length", 5).code == 0
    assert charrnn("gradcheck", "run", "--oracle", "complex-step").code == 0


def test_a_missing_config_names_the_nearest() -> None:
    with pytest.raises(UsageError) as caught:
        load_config("defualt", [], {})
    assert caught.value.hint == "did you mean 'default'?"


def test_the_resolved_config_is_plain_yaml() -> None:
    config = load_config(None, [], {})
    assert yaml.safe_load(dump_config(config)) == config.model_dump(mode="json")


LEAVES = [key for key in dict.fromkeys(keys(Config)) if key not in {"data", "model"}]


@pytest.mark.parametrize("key", LEAVES)
def test_a_setting_without_its_section_is_named_in_full(key: str) -> None:
    """As a bare key, misspelt, and as an option."""
    leaf = key.rpartition(".")[2]
    if leaf == key:
        return  # a section is a key by itself
    for unknown in (leaf, leaf.replace("_", "-"), leaf.upper()):
        assert key in settings_like(unknown)
    if len(leaf) > 6:
        assert key in settings_like(leaf[:-2] + leaf[-1])


@pytest.mark.parametrize("synonym", SYNONYMS)
def test_what_other_programs_call_a_setting_is_understood(synonym: str) -> None:
    names = {key.rpartition(".")[2] for key in keys(Config)}
    assert synonym not in names
    assert SYNONYMS[synonym] in names
    assert settings_like(synonym)


@pytest.mark.parametrize(
    ("written", "seconds"),
    [
        ("1.5m", 90),
        ("0.5h", 1800),
        ("1h0.5m", 3630),
        ("90s", 90),
        ("2.5", 2.5),
        ("1.5h30m2s", 7202),
    ],
)
def test_durations_may_have_decimals(written: str, seconds: float) -> None:
    config = load_config("tiny", [f"training.max_time={written}"], {})
    assert config.training.max_time == seconds


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("010", 10), ("0777", 777), ("08", 8), ("1_000", 1000), ("0x1F", 31), ("+5", 5), ("-3", -3),
        ("1e3", 1000.0), ("1.", 1.0), (".5", 0.5), ("1.5e-3", 0.0015), ("-.inf", -math.inf),
        ("true", True), ("False", False), ("~", None), ("", None), ("null", None),
        ("yes", "yes"), ("on", "on"), ("No", "No"), ("1:30:30", "1:30:30"), ("12:30", "12:30"),
        ("2020-01-01", "2020-01-01"), ("0o17", "0o17"), ("0b11", "0b11"), ("=", "="), ("<<", "<<"),
        ("1.2.3", "1.2.3"), ("+", "+"), (".", "."), ("e5", "e5"), ("_1", "_1"),
        ("nan", "nan"), ("a: 1", {"a": 1}), ("[010, x]", [10, "x"]), ("'010'", "010"),
    ],
)  # fmt: skip
def test_yaml_is_read_as_people_mean_it(written: str, meant: object) -> None:
    found = parse(f"x: {written}" if ":" not in written or " " not in written else written)
    found = found["x"] if isinstance(found, dict) and "x" in found else found
    assert found == meant
    assert type(found) is type(meant)


NUMBERS = st.integers(-(10**20), 10**20) | st.floats(allow_nan=False)
NUMBERLIKE = st.text("0123456789.:-+_eExob", max_size=9) | st.sampled_from(
    ["on", "No", "2020-01-01"]
)


@given(NUMBERS | NUMBERLIKE | st.text(max_size=20) | st.booleans() | st.none())
def test_a_dumped_value_is_read_back(value: object) -> None:
    found = parse(dump({"x": value}))
    assert found == {"x": value}
    assert type(found["x"]) is type(value)


@pytest.mark.parametrize("written", ["1:30:30", "3:00", "2020-01-01", "0b11"])
def test_what_is_no_duration_is_refused(written: str) -> None:
    with pytest.raises(UsageError, match="is not a duration such as 90s, 3m or 1h30m"):
        load_config(None, [f"training.max_time={written}"], {})


@pytest.mark.parametrize(("written", "seconds"), [("90 s", 90), ("1h 30m", 5400), ("2.5 m", 150)])
def test_a_duration_may_have_spaces(written: str, seconds: float) -> None:
    config = load_config(None, [f"training.max_time={written}"], {})
    assert config.training.max_time == seconds


@pytest.mark.parametrize("flags", [{}, {"training": {"seed": 5}}])
def test_a_section_without_values_changes_nothing(tmp_path: Path, flags: dict) -> None:
    (tmp_path / "c.yaml").write_text("training:\n  # seed: 3\nmodel:\n")
    found = load_config(str(tmp_path / "c.yaml"), ["optimizer="], flags)
    assert found == load_config(None, [], flags)


@pytest.mark.parametrize(
    "assignment",
    [
        "training.epochs=1e308",
        "training.max_steps=1e15",
        f"data.exclude=[{', '.join('x' * 200)}]",
        f"data.include=['{'*a' * 200}']",
    ],
)
def test_what_no_one_needs_is_refused(assignment: str) -> None:
    with pytest.raises(UsageError, match=assignment.partition("=")[0]):
        load_config(None, [assignment], {})
