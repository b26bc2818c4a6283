"""The command line as a user meets it: results, messages and exit codes."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file

from charrnn.config.layers import load_config
from charrnn.setup.wiring import first_params
from charrnn.training.checkpoint import load
from tests.conftest import TINY, TINY_SETTINGS

KEYS = {
    "advice",
    "failure", "test_nats_per_character", "ngram_nats_per_character", "uniform_nats_per_character",
    "run", "checkpoint", "steps", "early", "train_nats_per_character",
    "validation_nats_per_character", "validation_bits_per_character", "characters_per_second",
    "seconds", "unigram_nats_per_character", "xz_nats_per_character", "plan",
}  # fmt: skip


def lines_of(run: Path) -> list[dict]:
    return [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]


def same_weights(one: Path, other: Path) -> bool:
    a, b = (load_file(path / "checkpoints/last.safetensors") for path in (one, other))
    return a.keys() == b.keys() and all(np.array_equal(a[name], b[name]) for name in a)


def test_train_prints_the_best_checkpoint(charrnn, tmp_path, text_file) -> None:
    out = tmp_path / "run"
    outcome = charrnn("train", text_file, *TINY, "--max-steps", 9, "--out", out)
    assert outcome.code == 0
    assert outcome.out == f"{out}/checkpoints/best.safetensors\n"
    assert Path(outcome.out.strip()).is_file()
    assert "uniform" in outcome.err
    assert "n-gram" in outcome.err
    assert "\x1b" not in outcome.err  # no control codes off a terminal
    names = {path.name for path in (out / "checkpoints").iterdir()}
    assert names == {
        "best.safetensors", "last.safetensors", "step-6.safetensors", "step-9.safetensors",
    }  # fmt: skip


def test_train_json(charrnn, tmp_path, text_file) -> None:
    out = tmp_path / "run"
    outcome = charrnn("train", text_file, *TINY, "--max-steps", 9, "--out", out, "--json")
    document = json.loads(outcome.out)
    assert document.keys() == KEYS
    assert document["steps"] == 9
    nats, bits = (document[f"validation_{unit}_per_character"] for unit in ("nats", "bits"))
    assert bits == pytest.approx(nats / np.log(2))


def test_metrics_hold_norms_per_parameter(charrnn, tmp_path, text_file) -> None:
    out = tmp_path / "run"
    charrnn("train", text_file, *TINY, "--max-steps", 20, "--out", out)
    lines = lines_of(out)
    steps = [line for line in lines if line["event"] == "step"]
    assert [line["step"] for line in steps] == [1, 10, 20]
    for line in steps:
        total = np.sqrt(sum(norm**2 for norm in line["gradient_norms"].values()))
        assert line["gradient_norm"] == pytest.approx(total)
        assert set(line["gradient_norms"]) == set("UWVbc")
    assert [line["step"] for line in lines if line["event"] == "evaluation"] == [7, 14, 20]
    assert [len(line["text"]) for line in lines if line["event"] == "sample"] == [200] * 3


def test_reported_validation_is_what_eval_measures(charrnn, trained, text_file, tmp_path) -> None:
    """The held-out tenth in a separate file has the score that training reported."""
    text = text_file.read_text()
    held_out = text[len(text) - round(len(text) / 10) :]
    (tmp_path / "held-out.txt").write_text(held_out)
    document = json.loads(charrnn("eval", trained, tmp_path / "held-out.txt", "--json").out)
    best = load(trained / "checkpoints/best.safetensors").state.progress
    assert document["nats_per_character"] == pytest.approx(best.best_validation_nats, rel=1e-12)
    assert document["characters"] == len(held_out) - 1
    assert document["bits_per_byte"] == pytest.approx(document["bits_per_character"])
    assert document["perplexity"] == pytest.approx(np.exp(document["nats_per_character"]))
    plain = charrnn("eval", trained, tmp_path / "held-out.txt")
    assert f"{document['bits_per_character']:.4f}" in plain.out


def test_bits_per_byte_are_not_bits_per_character(charrnn, tmp_path) -> None:
    text = tmp_path / "greek.txt"
    text.write_text("αβγδ εζηθ\n" * 60, encoding="utf-8")
    out = tmp_path / "run"
    charrnn("train", text, *TINY, "--max-steps", 3, "--out", out)
    document = json.loads(charrnn("eval", out, text, "--json").out)
    ratio = document["bits_per_character"] / document["bits_per_byte"]
    assert ratio == pytest.approx(len(text.read_bytes()[2:]) / 599)


def test_resume_equals_uninterrupted(charrnn, tmp_path, text_file) -> None:
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    schedule = ["--set", "schedule.name=constant"]  # a longer budget would stretch another one
    charrnn("train", text_file, *TINY, *schedule, "--max-steps", 30, "--out", whole)
    charrnn("train", text_file, *TINY, *schedule, "--max-steps", 10, "--out", parts)
    outcome = charrnn("train", "--resume", parts, "--max-steps", 30)
    assert outcome.code == 0, outcome.err
    assert same_weights(whole, parts)
    for event in ("step", "evaluation"):
        steps = [line["step"] for line in lines_of(parts) if line["event"] == event]
        assert len(steps) == len(set(steps))
    assert "max_steps: 30" in (parts / "config.yaml").read_text()


def test_sigint_finishes_the_step_saves_and_resumes_exactly(charrnn, tmp_path, text_file) -> None:
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    arguments = ["train", str(text_file), *TINY, "--max-steps", "3000"]
    charrnn(*arguments, "--out", whole)
    command = [sys.executable, "-m", "charrnn", *arguments, "--out", str(parts)]
    child = subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    metrics = parts / "metrics.jsonl"
    while child.poll() is None and not (metrics.exists() and metrics.stat().st_size > 2000):
        pass
    child.send_signal(signal.SIGINT)
    out, err = child.communicate(timeout=60)
    assert child.returncode == 130, err
    assert out == ""
    assert f"--resume {parts}" in err
    assert load(parts / "checkpoints/last.safetensors").state.progress.step < 3000
    assert charrnn("train", "--resume", parts).code == 0
    assert same_weights(whole, parts)

    def deterministic(run: Path) -> list[dict]:
        measured = {"seconds", "characters_per_second"}
        return [{k: v for k, v in line.items() if k not in measured} for line in lines_of(run)]

    assert deterministic(whole) == deterministic(parts)


def test_resume_refuses_what_would_change_the_run(charrnn, trained, tmp_path) -> None:
    other = tmp_path / "other.txt"
    other.write_text("something else entirely\n" * 40)
    for arguments, code, words in (
        (["--seed", 3], 2, "--seed cannot change"),
        (["--set", "model.bias=false"], 2, "--set cannot change"),
        (["--out", "x"], 2, "--out cannot change"),
        ([], 2, "it made 60 steps"),
    ):
        outcome = charrnn("train", "--resume", trained, *arguments)
        assert (outcome.code, words in outcome.err) == (code, True), outcome.err
    outcome = charrnn("train", other, "--resume", trained, "--max-steps", 80)
    assert outcome.code == 3
    assert "is not the text" in outcome.err
    outcome = charrnn("train", "--resume", tmp_path)
    assert outcome.code == 2


def test_a_run_without_steps_has_the_first_weights(charrnn, tmp_path, text_file) -> None:
    """It can be used as any model, and resumed to the same bits as an uninterrupted run."""
    none, whole = tmp_path / "none", tmp_path / "whole"
    outcome = charrnn("train", text_file, *TINY, "--max-steps", 0, "--out", none)
    assert outcome.code == 0
    assert "no step was made" in outcome.err
    assert outcome.out == f"{none / 'checkpoints/best.safetensors'}\n"
    first = dict(load(none / "checkpoints/best.safetensors").params.named())
    params = first_params(load_config(None, TINY_SETTINGS, {}), len(first["c"]))
    for name, array in params.named():
        np.testing.assert_array_equal(first[name], array)
    assert [line["event"] for line in lines_of(none)] == ["baselines"]
    for command in (["sample", none, "--length", 9], ["inspect", none], ["eval", none, text_file]):
        assert charrnn(*command).code == 0
    complete = charrnn("train", "--resume", none)
    assert complete.code == 2
    assert "--max-steps 3000" in complete.err
    assert charrnn("train", "--resume", none, "--max-steps", 9).code == 0
    assert charrnn("train", text_file, *TINY, "--max-steps", 9, "--out", whole).code == 0
    assert same_weights(none, whole)


def test_max_time_replaces_max_steps(charrnn, tmp_path, text_file) -> None:
    out = tmp_path / "run"
    outcome = charrnn("train", text_file, *TINY, "--max-time", "0.5s", "--out", out, "--json")
    assert outcome.code == 0, outcome.err
    assert json.loads(outcome.out)["seconds"] >= 0.5
    config = (out / "config.yaml").read_text()
    assert "max_steps: null" in config
    assert [line["event"] for line in lines_of(out)][-3:] == ["evaluation", "weights", "sample"]


def test_no_validation_part(charrnn, tmp_path, text_file) -> None:
    out = tmp_path / "run"
    outcome = charrnn(
        "train", text_file, *TINY, "--set", "data.validation_fraction=0", "--max-steps", 9,
        "--out", out, "--json",
    )  # fmt: skip
    document = json.loads(outcome.out)
    assert document["validation_nats_per_character"] is None
    assert document["train_nats_per_character"] > 0
    assert Path(document["checkpoint"]).is_file()


def test_several_files_and_stdin(tmp_path, text_file) -> None:
    command = [sys.executable, "-m", "charrnn", "train", str(text_file), "-", *TINY]
    command += ["--max-steps", "2", "--out", str(tmp_path / "run")]
    done = subprocess.run(command, input="ÄÖÜ" * 10, capture_output=True, encoding="utf-8")
    assert done.returncode == 0, done.stderr
    vocabulary = load(tmp_path / "run/checkpoints/last.safetensors").vocabulary
    assert set("ÄÖÜ") < set(vocabulary.characters)


def test_bad_texts_exit_3(charrnn, tmp_path) -> None:
    cases = {
        "empty": (b"", "is empty"),
        "binary": (b"PK\x03\x04\x00", "is a ZIP archive"),
        "latin1": (b"caf\xe9", "at offset 3"),
        "short": (b"abc" * 9, "this fits: --batch-size "),
        "one": (b"a", "too few to hold out"),
    }
    for name, (content, words) in cases.items():
        (tmp_path / name).write_bytes(content)
        outcome = charrnn("train", tmp_path / name, "--out", tmp_path / "run")
        assert outcome.code == 3, name
        assert words in outcome.err
        assert outcome.err.startswith("error: ")
        assert outcome.out == ""
    assert charrnn("train", tmp_path / "missing").code == 3
    assert charrnn("train", tmp_path).code == 3
    assert not (tmp_path / "run").exists()  # a run that cannot start leaves no directory


def test_notes_are_printed(charrnn, tmp_path, text_file) -> None:
    text = tmp_path / "crlf.txt"
    text.write_bytes(b"\xef\xbb\xbf" + text_file.read_bytes().replace(b"\n", b"\r\n"))
    outcome = charrnn("train", text, *TINY, "--max-steps", 1, "--out", tmp_path / "run")
    assert "byte order mark" in outcome.err
    assert "carriage return" in outcome.err


def test_bad_usage_exits_2(charrnn, tmp_path, trained, text_file) -> None:
    for arguments, words in (
        (["train", text_file, "--set", "model.hiden_size=9"], "did you mean model.hidden_size?"),
        (["train", text_file, "-c", "nothing"], "neither a file nor a built-in config"),
        (["train", text_file, "--out", trained], "already holds a run"),
        (["train", text_file, "--max-steps", "-1"], "--max-steps -1 should be"),
        (["train", text_file, "--max-time", "soon"], "--max-time soon is not a duration"),
        (["train", "--nonsense"], "there is no option --nonsense"),
        (["train", text_file, "--set", "training.max_steps=null"], "would never end"),
        (["sing"], "there is no command 'sing'"),
        (["sample"], "Missing argument"),
    ):
        outcome = charrnn(*arguments)
        assert outcome.code == 2, (arguments, outcome)
        assert words in outcome.err
        assert outcome.err.startswith("error: ")
        assert outcome.out == ""


def test_eval_of_a_text_with_unknown_characters(charrnn, trained, tmp_path) -> None:
    (tmp_path / "t").write_text("The wäter")
    outcome = charrnn("eval", trained, tmp_path / "t")
    assert outcome.code == 3
    assert "'ä' (U+00E4) at position 6" in outcome.err
    (tmp_path / "plain").write_text("The wter")
    skipped = charrnn("eval", trained, tmp_path / "t", "--unknown", "skip")
    assert skipped.out == charrnn("eval", trained, tmp_path / "plain").out
    assert "1 unknown character left out" in skipped.err


def test_divergence_exits_1_with_advice(charrnn, tmp_path, text_file) -> None:
    outcome = charrnn(
        "train", text_file, *TINY, "--out", tmp_path / "run", "--set", "model.activation=relu",
        "--set", "optimizer.name=sgd", "--set", "optimizer.learning_rate=1e30",
        "--set", "training.clip.by=none",
    )  # fmt: skip
    assert outcome.code == 1
    assert "training diverged at step" in outcome.err
    assert " --lr " in outcome.err


@pytest.mark.parametrize("command", [[], ["train"], ["sample"], ["eval"], ["gradcheck"]])
def test_help(charrnn, command) -> None:
    outcome = charrnn(*command, "--help")
    assert outcome.code == 0
    assert outcome.out.startswith("Usage: charrnn")


def test_a_closed_pipe_is_quiet(trained) -> None:
    script = f"{sys.executable} -m charrnn sample {trained} --length 200000 | head -c 10"
    done = subprocess.run(["bash", "-c", script], capture_output=True, text=True)
    assert len(done.stdout) == 10
    assert done.stderr == ""


def test_output_is_utf8_whatever_the_locale(tmp_path) -> None:
    text = tmp_path / "t.txt"
    text.write_text("ⲁⲃⲅ " * 200, encoding="utf-8")
    environment = os.environ | {"PYTHONIOENCODING": "ascii", "LC_ALL": "C"}
    base = [sys.executable, "-m", "charrnn"]
    train = [*base, "train", str(text), *TINY, "--max-steps", "2", "--out", str(tmp_path / "run")]
    subprocess.run(train, env=environment, check=True, capture_output=True)
    sample = [*base, "sample", str(tmp_path / "run"), "--prime", "ⲁ", "--length", "5"]
    done = subprocess.run(sample, env=environment, capture_output=True)
    assert done.stdout.decode("utf-8").startswith("ⲁ"), done.stderr


@pytest.mark.parametrize("lost", ["reader", "device"])
def test_losing_standard_error_does_not_end_a_run(tmp_path, text_file, lost) -> None:
    """Training continues with a closed pipe or a full device as stderr."""
    command = [sys.executable, "-m", "charrnn", "train", str(text_file), *TINY]
    command += ["--set", "evaluation.count=10", "--max-steps", "300", "--out", "run"]
    with open("/dev/full", "wb") as full:
        where = subprocess.PIPE if lost == "reader" else full
        with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=where) as child:
            if lost == "reader":
                assert child.stderr.readline()
                child.stderr.close()
            assert child.wait() == 0
    assert load(tmp_path / "run/checkpoints/last.safetensors").state.progress.step == 300


def test_names_that_are_not_valid_file_names(charrnn, text_file) -> None:
    endless = "x" * 300
    for arguments, code in (
        (["train", text_file, "--out", endless], 2),
        (["train", text_file, "-c", endless], 2),
        (["train", "--resume", endless], 2),
        (["train", endless], 3),
        (["sample", endless], 3),
        (["eval", endless, text_file], 3),
    ):
        outcome = charrnn(*arguments)
        assert outcome.code == code, (arguments, outcome)
        assert outcome.err.startswith("error: ")


def test_a_directory_that_is_not_empty_is_refused(charrnn, tmp_path, text_file) -> None:
    for name in ("config.yaml", "metrics.jsonl", "letter.txt"):
        folder = tmp_path / name.partition(".")[0]
        folder.mkdir()
        (folder / name).write_text("mine\n")
        outcome = charrnn("train", text_file, *TINY, "--max-steps", 1, "--out", folder)
        assert outcome.code == 2
        assert (folder / name).read_text() == "mine\n"


def test_resuming_a_run_from_stdin_needs_its_text(charrnn, tmp_path, text_file) -> None:
    run = tmp_path / "run"
    base = [sys.executable, "-m", "charrnn", "train", "-"]
    text = text_file.read_bytes()
    command = [*base, *TINY, "--max-steps", "4", "--out", str(run)]
    subprocess.run(command, input=text, check=True, capture_output=True)
    for arguments in (["gradcheck", run], ["train", "--resume", run, "--max-steps", 8]):
        outcome = charrnn(*arguments)
        assert outcome.code == 2
        assert "standard input" in outcome.err
    again = [*base, "--resume", str(run), "--max-steps", "8"]
    assert subprocess.run(again, input=text, capture_output=True).returncode == 0


def test_notes_on_every_text(charrnn, trained, tmp_path) -> None:
    (tmp_path / "t").write_bytes(b"The keeper\r\nwent up with a lamp\r\nin his hand\r\n")
    for arguments in (
        ["eval", trained, tmp_path / "t"],
        ["gradcheck", trained, "--text", tmp_path / "t"],
        ["sample", trained, "--prime-file", tmp_path / "t", "--length", 3],
    ):
        assert "carriage return" in charrnn(*arguments).err


def test_an_empty_directory_name_is_refused(charrnn, text_file) -> None:
    outcome = charrnn("train", text_file, *TINY, "--max-steps", 1, "--out", "")
    assert outcome.code == 2
    assert "--out is empty" in outcome.err


def test_closed_streams_cause_no_traceback(tmp_path, trained, text_file) -> None:
    base = f"{sys.executable} -m charrnn"
    tiny = " ".join(TINY)
    for line, code in (
        (f"{base} sample {trained} --length 5 >&-", 0),
        (f"{base} gradcheck --json >&-", 0),
        (f"{base} train {text_file} {tiny} --max-steps 2 --out {tmp_path}/a >&- 2>&-", 0),
        (f"{base} train - {tiny} --out {tmp_path}/b <&-", 3),
        (f"{base} train /dev/zero {tiny} --out {tmp_path}/b", 3),
        (f"{base} gradcheck | head -n 1 > /dev/null; exit ${{PIPESTATUS[0]}}", 0),
    ):
        done = subprocess.run(["bash", "-c", line], capture_output=True, text=True)
        assert done.returncode == code, (line, done.stderr)
        assert "Traceback" not in done.stderr


def test_sighup_saves(tmp_path, text_file) -> None:
    run = tmp_path / "run"
    command = [sys.executable, "-m", "charrnn", "train", str(text_file), *TINY]
    command += ["--max-steps", "100000", "--out", str(run)]
    child = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    metrics = run / "metrics.jsonl"
    while child.poll() is None and not (metrics.exists() and metrics.stat().st_size > 2000):
        pass
    child.send_signal(signal.SIGHUP)
    assert child.wait(timeout=60) == 130
    assert load(run / "checkpoints/last.safetensors").state.progress.step > 1


def test_version_and_bare_command(charrnn) -> None:
    assert charrnn("--version").out.startswith("charrnn ")
    assert charrnn().out == charrnn("--help").out


def test_ctrl_c_in_a_long_step_is_acknowledged_at_once(tmp_path) -> None:
    (tmp_path / "long.txt").write_text("round and round the harbour wall\n" * 4000)
    arguments = ["long.txt", *TINY, "--set", "training.bptt=full", "--out", "run"]
    command = [sys.executable, "-m", "charrnn", "train", *arguments]
    child = subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    told = ""
    while "to beat" not in told:
        told = child.stderr.readline()
    child.send_signal(signal.SIGINT)
    while "stopping after this step; press Ctrl-C again to quit" not in told:
        told = child.stderr.readline()
        assert told, "no answer"
    child.send_signal(signal.SIGINT)
    child.communicate(timeout=60)
    assert child.returncode == 130
