"""`charrnn eval`: scores of characters, blocks, dynamic evaluation, baselines, colours."""

import csv
import json
import lzma
from collections import Counter
from dataclasses import replace
from io import StringIO
from math import log
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import example as given_example
from hypothesis import given
from hypothesis import strategies as st
from numpy.random import default_rng
from rich.cells import cell_len
from rich.console import Console

from charrnn.analysis.surprisal import surprisals, surprisals_of
from charrnn.analysis.unit_states import ReadText
from charrnn.commands.evaluate import Evaluation
from charrnn.errors import CharrnnError, UsageError
from charrnn.model.activations import ACTIVATIONS
from charrnn.model.initialization import initial_params
from charrnn.model.loss import softmax
from charrnn.model.rnn import logits, states
from charrnn.optim.clipping import make_clip
from charrnn.report import coloured_text
from charrnn.report.character_files import character_writer
from charrnn.report.text_lines import laid_out
from charrnn.results import CharacterScores
from charrnn.text.sequences import SEQUENCES
from charrnn.text.stream import block_windows
from charrnn.training.dynamic_evaluation import dynamic_score
from charrnn.units import BITS_PER_NAT
from tests.conftest import RHYME, TINY
from tests.scores import evaluate
from tests.test_narrow_terminals import ANSI

TANH = ACTIVATIONS["tanh"]
stream = SEQUENCES["stream"].scoring_windows
RANDOM = default_rng(5)
IDS = RANDOM.integers(0, 7, 400)
PARAMS = initial_params(RANDOM, 6, 7, layers=2, bias=True, dtype="float64")
WORDS = "The lamp in the sand.\nThe bell took back his hand,\nfar from the light."


@pytest.fixture(scope="module")
def of_lines(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The directory of a small run on separate lines."""
    from charrnn.cli import main

    folder = tmp_path_factory.mktemp("lines")
    (folder / "text.txt").write_text(RHYME * 6)
    settings = [*TINY, "--set", "data.sequences=lines", "--max-steps", "20"]
    out = folder / "run"
    assert main.run(["train", str(folder / "text.txt"), *settings, "--out", str(out)]) == 0
    return out


def dynamic(ids: np.ndarray, rate: float, segment: int = 16, clip: float = 1.0) -> float:
    steps = ReadText(PARAMS, TANH, ids).steps
    options = {"rate": rate, "segment": segment, "clip": make_clip("norm", clip)}
    return dynamic_score(PARAMS, *steps, TANH, **options).nats


@pytest.mark.parametrize("max_logits", [7, 70, 10**6])
@pytest.mark.parametrize("kind", ["stream", "lines"])
def test_surprisals_are_those_of_a_literal_loop(kind: str, max_logits: int) -> None:
    text = ReadText(PARAMS, TANH, np.append(IDS, 3), 3 if kind == "lines" else None)
    x, y, fresh = text.steps
    context = SEQUENCES[kind].context_lengths(text.ids)
    assert fresh.tolist() == (context[context > 0] == 1).tolist()
    pieces = [*surprisals_of(text, 3, max_logits)]
    nats, ranks, likeliest, probabilities = map(np.concatenate, zip(*pieces, strict=True))
    h = np.zeros((1, PARAMS.state_size))
    for t, (here, there) in enumerate(zip(x, y, strict=True)):
        if fresh[t]:
            h = np.zeros_like(h)
        h = states(PARAMS, np.array([[here]]), h, TANH)[-1].copy()
        p = softmax(logits(PARAMS, h))[0]
        assert nats[t] == pytest.approx(-log(p[there]), rel=1e-9)
        assert ranks[t] == 1 + (p > p[there]).sum()
        assert likeliest[t].tolist() == np.argsort(-p, kind="stable")[:3].tolist()
        assert probabilities[t] == pytest.approx(np.sort(p)[::-1][:3])


def test_equally_likely_characters_come_in_their_order() -> None:
    found = surprisals(np.zeros((1, 9)), np.array([4]), 3)
    assert found.likeliest.tolist() == [[0, 1, 2]]
    assert found.ranks.tolist() == [1]


@pytest.mark.parametrize("run", ["trained", "stacked", "of_lines"])
def test_the_sum_of_surprisals_is_the_score(run: str, request: pytest.FixtureRequest) -> None:
    path = request.getfixturevalue(run)
    Path("words.txt").write_text(WORDS)
    evaluation = Evaluation(str(path), ["words.txt"])
    found, score = evaluation.characters(), evaluation.score(baselines=False)
    predicted = found.ranks > 0
    assert predicted.sum() == score.characters
    assert found.nats[predicted].mean() == pytest.approx(score.nats_per_character, rel=1e-5)
    assert np.isnan(found.nats[~predicted]).all()
    assert (found.likeliest[predicted][found.ranks[predicted] == 1, 0]).size
    best = np.array(found.characters)[found.likeliest[:, 0]]
    hit = predicted & (found.ranks == 1)
    assert "".join(best[hit]) == "".join(np.array([*found.text])[hit])


def test_a_limit_scores_the_beginning_alike(trained: Path) -> None:
    Path("words.txt").write_text(WORDS)
    evaluation = Evaluation(str(trained), ["words.txt"])
    whole, part = evaluation.characters(), evaluation.characters(20)
    assert part.text == whole.text[:20]
    np.testing.assert_array_equal(part.ranks, whole.ranks[:20])


@pytest.mark.parametrize("length", [7, 64, 399, 400, 10**6])
def test_blocks_predict_every_character_once(length: int, monkeypatch) -> None:
    monkeypatch.setattr("charrnn.text.stream.MAX_BLOCKS", 10)
    windows = [*block_windows(IDS, length)]
    assert all(window.x.shape[0] <= length and window.x.shape[1] <= 10 for window in windows)
    targets = np.concatenate([window.y.T.ravel() for window in windows])
    np.testing.assert_array_equal(targets, IDS[1:])
    assert all(window.fresh.all() for window in windows)
    literal = sum(
        evaluate(PARAMS, stream(IDS[start : start + length + 1]), TANH).nats
        for start in range(0, len(IDS) - 1, length)
    )
    assert evaluate(PARAMS, windows, TANH, workers=2).nats == pytest.approx(literal, rel=1e-10)


def test_a_block_as_long_as_the_text_is_the_stream(charrnn, trained: Path) -> None:
    Path("words.txt").write_text(WORDS)
    stream, block = (
        json.loads(charrnn("eval", trained, "words.txt", "--json", *more).out)
        for more in ([], ["--block", 1000])
    )
    assert block["nats_per_character"] == pytest.approx(stream["nats_per_character"], rel=1e-6)
    assert (stream["scoring"], stream["block"]) == ("stream", None)
    assert (block["scoring"], block["block"]) == ("blocks", 1000)


def test_a_block_longer_than_any_text_is_the_stream() -> None:
    (window,) = block_windows(IDS, 10**30)
    assert window.x[:, 0].tolist() == IDS[:-1].tolist()
    assert window.y[:, 0].tolist() == IDS[1:].tolist()


def test_a_text_of_lines_has_no_blocks(charrnn, of_lines: Path) -> None:
    Path("words.txt").write_text(WORDS)
    outcome = charrnn("eval", of_lines, "words.txt", "--block", 5)
    assert outcome.code == 2
    assert "was trained on lines, each from an empty context" in outcome.err
    shown = charrnn("eval", of_lines, "words.txt").out
    assert f"{len(WORDS) + 1} characters predicted in lines, each from the zero state" in shown


def test_dynamic_evaluation_without_steps_is_the_score() -> None:
    static = evaluate(PARAMS, stream(IDS), TANH).nats
    assert dynamic(IDS, 0.0) == pytest.approx(static, rel=1e-12)
    assert dynamic(IDS[:17], 5.0) == dynamic(IDS[:17], 0.0)  # a single segment: no step before


def test_dynamic_evaluation_sees_no_character_before_it_is_scored() -> None:
    """Changing what follows a segment leaves its score, and so the sum up to it, unchanged."""
    x, y, fresh = ReadText(PARAMS, TANH, IDS).steps
    clip = make_clip("norm", 1.0)

    def up_to(end: int, targets: np.ndarray) -> float:
        some = (x[:end], targets[:end], fresh[:end])
        return dynamic_score(PARAMS, *some, TANH, rate=0.5, segment=10, clip=clip).nats

    changed = np.where(np.arange(len(y)) < 40, y, (y + 1) % 7)
    assert up_to(40, changed) == up_to(40, y)
    # the last segment's own targets change its score by their loss only: its step comes later
    parts = [up_to(end, y) for end in (30, 40)]
    other = np.where(np.arange(len(y)) < 30, y, (y + 1) % 7)
    assert up_to(30, other) == parts[0]
    assert up_to(40, other) != parts[1]


def test_dynamic_evaluation_is_gradient_descent() -> None:
    """Two segments, with the step between them by central differences."""
    ids, rate = IDS[:9], 0.3
    steps = ReadText(PARAMS, TANH, ids).steps

    def loss(flat: np.ndarray, span: slice, h: np.ndarray) -> tuple[float, np.ndarray]:
        params = PARAMS.map(lambda _: flat.copy())
        h_all = states(params, steps[0][span, None], h, TANH)
        p = softmax(logits(params, h_all[1:, 0]))
        return -np.log(p[np.arange(len(p)), steps[1][span]]).sum(), h_all[-1].copy()

    zero, first, second = np.zeros((1, PARAMS.state_size)), slice(0, 4), slice(4, 8)
    nats, h = loss(PARAMS.flat, first, zero)
    gradient = np.array(
        [
            (loss(PARAMS.flat + e, first, zero)[0] - loss(PARAMS.flat - e, first, zero)[0])
            / 2e-6
            / 4
            for e in 1e-6 * np.eye(PARAMS.size)
        ]
    )
    nats += loss(PARAMS.flat - rate * gradient, second, h)[0]
    before = PARAMS.flat.copy()
    assert dynamic(ids, rate, segment=4, clip=1e9) == pytest.approx(nats, rel=1e-7)
    np.testing.assert_array_equal(PARAMS.flat, before)


@pytest.mark.parametrize("rate", ["nan", "inf", "-0.1"])
def test_a_rate_is_a_finite_number(charrnn, trained: Path, text_file: Path, rate: str) -> None:
    outcome = charrnn("eval", trained, text_file, "--dynamic", rate)
    assert outcome.code == 2
    assert f"--dynamic {rate} is not a learning rate" in outcome.err


def test_dynamic_evaluation_that_diverges_is_said(charrnn, tmp_path: Path, text_file: Path) -> None:
    options = [*TINY, "--set", "model.activation=relu", "--set", "training.clip.by=none"]
    run = tmp_path / "relu"
    assert charrnn("train", text_file, *options, "--max-steps", 9, "--out", run).code == 0
    outcome = charrnn("eval", run, text_file, "--dynamic", "1e30")
    assert outcome.code == 1
    assert "dynamic evaluation diverged with a learning rate of 1e+30" in outcome.err
    assert "lower it: --dynamic 0.1" in outcome.err


def test_dynamic_evaluation_is_reported_apart(charrnn, trained: Path, text_file: Path) -> None:
    found = json.loads(charrnn("eval", trained, text_file, "--dynamic", 0.5, "--json").out)
    alone = json.loads(charrnn("eval", trained, text_file, "--json").out)
    assert found["nats_per_character"] == alone["nats_per_character"]
    assert found["dynamic"]["nats_per_character"] < alone["nats_per_character"]
    assert (found["dynamic"]["rate"], found["dynamic"]["segment"]) == (0.5, 8)
    blocks = charrnn("eval", trained, text_file, "--dynamic", 0.5, "--block", 9).out
    rows = {line[1:24].strip(): line[24:].split() for line in blocks.splitlines()}
    assert rows["dynamic, in one stream"][0] == f"{found['dynamic']['nats_per_character']:.4f}"


def test_baselines_of_a_text(charrnn, trained: Path) -> None:
    Path("words.txt").write_text(WORDS)
    found = json.loads(charrnn("eval", trained, "words.txt", "--json").out)
    baselines, training = found["baselines"], (RHYME * 12)[: round(len(RHYME) * 12 * 0.9)]
    alphabet = len({*RHYME})
    assert baselines["uniform"] == pytest.approx(log(alphabet))
    counts = Counter(training[1:])
    total, kinds = sum(counts.values()), len(counts)
    nats = [-log((counts[c] + kinds / alphabet) / (total + kinds)) for c in WORDS[1:]]
    assert baselines["unigram"] == pytest.approx(np.mean(nats))
    assert baselines["ngram"] < baselines["unigram"] < baselines["uniform"]
    bits = 8 * len(lzma.compress(WORDS.encode(), preset=9))
    assert baselines["xz"] == pytest.approx(bits * log(2) / (len(WORDS) - 1))
    assert (
        json.loads(charrnn("eval", trained, "words.txt", "--json", "--no-baselines").out)[
            "baselines"
        ]
        is None
    )


def test_a_run_logs_all_baselines(charrnn, text_file: Path) -> None:
    done = charrnn("train", text_file, *TINY, "--max-steps", 5, "--out", "run", "--json")
    ended = json.loads(done.out)
    logged = json.loads(Path("run/metrics.jsonl").read_text().splitlines()[0])
    for name in ("uniform", "unigram", "ngram", "xz"):
        key = f"{name}_nats_per_character"
        assert logged[key] == ended[key] > 0


def test_baselines_without_the_training_text(charrnn, tmp_path: Path) -> None:
    text = tmp_path / "gone.txt"
    text.write_text(RHYME * 12)
    assert charrnn("train", text, *TINY, "--max-steps", 5, "--out", "run").code == 0
    (tmp_path / "words.txt").write_text(WORDS)
    for change in (lambda: text.write_text(RHYME * 13), text.unlink):
        change()
        outcome = charrnn("eval", "run", "words.txt")
        assert outcome.code == 0
        assert "note: without counts of the training text: " in outcome.err
        assert "uniform" in outcome.out
        assert "n-gram" not in outcome.out


@pytest.mark.parametrize("ending", ["csv", "jsonl"])
def test_a_file_of_characters_reads_back(
    charrnn, of_lines: Path, trained: Path, ending: str
) -> None:
    Path("words.txt").write_text(WORDS)
    for run in (of_lines, trained):
        path = Path(f"scores.{ending}")
        assert charrnn("eval", run, "words.txt", "--per-character", path).code == 0
        expected = Evaluation(str(run), ["words.txt"]).characters()
        if ending == "jsonl":
            rows = [json.loads(line) for line in path.read_text().splitlines()]
        else:
            rows = [*csv.DictReader(StringIO(path.read_bytes().decode(), newline=""))]
        assert "".join(row["character"] for row in rows) == expected.text
        assert [int(row["position"]) for row in rows] == [*range(len(rows))]
        for row, nats, rank, p in zip(
            rows, expected.nats, expected.ranks, expected.probabilities, strict=True
        ):
            if not rank:
                assert row["bits"] in (None, "")
                continue
            first = row["likeliest"][0][1] if ending == "jsonl" else row["p_1"]
            assert int(row["rank"]) == rank
            assert float(row["bits"]) == pytest.approx(nats * BITS_PER_NAT, rel=1e-6)
            assert np.float32(first) == p[0]


def test_a_file_of_characters_is_named_well(charrnn, trained: Path, text_file: Path) -> None:
    outcome = charrnn("eval", trained, text_file, "--per-character", "scores.txt")
    assert outcome.code == 2
    assert "--per-character scores.txt is neither .csv nor .jsonl" in outcome.err
    outcome = charrnn("eval", trained, text_file, "--per-character", "no/scores.csv")
    assert outcome.code == 2
    assert "--per-character no/scores.csv cannot be written" in outcome.err


def test_a_file_of_characters_never_replaces_the_text(
    charrnn, trained: Path, tmp_path: Path
) -> None:
    text = tmp_path / "text.csv"
    text.write_text(RHYME)
    (tmp_path / "folder").symlink_to(tmp_path)
    for path in (text, tmp_path / "folder" / "text.csv"):
        found = charrnn("eval", trained, text, "--per-character", path)
        assert (found.code, found.out) == (2, "")
        assert "would overwrite what is read" in " ".join(found.err.split())
    assert text.read_text() == RHYME


def test_a_file_of_characters_never_replaces_a_log(charrnn, trained: Path, text_file: Path) -> None:
    log = trained / "metrics.jsonl"
    content = log.read_bytes()
    found = charrnn("eval", trained, text_file, "--per-character", log)
    assert (found.code, found.out) == (2, "")
    assert "is a file of a run" in " ".join(found.err.split())
    assert log.read_bytes() == content


def test_an_unusable_score_leaves_no_file(trained: Path, text_file: Path) -> None:
    evaluation = Evaluation(str(trained), [str(text_file)])
    params = evaluation.model.params.map(lambda flat: flat * np.float32(np.inf))
    evaluation.model = evaluation.model._replace(params=params)
    with pytest.raises(CharrnnError, match="overflows on this text"), np.errstate(invalid="ignore"):
        character_writer("scores.csv")(evaluation.pieces())
    assert not [*Path().iterdir()]


def coloured(scores: CharacterScores, monkeypatch: pytest.MonkeyPatch, **options: object) -> str:
    out = StringIO()
    console = Console(file=out, force_terminal=True, width=80, **options)
    monkeypatch.setattr(coloured_text, "table_console", lambda: console)
    coloured_text.print_surprisal(scores)
    return out.getvalue()


def example(text: str, bits: list[float]) -> CharacterScores:
    nothing = np.zeros((len(text), 1), int)
    nats = np.array(bits) * log(2)
    return CharacterScores(text, nats, np.ones(len(text), int), nothing, nothing, ("a",))


def test_surprising_characters_are_coloured(monkeypatch: pytest.MonkeyPatch) -> None:
    shown = coloured(example("abc", [0.5, 9.0, np.nan]), monkeypatch, color_system="truecolor")
    line = shown.splitlines()[0]
    assert line.startswith("a\x1b[")
    assert line.endswith("mb\x1b[0mc")


def test_without_colours_surprise_is_reversed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    shown = coloured(example("ab", [3.0, 9.0]), monkeypatch)
    assert shown.startswith("a\x1b[7mb\x1b[0m\n")


def test_a_shown_text_cannot_drive_the_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    text = "\x1b[2J\x07\u202e\u2066[bold]\x9b\n"
    shown = coloured(example(text, [9.0] * len(text)), monkeypatch, color_system=None)
    assert not {*"\x1b\x07\x9b\u202e\u2066"} & {*shown.splitlines()[0]}
    assert "[bold]" in shown


def test_off_a_terminal_marks_show_the_surprisal(charrnn, trained: Path, text_file: Path) -> None:
    outcome = charrnn("eval", trained, text_file, "--show", "surprisal", "--length", 30)
    text, marks, legend = outcome.out.splitlines()[:3]
    assert text == RHYME[:30]
    bits = Evaluation(str(trained), [str(text_file)]).characters(30).nats * BITS_PER_NAT
    lower = {" ": 0, "1": 1, "2": 2, "4": 4, "6": 6, "8": 8}
    for one, mark in zip(bits[1:], marks.ljust(30)[1:], strict=True):
        assert lower[mark] == max(bound for bound in lower.values() if bound <= one)
    assert marks[0] == " "
    assert legend == "below a character: its surprisal, at least 1, 2, 4, 6 or 8 bits"
    assert "\x1b" not in outcome.out


def test_show_in_a_document_has_the_characters(charrnn, trained: Path, text_file: Path) -> None:
    arguments = ["eval", trained, text_file, "--json", "--no-baselines"]
    alone, shown = (
        json.loads(charrnn(*arguments, *more).out)
        for more in ([], ["--show", "surprisal", "--length", 9])
    )
    characters = shown.pop("shown")
    assert shown == alone
    assert characters["text"] == RHYME[:9]
    assert characters["nats"][0] is None
    assert len(characters["likeliest"]) == 9


def test_there_is_no_other_view(charrnn, trained: Path, text_file: Path) -> None:
    outcome = charrnn("eval", trained, text_file, "--show", "surprise")
    assert outcome.code == 2
    assert "did you mean --show surprisal" in outcome.err


@given_example("ab\nab ab", 2)
@given(st.text("ab \n\t文\u0301\x1b", max_size=60), st.integers(2, 12))
def test_lines_keep_every_character_and_fit(text: str, width: int) -> None:
    lines = [*laid_out(text, width)]
    assert [position for line in lines for position, _ in line] == [*range(len(text))]
    for line, after in zip(lines, [*lines[1:], None], strict=False):
        shown = "".join(glyph for _, glyph in line)
        assert cell_len(shown) <= width
        broken = after is not None and text[line[-1][0]] not in "\n\t "
        assert not broken or " " not in shown, "inside a word, though there was a space"
    assert len([*laid_out(text, None)]) == len(text.splitlines())


def test_marks_are_below_their_characters(capsys: pytest.CaptureFixture[str]) -> None:
    coloured_text.print_surprisal(example("a文b\n\nc", [2.0, 9.0, 1.0, 0.0, 7.0, 0.5]))
    assert capsys.readouterr().out.splitlines()[:4] == ["a文b", "28 1", "⏎", "6"]


def test_words_are_not_broken_on_a_terminal(charrnn, trained, text_file, monkeypatch) -> None:
    arguments = ["eval", trained, text_file, "--show", "surprisal", "--dynamic", 0.1]
    whole = {*ANSI.sub("", charrnn(*arguments).out).split()} | {*(RHYME * 12).split()}
    monkeypatch.setenv("FORCE_COLOR", "1")
    for width in (80, 50):
        monkeypatch.setenv("COLUMNS", str(width))
        lines = ANSI.sub("", charrnn(*arguments).out).splitlines()
        assert max(map(cell_len, lines)) <= width
        words = {word.strip("⏎─") for line in lines for word in line.split()}
        legend = {"bits:", "0", "1", "2", "4", "6", "8", "or", "more"}
        assert words <= {word.strip("─") for word in whole} | legend


def test_blocks_are_refused_by_the_library_too(of_lines: Path) -> None:
    Path("words.txt").write_text(WORDS)
    with pytest.raises(UsageError, match="`block=5` is for a stream"):
        Evaluation(str(of_lines), ["words.txt"]).score(block=5)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--length", 5], "--length 5 is how much of the text is shown"),
    ],
)
def test_options_without_effect_are_refused(charrnn, trained, text_file, options, words) -> None:
    outcome = charrnn("eval", trained, text_file, *options)
    assert outcome.code == 2
    assert words in outcome.err


def test_counts_of_the_scored_text_are_noted(charrnn, trained: Path, text_file: Path) -> None:
    words = "this is the training text"
    assert words in charrnn("eval", trained, text_file).err
    Path("words.txt").write_text(WORDS)
    assert words not in charrnn("eval", trained, "words.txt").err


def test_what_takes_long_says_so(trained: Path, text_file: Path, monkeypatch) -> None:
    notes: list[str] = []
    evaluation = Evaluation(str(trained), [str(text_file)])
    evaluation.ids = evaluation.ids[:500]
    evaluation.score(dynamic=0.1, baselines=False, announce=notes.append)
    [*evaluation.pieces(announce=notes.append)]
    assert notes == []
    monkeypatch.setattr("charrnn.commands.evaluate.NOTED_SECONDS", -1.0)
    monkeypatch.setattr("charrnn.commands.evaluate.TIMED", 2)
    evaluation.score(dynamic=0.1, baselines=False, announce=notes.append)
    clock = SimpleNamespace(perf_counter=iter([0.0, 10.0]).__next__)
    monkeypatch.setattr("charrnn.commands.evaluate.time", clock)
    [*evaluation.pieces(announce=notes.append)]
    assert len(notes) == 2
    assert notes[0].startswith("dynamic evaluation takes about ")
    assert notes[1] == "the other 0 characters take about 0 s"


@pytest.mark.parametrize("ending", ["csv", "jsonl"])
def test_every_character_survives_a_file(ending: str) -> None:
    text = "\r\n\r\",;'\t \x0b\x85\u2028é文😀\x1b=a"
    scores = example(text, [float("nan"), *range(1, len(text))])
    ranks = np.arange(len(text))
    pieces = [replace(scores, ranks=ranks, characters=("\r", ","))]
    character_writer(f"scores.{ending}")(pieces)
    content = Path(f"scores.{ending}").read_bytes().decode()
    if ending == "csv":
        header, *rows = csv.reader(StringIO(content, newline=""))
        assert {len(row) for row in rows} == {len(header)}
        found = [(row[1], row[4]) for row in rows]
    else:
        documents = [json.loads(line) for line in content.split("\n")[:-1]]
        found = [(row["character"], (row["likeliest"] or [("",)])[0][0]) for row in documents]
    assert "".join(character for character, _ in found) == text
    assert [likeliest for _, likeliest in found] == ["", *["\r"] * (len(text) - 1)]
