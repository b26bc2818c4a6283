"""The live view: it fits every terminal, leaves nothing behind, and shows the trend."""

import io
import os
import re
import select
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from threading import Thread

import pyte
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.console import Console

from charrnn.commands.train import logged, resumed_run
from charrnn.events import LagProfile, Noted, RolledBack, Sampled
from charrnn.report import live_area
from charrnn.report.console import LiveView, PlainLines, make_console_sink
from charrnn.report.live_area import LiveArea
from charrnn.report.live_view import SAMPLE_AT_END
from charrnn.report.loss_curves import MAX_POINTS, SMOOTHING, LossCurves
from charrnn.report.messages import say_message
from charrnn.report.terminal import PipeConsole
from charrnn.results import RunLog
from tests.conftest import RHYME, TINY
from tests.test_report import BASELINES, ENDED, EVALUATED, STARTED, STEPPED

STEPS = tuple(
    replace(STEPPED, step=step, nats_per_character=1.5 + 2 / step) for step in range(1, 46)
)
LAGS = LagProfile(step=45, norms=(1.0, 0.8), rate=0.8, half_life=3.1, layer=None)
SAMPLED = Sampled(step=45, text=RHYME)
NOTED = Noted(step=45, note="a line about the disk. " * 4)
ALL = (STARTED, BASELINES, *STEPS, EVALUATED, LAGS, SAMPLED, NOTED)
STAGES = {
    "nothing": (),
    "first step": (STARTED, BASELINES, *STEPS[:1]),
    "no validation": (STARTED, *STEPS, LAGS, SAMPLED),
    "no sample": (STARTED, BASELINES, *STEPS, EVALUATED),
    "all": ALL,
    "extreme": (
        *ALL,
        replace(STEPPED, step=10**9, nats_per_character=1e30, gradient_norm=1e30, seconds=1e9),
        replace(LAGS, rate=1e12, half_life=None),
        Sampled(step=10**9, text="文字\t" * 2000),
    ),
}
FRAME = re.compile("[━╸╺│┤└⠀-⣿]")  # what only a frame has


def view(
    events: tuple, width: int, height: int, file: io.StringIO | None = None, starts: bool = False
) -> LiveView:
    """A view that has received events and is not drawn by a thread, or not at all."""
    console = PipeConsole(
        file=file or io.StringIO(), force_terminal=True, color_system=None,
        width=width, height=height,
    )  # fmt: skip
    shown = LiveView(console)
    shown._area._redraw = lambda: None
    if not starts:
        shown._area.start = lambda: None
    for event in events:
        shown(event)
    return shown


def frame(events: tuple, width: int, height: int) -> list[str]:
    return drawn_by(view(events, width, height))


def drawn_by(shown: LiveView) -> list[str]:
    console = shown._console
    lines = console.render_lines(shown.frame(), console.options, pad=False)
    return ["".join(segment.text for segment in line) for line in lines]


@settings(max_examples=60)
@given(st.integers(40, 140), st.integers(10, 50), st.sampled_from(list(STAGES)))
def test_every_frame_fits(width: int, height: int, stage: str) -> None:
    lines = frame(STAGES[stage], width, height)
    assert max(map(cell_len, lines)) < width
    assert len(lines) < height


@settings(max_examples=60)
@given(st.integers(40, 140), st.integers(10, 50))
def test_no_word_of_a_frame_is_broken(width: int, height: int) -> None:
    whole = {word for line in frame(ALL, 140, 50) for word in line.split()} | {*RHYME.split()}
    words = {word for line in frame(ALL, width, height) for word in line.split()}
    assert not {word for word in words - whole if word.strip("…").isalpha()}
    assert "…" not in "".join(words - {"…"})


def test_everything_is_on_a_screen_of_80_columns_and_24_lines() -> None:
    lines = frame(ALL, 80, 24)
    text = "\n".join(lines)
    for words in (
        "50%  1:00 left", "loss, nats per character", "training", "validation", "n-gram 1.669",
        "step        45, epoch 5.00", "1.500 nats, 2.164 bits", "12.5% of steps",
        "half-life 3.1 characters", "sample at step 45", "The keeper went up",
    ):  # fmt: skip
        assert words in text
    assert 17 <= len(lines) <= 20  # lines of the run stay visible above


def test_a_taller_window_gives_room_to_chart_and_sample() -> None:
    def rows(height: int) -> tuple[int, int]:
        lines = frame((*ALL, Sampled(45, RHYME * 3)), 80, height)
        chart = sum(bool(re.search("[┤⠀-⣿]|[│├]", line)) for line in lines)
        title = next(number for number, line in enumerate(lines) if "sample at" in line)
        return chart, len(lines) - title

    small, tall = rows(24), rows(45)
    assert tall[0] > small[0] + 5
    assert tall[1] > small[1] + 2


def test_a_small_window_loses_the_chart_first_and_then_the_sample() -> None:
    small, smaller = "\n".join(frame(ALL, 50, 16)), "\n".join(frame(ALL, 50, 11))
    assert "loss, nats" not in small + smaller
    assert "The keeper" in small
    assert "The keeper" not in smaller
    assert "learning rate" in smaller


def test_the_n_gram_is_a_horizontal_line() -> None:
    levels = [line for line in frame(ALL, 80, 24) if re.search("(?:([⠉⠒⠤⣀]) )(?:\\1 ){9}", line)]
    assert len(levels) == 1


def test_control_characters_in_a_sample_are_neutralised() -> None:
    evil = Sampled(45, "\x1b[31mred\x1b]0;title\x07 \x9b2J \r over\x00 \x85")
    text = "".join(frame((*ALL, evil), 80, 24))
    out = io.StringIO()
    view((*ALL, evil, ENDED), 80, 24, out)
    for shown in (text, out.getvalue()[out.getvalue().index("sample at") :]):
        assert "[31mred" in shown
        assert not {*shown} & {*map(chr, (*range(32), *range(0x7F, 0xA0)))} - {"\n"}


@pytest.mark.parametrize("ends", [True, False])
def test_the_last_sample_remains(ends: bool) -> None:
    out = io.StringIO()
    long = Sampled(45, RHYME * 5)
    shown = view((*ALL, long, *([ENDED] if ends else [])), 60, 24, out)
    shown.close()
    text = out.getvalue()
    assert text.count("sample at step 45\n│ The keeper went up with a lamp in his hand,\n") == 1
    sample = [line for line in text.splitlines() if line.startswith("│ ")]
    assert len(sample) == SAMPLE_AT_END - 1
    assert sample[-1].endswith("…")
    if ends:
        assert text.index("sample at") < text.index("90 steps in 2:05")


def test_plain_lines_have_no_samples() -> None:
    out = io.StringIO()
    sink = PlainLines(Console(file=out))
    for event in (*ALL, ENDED):
        sink(event)
    assert "sample" not in out.getvalue()


class Terminal(pyte.Screen):
    """An emulated terminal; `reflows` says whether it breaks lines anew when it is resized."""

    def __init__(self, columns: int, lines: int, reflows: bool) -> None:
        super().__init__(columns, lines)
        self.reflows = reflows
        self.stream = pyte.Stream(self)

    def write(self, text: str) -> None:
        self.stream.feed(text.replace("\n", "\r\n"))

    def shape(self, columns: int, lines: int) -> None:
        """Resizes: the cursor stays with its character; a terminal that does not reflow cuts."""
        rows = [row.rstrip() for row in self.display]
        wide = columns if self.reflows else self.columns
        cut = [[row[i : i + wide] for i in range(0, len(row), wide)] or [""] for row in rows]
        at = sum(map(len, cut[: self.cursor.y]))
        pieces = [piece[:columns] for row in cut for piece in row]
        while len(pieces) > at + 1 and not pieces[-1]:
            pieces.pop()
        # those at the top go to the history
        hidden = max((len(pieces) if self.reflows else at + 1) - lines, 0)
        self.resize(lines, columns)
        self.reset()
        for number, piece in enumerate(pieces[hidden : hidden + lines]):
            self.cursor_position(number + 1, 1)
            self.draw(piece)
        self.cursor_position(max(at - hidden, 0) + 1, 1)


@pytest.mark.parametrize("reflows", [True, False])
def test_a_resized_window_shows_one_whole_frame_and_no_debris(reflows: bool) -> None:
    terminal = Terminal(120, 30, reflows)
    shown = view((), 120, 30, starts=True)
    shown._console.file = type(
        "Out", (io.StringIO,), {"write": lambda _, text: terminal.write(text)}
    )()
    for event in ALL:
        shown(event)
    for width, height in ((120, 30), (50, 30), (120, 30), (60, 16), (41, 40), (80, 24), (80, 12)):
        terminal.shape(width, height)
        shown._console.size = (width, height)
        for event in (None, replace(EVALUATED, step=46), None):
            if event:
                shown(event)
            else:
                shown._area.draw()
            rows = [row.rstrip() for row in terminal.display]
            top = terminal.cursor.y
            drawn = [line.rstrip() for line in drawn_by(shown)]
            assert rows[top : top + len(drawn)] == drawn
            assert not any(rows[top + len(drawn) :])
            assert not FRAME.search("".join(rows[:top])), (width, height)
            if event:
                assert any("validation 1.500" in row for row in rows[:top])
    shown.close()
    assert not FRAME.search("".join(terminal.display).replace("│ ", ""))
    assert any(row.startswith("sample at step 45") for row in terminal.display)


def test_a_line_that_is_too_long_takes_one_line_of_the_screen() -> None:
    terminal = Terminal(50, 30, False)
    shown = view(ALL, 100, 30)  # the window has become narrower since the size was asked for
    shown._console.file = type(
        "Out", (io.StringIO,), {"write": lambda _, text: terminal.write(text)}
    )()
    shown._console.push_render_hook(shown._area)
    for _ in range(3):
        shown._area.draw()
    assert sum("loss, nats" in row for row in terminal.display) == 1
    assert terminal.cursor.y == 0


def test_two_threads_do_not_render_at_once() -> None:
    """A chart is drawn with global state; one thread redraws while another prints."""
    rendering, most = [], []

    def render() -> str:
        rendering.append(1)
        time.sleep(0.002)
        most.append(len(rendering))
        rendering.pop()
        return "frame"

    console = Console(file=io.StringIO(), force_terminal=True, width=80, height=24)
    area = LiveArea(console, render)
    area._redraw = lambda: None
    area.start()

    def prints() -> None:
        for _ in range(20):
            console.print("line")

    threads = [Thread(target=prints) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    area.stop()
    assert most == [1] * 60


def test_in_the_background_only_lines_are_printed(monkeypatch: pytest.MonkeyPatch) -> None:
    out = io.StringIO()
    shown = view(ALL, 80, 24, out)
    shown._console.push_render_hook(shown._area)
    monkeypatch.setattr(live_area, "is_in_foreground", lambda _: False)
    before = len(out.getvalue())
    shown._area.draw()
    shown(EVALUATED)
    words = " ".join(out.getvalue()[before:].split())
    assert words == "step 45 1:01 training 2.100 validation 1.500 nats, 2.164 bits best"


def test_a_terminal_that_cannot_move_its_cursor_gets_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    kinds = []
    for term in ("xterm", "dumb"):
        monkeypatch.setenv("TERM", term)
        kinds.append(type(make_console_sink(lambda: None)))
    assert kinds == [LiveView, PlainLines]


SUSPEND = """
import os, signal
from charrnn.system.signals import before_suspension
end = before_suspension(lambda: print("acted", flush=True))
for _ in range(2):
    os.kill(os.getpid(), signal.SIGTSTP)
    print("resumed", flush=True)
end()
print(signal.getsignal(signal.SIGTSTP) is signal.SIG_DFL, flush=True)
"""


def test_what_is_done_before_every_suspension() -> None:
    with subprocess.Popen([sys.executable, "-c", SUSPEND], stdout=subprocess.PIPE) as process:
        assert process.stdout
        said = b""
        while piece := _next(process):
            said += piece
    assert said.split() == [b"acted", b"resumed", b"acted", b"resumed", b"True"]


def _next(process: subprocess.Popen[bytes]) -> bytes:
    assert process.stdout
    while not select.select([process.stdout], [], [], 0.05)[0]:
        process.send_signal(signal.SIGCONT)
    return os.read(process.stdout.fileno(), 100)


def test_the_curve_is_thinned_to_a_bounded_number_of_points() -> None:
    losses, mean, weight = LossCurves(), 0.0, 0.0
    for step in range(1, 5 * MAX_POINTS):
        losses.add(replace(STEPPED, step=step, nats_per_character=1 / step))
        mean = SMOOTHING * mean + (1 - SMOOTHING) / step
        weight = SMOOTHING * weight + 1 - SMOOTHING
    steps = [step for step, _ in losses._training]
    assert MAX_POINTS / 2 <= len(steps) <= MAX_POINTS
    assert steps[0] == 1
    assert len({*map(int.__sub__, steps[1:], steps)}) == 1
    assert losses.smoothed == pytest.approx(mean / weight)


def test_steps_after_a_rollback_are_dropped() -> None:
    losses = LossCurves()
    for event in (*STEPS, replace(EVALUATED, step=30), EVALUATED, RolledBack(30, "back.")):
        losses.add(event)
    assert [step for step, _ in losses._training] == list(range(1, 31))
    assert [step for step, _ in losses._validation] == [30]


def test_the_chart_of_a_resumed_run_begins_with_its_past(trained: Path) -> None:
    shutil.copytree(trained, "again")
    run = resumed_run("again", [], {"max_steps": 80})
    past = logged(run)
    run.directory.release()
    assert past
    assert [past.steps[0].step, past.steps[-1].step] == [1, 60]
    chart = _chart_of(past)
    assert re.search(r"\b20\b.*\b40\b.*\b60\b", chart)
    Path("again/metrics.jsonl").unlink()
    assert logged(run) is None
    assert "60" not in _chart_of(None)


def _chart_of(past: RunLog | None) -> str:
    shown = LiveView(Console(file=io.StringIO(), width=80, height=40), past)
    for step in (61, 62):
        shown._progress.losses.add(replace(STEPPED, step=step))
    return (
        str(shown._progress.losses.chart(70, 15))
        .splitlines()[-1]
        .replace("61", "")
        .replace("62", "")
    )


def test_losses_that_are_not_finite_do_not_spoil_the_curve() -> None:
    losses = LossCurves()
    for event in (*STEPS, *(replace(STEPPED, nats_per_character=x) for x in (float("nan"), 1e999))):
        losses.add(event)
    assert losses.smoothed < 10
    assert losses.chart(80, 10)


@pytest.mark.parametrize("width", [50, 60, 80])
def test_messages_on_a_terminal_wrap_between_words_but_for_commands(
    width: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    message = "it is complete, with words enough for several lines of a narrow terminal window; "
    hint = message + 'resume with: `train(resume="runs/farrow quay", max_steps="6000")` or not.'
    say_message("hint", hint)
    whole = capsys.readouterr().err
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    monkeypatch.setenv("COLUMNS", str(width))
    say_message("hint", hint)
    wrapped = capsys.readouterr().err
    assert wrapped.split() == whole.split()
    command = "charrnn train --resume 'runs/farrow quay' --max-steps 6000"  # to be copied as one
    assert command in wrapped
    assert max(map(len, wrapped.replace(command, "").splitlines())) <= width
    assert all(line.startswith("       ") for line in wrapped.splitlines()[1:])


def test_a_run_in_a_terminal(text_file: Path, tmp_path: Path) -> None:
    """From its first line to its end, in a terminal of 60 columns."""
    import pty

    arguments = ["train", str(text_file), *TINY, "--max-steps", "300", "--out", "run"]
    child, terminal = pty.fork()
    if not child:
        environment = {**os.environ, "COLUMNS": "60", "LINES": "24", "TERM": "xterm"}
        command = [sys.executable, "-m", "charrnn", *arguments]
        os.execve(sys.executable, command, environment | {"PYTHONPATH": os.pathsep.join(sys.path)})
    screen = Terminal(60, 60, False)
    stream = pyte.ByteStream(screen)
    seen = _until_end(terminal, stream.feed)
    _, status = os.waitpid(child, 0)
    assert status == 0
    rows = [row.rstrip() for row in screen.display if row.strip()]
    text = "\n".join(rows)
    assert "━" not in text
    assert b"loss, nats per character" in seen
    for words in ("sample at step 300", "300 steps in", "this network", "n-gram", "uniform"):
        assert text.count(words) >= 1
    assert rows[-1] == "run/checkpoints/best.safetensors"
    assert text.count("sample at step") == 1


def _until_end(terminal: int, feed: Callable[[bytes], None]) -> bytes:
    seen = b""
    while True:
        try:
            piece = os.read(terminal, 65536)
        except OSError:
            return seen
        if not piece:
            return seen
        seen += piece
        feed(piece)
