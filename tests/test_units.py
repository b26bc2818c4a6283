"""What units follow: planted units are found, and the sums are those of NumPy's own functions."""

import io
import json
import re
import shutil
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from charrnn.analysis.unit_ranking import RankedUnits
from charrnn.analysis.unit_states import ReadText, predictions, states_in_order
from charrnn.analysis.units import SHIFTS, Correlations, Correlator
from charrnn.commands.units import describe_units, units_of_ids
from charrnn.errors import CharrnnError, UsageError
from charrnn.model.activations import ACTIVATIONS
from charrnn.model.initialization import initial_params
from charrnn.model.params import Params
from charrnn.model.rnn import states
from charrnn.report.coloured_text import print_unit
from charrnn.results import UnitCorrelation, UnitReport
from charrnn.setup.loading import load_model
from charrnn.text.features import features_of
from charrnn.text.text import Text
from tests.conftest import RHYME, TINY

TANH = ACTIVATIONS["tanh"]


def network(
    hidden_size: int, alphabet_size: int, gain: float = 1.0, layers: int = 1, seed: int = 0
) -> Params:
    random = np.random.default_rng(seed)
    return initial_params(random, hidden_size, alphabet_size, layers=layers, recurrent_gain=gain)


def prose(length: int, seed: int = 0) -> str:
    """Random words, some in parentheses, in lines."""
    random = np.random.default_rng(seed)
    words = []
    while sum(map(len, words)) < length:
        word = "".join(random.choice([*"aeinorst"], random.integers(1, 8)))
        words.append(
            random.choice([word + " ", f"({word} {word}) ", word + "\n"], p=[0.7, 0.2, 0.1])
        )
    return "".join(words)[:length]


def correlations(text: ReadText, features: np.ndarray, **options: int):
    correlator = Correlator(features, text.params.state_size)
    for block in states_in_order(text, **options):
        correlator.add(block)
    return correlator.result()


def test_planted_units_are_found() -> None:
    """One unit follows a letter, one its opposite, one remembers a bracket; one is constant."""
    text = Text.of(prose(6000))
    of = text.characters.index
    U, W, b = np.zeros((4, len(text.characters))), np.zeros((4, 4)), np.zeros(4)
    U[0, of("e")], b[0] = 12, -6
    U[1, of("t")], b[1] = -12, 6
    U[2, of("(")], U[2, of(")")], W[2, 2], b[3] = 9, -9, 3, 20
    params = Params.of(U=U, W=W, V=np.zeros((len(text.characters), 4)), b=b)
    features = features_of(text)
    found = correlations(ReadText(params, TANH, text.ids), features.values)
    for unit, name, expected in ((0, "'e'", 1), (1, "'t'", -1), (2, "inside ()", 1)):
        closest = np.abs(found.values[unit]).argmax()
        assert features.names[closest].endswith(name)
        assert found.values[unit, closest] == pytest.approx(expected, abs=0.01)
        assert abs(found.values[unit, closest]) > found.chance[closest]
    assert not found.values[3].any()


def test_a_random_feature_is_within_chance() -> None:
    text = Text.of(prose(3000))
    random = np.random.default_rng(0)
    quick, slow = random.standard_normal((2, 3000))
    features = np.stack([quick, slow.cumsum()], axis=1)
    read = ReadText(network(32, len(text.characters)), TANH, text.ids)
    found = correlations(read, features)
    assert (np.abs(found.values).max(axis=0) <= found.chance).all()
    assert (found.chance < 0.3).all()
    assert found.chance[1] > found.chance[0]  # what changes slowly correlates more by chance


def test_chance_is_the_largest_correlation_with_a_shifted_feature() -> None:
    random = np.random.default_rng(1)
    states, features = random.standard_normal((400, 5)), random.standard_normal((400, 3))
    correlator = Correlator(features, 5)
    correlator.add(states)
    shifted = [np.roll(features, -shift, axis=0) for shift in correlator.shifts]
    assert len({*correlator.shifts}) > SHIFTS / 2
    by_shift = [np.abs(np.corrcoef(states.T, part.T)[:5, 5:]).max(axis=0) for part in shifted]
    np.testing.assert_allclose(correlator.result().chance, np.max(by_shift, axis=0), rtol=1e-10)


@given(st.lists(st.integers(1, 200), max_size=6), st.floats(-10, 10), st.floats(0.1, 100))
def test_the_sums_are_numpys_correlation(cuts: list[int], offset: float, scale: float) -> None:
    """However the text is cut, and whatever the scale of a feature."""
    random = np.random.default_rng(len(cuts))
    features = random.standard_normal((200, 3))
    states = np.tanh(features @ random.standard_normal((3, 4)) + random.standard_normal((200, 4)))
    correlator = Correlator(scale * features + offset, 4)
    for block in np.split(states, sorted({cut for cut in cuts if cut < 200})):
        correlator.add(block)
    found = correlator.result()
    expected = np.corrcoef(states.T, features.T)[:4, 4:]
    np.testing.assert_allclose(found.values, expected, rtol=1e-6, atol=1e-6)


def test_permuted_units_have_permuted_correlations() -> None:
    text, order = Text.of(prose(1500)), np.random.default_rng(3).permutation(16)
    params = network(16, len(text.characters))
    permuted = Params.of(
        U=params.U[order], W=params.W[np.ix_(order, order)], V=params.V[:, order], b=params.b[order]
    )
    values = features_of(text).values
    first, second = (correlations(ReadText(p, TANH, text.ids), values) for p in (params, permuted))
    np.testing.assert_allclose(second.values, first.values[order], atol=1e-9)
    np.testing.assert_allclose(second.chance, first.chance, atol=1e-6)


def test_saturated_and_constant_units_follow_nothing() -> None:
    features = np.random.default_rng(0).standard_normal((1000, 2)).astype(np.float32)
    flicker = 1 - np.finfo(np.float32).eps * (features[:, :1] > 0)
    units = np.concatenate([np.full((1000, 1), 0.3), flicker, features[:, :1] > 0], axis=1)
    correlator = Correlator(features, 3)
    correlator.add(units.astype(np.float32))
    found = correlator.result()
    assert not found.values[:2].any()
    assert found.values[2, 0] > 0.7


@pytest.mark.parametrize("layers", [1, 2])
@pytest.mark.parametrize("gain", [0.9, 4.0])  # forgetful, and chaotic: lanes are run again
@pytest.mark.parametrize(
    "options", [{}, {"steps": 50, "context": 50}, {"steps": 64, "max_lanes": 3}]
)
def test_states_in_lanes_are_those_of_one_pass(layers: int, gain: float, options: dict) -> None:
    text = Text.of(prose(700))
    params = network(8, len(text.characters), gain, layers)
    zero = np.zeros((1, params.state_size))
    options = {"context": 32, **options}
    found = [*states_in_order(ReadText(params, TANH, text.ids), **options)]
    expected = states(params, text.ids[:, None], zero, TANH)[1:, 0]
    np.testing.assert_allclose(np.concatenate(found), expected, atol=1e-3 if gain > 1 else 1e-10)


def test_each_sequence_starts_from_the_zero_state() -> None:
    lines = ["ab", "", "bba", "a"]
    text = Text.of("".join(line + "\n" for line in lines))
    params, newline = network(6, 3, gain=1.5), text.characters.index("\n")
    read = ReadText(params, TANH, text.ids, newline)
    found = np.concatenate([*states_in_order(read, steps=4, context=2)])
    expected = []
    for line in lines:
        own = np.array([newline, *map(text.characters.index, line)])[:, None]
        h = states(params, own, np.zeros((1, 6)), TANH)[1:, 0]
        expected += [*h[1:], h[0]]  # a newline leaves the state in which the next line starts
    np.testing.assert_allclose(found, expected, atol=1e-12)


@pytest.mark.parametrize("delimited", [False, True])
def test_predictions_are_those_of_the_softmax(delimited: bool) -> None:
    text = Text.of(RHYME)
    params = network(8, len(text.characters))
    newline = text.characters.index("\n") if delimited else None
    read = ReadText(params, TANH, text.ids, newline)
    entropy, surprisal = predictions(read)
    h = np.concatenate([*states_in_order(read)])
    weights = np.exp(h @ params.V.T + params.c)
    p = weights / weights.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(entropy, -(p * np.log(p)).sum(axis=1), rtol=1e-9)
    expected = -np.log(p[np.arange(len(p) - 1), text.ids[1:]])
    np.testing.assert_allclose(surprisal[1:], expected, rtol=1e-9)
    if not delimited:
        assert surprisal[0] == pytest.approx(expected.mean())
    else:  # a line starts in the state that any newline leaves
        start = p[text.ids == newline][0]
        assert surprisal[0] == pytest.approx(-np.log(start[text.ids[0]]))


def test_a_report_has_the_states_of_its_passage(trained: Path, text_file: Path) -> None:
    report, notes = describe_units(str(trained), [str(text_file)], count=3, passage=100)
    text = text_file.read_text()
    assert (report.text, report.characters) == (text[:100], len(text))
    assert (report.depth, report.state_size, report.layers) == (1, 16, (1, 1, 1))
    assert any("unreliable" in note for note in notes)
    model = load_model(str(trained))
    ids = model.vocabulary.encode(Text.of(text))
    h = states(model.params, ids[:, None], np.zeros((1, 16), np.float32), model.activation)[1:, 0]
    np.testing.assert_allclose(report.states, h[:100, report.units], atol=1e-5)
    newline = np.array([character == "\n" for character in text])
    followed = {one.feature: one for one in report.features[0]}
    closest = {one.found.feature: one for one in report.followers}["newline"]
    expected = np.abs([np.corrcoef(unit, newline)[0, 1] for unit in h.T.astype(float)])
    assert closest.unit == expected.argmax()
    assert abs(closest.found.correlation) == pytest.approx(expected.max(), abs=1e-6)
    magnitudes = [abs(units[0].correlation) for units in report.features]
    assert magnitudes == sorted(magnitudes, reverse=True)
    assert len(followed) == len(report.features[0])


def test_those_beyond_chance_come_first() -> None:
    found = RankedUnits(
        ("a", "b"), Correlations(np.array([[0.5, 0.3], [0.1, -0.9]]), np.array([0.6, 0.2])), 2
    )
    assert [one.feature for one in found.followed_by(0)] == ["b", "a"]
    assert [one.significant for one in found.followed_by(0)] == [True, False]
    assert found.closest_units() == [1, 0]
    assert [(one.unit, one.layer) for one in found.followers()] == [(0, 1), (1, 1)]


def test_chosen_units_of_a_stack(stacked: Path, text_file: Path) -> None:
    report, _ = describe_units(str(stacked), [str(text_file)], chosen=(9, 0), passage=5)
    assert (report.units, report.layers, report.state_size) == ((9, 0), (2, 1), 16)
    assert report.states.shape == (5, 2)
    with pytest.raises(UsageError, match="unit 17 does not exist: the model has 16 units") as error:
        describe_units(str(stacked), [str(text_file)], chosen=(16,))
    assert "`show=unit:16`" in str(error.value.hint)


@pytest.mark.parametrize("sequences", ["lines", "documents"])
def test_sequences_start_afresh(charrnn, text_file: Path, sequences: str) -> None:
    text_file = shutil.copy(text_file, "own.txt")
    settings = [
        *TINY,
        "--set",
        f"data.sequences={sequences}",
        "--set",
        "data.validation_fraction=0",
    ]
    assert charrnn("train", text_file, *settings, "--max-steps", 3, "--out", "run").code == 0
    report, _ = describe_units("run", [text_file], chosen=range(16))
    delimiter = {"lines": "\n", "documents": "\x03"}[sequences]
    ends = [place for place, character in enumerate(report.text) if character == delimiter]
    model = load_model("run")
    start = np.tanh(
        model.params.U[:, model.vocabulary.characters.index(delimiter)] + model.params.b
    )
    for end in ends:
        np.testing.assert_allclose(report.states[end], start, atol=1e-6)
    assert len(ends) > 1 or report.characters > len(report.text)


def test_the_table_and_the_document_agree(charrnn, trained, text_file) -> None:
    table = charrnn("eval", trained, text_file, "--units", 4)
    document = json.loads(charrnn("eval", trained, text_file, "--units", 4, "--json").out)
    assert table.code == 0
    assert len(document["units"]) == 4
    rows = [line.split() for line in table.out.splitlines()]
    for unit, followed in zip(document["units"], document["features"], strict=True):
        feature, r = followed[0]["feature"], followed[0]["correlation"]
        assert any(
            row[:1] == [str(unit + 1)] and feature in " ".join(row) and f"{r:+.2f}" in " ".join(row)
            for row in rows
        )
    assert "\x1b" not in table.out


def test_characters_that_the_model_does_not_know(charrnn, trained, text_file) -> None:
    strange = Path("strange.txt")
    strange.write_text(text_file.read_text() + "é\n")
    assert charrnn("eval", trained, strange, "--units", 2).code == 3
    found = charrnn("eval", trained, strange, "--units", 2, "--unknown", "skip")
    assert found.code == 0
    assert "1 unknown character left out" in found.err


@pytest.mark.parametrize("text", ["th", "eeee", "\n\n"])
def test_a_text_that_says_nothing(charrnn, trained, text: str) -> None:
    Path("short.txt").write_text(text)
    found = charrnn("eval", trained, "short.txt", "--units", 2)
    assert found.code == 0
    assert f"{len(text)} characters are few" in found.err


@pytest.mark.parametrize("width", [80, 60, 50])
def test_the_tables_fit(charrnn, stacked, text_file, monkeypatch, width: int) -> None:
    whole = {*charrnn("eval", stacked, text_file, "--units", 8).out.split()}
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("COLUMNS", str(width))
    out = re.sub(r"\x1b\[[0-9;]*m", "", charrnn("eval", stacked, text_file, "--units", 8).out)
    assert max(map(len, out.splitlines())) <= width
    assert {word for word in out.split() if "─" not in word} <= whole


def test_a_text_in_the_colours_of_a_unit(charrnn, trained, text_file, monkeypatch) -> None:
    arguments = ("eval", trained, text_file, "--show", "unit:3", "--length", 60)
    plain = charrnn(*arguments)
    assert plain.out.startswith(text_file.read_text()[:60] + "\n")
    assert "\x1b" not in plain.out
    document = json.loads(charrnn(*arguments, "--json").out)
    assert (document["units"], document["names"]) == ([2], ["unit:3"])
    states, first = [row[0] for row in document["states"]], document["features"][0][0]
    assert f"{first['feature']} {first['correlation']:+.2f}" in " ".join(plain.out.split())
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("COLORTERM", "truecolor")
    found = charrnn(*arguments).out
    styles = re.findall(r"\x1b\[([0-9;]+)m([^\x1b])\x1b\[0m", found)[: len(states)]
    assert "".join(character for _, character in styles).replace("⏎", "\n") == document["text"]
    for (style, _), state in zip(styles, states, strict=True):
        red, _, blue = map(int, style.split(";")[-3:])
        if abs(state) > 0.11:
            assert (red > blue) == (state > 0), state


@pytest.mark.parametrize(
    ("lowest", "highest", "ends"),
    [(-1, 1, ("-1", "0.7–1")), (0, 1, ("0", "0.85–1")), (0, 20, ("0", "14–20"))],
)
def test_the_colours_span_what_the_activation_can_take(capsys, lowest, highest, ends) -> None:
    """Red is beyond the middle; for a ReLU beyond 0, where it rests."""
    follows = (UnitCorrelation("letter", 0.5, 0.1), UnitCorrelation("digit", 0.05, 0.1))
    states = np.array([[lowest], [highest], [(lowest + highest) / 2]])
    report = UnitReport(
        "abc", (4,), (2,), ("unit:5",), (follows,), states, lowest, highest, 3, 2, 8, (), ()
    )
    console = Console(file=io.StringIO(), force_terminal=True, width=200, color_system="truecolor")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("charrnn.report.coloured_text.table_console", lambda: console)
        print_unit(report)
    shown = console.file.getvalue()
    legend = re.findall(r"\x1b\[[0-9;]+m ([^\x1b]+) \x1b\[0m", shown)
    assert (legend[0], legend[-1]) == ends
    assert len(legend) == (4 if highest == 20 else 7)
    assert "unit 5 of 8, in layer 2 of 2: correlates with letter +0.50\n" in shown
    red = re.search(r"\x1b\[([0-9;]+)mb\x1b\[0m", shown)
    assert red is not None
    assert "175;0;0" in red[1]


@pytest.mark.parametrize(
    ("arguments", "problem", "hint"),
    [
        (["--show", "unit:0"], "unit 0 does not exist: the model has 16 units", "--show unit:1"),
        (["--show", "unit:17"], "unit 17 does not exist", "--show unit:16"),
        (["--show", "unit"], "--show unit is not a view", "--show unit:1"),
        (["--show", "suprisal"], "--show suprisal is not a view", "--show surprisal"),
        (["--units", 2, "--show", "unit:1"], "--units and --show unit:1 are both given", "once"),
        (
            ["--units", 2, "--block", 9],
            "--units and --block are both given",
            "run charrnn eval once",
        ),
        (["--show", "unit:1", "--dynamic", 0.1], "and --dynamic are both given", "once"),
        (["--units", 0], "a whole number of at least 1", ""),
    ],
)
def test_errors_name_what_is_nearest(charrnn, trained, text_file, arguments, problem, hint) -> None:
    found = charrnn("eval", trained, text_file, *arguments)
    assert (found.code, found.out) == (2, "")
    assert problem in " ".join(found.err.split())
    assert hint in " ".join(found.err.split())


@pytest.mark.parametrize("hidden", [False, True])  # by an upper layer that stays at 0
def test_states_that_overflow_are_an_error(stacked, text_file, hidden: bool) -> None:
    model = load_model(str(stacked))
    params = model.params.map(lambda flat: np.full_like(flat, 1e30))
    if hidden:
        params.layers[1].U[...], params.layers[1].W[...] = -1, 0
        params.layers[1].b[...], params.c[...] = 0, 0
    model = model._replace(params=params, activation=ACTIVATIONS["relu"])
    text = Text.of(text_file.read_text())
    with pytest.raises(CharrnnError, match="overflow"):
        units_of_ids(model, model.vocabulary.encode(text), text)
