"""`charrnn plot`: curves of runs, over seeds, in files and in the terminal."""

import json
import re
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from matplotlib.collections import PolyCollection
from matplotlib.text import Text
from rich.cells import cell_len

from charrnn.commands.curves import (
    distinguished,
    group_by_config,
    load_run,
    load_runs,
    notes_on_comparison,
)
from charrnn.events import Baselines, Evaluated, LagProfile
from charrnn.report.charts import Curve, Level, line_chart
from charrnn.report.run_charts import print_charts
from charrnn.report.run_curves import (
    AXES,
    WHATS,
    Points,
    along,
    baselines_of,
    clipped_curve,
    lag_matrix,
    smoothed,
    spread,
    step_curve,
    validation_curve,
)
from charrnn.report.run_plots import plot_runs
from charrnn.report.shades import shade_map
from charrnn.results import RunGroup, RunHistory
from tests.conftest import TINY
from tests.test_narrow_terminals import ANSI
from tests.test_report import STEPPED

BRAILLE = re.compile("[\u2801-\u28ff]")
FLOATS = st.floats(width=32)


@pytest.fixture(scope="session")
def seeds(tmp_path_factory, text_file: Path) -> list[Path]:
    """Three runs of one config with different seeds."""
    from charrnn.cli import main

    folder = tmp_path_factory.mktemp("seeds")
    runs = [folder / f"seed-{seed}" for seed in (1, 2, 3)]
    for seed, run in enumerate(runs, 1):
        arguments = ["train", str(text_file), *TINY, "--max-steps", "40", "--seed", str(seed)]
        assert main.run([*arguments, "--out", str(run)]) == 0
    return runs


def loaded(*paths: Path) -> tuple[RunHistory, ...]:
    return load_runs([str(path) for path in paths])


def texts_of(groups: tuple[RunGroup, ...], *whats: str) -> list[str]:
    """All that is written in a plot of these runs."""
    drawn = plot_runs(groups, whats or WHATS)  # type: ignore[arg-type]
    drawn.draw_without_rendering()
    return [text.get_text() for text in drawn.findobj(Text)]


# --- curves -----------------------------------------------------------------------------------


def test_the_curves_are_those_of_the_log(trained: Path) -> None:
    (run,) = loaded(trained)
    lines = [json.loads(line) for line in (trained / "metrics.jsonl").read_text().splitlines()]
    steps = [line for line in lines if line["event"] == "step"]
    evaluations = [line for line in lines if line["event"] == "evaluation"]
    for axis, key in zip(AXES, ("step", "epoch", "characters", "seconds"), strict=True):
        x, y = step_curve(run, "nats_per_character", axis)
        assert x.tolist() == [line[key] for line in steps]
        assert y.tolist() == [line["nats_per_character"] for line in steps]
    x, y = validation_curve(run, "steps")
    assert x.tolist() == [line["step"] for line in evaluations]
    assert y.tolist() == [line["validation_nats_per_character"] for line in evaluations]
    assert validation_curve(run, "seconds").x.tolist() == [one["seconds"] for one in evaluations]


@pytest.mark.parametrize("axis", AXES)
def test_logged_steps_are_where_the_log_says(trained: Path, axis) -> None:
    (run,) = loaded(trained)
    known = step_curve(run, {"steps": "step", "epochs": "epoch"}.get(axis, axis), "steps")
    np.testing.assert_allclose(along(run, known.x, axis), known.y, rtol=1e-12)
    middle = along(run, (known.x[1:] + known.x[:-1]) / 2, axis)
    assert np.all((known.y[:-1] < middle) & (middle < known.y[1:]))
    assert along(run, np.array([1000.0]), axis)[0] > known.y[-1]
    assert along(run, np.array([0, 0.5]), axis).tolist() == [0, known.y[0] / 2]


def test_the_shares_of_clipped_steps_add_up(trained: Path) -> None:
    (run,) = loaded(trained)
    steps = [
        replace(STEPPED, step=step, clipped_share=clipped / step)
        for step, clipped in ((1, 1), (10, 4), (20, 4), (30, 14), (40, 20))
    ]
    run = replace(run, log=replace(run.log, steps=tuple(steps)))
    for bins in (1, 2, 4, 40):
        x, share = clipped_curve(run, "steps", bins)
        assert np.diff(np.append(0, x)) @ share == pytest.approx(20)
    assert clipped_curve(run, "steps", 40).y.tolist() == [1, 3 / 9, 0, 1, 0.6]


@given(st.lists(st.tuples(FLOATS, FLOATS), min_size=1, max_size=30), st.integers(1, 4))
def test_equal_runs_have_their_own_mean_and_no_spread(points, count: int) -> None:
    x, first = np.unique([float(x) for x, _ in points if np.isfinite(x)], return_index=True)
    y = np.clip(np.nan_to_num([y for x, y in points if np.isfinite(x)]), -1e30, 1e30)[first]
    mean = spread([Points(x, y)] * count)
    assert mean.x.tolist() == x.tolist()
    np.testing.assert_allclose(mean.y, y, rtol=1e-15)
    assert (mean.low.tolist(), mean.high.tolist()) == (y.tolist(), y.tolist())


def test_the_mean_of_seeds_is_within_their_range(seeds: list[Path]) -> None:
    curves = [validation_curve(run, "steps") for run in loaded(*seeds)]
    mean = spread(curves)
    np.testing.assert_allclose(mean.y, np.mean([curve.y for curve in curves], axis=0))
    assert mean.low.tolist() == np.min([curve.y for curve in curves], axis=0).tolist()
    assert mean.high.tolist() == np.max([curve.y for curve in curves], axis=0).tolist()
    assert np.all(mean.low < mean.high)


def test_the_mean_is_where_all_curves_are() -> None:
    one, two = (
        Points(np.array([0.0, 4]), np.array([0.0, 4])),
        Points(np.array([1.0, 2]), np.ones(2)),
    )
    assert spread([one, two]).x.tolist() == [1, 2]
    assert spread([one, two]).y.tolist() == [1, 1.5]
    assert spread([one, Points(np.zeros(0), np.zeros(0))]).x.tolist() == [0, 4]
    assert len(spread([]).x) == 0


def test_smoothing_keeps_the_mean() -> None:
    x = np.arange(1000.0)
    curve = smoothed(Points(x, np.sin(x)), 100)
    assert len(curve.x) == 100
    assert curve.y.mean() == pytest.approx(np.sin(x).mean())
    assert smoothed(Points(x, x), 1000).y is x


def test_lag_profiles_are_relative_to_lag_0(trained: Path) -> None:
    (run,) = loaded(trained)
    profiles = (
        LagProfile(1, (4.0, 2.0, 1.0), 0.5, 1.0, None), LagProfile(2, (0.0, 1.0), 0.5, 1.0, None),
        LagProfile(3, (), 0.5, 1.0, None), LagProfile(4, (1.0,), 0.5, 1.0, 2),
        LagProfile(5, (1.0, float("nan"), -1.0), 0.5, 1.0, None),
    )  # fmt: skip
    run = replace(run, log=replace(run.log, lag_profiles=profiles))
    shown, matrix = lag_matrix(run, None)
    assert [profile.step for profile in shown] == [1, 2, 5]
    np.testing.assert_array_equal(
        matrix, [[1, np.nan, 1], [0.5, np.nan, np.nan], [0.25, np.nan, np.nan]]
    )


# --- groups and labels ------------------------------------------------------------------------


def test_seeds_of_one_config_are_one_group(seeds: list[Path], trained: Path) -> None:
    groups = group_by_config(loaded(*seeds, trained))
    assert [(group.label, len(group.runs)) for group in groups] == [
        ("seed, 3 seeds", 3),
        ("rhyme", 1),
    ]


def test_the_order_of_runs_changes_only_the_order(seeds: list[Path], trained, stacked) -> None:
    one = group_by_config(loaded(*seeds, trained, stacked))
    two = group_by_config(loaded(stacked, trained, *seeds[::-1]))
    assert {group.label: set(map(id_of, group.runs)) for group in one} == {
        group.label: set(map(id_of, group.runs)) for group in two
    }
    assert [group.label for group in two] == [group.label for group in one][::-1]
    assert texts_of(one, "gradient") == texts_of(two[::-1], "gradient")


def id_of(run: RunHistory) -> str:
    return run.summary.path


def test_copies_of_a_run_are_not_seeds(trained: Path, tmp_path: Path) -> None:
    shutil.copytree(trained, tmp_path / "copy")
    (group,) = group_by_config(loaded(trained, tmp_path / "copy"))
    assert group.label.endswith(", 2 runs")


def test_runs_of_one_name_are_told_apart(trained: Path, tmp_path: Path) -> None:
    for folder in ("x/a", "y/a", "y/b"):
        shutil.copytree(trained, tmp_path / folder)
    runs = loaded(tmp_path / "x/a", tmp_path / "y/a", tmp_path / "y/b")
    assert [run.label for run in runs] == ["x/a", "y/a", "b"]
    (tmp_path / "link").symlink_to(trained)
    assert len(loaded(trained, trained, tmp_path / "link")) == 1
    same = load_run(str(trained))
    assert [run.label for run in distinguished([same])] == ["rhyme"]


def test_a_run_without_a_config_is_a_group_of_its_own(trained: Path) -> None:
    run = replace(load_run(str(trained)), config={})
    assert len(group_by_config([run, run])) == 2


def test_other_texts_and_alphabets_are_noted(charrnn, trained: Path, tmp_path: Path) -> None:
    (run,) = loaded(trained)
    other = replace(run, summary=replace(run.summary, text_digest="0" * 64))
    larger = replace(run, summary=replace(run.summary, alphabet=99))
    assert notes_on_comparison([run, run]) == ()
    assert "texts of the runs differ" in notes_on_comparison([run, other])[0]
    assert f"({run.summary.alphabet}, 99 characters)" in notes_on_comparison([run, larger])[0]
    assert len(group_by_config([run, run])) == 1
    assert len(group_by_config([run, other])) == 2
    Path("other.txt").write_text("another text, quite different from that one\n" * 99)
    assert charrnn("train", "other.txt", *TINY, "--max-steps", 3, "--out", "other").code == 0
    assert "note: the alphabets differ" in charrnn("plot", "other", trained).err


# --- files ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("suffix", "head"), [("png", b"\x89PNG"), ("svg", b"<?xml"), ("pdf", b"%PDF")]
)
def test_a_plot_is_saved(charrnn, trained, stacked, suffix: str, head: bytes) -> None:
    outcome = charrnn("plot", trained, stacked, "--out", f"plot.{suffix}", "--what", "loss")
    assert (outcome.code, outcome.out) == (0, "")
    assert f"plot saved to plot.{suffix}" in outcome.err
    assert Path(f"plot.{suffix}").read_bytes().startswith(head)


def with_lag_profiles(run: RunHistory, layers: tuple[int | None, ...] = (None,)) -> RunHistory:
    """The run as if it were long enough to log lag profiles."""
    profiles = [
        LagProfile(step, (2.0, 1.0, 0.5), 0.5, 1.0, layer) for step in (20, 40) for layer in layers
    ]
    return replace(run, log=replace(run.log, lag_profiles=tuple(profiles)))


def test_one_run_is_plotted_with_everything_that_it_logged(trained: Path) -> None:
    run = with_lag_profiles(*loaded(trained))
    texts = texts_of(group_by_config([run]))
    baselines = run.log.baselines
    assert baselines
    for text in (
        "rhyme", "loss", f"n-gram {baselines.ngram_nats_per_character:.3f}",
        f"uniform {baselines.uniform_nats_per_character:.3f}", "gradient norm before clipping",
        f"validation\n{run.log.evaluations[-1].validation_nats_per_character:.3f}",
        "clipped\nabove 1", f"{100 * run.log.steps[-1].clipped_share:.3g} % in all",
        "learning rate", "gradient flow", "lag, characters back",
    ):  # fmt: skip
        assert text in texts


def test_layers_have_a_lag_profile_each(stacked: Path) -> None:
    run = with_lag_profiles(*loaded(stacked), (1, 2))
    texts = texts_of(group_by_config([run]), "lag-profile")
    assert {"gradient flow, layer 1", "gradient flow, layer 2"} <= set(texts)


def test_several_runs_are_labelled_by_name(seeds, trained, stacked) -> None:
    runs = loaded(*seeds, trained, stacked)
    runs = [*map(with_lag_profiles, runs[:-1]), with_lag_profiles(runs[-1], (1, 2))]
    texts = texts_of(group_by_config(runs))
    starts = {text.split("\n")[0] for text in texts}
    assert {"seed, 3 seeds", "rhyme", "stacked"} <= starts
    assert "gradient flow, layer 2: stacked" in texts


def test_the_range_of_seeds_is_a_band(seeds: list[Path]) -> None:
    bands = [
        sum(isinstance(one, PolyCollection) for one in panel.collections)
        for runs in (seeds, seeds[:1])
        for panel in plot_runs(group_by_config(loaded(*runs)), ["loss"]).axes
    ]
    assert bands == [2, 0]


def test_a_title_is_used(charrnn, trained: Path) -> None:
    charrnn("plot", trained, "--out", "plot.svg", "--what", "loss", "--title", "a <b> $c$")
    drawn = plot_runs(group_by_config(loaded(trained)), ["loss"], title="a <b> $c$")
    assert drawn.get_suptitle() == "a <b> $c$"
    assert charrnn("plot", trained, "--title", "my title").out.startswith("my title\n")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--out", "plot.gif"], "--out plot.gif is not one of .png"),
        (["--out", "nowhere/plot.png"], "--out nowhere/plot.png cannot be written"),
        (["--what", "los"], "did you mean --what loss?"),
        (["--x", "hours"], "hours"),
    ],
)
def test_wrong_options_are_explained(charrnn, trained: Path, arguments, words: str) -> None:
    outcome = charrnn("plot", trained, *arguments)
    assert (outcome.code, words in outcome.err) == (2, True)


def test_what_is_no_run_is_explained(charrnn, trained: Path, tmp_path: Path) -> None:
    shutil.copytree(trained, tmp_path / "runs" / "silent")
    (tmp_path / "runs" / "silent" / "metrics.jsonl").unlink()
    shutil.copytree(trained, tmp_path / "runs" / "empty")
    (tmp_path / "runs" / "empty" / "metrics.jsonl").write_text("")
    (tmp_path / "text").mkdir()
    for path, words in {
        "runs": "is a folder of runs", "missing": "there is no run 'missing'", "": "no run ''",
        "text": "is not the directory of a run", "runs/silent": "has no log",
        "runs/empty": "has no training steps", "runs/empty/config.yaml": "such as runs/empty",
    }.items():  # fmt: skip
        outcome = charrnn("plot", path)
        assert (outcome.code, words in outcome.err) == (3, True), outcome.err
        assert "hint:" in outcome.err


def test_a_run_of_no_steps_is_said_to_need_some(charrnn, text_file: Path) -> None:
    charrnn("train", text_file, *TINY, "--max-steps", 0, "--out", "first")
    found = charrnn("plot", "first")
    assert found.code == 3
    assert "charrnn train --resume first --max-steps 1000" in " ".join(found.err.split())


def test_a_cut_line_is_noted(charrnn, trained: Path, tmp_path: Path) -> None:
    shutil.copytree(trained, tmp_path / "cut")
    log = tmp_path / "cut" / "metrics.jsonl"
    log.write_bytes(log.read_bytes()[:-5])
    assert "note: 1 line of cut/metrics.jsonl cannot be read." in charrnn("plot", "cut").err


def test_json_is_what_was_logged(charrnn, trained: Path) -> None:
    (document,) = json.loads(charrnn("plot", trained, "--json").out)
    lines = [json.loads(line) for line in (trained / "metrics.jsonl").read_text().splitlines()]
    steps = [line for line in lines if line["event"] == "step"]
    assert [one["nats_per_character"] for one in document["log"]["steps"]] == [
        line["nats_per_character"] for line in steps
    ]
    assert document["summary"]["path"] == str(trained)


# --- the terminal -----------------------------------------------------------------------------


def test_off_a_terminal_a_chart_has_80_columns_and_no_control_codes(charrnn, trained) -> None:
    outcome = charrnn("plot", trained)
    assert outcome.code == 0
    assert not re.search(r"[\x00-\x09\x0b-\x1f]", outcome.out)
    assert max(map(cell_len, outcome.out.splitlines())) <= 80
    for words in ("loss, nats per character: rhyme", "validation ", "n-gram ", "steps"):
        assert words in outcome.out
    assert BRAILLE.search(outcome.out)


@pytest.mark.parametrize("width", [120, 80, 50])
def test_charts_fit_a_terminal(charrnn, seeds, trained, stacked, monkeypatch, width: int) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("COLUMNS", str(width))
    monkeypatch.setenv("LINES", "24")
    whats = [one for what in WHATS for one in ("--what", what)]
    colored = charrnn("plot", *seeds, trained, stacked, *whats).out
    lines = ANSI.sub("", colored).splitlines()
    assert max(map(cell_len, lines)) <= width
    assert "\x1b[36m" in colored
    monkeypatch.setenv("NO_COLOR", "1")
    plain = charrnn("plot", *seeds, trained, stacked, *whats).out
    assert ANSI.sub("", plain).splitlines() == lines
    assert not re.search(r"\x1b\[[0-9;]*3[0-9]", plain)
    assert len(ANSI.sub("", charrnn("plot", trained).out).splitlines()) < 24


@given(
    st.lists(st.tuples(st.text(max_size=40), st.lists(st.tuples(FLOATS, FLOATS))), max_size=4),
    st.lists(st.tuples(st.text(max_size=40), FLOATS), max_size=3),
    st.integers(1, 150), st.integers(1, 40), st.booleans(), st.none() | FLOATS,
)  # fmt: skip
@example([("a\n       b", [(0.0, 0.0)])], [("\t", 0.0)], 40, 10, False, None)
def test_a_chart_of_anything_has_its_size(curves, levels, width, height, log, highest) -> None:
    drawn = line_chart(
        [Curve(label, [x for x, _ in points], [y for _, y in points]) for label, points in curves],
        width, height, levels=[Level(*level) for level in levels], title="title", x="steps",
        highest=highest, logarithmic=log,
    )  # fmt: skip
    lines = drawn.plain.split("\n")
    assert len(lines) == max(height, 6)
    assert max(map(cell_len, lines)) <= max(width, 24)
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f]", drawn.plain)


def test_labels_are_beside_the_ends_of_their_curves() -> None:
    x = np.arange(100.0)
    drawn = line_chart([Curve("rises", x, x), Curve("falls", x, 99 - x)], 60, 12,
                       levels=[Level("level", 50)])  # fmt: skip
    lines = drawn.plain.split("\n")
    rows = {word: n for n, line in enumerate(lines) for word in line.split()[-1:]}
    assert rows["rises"] == 0
    assert rows["falls"] == 9
    assert rows["level"] == pytest.approx(4.5, abs=0.5)
    assert re.search("([⠉⠒⠤⣀]) \\1 \\1", lines[rows["level"]])  # dashes


def test_curves_that_end_early_have_letters() -> None:
    long, short = np.arange(100.0), np.arange(50.0)
    lines = line_chart([Curve("long", long, long), Curve("short", short, 99 - short)], 60, 12).plain
    assert "a long" in lines
    assert "b short" in lines
    assert re.search("[\u2801-\u28ff]b", lines)  # at the end of the curve
    together = line_chart([Curve("one", long, long), Curve("two", long, -long)], 60, 12).plain
    assert " one" in together
    assert "a one" not in together


def test_values_above_the_highest_are_drawn_at_the_edge() -> None:
    x = np.arange(50.0)
    y = np.where(x == 25, 1e200, 1 + x / 50)
    capped = line_chart([Curve("", x, y)], 60, 12, highest=2)
    assert capped.plain == line_chart([Curve("", x, np.minimum(y, 2))], 60, 12).plain
    assert BRAILLE.search(capped.plain.split("\n")[-4])


def test_shades_are_decades() -> None:
    matrix = np.array([[1.0, 1.0], [0.1, 0.01], [1e-3, 1e-9], [np.nan, np.inf]])
    lines = shade_map(matrix, np.array([5.0, 10.0]), 27, 20, x="steps", y="lag")
    assert [line[6:] for line in lines[:4]] == [
        " " * 10 + "█" * 10, "░" * 10 + " " * 10, "▓" * 10 + "▒" * 10, "█" * 20,
    ]  # fmt: skip
    assert "5" in lines[5]
    assert lines[5].endswith("10 steps")


# --- whatever a log says ----------------------------------------------------------------------

STRANGE = (float("nan"), float("inf"), float("nan"), 1e308, -1e308, -1.0, 0.0, 0.0)


def strange(run: RunHistory, value: float, *, everywhere: bool) -> RunHistory:
    """A run whose log has this number, everywhere or in between."""
    steps = [
        replace(
            step, nats_per_character=value, gradient_norm=value, clipped_share=value,
            learning_rate=value, epoch=value, seconds=value, step=10**14 if n == 3 else step.step,
        )
        if everywhere or n in (3, 5)
        else step
        for n, step in enumerate(run.log.steps)
    ]  # fmt: skip
    log = replace(
        run.log,
        steps=tuple(steps),
        baselines=Baselines(value, value, 4),
        evaluations=tuple(Evaluated(n, value, value, value if n else 2.0, False) for n in range(3)),
        lag_profiles=tuple(
            LagProfile(n, (1.0, value, 0.5)[:: -1 if n else 1], value, value, None)
            for n in range(3)
        ),
    )
    return replace(run, label=f"{value:g}{everywhere}", log=log, config={})


@pytest.mark.parametrize("axis", ["steps", "seconds"])
def test_strange_numbers_break_no_plot(trained: Path, axis, capsys) -> None:
    (run,) = loaded(trained)
    runs = [strange(run, value, everywhere=n % 2 == 0) for n, value in enumerate(STRANGE)]
    empty = replace(run, log=replace(run.log, steps=(), evaluations=(), lag_profiles=()))
    with np.errstate(all="raise", under="ignore"):  # matplotlib 3.8 has underflows of its own
        plot_runs(group_by_config([*runs, empty]), WHATS, axis).draw_without_rendering()
        for one in (*runs, empty):
            print_charts(group_by_config([one]), WHATS, axis)
        print_charts(group_by_config(runs), WHATS, axis)
    assert not re.search(r"\b(nan|inf) [a-z]", capsys.readouterr().out)
    values = baselines_of(group_by_config(runs), "ngram_nats_per_character")
    assert all(0 < value < 1e30 for _, value in values)


@pytest.mark.parametrize("value", STRANGE)
@pytest.mark.parametrize("axis", AXES)
def test_points_are_finite_and_in_order(trained: Path, value: float, axis) -> None:
    run = strange(*loaded(trained), value, everywhere=False)
    for points in (step_curve(run, "nats_per_character", axis), validation_curve(run, axis)):
        assert np.isfinite(points.x).all()
        assert np.isfinite(points.y).all()
        assert (np.diff(points.x) > 0).all()


def test_a_loss_far_above_guessing_does_not_flatten_the_others(trained: Path) -> None:
    run = load_run(str(trained))
    steps = (replace(run.log.steps[0], nats_per_character=1e20), *run.log.steps[1:])
    run = replace(run, log=replace(run.log, steps=steps))
    uniform = run.log.baselines.uniform_nats_per_character if run.log.baselines else 0
    panel = plot_runs(group_by_config([run]), ["loss"]).axes[0]
    low, high = panel.get_ylim()
    assert uniform < high < 1.2 * uniform
    assert -1 < low < min(curve.nats_per_character for curve in run.log.steps)


@pytest.mark.parametrize("value", [float("nan"), 1e308])
def test_one_strange_run_breaks_no_plot(trained: Path, value: float) -> None:
    (run,) = loaded(trained)
    groups = group_by_config([strange(run, value, everywhere=False)])
    plot_runs(groups, ["loss", "gradient"], "epochs").draw_without_rendering()


def test_a_run_without_held_out_text_is_plotted(charrnn, text_file: Path) -> None:
    arguments = [*TINY, "--set", "data.validation_fraction=0", "--max-steps", 20, "--out", "a"]
    assert charrnn("train", text_file, *arguments).code == 0
    assert "training " in charrnn("plot", "a").out
    assert charrnn("plot", "a", "--out", "a.png").code == 0
