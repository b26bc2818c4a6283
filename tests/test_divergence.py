"""Training that diverges: diagnostics, rollback and patience."""

import json
import math
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from dataclasses import replace
from itertools import count, repeat
from pathlib import Path
from time import perf_counter

import numpy as np
import pytest

from charrnn.config.layers import load_config
from charrnn.errors import Interrupted
from charrnn.events import Evaluated, RolledBack, Stepped
from charrnn.report.metrics import Metrics
from charrnn.runs import train as runs_train
from charrnn.runs.divergence import window_text
from charrnn.runs.resume import resumed_run
from charrnn.runs.saving import Saver
from charrnn.runs.start import Run, new_run
from charrnn.setup.wiring import trainer_of
from charrnn.text.vocabulary import Vocabulary
from charrnn.training.checkpoint import load
from charrnn.training.trainer import Divergence, Trainer
from charrnn.window import NO_TARGET, Window
from tests.conftest import RHYME, TINY, TINY_SETTINGS
from tests.runs import train

EXPLODING = ["optimizer.name=sgd", "optimizer.learning_rate=1e38", "training.clip.by=none"]


def config_of(text_file: Path, *assignments: str):
    return load_config(
        None,
        [*TINY_SETTINGS, "training.max_steps=60", "schedule.name=constant", *assignments],
        {"data": {"text": str(text_file)}},
    )


class Poison:
    """Makes the loss of some steps NaN, a given number of times."""

    def __init__(self, monkeypatch, at: set[int], times: int) -> None:
        self.at, self.left, self.step = at, times, 0
        monkeypatch.setattr(runs_train, "trainer_of", self._trainer_of)

    def _trainer_of(self, *arguments: object) -> Trainer:
        trainer = trainer_of(*arguments)
        poison, objective, batches = self, trainer.objective, trainer.batches

        class Watched:
            """The windows; number n is that of step n + 1."""

            per_epoch, largest = batches.per_epoch, batches.largest

            def __getitem__(self, number: int) -> Window:
                poison.step = number + 1
                return batches[number]

        def poisoned(params, window, h0):
            loss, gradient, carried = objective(params, window, h0)
            if poison.step in poison.at and poison.left:
                poison.left -= 1
                gradient.W[0, 0] = loss = math.nan
            return loss, gradient, carried

        return replace(trainer, objective=poisoned, batches=Watched())


def encode_state(checkpoint) -> dict[str, bytes]:
    """The state of a run as bytes, except for times."""
    state = checkpoint.state
    arrays = {name: slot.flat for name, slot in state.optimizer.slots.items()}
    arrays |= {"weights": state.params.flat, "h": state.h}
    counts = {"count": state.optimizer.count, "characters": state.progress.characters}
    return {name: array.tobytes() for name, array in arrays.items()} | counts


def test_diagnostics_of_a_divergence(tmp_path, text_file, monkeypatch) -> None:
    Poison(monkeypatch, {31}, times=1)
    run = new_run(config_of(text_file), str(tmp_path / "run"))
    with pytest.raises(Divergence, match="step 31: the loss is nan, the gradient of W") as caught:
        train(run, [])
    folder = tmp_path / "run/divergence-31"
    assert str(folder) in caught.value.hint
    assert "optimizer.learning_rate=0.0035" in caught.value.hint
    report = json.loads((folder / "report.json").read_text())
    assert report["loss"] == report["gradient_norms"]["W"] == "nan"
    assert report["gradient_norms"].keys() == report["weight_norms"].keys() == {*"UWVbc"}
    assert math.isfinite(report["gradient_norms"]["U"])
    assert report["weight_norms"]["W"] == pytest.approx(np.linalg.norm(run.state.params.W))
    text = (folder / "window.txt").read_text()
    assert text.count("--- lane") == 4
    assert all(piece.strip() in RHYME * 2 for piece in text.split(" ---\n")[1].split("\n--- ")[:1])
    assert (folder / "config.yaml").read_text() == (tmp_path / "run/config.yaml").read_text()
    good = load(folder / "checkpoint.safetensors")
    assert good.state.progress.step == 20  # the last one saved
    assert np.isfinite(good.params.flat).all()


def test_the_saved_checkpoint_reproduces_the_divergence(tmp_path, text_file) -> None:
    run = str(tmp_path / "run")
    told = []
    for attempt in (lambda: new_run(config_of(text_file, *EXPLODING), run),) + 2 * (
        lambda: resumed_run(run, [], {}),
    ):
        with pytest.raises(Divergence) as caught:
            train(attempt(), [])
        told.append(str(caught.value))
    assert len(set(told)) == 1


def test_window_text() -> None:
    vocabulary = Vocabulary("abc")
    x, y = np.array([[0, 1], [1, 0], [2, 0]]), np.array([[1, 2], [2, NO_TARGET], [0, NO_TARGET]])
    text = window_text(Window(x, y, np.ones(2, bool)), vocabulary)
    assert text == "--- lane 1 of 2 ---\nabca\n--- lane 2 of 2 ---\nbc\n"


@pytest.mark.parametrize("every", ["1m", "1e-6"])
def test_a_rolled_back_run_continues_at_half_the_rate(
    tmp_path, text_file, monkeypatch, every
) -> None:
    """Its weights equal those of training on from the last checkpoint at half the rate."""
    Poison(monkeypatch, {31}, times=2)
    config = config_of(text_file, "training.on_divergence=rollback", f"checkpoints.every={every}")
    run = new_run(config, str(tmp_path / "run"))
    metrics, events, good = Metrics(run.directory.metrics, 0, 1), [], []

    def keep(event: object) -> None:
        if isinstance(event, Stepped) and event.step == 21:  # not yet saved
            good.append((tmp_path / "run/checkpoints/last.safetensors").read_bytes())

    train(run, [metrics, events.append, keep])
    metrics.close()
    back = 20  # step 31 would not be finite from step 30 at any rate
    again = tmp_path / "again/checkpoints/last.safetensors"
    again.parent.mkdir(parents=True)
    again.write_bytes(good[0])
    resumed = resumed_run(str(tmp_path / "again"), [], {})
    assert resumed.state.progress.step == back
    resumed.state.progress.rollbacks = 2
    train(resumed, [])
    one, other = (load(path) for path in (again, tmp_path / "run/checkpoints/last.safetensors"))
    assert encode_state(one) == encode_state(other)
    seconds = [event.seconds for event in events if isinstance(event, Stepped)]
    assert seconds == sorted(seconds)
    assert [event.step for event in events if isinstance(event, RolledBack)] == [back, back]
    assert "Back to step" in next(e.note for e in events if isinstance(e, RolledBack))
    steps = [json.loads(line) for line in (tmp_path / "run/metrics.jsonl").read_text().splitlines()]
    steps = [line for line in steps if line["event"] == "step"]
    assert [line["step"] for line in steps] == list(range(1, 61))
    rates = {line["step"] > back: line["learning_rate"] for line in steps[10:]}
    assert rates[True] == pytest.approx(rates[False] / 4)
    assert {(line["step"] > back, line["rollbacks"]) for line in steps} == {(False, 0), (True, 2)}
    names = {path.name for path in (tmp_path / "run").glob("divergence*")}
    assert names == {"divergence-31", "divergence-31-after-1-rollback"}


@pytest.mark.parametrize(("at", "back"), [(33, [25, 20]), (41, [20, 20]), (1, []), (2, [0, 0])])
def test_a_rollback_goes_far_enough_back(tmp_path, text_file, monkeypatch, at, back) -> None:
    """Never to the step before, which diverges at any rate; the next time to an evaluated state."""
    Poison(monkeypatch, {at}, times=2)
    events = []
    config = config_of(text_file, "training.on_divergence=rollback")
    run = new_run(config, str(tmp_path / "run"))
    due = property(lambda saver: run.state.progress.step == 25)
    monkeypatch.setattr(Saver, "due", due)
    if back:
        train(run, [events.append])
    else:
        with pytest.raises(Divergence) as caught:
            train(run, [events.append])
        assert "no earlier state was saved" in caught.value.hint
    assert [event.step for event in events if isinstance(event, RolledBack)] == back
    scores = [e.validation_nats_per_character for e in events if isinstance(e, Evaluated)]
    for name in ("best", "last")[: len(scores)]:  # also where the best was rolled back
        state = load(tmp_path / f"run/checkpoints/{name}.safetensors").state
        assert state.progress.best_score == min(scores)


def test_rollbacks_are_bounded_and_survive_a_kill(tmp_path, text_file, monkeypatch) -> None:
    Poison(monkeypatch, {31}, times=100)
    path = str(tmp_path / "run")
    config = config_of(text_file, "training.on_divergence=rollback", "training.max_rollbacks=3")

    class Killed(BaseException):
        pass

    seen = []

    def kill(event: object) -> None:
        seen.append(event)
        if isinstance(event, Stepped) and sum(isinstance(e, RolledBack) for e in seen) == 2:
            raise Killed

    with pytest.raises(Killed):
        train(new_run(config, path), [kill])
    again = []
    with pytest.raises(Divergence) as caught:
        train(resumed_run(path, [], {}), [again.append])
    assert sum(isinstance(event, RolledBack) for event in again) == 1
    assert "rolled back 3 times" in caught.value.hint


def test_a_rolled_back_run_resumes_exactly(tmp_path, text_file, monkeypatch) -> None:
    weights = []
    config = config_of(text_file, "training.on_divergence=rollback")
    for name, stop in (("whole", None), ("cut", 45)):
        with monkeypatch.context() as patch:
            Poison(patch, {31}, times=1)
            seen: list[Stepped] = []
            run = new_run(config, str(tmp_path / name))

            def kill(event: object, stop: int | None = stop) -> None:
                if isinstance(event, Stepped) and event.step == stop:
                    raise KeyboardInterrupt

            if stop is None:
                train(run, [kill])
            else:
                with pytest.raises(KeyboardInterrupt):
                    train(run, [kill, seen.append])
                train(resumed_run(str(tmp_path / name), [], {}), [])
        weights.append(load(tmp_path / name / "checkpoints/last.safetensors").params.flat)
    assert np.array_equal(*weights)


def with_scores(
    monkeypatch, scores: Iterator[float], clock: Callable[[], float] = perf_counter
) -> None:
    """Replaces the validation losses and the clock of runs."""
    wrapped = runs_train.trainer_of

    def trainer(*arguments: object) -> Trainer:
        return replace(wrapped(*arguments), evaluate=lambda params: next(scores), clock=clock)

    monkeypatch.setattr(runs_train, "trainer_of", trainer)


def test_a_run_out_of_time_before_any_evaluation_has_diverged(
    tmp_path, text_file, monkeypatch
) -> None:
    """It has no steps and no best checkpoint to report."""
    ticks = count()
    with_scores(monkeypatch, repeat(math.nan), lambda: next(ticks))
    timed = ["training.max_steps=null", "training.max_time=30", "evaluation.count=1"]
    config = config_of(text_file, "training.on_divergence=rollback", *timed)
    with pytest.raises(Divergence, match="the validation loss is nan") as caught:
        train(new_run(config, str(tmp_path / "run")), [])
    assert "no time is left" in caught.value.hint


def test_the_clock_counts_a_diverging_evaluation_and_its_diagnostics(
    tmp_path, text_file, monkeypatch
) -> None:
    now, seconds = [0.0], []

    def evaluations() -> Iterator[float]:
        while True:
            now[0] += 5
            yield math.nan

    def diagnostics(*arguments: object) -> str:
        now[0] += 10
        return "written"

    def note(event: object) -> None:
        if isinstance(event, RolledBack):
            seconds.append(run.state.progress.seconds)

    monkeypatch.setattr(runs_train, "write_diagnostics", diagnostics)
    with_scores(monkeypatch, evaluations(), lambda: now[0])
    settings = ["training.on_divergence=rollback", "training.max_rollbacks=2"]
    run = new_run(config_of(text_file, *settings), str(tmp_path / "run"))
    with pytest.raises(Divergence):
        train(run, [note])
    assert seconds == [15, 30]


def test_a_run_may_end_where_it_was_rolled_back_to(tmp_path, text_file, monkeypatch) -> None:
    """Out of time at step 0, with the best checkpoint of a later step."""
    now = [0.0]

    def diagnostics(*arguments: object) -> str:
        now[0] += 100
        return "written"

    monkeypatch.setattr(runs_train, "write_diagnostics", diagnostics)
    Poison(monkeypatch, {21}, times=1)
    with_scores(monkeypatch, repeat(2.0), lambda: now[0])
    config = config_of(text_file, "training.on_divergence=rollback", "training.max_time=50")
    ended = train(new_run(config, str(tmp_path / "run")), [])
    assert (ended.steps, ended.characters_per_second) == (0, 0)
    assert Path(ended.checkpoint).is_file()


def test_a_rollback_leaves_patience_as_it_leaves_the_best_score(
    tmp_path, text_file, monkeypatch
) -> None:
    Poison(monkeypatch, {41}, times=1)
    with_scores(monkeypatch, iter([3.0, 3.1, 3.2, 2.0, 2.1, 1.9, 1.8]))
    settings = ["evaluation.count=6", "training.patience=3"]
    config = config_of(text_file, "training.on_divergence=rollback", *settings)
    ended = train(new_run(config, str(tmp_path / "run")), [])
    assert (ended.steps, ended.early) == (60, False)


def test_a_rollback_deletes_the_checkpoints_of_undone_steps(
    tmp_path, text_file, monkeypatch
) -> None:
    """Against the clock, the repeated steps may be evaluated at other numbers."""
    Poison(monkeypatch, {41}, times=1)
    config = config_of(text_file, "training.on_divergence=rollback", "checkpoints.keep=9")
    run, kept = new_run(config, str(tmp_path / "run")), []

    def note(event: object) -> None:
        if isinstance(event, Stepped) and event.rollbacks:
            kept.append(sorted(run.directory.steps()))

    train(run, [note])
    assert kept[0] == [0, 20]
    assert sorted(run.directory.steps()) == [0, 20, 40, 60]


def stop_at(monkeypatch, run: Run, step: int) -> None:
    """Stops a run after a step, as a signal does."""
    requests = nullcontext(lambda: run.state.progress.step == step)
    monkeypatch.setattr(runs_train, "stop_requests", lambda *_: requests)


@pytest.mark.parametrize(("then", "back"), [(46, [40, 40]), (41, [40, 20])])
def test_a_resumed_run_goes_back_as_far_as_an_uninterrupted_one(
    tmp_path, text_file, monkeypatch, then, back
) -> None:
    """It diverges at step 46, then at another one."""
    ends = []
    for name, stop in (("whole", None), ("cut", 45)):
        path, events = str(tmp_path / name), []
        run = new_run(config_of(text_file, "training.on_divergence=rollback"), path)
        if stop:
            with monkeypatch.context() as patch:
                stop_at(patch, run, stop)
                with pytest.raises(Interrupted):
                    train(run, [])
            run = resumed_run(path, [], {})
        poison = Poison(monkeypatch, {46}, times=2)

        def note(event: object, poison: Poison = poison, events: list = events) -> None:
            if isinstance(event, RolledBack):
                events.append(event.step)
                poison.at = {then}

        train(run, [note])
        assert events == back
        ends.append(encode_state(load(tmp_path / name / "checkpoints/last.safetensors")))
    assert ends[0] == ends[1]


def test_patience_ends_a_run_that_does_not_improve(tmp_path, text_file, charrnn) -> None:
    out = tmp_path / "run"
    still = ["--set", "optimizer.name=sgd", "--set", "optimizer.learning_rate=1e-30"]
    settings = [*TINY, *still, "--set", "evaluation.count=10", "--set", "training.patience=3"]
    outcome = charrnn("train", text_file, *settings, "--max-steps", 100, "--out", out)
    assert outcome.code == 0
    assert "stopped early" in outcome.err
    lines = [json.loads(line) for line in (out / "metrics.jsonl").read_text().splitlines()]
    scores = [line["best"] for line in lines if line["event"] == "evaluation"]
    assert scores == [True, False, False, False]
    assert load(out / "checkpoints/last.safetensors").state.progress.step == 40
    again = charrnn("train", "--resume", out, "--max-steps", 6000)
    assert again.code == 2
    assert "--init-from" in again.err


def test_a_run_stopped_before_its_first_evaluation_can_go_back_to_its_start(
    tmp_path, text_file, monkeypatch
) -> None:
    """Like one that was not stopped: the initial state is kept on disk too."""
    config = config_of(text_file, "training.on_divergence=rollback", "evaluation.count=2")
    for name in ("whole", "stopped"):
        run = new_run(config, str(tmp_path / name))
        with monkeypatch.context() as patch:
            if name == "stopped":
                stop_at(patch, run, 7)
                with pytest.raises(Interrupted):
                    train(run, [])
                run = resumed_run(str(tmp_path / name), [], {})
        Poison(monkeypatch, {9, 10}, times=2)
        assert train(run, []).steps == 60
    one, other = (
        load(tmp_path / f"{name}/checkpoints/last.safetensors").state
        for name in ("whole", "stopped")
    )
    assert np.array_equal(one.params.flat, other.params.flat)
    assert one.progress.rollbacks == other.progress.rollbacks == 2
