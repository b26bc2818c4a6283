"""`charrnn runs`: what became of each run, from little of it, without touching any."""

import csv
import io
import json
import os
import platform
import shutil
import tempfile
from dataclasses import replace
from pathlib import Path

import pytest
from rich.cells import cell_len

from charrnn.commands.runs import SORT_KEYS, list_runs, sorted_runs
from charrnn.errors import UsageError
from charrnn.report.run_table import network_name, print_runs, signed, steps_of, text_name
from charrnn.report.terminal import fitted
from charrnn.results import RunList, RunState, RunSummary
from charrnn.setup.run_files import RunFiles
from charrnn.setup.run_folders import counting_order
from charrnn.system.lock import Lock, is_held
from charrnn.training import tensor_file
from charrnn.training.checkpoint import encode, load
from tests.conftest import TINY
from tests.test_divergence import EXPLODING
from tests.test_narrow_terminals import ANSI


@pytest.fixture
def runs(tmp_path: Path, trained: Path, stacked: Path) -> Path:
    """A folder of two runs."""
    folder = tmp_path / "runs"
    shutil.copytree(trained, folder / "rhyme")
    shutil.copytree(stacked, folder / "stacked")
    return folder


def state_of(run: Path) -> RunSummary:
    (summary,) = list_runs(str(run)).runs
    return summary


def shortened_run(run: Path, **training: int) -> Path:
    """Changes `training` settings in the last checkpoint of a run, as if it had more to do."""
    path = RunFiles(run).checkpoint("last")
    checkpoint = load(path)
    config = checkpoint.config | {"training": checkpoint.config["training"] | training}
    path.write_bytes(encode(replace(checkpoint, config=config)))
    return run


def snapshot(folder: Path) -> dict[str, tuple]:
    return {
        str(path): (path.lstat().st_mtime_ns, path.lstat().st_ino) for path in folder.rglob("*")
    }


def test_the_numbers_are_those_of_the_run(charrnn, text_file: Path) -> None:
    ended = charrnn("train", text_file, *TINY, "--max-steps", 40, "--out", "runs/a", "--json")
    trained = json.loads(ended.out)
    found = json.loads(charrnn("runs", "--json").out)
    (run,) = found["runs"]
    assert (run["name"], run["state"], run["fault"]) == ("a", "complete", None)
    for key in ("seconds", "validation_nats_per_character", "validation_bits_per_character"):
        assert run[key] == trained[key]
    assert run["ngram_nats_per_character"] == trained["ngram_nats_per_character"]
    assert run["step"] == run["steps"] == trained["steps"] == 40
    assert run["difference_nats_per_character"] == pytest.approx(
        trained["validation_nats_per_character"] - trained["ngram_nats_per_character"], abs=1e-12
    )
    assert run["texts"] == [str(text_file)]
    assert (run["activation"], run["layers"], run["hidden_size"]) == ("tanh", 1, 16)
    out = charrnn("runs").out
    for shown in ("a", "rhyme.txt", "tanh 16", "40", f"{run['validation_nats_per_character']:.3f}"):
        assert f" {shown} " in out


def test_the_score_on_a_test_text_is_listed(charrnn, text_file: Path) -> None:
    arguments = ["train", text_file, *TINY, "--max-steps", 9, "--test", text_file, "--json"]
    ended = json.loads(charrnn(*arguments, "--out", "runs/a").out)
    assert state_of(Path("runs/a")).test_nats_per_character == ended["test_nats_per_character"]


def test_nothing_is_written_locked_or_read_whole(charrnn, runs: Path, monkeypatch) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("tensors were read")

    monkeypatch.setattr(tensor_file.TensorFile, "read", refuse)
    monkeypatch.setattr("charrnn.system.lock._locked", refuse)
    (runs / "rhyme" / ".lock").unlink()
    before = snapshot(runs)
    for options in ([], ["--json"], ["--csv"], ["--sort", "nats"]):
        assert charrnn("runs", *options).code == 0
    assert snapshot(runs) == before


def test_a_run_is_running_while_its_lock_is_held(runs: Path) -> None:
    run = shortened_run(runs / "rhyme", max_steps=100)
    assert state_of(run).state is RunState.STOPPED
    lock = Lock(run / ".lock")
    try:
        assert state_of(run).state is RunState.RUNNING
        assert state_of(run).step == 60
        shutil.copytree(run, runs / "copy")  # whose lock nobody holds, though it names a process
        assert state_of(runs / "copy").state is RunState.STOPPED
    finally:
        lock.release()
    assert state_of(run).state is RunState.STOPPED


def test_a_run_that_has_not_saved_yet_is_running(runs: Path) -> None:
    new = runs / "new"
    new.mkdir()
    lock = Lock(new / ".lock")
    (new / "checkpoints").mkdir()
    (new / "metrics.jsonl").touch()
    assert state_of(new) == RunSummary(str(new), "new", RunState.RUNNING)
    lock.release()
    assert (state_of(new).state, state_of(new).fault) == (RunState.DAMAGED, "it has no checkpoint.")


@pytest.mark.parametrize(
    "holder",
    ["process 0 on {node}", "process 9999999999 on {node}", "process {pid} on x", "no lock"],
)
def test_a_lock_of_nobody_here_is_not_held(tmp_path: Path, holder: str) -> None:
    line = holder.format(node=platform.node(), pid=os.getpid())
    (tmp_path / ".lock").write_bytes(line.encode().ljust(99) + b"\n")
    with (tmp_path / ".lock").open():
        assert not is_held(tmp_path / ".lock")


def test_a_lock_that_is_no_file_is_not_held(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "link").symlink_to("/dev/zero")
    for name in ("pipe", "link", "nothing", "."):
        assert not is_held(tmp_path / name)


def test_while_running_the_log_is_ahead_of_the_checkpoint(runs: Path) -> None:
    run = shortened_run(runs / "rhyme", max_steps=100)
    lines = map(json.loads, (run / "metrics.jsonl").read_text().splitlines())
    step = next(line for line in lines if line["event"] == "step")
    with (run / "metrics.jsonl").open("a") as log:
        log.write(json.dumps(step | {"step": 90, "seconds": 1000.5, "epoch": 9.0}) + "\n")
    assert state_of(run).step == 60
    lock = Lock(run / ".lock")
    assert (state_of(run).step, state_of(run).seconds) == (90, 1000.5)
    assert state_of(run).validation_nats_per_character is not None
    lock.release()


@pytest.mark.parametrize(
    ("training", "state", "steps"),
    [
        ({"max_steps": 60}, RunState.COMPLETE, 60),
        ({"max_steps": 61}, RunState.STOPPED, 61),
        ({"max_steps": None, "max_time": 1e9}, RunState.STOPPED, None),
        ({"max_steps": None, "max_time": 1e-9}, RunState.COMPLETE, None),
        ({"max_steps": None, "epochs": 1e6}, RunState.STOPPED, None),
        ({"max_steps": 100, "epochs": 0.01}, RunState.COMPLETE, None),
    ],
)
def test_a_run_is_complete_when_its_budget_is_used(runs: Path, training, state, steps) -> None:
    run = state_of(shortened_run(runs / "rhyme", **training))
    assert run.state is state
    if "epochs" in training:
        assert run.steps == max(round(training["epochs"] * 60 / run.epochs), 1)
    else:
        assert run.steps == steps


def test_a_divergence_belongs_to_the_state_that_it_followed(charrnn, text_file) -> None:
    settings = [one for setting in EXPLODING for one in ("--set", setting)]
    arguments = ["train", text_file, *TINY, *settings, "--max-steps", 30, "--out", "runs/a"]
    assert charrnn(*arguments).code == 1
    run = Path("runs/a")
    (folder,) = run.glob("divergence-*")
    step = int(folder.name.split("-")[1])
    assert (state_of(run).state, state_of(run).diverged_at) == (RunState.DIVERGED, step)
    assert f"a diverged at step {step}" in charrnn("runs").out
    for name in (f"divergence-{step}-after-1-rollback", "divergence-0", "divergence-x"):
        renamed = folder.rename(run / name)  # it went back since, or on
        assert state_of(run).state is RunState.STOPPED
        renamed.rename(folder)
    report = json.loads((folder / "report.json").read_text())
    for other in (-1, 10**6):  # it has saved another state since
        (folder / "report.json").write_text(json.dumps(report | {"checkpoint_step": other}))
        assert state_of(run).state is RunState.STOPPED
    (folder / "report.json").write_text("[" * 10**5)
    assert state_of(run).state is RunState.DIVERGED


def test_damaged_runs_are_named_and_the_others_listed(charrnn, runs: Path) -> None:
    for name in ("cut", "garbage", "config", "empty", "lost best"):
        shutil.copytree(runs / "rhyme", runs / name)
    last = runs / "cut" / "checkpoints" / "last.safetensors"
    last.write_bytes(last.read_bytes()[:-9])
    (runs / "garbage" / "checkpoints" / "last.safetensors").write_bytes(os.urandom(1000))
    shortened_run(runs / "config", max_steps=-3)
    shutil.rmtree(runs / "empty" / "checkpoints")
    (runs / "lost best" / "checkpoints" / "best.safetensors").write_bytes(b"")
    found = {run.name: run for run in list_runs("runs").runs}
    faults = {
        "cut": "cut off", "garbage": "not a checkpoint", "config": "training.max_steps",
        "empty": "no checkpoint", "lost best": "empty",
    }  # fmt: skip
    for name, fault in faults.items():
        assert found[name].state is RunState.DAMAGED
        assert fault in (found[name].fault or "")
        assert found[name].step == 60
    assert found["rhyme"].state is found["stacked"].state is RunState.COMPLETE
    outcome = charrnn("runs")
    assert outcome.code == 0
    assert outcome.out.count(" damaged ") == len(faults)


def test_hostile_files_neither_hang_nor_end_the_list(charrnn, runs: Path) -> None:
    for name in ("pipes", "devices", "loops", "folders", "\x1b[31mred\n"):
        shutil.copytree(runs / "rhyme", runs / name)
    for kind in ("metrics.jsonl", "config.yaml", ".lock", "checkpoints/best.safetensors"):
        for name in ("pipes", "devices", "loops", "folders"):
            (runs / name / kind).unlink(missing_ok=True)
        os.mkfifo(runs / "pipes" / kind)
        (runs / "devices" / kind).symlink_to("/dev/zero")
        (runs / "loops" / kind).symlink_to(runs / "loops" / kind)
        (runs / "folders" / kind).mkdir()
    (runs / "self").symlink_to(runs)
    outcome = charrnn("runs")
    assert outcome.code == 0
    assert "\x1b" not in outcome.out
    for name in ("pipes", "devices", "folders", "stacked"):
        assert f" {name} " in outcome.out
    assert charrnn("runs", "runs/pipes", "--csv").code == 3


def test_a_run_that_links_lead_to_is_listed_once(runs: Path) -> None:
    (runs / "again").symlink_to(runs)
    (runs / "a-link").symlink_to(runs / "rhyme")
    (runs / "group").mkdir()
    (runs / "group" / "back").symlink_to(runs / "stacked")
    names = [run.name for run in list_runs(str(runs)).runs]
    assert names == ["rhyme", "stacked"]


def test_an_empty_path_is_not_the_working_directory(charrnn, runs: Path) -> None:
    found = charrnn("runs", "")
    assert (found.code, found.out) == (3, "")
    assert "error: '' is not a folder." in found.err


def test_no_difference_has_no_sign() -> None:
    assert signed(0.0) == "0.000"
    assert signed(0.5) == "+0.500"


def test_a_config_that_is_a_pipe_is_not_waited_for(runs: Path) -> None:
    run = runs / "rhyme"
    for path in RunFiles(run).checkpoints.iterdir():
        path.unlink()
    (run / "config.yaml").unlink()
    os.mkfifo(run / "config.yaml")
    assert state_of(run).state is RunState.DAMAGED


@pytest.mark.skipif(not os.path.isdir("/dev/shm"), reason="needs a folder in /dev")
def test_a_pipe_in_a_folder_of_devices_is_not_waited_for() -> None:
    with tempfile.TemporaryDirectory(dir="/dev/shm") as folder:
        os.mkfifo(Path(folder, "config.yaml"))
        Path(folder, "metrics.jsonl").touch()
        assert state_of(Path(folder)).state is RunState.DAMAGED


def test_runs_in_folders_are_found_one_level_deep(charrnn, runs: Path) -> None:
    shutil.copytree(runs / "rhyme", runs / "sweep" / "run-10")
    shutil.copytree(runs / "rhyme", runs / "sweep" / "run-2")
    shutil.copytree(runs / "rhyme", runs / "a" / "b" / "too-deep")
    shutil.copytree(runs / "rhyme", runs / ".hidden")
    (runs / "notes.txt").write_text("…")
    names = ["rhyme", "stacked", "sweep/run-2", "sweep/run-10"]
    assert [run.name for run in list_runs("runs").runs] == names
    assert [run.name for run in list_runs(str(runs)).runs] == names
    assert state_of(runs / "rhyme").name == "rhyme"


def test_csv_has_the_same_values(charrnn, runs: Path) -> None:
    rows = list(csv.DictReader(io.StringIO(charrnn("runs", "--csv").out)))
    documents = json.loads(charrnn("runs", "--json").out)["runs"]
    assert [row["name"] for row in rows] == ["rhyme", "stacked"]
    for row, document in zip(rows, documents, strict=True):
        assert row.keys() == document.keys()
        for key, value in document.items():
            if isinstance(value, float):
                assert float(row[key]) == value
            elif key != "texts":
                assert row[key] == ("" if value is None else str(value))


def test_the_metrics_of_a_run_as_csv(charrnn, runs: Path) -> None:
    log = runs / "stacked" / "metrics.jsonl"
    evaluated = '"evaluation", "step": {}'.format
    log.write_text(log.read_text().replace(evaluated(20), evaluated(15)))  # between logged steps
    rows = list(csv.DictReader(io.StringIO(charrnn("runs", "runs/stacked", "--csv").out)))
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    steps = {line["step"]: line for line in lines if line["event"] == "step"}
    evaluations = {line["step"]: line for line in lines if line["event"] == "evaluation"}
    assert [int(row["step"]) for row in rows] == [1, 10, 15, 20, 30]
    assert steps.keys() | evaluations.keys() == {1, 10, 15, 20, 30}
    for row in rows:
        step, evaluation = steps.get(int(row["step"])), evaluations.get(int(row["step"]))
        for key in ("nats_per_character", "bits_per_character", "learning_rate", "clipped_share"):
            assert row[key] == ("" if step is None else str(step[key]))
        for name in ("U1", "W2", "V", "c"):
            norms = step["gradient_norms"] if step else {name: ""}
            assert row[f"gradient_norm_{name}"] == str(norms[name])
        for key in ("train_nats_per_character", "validation_bits_per_character"):
            assert row[key] == ("" if evaluation is None else str(evaluation[key]))
        seconds = (step or evaluation or {})["seconds"]
        assert row["seconds"] == str(seconds)


def test_sorting_by_every_column(runs: Path) -> None:
    nats = (1.5, None, 1.25)
    found = RunList(
        "runs",
        tuple(
            replace(state_of(runs / "rhyme"), path=str(n), validation_nats_per_character=one)
            for n, one in enumerate(nats)
        ),
    )
    for column in SORT_KEYS:
        for reverse in (False, True):
            assert set(sorted_runs(found, column, reverse).runs) == set(found.runs)
    rising = [run.path for run in sorted_runs(found, "nats").runs]
    falling = [run.path for run in sorted_runs(found, "nats", reverse=True).runs]
    assert (rising, falling) == (["2", "0", "1"], ["0", "2", "1"])
    with pytest.raises(UsageError, match="nat"):
        sorted_runs(found, "nat")


def test_every_column_is_one_to_sort_by(charrnn, runs: Path) -> None:
    heading = charrnn("runs").out.splitlines()[2].split()
    assert set(heading) == SORT_KEYS.keys()
    outcome = charrnn("runs", "--sort", "nts")
    assert (outcome.code, "did you mean --sort nats?" in outcome.err) == (2, True)


def test_where_there_are_no_runs_a_folder_with_runs_is_suggested(charrnn, runs: Path) -> None:
    Path("empty").mkdir()
    for path in ("empty", "missing", "rans"):
        outcome = charrnn("runs", path)
        assert outcome.code == 3
        assert "hint:  there are runs in runs: charrnn runs runs" in outcome.err
    shutil.rmtree(runs)
    assert "train one: charrnn train" in charrnn("runs").err
    assert charrnn("runs", "empty/\0").code == 3
    Path("file").touch()
    assert "not a folder" in charrnn("runs", "file").err


def test_csv_and_json_exclude_each_other(charrnn, runs: Path) -> None:
    assert charrnn("runs", "--csv", "--json").code == 2


@pytest.mark.parametrize("width", [120, 80, 50])
def test_the_table_fits_and_breaks_no_word(charrnn, runs: Path, monkeypatch, width: int) -> None:
    shutil.copytree(runs / "rhyme", runs / ("long-name-" * 9 + "文字" * 9))
    whole = set(charrnn("runs").out.split())
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("COLUMNS", str(width))
    out = ANSI.sub("", charrnn("runs").out)
    assert max(map(cell_len, out.splitlines())) <= width
    words = [word for word in out.split() if "…" not in word and "─" not in word]
    assert set(words) <= whole
    assert {"name", "nats", "state", "complete"} <= set(words)


def test_names_in_the_table() -> None:
    run = RunSummary("p", "n", RunState.STOPPED, activation="relu", layers=2, hidden_size=256)
    assert network_name(run) == "2 × ReLU 256"
    assert network_name(replace(run, layers=1, activation="tanh")) == "tanh 256"
    assert steps_of(replace(run, step=1000, steps=3000)) == "1,000 of 3,000"
    assert steps_of(replace(run, step=3000, steps=3000)) == "3,000"
    assert text_name(("a/b.txt",)) == "b.txt"
    assert text_name(("a/b/", "c", "d")) == "b + 2"
    assert (text_name(()), text_name(("-",))) == ("bundled", "stdin")
    assert sorted(["a-10", "a-9", "b", "a"], key=counting_order) == ["a", "a-9", "a-10", "b"]


@pytest.mark.parametrize("columns", range(1, 20))
def test_what_does_not_fit_loses_its_middle(columns: int) -> None:
    for line in ("short", "a-longer-name-123", "文字文字文字文字文字"):
        short = fitted(line, columns)
        assert cell_len(short) <= columns
        assert short == line or "…" in short
    assert fitted("a-longer-name-123", 9) == "a-lo…-123"


def test_numbers_of_a_forged_run_do_not_break_the_table(capsys) -> None:
    values = (float("nan"), float("inf"), -1e300, 1e308, 10**14)
    runs = [
        RunSummary(
            "p", "n", RunState.STOPPED, step=10**14, steps=10**14 + 1, seconds=1e11,
            validation_nats_per_character=value, validation_bits_per_character=value,
            difference_nats_per_character=value,
        )
        for value in values
    ]  # fmt: skip
    print_runs(RunList("runs", tuple(runs)))
    assert "100,000,000,000,000 of" in capsys.readouterr().out
