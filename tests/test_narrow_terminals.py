"""On a terminal, lines wrap between words and tables fit; off a terminal, nothing is wrapped."""

import io
import re
from collections.abc import Callable
from dataclasses import replace
from functools import partial

import pytest
from rich.cells import cell_len
from rich.console import Console

from charrnn.commands.gradcheck import check_gradients
from charrnn.commands.gradflow import gradient_flow
from charrnn.commands.inspect import inspect_checkpoint, inspect_text
from charrnn.commands.sample import Sampler
from charrnn.report.console import PlainLines
from charrnn.report.flow_tables import print_gradient_flow
from charrnn.report.gradient_table import print_gradient_table
from charrnn.report.inspection import print_model_report, print_text_report
from charrnn.report.novelty import print_novelty
from charrnn.report.terminal import print_line
from tests.conftest import TINY_SETTINGS
from tests.test_report import BASELINES, ENDED, EVALUATED, STARTED, STEPPED, shown

WIDTHS = (80, 60, 50)
ANSI = re.compile(r"\x1b\[[0-9;?]*[a-zA-Z]")
DRAWN = re.compile("[█▉▊▋▌▍▎▏─]+")


def on_terminal(width: int, *lines: str) -> str:
    out = io.StringIO()
    console = Console(file=out, force_terminal=True, width=width, color_system=None)
    for line in lines:
        print_line(console, line)
    return out.getvalue()


@pytest.mark.parametrize("width", WIDTHS)
def test_the_lines_of_a_run_wrap_between_words(width: int) -> None:
    events = (STARTED, BASELINES, STEPPED, EVALUATED, replace(ENDED, early=True))
    whole = shown(PlainLines, *events)
    wrapped = on_terminal(width, *whole.splitlines())
    assert wrapped.split() == whole.split()
    assert max(map(cell_len, wrapped.splitlines())) <= width


def test_continuation_lines_are_indented() -> None:
    assert on_terminal(12, "  one two three four") == "  one two\n    three\n    four\n"
    assert on_terminal(12, "one two three\n       four") == "one two\n  three\n       four\n"


def test_wide_characters_count_as_two_columns() -> None:
    assert on_terminal(10, "文字 文字 文字") == "文字 文字\n  文字\n"


def test_a_path_is_not_broken() -> None:
    path = "a" * 40 + "/last.safetensors"
    assert path in on_terminal(30, f"note: {path} is kept").split()


@pytest.mark.parametrize("command", ["gradcheck", "flow", "compare", "model", "text", "novelty"])
def test_tables_fit_and_no_word_or_number_is_broken(
    trained, text_file, monkeypatch, capsys, command
) -> None:
    monkeypatch.setattr("charrnn.commands.inspect.TRIAL_SECONDS", 0.01)
    monkeypatch.chdir(trained.parent)
    text, settings = str(text_file), list(TINY_SETTINGS)
    report: Callable[[], None]
    if command == "gradcheck":
        checked, _ = check_gradients("rhyme", None, [], None, [], None, 1)
        report = partial(print_gradient_table, checked)
    elif command == "flow":
        found, _ = gradient_flow("rhyme", None, [], text, 32, False, 0.1, 1)
        report = partial(print_gradient_flow, found)
    elif command == "compare":
        found, _ = gradient_flow(None, None, settings, text, 32, True, None, 1)
        report = partial(print_gradient_flow, found)
    elif command == "model":
        report = partial(print_model_report, inspect_checkpoint("rhyme"))
    elif command == "novelty":
        sampler = Sampler("rhyme", temperature=[0.25, 0.5, 0.75, 1], length=99, novelty=True)
        sampler.samples(1)
        report = partial(print_novelty, sampler.novelty())
    else:
        inspected, _ = inspect_text(None, settings, {"data": {"text": [text]}})
        report = partial(print_text_report, inspected)
    report()
    whole = {*DRAWN.sub("", capsys.readouterr().out).split()}
    monkeypatch.setenv("FORCE_COLOR", "1")
    for width in WIDTHS:
        monkeypatch.setenv("COLUMNS", str(width))
        report()
        out = DRAWN.sub("", ANSI.sub("", capsys.readouterr().out))
        lines = [line for line in out.splitlines() if "/" not in line]  # paths may be longer
        assert max(map(cell_len, lines)) <= width
        broken = [word for word in out.split() if word not in whole]
        assert all(word.strip(":,") in text for word in broken), (width, broken)  # a long path is


def test_the_least_important_columns_are_left_out(charrnn, monkeypatch) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "50")
    out = charrnn("gradcheck", "--oracle", "rtrl").out
    assert "compared" not in out
    for words in ("error", "BPTT", "verdict", "passed"):
        assert words in out
    assert "…" not in out


def test_the_summary_of_a_run_fits_80_columns() -> None:
    whole = shown(PlainLines, BASELINES, EVALUATED, ENDED)
    assert "on the held-out text, per character:" in whole
    assert "best at step 45" in whole
    assert max(map(len, whole.splitlines())) <= 80


def test_numbers_of_one_are_singular() -> None:
    started, ended = replace(STARTED, steps_per_epoch=1), replace(ENDED, steps=1)
    assert "; 1 step per epoch" in shown(PlainLines, started)
    assert "1 step in 2:05" in shown(PlainLines, ended)
