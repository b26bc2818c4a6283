"""A hostile file gives a one-line error: it runs nothing and fills neither memory nor disk."""

import json
import os
import re
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from random import Random

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from charrnn.cli.output import write_line
from charrnn.config.layers import load_config
from charrnn.config.settings import Config
from charrnn.errors import UsageError
from charrnn.report.metrics import Metrics
from charrnn.system.escaping import harmless, harmless_json, harmless_message
from charrnn.training.checkpoint import encode, load
from tests.hostile import (
    CHECKS,
    ESCAPE,
    bulky,
    hostile_checkpoints,
    hostile_configs,
    huge,
    opened,
    sealed,
)

CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")
SEEDS = st.integers(0, 2**32)


@pytest.fixture(scope="session")
def good(trained: Path) -> Path:
    return trained / "checkpoints/last.safetensors"


def assert_a_sentence(err: str) -> None:
    first, *others = err.removesuffix("\n").split("\n")
    assert first.startswith("error: ")
    assert all(line.startswith(("hint:  ", "       ")) for line in others), err
    assert not CONTROL.search(err), err
    assert "Traceback" not in err
    assert len(err) < 20_000


def test_hostile_checkpoints_end_in_a_sentence(charrnn, good, text_file, tmp_path) -> None:
    paths = hostile_checkpoints(good, tmp_path)
    last = tmp_path / "run/checkpoints/last.safetensors"
    last.parent.mkdir(parents=True)
    for name, path in paths.items():
        last.unlink(missing_ok=True)
        last.symlink_to(path)
        for arguments in (
            ["sample", path, "--length", 3],
            ["eval", path, text_file],
            ["gradcheck", path],
            ["gradflow", path],
            ["train", "--resume", last.parent.parent, "--max-steps", 70],
        ):
            outcome = charrnn(*arguments)
            code = 3 if path.is_file() or arguments[0] != "train" else 2  # not a run
            assert outcome.code == code, (name, arguments, outcome)
            assert_a_sentence(outcome.err)
            assert outcome.out == ""
    assert not (tmp_path / "executed").exists()


def test_hostile_configs_end_in_a_sentence(charrnn, tmp_path) -> None:
    for name, path in hostile_configs(tmp_path).items():
        outcome = charrnn("gradcheck", "-c", path)
        assert outcome.code == 2, (name, outcome)
        assert_a_sentence(outcome.err)
    assert not (tmp_path / "executed").exists()


@pytest.mark.parametrize("write", [lambda good, path: huge(good, path, 20_000), bulky])
def test_memory_is_bounded(good, tmp_path, write) -> None:
    """A file that claims to be large is refused in a process limited to 2 GB."""
    path = tmp_path / "large.safetensors"
    write(good, path)
    script = (
        "import resource, sys; resource.setrlimit(resource.RLIMIT_AS, (1 << 31, 1 << 31)); "
        "from charrnn.cli.main import run; sys.exit(run(sys.argv[1:]))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, "sample", str(path)],
        env=os.environ | {"OPENBLAS_NUM_THREADS": "1"}, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 3, done.stderr
    assert_a_sentence(done.stderr)


def test_a_config_may_come_through_a_pipe_of_the_shell(tmp_path) -> None:
    script = f"{sys.executable} -m charrnn gradcheck -c <(echo 'model: {{hidden_size: 0}}')"
    done = subprocess.run(["bash", "-c", script], capture_output=True, text=True)
    assert "model.hidden_size = 0" in done.stderr


def test_a_checkpoint_cannot_name_a_pipe_to_wait_for(charrnn, good, tmp_path) -> None:
    os.mkfifo(tmp_path / "pipe")
    tensors, metadata = opened(good)
    config = json.loads(metadata["config"])
    config["data"]["text"] = [str(tmp_path / "pipe")]
    last = tmp_path / "run/checkpoints/last.safetensors"
    last.parent.mkdir(parents=True)
    last.write_bytes(sealed(tensors, metadata | {"config": json.dumps(config)}))
    for arguments in (["gradcheck", last], ["train", "--resume", tmp_path / "run"]):
        outcome = charrnn(*arguments)
        assert outcome.code == 3
        assert "neither a file nor a directory" in outcome.err


@pytest.mark.parametrize("size", [1e20, 3.4e38])
@pytest.mark.parametrize("parameters", ["UWVbc", "W", "V", "Ub"])
@pytest.mark.parametrize("activation", ["tanh", "relu"])
def test_absurd_weights_end_in_a_sentence(
    charrnn, good, text_file, tmp_path, size, parameters, activation
) -> None:
    checkpoint = load(good)
    checkpoint.config["model"]["activation"] = activation
    for name in parameters:
        getattr(checkpoint.params, name)[...] = size
    checkpoint.params.V[::2] *= -1
    last = tmp_path / "run/checkpoints/last.safetensors"
    last.parent.mkdir(parents=True)
    last.write_bytes(encode(checkpoint))
    with np.errstate(over="warn", invalid="warn", divide="warn"):  # which is an error here
        for arguments in (
            ["sample", last, "--length", 5],
            ["eval", last, text_file],
            ["gradcheck", last],
            ["gradflow", last, "--truncation"],
            ["train", "--resume", tmp_path / "run", "--max-steps", 63],
        ):
            outcome = charrnn(*arguments)
            assert outcome.code in (0, 1), (arguments, outcome)
            if outcome.code == 0 and arguments[0] != "sample":
                assert " nan" not in outcome.out


@pytest.mark.parametrize("check", CHECKS)
@given(seed=SEEDS)
def test_a_mutated_file_is_sound_or_refused(good: Path, tmp_path_factory, check, seed: int) -> None:
    check(good, tmp_path_factory.mktemp("fuzz") / "x.safetensors", Random(seed))


@given(
    st.sampled_from(["model.hidden_size", "data.text", "schedule", "training.clip", "", "a.b"]),
    st.text() | st.text("-+.:_0123456789eExFob[]{}!&*<>=T ", max_size=30),
)
@example("training.max_steps", "!!int ''")
@example("training.max_steps", "!!timestamp x")
@example("training.max_steps", "0001-01-01T00:00:00+23:59")
def test_any_assignment_is_valid_or_refused(key: str, value: str) -> None:
    with suppress(UsageError):
        assert isinstance(load_config(None, [f"{key}={value}"], {}), Config)


ANY = st.text(st.characters() | st.sampled_from("\x1b\x07\x7f\x80\x9b\x9f\n\r\t\ud800\udc9b"))


@given(ANY)
@example("a\x1b[31m\x07\x9b\x7f\tb\n")
def test_control_characters_are_neutralised(text: str) -> None:
    shown = harmless(text)
    assert not CONTROL.search(shown)
    assert len(shown) == len(text)
    assert all(b == a or CONTROL.match(a) for a, b in zip(text, shown, strict=True))
    lines = harmless_message(text).split("\n")
    assert all(line.startswith("       ") for line in lines[1:])


@given(ANY)
def test_json_is_the_same_document_in_plain_utf8(text: str) -> None:
    document = harmless_json(json.dumps({text: [text]}, ensure_ascii=False))
    assert json.loads(document) == {text: [text]}
    assert not CONTROL.search(document)
    document.encode()


def test_names_and_vocabularies_are_escaped(charrnn, good, text_file, tmp_path) -> None:
    text = tmp_path / f"{ESCAPE}\nerror: {text_file.name}"
    text.write_bytes(text_file.read_bytes().replace(b"\n", b"\r\n"))
    tensors, metadata = opened(good)
    characters = ["\x1b", "\x9b", *json.loads(metadata["vocabulary"])[2:]]
    path = tmp_path / f"{ESCAPE}.safetensors"
    path.write_bytes(sealed(tensors, metadata | {"vocabulary": json.dumps(characters)}))
    for arguments in (
        ["sample", path, "--json", "--prime", "\x9b\x1b"],
        ["sample", path, "--prime", "\udc9b"],
        ["sample", path, "--prime", "e", "--prime-file", ESCAPE],
        ["sample", path, f"--{ESCAPE}"],
        ["sample", f"{ESCAPE}\nerror: x"],
        [f"{ESCAPE}\n"],
        ["gradcheck", path],
        ["gradcheck", path, "--oracle", ESCAPE],
        ["gradflow", good, "--text", text],
        ["eval", good, text],
        ["train", text, "--set", f"model.{ESCAPE}=1"],
        ["train", text, "--set", "training.window=8", "--max-steps", 1, "--out", f"o{ESCAPE}\nx"],
    ):
        outcome = charrnn(*arguments)
        shown = outcome.err if arguments[0] == "train" else outcome.out + outcome.err
        assert not CONTROL.search(shown), (arguments, outcome)
        assert len(re.findall("^error", outcome.err, re.M)) <= 1, (arguments, outcome)


def test_a_line_is_raw_for_programs_and_harmless_for_a_terminal(capsys, monkeypatch) -> None:
    write_line(ESCAPE)
    assert capsys.readouterr().out == ESCAPE + "\n"
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True, raising=False)
    write_line(ESCAPE)
    assert not CONTROL.search(capsys.readouterr().out)


def test_a_run_directory_is_not_trusted(tmp_path, text_file) -> None:
    """A deeply nested or endless log, or a link in place of a file, does no harm."""
    log = tmp_path / "metrics.jsonl"
    log.write_text('{"event": "step", "step": 1}\n' + "[" * 100_000 + "\n")
    Metrics(log, last_step=10, every_steps=1).close()
    assert log.read_text() == '{"event": "step", "step": 1}\n'
    log.unlink()
    os.mkfifo(log)
    Metrics(log, last_step=10, every_steps=1).close()
    assert log.read_text() == ""
