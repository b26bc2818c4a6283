"""Documents: batches with resets, masks, scores and samples."""

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.random import default_rng

from charrnn.analysis.problems import random_problem
from charrnn.arrays import Array
from charrnn.config.layers import load_config
from charrnn.errors import InputError
from charrnn.model.activations import ACTIVATIONS
from charrnn.model.bptt import bptt, least_memory
from charrnn.model.workspace import Workspace
from charrnn.sampling.choice import chooser
from charrnn.sampling.generation import GeneratedTexts
from charrnn.setup.loading import load_model
from charrnn.setup.subject import Subject, looking_back
from charrnn.setup.wiring import batches_of
from charrnn.system.resources import CORPUS_NAME, text_resources
from charrnn.text.corpus import build_corpus
from charrnn.text.document_windows import DocumentWindows
from charrnn.text.documents import END_OF_TEXT, Documents
from charrnn.text.stream import StreamWindows
from charrnn.text.text import Text
from charrnn.text.vocabulary import Vocabulary
from charrnn.training.parallel import parallel
from charrnn.training.workers import worker_threads
from charrnn.window import NO_TARGET, Window
from tests.conftest import RHYME, TINY
from tests.runs import check_resume_and_workers
from tests.scores import evaluate

TANH = ACTIVATIONS["tanh"]
LETTERS = st.lists(st.text("abc", min_size=1, max_size=25), min_size=1, max_size=9)
DOCUMENTS = Documents()
SETTINGS = [*TINY, "--set", "data.sequences=documents"]


def text_of(*documents: str) -> Text:
    return DOCUMENTS.join([Text.of(document) for document in documents])


def ids_of(*documents: str) -> Array:
    return build_corpus(text_of(*documents), 0.0, DOCUMENTS).training


@st.composite
def walks(draw: st.DrawFn) -> tuple[Array, DocumentWindows]:
    """Draws documents and windows over them, which may overlap or hold a whole piece."""
    ids = ids_of(*draw(LETTERS))
    batch_size = draw(st.integers(1, min(4, len(ids))))
    window = draw(st.none() | st.integers(1, min(12, len(ids) // batch_size)))
    stride = draw(st.none() | st.integers(1, window)) if window else None
    return ids, DocumentWindows(ids, batch_size, window, stride)


def pieces(ids: Array, batch_size: int) -> list[Window]:
    """Each piece between two resets as a separate window."""
    length = len(ids) // batch_size
    inputs, found = np.concatenate([ids[-1:], ids[:-1]]), []
    for lane in range(0, batch_size * length, length):
        x, y = (of[lane : lane + length] for of in (inputs, ids))
        cuts = np.flatnonzero(x[1:] == ids[-1]) + 1
        for one, other in zip(np.split(x, cuts), np.split(y, cuts), strict=True):
            found.append(Window(one[:, None], other[:, None], np.ones(1, dtype=bool)))
    return found


@given(walks())
def test_every_target_occurs_once_after_its_input(walk) -> None:
    ids, batches = walk
    epoch = [batches[number] for number in range(batches.per_epoch)]
    B = len(epoch[0].fresh)
    length = len(ids) // B
    most_steps, most_lanes = batches.largest
    for lane in range(B):
        counted = [window.y[:, lane] != NO_TARGET for window in epoch]
        x, y = (
            np.concatenate(
                [getattr(window, of)[c, lane] for window, c in zip(epoch, counted, strict=True)]
            )
            for of in "xy"
        )
        place = lane * length
        np.testing.assert_array_equal(y, ids[place : place + length])
        np.testing.assert_array_equal(x, np.concatenate([ids[-1:], ids])[place : place + length])
    for window in epoch:
        assert window.x.shape == window.y.shape
        assert len(window.x) <= most_steps
        assert window.x.shape[1] == most_lanes
        assert window.targets
    assert max(len(window.x) for window in epoch) >= most_steps // 2


@given(walks(), st.integers(0, 3))
def test_a_window_is_a_function_of_its_number(walk, epoch: int) -> None:
    _, batches = walk
    for number in range(batches.per_epoch):
        one, other = batches[number], batches[epoch * batches.per_epoch + number]
        for array, same in zip(one, other, strict=True):
            np.testing.assert_array_equal(array, same)


@given(
    st.text("abcd", min_size=5, max_size=60), st.integers(1, 3),
    st.none() | st.integers(1, 9), st.none() | st.integers(1, 9),
)  # fmt: skip
def test_a_single_document_is_a_stream_between_two_ends(text, batch_size, window, stride) -> None:
    ids = ids_of(text)
    window = window and min(window, len(ids) // batch_size)
    stride = min(stride, window) if stride and window else None
    documents = DocumentWindows(ids, batch_size, window, stride)
    stream = StreamWindows(np.concatenate([ids[-1:], ids]), batch_size, window, stride)
    assert documents.per_epoch == stream.per_epoch
    assert documents.largest == stream.largest
    for number in range(2 * stream.per_epoch):
        for array, same in zip(documents[number][:3], stream[number][:3], strict=True):
            np.testing.assert_array_equal(array, same)
        assert (documents[number].carried == stream[number].carried).all()


@pytest.mark.parametrize("segment", [None, least_memory], ids=["plain", "recompute"])
@pytest.mark.parametrize("workers", [1, 3])
@given(walk=walks(), seed=st.integers(0, 99), layers=st.integers(1, 2))
def test_an_epoch_has_the_summed_losses_of_its_pieces(segment, workers, walk, seed, layers) -> None:
    ids, batches = walk
    params = random_problem(default_rng(seed), alphabet_size=ids.max() + 1, layers=layers).params
    expected = 0.0
    B = batches.largest[1]
    for piece in pieces(ids, B):
        expected += bptt(params, piece, np.zeros((1, 8 * layers)), TANH, "sum")[0]
    h, total = np.zeros((B, 8 * layers)), 0.0

    def objective(*arguments):
        return bptt(*arguments, TANH, "sum", Workspace(), segment)

    with worker_threads(workers) as threads:
        shared = parallel(lambda: objective, threads)
        for number in range(batches.per_epoch):
            window = batches[number]
            h[window.fresh] = 0
            loss, _, carried = shared(params, window, h)
            h[...] = carried
            total += loss
    assert total == pytest.approx(expected, rel=1e-12)


@given(LETTERS, st.integers(1, 3))
def test_whole_pieces_have_the_full_gradient(documents: list[str], batch_size: int) -> None:
    ids = ids_of(*documents)
    batch_size = min(batch_size, len(ids))
    batches = DocumentWindows(ids, batch_size, None)
    params = random_problem(default_rng(1), alphabet_size=ids.max() + 1).params
    full, found = params.zeros_like(), params.zeros_like()
    for piece in pieces(ids, batch_size):
        full.flat[...] += bptt(params, piece, np.zeros((1, 8)), TANH, "sum")[1].flat
    for number in range(batches.per_epoch):
        window = batches[number]
        assert (window.fresh | (window.y == NO_TARGET).all(axis=0)).all()
        zero = np.zeros((batch_size, 8))
        found.flat[...] += bptt(params, window, zero, TANH, "sum")[1].flat
    np.testing.assert_allclose(found.flat, full.flat, rtol=1e-9, atol=1e-12)


@given(
    seed=st.integers(0, 1000), time_steps=st.integers(1, 20), segment=st.integers(1, 21),
    carried=st.lists(st.integers(0, 20), min_size=3, max_size=3), workers=st.sampled_from([1, 2]),
    layers=st.integers(1, 3),
)  # fmt: skip
def test_each_lane_continues_from_its_own_position(
    seed, time_steps, segment, carried, workers, layers
):
    problem = random_problem(default_rng(seed), time_steps=time_steps, layers=layers)
    places = np.minimum(carried, time_steps)
    window = problem.window._replace(carried=places)

    def objective(*arguments):
        return bptt(*arguments, TANH, "sum", Workspace(), lambda T: segment)

    with worker_threads(workers) as threads:
        found = parallel(lambda: objective, threads)(problem.params, window, problem.h0)[2]
    for lane, place in enumerate(places.tolist()):
        one = problem.window._replace(carried=place)
        expected = bptt(problem.params, one, problem.h0, TANH, "sum")[2][lane]
        np.testing.assert_allclose(found[lane], expected, rtol=1e-13)


@given(LETTERS, st.floats(0, 0.9))
def test_both_parts_are_documents_and_nothing_is_lost(documents: list[str], fraction: float):
    text = text_of(*documents)
    found, training = DOCUMENTS.split(text, fraction)
    wanted = round(len(text) * fraction)
    if wanted:
        assert wanted <= 2 * (len(found) - training) <= 4 * wanted
        assert str(found[:training])[-1:] == END_OF_TEXT
    else:
        assert training == len(found)
    assert str(found)[-1] == END_OF_TEXT
    parts = [str(part).split(END_OF_TEXT)[:-1] for part in (found[:training], found[training:])]
    if len(parts[0]) + len(parts[1]) > len(documents):  # one is cut in two
        parts[0][-1] += parts[1].pop(0)
    assert parts[0] + parts[1] == documents


def test_the_split_is_at_a_nearby_end_of_a_document() -> None:
    near = build_corpus(text_of("a" * 80, "b" * 15, "c" * 5), 0.1, DOCUMENTS)
    assert near.vocabulary.decode(near.validation) == "c" * 5 + END_OF_TEXT
    far = build_corpus(text_of("a" * 5, "b" * 95), 0.1, DOCUMENTS)
    assert far.vocabulary.decode(far.training) == "a" * 5 + END_OF_TEXT + "b" * 86 + END_OF_TEXT
    assert far.vocabulary.decode(far.validation) == "b" * 9 + END_OF_TEXT
    assert DOCUMENTS.notes(2, far.training, far.validation) == (
        "documents: 2 to train on, of 6 to 87 characters; 1 held out.",
        "one document is divided: its end is held out.",
    )
    assert len(DOCUMENTS.notes(3, near.training, near.validation)) == 1


def test_a_text_with_the_end_symbol_is_refused() -> None:
    with pytest.raises(InputError, match=r"document 2 contains the character U\+0003"):
        text_of("fine", "not\x03so")
    assert str(DOCUMENTS.join([Text.of("a"), Text.of(""), Text.of("b")])) == "a\x03b\x03"


def test_too_little_text_suggests_what_fits() -> None:
    with pytest.raises(InputError, match="8 characters to predict") as caught:
        DocumentWindows(ids_of("abc", "def"), 4, 5)
    assert "batch_size=1" in str(caught.value.hint)


@given(LETTERS, st.integers(2, 60))
def test_the_head_is_whole_documents_or_the_start_of_one(documents, most) -> None:
    ids = ids_of(*documents)
    vocabulary = Vocabulary(text_of(*documents).characters)
    head = vocabulary.decode(DOCUMENTS.head(ids, most))
    assert head[-1] == END_OF_TEXT
    if len(documents[0]) + 1 > most:
        assert head[:-1] == documents[0][: most - 1]
    else:
        assert len(head) <= most
        assert vocabulary.decode(ids).startswith(head)
    np.testing.assert_array_equal(DOCUMENTS.head(ids, None), ids)


@given(LETTERS, st.integers(1, 40))
def test_scoring_does_not_depend_on_the_windows(documents: list[str], most: int) -> None:
    ids = ids_of(*documents)
    params = random_problem(default_rng(3), alphabet_size=ids.max() + 1).params
    alone = [
        evaluate(params, DOCUMENTS.scoring_windows(ids_of_one), TANH).nats
        for ids_of_one in split(ids)
    ]
    other = evaluate(params, DOCUMENTS.scoring_windows(ids, most), TANH, workers=2, max_entries=2)
    assert other.characters == len(ids)
    assert other.nats == pytest.approx(sum(alone), rel=1e-12)


def split(ids: Array) -> list[Array]:
    return np.split(ids, np.flatnonzero(ids == ids[-1])[:-1] + 1)


def test_a_long_document_is_scored_in_lanes() -> None:
    ids = ids_of("ab" * 30_000, "a", "b" * 9)
    windows = list(DOCUMENTS.scoring_windows(ids))
    assert [window.x.shape for window in windows] == [(60_001, 1), (10, 2)]
    assert windows[0].y.base is not None  # no copy of it
    assert windows[0].x[0] == ids[-1]
    np.testing.assert_array_equal(windows[0].x[1:, 0], ids[:60_000])


@given(LETTERS, st.integers(1, 9), st.integers(0, 5), st.integers(1, 6), st.integers(0, 9))
def test_passages_lie_in_documents(documents, time_steps, context, batch_size, seed) -> None:
    ids = ids_of(*documents)
    before, window = DOCUMENTS.random_window(
        ids, default_rng(seed), time_steps, batch_size, context
    )
    end = ids[-1]
    history = DOCUMENTS.context_lengths(ids)
    text = ids.tobytes()
    for lane in range(window.x.shape[1]):
        counted = window.y[:, lane] != NO_TARGET
        assert not (window.x[1:, lane][counted[1:]] == end).any()
        read = np.concatenate([before[:, lane], window.x[counted, lane]])
        if window.fresh[lane]:
            assert len(before) == 0
        else:
            assert len(read) == context + time_steps
            assert not (read[1:] == end).any()
        target = window.y[counted, lane].astype(ids.dtype)
        assert target.tobytes() in text
    assert window.fresh.all() == (history.max() < context + time_steps or context == 0)


def test_losses_are_followed_back_within_long_documents() -> None:
    config = load_config(None, ["data.sequences=documents"], {})
    random = default_rng(0)
    long, short = ids_of(RHYME * 3, RHYME * 4), ids_of(*(20 * [RHYME[:40]]))
    params = random_problem(random).params
    before, window, reach = looking_back(Subject("", params, config, long, ()), random, 16, 16, 8)
    assert (before.shape, window.x.shape, reach) == ((64, 8), (32, 8), 16)
    before, window, reach = looking_back(Subject("", params, config, short, ()), random, 64, 64, 8)
    assert (len(before), len(window.x), reach) == (0, 41, 41)


def folder_of(path: Path, count: int) -> list[str]:
    """A folder with files of different lengths."""
    path.mkdir()
    lines = text_resources()[CORPUS_NAME].read_text().splitlines(keepends=True)
    names = []
    for number in range(count):
        file = path / f"{number:02}.txt"
        file.write_text("".join(lines[4 * number : 4 * number + 1 + number % 5]))
        names.append(str(file))
    return [name for name in names if Path(name).read_text().strip()]


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    return folder_of(tmp_path_factory.mktemp("documents") / "files", 30)


@pytest.fixture(scope="module")
def document_run(tmp_path_factory: pytest.TempPathFactory, files: list[str]) -> Path:
    from charrnn.cli import main

    out = tmp_path_factory.mktemp("documents") / "run"
    assert main.run(["train", *files, *SETTINGS, "--max-steps", "120", "--out", str(out)]) == 0
    return out


def test_notes_of_a_run(charrnn, files) -> None:
    told = charrnn("train", *files, *SETTINGS, "--max-steps", 1, "--out", "documents").err
    assert "note: documents: " in told
    stream = charrnn("train", *files, *TINY, "--max-steps", 1, "--out", "stream").err
    assert f"{len(files)} files are joined into one stream" in stream
    single = charrnn("train", files[4], *TINY, "--max-steps", 1, "--out", "single").err
    assert "files are joined" not in single


def test_resume_and_workers_change_nothing(charrnn, files) -> None:
    overlap = ["--set", "training.stride=3", "--set", "schedule.name=constant"]
    recompute = ["--set", "training.memory=recompute"]
    check_resume_and_workers(charrnn, ["train", *files, *SETTINGS, *overlap], 13, 40, recompute)


def test_other_documents_are_a_different_text(charrnn, files, tmp_path) -> None:
    arguments = ["train", *files, *SETTINGS, "--max-steps", 2, "--out", "run"]
    assert charrnn(*arguments).code == 0
    joined = tmp_path / "joined.txt"
    joined.write_text("".join(Path(file).read_text() for file in files))
    refused = charrnn("train", joined, "--resume", "run", "--max-steps", 4)
    assert refused.code == 3
    assert "is not the text" in refused.err


def test_eval_of_documents_gives_the_score_of_training(
    charrnn, files, document_run, tmp_path
) -> None:
    from charrnn.training.checkpoint import load

    text = text_of(*(Path(file).read_text() for file in files))
    corpus = build_corpus(text, 0.1, DOCUMENTS)
    held_out = corpus.vocabulary.decode(corpus.validation).split(END_OF_TEXT)[:-1]
    names = []
    for number, document in enumerate(held_out):
        names.append(tmp_path / f"{number}.txt")
        names[-1].write_text(document)
    document = json.loads(charrnn("eval", document_run, *names, "--json").out)
    progress = load(document_run / "checkpoints/best.safetensors").state.progress
    assert document["nats_per_character"] == pytest.approx(progress.best_validation_nats, rel=1e-6)
    assert document["characters"] == len(corpus.validation)
    reordered = json.loads(charrnn("eval", document_run, *names[::-1], "--json").out)
    assert reordered["nats_per_character"] == pytest.approx(
        document["nats_per_character"], rel=1e-6
    )


def test_unknown_characters_are_left_out_of_each_document(charrnn, document_run, tmp_path) -> None:
    for name, content in (("one", "ab漢c"), ("none", "漢字"), ("plain", "abc")):
        (tmp_path / name).write_text(content)
    found = charrnn("eval", document_run, "one", "none", "plain", "--unknown", "skip", "--json")
    assert "3 unknown characters left out" in found.err
    assert json.loads(found.out)["characters"] == 8
    assert charrnn("eval", document_run, "none", "--unknown", "skip").code == 3
    refused = charrnn("eval", document_run, "plain", "one")
    assert refused.code == 3
    assert "at position 7 of the documents, one after another" in refused.err


def test_a_prompt_follows_the_start_of_a_document(charrnn, document_run) -> None:
    _, params, vocabulary, activation, *_ = load_model(str(document_run))
    options = {"choose": chooser(0.5), "random": default_rng, "length": 400, "count": 1}
    for beginning in ("", "The\n", "A"):
        (one,) = GeneratedTexts(
            params, activation, vocabulary, beginning, delimiter=END_OF_TEXT, **options
        )
        (text,) = GeneratedTexts(
            params, activation, vocabulary, END_OF_TEXT + beginning, delimiter=None, **options
        )
        assert "".join(one) == "".join(text).split(END_OF_TEXT)[0]


def test_sample_generates_documents_and_stops(charrnn, document_run) -> None:
    outcome = charrnn("sample", document_run, "--count", 12, "--length", 5000)
    assert outcome.code == 0
    documents = outcome.out.split("\n-----\n")
    assert len(documents) == 12
    assert END_OF_TEXT not in outcome.out
    assert all(len(document) < 5000 for document in documents)  # each has ended
    texts = json.loads(charrnn("sample", document_run, "--count", 2, "--json").out)["texts"]
    assert all(len(text) <= 500 for text in texts)
    begun = charrnn("sample", document_run, "--prime", "The\nsea", "--temperature", 0)
    assert begun.out.startswith("The\nsea")
    refused = charrnn("sample", document_run, "--prime", "The\x03sea")
    assert refused.code == 2
    assert "more than one document" in refused.err


@pytest.mark.parametrize("command", [["gradcheck"], ["gradflow", "--lags", "16"]])
def test_analyses_of_documents(charrnn, document_run, files, command) -> None:
    outcome = charrnn(command[0], document_run, *command[1:])
    assert outcome.code == 0, outcome.out + outcome.err
    other = charrnn(command[0], document_run, *command[1:], "--text", files[4])
    assert other.code == 0, other.out + other.err


def test_full_bptt_takes_documents_whole() -> None:
    config = load_config(
        None, ["data.sequences=documents", "training.bptt=full", "training.batch_size=2"], {}
    )
    batches = batches_of(config, ids_of("a" * 30, "b" * 20, "c" * 7, "d" * 7))
    assert batches.largest == (31, 2)
    assert [batches[n].x.shape for n in range(batches.per_epoch)] == [(31, 2), (8, 2), (8, 2)]


def test_the_split_is_between_documents_if_possible() -> None:
    """The end nearest to the wanted position may hold out too little where another does not."""
    text = DOCUMENTS.join([Text.of("a" * 81), Text.of("b" * 13), Text.of("c" * 3)])
    whole, training = DOCUMENTS.split(text, 0.1)
    assert len(whole) == len(text)
    assert len(text) - training == 18
