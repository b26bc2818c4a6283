"""Results and runs in a notebook: sound HTML, the facts of the terminal, one display per run."""

import base64
import io
import re
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable
from copy import deepcopy
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

import charrnn
from charrnn.commands.curves import group_by_config, load_runs
from charrnn.commands.evaluate import Evaluation
from charrnn.commands.explain import TOPICS, explain
from charrnn.commands.gradcheck import check_gradients
from charrnn.commands.gradflow import gradient_flow
from charrnn.commands.inspect import inspect_checkpoint, inspect_text
from charrnn.commands.report import report_runs
from charrnn.commands.runs import list_runs
from charrnn.commands.sample import Sampler
from charrnn.commands.train import new_run
from charrnn.commands.units import describe_units
from charrnn.events import Noted, RunEnded, Sampled, Stepped
from charrnn.report import html, notebook
from charrnn.report.explanation import print_explanation
from charrnn.report.flow_tables import print_gradient_flow
from charrnn.report.gradient_table import print_gradient_table
from charrnn.report.html import html_of
from charrnn.report.inspection import print_model_report
from charrnn.report.notebook import NotebookSink
from charrnn.report.novelty import print_novelty
from charrnn.report.run_table import print_runs
from charrnn.report.score_table import print_score
from charrnn.report.svg_charts import Chart, Line, draw_chart
from charrnn.report.unit_tables import print_units
from charrnn.results import (
    CharacterScores,
    Displayed,
    Generated,
    ModelSummary,
    RunList,
    Samples,
    show_with,
)
from charrnn.sweeps.summary import summarize_study
from charrnn.system.escaping import DIRECTIONS
from charrnn.system.notebook import in_notebook
from tests.conftest import TINY_SETTINGS
from tests.notebook import execute, stored
from tests.pages import PAYLOADS, hostile_run
from tests.runs import train
from tests.studies import study_of

VOID = {"img", "br", "hr", "meta", "link", "input"}
ALLOWED = {"div", "style", "p", "span", "b", "code", "pre", "table", "thead", "tbody", "tr", "th"}
ALLOWED |= {"td", "img"}
NUMBER = re.compile(r"\d+(?:,\d{3})*(?:\.\d+)?(?:e[+-]\d+)?")
XHTML, SHAPES = "{http://www.w3.org/1999/xhtml}", ("svg", "line", "text", "path", "rect", "circle")
HOSTILE = "".join((*PAYLOADS, "\x1b[31mred\x07\x00", "`code`", "m" * 500))


class Fragment(HTMLParser):
    """A piece of HTML: its text, elements and images; whatever a result must not have fails."""

    def __init__(self, piece: str) -> None:
        super().__init__()
        self.text, self.open, self.images = "", list[str](), list[str]()
        self.feed(piece)
        self.close()
        assert not self.open, self.open

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        assert tag in ALLOWED, tag
        for name, value in attributes:
            assert name in {"class", "style", "title", "src", "alt", "width", "height"}, name
            if name == "src":
                assert value
                assert value.startswith("data:image/svg+xml;base64,")
                self.images.append(base64.b64decode(value.partition(",")[2]).decode())
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag
        self.text += "\n"

    def handle_data(self, data: str) -> None:
        if self.open[-1] != "style":
            self.text += data


def read(piece: str) -> Fragment:
    """A piece of HTML that is sound: balanced, harmless, with no reference to anything outside."""
    found = Fragment(piece)
    assert piece.startswith('<div class="charrnn">')
    assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]", piece)
    assert not any(chr(code) in piece for code in DIRECTIONS)
    assert "url(" not in piece
    assert "@import" not in piece
    for image in found.images:
        drawn = ElementTree.fromstring(image)
        assert {element.tag.rpartition("}")[2] for element in drawn.iter()} <= {
            "svg", "foreignObject", "div", "style", "span", "i", "line", "text", "path", "rect",
            "circle", "title",
        }  # fmt: skip
        assert not [e.tag for e in drawn.iter() if e.tag in map(XHTML.__add__, SHAPES)]
        assert "://" not in image.replace("http://www.w3.org/", "")
    return found


@pytest.fixture(scope="module")
def results(trained: Path, stacked: Path, text_file: Path) -> dict[str, Any]:
    """A result of each kind."""
    names = [str(trained), str(stacked)]
    runs = load_runs(names)
    found: dict[str, Any] = {
        "check": check_gradients(None, None, [], None, [], None, 1)[0],
        "flow": gradient_flow(names[0], None, [], None, 8, False, 0.1, 1)[0],
        "layers": gradient_flow(names[1], None, [], None, 8, False, None, 1)[0],
        "activations": gradient_flow(None, None, TINY_SETTINGS[:1], None, 8, True, None, 1)[0],
        "texts": charrnn.texts(),
        "runs": list_runs(str(trained.parent)),
        "history": runs[0],
        "group": group_by_config(runs)[0],
        "summary": runs[0].summary,
        "text": inspect_text(None, TINY_SETTINGS, {"data": {"text": [str(text_file)]}})[0],
        "model": inspect_checkpoint(names[0]),
        "units": describe_units(names[0], [str(text_file)], passage=200)[0],
        "score": Evaluation(names[0], [str(text_file)]).score(),
        "characters": Evaluation(names[0], [str(text_file)]).characters(300),
        "gradient": charrnn.load(names[0]).gradient("The keeper went up\n"),
        "report": report_runs(names, playable=False)[0],
    }
    for topic in TOPICS:
        found[topic] = explain(topic)[0]
    for part in explain("terms")[0].parts:
        found[f"part {part.kind}"] = part
    found["part curves"] = next(p for p in found["vanishing"].parts if p.kind == "curves")
    sampler = Sampler(names[0], prime="The ", length=60, temperature=[0.0, 1.0], novelty=True)
    found["samples"] = sampler.samples(2)
    found["generated"] = found["samples"].generated[0]
    found["novelty"] = found["samples"].novelty
    found["run"] = found["report"].run
    found["sweep"] = summarize_study(study_of(count=12), "sweeps/try")
    found["loaded"] = ModelSummary("a model", "tanh", 1, 16, 999, ("a", "\n"), (), 99, "lines", 7)
    return found


def test_every_kind_of_result_has_a_display(results: dict[str, Any]) -> None:
    shown = {type(result) for result in results.values()}
    kinds = {kind for kind in Displayed.__subclasses__() if kind.__module__ != "charrnn.library"}
    assert shown == set(html.PARTS) == kinds


def test_displays_are_sound(results: dict[str, Any]) -> None:
    for name, result in results.items():
        piece = html_of(result)
        assert read(piece).text.strip(), name
        assert len(piece) < 100_000, name


@pytest.mark.parametrize(
    ("name", "show"),
    [
        ("check", print_gradient_table),
        ("flow", print_gradient_flow),
        ("layers", print_gradient_flow),
        ("activations", print_gradient_flow),
        ("runs", print_runs),
        ("model", print_model_report),
        ("units", print_units),
        ("score", print_score),
        ("novelty", print_novelty),
        ("softmax", print_explanation),
        ("output", print_explanation),
    ],
)
def test_a_display_has_the_numbers_of_the_terminal(
    results: dict[str, Any], capsys: pytest.CaptureFixture[str], name: str, show: Callable
) -> None:
    show(results[name])
    printed = re.sub(r"10⁻³.*", "", capsys.readouterr().out)  # the scale of bars
    shown = read(html_of(results[name])).text
    assert len(NUMBER.findall(printed)) > 10
    assert set(NUMBER.findall(printed)) <= set(NUMBER.findall(shown))


def test_a_run_is_judged_as_on_its_page(results: dict[str, Any]) -> None:
    run = results["run"]
    found = read(html_of(run))
    best = min(e.validation_nats_per_character for e in run.log.evaluations)
    assert run.assessment.reason in found.text
    assert f"{best / np.log(2):.3g}" in found.text
    assert run.log.samples[-1].text.strip() in found.text
    assert "held-out" in found.images[0]
    assert "5-gram counts" in found.images[0]


def test_colours_and_titles_are_those_of_the_surprisal(results: dict[str, Any]) -> None:
    scores = results["characters"]
    piece = html_of(scores)
    spans = re.findall(r'<span class="b(\d)"(?: title="([^"]*)")?>([^<&]+)</span>', piece)
    assert "".join(text for _, _, text in spans).replace("↵", "") == scores.text
    for (shade, title, _), nats, rank in zip(spans, scores.nats, scores.ranks, strict=True):
        if rank:
            assert int(shade) == min(round(nats / np.log(2)), 8)
            assert title.startswith(f"{nats / np.log(2):.1f} bits, number {rank}; expected: ")
    assert f"{np.nanmean(scores.nats) / np.log(2):.4f} bits per character" in piece


def test_hostile_texts_and_names_are_shown_as_text(tmp_path: Path, results: dict[str, Any]) -> None:
    run = hostile_run(tmp_path)
    name = str(run)
    text = str(next(run.parent.glob("*.txt")))
    (history,) = load_runs([name])
    scored = Evaluation(name, [text])
    sampler = Sampler(name, prime="<script>", length=40, temperature=1.0)
    generated = replace(results["generated"], text=HOSTILE)
    for result in (
        report_runs([name], playable=False)[0],
        history,
        history.summary,
        RunList(name, (history.summary,), (HOSTILE,)),
        inspect_checkpoint(name),
        scored.characters(500),
        sampler.samples(1),
        generated,
        replace(results["samples"], texts=(HOSTILE,) * 3, prime=HOSTILE[:9]),
        replace(results["run"], label=HOSTILE),
        replace(results["loaded"], name=HOSTILE, alphabet=tuple(HOSTILE), texts=(HOSTILE,)),
        replace(results["check"], checked=replace(results["check"].checked, model=HOSTILE)),
        replace(results["flow"], model=HOSTILE),
        explain("forward", text="<b>&\u202e\x1b[31m")[0],
        SimpleNamespace(name=HOSTILE),
    ):
        found = read(html_of(result))
        assert "<" in found.text or "&" in found.text, result


def test_sizes_are_bounded_and_what_is_left_out_is_said() -> None:
    size = 10**6
    text = "a<\n" * (size // 3) + "a"
    scores = CharacterScores(
        text, np.full(size, 3.0), np.ones(size, int), np.zeros((size, 5), int),
        np.full((size, 5), 0.2), ("a", "<", "\n"),
    )  # fmt: skip
    one = Generated(1.0, text, np.zeros(size), 1.5)
    samples = Samples("run", "", 1, (text,) * 40, (one,) * 40, (40,))
    for result, left in (
        (scores, "998,000 characters more"),
        (samples, "10 texts"),
        (one, "980,0"),
    ):
        piece = html_of(result)
        assert len(piece) < 300_000
        assert left in read(piece).text, left
        printed = io.StringIO()
        result._repr_pretty_(SimpleNamespace(text=printed.write), False)
        assert 0 < len(printed.getvalue()) <= 1001


def test_a_result_is_shown_by_its_repr_unless_a_renderer_is_set(results: dict[str, Any]) -> None:
    score = results["score"]
    show_with(None)
    try:
        assert score._repr_html_() is None
    finally:
        show_with(html_of)
    assert score._repr_html_() == html_of(score)


class Screen:
    """A display that keeps what it showed."""

    def __init__(self) -> None:
        self.displays, self.shown = 0, list[dict[str, str]]()

    def __call__(self, data: dict[str, str]) -> "Screen":
        self.displays += 1
        self.shown.append(data)
        return self

    def update(self, data: dict[str, str], *, raw: bool) -> None:
        assert raw
        self.shown.append(data)


def make_run(folder: Path, steps: int = 60):
    return new_run(None, [*TINY_SETTINGS, f"training.max_steps={steps}"], {}, str(folder / "run"))


def test_a_run_has_one_display_with_its_last_state(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(notebook, "SECONDS_PER_UPDATE", 0)
    screen, events = Screen(), []
    train(make_run(tmp_path), [events.append, NotebookSink(display=screen)])
    assert screen.displays == 1
    assert len(screen.shown) > 60
    assert "0:0" in screen.shown[40]["text/html"]  # the time left
    assert "<svg" in screen.shown[40]["text/html"]  # an image would flicker
    last = screen.shown[-1]
    found = read(last["text/html"])
    step, sample, ended = (
        next(e for e in reversed(events) if isinstance(e, kind))
        for kind in (Stepped, Sampled, RunEnded)
    )
    for fact in (
        "100%",
        f"{step.step:,}, epoch {step.epoch:.2f}",
        f"{step.gradient_norm:.3f} before clipping",
        f"{step.learning_rate:.2e}",
        f"{ended.characters_per_second:,.0f} characters/s",
        f"sample at step {sample.step}",
        sample.text.strip(),
    ):
        assert fact in found.text
    assert "validation" in found.images[0]
    assert "n-gram" in found.images[0]
    assert f"{ended.steps} steps" in last["text/plain"]
    assert "<" not in last["text/plain"]


def test_updates_are_seldom_and_their_size_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = 100.0
    monkeypatch.setattr(notebook, "monotonic", lambda: clock)
    screen = Screen()
    sink = NotebookSink(display=screen)
    for step in range(1, 20_001):
        clock += 0.001
        sink(Stepped(step, 0.1, step / 20_000, 2.5, 1.0, {}, False, 0.0, 1e-3, 0, 9, 1e5, clock))
        if step % 100 == 0:
            sink(Sampled(step, "<&" * 10**5))
            sink(Noted(step, f"`clip=1` {step} " + "x" * 10**5))
    assert 20 / notebook.SECONDS_PER_UPDATE * 0.9 < len(screen.shown) <= 51
    assert max(len(data["text/html"]) for data in screen.shown) < 60_000
    sink.close()
    sink.close()
    assert screen.shown[-1]["text/plain"].startswith("stopped after step 20,000")
    assert len(screen.shown) <= 52
    assert "stopped after step 20,000" in read(screen.shown[-1]["text/html"]).text


def test_a_display_that_fails_does_not_stop_the_run(tmp_path: Path) -> None:
    def fail(data: dict[str, str]) -> Screen:
        raise RuntimeError("no kernel")

    events: list = []
    ended = train(make_run(tmp_path, 5), [NotebookSink(display=fail), events.append])
    assert ended.steps == 5
    assert any(isinstance(e, Noted) and "no kernel" in e.note for e in events)


def test_a_notebook_is_told_from_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    def ipython(shell: object) -> SimpleNamespace:
        return SimpleNamespace(get_ipython=lambda: shell)

    for module, expected in (
        (None, False),
        (ipython(None), False),
        (ipython(SimpleNamespace()), False),  # IPython in a terminal
        (ipython(SimpleNamespace(kernel=object())), True),
    ):
        monkeypatch.setitem(sys.modules, "IPython", module)
        assert in_notebook() is expected


def test_ipython_is_not_imported_outside_a_notebook() -> None:
    script = (
        "import sys; from charrnn.report import html, notebook; "
        "from charrnn.system.notebook import in_notebook; "
        "notebook.NotebookSink(); html.html_of(1); in_notebook(); "
        "print([name for name in sys.modules if 'IPython' in name])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.stdout.strip() == "[]", done.stdout + done.stderr


def test_the_notebook_runs_and_what_it_stores_is_current() -> None:
    kept = stored()
    quick = deepcopy(kept)
    for cell in quick.cells:
        if cell.cell_type == "code":
            cell.outputs = []
        for slow, fast in (("max_steps=3000", "max_steps=60"), ("=128", "=16"), ("=5000", "=2600")):
            cell.source = cell.source.replace(slow, fast)
    execute(quick)
    for cell, other in zip(kept.cells, quick.cells, strict=True):
        if cell.cell_type != "code":
            continue
        assert cell.execution_count
        assert [kind(output) for output in cell.outputs] == [kind(one) for one in other.outputs]
        assert "error" not in {output.output_type for output in cell.outputs}
        if "same-everywhere" in cell.metadata.get("tags", ()):
            ((one,), (two,)) = cell.outputs, other.outputs
            # rounding errors, as of 3e-16, differ between machines
            texts = [
                re.sub(r"\d\.\de-1\d|0\.0e\+00", "", read(o.data["text/html"]).text)
                for o in (one, two)
            ]
            assert texts[0] == texts[1]


def kind(output: Any) -> tuple[str, ...]:
    """What a cell shows: the kind of an output, and its media types."""
    return output.output_type, *sorted(output.get("data", ()))


def test_training_leaves_one_display_in_the_notebook() -> None:
    (cell,) = (
        cell for cell in stored().cells if cell.get("outputs") and "charrnn.train(" in cell.source
    )
    ((display,),) = [cell.outputs]
    assert display.output_type == "display_data"
    found = read(display.data["text/html"])
    assert "100%" in found.text
    assert len(found.images) == 1


@pytest.mark.parametrize(
    ("curve", "kind"),
    [([4, 2, 1.1], "level left"), ([1, 2, 4], "level"), ([4, 3, 2], "level"), ([1, 1, 1], "level")],
)
def test_the_name_of_a_level_is_where_no_curve_is(curve: list[float], kind: str) -> None:
    line = Line("loss", np.arange(3.0), np.array(curve), "s1")
    drawn = ElementTree.fromstring(draw_chart(Chart("Loss", "step", "nats", (line,), {"best": 1})))
    (label,) = [text for text in drawn.iter("text") if text.text == "best"]
    assert label.get("class") == kind
    assert label.get("x") == ("0" if "left" in kind else "100%")
