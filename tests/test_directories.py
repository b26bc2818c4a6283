"""Directories of anything: what is read of them, and what a binary file is said to be."""

import json
import py_compile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from charrnn.text.binary import KINDS, is_binary, utf16_order
from charrnn.text.sources import Selection
from tests.conftest import RHYME, TINY

PNG = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """Sources with what lies beside them."""
    folder = tmp_path / "src"
    (folder / "sub").mkdir(parents=True)
    (folder / "a.py").write_text("x = 1  # " + RHYME)
    (folder / "sub/b.py").write_text("y = 2  # " + RHYME)
    (folder / "notes.txt").write_text("Notes. " + RHYME)
    (folder / "picture.png").write_bytes(PNG)
    (folder / "sub/data.bin").write_bytes(b"abc\0def")
    py_compile.compile(str(folder / "a.py"), str(folder / "sub/__pycache__/a.pyc"), doraise=False)
    if not (folder / "sub/__pycache__").exists():  # the text is no Python
        (folder / "sub/__pycache__").mkdir()
        (folder / "sub/__pycache__/a.pyc").write_bytes(b"\xa7\r\r\n\0\0\0\0")
    return folder


def characters(charrnn, *arguments: object) -> tuple[int, str]:
    outcome = charrnn("inspect", *arguments, *TINY, "--json")
    assert outcome.code == 0, outcome.err
    return json.loads(outcome.out)["characters"], outcome.err


def test_binary_files_of_a_directory_are_left_out_and_counted(charrnn, tree) -> None:
    size, notes = characters(charrnn, tree)
    assert size == sum(len((tree / name).read_text()) for name in ("a.py", "notes.txt", "sub/b.py"))
    assert (
        f"note: {tree}: 3 files read; 3 binary files left out, such as {tree}/picture.png." in notes
    )


def test_patterns_divide_the_files(charrnn, tree) -> None:
    whole, _ = characters(charrnn, tree)
    sizes = [characters(charrnn, tree, option, "*.py")[0] for option in ("--include", "--exclude")]
    assert sum(sizes) == whole
    only, _ = characters(charrnn, tree, "--include", "*.py", "--exclude", "sub/*")
    assert only == len((tree / "a.py").read_text())
    named, _ = characters(charrnn, tree / "notes.txt", "--include", "*.py")
    assert named == len((tree / "notes.txt").read_text())


@given(st.lists(st.text("ab/*?.", min_size=1)), st.text("ab/.", min_size=1))
def test_a_pattern_includes_what_it_would_exclude(patterns, path) -> None:
    chosen = Selection(include=tuple(patterns)).chooses(path)
    left_out = Selection(exclude=tuple(patterns)).chooses(path)
    assert chosen != left_out or not patterns
    assert Selection().chooses(path)


def test_a_run_reads_the_same_files_when_it_is_resumed_or_analysed(charrnn, tree) -> None:
    chosen = ["--include", "*.py", "--exclude", "sub/*"]
    assert charrnn("train", tree, *TINY, *chosen, "--max-steps", 4, "--out", "run").code == 0
    (tree / "more.txt").write_text("not read")
    outcome = charrnn("train", "--resume", "run", "--max-steps", 6)
    assert outcome.code == 0, outcome.err
    assert "has changed" not in charrnn("gradflow", "run", "--lags", 3).err


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (PNG, "is a PNG image, not plain text"),
        (b"\xa7\r\r\n\0\0\0\0", "is compiled Python, not plain text"),
        (b"%PDF-1.7\n%\xe2\xe3\xcf\n", "is a PDF document"),
        (b"RIFF\x24\0\0\0WAVEfmt ", "is audio, an image or a video"),
        (b"abc\0def", "is binary: NUL at byte 3"),
    ],
)
def test_a_binary_file_by_itself_is_said_to_be_one(charrnn, tmp_path, content, words) -> None:
    (tmp_path / "file").write_bytes(content)
    outcome = charrnn("inspect", "file")
    assert (outcome.code, words in outcome.err) == (3, True), outcome.err
    assert "utf-16" not in outcome.err


@pytest.mark.parametrize("order", ["le", "be"])
def test_utf_16_is_still_recognized(charrnn, tmp_path, order) -> None:
    (tmp_path / "file").write_bytes(RHYME.encode(f"utf-16-{order}"))
    assert f"--encoding utf-16-{order}" in charrnn("inspect", "file").err
    assert utf16_order(RHYME.encode(f"utf-16-{order}")) == order


@given(
    st.sampled_from([start for start, _ in KINDS] + [b"a\r\r\n", b""]),
    st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"])),
    st.sampled_from(["utf-8", "latin-1"]),
)
def test_no_text_is_taken_for_binary(start, text, codec) -> None:
    """Even if it starts as a binary file does."""
    try:
        content = (start.decode(codec).replace("\0", "") + text).encode(codec)
    except UnicodeError:
        return
    assert not is_binary(content, codec)
    assert is_binary(content + b"\0", codec)


@pytest.mark.parametrize(
    ("files", "arguments", "words"),
    [
        ({"a.png": PNG}, [], "all 1 file of the directory"),
        ({"a.txt": b"text"}, ["--include", "*.md"], "none of the 1 files of the directory"),
    ],
)
def test_a_directory_without_texts_is_refused(charrnn, tmp_path, files, arguments, words) -> None:
    (tmp_path / "folder").mkdir()
    for name, content in files.items():
        (tmp_path / "folder" / name).write_bytes(content)
    outcome = charrnn("inspect", "folder", *arguments)
    assert (outcome.code, words in outcome.err) == (3, True), outcome.err


def test_a_model_of_another_encoding_says_why_it_reads_in_it(charrnn, tmp_path) -> None:
    """UTF-8 read as cp1252, because the model was trained on that."""
    (tmp_path / "old.txt").write_bytes(("Crème brûlée, déjà vu.\n" * 60).encode("cp1252"))
    (tmp_path / "new.txt").write_text("Crème déjà vu", encoding="utf-8")
    (tmp_path / "invalid.txt").write_bytes("Á brûlée".encode())
    settings = [*TINY, "--encoding", "cp1252", "--max-steps", 2, "--out", "run"]
    assert charrnn("train", "old.txt", *settings).code == 0
    for text in ("new.txt", "invalid.txt"):
        for command in (["eval", "run", text], ["gradflow", "run", "--text", text]):
            outcome = charrnn(*command)
            assert outcome.code == 3
            assert "It was read as cp1252, as the text that run/" in outcome.err
            assert "hint:  it is valid UTF-8: --encoding utf-8" in outcome.err
    assert charrnn("eval", "run", "new.txt", "--encoding", "utf-8").code == 0
