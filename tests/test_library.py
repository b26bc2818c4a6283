"""`import charrnn`: the same results as the command line, and nothing else changes."""

import ast
import copy
import json
import logging
import os
import pickle
import random
import signal
import subprocess
import sys
import threading
import time
import traceback
import typing
import warnings
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest
import threadpoolctl
from safetensors import safe_open
from safetensors.numpy import load_file

import charrnn
from charrnn.analysis.surprisal import surprisals_of
from charrnn.analysis.unit_states import ReadText
from charrnn.cli.output import _finite
from charrnn.events import Baselines, RolledBack, RunEnded, RunStarted, Stepped
from charrnn.keywords import KEYWORDS
from charrnn.library.keywords import Keywords
from charrnn.model.bptt import bptt, window_loss
from charrnn.model.rnn import states
from charrnn.setup.run_log import read_log
from charrnn.system import blas
from charrnn.system.blas import single_threaded_blas
from charrnn.text.sequences import SEQUENCES
from charrnn.text.stream import stream_window
from tests.conftest import RHYME
from tests.library_page import PAGE
from tests.test_divergence import Poison

TEXT = RHYME * 12
LINES = SEQUENCES["lines"]
TINY = {"hidden_size": 16, "batch_size": 4, "window": 8}
SETTINGS = {"training.workers": 2, "evaluation.count": 3}  # as TINY of conftest
CONSTANT = SETTINGS | {"schedule.name": "constant"}  # the same in a run that is made longer
TIMES = {"seconds", "characters_per_second", "step_seconds", "evaluated", "evaluation_seconds"}


def trained_in_memory(text: object = TEXT, **options: object) -> charrnn.Run:
    options = {"config": "default", "settings": SETTINGS, "max_steps": 60, **TINY, **options}
    return charrnn.train(text, **options)


@pytest.fixture
def command_line(request):
    """The fixture that runs the command line, whose name is that of the package here."""
    return request.getfixturevalue("charrnn")


@pytest.fixture(scope="module")
def run() -> charrnn.Run:
    """The run of the fixture `trained`, in memory."""
    return trained_in_memory()


def same_weights(one: charrnn.Model, two: charrnn.Model) -> bool:
    first, second = one.parameters, two.parameters
    return first.keys() == second.keys() and all(
        np.array_equal(first[name], second[name]) for name in first
    )


def without_times(log: Path) -> list[dict]:
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    return [{key: line[key] for key in line if key not in TIMES} for line in lines]


# the package


def test_importing_loads_nothing() -> None:
    script = (
        "import sys; before = {*sys.modules}; import charrnn; dir(charrnn); "
        "print(*sorted({*sys.modules} - before))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert {*done.stdout.split()} <= {"charrnn", "types"}, done.stdout + done.stderr


def test_every_name_is_there_whatever_was_imported_before() -> None:
    script = "import {} as first; import charrnn; print(callable(charrnn.report), charrnn.runs)"
    for module in ("charrnn", "charrnn.events"):
        done = subprocess.run(
            [sys.executable, "-W", "error", "-c", script.format(module)],
            capture_output=True,
            text=True,
        )
        assert done.stdout.startswith("True <function runs"), done.stderr
    assert all(callable(getattr(charrnn, name)) for name in {*charrnn.__all__} - {"__version__"})
    assert {*charrnn.__all__} <= {*dir(charrnn)}
    with pytest.raises(AttributeError, match="no attribute 'sampel'"):
        charrnn.sampel  # noqa: B018


def test_type_checkers_see_the_same_names() -> None:
    tree = ast.parse(Path(charrnn.__file__).read_text())
    seen = {
        alias.asname: node.module.removeprefix("charrnn.")
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("charrnn.")
        for alias in node.names
    }
    assert seen == charrnn._HOMES


def test_keywords_are_those_of_the_command_line() -> None:
    keywords = {*typing.get_type_hints(Keywords)}
    assert keywords == {*KEYWORDS} - {"text"}
    page = PAGE.read_text(encoding="utf-8")
    assert not [name for name in keywords if f"`{name}`" not in page]


# training


def test_in_memory_is_the_same_as_on_disk(run, trained) -> None:
    """Weights bit for bit, the losses and the log."""
    assert same_weights(run.model, charrnn.load(trained))
    assert same_weights(run.last, charrnn.load(trained / "checkpoints/last.safetensors"))
    assert run.path is None
    assert (run.complete, run.steps, run.ended.steps) == (True, 60, 60)
    assert run.config["training"] == charrnn.load(trained).config["training"]
    logged, kept = charrnn.read_metrics(trained), charrnn.read_metrics(run)
    assert [*logged] == [*kept]
    for name in {*logged} - TIMES:
        np.testing.assert_array_equal(logged[name], kept[name])
    assert run.log.samples == read_log(trained / "metrics.jsonl").samples


def test_in_memory_writes_no_file(tmp_path) -> None:
    script = """
import os, sys
written = []
def hook(event, arguments):
    if event == "open" and arguments[2] & (os.O_WRONLY | os.O_RDWR | os.O_CREAT):
        written.append(arguments[0])
    elif event in ("os.mkdir", "os.rename", "os.remove", "os.link", "os.truncate"):
        written.append((event, *arguments))
sys.addaudithook(hook)
import charrnn
text = "the light is not lost\\n" * 99
run = charrnn.train(text, hidden_size=9, batch_size=4, window=9, max_steps=40)
charrnn.train(resume=run, max_steps=60).model.sample(length=9)
print(written)
"""
    command = [sys.executable, "-W", "error", "-B", "-c", script]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path)
    assert done.stdout == "[]\n", done.stdout + done.stderr
    assert not [*tmp_path.iterdir()]


def assert_same_directory(one: Path, two: Path) -> None:
    files = {path.relative_to(one) for path in one.rglob("*")}
    assert files == {path.relative_to(two) for path in two.rglob("*")}
    assert (one / "config.yaml").read_bytes() == (two / "config.yaml").read_bytes()
    assert without_times(one / "metrics.jsonl") == without_times(two / "metrics.jsonl")
    for file in files:
        if file.suffix == ".safetensors":
            first, second = load_file(one / file), load_file(two / file)
            assert all(np.array_equal(first[name], second[name]) for name in first), file
            heads = []
            for folder in (one, two):
                with safe_open(folder / file, "numpy") as opened:
                    head = {k: json.loads(v) for k, v in opened.metadata().items()}
                heads.append({k: head[k] for k in head if k not in ("digest", "progress")})
                heads[-1]["progress"] = {
                    k: v for k, v in head["progress"].items() if k not in TIMES
                }
            assert heads[0] == heads[1]


def test_with_out_it_is_the_run_directory_of_a_command(tmp_path, text_file, trained) -> None:
    run = trained_in_memory(text_file, out=tmp_path / "run")
    assert run.path == tmp_path / "run"
    assert_same_directory(trained, tmp_path / "run")
    assert same_weights(run.model, charrnn.load(trained))
    assert charrnn.read_metrics(run)["step"].tolist() == run.metrics["step"].tolist()
    with pytest.raises(charrnn.UsageError, match="already holds a run"):
        trained_in_memory(out=tmp_path / "run")


def test_of_a_run_functions_take_the_best_model(tmp_path) -> None:
    run = trained_in_memory(lr=0.3, settings=SETTINGS | {"schedule.name": "constant"})
    assert not same_weights(run.model, run.last)
    written = np.load(charrnn.export(run, tmp_path / "model.npz"))
    for name, array in run.model.parameters.items():
        np.testing.assert_array_equal(written[name], array)


def test_a_run_is_found_from_another_folder(tmp_path, text_file, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    run = trained_in_memory(text_file, out="here")
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir("elsewhere")
    assert same_weights(run.model, charrnn.load(run.path))
    assert len(run.metrics["step"])
    with pytest.raises(charrnn.UsageError, match="`out` is empty"):
        trained_in_memory(text_file, out="")


def test_a_run_is_resumed_as_by_a_command(command_line, text_file) -> None:
    string = trained_in_memory(max_steps=25, settings=CONSTANT, out="string")
    whole = trained_in_memory(settings=CONSTANT)
    assert same_weights(charrnn.train(resume=string, max_steps=60).last, whole.last)
    half = trained_in_memory(str(text_file), max_steps=25, settings=CONSTANT, out="half")
    with pytest.raises(charrnn.UsageError, match="`hidden_size` cannot change a run"):
        charrnn.train(resume=half, hidden_size=9)
    with pytest.raises(charrnn.UsageError, match="is complete"):
        charrnn.train(resume="half")
    assert same_weights(charrnn.train(resume=half, max_steps=60).last, whole.last)
    assert command_line("train", "--resume", "half", "--max-steps", 70).code == 0


def test_a_run_in_memory_is_resumed_too() -> None:
    half = trained_in_memory(max_steps=25, settings=CONSTANT)
    before, steps = half.last, half.metrics["step"].tolist()
    whole = charrnn.train(resume=half, max_steps=60)
    assert same_weights(whole.last, trained_in_memory(settings=CONSTANT).last)
    assert whole.metrics["step"].tolist() == [*steps, 30, 40, 50, 60]
    assert same_weights(half.last, before)
    assert half.metrics["step"].tolist() == steps
    assert [type(event) for event in whole._log.events].count(Baselines) == 1
    with pytest.raises(charrnn.UsageError, match="the run is complete"):
        charrnn.train(resume=whole)
    with pytest.raises(charrnn.UsageError, match="more steps, epochs or time only"):
        charrnn.train(resume=half, seed=3)


def test_a_saved_run_is_one_of_the_command_line(tmp_path, command_line, run, trained) -> None:
    assert run.save("model.safetensors") == Path("model.safetensors")
    found = command_line("sample", "model.safetensors", "--length", 50).out
    assert found == run.model.sample(length=50)
    run.save(tmp_path / "saved")
    assert without_times(tmp_path / "saved/metrics.jsonl") == without_times(
        trained / "metrics.jsonl"
    )
    assert same_weights(charrnn.load("saved"), run.model)
    listed = json.loads(command_line("runs", "saved", "--json").out)["runs"]
    assert [one["state"] for one in listed] == ["complete"]
    again = charrnn.train(TEXT, resume="saved", max_steps=70)
    assert same_weights(again.last, charrnn.train(resume=run, max_steps=70).last)
    with pytest.raises(charrnn.UsageError, match="already holds a run"):
        run.save("saved")
    with pytest.raises(charrnn.UsageError, match="is a file of a run"):
        run.save("saved/checkpoints/other.safetensors")
    with pytest.raises(charrnn.UsageError, match="saved already"):
        again.save("elsewhere")


@pytest.mark.parametrize(
    ("string", "content"),
    [
        ("ab\r\ncd\n" * 60, b"ab\r\ncd\n" * 60),
        ("\ufeffab\ncd\n" * 60, ("\ufeffab\ncd\n" * 60).encode()),
        ("äöü\n\U0001f600x" * 60, ("äöü\n\U0001f600x" * 60).encode()),
    ],
)
def test_a_string_is_the_same_as_its_file(string, content) -> None:
    Path("text.txt").write_bytes(content)
    tiny = {"hidden_size": 5, "batch_size": 2, "window": 4, "max_steps": 4}
    one, two, three = (
        charrnn.train(text, **tiny) for text in (string, "text.txt", [Path("text.txt")])
    )
    assert same_weights(one.last, two.last)
    assert same_weights(one.last, three.last)
    assert one.last.characters == two.last.characters


def test_a_config_may_be_a_mapping_or_a_path(run) -> None:
    values = {
        "model": {"hidden_size": 16},
        "training": {"batch_size": 4, "window": 8, "workers": 2},
    }
    Path("own.yaml").write_text(json.dumps(values))
    rest = {"evaluation": {"count": np.int64(3)}}
    for config in (values, Path("own.yaml"), "own.yaml"):
        again = charrnn.train(TEXT, config, settings=rest, max_steps=60)
        assert same_weights(again.last, run.last)


# interruptions, threads and what else a process shares


def interrupted_at(step: int, times: int = 1):
    def progress(event: object) -> None:
        if isinstance(event, Stepped) and event.step == step:
            for _ in range(times):
                os.kill(os.getpid(), signal.SIGINT)

    return progress


def test_an_interrupt_loses_nothing(run) -> None:
    handlers = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    stopped = trained_in_memory(progress=interrupted_at(21))
    assert (stopped.complete, stopped.steps) == (False, 21)
    assert stopped.model.steps == 20
    assert stopped.last.steps == 21
    assert "interrupted" in repr(stopped)
    assert handlers == [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    assert same_weights(charrnn.train(resume=stopped).last, run.last)
    saved = trained_in_memory(progress=interrupted_at(5), out="run")
    assert charrnn.load("run").steps == saved.model.steps == 5


def test_a_second_interrupt_is_not_caught() -> None:
    with pytest.raises(KeyboardInterrupt):
        trained_in_memory(progress=interrupted_at(5, times=2))


def test_a_divergence_keeps_the_run(monkeypatch) -> None:
    Poison(monkeypatch, {31}, times=1)
    with pytest.raises(charrnn.Divergence, match="diverged at step 31") as caught:
        trained_in_memory(text=TEXT)
    run = caught.value.run
    assert run.model.steps == 20
    assert "Diverged" in run._repr_html_()
    assert "diverged" in repr(run)
    logged = charrnn.train(resume=run).metrics["step"].tolist()  # again from step 21 on
    assert logged == [1, 10, 20, 30, 40, 50, 60]
    assert "what usually helps: `optimizer.learning_rate" in caught.value.hint
    other = pickle.loads(pickle.dumps(caught.value))
    assert (str(other), other.hint, other.step) == (
        str(caught.value), caught.value.hint, 31,
    )  # fmt: skip


def test_a_rollback_is_that_of_a_directory(text_file) -> None:
    runs = []
    for out in (None, "run"):
        settings = SETTINGS | {"training.on_divergence": "rollback"}
        events: list[object] = []
        with pytest.MonkeyPatch.context() as patch:
            Poison(patch, {31}, times=1)
            options = {"settings": settings, "out": out, "progress": events.append}
            runs.append(trained_in_memory(text_file, **options))
        assert [event.step for event in events if isinstance(event, RolledBack)] == [20]
    assert same_weights(runs[0].last, runs[1].last)
    steps = [[step.step for step in one.log.steps] for one in runs]
    assert steps[0] == steps[1]


def shared() -> dict[str, object]:
    """What all code of a process shares."""
    return {
        "signals": [signal.getsignal(number) for number in signal.valid_signals()],
        "wakeup": _wakeup(),
        "warnings": [*warnings.filters],
        "environment": dict(os.environ),
        "NumPy": (np.geterr(), np.get_printoptions(), np.random.get_state()[1].tolist()),
        "random": random.getstate(),
        "streams": (sys.stdin, sys.stdout, sys.stderr, sys.excepthook, sys.displayhook),
        "logging": [*logging.getLogger().handlers, *logging.getLogger("charrnn").handlers],
        "BLAS": [one["num_threads"] for one in threadpoolctl.threadpool_info()],
        "folder": os.getcwd(),
        "threads": settled_threads(),
    }


def _wakeup() -> int:
    number = signal.set_wakeup_fd(-1)
    signal.set_wakeup_fd(number)
    return number


def settled_threads() -> list[str]:
    end = time.monotonic() + 10
    while threading.active_count() > 1 and time.monotonic() < end:
        time.sleep(0.01)
    return [thread.name for thread in threading.enumerate()]


def test_the_library_leaves_everything_else_as_it_is() -> None:
    with threadpoolctl.threadpool_limits(2, "blas"):
        before = shared()
        run = trained_in_memory(max_steps=5)
        pieces = run.model.stream(length=5)
        assert next(pieces)
        during = shared()
        charrnn.gradflow(run, lags=5)
        assert [before, before] == [during, shared()]


def blas_threads() -> set[int]:
    """The numbers of threads of NumPy's libraries for linear algebra; numba may load SciPy's."""
    pools = blas._limit._libraries.info()
    return {pool["num_threads"] for pool in pools if pool["user_api"] == "blas"}


def test_the_last_of_several_users_of_blas_restores_it() -> None:
    with threadpoolctl.threadpool_limits(2, "blas"):
        first, second = single_threaded_blas(), single_threaded_blas()
        first.__enter__()
        second.__enter__()
        first.__exit__(None, None, None)
        assert blas_threads() == {1}
        second.__exit__(None, None, None)
        assert blas_threads() == {2}


def test_training_again_or_in_threads_gives_the_same(run) -> None:
    found = []
    with threadpoolctl.threadpool_limits(2, "blas"):
        threads = [
            threading.Thread(
                target=lambda n=n: found.append(trained_in_memory(max_steps=60 + 9 * n))
            )
            for n in range(2)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert blas_threads() == {2}
    shorter, longer = sorted(found, key=lambda one: one.steps)
    assert same_weights(shorter.last, run.last)
    assert longer.steps == 69


# models


@pytest.fixture(scope="module")
def model(run) -> charrnn.Model:
    return run.model


def test_a_model_can_be_copied_and_pickled(model) -> None:
    for other in (copy.deepcopy(model), pickle.loads(pickle.dumps(model))):
        assert same_weights(other, model)
        assert other.sample(length=20) == model.sample(length=20)
        assert other.config == model.config
    weights = model.parameters
    weights["W"][...] = 0
    assert model.parameters["W"].any()


@pytest.mark.parametrize(
    ("options", "flags"),
    [
        ({}, ()),
        ({"prime": "The ", "temperature": 0.5, "seed": 3}, ("-p", "The ", "-t", 0.5, "--seed", 3)),
        ({"top_k": 3, "no_prime": True, "prime": "a"}, ("--top-k", 3, "--no-prime", "-p", "a")),
        (
            {"until": "\\n", "top_p": 0.9, "min_p": 0.1},
            ("--until", "\\n", "--top-p", 0.9, "--min-p", 0.1),
        ),
    ],
)
def test_samples_are_those_of_the_command(command_line, trained, model, options, flags) -> None:
    wanted = command_line("sample", trained, "--length", 60, *flags).out
    assert model.sample(**options, length=60) == wanted
    pieces = [*model.stream(**options, length=60)]
    assert "".join(pieces) == wanted
    assert len(pieces) > 5
    assert all(pieces)


def test_several_samples_are_those_of_the_command(command_line, trained) -> None:
    flags = ("--count", 2, "-t", 0.5, "-t", 1, "--length", 40, "--novelty", "--json")
    wanted = json.loads(command_line("sample", trained, *flags).out)
    options = {"temperature": [0.5, 1], "length": 40, "novelty": True}
    found = charrnn.load(trained).samples(2, **options)
    assert _plain(found) == wanted


def _plain(result: object) -> object:
    return json.loads(json.dumps(_finite(asdict(result))))


def test_scores_are_those_of_the_command(command_line, trained, text_file) -> None:
    model = charrnn.load(trained)
    wanted = json.loads(command_line("eval", trained, text_file, "--json", "--block", 50).out)
    assert _plain(model.evaluate(text_file, block=50)) == wanted
    assert _plain(model.evaluate(TEXT, block=50)) == wanted
    scores = model.score(TEXT)
    assert scores.text == TEXT
    assert scores.bits.shape == (len(TEXT),)
    assert np.isnan(scores.bits[0])
    whole = model.evaluate(TEXT, baselines=False).bits_per_character
    assert scores.bits_per_character == pytest.approx(whole, rel=1e-5)
    ids = np.array([model.characters.index(character) for character in TEXT[:99]])
    read = ReadText(model._loaded.params, model._loaded.activation, ids)
    nats = np.concatenate([found.nats for found in surprisals_of(read, 3)])
    np.testing.assert_allclose(scores.nats[1:99], nats, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("layers", [1, 2])
def test_states_are_those_of_the_network(layers) -> None:
    model = trained_in_memory(layers=layers, max_steps=9).model
    loaded = model._loaded
    ids = np.array([[model.characters.index(character)] for character in TEXT[:2100]])
    h0 = np.zeros((1, 16 * layers), np.float32)
    wanted = states(loaded.params, ids, h0, loaded.activation)[1:, 0]
    found = model.states(TEXT[:2100])
    assert found.shape == (2100, 16 * layers)
    np.testing.assert_allclose(found, wanted, atol=1e-5)


def test_the_gradient_is_that_of_bptt_and_of_differences(model) -> None:
    text = RHYME[:70]
    found = model.gradient(text)
    loaded = model._loaded
    params = loaded.params.astype(np.float64)
    ids = np.array([model.characters.index(character) for character in text])
    window, h0 = stream_window(ids), np.zeros((1, 16))
    loss, gradient, _ = bptt(params, window, h0, loaded.activation)
    assert found.nats_per_character == pytest.approx(loss, rel=1e-12)
    assert found.characters == 69
    for name, array in gradient.named():
        np.testing.assert_allclose(found[name], array, rtol=1e-9, atol=1e-12)
    for name, array in params.named():
        place = np.unravel_index(np.abs(found[name]).argmax(), array.shape)
        losses = []
        for shift in (1e-5, -1e-5):
            array[place] += shift
            losses.append(window_loss(params, window, h0, loaded.activation))
            array[place] -= shift
        assert found[name][place] == pytest.approx((losses[0] - losses[1]) / 2e-5, rel=1e-6)
    assert found.nats_per_character == pytest.approx(
        model.evaluate(text, baselines=False).nats_per_character, rel=1e-5
    )


def test_lines_are_scored_one_by_one() -> None:
    """The gradient of several lines is the mean of their gradients, weighted by their lengths."""
    text = "anna\nberta\nclara\ndora\n" * 30
    settings = {"data.sequences": "lines", "evaluation.count": 1}
    model = charrnn.train(text, hidden_size=8, batch_size=4, max_steps=20, settings=settings).model
    assert model.states("anna\nberta\n").shape == (11, 8)
    both, one, two = (model.gradient(names) for names in ("anna\nberta\n", "anna", "berta"))
    assert (both.characters, one.characters, two.characters) == (11, 5, 6)
    np.testing.assert_allclose(both["W"], (5 * one["W"] + 6 * two["W"]) / 11, rtol=1e-9)
    many = "anna\nberta\n" * 3000
    assert len([*LINES.scoring_windows(model._ids(many, None))]) > 1
    np.testing.assert_allclose(model.gradient(many)["W"], both["W"], rtol=1e-9)
    assert model.score("anna\nberta\n").bits_per_character == pytest.approx(
        model.evaluate("anna\nberta\n").bits_per_character, rel=1e-5
    )


# the other functions


def test_analyses_are_those_of_the_commands(command_line, trained, text_file) -> None:
    def command(*arguments: object) -> object:
        return json.loads(command_line(*arguments, "--json").out)

    model = charrnn.load(trained)
    for found in (charrnn.gradcheck(model, fast=True), charrnn.gradcheck(trained, fast=True)):
        wanted = command("gradcheck", trained, "--fast")
        assert _plain(found) == {key: wanted[key] for key in wanted if key != "passed"}
        assert found.passed
    wanted = command("gradflow", trained, "--lags", 20, "--truncation")
    assert _plain(charrnn.gradflow(model, lags=20, truncation=True)) == wanted
    assert _plain(charrnn.gradflow(model, lags=20, truncation=True, text=TEXT)) == wanted
    wanted = command("explain", "update", trained, "--text", "The light")
    assert _plain(charrnn.explain("update", model, text="The light")) == wanted
    wanted = command("explain", "forward", "-c", "relu", "--set", "model.layers=2")
    settings = {"model.layers": 2}
    assert _plain(charrnn.explain("forward", config="relu", settings=settings)) == wanted
    assert _plain(charrnn.inspect(trained)) == command("inspect", trained)
    assert _plain(charrnn.runs(trained.parent)) == command("runs", trained.parent)
    with pytest.raises(charrnn.UsageError, match="`sort=sed` is not a column"):
        charrnn.runs(trained.parent, sort="sed")


def test_the_text_of_a_run_in_memory_is_known(run, trained) -> None:
    found, wanted = charrnn.gradflow(run, lags=20), charrnn.gradflow(trained, lags=20)
    np.testing.assert_array_equal(found.flows[0].norms, wanted.flows[0].norms)
    with pytest.raises(charrnn.UsageError, match="trained from standard input or a string"):
        charrnn.gradflow(run.model, lags=20)


def test_a_text_is_described_before_training() -> None:
    found = charrnn.inspect(TEXT, hidden_size=16, settings={"training.batch_size": 4})
    assert (found.characters, found.hidden_size) == (len(TEXT), 16)


def test_a_page_is_that_of_the_command(command_line, run, trained, text_file) -> None:
    assert command_line("report", trained, "--out", "one.html").code == 0
    assert charrnn.report(trained, "two.html") == Path("two.html")
    one, two = Path("one.html").read_text(), Path("two.html").read_text()
    assert one == two
    charrnn.report(run.model, "model.html", play_only=True)
    assert "The" in Path("model.html").read_text()
    with pytest.raises(charrnn.UsageError, match="directory of a run"):
        charrnn.report(run)
    with pytest.raises(charrnn.UsageError, match="is a file of a run"):
        charrnn.report(trained, trained / "metrics.jsonl")


def test_an_export_is_that_of_the_command(command_line, run, trained, tmp_path) -> None:
    for suffix in (".npz", ".html"):  # safetensors writes metadata in any order
        assert command_line("export", trained, f"one{suffix}").code == 0
        for model in (trained, charrnn.load(trained)):
            assert charrnn.export(model, Path(f"two{suffix}")) == Path(f"two{suffix}")
            assert Path(f"one{suffix}").read_bytes() == Path(f"two{suffix}").read_bytes()
    charrnn.export(run, "three.npz")
    weights = run.model.parameters
    with np.load("three.npz") as found:
        assert all(np.array_equal(found[name], weights[name]) for name in weights)
    for path, why in {"a.pt": "the format of", "a\0.npz": "NUL", "no/a.npz": "be written"}.items():
        with pytest.raises(charrnn.UsageError, match=why):
            charrnn.export(run, path)
    with pytest.raises(charrnn.UsageError, match=r"not saved as \.npz") as caught:
        run.save("mine.npz")
    assert "`charrnn.export(run, 'mine.npz')`" in str(caught.value.hint)
    assert not Path("mine.npz").exists()


def test_texts_are_those_of_the_command(command_line) -> None:
    listed = json.loads(command_line("texts", "--json").out)
    assert json.loads(json.dumps(asdict(charrnn.texts()))) == listed


def test_metrics_are_arrays_and_a_frame(trained, run, command_line) -> None:
    metrics = charrnn.read_metrics(trained)
    csv = command_line("runs", trained, "--csv").out.splitlines()
    assert csv[0] == ",".join(metrics)
    assert len(csv) - 1 == len(metrics["step"])
    assert metrics["step"].tolist() == [1, 10, 20, 30, 40, 50, 60]
    assert metrics["nats_per_character"].dtype == metrics["clipped_share"].dtype == float
    evaluations = metrics.evaluations
    assert evaluations["step"].tolist() == [20, 40, 60]
    assert evaluations["best"].dtype == bool
    assert np.isfinite(evaluations["validation_bits_per_character"]).all()
    frame = metrics.to_frame()
    assert frame.shape == (7, len(metrics))
    assert frame["step"].tolist() == metrics["step"].tolist()
    assert "pandas" not in _loaded_by("charrnn.read_metrics(sys.argv[1])", trained)


def _loaded_by(expression: str, *arguments: object) -> set[str]:
    script = f"import sys, charrnn; {expression}; print(*sys.modules)"
    command = [sys.executable, "-W", "error", "-c", script, *map(str, arguments)]
    return {*subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()}


def test_pandas_is_optional(monkeypatch, run) -> None:
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(charrnn.UsageError, match="needs pandas") as caught:
        run.metrics.to_frame()
    assert caught.value.hint.startswith("install it: pip install")


def test_results_show_themselves_in_a_notebook(run, trained) -> None:
    shown = [run, run.model, charrnn.load(trained), run.model.score(RHYME), charrnn.runs(trained)]
    for one in shown:
        assert one._repr_html_().startswith("<")
    assert "in memory" in repr(run)
    assert f"{trained}" in repr(charrnn.load(trained))


# progress


def test_progress_is_a_function_of_events(caplog) -> None:
    events: list[object] = []
    trained_in_memory(max_steps=5, progress=events.append)
    assert isinstance(events[0], RunStarted)
    assert isinstance(events[-1], RunEnded)
    assert [event.step for event in events if isinstance(event, Stepped)] == [1, 2, 3, 4, 5]
    assert not caplog.records


def test_a_function_that_raises_ends_nothing_and_is_reported(caplog) -> None:
    def fail(event: object) -> None:
        raise ZeroDivisionError("by my mistake")

    assert trained_in_memory(max_steps=5, progress=fail).complete
    assert "by my mistake" in caplog.text


@pytest.mark.parametrize("progress", [None, False])
def test_nothing_is_shown_off_a_terminal(capfd, progress) -> None:
    trained_in_memory(max_steps=5, progress=progress)
    assert capfd.readouterr() == ("", "")


def test_progress_can_be_printed(capfd) -> None:
    """In words that are not those of the command line."""
    trained_in_memory(RHYME * 2, max_steps=1100, progress=True, settings={"evaluation.count": 1})
    out, err = capfd.readouterr()
    assert not out
    assert "run in memory: " in err
    assert "Train for fewer: `training.epochs=50`" in err
    assert " --" not in err


def test_failures_are_logged_where_no_progress_is_shown(caplog) -> None:
    run = trained_in_memory(max_steps=120, lr=40.0, progress=False, optimizer="sgd")
    assert run.ended.failure
    assert "no better than guessing" in caplog.text


def test_a_live_view_is_shown_in_a_notebook(monkeypatch) -> None:
    import types

    from charrnn.report import notebook

    events: list[object] = []

    class Sink(notebook.NotebookSink):
        def __call__(self, event: object) -> None:
            events.append(event)

    shell = types.SimpleNamespace(kernel=True)
    ipython = types.SimpleNamespace(get_ipython=lambda: shell)
    monkeypatch.setitem(sys.modules, "IPython", ipython)
    monkeypatch.setattr(notebook, "NotebookSink", Sink)
    trained_in_memory(max_steps=5)
    assert isinstance(events[-1], RunEnded)


# mistakes


@pytest.mark.parametrize(
    ("call", "message", "hint"),
    [
        (lambda: charrnn.train("hello"), "there is no file '.*hello'", "has a line break, '\\n'"),
        (lambda: charrnn.train(["a\nb"]), "one of them has several lines", "join"),
        (lambda: charrnn.train([]), "is an empty list", "paths"),
        (lambda: charrnn.train(3), "`text` is 3, not a string, a path or a list of", None),
        (lambda: charrnn.train("\ud800\n"), "half of a surrogate pair", "errors=replace"),
        (lambda: charrnn.train(TEXT, hidden=3), "no argument 'hidden'", "'hidden_size'"),
        (lambda: charrnn.train(TEXT, learning_rate=3), "no argument 'learning_rate'", "'lr'"),
        (lambda: charrnn.train(TEXT, patience=3), "'patience'", "={'training.patience': …}"),
        (lambda: charrnn.train(TEXT, progres=True), "'progres'", "'progress'"),
        (lambda: charrnn.train(TEXT, hidden_size=np.array([3, 4])), "a whole number from 1", None),
        (lambda: charrnn.gradcheck(tolerence=3), "'tolerence'", "'tolerance'"),
        (lambda: charrnn.gradflow(lr=3), "'lr'", "={'optimizer.learning_rate': …}"),
        (lambda: charrnn.report([]), "`runs` is an empty list", "directory of a run"),
        (lambda: charrnn.train(TEXT, hidden_size=-1), "`model.hidden_size=-1` should be", None),
        (lambda: charrnn.train(TEXT, settings={"a.b": 1}), "unknown key 'a", None),
        (lambda: charrnn.train(TEXT, settings={"model.layrs": 1}), "mean model.layers", None),
        (lambda: charrnn.train(TEXT, settings=["a=3"]), "..a=3.., not a dict with strings", None),
        (lambda: charrnn.train(TEXT, {3: 4}), "`config` is {3: 4}, not a string, a path", None),
        (lambda: charrnn.train(TEXT, out="a\0b"), "`out` has a NUL", "name a directory"),
        (lambda: charrnn.train(resume=3), "`resume` is 3, not a Run, a string or a path", None),
        (lambda: charrnn.train(TEXT, settings={"a": {3}}), "a value that is not plain", None),
        (lambda: charrnn.train(TEXT, "defalt"), "neither a file nor a built-in", "'default'"),
        (lambda: charrnn.train(TEXT, {"modell": {}}), "`config`: unknown key 'modell'", None),
        (lambda: charrnn.train(TEXT, max_steps=1, epochs=1), "are both given", "choose one"),
        (lambda: charrnn.train(TEXT, out="a", progress=3), "is 3, not .* or a function", None),
        (lambda: charrnn.train(resume="nowhere"), "cannot be resumed", "directory of a run"),
        (lambda: charrnn.train(TEXT, validation=TEXT), "has several lines", "to a file"),
        (lambda: charrnn.train(TEXT, test=[TEXT]), "`data.test` has several lines", "to a file"),
        (lambda: charrnn.load("nowhere"), "no checkpoint 'nowhere'", "run directory"),
        (lambda: charrnn.read_metrics(3), "`run` is 3, not a Run", None),
        (lambda: charrnn.load(3), "`path` is 3, not a string or a path", None),
        (lambda: charrnn.load(b"a"), "`path` is b'a', not a string or a path", None),
        (lambda: charrnn.report(3), "not a Run, .* a list of Runs, strings or paths", None),
        (lambda: charrnn.gradcheck(entries=1.5), "`entries` is 1.5, not a .* or 'all'", None),
        (lambda: charrnn.explain("terms", step="x"), "`step` is 'x', not a whole number", None),
        (lambda: charrnn.gradcheck(oracle="rtl"), "no oracle 'rtl'", "rtrl"),
        (lambda: charrnn.gradcheck(seed=-1), "`seed=-1` is not 0 or more", None),
        (lambda: charrnn.gradcheck(max_memory="4 apples"), "is not a size", "max_memory=4GB"),
        (lambda: charrnn.gradflow(lags=0), "`lags=0` is not between 1 and 100,000", None),
        (lambda: charrnn.explain("vanish"), "no topic 'vanish'", "vanishing"),
        (lambda: charrnn.read_metrics("nowhere"), "there is no run 'nowhere'", 'runs()'),
        (lambda: charrnn.runs(), "runs does not exist", "train()"),
    ],
)  # fmt: skip
def test_mistakes_are_explained(call, message, hint) -> None:
    with pytest.raises(charrnn.CharrnnError, match=message) as caught:
        call()
    shown = "".join(traceback.format_exception(caught.value))
    if hint:
        assert hint in caught.value.hint
        assert f"\nhint: {caught.value.hint}" in shown
    assert "--" not in str(caught.value) + str(caught.value.hint)
    assert not [*Path().iterdir()]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda model: model.score("text.txt"), "is the text itself here, but there is a file"),
        (lambda model: model.score(["text.txt"]), "`text` is a list of strings"),
        (lambda model: model.score("a"), "a single character"),
        (lambda model: model.states(""), "the text is empty"),
        (lambda model: model.gradient("ÄÖ"), "character 'Ä' .* not among"),
        (lambda model: model.sample("Ä"), "character 'Ä' .* not among"),
        (lambda model: model.sample(temperature=-1), "`temperature=-1` is not 0 or more"),
        (lambda model: model.sample(top_p=2), "`top_p=2` is not between 0 and 1"),
        (lambda model: model.samples(0), "`count=0` is not between"),
        (lambda model: model.samples(lenght=9), "no argument 'lenght'\\.\nhint: .* 'length'"),
        (lambda model: model.sample(temprature=1), "no .* 'temprature'\\.\nhint: .* 'temperature'"),
        (lambda model: model.sample(novelty=True), "no argument 'novelty'\\."),
        (lambda model: model.stream(length=-1), "`length=-1` is not between"),
        (lambda model: model.evaluate("The", block=0), "block"),
        (lambda model: model.sample(3), "`prime` is 3, not a string"),
        (lambda model: model.sample(length=2.5), "`length` is 2.5, not a whole number"),
        (lambda model: model.sample(length=True), "`length` is True, not a whole number"),
        (lambda model: model.sample(temperature=[0.5, 1]), "`temperature` is .*, not a number"),
        (lambda model: model.sample("a", unknown="skp"), "not 'error', 'skip' or 'replace'"),
        (lambda model: model.sample("a", lenght=3), "no argument 'lenght'"),
        (lambda model: model.samples(None), "`count` is None, not a whole number"),
        (lambda model: model.samples(temperature=[]), "`temperature` is an empty list"),
        (lambda model: model.units("The", count=0), "`count=0` is not 1 or more"),
        (lambda model: model.units("The", passage=-1), "`passage=-1` is not 0 or more"),
        (lambda model: model.score(None), "`text` is None, not a string"),
        (lambda model: model.units("The", chosen=[1.5]), "not a list of whole numbers"),
    ],
)
def test_mistakes_with_a_model_are_explained(model, call, message) -> None:
    Path("text.txt").write_text("The")
    with pytest.raises(charrnn.CharrnnError, match=message):
        call(model)


def test_numbers_of_numpy_are_numbers(model) -> None:
    given = {"length": np.int64(9), "temperature": np.float32(0.5), "seed": np.uint8(4)}
    plain = model.sample("The", length=9, temperature=0.5, seed=4)
    assert model.sample("The", **given) == plain
    chosen = [*np.array([3, 1])]
    assert model.units(TEXT, chosen=chosen).units == model.units(TEXT, chosen=[3, 1]).units
    with pytest.raises(TypeError, match=r"load\(\) missing 1 required positional argument"):
        charrnn.load()


def test_unknown_characters_may_be_left_out(model, caplog) -> None:
    assert model.score("ThÄe", unknown="skip").text == "The"
    assert "1 unknown character left out" in caplog.text
    Path("text.txt").write_text("The")
    assert model.states(Path("text.txt")).shape == (3, 16)
