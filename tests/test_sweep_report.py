"""What a sweep is reported to have found: trials, importance, advice, tables, plots, a config."""

import json
import re
from dataclasses import asdict
from math import log
from pathlib import Path
from statistics import fmean, stdev

import numpy as np
import pytest
from matplotlib.text import Text
from optuna.trial import TrialState
from rich.cells import cell_len

from charrnn.commands.sweep_report import best_config, config_of_trial, report_sweep
from charrnn.config.layers import config_values, load_config
from charrnn.report.charts import Curve, line_chart
from charrnn.report.sweep_charts import print_sweep_charts
from charrnn.report.sweep_config import best_config_text
from charrnn.report.sweep_curves import WHATS, highest_shown, shares
from charrnn.report.sweep_labels import short_names
from charrnn.report.sweep_plots import plot_sweep
from charrnn.report.sweep_tables import print_sweep
from charrnn.results import SearchedSetting, SweepReport
from charrnn.sweeps.importance import importances
from charrnn.sweeps.space import Choices, Range
from charrnn.sweeps.summary import summarize_study
from tests.conftest import UNSIZED
from tests.studies import DROPOUT, HIDDEN, LR, NAME, SPACE, add, repeat_best, study_of
from tests.test_narrow_terminals import ANSI, DRAWN


def report_of(study=None, **options) -> SweepReport:
    return summarize_study(study or study_of(**options), "sweeps/try")


@pytest.fixture(scope="module")
def full() -> SweepReport:
    """A report with trials of every state, repeats, and every kind of setting."""
    study = study_of(count=24)
    repeat_best(study)
    add(study, 3, TrialState.PRUNED, curve={1: 2.5, 2: 2.2})
    add(study, 4, TrialState.FAIL, failure="the text is gone.\x1b[31m\n  forged line")
    add(study, 5, TrialState.RUNNING, curve={1: 2.0})
    return report_of(study)


# --- trials -----------------------------------------------------------------------------------


def test_the_best_are_in_the_order_of_their_losses(full: SweepReport) -> None:
    values = [full.trial(number).value for number in full.best]
    assert values == sorted(values)
    assert len(values) == 24
    assert [trial.number for trial in full.trials] == [*range(29)]
    assert [trial.state.value for trial in full.trials[24:]] == [
        "complete", "complete", "pruned", "failed", "running",
    ]  # fmt: skip
    assert full.trials[26].curve == ((1, 2.5), (2, 2.2))
    assert full.trials[26].value is None


def test_repeats_have_their_mean_and_spread(full: SweepReport) -> None:
    (repeated,) = full.repeated
    values = [full.trial(repeated.trial).value, *(full.trials[n].value for n in (24, 25))]
    assert repeated.trial == full.best[0]
    assert repeated.values == (*values,)
    assert repeated.seeds == (1, 2, 3)
    assert repeated.mean == pytest.approx(fmean(values))
    assert repeated.spread == pytest.approx(stdev(values))


def test_a_mean_over_seeds_goes_before_a_lucky_seed() -> None:
    study = study_of()
    second = sorted(study.trials, key=lambda trial: trial.value)[1].number
    for number, difference in ((study.best_trial.number, 0.2), (second, 0.01)):
        value = study.trials[number].value + difference
        add(study, number, TrialState.COMPLETE, value, repeats=number, seed=2)
    assert report_of(study).best[0] == second


def test_choices_that_are_no_scalars_are_read_as_their_values() -> None:
    space = {"schedule.name": Choices(("step",)), "schedule.milestones": Choices(([0.5], [0.2, 1]))}
    report = report_of(study_of(lambda settings: len(settings["schedule.milestones"]), 4, space))
    assert report.trial(report.best[0]).settings["schedule.milestones"] == [0.5]
    assert [setting.key for setting in report.settings] == ["schedule.milestones"]


# --- importance -------------------------------------------------------------------------------


def test_the_setting_that_matters_is_the_most_important_one() -> None:
    others = []
    for seed in range(4):
        first, *rest = report_of(count=40, seed=seed).settings
        assert (first.key, first.by_chance) == (LR, False)
        assert sum(one.importance or 0 for one in (first, *rest)) == pytest.approx(1)
        others += [setting.by_chance for setting in rest]
    assert sum(others) >= len(others) - 1  # one in 40 is above chance by chance


def test_importance_does_not_depend_on_the_order_of_trials_or_the_scale_of_losses() -> None:
    study = study_of(count=30)
    trials = study.get_trials()
    found, best = importances(trials)
    backwards, _ = importances(trials[::-1])
    for trial in trials:
        trial.value = 100 * (trial.value or 0) - 7
    scaled, _ = importances(trials)
    assert best == 10
    for key, (share, _) in found.items():
        assert backwards[key].share == pytest.approx(share)
        assert scaled[key].share == pytest.approx(share)


def test_pruned_trials_count_as_worse_than_complete_ones() -> None:
    study = study_of(count=60)
    trials = study.get_trials()
    found, _ = importances(trials)
    worst = sorted(trials, key=lambda trial: trial.value)[30:]
    for trial in worst:
        trial.state, trial.value = TrialState.PRUNED, None
    assert importances(trials)[0] == found
    assert importances([t for t in trials if t.state is TrialState.COMPLETE])[0] != found


@pytest.mark.parametrize("count", [0, 1, 9])
def test_few_trials_have_no_importance(count: int) -> None:
    report = report_of(count=count)
    assert report.top == 0
    assert all(setting.importance is None for setting in report.settings)
    assert count == 0 or "needs at least 10" in report.advice[0]
    assert f"there {'is' if count == 1 else 'are'} {count}." in " ".join(report.advice) or not count


# --- advice -----------------------------------------------------------------------------------


def least_at(key: str, best: float):
    return lambda settings: 2.0 + abs(log(settings[key] + 1e-9) - log(best + 1e-9))


@pytest.mark.parametrize(
    ("key", "best", "end"),
    [
        (LR, 1.0, "high"),
        (LR, 1e-6, "low"),
        (LR, 3e-3, None),
        (HIDDEN, 1000, "high"),
        (HIDDEN, 256, None),
        (DROPOUT, 1.0, "high"),
        (DROPOUT, 0.0, None),  # below 0 there is none
    ],
)
def test_a_range_with_the_best_at_its_end_is_to_be_widened(key: str, best: float, end) -> None:
    report = report_of(study_of(least_at(key, best), 60))
    found = {setting.key: setting.best_at for setting in report.settings}
    assert found[key] == end
    advice = [line for line in report.advice if key in line]
    assert bool(advice) == bool(end)
    if end:
        assert {"high": "larger", "low": "smaller"}[end] in advice[0]


def test_trials_that_another_seed_may_reverse_are_counted() -> None:
    study = study_of(lambda settings: 1.5 + 0.019 * (settings[NAME] == "relu"), 12)
    (advice,) = [line for line in report_of(study).advice if "seed" in line]
    assert advice.startswith("12 trials are within 0.02 nats")
    repeat_best(study)
    assert not [line for line in report_of(study).advice if "to seed" in line]


# --- tables -----------------------------------------------------------------------------------


def test_the_tables_have_what_was_found(full: SweepReport, capsys) -> None:
    print_sweep(full)
    out = capsys.readouterr().out
    best = full.trial(full.best[0])
    for words in (
        "sweeps/try: 29 trials: 26 complete, 1 pruned, 1 failed, 1 running",
        "trial 28 is running: 2.000 at evaluation 1", f"best: {best.run}", LR,
        "0.001 to 0.01, log", "128, 256, 384", "10 best trials", f"± {full.repeated[0].spread:.3f}",
        "1 trial failed: the text is gone.",
    ):  # fmt: skip
        assert words in out
    row = next(line.split() for line in out.splitlines() if line.split()[:1] == [f"{best.number}"])
    assert f"{best.value:.3f}" in row
    assert f"{best.settings[LR]:.3g}" in row
    assert not re.search(r"[\x00-\x09\x0b-\x1f]", out)
    assert "\n  forged" not in out


@pytest.mark.parametrize("width", [80, 60, 50])
def test_tables_fit_and_no_word_is_broken(full, width: int, monkeypatch, capsys) -> None:
    print_sweep(full)
    whole = {*DRAWN.sub("", capsys.readouterr().out).split()}
    names = {word for name in short_names(full.keys).values() for word in name.split()}
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("COLUMNS", str(width))
    print_sweep(full)
    lines = DRAWN.sub("", ANSI.sub("", capsys.readouterr().out)).splitlines()
    assert max(map(cell_len, lines)) <= width
    assert not {word for line in lines for word in line.split()} - whole - names - {"setting"}
    assert any(line.split()[:2] == ["trial", "lr"] for line in lines) == (width > 50)


def test_the_least_sweep_is_shown(capsys) -> None:
    for count in (0, 1, 2):
        print_sweep(report_of(count=count))
        out = capsys.readouterr().out
        assert ("No trial is complete yet." in out) == (count == 0)


def test_names_are_short_and_told_apart() -> None:
    keys = [LR, "model.layers", "training.clip.by", "model.initialization.recurrent_gain",
            "schedule.name", "optimizer.decay", "schedule.decay"]  # fmt: skip
    assert [*short_names(keys).values()] == [
        "lr", "layers", "by", "recurrent gain", "schedule", "optimizer decay", "schedule decay",
    ]  # fmt: skip


# --- plots ------------------------------------------------------------------------------------


def written(report: SweepReport, *whats) -> list[str]:
    drawn = plot_sweep(report, whats or WHATS)
    drawn.draw_without_rendering()
    return [text.get_text() for text in drawn.findobj(Text)]


def test_a_plot_has_every_setting_and_the_best(full: SweepReport) -> None:
    texts = written(full)
    least = full.trial(full.best[0]).value
    for words in ("lr", "dropout", "hidden size", "activation", "tanh", "384", f"best\n{least:.3f}",
                  "importance: what the 10 best agree on", "loss"):  # fmt: skip
        assert words in texts
    (title,) = (panel.get_title() for panel in plot_sweep(full, ["importance"]).axes)
    assert title == "importance: what the 10 best agree on"


@pytest.mark.parametrize("count", [0, 1, 5])
def test_small_sweeps_are_plotted(count: int, capsys) -> None:
    report = report_of(count=count)
    assert ("No trial is complete yet." in written(report)) == (count == 0)
    print_sweep_charts(report)
    assert capsys.readouterr().out


def test_a_slice_has_its_trials_where_their_values_are(full: SweepReport) -> None:
    drawn = plot_sweep(full, ["slice"])
    panel = next(panel for panel in drawn.axes if panel.get_title() == "lr")
    points = {
        (round(x, 9), round(y, 9))
        for line in panel.lines
        for x, y in zip(*line.get_data(), strict=True)
    }
    for number in full.best:
        trial = full.trial(number)
        shown = trial.value is not None and trial.value <= highest_shown(full)
        assert ((round(trial.settings[LR], 9), round(trial.value or 0, 9)) in points) == shown
    assert panel.get_xscale() == "log"


@pytest.mark.parametrize("count", [1, 2, 3, 4, 7, 24])
def test_trials_are_counted_in_whole_numbers(count: int, monkeypatch, capsys) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    report = report_of(study_of(count=count, space={HIDDEN: Range(8, 12)}, losses=len))
    print_sweep_charts(report, ["progress", "slice"])
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    axis = next(line[:-1] for line in lines if line and line[-1] == "trial")
    assert all(0 <= int(tick) < count for tick in axis)
    assert all(8 <= int(tick) <= 12 for tick in lines[-1])
    panel = plot_sweep(report, ["progress"]).axes[0]
    low, high = panel.get_xlim()
    shown = [float(tick) for tick in panel.get_xticks() if low <= tick <= high]
    assert shown
    assert all(tick.is_integer() and 0 <= tick < count for tick in shown)


def test_ranges_have_their_ends_at_0_and_1() -> None:
    for setting in (
        SearchedSetting("a", 1e-3, 1e-1, log=True),
        SearchedSetting("a", 3, 9),
        SearchedSetting("a", choices=(7, 3, 5)),
        SearchedSetting("a", choices=("x", "y")),
    ):
        low, high = (setting.low, setting.high)
        if setting.choices:
            low, high = {7: (3, 7), "x": ("x", "y")}[setting.choices[0]]
        np.testing.assert_allclose(shares(setting, [low, high]), [0, 1], atol=1e-12)
    assert shares(SearchedSetting("a", 1e-3, 1e-1, log=True), [1e-2])[0] == pytest.approx(0.5)


@pytest.mark.parametrize("width", [80, 50])
def test_charts_fit_a_terminal(full: SweepReport, width: int, monkeypatch, capsys) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("COLUMNS", str(width))
    monkeypatch.setenv("LINES", "24")
    print_sweep_charts(full, ["progress", "importance", "slice"])
    lines = ANSI.sub("", capsys.readouterr().out).splitlines()
    assert max(map(cell_len, lines)) <= width
    assert f"best {full.trial(full.best[0]).value:.3f}" in " ".join(lines)
    assert sum(line.startswith("loss by ") for line in lines) == 4


def test_dots_are_separate_and_an_axis_may_be_logarithmic() -> None:
    drawn = line_chart(
        [Curve("", [0.001, 0.01, 0.1], [1.0, 2, 3], dots=True)], 60, 12, logarithmic_x=True
    ).plain.split("\n")
    columns = [line.index("•") for line in drawn if "•" in line]
    assert len(columns) == 3
    assert columns[0] - columns[1] == pytest.approx(columns[1] - columns[2], abs=1)
    assert drawn[-1].split() == ["0.001", "0.01", "0.1"]


# --- the config of the best -------------------------------------------------------------------


@pytest.mark.parametrize(
    "space",
    [
        SPACE,
        {"optimizer.name": Choices(("rmsprop",)), "optimizer.decay": Range(0.8, 0.9)},
        {"optimizer.name": Choices(("sgd", "adagrad")), LR: Range(0.1, 0.2)},
        {"schedule.name": Choices(("step",)), "schedule.milestones": Choices(([0.5], [0.2, 0.7]))},
        {"training.max_time": Choices(("90s",)), "training.max_steps": Choices((None,)),
         "model.bias": Choices((True, False))},
        {LR: Choices((7e-3, 6e-3)), "training.stride": Choices((None, 32))},
    ],
)  # fmt: skip
def test_the_config_of_the_best_gives_the_config_of_its_trial(space) -> None:
    study = study_of(lambda settings: settings.get(LR, 1.0), 5, space)
    study.set_user_attr("config", study.user_attrs["config"] | {"data": config_values(
        load_config(None, ["data.text=mine.txt", "data.min_count=2"], {}))["data"]})  # fmt: skip
    report = report_of(study)
    Path("best.yaml").write_text(best_config_text(report, best_config(report)), encoding="utf-8")
    assert Path("best.yaml").read_text().count("# searched") == len(report.settings)
    again = load_config("best.yaml", [], {"data": {"text": ["mine.txt"]}})
    assert again == config_of_trial(report, report.best[0])
    assert "mine.txt" not in Path("best.yaml").read_text().split("\n\n", 1)[1]


def test_the_config_says_what_it_is(full: SweepReport) -> None:
    text = best_config_text(full, best_config(full))
    best = full.trial(full.best[0])
    comments = "".join(line for line in text.splitlines() if line.startswith("#"))
    for words in ("sweeps/try", "my-text.txt", f"{best.value:.3f} nats", f"trial {best.number}",
                  "With 3 seeds", f"{full.repeated[0].mean:.3f} ± "):  # fmt: skip
        assert words in comments
    searched = [line for line in text.splitlines() if "# searched" in line]
    assert len(searched) == 4
    assert "schedule" not in text


# --- on the command line ----------------------------------------------------------------------


@pytest.fixture(scope="module")
def swept(tmp_path_factory, text_file: Path) -> Path:
    """A folder with a real sweep in sweeps/try."""
    from charrnn.cli import main

    folder = tmp_path_factory.mktemp("swept")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        Path("space.yaml").write_text(f"{LR}: {{log: [1.0e-3, 1.0e-2]}}\n{HIDDEN}: [8, 12]\n")
        line = ["sweep", str(text_file), *UNSIZED, "--space", "space.yaml", "--study", "try"]
        assert main.run([*line, "--trials", "3", "--seeds", "2", "--max-steps", "9"]) == 0
    return folder


@pytest.fixture
def in_folder(swept: Path, monkeypatch) -> Path:
    monkeypatch.chdir(swept)
    return swept


def test_show_writes_one_document(charrnn, in_folder: Path) -> None:
    outcomes = [
        charrnn("sweep", "--show", *where, "--json")
        for where in ((), ("sweeps/try",), ("try",), ("--study", "try"))
    ]
    assert {outcome.code for outcome in outcomes} == {0}
    (document, *others) = [json.loads(outcome.out) for outcome in outcomes]
    assert all(other == document for other in others)
    assert document == json.loads(json.dumps(asdict(report_sweep("sweeps/try"))))
    assert [trial["state"] for trial in document["trials"]] == ["complete"] * 4
    runs = [Path(trial["run"]) for trial in document["trials"]]
    assert all((run / "config.yaml").exists() for run in runs)


def test_training_with_the_exported_config_repeats_the_trial(charrnn, in_folder, text_file) -> None:
    shown = charrnn("sweep", "--show", "--export", "best.yaml")
    assert "best.yaml" in shown.err
    report = report_sweep()
    run = report.trial(report.best[0]).run
    assert charrnn("train", text_file, "-c", "best.yaml", "--out", "again").code == 0
    assert Path("again/config.yaml").read_text() == Path(f"{run}/config.yaml").read_text()
    values = [
        json.loads(charrnn("runs", path, "--json").out)["runs"][0]["validation_nats_per_character"]
        for path in (run, "again")
    ]
    assert values[0] == values[1] == report.trial(report.best[0]).value


def test_a_sweep_is_shown_while_it_runs_and_not_changed(charrnn, in_folder: Path) -> None:
    from charrnn.sweeps.study import study_of_folder

    study = study_of_folder("sweeps/try")
    trial = study.ask()
    SPACE[LR].suggest(LR, trial)
    trial.report(2.25, 1)
    journal = Path("sweeps/try/study.journal")
    Path("sweeps/try/.study.journal.turn").unlink()
    before = journal.read_bytes(), {*journal.parent.iterdir()}
    shown = charrnn("sweep", "--show", "sweeps/try")
    assert f"trial {trial.number} is running: 2.250 at evaluation 1" in shown.out
    assert "1 running" in charrnn("plot", "sweeps/try").out
    assert (journal.read_bytes(), {*journal.parent.iterdir()}) == before
    study.tell(trial, state=TrialState.FAIL)


def test_a_look_writes_nothing(charrnn, in_folder: Path) -> None:
    """So a folder that is read-only can be shown and plotted."""
    for turn in Path("sweeps/try").glob(".*.turn"):
        turn.unlink()
    before = {*Path("sweeps/try").rglob("*")}
    assert charrnn("sweep", "--show", "sweeps/try").code == 0
    assert charrnn("plot", "sweeps/try").code == 0
    assert {*Path("sweeps/try").rglob("*")} == before


def test_plot_takes_a_sweep(charrnn, in_folder: Path) -> None:
    saved = charrnn("plot", "sweeps/try", "--out", "sweep.png", "--title", "mine")
    assert (saved.code, saved.out) == (0, "")
    assert Path("sweep.png").read_bytes().startswith(b"\x89PNG")
    journal = ["try", "--storage", "sweeps/try/study.journal"]
    for where in (["sweeps/try"], journal):
        shown = charrnn("plot", *where, "--what", "progress", "--title", "mine")
        assert shown.out.startswith("mine\nloss of each trial")
        assert max(map(cell_len, shown.out.splitlines())) <= 80
    assert len(json.loads(charrnn("plot", "sweeps/try", "--json").out)["trials"]) >= 4


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["sample", "sweeps/try"], 3, "is the folder of a sweep, not a checkpoint."),
        (["eval", "sweeps/try", "space.yaml"], 3, "the best is sweeps/try/trial-"),
        (["train", "sweeps/try"], 2, "is the folder of a sweep, not a text."),
        (["train", "-c", "sweeps/try"], 2, "charrnn sweep --show sweeps/try --export best.yaml"),
        (["report", "sweeps/try"], 3, "the best is sweeps/try/trial-"),
        (["inspect", "sweeps/try"], 2, "the best is sweeps/try/trial-"),
        (["plot", "sweeps/try", "sweeps/try/trial-0"], 3, "the best is sweeps/try/trial-"),
        (["plot", "sweeps/try", "--what", "progres"], 2, "did you mean --what progress?"),
        (["plot", "sweeps/try", "--what", "parallel"], 2, "--out sweep.png"),
        (["sweep", "--show", "tri"], 2, "did you mean try?"),
        (["sweep", "--show", "a", "b"], 2, "name one sweep."),
        (["sweep", "--show", "--export", "sweeps/try/trial-0/config.yaml"], 2, "a file of a run"),
    ],
)  # fmt: skip
def test_what_else_a_sweep_is_taken_for(charrnn, in_folder, arguments, code, words) -> None:
    outcome = charrnn(*arguments)
    said = " ".join(outcome.err.replace("hint:", "").split())
    assert (outcome.code, words in said) == (code, True), outcome.err


def test_the_best_run_of_the_hint_is_the_best(charrnn, in_folder: Path) -> None:
    best = min((t for t in report_sweep().trials if t.value is not None), key=lambda t: t.value)
    assert f"the best is {best.run}\n" in charrnn("sample", "sweeps/try").err
