"""Large texts are mapped: the same bits as from memory, made once, in little memory."""

import errno
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any, BinaryIO

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.numpy import load_file

from charrnn.commands import evaluate as evaluating
from charrnn.errors import CharrnnError, InputError
from charrnn.report import download_progress
from charrnn.report.download_progress import show_reading
from charrnn.sampling import start
from charrnn.system import array_files
from charrnn.text import decoding, id_chunks, search, stored_ids, text
from charrnn.text.corpus import build_corpus
from charrnn.text.decoding import Decoding
from charrnn.text.delimited import positions_of
from charrnn.text.file_text import LongerText, Source
from charrnn.text.reading import DEFAULT_DECODING, read_text
from charrnn.text.search import find, items_of
from charrnn.text.sequences import SEQUENCES
from charrnn.text.stored_text import is_large
from charrnn.text.text import REPLACEMENT, Text
from charrnn.text.text_versions import texts_stored
from charrnn.text.vocabulary import Vocabulary
from tests.conftest import RHYME, TINY

LONG_AGO = 1_600_000_000_000_000_000  # nanoseconds: a time of change that is remembered


@pytest.fixture(autouse=True)
def ids(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of stored ids; every text is large."""
    monkeypatch.setenv("CHARRNN_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("CHARRNN_MAP_FROM", "1")
    return tmp_path / "cache" / "ids"


@pytest.fixture
def long_ago(tmp_path: Path) -> Path:
    return written(tmp_path / "rhyme.txt", RHYME * 12)


def written(path: Path, content: str | bytes, changed: int = LONG_AGO) -> Path:
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    os.utime(path, ns=(changed, changed))
    return path


@contextmanager
def in_memory() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CHARRNN_MAP_FROM", "never")
        yield


# the same bits

HOW = st.tuples(
    st.sampled_from(["utf-8", "utf-16", "utf-32-le", "latin-1", "shift_jis", "gb18030", "cp037"]),
    st.sampled_from(["strict", "replace"]),
    st.sampled_from(["normal", "keep"]),
)
TEXTS = st.lists(
    st.one_of(
        st.text(st.sampled_from("ab \n\r\x03\u00e9\u65e5\U0001f600"), max_size=30),
        st.text("abc\n", max_size=30),
    ),
    min_size=1,
    max_size=3,
)
LEARNED = st.tuples(
    st.sampled_from([*SEQUENCES]),
    st.sampled_from([0.0, 0.1, 0.5]),
    st.integers(1, 3),
    st.sampled_from([None, "ab\n", "b\na\ufffd", "\n\u65e5\x03ab \r\u00e9\U0001f600"]),
    st.booleans(),
    st.booleans(),
)


def outcome(paths: list[str], how: Decoding, learned: tuple) -> list[Any]:
    """All that is known of a text, and its windows; or the error."""
    name, fraction, min_count, known, extend, each = learned
    sequences = SEQUENCES[name]
    try:
        read = read_text(paths, how)
        joined = sequences.join(read.documents)
        lengths = [len(document) for document in read.documents]
        corpus = build_corpus(
            joined, fraction, sequences, min_count, known and Vocabulary(known), extend,
            lengths if each else (),
        )  # fmt: skip
        parts: list[Any] = [
            read.notes, lengths, [str(document) for document in read.documents], str(joined),
            joined.mark(), joined.utf8_size(), joined.compact().characters,
            corpus.vocabulary.characters, corpus.size, corpus.digest, corpus.counts, corpus.notes,
            corpus.training, corpus.validation, sequences.head(corpus.validation, 9),
        ]  # fmt: skip
        if known:
            for unknown in ("skip", "replace") if REPLACEMENT in known else ("skip",):
                texts, notes = Vocabulary(known).handle_unknown(read.documents, unknown)
                parts += [[str(one) for one in texts], notes]
        windows = sequences.training_windows(corpus.training, 2, 3, 2, 5)
        for number in range(windows.per_epoch + 1):
            parts += [*windows[number]]
        return parts
    except CharrnnError as error:
        return [type(error), str(error), error.hint]


def same(found: list[Any], wanted: list[Any]) -> None:
    assert len(found) == len(wanted)
    for one, other in zip(found, wanted, strict=True):
        if isinstance(other, np.ndarray):
            assert one.dtype == other.dtype
            assert np.array_equal(one, other)
        else:
            assert one == other


@settings(max_examples=100)
@given(TEXTS, HOW, st.lists(LEARNED, min_size=2, max_size=3), st.integers(1, 9), st.booleans())
def test_mapped_is_as_in_memory(tmp_path_factory, texts, how, learned, piece, directory) -> None:
    folder = tmp_path_factory.mktemp("texts")
    codec = how[0]
    for number, string in enumerate(texts):
        end = "" if how[1] == "strict" else "\x80\xff"[: number % 3]
        content = string.encode(codec, "ignore") + end.encode("latin-1")
        written(folder / f"{number}.txt", content, LONG_AGO + piece)
    paths = [str(folder)] if directory else [str(path) for path in sorted(folder.iterdir())]
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CHARRNN_CACHE", str(tmp_path_factory.mktemp("cache")))
        patch.setattr("charrnn.system.files._sync", lambda file: True)  # it takes most of the time
        with in_memory():
            wanted = [outcome(paths, Decoding(*how), one) for one in learned]
        for module, name in (
            (decoding, "CHUNK_BYTES"), (text, "CHUNK_CHARACTERS"), (id_chunks, "CHUNK"),
        ):  # fmt: skip
            patch.setattr(module, name, piece)
        for _ in range(2):  # it is stored, and then mapped
            for one, expected in zip(learned, wanted, strict=True):
                same(outcome(paths, Decoding(*how), one), expected)
        with in_memory():
            same(outcome(paths, Decoding(*how), learned[0]), wanted[0])


@pytest.mark.parametrize("name", SEQUENCES)
def test_what_is_made_of_a_text_has_a_name_of_its_own(tmp_path: Path, monkeypatch, name) -> None:
    """Many readings of two files from one cache, one after another, and again."""
    monkeypatch.setattr("charrnn.system.files._sync", lambda file: True)
    one = written(tmp_path / "a.txt", RHYME * 2 + "\n\n\u00e9 \u65e5\nzzz\nQ")
    other = written(tmp_path / "b.txt", RHYME[9:] + "\u65e5\u00e9\n \nQQ")
    alphabet = "".join(sorted({*RHYME, *"zQ\u65e5\u00e9\x03\ufffd"}))
    ways = [
        (paths, (name, fraction, min_count, known, True, each))
        for paths in ([str(one), str(other)], [str(other), str(one)])
        for fraction in (0.0, 0.1)
        for min_count in (1, 3)
        for known in (None, alphabet, alphabet[3:])
        for each in (True, False)
    ]
    with in_memory():
        wanted = [outcome(paths, Decoding(), how) for paths, how in ways]
    assert sum(len(parts) > 3 for parts in wanted) > 20  # they are not errors
    for _ in range(2):
        for (paths, how), expected in zip(ways, wanted, strict=True):
            same(outcome(paths, Decoding(), how), expected)


def test_what_is_remembered_is_of_the_same_characters(tmp_path: Path) -> None:
    found = read_text([str(written(tmp_path / "a.txt", "abab" * 9 + "c"))]).text
    for left_out in ("a", "b", "ab"):
        assert str(found.without(left_out)) == "".join(c for c in str(found) if c not in left_out)
    for parts in ([found[5:], found[:5]], [found[:3], found[4:]], [found[:3], found[3:7]]):
        assert str(Text.concatenate(parts)) == "".join(map(str, parts))
    start = found[:4]
    assert start.compact().counts() == [2, 2]
    assert start.replace({"c"}).counts() == [2, 2, 0]
    assert found.digest() == Text.of(str(found)).digest()
    other = Text("xyz", found.ids, found.origin)
    assert other.digest() == Text.of("xyxy" * 9 + "z").digest()


def test_what_is_mapped_is_not_in_memory(long_ago: Path, ids: Path) -> None:
    """The test above compares something: ids of a file are views of it, for all sequences."""
    for name, sequences in SEQUENCES.items():
        joined = sequences.join(read_text([str(long_ago)]).documents)
        corpus = build_corpus(joined, 0.2, sequences)
        base: Any = corpus.training
        while isinstance(base, np.ndarray) and not isinstance(base, np.memmap):
            base = base.base
        assert isinstance(base, np.memmap), name
        assert corpus.origin is not None
    assert len([*ids.glob("*.array")]) == 4  # the text; as lines; as documents, whole and divided


RUN = [*TINY, "--max-steps", "12", "--set", "evaluation.count=2", "--set", "schedule.name=constant"]
RUNS = {
    "stream": ["rhyme.txt", "other.txt"],
    "end": ["rhyme.txt", "--set", "data.hold_out=end", "--set", "data.min_count=60"],
    "lines": ["rhyme.txt", "other.txt", "--set", "data.sequences=lines"],
    "documents": ["rhyme.txt", "other.txt", "--set", "data.sequences=documents"],
    "held out": ["rhyme.txt", "--validation", "other.txt", "--test", "rhyme.txt"],
}
TIMES = {"seconds", "characters_per_second", "run", "checkpoint", "step_seconds"}


def logged(run: str) -> list[dict[str, Any]]:
    lines = Path(run, "metrics.jsonl").read_text().splitlines()
    return [{k: v for k, v in json.loads(line).items() if k not in TIMES} for line in lines]


@pytest.mark.parametrize("texts", RUNS.values(), ids=RUNS)
def test_a_run_is_the_same_and_resumes(charrnn, long_ago, tmp_path, ids, texts) -> None:
    written(tmp_path / "other.txt", RHYME[40:] * 3)

    def half(out: str) -> None:
        assert charrnn("train", *texts, *RUN, "--out", out).code == 0

    def whole(out: str) -> None:
        assert charrnn("train", "--resume", out, "--max-steps", 20).code == 0

    with in_memory():
        half("memory")
        half("mapped later")
        whole("memory")
    assert not ids.exists()
    half("mapped")
    assert [*ids.glob("*.array")]
    half("mapped before")
    whole("mapped")
    whole("mapped later")
    with in_memory():
        whole("mapped before")
    for run in ("mapped", "mapped later", "mapped before"):
        assert logged(run) == logged("memory")
        found, wanted = (load_file(f"{r}/checkpoints/last.safetensors") for r in (run, "memory"))
        assert found.keys() == wanted.keys()
        assert all(np.array_equal(found[name], wanted[name]) for name in wanted)


@pytest.mark.parametrize(
    "command",
    [
        ["eval", "memory", "rhyme.txt"],
        ["eval", "memory", "other.txt", "--unknown", "skip", "--block", "9"],
        ["sample", "memory", "--novelty", "--seed", "1"],
        ["inspect", "rhyme.txt", "other.txt", *TINY],
        ["gradcheck", "memory", "other.txt", "--unknown", "skip", "--fast"][:3],
    ],
    ids=" ".join,
)
def test_other_commands_find_the_same(charrnn, long_ago, tmp_path, ids, command) -> None:
    written(tmp_path / "other.txt", RHYME[40:] * 3 + "\u00e9\n")
    with in_memory():
        assert charrnn("train", "rhyme.txt", *RUN, "--out", "memory").code == 0
        wanted = charrnn(*command, "--json")
    assert wanted.code == 0 or "gradcheck" in command
    found = charrnn(*command, "--json")
    assert [*ids.glob("*.array")] or "gradcheck" in command
    assert found.code == wanted.code

    def steady(out: str) -> Any:
        document = json.loads(out or "null")
        for key in ("trial", "seconds", "steps"):
            document and document.pop(key, None)
        return document

    assert steady(found.out) == steady(wanted.out)


# made once


def test_the_second_time_the_text_is_not_read(long_ago: Path) -> None:
    """Other bytes in a file that seems to be the same are not noticed."""
    first = read_text([str(long_ago)])
    with long_ago.open("r+b") as file:
        file.write(b"x" * 100)
    os.utime(long_ago, ns=(LONG_AGO, LONG_AGO))
    second = read_text([str(long_ago)])
    assert str(second.text) == str(first.text) == RHYME * 12
    os.utime(long_ago, ns=(LONG_AGO + 1, LONG_AGO + 1))
    assert str(read_text([str(long_ago)]).text) == "x" * 100 + (RHYME * 12)[100:]


def test_a_second_run_starts_from_what_is_stored(charrnn, long_ago, monkeypatch) -> None:
    """Neither the text is read, nor are the ids counted or hashed again."""
    charrnn("train", "rhyme.txt", *RUN, "--out", "first")

    def read(path: str) -> BinaryIO:
        raise AssertionError(f"{path} is opened")

    for module in ("stored_text", "file_identity", "file_text"):
        monkeypatch.setattr(f"charrnn.text.{module}.open_source", read)
    computed = []
    original = array_files.remembered

    def watched(name: str, compute: Any) -> Any:
        return original(name, lambda: computed.append(name) or compute())

    monkeypatch.setattr(stored_ids, "remembered", watched)
    assert charrnn("train", "rhyme.txt", *RUN, "--out", "second").code == 0
    assert not computed
    assert logged("second") == logged("first")


@pytest.mark.parametrize("change", ["shorter", "same size", "new file", "other directory"])
def test_a_text_that_changes_is_read_again(tmp_path, change) -> None:
    path = written(tmp_path / "a.txt", "abab")
    assert str(read_text([str(path)]).text) == "abab"
    if change == "new file":
        path.rename(tmp_path / "b.txt")
        written(path, "bbab")
    elif change == "other directory":
        (tmp_path / "more").mkdir()
        path = written(tmp_path / "more/a.txt", "bbab")
    else:
        written(path, "bbab" if change == "same size" else "bba", LONG_AGO + 1)
    assert str(read_text([str(path)]).text) == ("bba" if change == "shorter" else "bbab")


def test_a_text_that_changed_just_now_is_compared_by_its_content(tmp_path, ids) -> None:
    """Its time of change may stay the same when it changes again."""
    path = tmp_path / "a.txt"
    path.write_text("abab")
    read_text([str(path)])
    status = path.stat()
    path.write_text("bbab")
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert str(read_text([str(path)]).text) == "bbab"


def test_a_text_that_moves_is_not_stored_again(long_ago: Path, tmp_path, ids) -> None:
    read_text([str(long_ago)])
    files = {*ids.glob("*.array")}
    inodes = {file.stat().st_ino for file in files}
    long_ago.rename(tmp_path / "moved.txt")
    assert str(read_text([str(tmp_path / "moved.txt")]).text) == RHYME * 12
    assert {file.stat().st_ino for file in ids.glob("*.array")} == inodes


def test_how_a_text_is_decoded_is_part_of_the_name(tmp_path: Path) -> None:
    path = str(written(tmp_path / "a.txt", "a\r\n\u00e9"))
    for how, wanted in (
        (Decoding(), "a\n\u00e9"),
        (Decoding(newlines="keep"), "a\r\n\u00e9"),
        (Decoding("latin-1"), "a\n\u00c3\u00a9"),
        (Decoding("ascii", "replace"), "a\n\ufffd\ufffd"),
    ):
        assert str(read_text([path], how).text) == wanted


def damaged(path: Path, how: str) -> None:
    content = path.read_bytes()
    if how == "cut":
        path.write_bytes(content[: len(content) // 2])
    elif how == "flipped":
        path.write_bytes(bytes([content[0] ^ 1]) + content[1:])
    else:
        path.unlink()


@pytest.mark.parametrize("how", ["cut", "flipped", "gone"])
def test_damaged_ids_are_made_again(charrnn, long_ago, ids, how) -> None:
    lines = ["rhyme.txt", *RUN, "--set", "data.sequences=lines"]
    charrnn("train", *lines, "--out", "first")
    files = sorted(ids.glob("*.array"))
    whole = [path.read_bytes() for path in files]
    assert len(files) == 2
    for path in files:
        damaged(path, how)
    assert charrnn("train", *lines, "--out", "second").code == 0
    assert [path.read_bytes() for path in files] == whole
    assert logged("second") == logged("first")


BUILDER = """
import logging, sys
from charrnn.text.reading import read_text
logging.basicConfig(level=logging.INFO)
sys.stdin.readline()
print(read_text([sys.argv[1]]).text.digest())
"""


def test_two_programs_make_the_ids_at_once(tmp_path: Path, ids: Path) -> None:
    path = written(tmp_path / "large.txt", RHYME * 5000)
    programs = [
        subprocess.Popen(
            [sys.executable, "-c", BUILDER, str(path)], text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )
        for _ in range(3)
    ]  # fmt: skip
    for program in programs:
        assert program.stdin is not None
        program.stdin.write("go\n")
        program.stdin.flush()
    found = [program.communicate() for program in programs]
    with in_memory():
        wanted = read_text([str(path)]).text.digest()
    assert [out for out, _ in found] == [f"{wanted}\n"] * 3
    assert sum(err.count("writing") for _, err in found) == 1
    assert len([*ids.glob("*.array")]) == 1
    assert not [*array_files.leftovers(ids)]


# versions of a text


def versions(path: Path, *more: str, decoding: Decoding = DEFAULT_DECODING) -> None:
    """Stores a text as it is, and as documents."""
    SEQUENCES["documents"].join(read_text([str(path), *more], decoding).documents)


def size_of(ids: Path) -> tuple[int, int]:
    """The number of arrays, and their bytes."""
    files = [*ids.glob("*.array")]
    return len(files), sum(file.stat().st_size for file in files)


@pytest.mark.parametrize("name", ["file", "directory", "two files"])
def test_ids_of_an_earlier_version_are_removed(tmp_path: Path, ids: Path, name: str) -> None:
    """And what was made of them, in whatever encoding they were read."""
    folder = tmp_path / "logs"
    folder.mkdir()
    path = written(folder / "a.txt", RHYME)
    more = [str(written(tmp_path / "b.txt", RHYME[9:]))] if name == "two files" else []
    text = folder if name == "directory" else path
    versions(text, *more)
    versions(text, *more, decoding=Decoding("latin-1"))
    assert size_of(ids)[0] == 4
    for number in range(1, 4):
        written(path, RHYME * (number + 1), LONG_AGO + number)
        if name == "directory":
            written(folder / f"{number}.txt", RHYME)  # another file is the first
        versions(text, *more)
        count, size = size_of(ids)
        assert count == 2
        (kept,) = texts_stored()
        assert (kept.path, kept.others, len(kept.files)) == (str(text), len(more), 2)
    for file in ids.iterdir():
        file.unlink()
    versions(text, *more)
    assert size_of(ids) == (count, size)  # nothing of what remained was of another version


def test_ids_that_another_text_has_are_not_removed(tmp_path: Path, ids: Path) -> None:
    one, other = (written(tmp_path / name, RHYME) for name in ("a.txt", "b.txt"))
    versions(one)
    versions(other)
    first = {*ids.glob("*.array")}
    written(one, RHYME * 2, LONG_AGO + 1)
    versions(one)
    assert {*ids.glob("*.array")} > first
    assert [text.path for text in texts_stored()] == [str(one), str(other)]
    written(other, RHYME * 3, LONG_AGO + 1)
    versions(other)
    assert not {*ids.glob("*.array")} & first
    assert size_of(ids)[0] == 4


def test_ids_that_a_program_reads_are_removed_later(tmp_path: Path, ids: Path) -> None:
    path = written(tmp_path / "a.txt", RHYME)
    held = read_text([str(path)])
    (first,) = ids.glob("*.array")
    written(path, RHYME * 2, LONG_AGO + 1)
    read_text([str(path)])
    assert first.exists()
    assert size_of(ids)[0] == 2
    assert str(held.text) == RHYME
    del held
    written(path, RHYME * 3, LONG_AGO + 2)
    read_text([str(path)])
    assert not first.exists()
    assert size_of(ids)[0] == 1


def test_what_is_made_of_removed_ids_is_removed_too(charrnn, tmp_path: Path, ids: Path) -> None:
    path = written(tmp_path / "a.txt", RHYME)
    held = read_text([str(path)]).documents
    charrnn("texts", "--clear")
    SEQUENCES["documents"].join(held)
    (made,) = ids.glob("*.array")
    del held
    for number in (1, 2):  # a record is made, and changed
        written(path, RHYME * 2 * number, LONG_AGO + number)
        read_text([str(path)])
    assert not made.exists()
    assert size_of(ids)[0] == 1


def test_a_damaged_record_is_made_again(long_ago: Path, ids: Path) -> None:
    for content in (b"", b"{}", b"[1, 2]"):
        read_text([str(long_ago)])
        (record,) = ids.glob("*.text")
        whole = record.read_bytes()
        record.write_bytes(content)
        assert [text.path for text in texts_stored()] == [str(long_ago)]
        read_text([str(long_ago)])
        assert record.read_bytes() == whole


# what can fail


def test_a_folder_that_cannot_be_written(charrnn, long_ago, tmp_path, monkeypatch) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("CHARRNN_CACHE", str(tmp_path / "file"))
    reading = read_text([str(long_ago)])
    assert str(reading.text) == RHYME * 12
    assert "is read into memory, since its ids cannot be stored" in reading.notes[0]
    assert "Not a directory" in reading.notes[0]
    found = charrnn("train", "rhyme.txt", *RUN, "--out", "run")
    assert (found.code, "read into memory" in found.err) == (0, True)
    assert "; storing its ids in" in found.err.replace("\n      ", " ")


def full(*_: object) -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_a_disk_that_fills_up(long_ago, ids, monkeypatch) -> None:
    monkeypatch.setattr("charrnn.system.files._sync", full)
    reading = read_text([str(long_ago)])
    assert str(reading.text) == RHYME * 12
    assert "No space left on device" in reading.notes[0]
    assert {path.suffix for path in ids.iterdir()} <= {".lock"}


def test_ids_that_fit_neither_on_the_disk_nor_in_memory(charrnn, long_ago, monkeypatch) -> None:
    monkeypatch.setattr(array_files, "free_bytes", lambda: 0)
    monkeypatch.setattr(stored_ids, "physical_memory", lambda: 100)
    found = charrnn("train", "rhyme.txt", *RUN)
    assert found.code == 3
    assert "memory allows, and cannot be stored in" in found.err
    assert "CHARRNN_CACHE" in found.err


def test_a_disk_that_is_full_when_lines_are_arranged(charrnn, long_ago, monkeypatch) -> None:
    read_text([str(long_ago)])
    monkeypatch.setattr(array_files, "free_bytes", lambda: 0)
    lines = ["rhyme.txt", *RUN, "--set", "data.sequences=lines", "--out"]
    assert charrnn("train", *lines, "run").code == 0
    with in_memory():
        assert charrnn("train", *lines, "memory").code == 0
    assert logged("run") == logged("memory")


def test_a_text_that_changes_while_it_is_read(long_ago, ids, monkeypatch) -> None:
    """Nothing is stored under the name of the old one."""
    original = text.Alphabet.ids
    changes = iter([lambda: written(long_ago, "other" * 200)])

    def changing(alphabet: Any, string: str) -> Any:
        for change in changes:
            change()
        return original(alphabet, string)

    monkeypatch.setattr("charrnn.text.alphabet.Alphabet.ids", changing)
    with pytest.raises(InputError, match="changed while it was being read"):
        read_text([str(long_ago)])
    assert not [*ids.glob("*.array")]


def test_a_text_that_changes_without_a_trace_while_it_is_read(tmp_path, ids, monkeypatch) -> None:
    """Its size, its time and its characters stay the same, but not their number."""
    path = written(tmp_path / "a.txt", "a\r\nb")
    original = text.Alphabet.characters.fget

    def changing(alphabet: Any) -> Any:
        written(path, "ab\nb")
        return original(alphabet)

    monkeypatch.setattr("charrnn.text.alphabet.Alphabet.characters", property(changing))
    with pytest.raises(InputError, match="changed while it was being read"):
        read_text([str(path)])
    assert not [*ids.glob("*.array")]


def test_no_more_is_read_than_a_text_should_have(long_ago: Path, ids: Path) -> None:
    size = len(RHYME * 12)
    for most in (1, size - 1):
        with pytest.raises(LongerText):
            read_text([str(long_ago)], at_most=most)
        assert not [*ids.glob("*.array")]
    assert len(read_text([str(long_ago)], at_most=size).text) == size
    with pytest.raises(LongerText):
        read_text([str(long_ago)], at_most=size - 1)


def test_a_text_of_far_more_than_wanted_is_not_stored(long_ago: Path, ids: Path) -> None:
    """It would be read whole before its length is known: a character has at most 8 bytes."""
    source, size = Source(str(long_ago), False), len(RHYME * 12)
    assert is_large([source], size / 8)
    assert not is_large([source], size / 8 - 1)


def test_from_which_size_on_texts_are_stored(long_ago, ids, monkeypatch, charrnn) -> None:
    size = len(RHYME * 12)
    for given_size, stores in (
        (str(size), True), (str(size + 1), False), ("0.001M", True), ("never", False), (None, False)
    ):  # fmt: skip
        for path in ids.glob("*.array"):
            path.unlink()
        if given_size is None:
            monkeypatch.delenv("CHARRNN_MAP_FROM")
        else:
            monkeypatch.setenv("CHARRNN_MAP_FROM", given_size)
        read_text([str(long_ago)])
        assert bool([*ids.glob("*.array")]) == stores
    monkeypatch.setenv("CHARRNN_MAP_FROM", "4 apples")
    found = charrnn("inspect", "rhyme.txt", *TINY)
    assert (found.code, "CHARRNN_MAP_FROM=4 apples" in found.err) == (2, True)


# the list


def test_texts_lists_and_clears_what_is_stored(charrnn, long_ago, tmp_path, ids) -> None:
    assert json.loads(charrnn("texts", "--json").out)["stored"] == []
    lines = ["rhyme.txt", *RUN, "--set", "data.sequences=lines", "--out", "run"]
    shown = charrnn("train", *lines).err
    note = f"note: reading the large text {long_ago}; storing its ids in {ids}"
    assert note in shown.replace("\n      ", " ")
    document = json.loads(charrnn("texts", "--json").out)
    size = sum(path.stat().st_size for path in ids.glob("*.array"))
    assert document["stored"] == [
        {"path": str(long_ago), "bytes": size, "others": 0, "missing": False}
    ]
    assert document["ids"] == str(ids)
    listed = charrnn("texts").out.replace("\n  ", " ")
    assert f"{long_ago}  {size:,} bytes of ids, stored" in listed
    assert charrnn("texts", "tinyshakespeare", "--clear").out == "removed 0 texts, 0 kB\n"
    assert [*ids.glob("*.array")]
    assert charrnn("texts", "--clear").out.splitlines() == [
        f"removed the stored ids of 1 text, {size / 1e3:.0f} kB",
    ]  # fmt: skip
    assert not [*ids.iterdir()]
    assert json.loads(charrnn("texts", "--json").out)["stored"] == []


def test_several_files_and_missing_ones_are_listed_as_such(charrnn, tmp_path, ids) -> None:
    one, other = (written(tmp_path / f"{name}.txt", RHYME * 20 + name) for name in "ab")
    read_text([str(one), str(other)])
    read_text([str(other)])
    moved = one.rename(tmp_path / "c.txt")
    listed = charrnn("texts").out.replace("\n  ", " ")
    assert f"{one} and 1 more  " in listed
    assert listed.count("bytes of ids, stored; the text no longer exists") == 1
    stored = json.loads(charrnn("texts", "--json").out)["stored"]
    assert [(text["path"], text["others"], text["missing"]) for text in stored] == [
        (str(one), 1, True), (str(other), 0, False)
    ]  # fmt: skip
    read_text([str(moved), str(other)])  # the same ids
    stored = json.loads(charrnn("texts", "--json").out)["stored"]
    assert [(text["path"], text["missing"]) for text in stored] == [
        (str(other), False), (str(moved), False)
    ]  # fmt: skip
    moved.rename(one)
    stored = json.loads(charrnn("texts", "--json").out)["stored"]
    assert [(text["path"], text["missing"]) for text in stored] == [
        (str(one), False), (str(other), False)
    ]  # fmt: skip


def test_the_ids_of_one_path_are_removed(charrnn, tmp_path, ids, monkeypatch) -> None:
    one, other = (written(tmp_path / f"{name}.txt", RHYME * 20 + name) for name in "ab")
    for path in (one, other):
        versions(path)
    one.unlink()
    listed = json.loads(charrnn("texts", "--json").out)["stored"]
    cleared = charrnn("texts", str(one), "--clear")
    assert cleared.out.startswith("removed the stored ids of 1 text, ")
    assert json.loads(charrnn("texts", "--json").out)["stored"] == listed[1:]
    assert len([*ids.glob("*.text")]) == 1
    failed = charrnn("texts", str(one), "--clear")
    assert (failed.code, "one whose ids are stored" in failed.err) == (2, True)
    monkeypatch.chdir(tmp_path)
    document = json.loads(charrnn("texts", "b.txt", "--clear", "--json").out)
    assert document["stored"] == listed[1:]
    assert size_of(ids) == (0, 0)


def test_clearing_goes_on_with_the_rest(charrnn, tmp_path, ids) -> None:
    read_text([str(written(tmp_path / "a.txt", RHYME))])
    for name in ("0.array", "0.json", "z.lock"):
        (ids / name).mkdir()
    found = charrnn("texts", "--clear")
    assert found.code == 3
    assert "removed the stored ids of 1 text" in found.out
    said = found.err.replace("\n       ", " ")
    assert "3 files in the cache cannot be removed: " in said
    assert f"{ids / '0.array'} (" in said
    assert "remove them by hand" in said
    assert {path.name for path in ids.iterdir()} == {"0.array", "0.json", "z.lock"}
    document = json.loads(charrnn("texts", "--clear", "--json").out)
    assert (len(document["kept"]), document["stored"]) == (3, [])


def test_clearing_leaves_what_is_being_made(charrnn, long_ago, ids) -> None:
    with array_files.building("one"):
        temporary = ids / ".charrnn-0123456789abcdef.tmp"
        temporary.write_bytes(b"x" * 2_000_000)
        listed = charrnn("texts").out.replace("\n  ", " ")
        assert "2,000,000 bytes of incomplete ids, being stored or left by" in listed
        assert charrnn("texts", "--clear").out == "removed 0 texts, 0 kB\n"
        assert {path.name for path in ids.iterdir()} == {"one.lock", temporary.name}
    assert json.loads(charrnn("texts", "--json").out)["unfinished"] == 2_000_000
    assert "removed 2.0 MB of incomplete ids" in charrnn("texts", "--clear").out
    assert not [*ids.iterdir()]
    assert "incomplete" not in charrnn("texts").out


def test_what_a_killed_program_left_is_removed(long_ago: Path, tmp_path, ids) -> None:
    ids.mkdir(parents=True)
    old, new = (ids / f".charrnn-{digit * 16}.tmp" for digit in "01")
    written(old, "x")
    new.touch()
    read_text([str(long_ago)])
    assert (old.exists(), new.exists()) == (False, True)


@pytest.mark.skipif(os.name == "nt", reason="Windows has other permissions")
def test_others_cannot_read_what_is_stored(long_ago: Path, ids: Path) -> None:
    read_text([str(long_ago)])
    assert ids.stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize(("seconds", "lines"), [(1, 0), (25, 2), (2000, 9), (90_000, 9)])
def test_reading_prints_at_most_ten_lines(monkeypatch, capsys, seconds: int, lines: int) -> None:
    """Off a terminal, however long it takes, and 10 s apart."""
    now = [0.0]
    clock = SimpleNamespace(monotonic=lambda: now[0])
    monkeypatch.setattr(download_progress, "time", clock)
    with show_reading("large.txt") as show:
        for done in range(1000):
            now[0] = done * seconds / 1000
            show(done, 1000)
    said = capsys.readouterr().err
    assert said.count("note: large.txt: ") == lines


# in chunks, and in little memory

SMALL = st.lists(st.integers(0, 2), max_size=40)


@given(SMALL, st.integers(1, 5))
def test_chunks_change_nothing(values: list[int], piece: int) -> None:
    array = np.array(values, np.uint8)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(id_chunks, "CHUNK", piece)
        for module in (text, search):
            patch.setattr(module, "CHUNK_CHARACTERS", piece)
        patch.setattr(start, "CONTEXT", 6)
        patch.setattr(start, "CANDIDATES", 4)
        assert np.array_equal(positions_of(array, 1), np.flatnonzero(array == 1))
        found = start.passages_before(array, 0)
        ends = np.flatnonzero(array[1:] == 0) + 1
        blank = ends[array[ends - 1] == 0]
        ends = blank if len(blank) else ends
        if not len(ends):
            assert found is None
        else:
            long = ends[ends >= 6] if (ends >= 6).any() else ends[-1:]
            wanted = long[np.unique(np.linspace(0, len(long) - 1, 4).round().astype(int))]
            length = min(6, wanted.min())
            assert np.array_equal(found, np.stack([array[e - length : e] for e in wanted], axis=1))
        string = "".join("ab\n"[value] for value in values)
        whole = Text.of(string)
        assert [*items_of(whole, "\n")] == [line for line in string.split("\n") if line]
        for passage in ("a", "ab", "ba\nb", "bbbbbb"):
            place = string.find(passage)
            assert find(whole, passage) == (None if place < 0 else place)


def test_baselines_of_a_large_text_are_of_its_start(charrnn, trained, tmp_path, monkeypatch):
    monkeypatch.setattr(evaluating, "MAX_COMPARED", 300)
    (tmp_path / "long.txt").write_text(RHYME * 3)
    (tmp_path / "start.txt").write_text((RHYME * 3)[:300])
    long, short = (charrnn("eval", trained, f"{name}.txt", "--json") for name in ("long", "start"))
    assert "counts and xz are compared on the first 300 characters." in long.err
    assert "are compared" not in short.err
    found, wanted = (json.loads(one.out)["baselines"] for one in (long, short))
    assert found == wanted
    assert found["characters"] == 299


SCRIPT = """
import resource, sys
from pathlib import Path
from charrnn.setup.wiring import batches_of
from charrnn.config.layers import load_config
from charrnn.text.corpus import build_corpus
from charrnn.text.reading import read_text
from charrnn.text.sequences import SEQUENCES
before = int(next(l for l in open("/proc/self/status") if "VmData" in l).split()[1]) * 1024
resource.setrlimit(resource.RLIMIT_DATA, (before + int(sys.argv[2]),) * 2)
sequences = SEQUENCES[sys.argv[3]]
text = sequences.join(read_text([sys.argv[1]]).documents)
corpus = build_corpus(text, 0.1, sequences)
config = load_config(None, [], {"data": {"sequences": sys.argv[3]}})
windows = batches_of(config, corpus.training)
for number in range(0, windows.per_epoch, max(windows.per_epoch // 9, 1)):
    windows[number]
print(corpus.digest, len(corpus.training))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="the limit does not count files on Linux only")
@pytest.mark.parametrize("name", ["stream", "lines"])
def test_a_text_larger_than_the_memory_allowed(tmp_path: Path, name: str) -> None:
    """Of 20 million ids of two bytes, in 24 MB; from memory it fails."""
    line = "".join(map(chr, range(0x4E00, 0x4E00 + 400))) * 5
    path = written(tmp_path / "large.txt", (line + "\n") * 10_000)

    def run(map_from: str) -> subprocess.CompletedProcess:
        return subprocess.run(
            [sys.executable, "-c", SCRIPT, str(path), str(24_000_000), name],
            env=os.environ | {"CHARRNN_MAP_FROM": map_from, "OPENBLAS_NUM_THREADS": "1"},
            capture_output=True, text=True, check=False,
        )  # fmt: skip

    for _ in range(2):
        mapped = run("1MB")
        assert mapped.returncode == 0, mapped.stderr
        assert mapped.stdout.split()[1] == str(round(0.9 * 20_010_000))
    assert "MemoryError" in run("never").stderr
