"""Wrong command lines: what is meant, and where to read about it; how much is written."""

import json
import logging
from pathlib import Path

import pytest

from charrnn.cli.main import COMMANDS
from charrnn.cli.usage import COMMAND_SYNONYMS
from charrnn.report.verbosity import Verbosity, set_verbosity
from tests.conftest import TINY


@pytest.fixture(autouse=True)
def _normal_verbosity():
    yield
    set_verbosity(Verbosity.NORMAL)


@pytest.mark.parametrize(
    ("arguments", "error", "hint"),
    [
        (
            ["trian"],
            "there is no command 'trian'.",
            "did you mean charrnn train? See charrnn --help",
        ),
        (
            ["generate"],
            "there is no command 'generate'.",
            "did you mean charrnn sample? See charrnn",
        ),
        (["help"], "there is no command 'help'.", "hint:  see charrnn --help"),
        (["train", "--version"], "no option --version.", "without a command: charrnn --version."),
        (["zzzzz"], "there is no command 'zzzzz'.", "see charrnn --help"),
        (["x\x1b[2J"], "there is no command 'x\\x1b[2J'.", "see charrnn --help"),
        (
            ["train", "--learning-rate", "1"],
            "there is no option --learning-rate.",
            "mean --lr? See",
        ),
        (["train", "--hidden", "1"], "there is no option --hidden.", "mean --hidden-size?"),
        (["train", "--n-layers", "1"], "there is no option --n-layers.", "mean --layers?"),
        (["train", "--n_layers", "1"], "there is no option --n-layers.", "mean --layers?"),
        (["train", "--rnn_size", "1"], "no option --rnn-size", "mean --hidden-size?"),
        (["train", "--seeed", "1"], "no option --seeed.", "mean --seed?"),
        (["train", "--validation-fractions", "1"], "no option", "--set data.validation_fraction=…"),
        (["train", "--zzz", "1"], "no option --zzz.", "hint:  see charrnn train --help"),
        (["train", "--epoch", "1"], "no option --epoch.", "mean --epochs?"),
        (["sweep", "--out", "x"], "no option --out.", "mean --study? See"),
        (["sweep", "--output-dir", "x"], "no option --output-dir.", "mean --study? See"),
        (["train", "--output-dir", "x"], "no option --output-dir.", "mean --out? See"),
        (["train", "--outt", "1"], "no option --outt.", "mean --out?"),
        (["train", "--patience", "1"], "no option --patience.", "mean --set training.patience=…?"),
        (["gradcheck", "--lr", "1"], "no option --lr.", "mean --set optimizer.learning_rate=…?"),
        (["gradflow", "--batch-sizes", "1"], "option --batch", "--set training.batch_size=…?"),
        (
            ["sample", "x", "--prompt", "a"],
            "no option --prompt.",
            "mean --prime? See charrnn sample",
        ),
        (["sample", "--lenght", "1"], "no option --lenght.", "mean --length?"),
        (["sample", "--lr", "9"], "no option --lr.", "see charrnn sample --help"),
        (["eval", "--set", "9"], "no option --set.", "see charrnn eval --help"),
        (["--ver"], "no option --ver.", "mean --version or --verbose? See charrnn --help"),
        (["--lr", "1", "train"], "no option --lr.", "after the command: charrnn train --lr. See"),
        (["eval", "--show"], "--show needs a value.", "--show WHAT: Print the beginning"),
        (["eval", "x", "y", "--show", "--json"], "--show needs a value.", "See charrnn eval --"),
        (["eval", "x", "y", "--units"], "--units needs a value.", "See charrnn eval --help"),
        (["sample", "x", "-n", "-t"], "-n needs a value.", "-n N: Characters to generate"),
        (["train", "--batch_size", "--max_steps"], "--batch-size needs a value.", "-size N: Lanes"),
        (["train", "--json=3"], "--json takes no value.", "see charrnn train --help"),
        (
            ["eval", "--units", "x"],
            "--units x is not a whole number of at least 1.",
            "charrnn eval",
        ),
        (
            ["sample", "--length", "-1"],
            "--length -1 is not a whole number from 0 to",
            "sample --help",
        ),
        (["sample", "--top-p", "3"], "--top-p 3 is not a number from 0 to 1.", "charrnn sample"),
        (["plot", "r", "--x", "step"], "--x step is not steps, epochs, char", "mean --x steps?"),
        (["sample"], "Missing argument 'CHECKPOINT'.", "see charrnn sample --help"),
        (["sample", "a", "b"], "unexpected extra argument", "see charrnn sample --help"),
        (["train", "--hidden-size", "x"], "--hidden-size x should be a whole number from 1 to", ""),
        (["train", "--dropout", "1"], "--dropout 1 should be a number from 0 to below 1.", ""),
        (["train", "--optimizer", "adem"], "--optimizer adem should be one of", "mean 'adam'?"),
        (["train", "--activation", "Tanh"], "--activation Tanh should be 'tanh', ", "mean 'tanh'?"),
        (["train", "--lr", "a b"], "--lr 'a b' should be a number above 0.", ""),
        (["train", "--lr", "inf"], "--lr inf should be a finite number above 0.", ""),
        (["train", "--seed", f"{2**63}"], f"{2**63} should be at most 999,999,999,999,999.", ""),
        (["train", "--max-steps", "null"], "null should be a whole number of at least 0.", ""),
        (["train", "--max-time", "0"], "above 0 or a duration such as 90s, 3m or 1h30m.", ""),
        (["train", "--extend-vocabulary"], "error: --extend-vocabulary needs --init-from", ""),
        (
            ["train", "--optimizer", "sgd", "--set", "optimizer.beta1=0"],
            "'optimizer.beta1' is a key of adam, adamw or muon, not of sgd; known: "
            "name, learning_rate.",
            "",
        ),
        (["train", "--set", "lr=1"], "unknown key 'lr'; did you mean optimizer.learning_rate?", ""),
        (["train", "--set", "rnn_size=1"], "unknown key 'rnn_size'; did you mean model.hidden", ""),
        (["-q", "train", "-v"], "--quiet and --verbose are both given.", "choose one"),
    ],
)
def test_what_is_meant(charrnn, arguments: list[str], error: str, hint: str) -> None:
    outcome = charrnn(*arguments)
    assert outcome.code == 2
    assert outcome.out == ""
    assert error in outcome.err
    assert hint in outcome.err
    assert "Traceback" not in outcome.err


def test_a_file_in_the_place_of_a_command_is_a_text_to_train_on(charrnn, text_file) -> None:
    assert f"did you mean charrnn train {text_file}? See" in charrnn(text_file).err


def test_synonyms_are_of_commands_that_exist() -> None:
    assert {*COMMAND_SYNONYMS.values()} <= COMMANDS.keys()
    assert not COMMAND_SYNONYMS.keys() & COMMANDS.keys()


def test_options_may_have_underscores(charrnn, text_file) -> None:
    arguments = ["train", text_file, "--hidden_size", 8, "--batch_size=4", "--window", 8]
    outcome = charrnn(*arguments, "--max_steps", 1, "--out", "run")
    assert outcome.code == 0, outcome.err
    config = json.loads(charrnn("config", "run", "--json").out)["config"]
    assert (config["model"]["hidden_size"], config["training"]["batch_size"]) == (8, 4)


def test_a_value_may_look_like_an_option(charrnn, trained) -> None:
    outcome = charrnn("sample", trained, "--prime=--json", "--unknown", "skip", "-n", 3)
    assert outcome.code == 0, outcome.err
    assert charrnn("train", "--", "--json").code == 3  # a text that is missing


FLAGS = {
    "hidden-size": ("12", "model", "hidden_size", 12),
    "layers": ("2", "model", "layers", 2),
    "activation": ("relu", "model", "activation", "relu"),
    "dropout": ("0.25", "model", "dropout", 0.25),
    "optimizer": ("sgd", "optimizer", "name", "sgd"),
    "lr": ("3e-2", "optimizer", "learning_rate", 0.03),
    "batch-size": ("1e1", "training", "batch_size", 10),
    "window": ("9", "training", "window", 9),
    "epochs": ("0.5", "training", "epochs", 0.5),
    "max-time": ("1h", "training", "max_time", 3600.0),
    "seed": ("7", "training", "seed", 7),
}


@pytest.mark.parametrize("flag", FLAGS)
def test_a_flag_sets_its_setting(charrnn, flag: str) -> None:
    written, section, key, value = FLAGS[flag]
    described = json.loads(charrnn("config", f"--{flag}", written, "--json").out)
    assert described["config"][section][key] == value
    assert described["origins"][f"{section}.{key}"] == f"--{flag}"


def test_flags_that_contradict_a_checkpoint_are_refused(charrnn, trained, text_file) -> None:
    for arguments, words in (
        (["train", "--resume", trained, "--lr", 1], "--lr cannot change a run that is resumed"),
        (["train", text_file, "--init-from", trained, "--hidden-size", 9], "hidden_size is 9, but"),
        (["gradcheck", trained, "--hidden-size", 9], "--hidden-size cannot change it"),
        (["gradflow", trained, "--layers", 9], "--layers cannot change it"),
        (["explain", "terms", trained, "--activation", "relu"], "--activation cannot change them"),
        (["gradflow", "--compare", "--activation", "relu"], "--compare sets --activation itself"),
        (["inspect", trained, "--lr", 1], "leave out --lr"),
    ):
        outcome = charrnn(*arguments)
        assert (outcome.code, words in outcome.err) == (2, True), outcome.err


def test_a_limit_replaces_those_of_the_config(charrnn, text_file, tmp_path: Path) -> None:
    (tmp_path / "my.yaml").write_text("training: {max_steps: 2}\n")
    short = ["--hidden-size", 8, "--batch-size", 4, "--window", 8, "--epochs", 0.25, "--json"]
    short += ["-c", "my.yaml"]
    inspected = json.loads(charrnn("inspect", text_file, *short).out)
    assert inspected["steps"] == round(inspected["steps_per_epoch"] / 4)
    trained = json.loads(charrnn("train", text_file, *short, "--out", "run").out)
    assert trained["steps"] == inspected["steps"]
    for command in ("train", "inspect", "config"):
        outcome = charrnn(command, "--max-steps", 3, "--epochs", 3)
        assert "--max-steps and --epochs are both given" in outcome.err


def test_a_limit_replaces_none_that_is_given_as_well(charrnn) -> None:
    given = ["--set", "training.max_time=3m", "--max-steps", 5, "--json"]
    training = json.loads(charrnn("config", *given).out)["config"]["training"]
    limits = [training[limit] for limit in ("max_steps", "epochs", "max_time")]
    assert limits == [5, None, 180]


def test_flags_of_analyses(charrnn) -> None:
    few = ["--oracle", "complex-step", "--entries", 2, "--batch-size", 2, "--json"]
    checked = charrnn("gradcheck", "--hidden-size", 5, "--layers", 2, "--window", 6, *few)
    problem = json.loads(checked.out)["checked"]
    assert (problem["hidden_size"], problem["layers"], problem["time_steps"]) == (5, 2, 6)
    flow = charrnn("gradflow", "--hidden-size", 5, "--lags", 8, "--json")
    assert json.loads(flow.out)["hidden_size"] == 5
    shown = charrnn("explain", "forward", "--hidden-size", 4, "--activation", "relu", "--json")
    network = json.loads(shown.out)["network"]
    assert (network["hidden_size"], network["activation"]) == (4, "relu")


@pytest.mark.parametrize("place", ["before", "after"])
def test_quiet_writes_the_result_only(charrnn, text_file, trained, place: str) -> None:
    def quiet(command: str, *arguments: object):
        return (
            charrnn("-q", command, *arguments)
            if place == "before"
            else charrnn(command, *arguments, "--quiet")
        )

    run = quiet("train", text_file, *TINY, "--max-steps", 3, "--out", "run")
    assert (run.code, run.out, run.err) == (0, "run/checkpoints/best.safetensors\n", "")
    assert quiet("eval", trained, text_file).err == ""
    assert quiet("sample", "nowhere").err.startswith("error: ")
    assert charrnn("train", "--resume", "run", "--max-steps", 4).err != ""  # it does not last


def test_quiet_keeps_warnings(charrnn, text_file) -> None:
    arguments = ["train", text_file, *TINY, "--max-steps", 2, "--lr", "1e-9", "-q"]
    outcome = charrnn(*arguments, "--set", "model.initialization.output=normal", "--out", "run")
    assert outcome.code == 0
    assert outcome.err.startswith("warning: the model is no better than guessing")


@pytest.mark.parametrize("place", ["before", "after"])
def test_verbose_says_what_is_read_and_chosen(charrnn, text_file, trained, place: str) -> None:
    arguments = ["train", text_file, "-c", "tiny", *TINY[2:], "--max-steps", 2, "--out", "run"]
    arguments = ["-v", *arguments] if place == "before" else [*arguments, "-v"]
    outcome = charrnn(*arguments)
    assert (
        "info: config: the default config, then tiny, then --set, then the command" in outcome.err
    )
    assert f"info: read {text_file}: 2,148 characters\n" in outcome.err
    assert "info: 2 workers for 4 lanes\n" in outcome.err
    assert "info: took " in outcome.err
    assert outcome.out == "run/checkpoints/best.safetensors\n"
    sampled = charrnn("sample", trained, "-v", "-n", 5)
    assert f"info: read {trained}/checkpoints/best.safetensors: 1,196 weights" in sampled.err
    assert "info:" not in charrnn("sample", trained, "-n", 5).err
    assert not logging.getLogger("charrnn").handlers
