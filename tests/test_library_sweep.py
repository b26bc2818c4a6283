"""`charrnn.sweep`: the same trials as the command, and what it found as an object."""

import logging
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import charrnn
from charrnn.sweep_events import SweepNoted, TrialEnded, TrialStarted
from tests.conftest import RHYME
from tests.sweeps import SMALL, SPACE, arguments, outcomes, trials
from tests.test_library import command_line  # noqa: F401

TEXT = RHYME * 12  # of the fixture `text_file`
SETTINGS = {key: int(value) for key, value in (one.split("=") for one in SMALL)}
MAPPING = {
    "optimizer.learning_rate": {"log": (3e-3, 3e-2)},
    "model": {"hidden_size": [np.int64(8), 16], "dropout": {"range": [0.0, 0.2], "step": 0.1}},
}
OPTIONS: dict[str, Any] = {"sampler": "random", "seed": 7, "max_steps": 6, "study": "tries"}


def swept(text: Any = TEXT, space: Any = MAPPING, **more: Any) -> charrnn.Sweep:
    """The sweep of `tests.sweeps.arguments`."""
    return charrnn.sweep(text, space=space, **{"settings": SETTINGS} | OPTIONS | more)


def test_it_has_the_trials_of_the_command(command_line, text_file: Path) -> None:  # noqa: F811
    line = arguments(text_file, "--trials", 4, "--seeds", 2, "--max-steps", 6)
    assert command_line(*line).code == 0
    whole = outcomes(trials())
    assert len(whole) == 5
    os.rename("sweeps", "first")
    found = swept(trials=4, seeds=2)  # the text is in no file
    assert outcomes(trials()) == whole
    assert [trial.settings for trial in found.trials] == [params for _, params, _ in whole]
    os.rename("sweeps", "second")
    assert swept(text_file, "space.yaml", trials=2).complete
    assert command_line(*line).code == 0  # continues it
    assert outcomes(trials()) == whole
    os.rename("sweeps", "third")
    assert command_line(*line, "--trials", 3, "--seeds", 1).code == 0
    assert swept(trials=4, seeds=2, jobs=2).complete  # and the other way round
    assert outcomes(trials()) == whole


def test_the_best_is_a_config_and_a_model(command_line) -> None:  # noqa: F811
    sweep = swept(trials=3)
    assert (sweep.complete, sweep.name, len(sweep.trials)) == (True, "sweeps/tries", 3)
    best = min(sweep.trials, key=lambda trial: trial.value)
    assert sweep.best == best
    assert repr(sweep) == f"<Sweep sweeps/tries: 3 trials, best {best.value:.3f}>"
    again = charrnn.train(TEXT, sweep.config)
    assert again.ended.validation_nats_per_character == best.value
    there, here = sweep.model.parameters, again.model.parameters
    assert all(np.array_equal(there[name], here[name]) for name in there)
    assert sweep.export("best.yaml") == Path("best.yaml")
    assert charrnn.train(TEXT, "best.yaml").config["model"] == again.config["model"]
    command_line("sweep", "--show", "tries", "--export", "shown.yaml")
    assert Path("shown.yaml").read_text() == Path("best.yaml").read_text()
    read = charrnn.read_sweep("sweeps/tries")
    assert (read.report, read.complete) == (sweep.report, True)
    assert charrnn.read_sweep("tries", storage="sweeps/tries/study.journal").trials == sweep.trials
    assert sweep.importances == {}  # of three trials
    assert "<div" in sweep._repr_html_()


def test_importances_are_shares() -> None:
    sweep = swept(trials=12, max_steps=1, settings=SETTINGS | {"evaluation.count": 1})
    shares = [*sweep.importances.values()]
    assert sweep.importances.keys() <= {*sweep.report.keys}
    assert sum(shares) == pytest.approx(1)
    assert shares == sorted(shares, reverse=True)


def test_an_interrupt_returns_the_sweep_as_it_is() -> None:
    whole = swept(trials=3, study="whole")

    def stop(event: object) -> None:
        if isinstance(event, TrialStarted) and event.number == 1:
            os.kill(os.getpid(), signal.SIGINT)

    sweep = swept(trials=3, progress=stop)
    assert not sweep.complete
    assert "interrupted" in repr(sweep)
    assert [trial.state for trial in sweep.trials] == ["complete", "running"]
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    again = swept(trials=3)
    assert again.complete
    assert [one.value for one in again.trials] == [one.value for one in whole.trials]


def test_progress_is_a_function_or_lines_or_none(capfd, caplog) -> None:
    events: list[object] = []
    swept(trials=2, progress=events.append, space={"model.hidden_size": [8]})
    kinds = [type(event) for event in events]
    assert kinds == [SweepNoted, TrialStarted, TrialEnded]
    assert caplog.messages == ["the space has 1 combination of values, after which the sweep ends"]
    assert capfd.readouterr() == ("", "")
    swept(trials=1, progress=False, study="b")
    assert capfd.readouterr() == ("", "")
    swept(trials=1, progress=True, study="c")
    out, err = capfd.readouterr()
    assert (out, err.count("trial 0: ")) == ("", 2)

    def broken(event: object) -> None:
        raise ValueError("mine")

    caplog.clear()
    assert swept(trials=1, progress=broken, study="d").complete
    assert [record.levelno for record in caplog.records] == [logging.ERROR]
    assert "gets no more events" in caplog.text


def test_what_is_wrong_is_said_in_the_words_of_the_library() -> None:
    for more, said in (
        ({"space": {}}, "`space` is empty."),
        ({"space": {"model.layers": [1, 1]}}, "`space`: model.layers has the choice 1 twice."),
        ({"space": 3}, "`space` is 3, not a string, a path or a dict with strings as keys."),
        ({"trials": 0}, "`trials=0` is not 1 or more."),
        ({"jobs": 0}, "`jobs=0` is not 1 or more."),
        ({"hidden": 3}, "there is no argument 'hidden'."),
        ({"sampler": "tep"}, "`sampler` is 'tep', not 'random', 'grid' or 'tpe'."),
        ({"lr": 0.1}, "optimizer.learning_rate is varied, and given a value too"),
    ):
        with pytest.raises(charrnn.UsageError) as refused:
            swept(**{"trials": 1} | more)
        assert said in str(refused.value)
    with pytest.raises(charrnn.InputError) as missing:
        swept("hello world")
    assert "has a line break" in str(missing.value.hint)
    with pytest.raises(charrnn.UsageError, match="no sweeps are in"):
        charrnn.read_sweep()
    assert not Path("sweeps").exists()


def test_without_optuna_the_rest_works() -> None:
    script = """
import sys
sys.modules["optuna"] = None
from charrnn import *
import charrnn
for function in (lambda: charrnn.sweep("a\\nb\\n", space={}), charrnn.read_sweep):
    try:
        function()
    except charrnn.UsageError as error:
        print(error)
"""
    command = [sys.executable, "-W", "error", "-c", script]
    done = subprocess.run(command, capture_output=True, text=True, cwd=Path(__file__).parent.parent)
    assert done.stdout.count("a sweep needs optuna, which is not installed.") == 2, done.stderr


def test_the_space_of_the_tests_is_one() -> None:
    """So that the file and the mapping are compared with each other."""
    from charrnn.config.layers import load_config
    from charrnn.library.keywords import as_config
    from charrnn.sweeps.space_file import read_space

    Path("space.yaml").write_text(SPACE)
    base = load_config(None, [], {})
    assert read_space(as_config(MAPPING), base, []) == read_space("space.yaml", base, [])
