"""Figures: labels that never overlap, heat maps, bars in text."""

from itertools import pairwise
from xml.etree import ElementTree

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.text import Text
from numpy.random import default_rng

from charrnn.report.bars import log_bars
from charrnn.report.figures import drawing, finish, heat_map, label_lines, new_figure, shades
from charrnn.report.line_ends import apart, visible_end

BOX = np.array([0.0, 0.0, 10.0, 5.0])


def texts_of(panel: Axes) -> list[Text]:
    """The titles and labels of a panel and the texts in and beside it."""
    own = [*panel.texts, panel.title, panel.xaxis.label, panel.yaxis.label]
    return [text for text in own if text.get_text()]


def assert_apart(figure: Figure, texts: list[Text]) -> None:
    """Draws a figure; no two of its texts overlap, and all are inside it."""
    figure.draw_without_rendering()
    boxes = [Text.get_window_extent(text) for text in texts]
    for number, box in enumerate(boxes):
        inside = figure.bbox.padded(1)
        assert inside.contains(box.x0, box.y0), texts[number]
        assert inside.contains(box.x1, box.y1), texts[number]
        for other, its_box in zip(texts[:number], boxes[:number], strict=True):
            assert not box.padded(-0.5).overlaps(its_box.padded(-0.5)), (texts[number], other)


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("scale", ["linear", "log"])
def test_labels_of_lines_never_overlap(seed: int, scale: str) -> None:
    """Of lines that coincide, leave the panel, end early, or have nothing to show."""
    random = default_rng(seed)
    figure, panels = new_figure(2, "lines", height=3)
    for panel in panels:
        curves = [rate ** np.arange(random.integers(2, 40)) for rate in random.uniform(0.5, 1.6, 5)]
        curves += [curves[0], np.full(9, np.nan), np.zeros(5), np.ones(3)]
        colors = shades(len(curves))
        lines = [
            panel.plot(curve, color=color)[0] for curve, color in zip(curves, colors, strict=True)
        ]
        label_lines(panel, [(line, f"line {n}\nof mine" if n % 3 else "$_{") for n, line in
                            enumerate(lines)])  # fmt: skip
        panel.set_yscale(scale)
        panel.set_ylim(0.1, 10)
        finish(panel, "title", "x", "y")
        assert [text.get_color() for text in panel.texts] == colors
    assert_apart(figure, [text for panel in panels for text in texts_of(panel)])


def test_a_label_is_at_the_end_of_its_line() -> None:
    figure, (panel,) = new_figure(1, None)
    lines = [panel.plot([5, 9], [0, end])[0] for end in (1, 3, 2)] + [panel.axhline(2.5)]
    label_lines(panel, [(line, "label") for line in lines])
    figure.draw_without_rendering()
    boxes = [Text.get_window_extent(text) for text in panel.texts]
    centres = panel.transData.inverted().transform(
        [(box.x0, (box.y0 + box.y1) / 2) for box in boxes]
    )
    np.testing.assert_allclose(centres[:, 1], [1, 3, 2, 2.5], atol=0.05)
    assert (centres[:, 0] > panel.get_xlim()[1]).all()
    assert all(text.arrow_patch.get_window_extent().width > 5 for text in panel.texts)  # the rule


@given(
    wanted=st.lists(st.floats(-10, 110), min_size=1, max_size=8),
    height=st.floats(1, 20),
)  # fmt: skip
def test_labels_move_apart_and_stay_in_order(wanted: list[float], height: float) -> None:
    centres = apart(np.array(wanted), np.full(len(wanted), height), 0, 100)
    order = np.argsort(centres)
    for one, other in pairwise(order):
        assert centres[other] - centres[one] >= height - 1e-9
        assert round(wanted[one]) <= round(wanted[other])
    if len(wanted) * height <= 100:
        assert centres.min() >= height / 2 - 1e-9
        assert centres.max() <= 100 - height / 2 + 1e-9
    else:
        assert (centres.min() + centres.max()) / 2 == pytest.approx(50)


def test_labels_move_as_little_as_possible() -> None:
    heights = np.full(3, 10.0)
    np.testing.assert_allclose(apart(np.array([80.0, 20, 50]), heights, 0, 100), [80, 20, 50])
    np.testing.assert_allclose(apart(np.array([50.0, 20, 50]), heights, 0, 100), [55, 20, 45])
    np.testing.assert_allclose(apart(np.array([99.0, 20, 99]), heights, 0, 100), [95, 20, 85])


@pytest.mark.parametrize(
    ("points", "end"),
    [
        ([(0, 1), (10, 2)], (10, 2)),
        ([(0, 1), (4, 2)], (4, 2)),
        ([(0, 0), (10, 10)], (5, 5)),
        ([(0, 4), (8, -4)], (4, 0)),
        ([(0, 1), (5, 2), (6, np.nan), (7, np.inf)], (5, 2)),
        ([(-5, -5), (15, 15)], (5, 5)),
        ([(0, 8), (10, 9)], (10, 5)),
        ([(0, 1), (2, 9), (4, 1), (6, 9)], (5, 5)),
        ([(3, 2)], (3, 2)),
        ([], (10, 0)),
    ],
)
def test_the_visible_end_of_a_line(points: list, end: tuple[float, float]) -> None:
    found = visible_end(np.array(points, dtype=float).reshape(-1, 2), BOX)
    np.testing.assert_allclose(found, end)


@pytest.mark.parametrize("count", [1, 2, 4, 16])
def test_shades_darken_and_are_readable_on_white(count: int) -> None:
    from matplotlib.colors import to_rgb

    channels = np.array([to_rgb(color) for color in shades(count)])
    linear = np.where(channels <= 0.03928, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4)
    luminance = linear @ (0.2126, 0.7152, 0.0722)  # of WCAG 2, as is the contrast
    assert (1.05 / (luminance + 0.05) >= 3).all()
    assert (np.diff(luminance) < 0).all()


def test_a_heat_map_numbers_its_cells_and_leaves_nan_white() -> None:
    matrix = np.array([[0.001, np.nan], [-4.0, 2.0]])
    figure, (panel,) = new_figure(1, None)
    heat_map(panel, matrix, title="t", x="x", y="y", label="l", row_labels="a$", signed=True)
    assert_apart(figure, list(panel.texts))
    assert [text.get_text() for text in panel.texts] == ["0.001", "-4", "2"]
    assert [label.get_text() for label in panel.get_yticklabels()] == ["a", "$"]
    (image,) = panel.images
    assert image.get_clim() == (-4, 4)
    assert image.to_rgba(matrix)[0, 1, 3] == 0
    middle = image.to_rgba(np.zeros((1, 1)))[0, 0]
    np.testing.assert_allclose(middle, 1, atol=0.05)


@pytest.mark.parametrize("log", [False, True])
@pytest.mark.parametrize("matrix", [np.zeros((2, 3)), np.full((1, 1), np.nan), np.ones((3, 2)),
                                    default_rng(0).random((72, 90))])  # fmt: skip
def test_heat_maps_of_any_matrix(matrix: np.ndarray, log: bool) -> None:
    figure, (panel,) = new_figure(1, None)
    rows = [chr(ord("0") + n) for n in range(len(matrix))]
    heat_map(panel, matrix, title="t", x="x", y="y", label="l", row_labels=rows, log=log)
    figure.draw_without_rendering()
    assert len(panel.get_yticks()) <= 40
    assert len(panel.texts) == (np.isfinite(matrix).sum() if matrix.size <= 100 else 0)


@given(decades=st.lists(st.floats(-6, 12), min_size=1, max_size=9), width=st.integers(16, 60))
def test_bars_grow_with_their_values_and_mark_1(decades: list[float], width: int) -> None:
    values = np.array([1.0, 0.0, *(10**decade for decade in decades)])
    heading, bars = log_bars(values, width)
    assert {len(bar) for bar in bars} | {len(heading.rstrip())} == {width}
    (mark,) = {bar.index("│") for bar in bars}
    assert heading[mark] == "1"
    assert bars[0] == "█" * mark + "│" + " " * (width - 1 - mark)
    assert bars[1].strip() == "│"
    lengths = [sum(c in "█→" for c in bars[n]) for n in np.argsort(values)]
    assert lengths == sorted(lengths)


def test_bars_of_known_values() -> None:
    heading, bars = log_bars(np.array([1, 0.1, 100, 0.001]), 16)
    assert heading == "10⁻³     1   10²"
    assert bars == ["█████████│      ", "██████   │      ", "█████████│██████", "         │      "]
    assert log_bars(np.array([1, 1e9]), 16)[1][1] == "█████│█████████→"


TITLES = [
    "a\x1b[31mred\x07", "\u202egnp", "山の上 🙂", "inv\udcff", "$x^2 \\frac{", "\x01\x7f\x9b",
    "\ufffe", "x" * 3000, "<b>&amp; -- \"q\"", " ",
]  # fmt: skip


@pytest.mark.parametrize("title", TITLES)
def test_any_title_is_drawn(tmp_path, title) -> None:
    """As XML that is well formed, without controls, and in a figure of sound proportions."""
    path = tmp_path / "plot.svg"
    figure, panels = new_figure(1, title)
    finish(panels[0], title[:9], title[:9], title[:9])
    drawing(str(path))(figure)
    ElementTree.parse(path)
    content = path.read_bytes().decode()
    assert not set("\x1b\x07\x9b\u202e\ufffe") & set(content)
    for suffix in ("png", "pdf"):
        drawing(f"plot.{suffix}")(figure)
